"""What proofs, counts and sentences rest on, each held against counting."""

from __future__ import annotations

import math
import re
from itertools import pairwise, product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.arithmetic.solving.problem import _united
from convcalc.arithmetic.window_size import unread
from convcalc.footprints.layout import Digit, cut, strides, together
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine
from convcalc.sizes.signs import sign_everywhere

n = Expr.symbol("n")

# -- quasi-affine values -----------------------------------------------------------------------------------------


@st.composite
def values(draw, depth=3):
    """A random value of n: sums, multiples, divisions, minima and maxima."""
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(-6, 6)) + draw(st.sampled_from([0, 1, 1, 2, 3, -1])) * n
    one = draw(values(depth - 1))
    match draw(st.sampled_from(["sum", "over", "min", "max"])):
        case "sum":
            return draw(st.integers(-3, 3)) * one + draw(values(depth - 1))
        case "over":
            return (one + draw(st.integers(-5, 5))) // draw(st.integers(1, 5))
        case "min":
            return Expr.minimum(one, draw(values(depth - 1)))
        case _:
            return Expr.maximum(one, draw(values(depth - 1)))


def at(value, size):
    return (Expr.const(0) + value)(n=size)


@settings(max_examples=150)
@given(values())
@example(Expr.minimum(n, 3 * n - 5))  # the lines meet at 2.5: from 3 on the minimum is n
@example(Expr.maximum(n - 10, 10 - n))
def test_a_form_says_what_the_value_is_from_its_start_on(value):
    form = quasi_affine(Expr.const(0) + value)
    for size in range(form.start, form.start + min(form.period, 60) + 3):
        here = at(value, size)
        assert form.slope * size + form.low <= here <= form.slope * size + form.high
        assert at(value, size + form.period) == here + form.slope * form.period


