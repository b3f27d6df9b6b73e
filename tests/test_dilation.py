"""HDC: the exact rule against counting, the published rule against its paper, repairs against every other choice."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations, product
from math import gcd, prod

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from convcalc.arithmetic.dilation import offsets as dilation_taps
from convcalc.arithmetic.dilation import repair as dilation_repair
from convcalc.arithmetic.dilation.rates import LIMIT
from convcalc.arithmetic.dilation.stack import hdc
from convcalc.errors import BadArgument


def ways(rates, kernels, strides):
    """Offset -> number of ways, one tap a layer: the definition, tap by tap."""
    reached, scale = Counter({0: 1}), 1
    for rate, kernel, stride in zip(rates, kernels, strides, strict=True):
        step = Counter()
        for offset, number in reached.items():
            for tap in range(kernel):
                step[offset + scale * rate * tap] += number
        reached, scale = step, scale * stride
    return reached


def agrees_with_counting(rates, kernels, strides):
    found, reached = hdc(rates, kernels, strides), ways(rates, kernels, strides)
    length = max(reached) + 1
    missed = [offset for offset in range(length) if offset not in reached]
    assert found.receptive_field == length
    assert found.exact_ok == (not missed)
    assert found.smallest_missed == (missed[0] if missed else None)
    assert list(found.every_hole()) == missed
    assert (found.hole_count, found.covered) == (len(missed), len(reached))
    assert found.counts == tuple(reached[offset] for offset in range(length))


@st.composite
def stacks(draw, layers=6, rate=12, kernel=5, stride=3):
    size = draw(st.integers(1, layers))
    each = lambda top: st.lists(st.integers(1, top), min_size=size, max_size=size)  # noqa: E731 - one line, three uses
    return draw(each(rate)), draw(each(kernel)), draw(each(stride))


# The exact rule


@pytest.mark.parametrize("kernel", range(1, 8))
def test_exact_rule_is_counting_for_up_to_three_rates_to_twelve_and_four_to_six(kernel):
    box = [rates for layers in (1, 2, 3) for rates in product(range(1, 13), repeat=layers)]
    for rates in (*box, *product(range(1, 7), repeat=4)):
        found, reached = hdc(rates, kernel), {0}
        for rate in rates:
            reached = {offset + tap * rate for offset in reached for tap in range(kernel)}
        missed = sorted(set(range(max(reached))) - reached)
        assert (found.exact_ok, found.smallest_missed) == (not missed, missed[0] if missed else None), rates
        assert found.receptive_field == max(reached) + 1
        assert list(found.holes) == missed[:1000]


@given(stacks())
def test_exact_rule_is_counting_for_unequal_kernels_and_strides(stack):
    agrees_with_counting(*stack)


@given(stacks(), st.randoms(use_true_random=False))
def test_order_does_not_matter_without_strides(stack, random):
    rates, kernels, _ = stack
    pairs = list(zip(rates, kernels, strict=True))
    random.shuffle(pairs)
    shuffled = hdc(*map(list, zip(*pairs, strict=True)))
    assert (shuffled.gaps, shuffled.counts) == (hdc(rates, kernels).gaps, hdc(rates, kernels).counts)


@given(stacks())
def test_a_single_tap_changes_nothing(stack):
    rates, kernels, strides = stack
    alone = hdc([*rates, 97], [*kernels, 1], [*strides, 1])
    assert (alone.gaps, alone.receptive_field) == (hdc(*stack).gaps, hdc(*stack).receptive_field)


@given(stacks())
def test_holes_are_symmetric_and_ways_multiply(stack):
    found = hdc(*stack)
    assert [found.receptive_field - 1 - hole for hole in found.every_hole()] == list(found.every_hole())[::-1]
    assert sum(found.counts) == prod(stack[1])


def test_a_rate_past_one_plus_the_reach_leaves_a_hole():
    found = hdc([9, 1, 2])  # 1 and 2 reach 0..6; 9 > 7
    assert (found.exact_ok, found.reach, found.breaking_rate, found.breaking_layer) == (False, 6, 9, 0)
    assert (found.smallest_missed, found.holes) == (7, (7, 8, 16, 17))
    assert hdc([9, 1, 9], [1, 3, 3]).breaking_layer == 2  # a single tap breaks nothing
    assert hdc([7, 1, 2]).exact_ok
    assert hdc([7, 1, 2]).breaking_layer is None


@pytest.mark.parametrize(
    ("rates", "covered", "field"),
    [
        ([1, 2, 3], 13, 13),
        ([1, 2, 5], 17, 17),
        ([1, 2, 9], 21, 25),
        ([2, 2, 2], 7, 13),
        ([2, 4, 8], 15, 29),
        ([1, 3, 9], 27, 27),
        ([5, 9, 17], 27, 63),
        ([3, 4, 5], 21, 25),
    ],
)
def test_three_taps_cover_what_counting_covers(rates, covered, field):
    assert (hdc(rates).covered, hdc(rates).receptive_field) == (covered, field)
    assert (len(ways(rates, [3] * 3, [1] * 3)), max(ways(rates, [3] * 3, [1] * 3)) + 1) == (covered, field)


def test_the_last_stride_is_without_effect():
    assert hdc([1, 2], stride=[1, 5]).gaps == hdc([1, 2]).gaps
    assert hdc([1, 2], stride=[1, 5]).remarks == ()
    assert "knows no strides" in hdc([1, 1], stride=[2, 1]).remarks[0]


# Large fields


@given(stacks())
def test_runs_and_bits_write_down_the_same_gaps(stack):
    read = dilation_taps.progressions(hdc(*stack).effective_rates, stack[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dilation_taps, "DENSE", 0)
        runs = dilation_taps.gaps(read)
    assert runs == dilation_taps.gaps(read)


@given(stacks(), st.integers(0, 60))
def test_unfinished_gaps_are_all_gaps_below_the_last_of_them(stack, budget):
    read = dilation_taps.progressions(hdc(*stack).effective_rates, stack[1])
    whole, _ = dilation_taps.gaps(read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dilation_taps, "DENSE", 0)
        patch.setattr(dilation_taps, "RUNS", budget)
        part, complete = dilation_taps.gaps(read)
    holes = [hole for gap in part for hole in gap]
    assert holes == [hole for gap in whole for hole in gap][: len(holes)]
    assert complete or holes
    assert not complete or part == whole


def test_rates_past_any_machine_integer_are_counted():
    far = 10**30
    found = hdc([far * far, 1, far])
    assert (found.smallest_missed, found.breaking_rate, found.covered) == (3, far, 27)
    assert found.receptive_field == 1 + 2 * (1 + far + far * far)
    assert found.hole_count == found.receptive_field - 27
    assert found.holes == tuple(range(3, 1003))


def test_a_field_in_too_many_pieces_is_left_uncounted_but_its_first_holes_are_known():
    rates = [100**place for place in range(20)]  # 3**20 pieces
    found = hdc(rates)
    assert (found.exact_ok, found.smallest_missed, found.hole_count, found.covered) == (False, 3, None, None)
    assert found.holes[:98] == (*range(3, 100), 103)
    assert found.counts is None
    assert any("not counted" in remark for remark in found.remarks)


def test_many_layers_have_a_verdict():
    assert hdc(range(1, 20_001)).exact_ok
    assert hdc([*range(1, 20_001), 10**9]).breaking_layer == 20_000


# The published rule


@given(st.lists(st.integers(1, 30), min_size=2, max_size=7))
def test_M_is_the_published_recursion(rates):  # noqa: N802 - the rule's letter
    found = hdc(rates)
    assert found.M[-1] == rates[-1]
    for place, step in enumerate(found.steps):
        r, following = rates[place], found.M[place + 1]
        assert step.terms == (following - 2 * r, following - 2 * (following - r), r)
        assert found.M[place] == max(step.terms) == step.terms[step.winner]
    assert found.m2_ok == (found.M[1] <= 3)
    assert found.gcd == gcd(*rates)
    assert found.paper_ok == (found.m2_ok and found.gcd == 1)


def test_the_papers_own_examples():
    assert (hdc([1, 2, 5]).M[1], hdc([1, 2, 5]).paper_ok) == (2, True)
    assert (hdc([1, 2, 9]).M[1], hdc([1, 2, 9]).paper_ok) == (5, False)
    assert (hdc([2, 4, 8]).gcd, hdc([2, 4, 8]).paper_ok) == (2, False)


@pytest.mark.parametrize("stack", [([7],), ([1, 2], [3, 5])])
def test_the_published_rule_has_nothing_to_say_on_one_layer_or_unequal_kernels(stack):
    found = hdc(*stack)
    assert (found.M, found.m2_ok, found.paper_ok, found.difference, found.steps) == (None, None, None, None, ())
    assert "does not apply" in found.remarks[0]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_for_three_taps_ascending_from_one_the_published_rule_is_exact(rates):
    found = hdc([1, *sorted(rates)])
    assert found.paper_ok == found.exact_ok
    assert found.difference is None


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(3, 7))
def test_from_three_taps_and_a_first_rate_of_one_no_hole_passes_the_published_rule(rates, kernel):
    found = hdc([1, *rates], kernel)
    assert found.exact_ok or not found.m2_ok


@pytest.mark.parametrize(
    ("rates", "kernel", "stride", "paper", "exact", "why"),
    [
        ([2, 3], 3, 1, True, False, "takes it for 1; it is 2"),
        ([9, 2, 1], 3, 1, True, False, "takes it for 1; it is 9"),
        ([1, 1, 4], 2, 1, True, False, "2 taps reach 1 rate"),
        ([2, 1, 1, 6], 2, 1, True, False, "2 taps reach 1 rate"),
        ([1, 2, 3], 3, 2, True, False, "no strides"),
        ([1, 3, 1], 3, 1, False, True, "in ascending order, 1 1 3, M_2 = 1"),
        ([1, 2, 9], 4, 1, False, True, "4 taps reach 3 rates"),
        ([2, 2], 1, 1, False, True, "a single tap has no gaps"),
        ([1, 6, 1], 3, [1, 3, 1], False, True, "no strides"),
    ],
)
def test_where_the_published_rule_errs_the_reason_is_named(rates, kernel, stride, paper, exact, why):
    found = hdc(rates, kernel, stride)
    assert (found.paper_ok, found.exact_ok) == (paper, exact)
    assert why in found.difference


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(1, 5), st.integers(1, 2))
def test_every_named_reason_is_true(rates, kernel, stride):
    found = hdc(rates, kernel, stride)
    assume(found.difference)
    plain = hdc(rates, kernel)
    if "no strides" in found.difference:
        assert plain.exact_ok == found.paper_ok
    elif "first rate" in found.difference:
        assert rates[0] > 1
        assert hdc([1, *rates[1:]], kernel).exact_ok
    elif "2 taps reach" in found.difference:
        assert (kernel, plain.exact_ok) == (2, False)
    elif "single tap" in found.difference:
        assert kernel == 1
    elif "order" in found.difference:
        assert hdc(sorted(rates), kernel).m2_ok
    else:
        assert kernel >= 4
        assert not hdc(sorted(rates), kernel).m2_ok


@pytest.mark.parametrize(
    ("rates", "tooth"),
    [
        ([1, 2, 3, 1, 2, 3], ((1, 2, 3), 2)),
        ([1, 2, 5], ((1, 2, 5), 1)),
        ([1, 2, 3, 1, 2], None),
        ([1, 2, 1, 3], None),
        ([2, 2], None),
        ([4], None),
    ],
)
def test_a_sawtooth_repeats_one_rising_group(rates, tooth):
    assert hdc(rates).sawtooth == tooth


# Repairs


def without_holes(kernels, strides, top):
    """Rates up to `top` that leave no hole -> their field; one past prod(kernels) is of use only where it stays."""
    every = {rates: hdc(rates, kernels, strides) for rates in product(range(1, top + 1), repeat=len(kernels))}
    return {rates: found.receptive_field for rates, found in every.items() if found.exact_ok}


@pytest.mark.parametrize(
    ("kernels", "strides"),
    [
        ([3, 3], [1, 1]),
        ([2, 5], [2, 1]),
        ([2, 2], [3, 1]),
        ([2, 2, 2], [1, 1, 1]),
        ([3, 2, 4], [1, 1, 1]),
        ([3, 3, 3], [1, 1, 1]),
        ([4, 1, 2], [3, 1, 1]),
        ([3, 3, 2], [2, 1, 1]),
        ([3, 3, 3], [1, 2, 1]),
        ([2, 2, 2, 2], [1, 1, 1, 1]),
    ],
)
def test_no_choice_of_rates_beats_the_tries(kernels, strides):
    top = max(prod(kernels), 10)
    choices = without_holes(kernels, strides, top)
    for rates in product(range(1, 11 if len(kernels) < 4 else 5), repeat=len(kernels)):
        if rates in choices:
            continue
        found, keys = hdc(rates, kernels, strides), []
        for new, field in choices.items():
            moves = [abs(one - old) for one, old in zip(new, rates, strict=True) if one != old]
            keys.append((len(moves), sum(moves), -field))
        if not keys:
            assert (found.tries, found.tries_remark[:26]) == ((), "no rates close the holes: ")
            continue
        longest = max(choices.values())
        first, *_ = found.tries
        assert (first.changed, first.change, -first.receptive_field) == min(keys), rates
        assert any(one.largest for one in found.tries)
        assert all(one.largest == (one.receptive_field == longest) for one in found.tries)
        assert found.tries_remark == ""


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 16), min_size=4, max_size=4),
    st.lists(st.integers(2, 3), min_size=4, max_size=4),
)
@example([1, 1, 1, 1, 20, 20], [2, 2, 2, 4, 2, 2])  # one is raised to 2, not to the 3 that fits
@example([1, 19, 3, 30, 1], [5, 3, 3, 5, 5])  # one is raised, by what the kept ones leave short
@example([22, 1, 16, 1], [2, 2, 4, 4])  # one is raised as far as it goes, one lowered
def test_no_single_or_double_change_beats_the_first_try(rates, kernels):
    found = hdc(rates, kernels)
    assume(not found.exact_ok)
    first = found.tries[0]
    far = first.change if first.changed <= 2 else prod(kernels)  # nothing farther could be better
    keys = []
    for pair in combinations(range(len(rates)), 2):
        for new in product(*(range(max(1, rates[place] - far), rates[place] + far + 1) for place in pair)):
            changed = [dict(zip(pair, new, strict=True)).get(place, rate) for place, rate in enumerate(rates)]
            if dilation_taps.unbroken(dilation_taps.progressions(changed, kernels))[1] is None:
                moves = [abs(one - old) for one, old in zip(changed, rates, strict=True) if one != old]
                keys.append((len(moves), sum(moves), -hdc(changed, kernels).receptive_field))
    assert first.changed > 2 if not keys else min(keys) == (first.changed, first.change, -first.receptive_field)


def test_of_two_to_raise_the_first_goes_only_as_far_as_it_pays():
    # 1 1 1 1 reach 0..6, short of 20 by 13; one two-tap layer at 2 lets the four-tap one go to 5, and 4 + 3·5 = 19
    first = hdc([1, 1, 1, 1, 20, 20], [2, 2, 2, 4, 2, 2]).tries[0]
    assert (first.rates, first.changed, first.change) == ((2, 1, 1, 5, 20, 20), 2, 5)


@given(stacks(layers=5, rate=40))
def test_every_try_closes_the_holes_and_says_what_it_changed(stack):
    rates, kernels, strides = stack
    for one in hdc(*stack).tries:
        again = hdc(one.rates, kernels, strides)
        moves = [abs(a - b) for a, b in zip(one.rates, rates, strict=True) if a != b]
        assert again.exact_ok
        assert (one.receptive_field, one.changed, one.change) == (again.receptive_field, len(moves), sum(moves))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_the_largest_field_without_strides_has_one_way_to_each_offset(kernels):
    layers = dilation_repair.layers_of([1] * len(kernels), kernels, [1] * len(kernels))
    chosen = dilation_repair.largest_rates(layers, LIMIT)
    found = hdc([chosen.get(place, 1) for place in range(len(kernels))], kernels)
    assert found.receptive_field == prod(kernels)
    assert set(found.counts) == {1}


def test_the_designs_example_is_repaired_by_its_two_tries():
    tries = [(one.rates, one.receptive_field, one.largest) for one in hdc([1, 2, 9]).tries]
    assert sorted(tries) == [((1, 2, 7), 21, False), ((1, 3, 9), 27, True)]


def test_equal_rates_are_repaired_by_changing_any_one_of_them():
    assert [one.rates for one in hdc([2, 2, 2]).tries] == [(1, 2, 2), (2, 1, 2), (2, 2, 1), (1, 3, 9)]


def test_strides_past_the_kernels_cannot_be_repaired_by_rates():
    found = hdc([1, 1], kernel_size=2, stride=3)
    assert found.tries == ()
    assert "steps of 3" in found.tries_remark
    assert "read 2 in a row" in found.tries_remark


def test_a_search_cut_short_still_offers_rates_that_work(monkeypatch):
    layers = dilation_repair.layers_of([50, 70, 90], [3] * 3, [1] * 3)
    assert dilation_repair.smallest_changes(layers, steps=5) == ((), False)
    found = hdc([7 * rate for rate in range(2, 400)])
    assert found.tries
    assert found.tries_remark == dilation_repair.UNFINISHED
    assert all(hdc(one.rates).exact_ok for one in found.tries)


def test_nothing_missed_is_nothing_to_try():
    assert (hdc([1, 2, 3]).tries, hdc([1, 2, 3]).tries_remark) == ((), "")


# The door and the record


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "rates must not be empty: a stack has at least one layer"),
        (([1, 0],), "rate must be at least 1: 0"),
        (([1, True],), "rate must be an integer: True"),
        (([1.0],), "rate must be an integer: 1.0"),
        ((3,), "rates must be a sequence of integers: 3"),
        (("12",), "rates must be a sequence of integers: '12'"),
        (([1, 2, 3], [3, 5]), "kernel_size must be one for all or one for each layer: 2 given, 3 rates"),
        (([1, 2], 0), "kernel_size must be at least 1: 0"),
        (([1, 2], 3, [1, -1]), "stride must be at least 1: -1"),
        (([1, 2], 3, None), "stride must be an integer: None"),
        (([LIMIT],), "rate must be below 10**1000"),
        (([-(LIMIT**5)],), "rate must be below 10**1000"),
        (([1] * 4000, 3, 2), "the strides must multiply to less than 10**1000"),
    ],
)
def test_what_is_no_stack_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(BadArgument) as refused:
        hdc(*arguments)
    assert refused.value.message == message


def test_one_kernel_or_stride_serves_all_layers():
    assert hdc([1, 2], [3], [2]) == hdc([1, 2], 3, 2)
    assert hdc((1, 2)).kernel_size == (3, 3)


def test_numpy_integers_are_integers():
    numpy = pytest.importorskip("numpy")
    assert hdc(numpy.array([1, 2, 9])) == hdc([1, 2, 9])
    assert all(type(rate) is int for rate in hdc(numpy.array([1, 2, 9])).rates)


def test_the_record_has_the_keys_of_the_design_and_is_json():
    record = hdc([1, 2, 9]).to_dict()
    keys = "rates k M m2_ok gcd paper_ok exact_ok receptive_field covered holes hole_count tries"
    assert list(record) == keys.split()
    assert json.loads(json.dumps(record)) == record
    assert (record["k"], record["M"], record["holes"]) == (3, [3, 5, 9], [7, 8, 16, 17])
    assert [one["rates"] for one in record["tries"]] == [[1, 3, 9], [1, 2, 7]]


def test_the_record_lists_a_thousand_holes_and_counts_them_all():
    record = hdc([1, 2000]).to_dict()
    assert record["holes"] == list(range(3, 1003))
    assert record["hole_count"] == 2 * 1997
    assert hdc([7]).to_dict()["M"] is None


# Real convolutions


@settings(max_examples=25, deadline=None)
@given(stacks(layers=4, rate=6, kernel=4, stride=2))
def test_the_gradient_of_one_output_is_the_count_of_ways(stack):
    torch = pytest.importorskip("torch")
    found = hdc(*stack)
    x = torch.ones(1, 1, found.receptive_field, dtype=torch.float64, requires_grad=True)
    y = x
    for rate, kernel, stride in zip(*stack, strict=True):
        weight = torch.ones(1, 1, kernel, dtype=torch.float64)
        y = torch.nn.functional.conv1d(y, weight, stride=stride, dilation=rate)
    assert y.shape[-1] == 1  # the field is the smallest input that the stack takes
    y.sum().backward()
    assert tuple(x.grad[0, 0].long().tolist()) == found.counts
    assert (x.grad[0, 0] == 0).nonzero().flatten().tolist() == list(found.every_hole())
