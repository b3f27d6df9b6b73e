"""Legal sizes against running the same network on numbers, near thresholds and far beyond; and against torch."""

from __future__ import annotations

import doctest
import math
import random
from itertools import product
from pathlib import Path

import pytest
from chain import valid_sizes, valid_sizes_of_chain
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import decide
from convcalc.arithmetic.exactness import check_no_row_dropped, check_symmetric_crop
from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, pool_out
from convcalc.errors import BadShape, Refused
from convcalc.layers import AvgPool, Conv, ConvTranspose, Crop, MaxPool, Pad, Unfold, Upsample
from convcalc.layers.base import must_divide, must_equal
from convcalc.network.stack import read_stack
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.conditions import Conditions, enforce, named
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.sizes.size import larger, smaller

# -- random networks ---------------------------------------------------------------------------------------------


def refuse(at):
    return BadShape("refused")


class Numbers:
    """A check on numbers that knows nothing of formulas: whether all conditions of each kind held."""

    def __init__(self):
        self.runs = self.all = True

    def __call__(self, value, error):
        self.runs &= value >= 0
        self.all &= value >= 0

    def exact(self, value, error):
        self.all &= value >= 0


def random_net(rng, *, threshold=0):
    """A random one-axis network as a function of a size and a check: chains with skips, joins, crops, min and max."""
    steps = []
    alive = 1
    for _ in range(rng.randint(1, 9)):
        one, other = rng.randrange(alive), rng.randrange(alive)
        name = rng.choice(
            ["conv", "conv", "pool", "ceil", "up", "skip", "crop", "shuffle", "fixed", "min", "max", "shift"]
        )
        stride = rng.choice([2, 3, 5, 7])
        kernel = rng.choice([1, 2, 3, 7]) if rng.random() < 0.9 or not threshold else threshold
        steps.append((name, one, other, stride, kernel, rng.randint(0, 3), rng.randint(0, 9)))
        alive += name not in ("skip", "crop", "fixed")
    if threshold:
        steps.insert(0, ("conv", 0, 0, 1, threshold, 0, 0))

    def net(shape, check):
        values = [shape[-1]]
        for name, one, other, s, k, p, c in steps:
            a, b = values[one], values[other]
            match name:
                case "conv":
                    check_no_row_dropped(a, k, s, p, check=check.exact)
                    values.append(conv_out(a, k, s, p, check=check))
                case "pool":
                    check_no_row_dropped(a, s, s, check=check.exact)
                    values.append(pool_out(a, s, check=check))
                case "ceil":
                    values.append(pool_out(a, 3, 2, 1, ceil_mode=True, check=check))
                case "up":
                    values.append(conv_transpose_out(a, s, s, check=check))
                case "skip":
                    must_equal(a, b + c % 2, check, refuse)
                case "crop":
                    check(a - b, refuse)
                    check_symmetric_crop(a, b, check=check.exact)
                case "shuffle":
                    must_divide(s, a, check, refuse)
                    values.append(a // s)
                case "fixed":
                    check(100 * (c + 1) - a, refuse)
                case "min":
                    values.append(smaller(a, b + c))
                case "max":
                    values.append(larger(a - c, b // 2))
                case "shift":
                    values.append(a - c)

    return net


def truth(net, *sizes):
    numbers = Numbers()
    net((1, 1, *sizes), numbers)
    return numbers.runs, numbers.all


def probes(rng, found):
    """Sizes near every threshold of the answer, in the first period after it, and far beyond."""
    corners = {0}
    for one in (found.runs["n"], found.exact["n"], *(r.sizes for r in found.reasons if r.sizes is not None)):
        corners |= {one.minimum, one.minimum + one.modulus, *one.finite[:2], *one.finite[-2:]}
    near = {corner + shift for corner in corners for shift in range(-4, 8)}
    far = {rng.randrange(10**9) for _ in range(30)} | {rng.randrange(30_000) for _ in range(30)}
    return sorted(n for n in near | far | set(range(40)) if n >= 0)


def check_net(seed, *, threshold=0):
    rng = random.Random(seed)
    net = random_net(rng, threshold=threshold and rng.randint(threshold, 3 * threshold))
    found = valid_sizes(net, (1, 1, "n"))
    assert found.proved == (found.window is None)
    if not found.proved:
        return found
    for n in probes(rng, found):
        runs, everything = truth(net, n)
        assert (n in found) == runs, (seed, n)
        assert (n in found.exact) == everything, (seed, n)
        refusing = [reason for reason in found.reasons if reason.sizes is None or n in reason.sizes]
        assert everything or refusing, (seed, n)
        if everything or (runs and refusing[0].sizes is not None):
            assert all(reason.kind == "exact" for reason in refusing), (seed, n)
        assert len([reason for reason in refusing if reason.sizes is not None]) <= 1, (seed, n)
        assert (found.why_not(n) is None) == everything, (seed, n)
    return found


@pytest.mark.parametrize("block", range(4))
def test_what_is_proved_of_random_networks_holds_for_every_size_tried(block):
    proved = [check_net(seed).proved for seed in range(block * 100, block * 100 + 100)]
    assert sum(proved) > 95  # a net is left undecided only where its period passes the limit


def test_thresholds_beyond_20000_are_decided_too():
    found = [check_net(seed, threshold=20_000) for seed in range(1000, 1030)]
    starts = [one.runs["n"].smallest for one in found if one.proved and one.runs]
    assert len(starts) > 5
    assert min(starts) >= 20_000


# -- several axes ------------------------------------------------------------------------------------------------


def random_coupled(rng, axes):
    """A chain on each axis, and conditions on the product of what comes out, as a flattened linear layer has."""
    chains = [
        [(rng.choice([1, 2, 3]), rng.choice([1, 2, 3]), rng.randint(0, 1)) for _ in range(2)] for _ in range(axes)
    ]
    features, channels = rng.choice([4, 6, 12, 16, 25, 30]), rng.choice([1, 3])
    kind = rng.choice(["equal", "equal", "most", "parity", "multiple", "divides"])

    def net(shape, check):
        area = channels
        for n, steps in zip(shape[2:], chains, strict=True):
            for k, s, p in steps:
                check_no_row_dropped(n, k, s, p, check=check.exact)
                n = conv_out(n, k, s, p, check=check)
            area = area * n
        match kind:
            case "equal":
                must_equal(area, channels * features, check, refuse)
            case "most":
                check(channels * features - area, refuse)
            case "parity":
                check.exact(-((shape[2] % 2) * (shape[3] % 3)), refuse)
            case "multiple":
                must_divide(features, area, check, refuse)
            case "divides":
                must_divide(2, area, check, refuse)
                must_equal(area, channels * features, check, refuse)

    return net


def near_boxes(found, axis):
    """Sizes of an axis at and beside the ends of every box, and the small ones."""
    sets = [box[found.axes.index(axis)] for boxes in (found.runs, found.exact) for box in boxes.boxes]
    ends = {end for one in sets for end in (one.minimum, one.minimum + one.modulus, *one.finite[:1], *one.finite[-1:])}
    return sorted({*range(12), *(end + shift for end in ends for shift in (-1, 0, 1) if end + shift >= 0)})


@pytest.mark.parametrize(("axes", "nets"), [(2, 50), (3, 12)])
def test_boxes_of_coupled_axes_are_all_there_is(axes, nets):
    names = "HW" if axes == 2 else "DHW"
    for seed in range(nets):
        rng = random.Random(seed)
        net = random_coupled(rng, axes)
        found = valid_sizes(net, (1, 1, *names))
        assert found.proved, seed
        near = [near_boxes(found, name) for name in names]
        for _ in range(500):
            pick = rng.randrange(10)
            sizes = tuple(rng.choice(one) if pick < 6 else rng.randrange(40 if pick < 9 else 10**6) for one in near)
            assert ((sizes in found), (sizes in found.exact)) == truth(net, *sizes), (seed, sizes)


def test_the_boxes_of_a_sum_are_those_of_its_parts():
    found = valid_sizes(lambda shape, check: must_equal(shape[-2] + shape[-1], 5, check, refuse), (1, "H", "W"))
    assert found.proved
    assert {(h, w) for h in range(9) for w in range(9) if (h, w) in found} == {(h, 5 - h) for h in range(6)}


def test_endless_couplings_are_observed_over_a_stated_window_and_not_called_proved():
    found = valid_sizes(lambda shape, check: must_equal(shape[-2], shape[-1], check, refuse), (1, "H", "W"))
    assert not found.proved
    assert found.window == {"H": 1024, "W": 1024}
    assert (700, 700) in found
    assert (700, 701) not in found
    assert found.reasons[0].sizes is None


def test_axes_that_nothing_ties_are_decided_apart_from_those_that_are_only_observed():
    def net(shape, check):
        must_equal(shape[1], shape[2], check, refuse)
        check(shape[3] - 9, refuse)

    found = valid_sizes(net, (1, "A", "B", "C"))
    assert found.window == {"A": 1024, "B": 1024}
    assert found["C"] == every(9)


def test_a_factor_that_torch_rounds_is_observed_as_torch_computes_it():
    def net(shape, check):
        n = Upsample(scale_factor=0.7).out_shape(shape, check=check)[-1]
        must_divide(2, n, check, lambda at: BadShape(f"{at(n)} is odd"))

    found = valid_sizes(net, (1, 1, "n"))
    assert not found.proved
    assert found.window == {"n": 4096}
    assert [n for n in range(1, 200) if n in found] == [n for n in range(2, 200) if math.floor(n * 0.7) % 2 == 0]
    assert 90 in found  # floor(90 * 0.7) is 62 in float64, not 63
    assert found.why_not(2).sentence == "1 is odd"


def test_periods_beyond_the_limit_are_not_called_proved():
    primes = [p for p in range(2, 60) if all(p % q for q in range(2, p))]
    found = valid_sizes(lambda shape, check: [check(shape[-1] % p - 1, refuse) for p in primes], (1, 1, "n"))
    assert not found.proved
    assert [n for n in range(1, 100) if n in found] == [1, *(n for n in range(60, 100) if all(n % p for p in primes))]


def test_a_long_period_with_few_classes_is_proved():
    primes = [p for p in range(2, 50) if all(p % q for q in range(2, p))]
    found = valid_sizes(lambda shape, check: [must_divide(p, shape[-1], check, refuse) for p in primes], (1, 1, "n"))
    assert found.proved
    assert found["n"] == SizeSet(math.prod(primes), (0,))


# -- exactness ---------------------------------------------------------------------------------------------------


def dropped_rows(n, k, s, before, after, d):
    """How many rows after the last window the next one would read, by counting; None where no window fits."""
    starts = range(-before, n + after - d * (k - 1), s)
    if not starts:
        return None
    end, start = starts[-1] + d * (k - 1) + 1, starts[-1] + s
    return sum(end <= row < n for row in range(start, start + d * k, d) if row >= 0)


@settings(max_examples=400)
@given(
    st.integers(1, 40), st.integers(1, 6), st.integers(1, 8), st.integers(0, 20), st.integers(0, 9), st.integers(1, 5)
)
@example(n=4, k=2, s=2, before=0, after=0, d=2)  # rows 1 and 3 are read at no size
@example(n=5, k=3, s=8, before=0, after=0, d=2)
@example(n=1, k=2, s=4, before=5, after=0, d=3)  # what the next window would read is padding
def test_a_row_is_dropped_where_the_next_window_would_read_it_had_it_room(n, k, s, before, after, d):
    dropped = dropped_rows(n, k, s, before, after, d)
    if dropped is None:
        return  # the kernel does not fit: another condition
    values = []
    check_no_row_dropped(Expr.symbol("n"), k, s, (before, after), d, check=lambda value, _: values.append(value))
    assert all(value(n=n) >= 0 for value in map(Expr.const(0).__add__, values)) == (dropped == 0)
    if not dropped:
        check_no_row_dropped(n, k, s, (before, after), d, check=enforce)
        return
    with pytest.raises(BadShape, match=f"^{dropped} of {n} rows dropped") as refusal:
        check_no_row_dropped(n, k, s, (before, after), d, check=enforce)
    assert refusal.value.fixes
    for fix in refusal.value.fixes:
        assert dropped_rows(int(fix.removeprefix("input size ")), k, s, before, after, d) == 0


@pytest.mark.parametrize("padding", ["same", "same-lower"])
def test_same_padding_drops_no_row(padding):
    needs = Conditions()
    check_no_row_dropped(Expr.symbol("n"), 3, 2, padding, check=needs)
    assert needs.open == []


def test_a_crop_is_symmetric_where_the_difference_is_even():
    for n, o in product(range(6), repeat=2):
        if (n - o) % 2:
            with pytest.raises(BadShape, match=f"{n} rows cropped to {o} take {(n - o) // 2} before and"):
                check_symmetric_crop(n, o, check=enforce)
        else:
            check_symmetric_crop(n, o, check=enforce)


@pytest.mark.parametrize(
    ("layer", "exact"),
    [
        (MaxPool(2), "n >= 2 and n % 2 == 0"),
        (MaxPool(2, ceil_mode=True), "n >= 1"),
        (AvgPool(3, stride=2), "n >= 3 and n % 2 == 1"),
        (Conv(8, 7, stride=2, padding=3), "n >= 1"),
        (Conv(8, 1, stride=2), "n >= 1"),
        (Conv(8, 3, stride=2, padding=[(0, 1)]), "n >= 2"),
        (Conv(8, 3, stride=2, padding=[(1, 0)]), "n >= 2 and n % 2 == 0"),
        (Conv(8, 4, stride=4), "n >= 4 and n % 4 == 0"),
        (Crop((3,)), "n >= 6"),
        (Pad([(-1, 0)]), "n >= 1"),
    ],
)
def test_what_layers_call_exact(layer, exact):
    found = valid_sizes_of_chain([layer], (1, 1, "n"))
    assert found.exact["n"].text() == exact


# -- networks that are known -------------------------------------------------------------------------------------


def apply(layer, shape, check, node):
    layer.check_exact(shape, check=named(node, check.exact))
    return layer.out_shape(shape, check=named(node, check))


def unet(depth, padding, *, crop=True):
    """The U-Net of O. Ronneberger, P. Fischer and T. Brox, arXiv:1505.04597, for any depth, padding and rank."""

    def net(shape, check):
        def twice(node, channels, shape):
            for letter in "ab":
                shape = apply(Conv(channels, 3, padding=padding), shape, check, node + letter)
            return shape

        skips = []
        for level in range(depth):
            skips.append(twice(f"down{level}", 4 * 2**level, shape))
            shape = apply(MaxPool(2), skips[-1], check, f"pool{level}")
        shape = twice("middle", 4 * 2**depth, shape)
        for level in reversed(range(depth)):
            shape = apply(ConvTranspose(4 * 2**level, 2, stride=2), shape, check, f"up{level}")
            for a, b in zip(skips[level][2:], shape[2:], strict=True):
                join(a, b, named(f"join{level}", check), named(f"join{level}", check.exact))
            shape = twice(f"merge{level}", 4 * 2**level, shape)

    def join(a, b, check, exact):
        if crop:
            check(a - b, lambda at: BadShape(f"a crop of {at(a)} rows to {at(b)}"))
            check_symmetric_crop(a, b, check=exact)
        else:
            must_equal(a, b, check, lambda at: BadShape(f"skip of {at(a)} rows beside {at(b)}"))

    return net


def test_the_unet_of_2015_runs_from_188_on_and_is_exact_at_12_modulo_16():
    found = valid_sizes(unet(4, 0), (1, 1, "H", "W"))
    assert found.proved
    assert found.runs.boxes == ((every(188), every(188)),)
    assert found.exact.boxes == ((SizeSet(16, (12,), 188),) * 2,)
    assert 572 in found["H"]
    assert (572, 188) in found
    assert (572, 187) not in found
    assert found["H"].nearest(100) == (None, 188)
    assert found.exact["H"].nearest(350) == (348, 364)
    assert found.exact["H"].dims("H") == ('16*Dim("h", min=11) + 12',)


def test_the_3d_unet_is_exact_at_4_modulo_8_from_92_on():
    found = valid_sizes(unet(3, 0), (1, 1, "D", "H", "W"))
    assert found.exact.boxes == ((SizeSet(8, (4,), 92),) * 3,)
    assert 132 in found.exact
    assert found.proved


def test_a_padded_unet_takes_multiples_of_16():
    found = valid_sizes(unet(4, 1, crop=False), (1, 1, "n"))
    assert found["n"] == found.exact["n"] == SizeSet(16, (0,), 16)
    assert found.proved
    assert found.why_not(570).node == "join3"
    assert found.why_not(570).sentence == "skip of 71 rows beside 70"


def classifier(layers, features):
    def net(shape, check):
        for place, layer in enumerate(layers):
            shape = apply(layer, shape, check, f"{layer.op}{place}")
        flat = math.prod(shape[1:])
        error = lambda at: BadShape(f"fc takes {features} features, flatten gives {at(flat)}")  # noqa: E731
        must_equal(flat, features, named("fc", check), error)

    return net


LENET = [Conv(6, 5, padding=2), AvgPool(2), Conv(16, 5), AvgPool(2)]


def test_lenet_runs_at_three_boxes_of_sizes_and_no_others():
    found = valid_sizes(classifier(LENET, 400), (1, 1, "H", "W"))
    ends, square = only(range(12, 16)), only(range(28, 32))
    long = only(range(108, 112))
    assert found.proved
    assert set(found.runs.boxes) == {(ends, long), (square, square), (long, ends)}
    assert set(found.exact.boxes) == {(only([12]), only([108])), (only([28]),) * 2, (only([108]), only([12]))}
    refusal = found.why_not(30, 32)
    assert (refusal.node, refusal.sentence) == ("fc", "fc takes 400 features, flatten gives 480")
    assert found.runs.nearest((30, 36))[0] == (30, 31)


def test_a_square_lenet_runs_from_28_to_31():
    found = valid_sizes(classifier(LENET, 400), (1, 1, "N", "N"))
    assert found.proved
    assert found["N"] == only(range(28, 32))
    refused = {reason.node: reason.sizes for reason in found.reasons if reason.kind == "runs" and reason.node == "fc"}
    assert refused["fc"] == every(32)


def test_vgg_runs_at_224_to_255_square_or_one_by_49():
    pools = [MaxPool(2) for _ in range(5)]
    found = valid_sizes(classifier(pools, 512 * 49), (1, 512, "H", "W"))
    seven, one, many = only(range(224, 256)), only(range(32, 64)), only(range(1568, 1600))
    assert set(found.runs.boxes) == {(one, many), (seven, seven), (many, one)}


def test_a_map_flattened_in_three_dimensions_has_a_box_for_every_factoring():
    found = valid_sizes(classifier([MaxPool(2)], 343), (1, 1, "D", "H", "W"))
    assert found.proved
    sizes = {n: only([2 * n, 2 * n + 1]) for n in (1, 7, 49, 343)}
    factors = [one for one in product(sizes, repeat=3) if math.prod(one) == 343]
    assert set(found.runs.boxes) == {tuple(sizes[n] for n in one) for one in factors}


def test_the_front_end_of_wav2vec_takes_400_samples_and_320_more_for_each_frame():
    encoder = read_stack("; ".join(f"conv 512 k{k} s{s}" for k, s in [(10, 5), *[(3, 2)] * 4, (2, 2), (2, 2)]))
    found = valid_sizes_of_chain(encoder, (1, 1, "n"))
    assert found["n"] == every(400)
    assert found.exact["n"] == SizeSet(320, (80,), 400)


def test_unfold_asks_for_whole_windows():
    found = valid_sizes_of_chain([Unfold(4, stride=4)], (1, 3, "H", "W"))
    assert found.exact.boxes == ((SizeSet(4, (0,), 4),) * 2,)


# -- what the answer says ----------------------------------------------------------------------------------------


def test_every_refused_class_has_its_first_reason_its_node_and_an_example():
    found = valid_sizes_of_chain(read_stack("maxpool k2 s2; maxpool k2 s2"), (1, 3, "n"))
    said = [(one.kind, one.node, one.sizes, one.example["n"]) for one in found.reasons]
    assert said == [
        ("runs", "maxpool1", only([0]), 0),
        ("runs", "maxpool1", only([1]), 1),
        ("runs", "maxpool2", only([2, 3]), 3),
        ("exact", "maxpool1", SizeSet(2, (1,), 5), 5),
        ("exact", "maxpool2", SizeSet(4, (2,), 6), 6),
    ]
    assert found.reasons[-1].sentence == "1 of 3 rows dropped: no window of 2 fits at the end with stride=2; use 2 or 4"
    assert str(found.reasons[-1]) == f"n >= 6 and n % 4 == 2: maxpool2: {found.reasons[-1].sentence} (n = 6)"


def test_the_record_is_that_of_the_contract():
    found = valid_sizes_of_chain([MaxPool(2)], (1, 3, "H", "W"))
    record = found.record(near=(7, 8))
    one = {"modulus": 1, "residues": [0], "minimum": 2, "finite": []}
    two = {"modulus": 2, "residues": [0], "minimum": 2, "finite": []}
    assert record["axes"] == ["H", "W"]
    assert record["runs"] == [{"H": one, "W": one}]
    assert record["exact"] == [{"H": two, "W": two}]
    assert (record["proved"], record["window"]) == (True, None)
    assert record["near"] == {"runs": [[7, 8]], "exact": [[6, 8], [8, 8]]}
    assert record["reasons"][0] == {
        "kind": "runs",
        "node": "maxpool1",
        "sentence": "axis H: input size must be >= 1: 0",
        "axes": ["H"],
        "sizes": {"modulus": 1, "residues": [], "minimum": 0, "finite": [0]},
        "example": {"H": 0, "W": 2},
    }


def test_a_network_that_refuses_every_size_says_so():
    found = valid_sizes_of_chain([MaxPool(3, padding=2)], (1, 3, "n"))
    assert found.proved
    assert not found.runs
    assert not found.exact
    assert found.reasons[-1].sentence.startswith("pooling needs padding <= kernel_size/2: padding=2 with kernel_size=3")
    assert found.why_not(9).node == "maxpool1"


def test_a_crop_that_is_lopsided_at_every_size_leaves_nothing_exact():
    def net(shape, check):
        check_symmetric_crop(shape[-1], shape[-1] - 3, check=check.exact)

    found = valid_sizes(net, (1, 1, "n"))
    assert (found["n"], found.exact["n"], found.proved) == (every(0), SizeSet(), True)
    assert found.reasons[0].kind == "exact"


def test_what_no_size_can_mend_raises():
    with pytest.raises(BadShape, match="which has 2 axes"):
        valid_sizes_of_chain([Conv(8, 3)], (1, "n"))


def test_channels_may_be_asked_for_too():
    found = valid_sizes_of_chain([Conv(8, 3, groups=4)], (1, "C", "n"))
    assert found["C"] == SizeSet(4, (0,), 0)
    assert found["n"] == every(3)


def test_conditions_that_follow_from_earlier_ones_are_not_kept():
    check = Collector()
    n = Expr.symbol("n")
    for value in (n - 5, n - 3, n - 7, n // 2 - 1):
        check(value, refuse)
    assert [str(one.value) for one in check.conditions] == ["n - 5", "n - 7", "n//2 - 1"]


def test_nothing_asked_is_everything_legal():
    assert decide([], ["H", "W"]).runs == Boxes(("H", "W"), ((every(), every()),))


# -- the real module ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch():
    module = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")
    threads = module.get_num_threads()
    module.set_num_threads(1)
    with module.no_grad():
        yield module
    module.set_num_threads(threads)


def runs(module, torch, *shape):
    try:
        module(torch.zeros(shape))
    except RuntimeError:
        return False
    return True


def test_lenet_in_torch_runs_at_exactly_the_legal_sizes(torch):
    nn = torch.nn
    lenet = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 10),
    )
    found = valid_sizes(classifier(LENET, 400), (1, 1, "H", "W"))
    sizes = [1, *range(10, 18), *range(27, 34), *range(106, 114)]
    assert all(runs(lenet, torch, 1, 1, h, w) == ((h, w) in found) for h in sizes for w in sizes)


@pytest.mark.parametrize(("depth", "padding", "end"), [(2, 0, 70), (2, 1, 40), (1, 0, 30), (3, 1, 50)])
def test_a_unet_in_torch_runs_at_exactly_the_legal_sizes(torch, depth, padding, end):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()

            def double(a, b):
                return nn.Sequential(nn.Conv1d(a, b, 3, padding=padding), nn.Conv1d(b, b, 3, padding=padding))

            self.down = nn.ModuleList([double(1 if not i else 2, 2) for i in range(depth)])
            self.middle = double(2, 2)
            self.up = nn.ModuleList([nn.ConvTranspose1d(2, 2, 2, stride=2) for _ in range(depth)])
            self.merge = nn.ModuleList([double(4, 2) for _ in range(depth)])

        def forward(self, x):
            skips = []
            for block in self.down:
                skips.append(block(x))
                x = nn.functional.max_pool1d(skips[-1], 2)
            x = self.middle(x)
            for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
                x = up(x)
                if not padding:
                    cut = (skip.shape[2] - x.shape[2]) // 2
                    skip = skip[:, :, cut : cut + x.shape[2]]
                x = merge(torch.cat([skip, x], 1))
            return x

    net, found = Net(), valid_sizes(unet(depth, padding, crop=not padding), (1, 1, "n"))
    assert found.proved
    assert [n for n in range(1, end) if runs(net, torch, 1, 1, n)] == list(found["n"].below(end))


def test_strided_stacks_with_a_skip_run_in_torch_at_exactly_the_legal_sizes(torch):
    nn = torch.nn
    for seed in range(25):
        rng = random.Random(seed)
        s, k, p = rng.choice([2, 3, 5, 7]), rng.choice([2, 3, 5]), rng.choice([0, 1])
        down, up = nn.Conv1d(1, 1, k, stride=s, padding=p), nn.ConvTranspose1d(1, 1, k, stride=s, padding=p)

        class Net(nn.Module):
            def forward(self, x, down=down, up=up):
                return torch.cat([up(down(x)), x], 1)

        def net(shape, check, settings=(s, k, p)):
            s, k, p = settings
            wide = conv_transpose_out(conv_out(shape[-1], k, s, p, check=check), k, s, p, check=check)
            must_equal(wide, shape[-1], check, refuse)

        found = valid_sizes(net, (1, 1, "n"))
        assert found.proved
        assert [n for n in range(1, 60) if runs(Net(), torch, 1, 1, n)] == list(found["n"].below(60)), seed


# -- the page ----------------------------------------------------------------------------------------------------


def test_the_examples_of_the_page_run():
    page = Path(__file__).parent.parent / "docs" / "legal-sizes.md"
    examples = doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_refusals_while_collecting_are_still_refusals():
    with pytest.raises(Refused):
        Collector()(-1, refuse)
