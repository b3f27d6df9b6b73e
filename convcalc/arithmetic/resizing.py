"""The formulas that set, scale, extend or cut a size, one axis each.

Adaptive pooling, interpolation, pixel shuffle and its inverse, padding, cropping. Letters as in
`convcalc.arithmetic.formulas`; m is a requested output size and r the factor of pixel shuffle.
"""

from __future__ import annotations

import math

from convcalc.arithmetic.formulas import Padding, at_least, nothing_left
from convcalc.errors import BadArgument, BadShape, NoOutput, Refused
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size, exact, is_array, is_symbolic, numbers, smaller

MOST_DIVISOR = 2**16
"""The largest b of a scale factor a/b that has a formula: torch's product is then exact up to n = 2**53/a."""

MOST_LISTED = 10_000_000
"""The most windows that are listed."""

PAD_MODES = ("constant", "reflect", "replicate", "circular")


def adaptive_pool_out(n: Size, m: Size | None, *, check: Check = enforce) -> Size:
    """o = m, or n where m is None: adaptive pooling gives the size it is asked for.

    Window i reads floor(i*n/m) up to, not including, ceil((i + 1)n/m); see `adaptive_pool_windows`.

    >>> adaptive_pool_out(7, 3), adaptive_pool_out(7, None)
    (3, 7)
    """
    n, m = exact("n output_size", n, n if m is None else m)
    at_least(1, check, n=n)
    at_least(0, check, output_size=m)
    return m + 0 * n if is_array(n) else m


def adaptive_pool_windows(n: int, m: int) -> list[tuple[int, int]]:
    """[floor(i*n/m), ceil((i + 1)n/m)) for i in 0..m-1: the inputs each output of adaptive pooling reads.

    >>> adaptive_pool_windows(7, 3)
    [(0, 3), (2, 5), (4, 7)]
    """
    n, m = numbers("n output_size", n, m)
    at_least(1, enforce, n=n, output_size=m)
    if m > MOST_LISTED:
        raise BadArgument(f"{m} windows are too many to list: at most {MOST_LISTED}")
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def interpolate_out(
    n: Size, size: Size | None = None, scale_factor: float | None = None, *, least: int = 1, check: Check = enforce
) -> Size:
    """o = size, or floor(float64(n) * float64(scale_factor)), as torch computes it.

    For an expression the scale factor must be a fraction with a small power of two below, such as 2, 0.5 or
    1.25: only then is the float product exact, o = (a*n)//2**b, and true for every n below 2**53/a. The output
    is at `least` 1; torch's mode "area" alone takes 0.

    >>> interpolate_out(7, size=20), interpolate_out(7, scale_factor=1.5), interpolate_out(90, scale_factor=0.7)
    (20, 10, 62)
    """
    if (size is None) == (scale_factor is None):
        raise BadArgument("interpolation takes a size or a scale_factor, and not both")
    if scale_factor is None:
        n, size = exact("n size", n, size)
        at_least(1, check, n=n)
        at_least(least, check, size=size)
        return size + 0 * n if is_array(n) else size
    (n,) = exact("n", n)
    at_least(1, check, n=n)
    scale = _scale(scale_factor, least)
    o = _scaled(n, scale)
    check(
        o - least,
        lambda at: NoOutput(
            f"output would be {at(o)}: floor({at(n)} * {scale:g}); use a scale_factor of at least 1/{at(n)}",
            rule=f"floor(n * scale_factor) >= {least}",
        ),
    )
    return o


def _scale(scale_factor: float, least: int) -> float:
    try:
        scale = float(scale_factor)
    except (TypeError, ValueError, OverflowError):
        raise BadArgument(f"scale_factor must be a number: {scale_factor!r}") from None
    if not (0 < scale < math.inf or (scale == 0 and least == 0)):
        raise BadArgument(f"scale_factor must be positive and finite: {scale_factor!r}")
    return scale


def _scaled(n: Size, scale: float) -> Size:
    if is_symbolic(n):
        a, b = scale.as_integer_ratio()
        if b > MOST_DIVISOR:
            raise BadArgument(
                f"no formula for scale_factor {scale:g}: torch rounds n * {scale:g} in floating point; "
                "give n as a number, or use a fraction such as 0.5 or 1.25"
            )
        return a * n // b
    try:
        if not is_array(n):
            return math.floor(float(n) * scale)
        import numpy as np

        with np.errstate(over="ignore"):
            product = np.floor(n.astype(np.float64) * scale)
        return product.astype(np.int64) if (abs(product) < 2**63).all() else np.frompyfunc(int, 1, 1)(product)
    except OverflowError:
        raise BadArgument(f"n * {scale:g} leaves the range of float64, in which torch computes it") from None


