"""The formulas count windows and stamps; they obey the algebra, and refuse with a reason."""

import numpy as np
import pytest
import sympy
from agreement import assert_agrees
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.arithmetic.formulas import (
    check_output_padding,
    conv_out,
    conv_transpose_out,
    extent,
    padding_depends_on_size,
    padding_pair,
    pool_out,
    same_out,
)
from convcalc.errors import BadArgument, ConvcalcError, KernelDoesNotFit, NoOutput
from convcalc.sizes.conditions import Conditions, Mask
from convcalc.sizes.expr import Expr

N, K, S, D, P = st.integers(1, 40), st.integers(1, 7), st.integers(1, 6), st.integers(1, 4), st.integers(0, 8)
SIDES = st.one_of(P, st.tuples(P, P))
HUGE = 10**30


def sides(p):
    return p if isinstance(p, tuple) else (p, p)


def windows(n, k, s, p, d):
    """Where windows start in the padded input, by walking it: the oracle for convolutions and floor pooling."""
    before, after = sides(p)
    taps = [d * tap for tap in range(k)]
    return [start for start in range(0, n + before + after, s) if start + taps[-1] < n + before + after]


# -- counting ----------------------------------------------------------------------------------------------------


@given(N, K, S, SIDES, D)
def test_a_convolution_has_as_many_outputs_as_windows_fit(n, k, s, p, d):
    count = len(windows(n, k, s, p, d))
    if count:
        assert assert_agrees(conv_out, n, k=k, s=s, p=p, d=d) == count
        assert len(range(0, n + sum(sides(p)) - extent(k, d) + 1, s)) == count
    else:
        assert isinstance(assert_agrees(conv_out, n, k=k, s=s, p=p, d=d), KernelDoesNotFit)


@given(N, K, S, SIDES, D, st.data())
def test_a_transposed_convolution_spans_its_stamps_less_the_crop(n, k, s, p, d, data):
    op = data.draw(st.integers(0, max(s, d) - 1))
    touched = {s * i + d * tap for i in range(n) for tap in range(k)}
    size = max(touched) + 1 + op - sum(sides(p))
    answer = assert_agrees(conv_transpose_out, n, k=k, s=s, p=p, op=op, d=d)
    if size >= 1:
        assert answer == size
    else:
        assert isinstance(answer, NoOutput)