@settings(max_examples=150)
@given(values())
@example(Expr.maximum(n - 10, 10 - n) - 5)  # below 0 only around 10, past the first period
@example(Expr.minimum(n // 2, 3 * n - 5))
def test_a_sign_said_of_every_size_is_that_of_every_size(value):
    sign = sign_everywhere(Expr.const(0) + value)
    for size in range(100 if sign is not None else 0):
        here = at(value, size)
        assert here >= 0 if sign > 0 else here <= 0 if sign < 0 else here == 0


# -- sets of sizes -----------------------------------------------------------------------------------------------


@st.composite
def sets(draw):
    modulus = draw(st.integers(1, 6))
    residues = draw(st.lists(st.integers(0, modulus - 1), max_size=3))
    return cc.SizeSet(modulus, tuple(residues), draw(st.integers(0, 9)), tuple(draw(st.lists(st.integers(0, 20)))))


@settings(max_examples=100)
@given(sets(), sets())
@example(cc.SizeSet(1, (0,), 5), cc.SizeSet(finite=(7,)))  # 7 goes, 8 stays
@example(cc.SizeSet(2, (0,), 4), cc.SizeSet(3, (1,), 9, (6,)))
def test_the_algebra_of_sets_of_sizes_is_that_of_their_members(a, b):
    far = range(120)
    of = {size for size in far if size in a}, {size for size in far if size in b}
    for result, expected in ((a - b, of[0] - of[1]), (a & b, of[0] & of[1]), (a | b, of[0] | of[1])):
        assert {size for size in far if size in result} == expected


# -- windows -----------------------------------------------------------------------------------------------------


def test_what_windows_leave_unread_is_counted_for_all_small_settings():
    for size, k, s, p, d, ceil in product(range(1, 8), range(1, 5), range(1, 5), (0, 1, 2, 9), range(1, 4), (0, 1)):
        full = size + 2 * p
        o = 1 + (full - d * (k - 1) - 1) // s
        if o < 1:
            continue
        o += bool(ceil and (full - d * (k - 1) - 1) % s and o * s < size + p)  # one more, which starts within
        read = {t * s + d * tap for t in range(o) for tap in range(k)} & set(range(full))
        if not read:
            continue
        tail = range(max(read) + 1, full)
        gaps = set(range(min(read), max(read))) - read
        found = unread(size, k, s, (p, p), d, o)
        assert (found.tail, found.gaps) == (len(tail), len(gaps)), (size, k, s, p, d, o)
        assert found.tail_real == sum(p <= place < p + size for place in tail)


def test_padding_before_the_input_is_no_row_of_it_even_after_the_last_window():
    found = unread(1, 2, 4, (5, 0), 3, 1)  # reads 0 and 3 of six; 4 is padding, 5 the one row
    assert (found.tail, found.tail_real, found.gaps) == (2, 1, 2)


@pytest.mark.parametrize("ceil", [False, True])
def test_the_least_input_that_is_named_is_the_least_that_fits(ceil):
    for size, k, s, p, d in product(range(1, 5), range(1, 7), range(1, 5), range(3), range(1, 4)):
        if 2 * p > k:
            continue
        try:
            cc.pool_out(size, k, s, p, d, ceil)
        except cc.KernelDoesNotFit as error:
            least = int(re.search(r"an input of at least (\d+)", str(error))[1])
            assert cc.pool_out(least, k, s, p, d, ceil) >= 1
            with pytest.raises(cc.KernelDoesNotFit):
                cc.pool_out(least - 1, k, s, p, d, ceil)
            for padding in re.findall(r"padding (\d+)", " ".join(error.fixes)):
                assert cc.pool_out(size, k, s, int(padding), d, ceil) >= 1


def test_the_padding_that_keras_means_is_what_is_named():
    for k, s, d in product(range(1, 6), range(1, 6), range(1, 4)):
        with pytest.raises(cc.BadArgument) as refusal:
            cc.conv_transpose_out(7, k, s, "same", 0, d)
        before, after = map(int, re.search(r"cut (\d+) before and (\d+) after", str(refusal.value)).groups())
        extra = int((re.search(r"output_padding (\d+)", str(refusal.value)) or [0, 0])[1])
        assert after - before in (0, 1)
        assert [cc.conv_transpose_out(size, k, s, (before, after), extra, d) for size in (3, 7)] == [3 * s, 7 * s]


# -- solving backwards -------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 6)))))
@example([(0, 2), (3, 1)])  # 0..2 and 3..4 touch
@example([(0, 9), (2, 1)])  # one within the other
def test_united_intervals_are_the_same_numbers_as_few_as_can_be(given_as):
    intervals = [(low, None if more is None else low + more) for low, more in given_as]
    united = _united(intervals)

    def members(some):
        return {x for x in range(40) for low, high in some if low <= x and (high is None or x <= high)}

    assert members(united) == members(intervals)
    assert all(high is not None and high + 1 < low for (_, high), (low, _) in pairwise(united))


def test_in_a_large_box_outputs_up_to_sixteen_away_are_near():
    largest = 31 + 8 * 30  # k = 31, d = 8, and padding one less than the extent
    for away, named in ((16, True), (17, False)):
        with pytest.raises(cc.NoSolution) as refusal:
            cc.solve_conv(n=31, out=largest + away, solve=["k", "s", "d", "p"], bounds={"s": 40})
        assert (f"the nearest output is {largest} (" in str(refusal.value)) == named


# -- division ----------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(st.integers(-7, 7), min_size=1, max_size=3), st.integers(-9, 9), st.integers(1, 9))
@example([2, -1], 1, 4)  # 2 is half of 4, and counts for neither sign
@example([-1, 2], 1, 4)
@example([1, -1], 0, 3)
def test_a_division_and_its_mirror_image_have_one_form(factors, constant, m):
    sizes = [Expr.symbol(name) for name in "abc"[: len(factors)]]
    assume(len(sizes) == 1 or any(2 * factor % m for factor in factors))  # halves alone have no sign
    x = sum((factor * size for factor, size in zip(factors, sizes, strict=True)), Expr.const(constant))
    assert x // m == -((m - 1 - x) // m)
    turned = sum((factor * size for factor, size in reversed(list(zip(factors, sizes, strict=True)))), constant)
    assert x // m == (Expr.const(0) + turned) // m
    values = dict(zip("abc", (5, 8, 3), strict=True))
    assert (x // m)(**values) == x(**values) // m


# -- digits ------------------------------------------------------------------------------------------------------


def place_of(digits, index):
    return sum(index // stride % size * weight for weight, size, stride in digits)


@settings(max_examples=100)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_a_digit_cut_at_the_borders_of_axes_is_the_same_number(factors, data):
    """The factors of a tensor's size, put together to axes in two ways: an axis of one is a digit of the other."""

    def axes():
        parts = [[]]
        for factor in factors:
            if data.draw(st.booleans()):
                parts.append([])
            parts[-1].append(factor)
        return tuple(math.prod(part) for part in parts)

    before, after = axes(), axes()
    for size, stride in zip(before, strides(before), strict=True):
        digit = Digit(1, size, stride)
        parts = cut((digit,), after)
        assert parts is not None or size == 1
        for index in range(math.prod(after)) if parts is not None else ():
            places = [index // step % length for step, length in zip(strides(after), after, strict=True)]
            value = sum(places[part.axis] // part.inner % part.size * part.weight for part in parts)
            assert value == place_of([digit], index)


def test_a_digit_that_does_not_fit_between_the_borders_is_not_cut():
    for shape, size, stride in product([(4, 3, 2), (6, 4), (3, 5), (2, 3, 6)], range(2, 9), range(1, 9)):
        parts, whole = cut((Digit(1, size, stride),), shape), math.prod(shape)
        for index in range(whole) if parts is not None else ():
            places = [index // step % length for step, length in zip(strides(shape), shape, strict=True)]
            value = sum(places[part.axis] // part.inner % part.size * part.weight for part in parts)
            assert value == index // stride % size


@settings(max_examples=100)
@given(st.lists(st.integers(2, 4), min_size=1, max_size=4), st.integers(1, 3), st.integers(1, 3), st.randoms())
def test_digits_that_stand_beside_each_other_are_one(sizes, weight, stride, random):
    digits, w, s = [], weight, stride
    for size in sizes:
        digits.append(Digit(w, size, s))
        w, s = w * size, s * size
    random.shuffle(digits)
    assert together(digits) == (Digit(weight, math.prod(sizes), stride),)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(2, 3), st.integers(1, 8)), max_size=3, unique=True))
@example([(1, 2, 1), (2, 2, 3)])  # weights follow on, strides do not
@example([(1, 2, 1), (3, 2, 2)])  # strides do, weights do not
def test_digits_put_together_are_the_same_number(digits):
    digits = [Digit(*digit) for digit in digits]
    assert [place_of(together(digits), index) for index in range(96)] == [place_of(digits, i) for i in range(96)]


# -- weights -----------------------------------------------------------------------------------------------------


def test_weights_that_two_nodes_share_cost_once():
    conv = cc.Conv(4, 3, padding=1)
    graph = cc.Graph([cc.Node("a", conv), cc.Node("b", conv, ("a",), shares="a")])
    report = cc.inspect(graph, (1, 4, 8))
    assert [one.params for one in report.layers] == [4 * 4 * 3 + 4, 0]
    assert [one.macs for one in report.layers] == [8 * 4 * 4 * 3] * 2
    assert report.params == 52


def test_a_bias_that_is_seen_beside_a_batch_norm_is_of_use():
    nodes = [cc.Node("conv", cc.Conv(4, 3)), cc.Node("norm", cc.BatchNorm(), ("conv",))]
    kinds = [note.kind for note in cc.find_notes(cc.Graph(nodes), (2, 3, 8))]
    assert "bias_before_batchnorm" in kinds
    seen = cc.Graph(nodes, outputs=("norm", "conv"))
    assert "bias_before_batchnorm" not in [note.kind for note in cc.find_notes(seen, (2, 3, 8))]
    read = cc.Graph([*nodes, cc.Node("relu", cc.ReLU(), ("conv",)), cc.Node("add", cc.Add(), ("norm", "relu"))])
    assert "bias_before_batchnorm" not in [note.kind for note in cc.find_notes(read, (2, 3, 8))]
