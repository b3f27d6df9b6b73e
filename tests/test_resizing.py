"""Formulas that set, scale, extend or cut a size, against lists that are really padded, cut and regrouped."""

import math
from fractions import Fraction

import numpy as np
import pytest
from agreement import assert_agrees
from hypothesis import given
from hypothesis import strategies as st

from convcalc.arithmetic.resizing import (
    PAD_MODES,
    adaptive_pool_out,
    adaptive_pool_windows,
    both_sides,
    crop_out,
    interpolate_out,
    pad_out,
    pixel_shuffle_out,
    pixel_unshuffle_out,
)
from convcalc.errors import BadArgument, BadShape, ConvcalcError, NoOutput
from convcalc.sizes.conditions import Conditions, Mask
from convcalc.sizes.expr import Expr

N, FACTOR, SIDE = st.integers(1, 30), st.integers(1, 6), st.integers(-8, 8)


@given(N, st.one_of(st.none(), st.integers(0, 20)))
def test_adaptive_pooling_gives_what_it_is_asked_for(n, m):
    assert adaptive_pool_out(n, m) == (n if m is None else m)
    assert adaptive_pool_out(np.array([n, n + 1]), m).tolist() == ([n, n + 1] if m is None else [m, m])
    assert adaptive_pool_out(Expr.symbol("n"), m) == (Expr.symbol("n") if m is None else m)


@given(N, N)
def test_adaptive_windows_are_the_exact_fractions_rounded_outwards(n, m):
    expected = [(math.floor(Fraction(i * n, m)), math.ceil(Fraction((i + 1) * n, m))) for i in range(m)]
    assert adaptive_pool_windows(n, m) == expected
    assert {row for first, end in expected for row in range(first, end)} == set(range(n))


@given(N, st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 7.5]))
def test_a_dyadic_scale_is_the_exact_fraction(n, scale):
    exact = math.floor(n * Fraction(scale))
    answer = assert_agrees(interpolate_out, n, scale_factor=scale)
    assert answer == exact if exact else isinstance(answer, NoOutput)


@given(st.integers(1, 10**6), st.floats(0.01, 100))
def test_any_scale_is_the_product_of_floats_as_torch_computes_it(n, scale):
    expected = math.floor(float(n) * scale)
    if expected:
        assert interpolate_out(n, scale_factor=scale) == expected
        assert interpolate_out(np.array([n, n]), scale_factor=scale).tolist() == [expected] * 2
    else:
        with pytest.raises(NoOutput, match=rf"floor\({n} \* "):
            interpolate_out(n, scale_factor=scale)


