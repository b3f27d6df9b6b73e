"""Quasi-affine forms against the values themselves, at sizes counted out one by one and at far ones."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine
from convcalc.sizes.signs import keeps_sign_from, least_of, most_of, settles, sign_everywhere, sign_on
from convcalc.sizes.size import larger, smaller

N = Expr.symbol("n")
OPERATIONS = {"min": smaller, "max": larger}


@st.composite
def programs(draw: st.DrawFn, most: int = 12) -> list[tuple[object, ...]]:
    """Steps on a list of values that starts with n; each step adds one more."""
    steps: list[tuple[object, ...]] = []
    numbers = st.integers(-30, 30)
    for place in range(draw(st.integers(1, most))):
        one, other = draw(st.integers(0, place)), draw(st.integers(0, place))
        step = draw(
            st.one_of(
                st.tuples(st.just("shift"), st.just(one), numbers),
                st.tuples(st.just("times"), st.just(one), st.sampled_from([-2, -1, 2, 3])),
                st.tuples(st.just("over"), st.just(one), st.sampled_from([2, 3, 5, 7])),
                st.tuples(st.just("rest"), st.just(one), st.sampled_from([2, 3, 4, 6])),
                st.tuples(st.sampled_from(["plus", "minus", "min", "max"]), st.just(one), st.just(other)),
            )
        )
        steps.append(step)
    return steps


def run(steps, n):
    """The last value of a program: the same steps on a number, and on the symbol."""
    values = [n]
    for name, one, other in steps:
        a = values[one]
        match name:
            case "shift":
                values.append(a + other)
            case "times":
                values.append(a * other)
            case "over":
                values.append(a // other)
            case "rest":
                values.append(a % other)
            case "plus":
                values.append(a + values[other])
            case "minus":
                values.append(a - values[other])
            case _:
                values.append(OPERATIONS[name](a, values[other]))
    return values[-1]


@given(programs(), st.lists(st.integers(0, 10**9), min_size=3, max_size=8))
def test_a_value_stays_in_its_bounds_and_repeats_along_its_slope(steps, far):
    form = quasi_affine(Expr.const(0) + run(steps, N))
    assert form is not None
    near = range(form.start, form.start + 60)
    for n in (*near, *(form.start + k for k in far)):
        value = run(steps, n)
        assert form.slope * n + form.low <= value <= form.slope * n + form.high
        assert run(steps, n + form.period) == value + form.slope * form.period


@given(programs(), st.integers(-40, 40), st.lists(st.integers(0, 10**9), min_size=3, max_size=8))
def test_a_condition_settles_where_it_is_said_to(steps, shift, far):
    condition = [*steps, ("shift", len(steps), shift)]
    settled = settles(Expr.const(0) + run(condition, N))
    assert settled is not None
    for n in (*range(settled.start, settled.start + 60), *(settled.start + k for k in far)):
        holds = run(condition, n) >= 0
        if settled.holds is None:
            assert holds == (run(condition, n + settled.period) >= 0)
        else:
            assert holds == settled.holds


@pytest.mark.parametrize("m", [2, 3, 5])
@pytest.mark.parametrize("inner", [lambda n: n // 4 + (n + 1) // 4, lambda n: n // 6 + (n + 1) // 6 + (n + 2) // 6])
def test_a_divided_value_keeps_the_period_that_its_slope_does_not_show(inner, m):
    form = quasi_affine(inner(N) // m)
    assert form is not None
    for n in range(300):
        assert inner(n + form.period) // m == inner(n) // m + form.slope * form.period


def test_a_value_that_falls_has_no_least():
    assert sign_on(smaller(5 - N, 3) + 9, {"n": 2}) == 0
    assert keeps_sign_from(smaller(5 - N, 3) + 9, "n", {"n": 0}, 1) is None


@given(st.integers(1, 9), st.integers(1, 9), st.integers(-50, 50), st.integers(0, 200))
def test_the_least_value_of_a_division_is_met(m, slope, shift, n):
    form = quasi_affine(Expr.const(0) + (slope * N + shift) // m)
    assert form is not None
    assert form.least(n) == (slope * n + shift) // m


def test_a_divided_length_has_the_slope_and_bounds_of_the_rule():
    form = quasi_affine((N - 80) // 320)  # wav2vec 2.0
    assert form is not None
    assert (form.slope, form.period, form.start) == (Fraction(1, 320), 320, 0)
    assert (form.low, form.high) == (Fraction(-80 - 319, 320), Fraction(-80, 320))


@pytest.mark.parametrize(
    "value",
    [
        N * N,
        N * (N // 2),
        N // (N + 1),
        N // 2 * (N // 3),
        (N * N) // 2,
        smaller(N * N, 7),
        N + Expr.symbol("m"),
    ],
)
def test_products_divisors_and_second_sizes_leave_the_class(value):
    assert quasi_affine(value) is None


def test_a_product_is_settled_once_it_only_grows():
    area = (N // 4 - 2) * (N // 4 - 2)
    for condition, verdict in ((area - 25, True), (25 - area, False)):
        settled = settles(condition)
        assert settled is not None
        assert settled.holds is verdict
        assert all((condition(n=n) >= 0) == verdict for n in range(settled.start, settled.start + 500))
    assert settles(N * N - N * (N // 2) - N * (N // 2)) is None  # n or 0 by parity: no sign can be seen to settle


@st.composite
def polynomials(draw: st.DrawFn) -> Expr:
    h, w = Expr.symbol("H") // draw(st.integers(1, 4)), Expr.symbol("W") // draw(st.integers(1, 4))
    a, b, c, d = (draw(st.integers(-6, 6)) for _ in range(4))
    return a * (h - 1) * (w - 2) + b * h + c * w * w + d


@given(polynomials(), st.integers(0, 12), st.integers(0, 12))
def test_a_sign_that_is_seen_is_there(value, h, w):
    sign = sign_on(value, {"H": h, "W": w})
    seen = {value(H=x, W=y) >= 0 for x in range(h, h + 16) for y in range(w, w + 16)}
    if sign:
        assert seen == {sign > 0}


@given(polynomials(), st.integers(0, 12), st.sampled_from([1, -1]))
def test_a_sign_is_kept_from_the_size_that_is_found(value, w, sign):
    start = keeps_sign_from(value, "H", {"H": 0, "W": w}, sign)
    if start is not None:
        places = [(x, y) for x in (*range(start, start + 9), start + 999) for y in (*range(w, w + 9), w + 999)]
        assert all((value(H=x, W=y) >= 0) == (sign > 0) for x, y in places)


def test_the_sign_of_a_flattened_map_is_kept_from_the_first_size_that_is_too_large():
    H, W = Expr.symbol("H"), Expr.symbol("W")  # noqa: N806 -- the names of the axes
    too_large = 25 - (H // 4 - 2) * (W // 4 - 2)
    assert keeps_sign_from(too_large, "H", {"H": 12, "W": 12}, -1) == 4 * (26 + 2)
    assert math.prod((112 // 4 - 2, 12 // 4 - 2)) == 26


# -- the sign at all sizes ---------------------------------------------------------------------------------------

M = Expr.symbol("m")


@given(programs(4), programs(4), st.integers(-20, 20))
def test_a_sign_of_two_sizes_is_there(one, other, shift):
    value = Expr.const(shift) + run(one, N) + run(other, M)
    sign = sign_everywhere(value)
    firsts, seconds = ([run(steps, n) for n in (*range(40), 10**9)] for steps in (one, other))
    values = {a + b + shift for a in firsts for b in seconds}
    if sign == 0:
        assert values == {0}
    elif sign is not None:
        assert min(sign * value for value in values) >= 0
    for choice, extreme in ((least_of(run(one, N), run(other, M)), min), (most_of(run(one, N), run(other, M)), max)):
        chosen = Expr.const(0) + choice
        for n, m in ((0, 0), (1, 5), (7, 2), (10**6, 3)):
            assert chosen(n=n, m=m) == extreme(run(one, n), run(other, m))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(-9, 9), st.integers(0, 40), st.integers(-40, 40))
def test_a_sign_is_seen_exactly_where_sums_of_one_size_each_have_it(a, b, shift, rise, constant):
    def parts(n, m):
        return (n + shift) // a * a - n + rise * n, (m // b + 3) % 4

    first = [parts(n, 0)[0] for n in range(a)]  # a period, from where it only rises
    least = min(first) + min(parts(0, m)[1] for m in range(4 * b)) + constant
    seen = sign_everywhere(sum(parts(N, M), start=Expr.const(constant)))
    assert (seen in (0, 1)) == (least >= 0)


@given(st.integers(1, 30), st.integers(-30, 30))
def test_what_a_padded_size_is_cut_to_is_the_size(m, a):
    size = (N + 30 + a) // 4
    for whole in (size, (N // 4) * (M // 2)):
        padded = whole + (-whole) % m
        assert least_of(padded, whole) == whole
        assert most_of(padded, whole) == padded


def test_signs_of_products_that_only_grow():
    tokens = (N // 4) * (M // 4)
    assert sign_everywhere(tokens) == sign_everywhere(tokens * 2 - tokens // 3) == 1
    assert sign_everywhere(tokens // 64 * 64 - tokens) == -1
    assert sign_everywhere(tokens - 1) is None
    assert least_of(tokens + 1, 1) == 1
    assert sign_everywhere(N + 10**400) == 1