def pixel_shuffle_out(n: Size, r: Size, *, check: Check = enforce) -> Size:
    """o = n*r: r values of the channels become neighbours on each axis (W. Shi et al., arXiv:1609.05158).

    >>> pixel_shuffle_out(8, r=3)
    24
    """
    n, r = exact("n upscale_factor", n, r)
    at_least(1, check, upscale_factor=r)
    return n * r


def pixel_unshuffle_out(n: Size, r: Size, *, check: Check = enforce) -> Size:
    """o = n/r, which must be whole: neighbours become channels.

    >>> pixel_unshuffle_out(24, r=3)
    8
    >>> pixel_unshuffle_out(25, r=3)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: downscale_factor=3 must divide the size 25; use 24 or 27
    """
    n, r = exact("n downscale_factor", n, r)
    at_least(1, check, downscale_factor=r)

    def sentence(at: Reader) -> Refused:
        size, factor = at(n), at(r)
        low = size - size % factor
        near = "" if is_symbolic(low) else "; use " + " or ".join(str(one) for one in (low, low + factor) if one)
        return BadShape(
            f"downscale_factor={factor} must divide the size {size}{near}", rule="n % downscale_factor == 0"
        )

    check(-(n % r), sentence)
    return n // r


def pad_out(n: Size, p: Padding, mode: str = "constant", *, least: int | None = None, check: Check = enforce) -> Size:
    """o = n + p0 + p1, where a negative side crops.

    "reflect" needs each side < n and "circular" each side <= what the other side leaves of n, as no value is
    used twice; "constant" and "replicate" pad any amount, but "constant" crops before it pads, so the crop alone
    must not take more than n. Raises `NoOutput` where less than `least` is left: by default 0 for "constant" and
    "circular", which torch lets go that far, and 1 for the others.

    >>> pad_out(5, (1, 2)), pad_out(5, -1), pad_out(5, 4, mode="reflect")
    (8, 3, 13)
    """
    before, after = both_sides(p)
    n, before, after = exact("n p p", n, before, after)
    if not isinstance(mode, str) or mode not in PAD_MODES:
        raise BadArgument(f"unknown padding mode {mode!r}: use one of {', '.join(PAD_MODES)}")
    least_in = 0 if mode in ("constant", "circular") else 1
    least = least_in if least is None else least
    at_least(least_in, check, n=n)
    if mode == "constant":
        left = n + smaller(0, before) + smaller(0, after)
        check(left, lambda at: nothing_left(at(left), at(n), at(n) - at(left)))
    if mode == "reflect":
        _check_reach(before, n - 1, "reflect padding must be less than the size", check)
        _check_reach(after, n - 1, "reflect padding must be less than the size", check)
    if mode == "circular":
        _check_reach(before, n + smaller(0, after), "circular padding must not exceed the size", check)
        _check_reach(after, n + smaller(0, before), "circular padding must not exceed the size", check)
    o = n + before + after
    check(o - least, lambda at: nothing_left(at(o), at(n), -at(before) - at(after)))
    return o


def both_sides(rows: Padding) -> tuple[Size, Size]:
    """Return a number of rows for each side, or a pair, as (before, after).

    >>> both_sides(2), both_sides((0, 1))
    ((2, 2), (0, 1))
    """
    match rows:
        case (before, after):
            return before, after
        case str() | tuple() | list():
            raise BadArgument(f"one axis takes a number of rows or a pair (before, after): {rows!r}")
        case _:
            return rows, rows


def _check_reach(side: Size, most: Size, rule: str, check: Check) -> None:
    check(
        most - side,
        lambda at: BadArgument(f"{rule}: {at(side)}, at most {at(most)}", rule=rule, fixes=[f"padding={at(most)}"]),
    )


def crop_out(n: Size, rows: Padding, *, check: Check = enforce) -> Size:
    """o = n - before - after, for `rows` on each side or a pair (before, after).

    >>> crop_out(64, 4), crop_out(64, (1, 2))
    (56, 61)
    """
    before, after = both_sides(rows)
    before, after = exact("rows rows", before, after)
    at_least(0, check, rows=before)
    at_least(0, check, rows=after)
    return pad_out(n, (-before, -after), check=check)
