"""Whatever the arithmetic is asked with: an answer, or one sentence. Never a bare error, never a silent reading."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.sizes.sets import every, only

n = cc.Expr.symbol("n")

CALLS = {
    "conv_out": (cc.conv_out, {"n": 28, "k": 3, "s": 2, "p": 1, "d": 1}),
    "conv_transpose_out": (cc.conv_transpose_out, {"n": 28, "k": 3, "s": 2, "p": 1, "op": 1, "d": 1}),
    "pool_out": (cc.pool_out, {"n": 28, "k": 3, "s": 2, "p": 1, "d": 1, "ceil_mode": True}),
    "extent": (cc.extent, {"k": 3, "d": 2}),
    "padding_pair": (cc.padding_pair, {"n": 28, "k": 3, "s": 2, "p": 1, "d": 1}),
    "adaptive_pool_out": (cc.adaptive_pool_out, {"n": 28, "m": 7}),
    "adaptive_pool_windows": (cc.adaptive_pool_windows, {"n": 28, "m": 7}),
    "crop_out": (cc.crop_out, {"n": 28, "rows": 2}),
    "pad_out": (cc.pad_out, {"n": 28, "p": 2, "mode": "reflect"}),
    "pixel_shuffle_out": (cc.pixel_shuffle_out, {"n": 28, "r": 2}),
    "pixel_unshuffle_out": (cc.pixel_unshuffle_out, {"n": 28, "r": 2}),
    "interpolate_out": (cc.interpolate_out, {"n": 28, "size": None, "scale_factor": 2}),
    "conv_size": (cc.conv_size, {"n": 28, "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1}),
    "pool_size": (cc.pool_size, {"n": 28, "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    "transposed_size": (cc.transposed_size, {"n": 28, "kernel_size": 3, "stride": 2, "output_padding": 1}),
    "transposed_sizes": (cc.transposed_sizes, {"n": [28], "kernel_size": 3, "stride": 2, "padding": 1}),
    "solve_conv": (cc.solve_conv, {"out": 14, "solve": "p", "n": 28, "k": 3, "s": 2, "limit": 20, "bounds": None}),
    "solve_conv_transpose": (cc.solve_conv_transpose, {"out": 56, "solve": "p", "n": 28, "k": 4, "s": 2, "op": 0}),
    "solve_pool": (cc.solve_pool, {"out": 14, "solve": "n", "k": 2, "s": 2, "p": 0, "d": 1, "ceil_mode": True}),
    "hdc": (cc.hdc, {"rates": [1, 2, 5], "kernel_size": 3, "stride": 1}),
    "prefixes": (cc.hdc([1, 2]).prefixes, {"limit": 4}),
    "overlap": (cc.overlap, {"kernel_size": 3, "stride": 2, "dilation": 1}),
    "SizeSet": (cc.SizeSet, {"modulus": 4, "residues": (1,), "minimum": 5, "finite": (3,)}),
    "every": (every, {"minimum": 3}),
    "only": (only, {"members": [3, 4]}),
    "nearest": (every(3).nearest, {"n": 2}),
    "below": (only([3, 9]).below, {"end": 7}),
    "Expr.symbol": (cc.Expr.symbol, {"name": "n"}),
    "Expr.const": (cc.Expr.const, {"value": 3}),
    "Expr()": (n // 2, {"n": 2}),
}

WRONG = [
    *(None, "x", "3", "", "False", b"x", 2.5, 2.0, float("nan"), 1j, -1, 0, 1, 7, 10**12, True, False),
    *([], [3], (1, 2), (1, 2, 3), range(3), {}, {"k": 3}, object(), "same", "reflect"),
    *(np.int8(100), np.float32(2), np.array([1.5]), np.array([3, 4]), np.array([]), np.zeros((2, 2), int)),
    *(cc.Expr.symbol("q"), sympy.Symbol("t"), sympy.Rational(1, 2)),
]


@settings(max_examples=500)
@given(st.sampled_from(sorted(CALLS)), st.data())
def test_a_wrong_argument_is_refused_in_a_sentence_or_answered(name, data):
    call, right = CALLS[name]
    places = data.draw(st.lists(st.sampled_from(sorted(right)), min_size=1, max_size=2, unique=True))
    wrong = {place: data.draw(st.sampled_from(WRONG)) for place in places}
    if name == "adaptive_pool_windows" and str(wrong.get("m")) == str(10**12):
        return  # tried below
    with suppress(cc.ConvcalcError):
        call(**{**right, **wrong})


@pytest.mark.parametrize(
    ("call", "arguments", "sentence"),
    [
        (cc.extent, (0,), "kernel_size must be >= 1: 0"),
        (cc.extent, (2.5, 2), "k must be an integer: 2.5"),
        (cc.padding_pair, ("x", None, 1, 1), "n must be an integer: 'x'"),
        (cc.padding_pair, (8, 0, 1, 1), "kernel_size must be >= 1: 0"),
        (cc.SizeSet, (2.9,), "modulus must be an integer: 2.9"),
        (cc.SizeSet, (2, (0.5,)), "residues must be an integer: 0.5"),
        (only, (3,), "members must be a sequence of integers: 3"),
        (n.__floordiv__, (0,), "(n)//0"),
        (cc.pool_out, (8, 2, 2, 0, 1, "False"), "ceil_mode must be True or False: 'False'"),
        (cc.conv_out, (n, np.array([3, 4])), "n and k do not go together, a formula and an array: give both as"),
        (cc.conv_size, (np.array([3, 4]), 3), "n must be one integer or a formula, not an array"),
        (cc.overlap, (n, 2), "kernel_size must be a number here: n"),
        (cc.transposed_sizes, (14, 3), "n needs one size for each axis, such as (14, 14): 14"),
        (cc.adaptive_pool_windows, (10**12, 10**12), "1000000000000 windows are too many to list: at most 10000000"),
    ],
)
def test_each_door_says_what_is_wrong(call, arguments, sentence):
    with pytest.raises(cc.BadArgument) as refusal:
        call(*arguments)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("call", [cc.conv_size, cc.pool_size, cc.transposed_size, cc.transposed_sizes])
def test_an_input_size_is_a_shape_and_n_the_size_of_an_axis(call):
    with pytest.raises(cc.BadArgument, match=r"takes the size of one axis as `n`, not as `input_size`: write n=28$"):
        call(input_size=28, kernel_size=3)


def test_what_is_sought_and_its_box_are_named():
    with pytest.raises(cc.BadArgument, match=r"^solve for one or several of n, k, s, p, d: 3$"):
        cc.solve_conv(out=14, solve=3)
    with pytest.raises(cc.BadArgument, match=r"^the box has bounds on k, s, d and p only: 3$"):
        cc.solve_conv(out=14, n=28, solve=["k", "s"], bounds=3)


def test_division_by_zero_is_python_s_error_too():
    with pytest.raises(ZeroDivisionError):
        n % 0


@given(
    st.sampled_from([np.int8, np.uint8, np.int16, np.int32, np.uint64, np.int64]),
    st.sampled_from([name for name in sorted(CALLS) if name not in ("interpolate_out", "transposed_sizes")]),
)
@example(np.int8, "extent")
def test_narrow_integers_are_those_of_python(kind, name):
    call, right = CALLS[name]
    large = {place: 100 if place in ("n", "k", "kernel_size") else value for place, value in right.items()}
    for arguments in (right, large):
        narrow = {place: kind(value) if type(value) is int else value for place, value in arguments.items()}
        assert _plain(lambda call=call, narrow=narrow: call(**narrow)) == _plain(lambda a=arguments: call(**a))


def _plain(work):
    try:
        return str(work())
    except cc.ConvcalcError as error:
        return error.message
