"""What windows leave unread, counted position by position, and the way back to the size."""

import re

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, pool_out
from convcalc.arithmetic.window_size import Unread, conv_size, pool_size, render_windowed, working
from convcalc.errors import BadArgument, ConvcalcError
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import PYTHON

NAMES = ["valid", "full", "causal", "same", "same-lower"]


@st.composite
def windowed(draw):
    """A convolution or pooling that is legal."""
    n, k, s = draw(st.integers(1, 30)), draw(st.integers(1, 7)), draw(st.integers(1, 9))
    side = st.integers(0, 7)
    padding = draw(st.one_of(side, st.tuples(side, side), st.sampled_from(NAMES)))
    how = {"stride": s, "padding": padding, "dilation": draw(st.integers(1, 6))}
    try:
        return draw(st.sampled_from([lambda: conv_size(n, k, **how), lambda: pool_size(n, k, **how, ceil_mode=True)]))()
    except ConvcalcError:
        assume(False)


def counted(axis):
    """The padded positions that no window reads: after the last read, real ones of them, between first and last."""
    n, (before, after) = axis.input_size, axis.padding
    size = n + before + after
    taps = {
        start * axis.stride + tap * axis.dilation
        for start in range(axis.output_size)
        for tap in range(axis.kernel_size)
        if start * axis.stride + tap * axis.dilation < size
    }
    tail = set(range(max(taps) + 1, size))
    gaps = set(range(min(taps), max(taps))) - taps
    return Unread(tail=len(tail), tail_real=len(tail & set(range(before, before + n))), gaps=len(gaps))


@settings(max_examples=1500)
@given(windowed())
def test_what_is_never_read_is_counted_exactly(axis):
    assert axis.unread == counted(axis)


def windows(axis):
    """How many windows there are, counted one by one: rounded up, all that start in the input or before it."""
    n, (before, after) = axis.input_size, axis.padding
    past = axis.stride - 1 if axis.ceil_mode else 0
    extent = axis.dilation * (axis.kernel_size - 1) + 1
    starts = [
        start for start in range(0, n + before + after, axis.stride) if start + extent <= n + before + after + past
    ]
    return len([start for start in starts if start < n + before]) if axis.ceil_mode else len(starts)


@settings(max_examples=300)
@given(windowed())
@example(pool_size(53, 2, stride=2, padding=1, ceil_mode=True))
def test_the_formula_with_its_numbers_put_in_counts_the_windows(axis):
    assert eval(working(axis, PYTHON)) == axis.output_size == windows(axis)


@settings(max_examples=500)
@given(windowed())
def test_rows_are_said_to_be_spare_only_where_the_same_comes_out_without_them(axis):
    said = re.search(
        r"never the last (?:input row|\d+ input rows)(?:: (\d+) gives the same output)?", render_windowed([axis])
    )
    assert bool(said) == (axis.unread.tail_real > 0)
    if not said:
        return
    less = axis.input_size - axis.unread.tail_real
    padding = "same" if axis.same else axis.padding
    how = axis.kernel_size, axis.stride, padding, axis.dilation
    try:
        again = pool_out(less, *how, ceil_mode=axis.ceil_mode) if axis.kind == "pool" else conv_out(less, *how)
    except ConvcalcError:
        again = None
    assert said[1] == (str(less) if again == axis.output_size else None)


@given(windowed())
def test_the_formula_is_the_output_at_every_size(axis):
    assert axis.formula(n=axis.input_size) == axis.output_size


@given(windowed())
def test_the_remainder_as_output_padding_restores_the_size(axis):
    assume(axis.kind == "conv")
    op = axis.restoring
    assert 0 <= op < axis.stride
    back = conv_transpose_out(axis.output_size, axis.kernel_size, axis.stride, axis.padding, op, axis.dilation)
    assert back == axis.input_size


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(0, 6), st.integers(1, 3))
def test_symbols_say_what_numbers_say(n, k, s, p, d):
    names = {"n": n, "k": k, "s": s, "p": p, "d": d}
    symbols = {name: Expr.symbol(name) for name in names}
    open_size = conv_size(symbols["n"], symbols["k"], stride=symbols["s"], padding=symbols["p"], dilation=symbols["d"])
    assert open_size.unread is None
    if all(value(**names) >= 0 for value in open_size.needs):
        axis = conv_size(n, k, stride=s, padding=p, dilation=d)
        assert open_size.output_size(**names) == axis.output_size
        assert open_size.formula(**names) == axis.output_size
        assert open_size.restoring(**names) == axis.restoring
        assert axis.needs == ()
    else:
        with pytest.raises(ConvcalcError):
            conv_size(n, k, stride=s, padding=p, dilation=d)


def test_published_examples():
    down = conv_size(224, 7, stride=2, padding=3)
    assert (down.output_size, down.unread) == (112, Unread(tail=1, tail_real=0, gaps=0))
    wide = conv_size(8, 2, stride=3)
    assert (wide.output_size, wide.unread) == (3, Unread(tail=0, tail_real=0, gaps=2))
    assert pool_size(54, 3, stride=2, ceil_mode=True).output_size == 27


def test_huge_sizes_are_explained_at_once():
    axis = conv_size(10**30, 10**9, stride=10**12, padding=10**8, dilation=10**3)
    span = 10**30 + 2 * 10**8 - 10**3 * (10**9 - 1) - 1
    assert axis.output_size == span // 10**12 + 1
    assert axis.restoring == span % 10**12


def test_a_pooling_steps_by_its_kernel_unless_told():
    assert pool_size(28, 2) == pool_size(28, 2, stride=2)


def test_a_setting_called_n_is_not_the_input():
    n = Expr.symbol("n")
    assert conv_size(28, n).formula == Expr.symbol("n_") - n + 1
    assert conv_size(n, n).formula == 1


def test_numpy_integers_are_taken_as_integers():
    axis = conv_size(np.int64(28), np.int32(5), stride=np.int8(2))
    assert axis == conv_size(28, 5, stride=2)
    assert {type(value) for value in (axis.input_size, axis.output_size, axis.restoring, axis.unread.tail)} == {int}
    with pytest.raises(BadArgument, match=r"^n must be an integer: 2\.5"):
        conv_size(2.5, 3)