@given(N, K, S, P, D)
def test_ceil_pooling_also_counts_a_last_window_that_starts_on_input_or_the_padding_before(n, k, s, p, d):
    assume(2 * p <= k)
    e = extent(k, d)
    reached = -(-(n + 2 * p - e) // s) + 1  # rounded up
    count = reached - ((reached - 1) * s >= n + p)  # less one that would start past the input
    answer = assert_agrees(pool_out, n, k=k, s=s, p=p, d=d, ceil_mode=True)
    if count >= 1:
        assert answer == count
    else:
        assert isinstance(answer, KernelDoesNotFit)


@given(N, K, S, SIDES, D)
def test_floor_pooling_is_a_convolution_where_padding_is_at_most_half_the_kernel(n, k, s, p, d):
    answer = assert_agrees(pool_out, n, k=k, s=s, p=p, d=d)
    if 2 * max(sides(p)) > k:
        assert isinstance(answer, BadArgument)
    elif len(windows(n, k, s, p, d)):
        assert answer == conv_out(n, k, s, p, d)
    else:
        assert isinstance(answer, KernelDoesNotFit)


@settings(max_examples=30)
@given(N, K, D)
def test_a_pooling_steps_by_its_kernel_unless_told(n, k, d):
    for ceil_mode in (False, True):
        told = assert_agrees(pool_out, n, k=k, s=k, d=d, ceil_mode=ceil_mode)
        untold = assert_agrees(pool_out, n, k=k, d=d, ceil_mode=ceil_mode)
        assert str(told) == str(untold)


# -- laws --------------------------------------------------------------------------------------------------------


@given(N, K, S, SIDES, D)
def test_more_input_by_a_stride_is_one_more_output(n, k, s, p, d):
    assume(windows(n, k, s, p, d))
    assert conv_out(n + s, k, s, p, d) == conv_out(n, k, s, p, d) + 1
    assert conv_out(n + HUGE * s, k, s, p, d) == conv_out(n, k, s, p, d) + HUGE


@given(N, K, S, SIDES, D)
def test_output_padding_of_the_remainder_restores_the_size(n, k, s, p, d):
    assume(windows(n, k, s, p, d))
    op = (n + sum(sides(p)) - extent(k, d)) % s
    assert conv_transpose_out(conv_out(n, k, s, p, d), k, s, p, op, d) == n


@given(N, K, S, SIDES, D)
def test_the_transposed_size_is_the_least_that_convolves_back(m, k, s, p, d):
    try:
        least = conv_transpose_out(m, k, s, p, 0, d)
    except NoOutput:
        assume(False)
    back = [n for n in range(max(1, least - s), least + 2 * s) if windows(n, k, s, p, d)]
    assert [n for n in back if conv_out(n, k, s, p, d) == m] == list(range(least, least + s))


@given(N, K, D)
def test_dilation_is_a_kernel_with_holes_of_its_extent(n, k, d):
    e = extent(k, d)
    assume(n >= e)
    assert conv_out(n, k, d=d) == conv_out(n, e) == n - e + 1


@given(N, K, D, S)
def test_names_pad_as_they_say(n, k, d, s):
    e = extent(k, d)
    assert conv_out(n, k, p="full", d=d) == n + e - 1
    assert conv_out(n, k, p="causal", d=d) == n
    assert conv_out(n, k, s, "causal", d) == -(-n // s)
    assert padding_pair(n, k, s, "valid", d) == (0, 0)
    assert str(assert_agrees(conv_out, n, k=k, s=s, p="valid", d=d)) == str(assert_agrees(conv_out, n, k=k, s=s, d=d))


@given(N, K, S, D, st.sampled_from(["same", "same-upper", "same-lower"]))
def test_same_gives_the_size_over_the_stride_rounded_up_by_the_least_padding(n, k, s, d, name):
    before, after = padding_pair(n, k, s, name, d)
    total, goal = before + after, -(-n // s)
    assert assert_agrees(conv_out, n, k=k, s=s, p=name, d=d) == goal == same_out(n, s)
    assert conv_out(n, k, s, (before, after), d) == goal
    assert total == 0 or len(windows(n, k, s, (0, total - 1), d)) < goal  # no less padding does
    assert (before - after if name == "same-lower" else after - before) in (0, 1)


@given(N, K, S)
def test_ceil_mode_with_same_padding_changes_nothing(n, k, s):
    for name in ("same", "same-lower"):
        assert pool_out(n, k, s, name, ceil_mode=True) == pool_out(n, k, s, name) == -(-n // s)


def test_same_padding_as_frameworks_place_it():
    assert padding_pair(224, 7, 2, "same") == (2, 3)
    assert padding_pair(6, 3, 2, "same") == (0, 1)
    assert padding_pair(6, 3, 2, "same-lower") == (1, 0)


def test_only_same_at_a_stride_depends_on_the_size():
    assert padding_depends_on_size("same-lower", 2)
    assert not padding_depends_on_size("same", 1)
    assert not padding_depends_on_size("full", 2)
    assert not padding_depends_on_size((1, 2), 2)


# -- published ---------------------------------------------------------------------------------------------------

DUMOULIN_VISIN = [
    (4, 2, {"k": 3}),
    (5, 6, {"k": 4, "p": 2}),
    (5, 5, {"k": 3, "p": 1}),
    (5, 7, {"k": 3, "p": 2}),
    (5, 2, {"k": 3, "s": 2}),
    (5, 3, {"k": 3, "s": 2, "p": 1}),
    (6, 3, {"k": 3, "s": 2, "p": 1}),
    (7, 3, {"k": 3, "d": 2}),
]
"""V. Dumoulin and F. Visin, arXiv:1603.07285: input, output, the convolution."""


@pytest.mark.parametrize(("n", "o", "how"), DUMOULIN_VISIN)
def test_dumoulin_and_visin_each_with_its_transposed_twin(n, o, how):
    assert assert_agrees(conv_out, n, **how) == o
    op = 1 if (n, o) == (6, 3) else 0  # the one case whose division has a remainder
    assert assert_agrees(conv_transpose_out, o, **how, op=op) == n


@pytest.mark.parametrize(
    ("n", "layers", "o"),
    [
        (28, [("c", 5, 1, 2), ("p", 2, 2, 0), ("c", 5, 1, 0), ("p", 2, 2, 0)], 5),  # LeNet
        (224, [("c", 11, 4, 1), ("p", 3, 2, 0), ("c", 5, 1, 2), ("p", 3, 2, 0), ("p", 3, 2, 0)], 5),  # AlexNet
        (224, [("c", 7, 2, 3), ("p", 3, 2, 1)], 56),  # ResNet's stem
        (96, [("c", 7, 2, 3), ("p", 3, 2, 1), ("p", 3, 2, 1), ("p", 3, 2, 1), ("p", 3, 2, 1)], 3),  # GoogLeNet
    ],
)
def test_the_sizes_of_classic_networks(n, layers, o):
    for kind, k, s, p in layers:
        n = (conv_out if kind == "c" else pool_out)(n, k, s, p)
    assert n == o


# -- exact at any magnitude --------------------------------------------------------------------------------------


def test_huge_integers_are_exact():
    assert conv_out(HUGE, k=3, s=2, p=1) == HUGE // 2
    assert conv_transpose_out(HUGE, k=2, s=2) == 2 * HUGE
    assert pool_out(HUGE + 1, k=2, ceil_mode=True) == HUGE // 2 + 1
    assert conv_out(2 * HUGE, k=HUGE, p=HUGE, d=3) == 2 * HUGE + 2 * HUGE - 3 * (HUGE - 1)


BIG = st.one_of(st.integers(0, 50), st.integers(0, 2**62), st.integers(0, 2**80))


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=4), BIG, BIG, BIG, BIG)
def test_arrays_never_wrap(sizes, k, s, p, d):
    k, s, d = k + 1, s + 1, d + 1
    array = np.array(sizes)
    for formula, how in [
        (conv_out, {"p": (p, 0)}),
        (conv_out, {"p": p}),
        (conv_transpose_out, {"p": 0}),
        (pool_out, {"p": min(p, k // 2), "ceil_mode": True}),
    ]:
        try:
            expected = [formula(n, k=k, s=s, d=d, **how) for n in sizes]
        except ConvcalcError:
            with pytest.raises(ConvcalcError):
                formula(array, k=k, s=s, d=d, **how)
        else:
            assert formula(array, k=k, s=s, d=d, **how).tolist() == expected


def test_padding_alone_can_take_an_array_past_int64():
    assert conv_out(np.array([5]), k=1, p=2**63 - 1).tolist() == [5 + 2 * (2**63 - 1)]
    assert conv_out(5, k=1, p=np.array([2**63 - 1])).tolist() == [5 + 2 * (2**63 - 1)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), K, S, P, D)
def test_settings_may_be_arrays_too(sizes, k, s, p, d):
    array = np.array(sizes)
    for formula, values in [(conv_out, (30 + k * d, k, s, p, d)), (conv_transpose_out, (30 + p, k, s, p // 9, 0, d))]:
        for place in range(len(values)):
            if formula is conv_transpose_out and place == 4:
                continue
            mixed = [*values[:place], array, *values[place + 1 :]]
            try:
                expected = [formula(*values[:place], entry, *values[place + 1 :]) for entry in sizes]
            except ConvcalcError:
                with pytest.raises(ConvcalcError):
                    formula(*mixed)
            else:
                assert formula(*mixed).tolist() == expected


def test_an_empty_array_is_an_empty_answer():
    assert conv_out(np.array([], dtype=int), 3).tolist() == []
    assert pool_out(np.array([], dtype=int), 3, ceil_mode=True).tolist() == []


def test_an_array_is_refused_with_the_numbers_of_one_entry():
    with pytest.raises(KernelDoesNotFit, match=r"spans 5 .* but the padded input is 2 \(2 \+ 0 \+ 0\)"):
        conv_out(np.array([9, 4, 2]), 5)
    with pytest.raises(NoOutput, match=r"output would be -1: 4 cut from what 1 gives"):
        conv_transpose_out(np.array([9, 1]), 3, p=2)


# -- what is no size ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *(28.0, 1j, "28", None, True, [28]),
        *(np.float64(28), np.array([28.0]), np.array([True]), np.array(["28"])),
        *(sympy.Rational(1, 2), sympy.Float(2.5), sympy.pi),
    ],
)
def test_what_is_no_integer_is_no_size(value):
    with pytest.raises(BadArgument, match=r"^n must be an (integer|array of integers)"):
        conv_out(value, 3)
    with pytest.raises(
        BadArgument, match=r"^(k|p) must be an (integer|array of integers)|^padding on one axis|^unknown padding '28'"
    ):
        conv_out(28, 3, p=value)


@pytest.mark.parametrize("formula", [conv_out, conv_transpose_out, pool_out])
@pytest.mark.parametrize("bad", [{"k": 0}, {"k": -1}, {"s": 0}, {"s": -2}, {"d": 0}, {"p": -1}, {"p": (0, -1)}])
def test_settings_out_of_range_are_refused_whatever_the_size_is(formula, bad):
    how = {"k": 3, "s": 1, "d": 1, "p": 0} | bad
    for n in (28, np.arange(5, 9), Expr.symbol("n"), sympy.Symbol("n", integer=True)):
        for check in ({}, {"check": Conditions()}):
            with pytest.raises(BadArgument):
                formula(n, **how, **check)
    with pytest.raises(BadArgument):
        formula(np.arange(5, 9), **how, check=Mask())


def test_no_input_is_legal_in_an_empty_batch_only():
    assert conv_out(0, 3, p=2, empty=True) == 0 + 4 - 3 + 1
    assert conv_transpose_out(0, 3, s=1, empty=True) == -1 + 2 + 1
    for formula in (conv_out, conv_transpose_out, pool_out):
        with pytest.raises(BadArgument, match="input size must be >= 1: 0"):
            formula(0, 3, p=1)


@given(st.integers(-2, 8), S, D)
def test_output_padding_is_below_stride_or_dilation(op, s, d):
    if 0 <= op < max(s, d):
        check_output_padding(s, op, d)
    else:
        with pytest.raises(BadArgument, match=rf"{op} with stride={s}, dilation={d}$"):
            check_output_padding(s, op, d)


# -- three readings of one set of conditions ---------------------------------------------------------------------


@settings(max_examples=50)
@given(K, S, SIDES, D, st.booleans())
def test_a_mask_is_true_where_a_size_alone_is_not_refused(k, s, p, d, ceil_mode):
    sizes = np.arange(-3, 30)

    def accepts(formula, n, **how):
        try:
            formula(n, **how)
        except ConvcalcError:
            return False
        return True

    formulas = [(conv_out, {}), (conv_transpose_out, {})]
    if 2 * max(sides(p)) <= k:
        formulas.append((pool_out, {"ceil_mode": ceil_mode}))
    for formula, more in formulas:
        legal, how = Mask(), {"k": k, "s": s, "p": p, "d": d, **more}
        formula(sizes, **how, check=legal)
        assert legal.holds.tolist() == [accepts(formula, int(n), **how) for n in sizes]
        needs = Conditions()
        formula(Expr.symbol("n"), **how, check=needs)
        met = [all(value(n=int(n)) >= 0 for value in needs.open) for n in sizes]
        assert met == legal.holds.tolist()


@given(N, K, S, D)
def test_a_constant_expression_is_held_to_what_its_number_is(n, k, s, d):
    try:
        expected = conv_out(n, k, s, 0, d)
    except ConvcalcError as error:
        with pytest.raises(type(error)):
            conv_out(Expr.const(n), k, s, 0, d)
    else:
        assert conv_out(Expr.const(n), k, s, 0, d) == expected