def test_a_scale_of_seven_tenths_differs_from_the_fraction_where_it_should():
    sizes = range(1, 200)
    differing = [n for n in sizes if n > 1 and interpolate_out(n, scale_factor=0.7) != 7 * n // 10]
    assert differing[:3] == [90, 170, 180]


def test_a_scale_without_a_formula_is_said_to_have_none():
    with pytest.raises(BadArgument, match=r"no formula for scale_factor 0.7: torch rounds n \* 0.7 in floating point"):
        interpolate_out(Expr.symbol("n"), scale_factor=0.7)


@pytest.mark.parametrize("scale", [0, -1, math.inf, math.nan, "two", None, 10**400])
def test_a_scale_must_be_a_positive_number(scale):
    with pytest.raises(BadArgument):
        interpolate_out(7, scale_factor=scale)


@pytest.mark.parametrize("n", [10**400, np.array([10**400], dtype=object)])
def test_a_size_that_float64_cannot_hold_is_refused(n):
    with pytest.raises(BadArgument, match=r"n \* 2 leaves the range of float64"):
        interpolate_out(n, scale_factor=2.0)
    with pytest.raises(BadArgument, match=r"n \* 1e\+300 leaves the range of float64"):
        interpolate_out(n // 10**100, scale_factor=1e300)


def test_large_products_of_arrays_stay_exact():
    assert interpolate_out(np.array([2**62]), scale_factor=8.0).tolist() == [2**65]
    assert interpolate_out(np.array([10**30], dtype=object), scale_factor=1.0).tolist() == [int(1e30)]


@given(N, FACTOR)
def test_interpolation_to_a_size_gives_it(n, size):
    assert interpolate_out(n, size=size) == interpolate_out(Expr.symbol("n"), size=size) == size
    assert interpolate_out(np.array([n, n]), size=size).tolist() == [size, size]
    for both in ({"size": size, "scale_factor": 2}, {}):
        with pytest.raises(BadArgument, match="takes a size or a scale_factor, and not both"):
            interpolate_out(n, **both)


@given(N, FACTOR)
def test_shuffling_and_unshuffling_are_inverse(n, r):
    shuffled = assert_agrees(pixel_shuffle_out, n, r=r)
    assert shuffled == len([(i, j) for i in range(n) for j in range(r)])
    assert assert_agrees(pixel_unshuffle_out, shuffled, r=r) == n


@given(N, FACTOR)
def test_unshuffling_takes_multiples_alone_and_names_the_nearest(n, r):
    if n % r == 0:
        assert pixel_unshuffle_out(n, r) == n // r
        return
    with pytest.raises(BadShape, match=f"downscale_factor={r} must divide the size {n}; use ") as refusal:
        pixel_unshuffle_out(n, r)
    offered = [int(text) for text in str(refusal.value).rpartition("use ")[2].split(" or ")]
    nearest = [max((m for m in range(1, n) if m % r == 0), default=None), min(m for m in range(n, n + r) if m % r == 0)]
    assert offered == [m for m in nearest if m]


# -- padding and cropping ----------------------------------------------------------------------------------------


def padded(n, before, after, mode):
    """The list 0..n-1 padded as NumPy does it, cropped first where a side is negative; None where it cannot be."""
    kept = list(range(n))[max(0, -before) : n - max(0, -after)]
    if n - max(0, -before) - max(0, -after) < 0:
        return None
    sides = max(0, before), max(0, after)
    if mode == "constant":
        return np.pad(np.array(kept, dtype=int), sides).tolist()
    return np.pad(kept, sides, {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]).tolist()


@given(N, SIDE, SIDE)
def test_padding_and_negative_padding_change_the_length_of_a_list(n, before, after):
    answer = assert_agrees(pad_out, n, p=(before, after))
    crop = max(0, -before) + max(0, -after)
    if crop <= n:
        assert answer == len(padded(n, before, after, "constant"))
    else:
        assert isinstance(answer, NoOutput)


@given(N, st.integers(0, 8), st.integers(0, 8), st.sampled_from(PAD_MODES))
def test_modes_that_repeat_values_use_none_of_them_twice(n, before, after, mode):
    most = {"constant": 99, "replicate": 99, "reflect": n - 1, "circular": n}[mode]
    answer = assert_agrees(pad_out, n, p=(before, after), mode=mode)
    if max(before, after) <= most:
        assert answer == len(padded(n, before, after, mode))
    else:
        assert isinstance(answer, BadArgument)
        assert f"{mode} padding must" in str(answer)
        assert f"at most {most}" in str(answer)


@given(N, st.integers(0, 20), st.integers(0, 20))
def test_cropping_undoes_padding(n, before, after):
    assert crop_out(pad_out(n, (before, after)), (before, after)) == n
    assert pad_out(n, (before, after)) == n + len(range(before)) + len(range(after))
    kept = range(n)[before : max(before, n - after)]
    answer = assert_agrees(crop_out, n, rows=(before, after))
    if before + after <= n:
        assert answer == len(kept)
    else:
        assert isinstance(answer, NoOutput)


@pytest.mark.parametrize("rows", ["1", (1, 2, 3), [1], ()])
def test_one_axis_takes_a_number_or_a_pair(rows):
    with pytest.raises(BadArgument, match=r"one axis takes a number of rows or a pair \(before, after\)"):
        both_sides(rows)


def test_an_unknown_mode_is_named_beside_the_known():
    with pytest.raises(BadArgument, match=r"'mirror': use one of constant, reflect, replicate, circular"):
        pad_out(5, 1, mode="mirror")


@given(SIDE, SIDE, st.sampled_from(PAD_MODES), FACTOR)
def test_masks_and_open_conditions_say_what_sizes_alone_say(before, after, mode, r):
    def accepts(n, formula, *how):
        try:
            formula(n, *how)
        except ConvcalcError:
            return False
        return True

    sizes = np.arange(0, 14)
    for formula, how in [
        (pad_out, ((before, after), mode)),
        (pixel_unshuffle_out, (r,)),
        (pixel_shuffle_out, (r,)),
        (interpolate_out, (None, 1 / 2**r)),
    ]:
        legal, needs = Mask(), Conditions()
        formula(sizes, *how, check=legal)
        formula(Expr.symbol("n"), *how, check=needs)
        alone = [accepts(int(n), formula, *how) for n in sizes]
        assert np.broadcast_to(legal.holds, sizes.shape).tolist() == alone
        assert [all(value(n=int(n)) >= 0 for value in needs.open) for n in sizes] == alone
