"""Sums of divisions: exact, with the fewest divisions there are, and the same however they are built."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_expr import HUGE, WINDOWED, one_division, through

from convcalc.errors import BadArgument
from convcalc.sizes.expr import LONGEST, Expr
from convcalc.sizes.signs import least_of, most_of

N = Expr.symbol("n")

# -- fewest, and the same ----------------------------------------------------------------------------------------

NODES = ((0, 1), (0, 2), (1, 2), (0, 4), (1, 4), (2, 4), (3, 4))
"""n, its halves and their halves: (shift, modulus)."""


def summed(factors, n, nodes=NODES):
    return sum((factor * ((n + a) // m) for factor, (a, m) in zip(factors, nodes, strict=True)), start=0 * n)


@pytest.mark.parametrize("odd", [1, 3])
def test_all_small_sums_have_the_fewest_terms_and_one_form_for_each_function(odd):
    nodes = [(a + odd - 1, m * odd) for a, m in NODES] if odd == 1 else [(odd * a, odd * m) for a, m in NODES]
    forms, fewest = {}, {}
    for factors in product((-1, 0, 1), repeat=len(nodes)):
        values = tuple(summed(factors, n, nodes) for n in range(-4 * odd, 4 * odd + 1))
        forms.setdefault(values, set()).add(summed(factors, N, nodes))
        fewest[values] = min(fewest.get(values, len(nodes)), sum(map(bool, factors)))
    assert len(forms) < 3 ** len(nodes)
    for values, (form, *others) in forms.items():
        assert not others
        assert len(form.terms) <= fewest[values]
        assert tuple(form(n=n) if isinstance(form, Expr) else form for n in range(-4 * odd, 4 * odd + 1)) == values


@st.composite
def divisions(draw):
    """Divisions (n + a)//m, n among them, with factors."""
    m = st.sampled_from([1, 2, 4, 8, 32, 3, 6, 12, 7, 14, 28])
    return draw(st.lists(st.tuples(st.integers(-40, 40), m, st.integers(-3, 3)), min_size=1, max_size=6))


@given(divisions(), st.lists(st.integers(0, 10**6), max_size=5), st.randoms(use_true_random=False))
def test_a_sum_is_the_same_after_divisions_are_split_in_halves_and_shuffled(parts, places, random):
    split = list(parts)
    for place in places:
        a, m, factor = split.pop(place % len(split))
        split += [(a, 2 * m, factor), (a + m, 2 * m, factor)]
    random.shuffle(split)
    whole, again = (sum((f * ((N + a) // m) for a, m, f in some), start=Expr.const(0)) for some in (parts, split))
    assert whole == again
    assert str(whole) == str(again)
    assert whole - again == 0
    for n in (*range(-9, 9), HUGE, -HUGE):
        assert whole(n=n) == sum(f * ((n + a) // m) for a, m, f in parts)


@given(st.integers(-100, 100), st.integers(1, 100))
def test_what_is_left_of_a_half_is_the_other_half(a, m):
    x = (N + a) // m
    assert x - x // 2 == (x + 1) // 2 == -(-x // 2)
    assert x // 2 + (x + 1) // 2 == x
    assert x + (x - 5) // 2 + ((x - 5) - (x - 5) // 2) == 2 * x - 5
    assert x + (-x) % m == ((x + m - 1) // m) * m


# -- chains as models write them ---------------------------------------------------------------------------------


def same(kernel_size, stride):
    """TensorFlow's SAME padding, halves before and after, and the convolution."""

    def layer(n):
        padding = most_of((-(-n // stride) - 1) * stride + kernel_size - n, 0)
        before = padding // 2
        return (n + before + (padding - before) - kernel_size) // stride + 1

    return layer


def windows(m):
    """Padded to a multiple of m, and cut in windows: how many."""
    return lambda n: (n + (m - n % m) % m) // m


def padded_and_cropped(m):
    """Padded to a multiple of m, and cut to what it was."""
    return lambda n: least_of(n, n + (m - n % m) % m)


def merged(place):
    """Patch merging: one row more where their number is odd, then every second one from `place` on."""
    return lambda n: (n + n % 2 - place + 1) // 2


STEPS = st.one_of(
    WINDOWED,
    st.integers(1, 4).flatmap(lambda s: st.integers(s, 7).map(lambda k: same(k, s))),
    st.integers(1, 9).map(windows),
    st.integers(1, 9).map(padded_and_cropped),
    st.integers(0, 1).map(merged),
    st.just(lambda n: n - n // 2),
)


@settings(max_examples=500)
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_chains_with_padding_as_models_write_it_collapse_to_their_only_one_division(steps):
    whole = through(steps, N)
    assert str(whole) == one_division(lambda n: through(steps, n))
    for n in (*range(40), HUGE):
        assert whole(n=n) == through(steps, n)


@given(st.lists(STEPS, max_size=5), st.integers(2, 16), st.integers(0, 4))
def test_padding_to_a_multiple_is_a_multiple_of_one_division(steps, m, c):
    n = through(steps, N)
    padded = n + (m - n % m) % m
    division = windows(m)(n)
    assert padded == m * division
    assert str(padded + c) == str(m * division + c)
    assert len((padded // m).terms) <= 2
    assert least_of(padded, n) == n
    assert most_of(padded, n) == padded


def test_swins_stages():
    n = N // 4
    for shift in (24, 52, 108, 220):
        assert str(n + (7 - n % 7) % 7) == f"7*((n + {shift})//{shift + 4})"
        n = n - n // 2


# -- formulas that grow ------------------------------------------------------------------------------------------


def test_a_formula_is_as_long_as_what_it_is_written_with():
    assert [value.length for value in (N, 2 * N, N + 1, N // 2, N * N // 3)] == [2, 2, 3, 5, 5]
    assert not ((N + 31) // 32 * ((Expr.symbol("W") + 31) // 32) + 1).is_too_long
    assert sum(((N * N + k) // (k + 2) for k in range(1, LONGEST)), start=N).is_too_long


def test_a_product_of_two_long_sums_is_refused_by_name():
    long = sum((Expr.symbol(f"n{k}") for k in range(200)), start=N)
    with pytest.raises(BadArgument, match="a product of sums of 201 and 201 terms is too long"):
        long * long
