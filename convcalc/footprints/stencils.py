"""What each operation reads, as a `convcalc.footprints.footprint.Footprint`: one function for each, one axis each.

Words are torch's. Padding is that of both sides or a pair (before, after), of which only `before` moves the
reads; pooling with floor and with ceil reads alike. Letters as in `footprints.footprint`: output j, q phases, step m.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from convcalc.arithmetic.formulas import Padding, padding_depends_on_size, padding_pair
from convcalc.errors import BadArgument
from convcalc.footprints.footprint import MAX_PHASES, Footprint
from convcalc.footprints.taps import EMPTY, TapSet, check_span
from convcalc.sizes.size import Size, exact, is_symbolic, numbers

# -- windows -----------------------------------------------------------------------------------------------------


def conv(kernel_size: int, stride: int = 1, padding: Padding = 0, dilation: int = 1) -> Footprint:
    """Output j reads j*stride - before + dilation*t for t < kernel_size; one phase, m = stride.

    Padding may be a name where it does not depend on the input size. Raises `BadArgument` for a kernel size,
    stride or dilation < 1 and for `"same"` at another stride than 1.

    >>> conv(3, stride=2, padding=1).at(0), conv(3, padding="causal").at(0), conv(2, dilation=4).at(0)
    (TapSet(-1..1), TapSet(-2..0), TapSet(0, 4))
    """
    kernel_size, stride, dilation = _positive(kernel_size=kernel_size, stride=stride, dilation=dilation)
    return _conv(kernel_size, stride, _before(padding, kernel_size, stride, dilation), dilation)


@lru_cache(maxsize=1024)
def _conv(kernel_size: int, stride: int, before: int, dilation: int) -> Footprint:
    check_span(dilation * (kernel_size - 1) + 1)
    return Footprint((TapSet.of(range(-before, dilation * kernel_size - before, dilation)),), stride)


def conv_of(n: Size, kernel_size: int, stride: int, padding: Padding, dilation: int) -> Footprint:
    """As `conv`, on an input of size n, on which a "same" padding may depend; where n is a formula, reads are shifted.

    >>> from convcalc.sizes.expr import Expr
    >>> conv_of(224, 3, 2, "same", 1).phases, conv_of(Expr.symbol("n"), 3, 2, "same", 1).receptive_field
    ((TapSet(0..2),), 3)
    """
    if not padding_depends_on_size(padding, stride):
        return conv(kernel_size, stride, padding, dilation)
    before, after = padding_pair(n, kernel_size, stride, padding, dilation) if kernel_size > 1 else (0, 0)
    if is_symbolic(before):
        return replace(conv(kernel_size, stride, 0, dilation), shift=-before)
    return conv(kernel_size, stride, (before, after), dilation)


def pool(kernel_size: int, stride: int | None = None, padding: Padding = 0, dilation: int = 1) -> Footprint:
    """As `conv`, the stride being the kernel size where it is not given; floor and ceil alike.

    >>> pool(2) == conv(2, stride=2), pool(3, stride=2).at(0)
    (True, TapSet(0..2))
    """
    return conv(kernel_size, kernel_size if stride is None else stride, padding, dilation)


def conv_transpose(kernel_size: int, stride: int = 1, padding: Padding = 0, dilation: int = 1) -> Footprint:
    """Output j reads (j + before - dilation*t)/stride where that is whole: `conv` backwards, q = stride, m = 1.

    Output padding adds outputs at the end and moves no reads. Raises `BadArgument` as `conv`.

    >>> conv_transpose(4, stride=2, padding=1).phases, conv_transpose(1, stride=2).phases
    ((TapSet(-1..0), TapSet(0..1)), (TapSet(0), TapSet()))
    """
    return conv(kernel_size, stride, padding, dilation).transposed()


def taps(positions: Iterable[int], stride: int = 1) -> Footprint:
    """Output j reads j*stride + t for each t of `positions`: any pattern, masked or deformed by a constant.

    >>> taps([-3, 0, 1]).receptive_field, taps([-3, 0, 1]).holes
    (5, (1, 2))
    """
    (stride,) = _positive(stride=stride)
    return Footprint((TapSet.of(exact("tap", tap)[0] for tap in positions),), stride)


# -- moves -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def identity() -> Footprint:
    """Output j reads input j: activations, normalization at evaluation, dropout.

    >>> identity().phases, identity().step
    ((TapSet(0),), 1)
    """
    return conv(1)


def pad(before: int, mode: str = "constant") -> Footprint:
    """Output j reads j - before; zeros read nothing, other modes repeat what is inside. A negative number crops.

    >>> pad(2).at(5)
    TapSet(3)
    """
    return replace(taps([-exact("padding", before)[0]]), wraps=mode != "constant")


def crop(before: int) -> Footprint:
    """Output j reads j + before.

    >>> crop(2).at(5)
    TapSet(7)
    """
    return taps([exact("crop", before)[0]])


# -- resampling --------------------------------------------------------------------------------------------------


def pixel_shuffle(upscale_factor: int) -> Footprint:
    """Output j reads j//upscale_factor: channels become neighbours (W. Shi et al., arXiv:1609.05158).

    >>> pixel_shuffle(2).phases, pixel_shuffle(2).step
    ((TapSet(0), TapSet(0)), 1)
    """
    (factor,) = _positive(upscale_factor=upscale_factor)
    return resize(factor)


def pixel_unshuffle(downscale_factor: int) -> Footprint:
    """Output j reads the block of `downscale_factor` inputs that became its channels; so does patch merging.

    >>> pixel_unshuffle(2).at(3)
    TapSet(6..7)
    """
    (factor,) = _positive(downscale_factor=downscale_factor)
    return conv(factor, stride=factor)


def nearest(scale_factor: int | float | Fraction) -> Footprint:
    """Output j reads floor(j/scale_factor): `resize` in mode "nearest".

    >>> nearest(2).phases, nearest(Fraction(3, 2)).phases, nearest(0.5).at(3)
    ((TapSet(0), TapSet(0)), (TapSet(0), TapSet(0), TapSet(1)), TapSet(6))
    """
    return resize(scale_factor, "nearest")


def linear(scale_factor: int | float | Fraction) -> Footprint:
    """Output j reads the two inputs beside (j + 1/2)/scale_factor - 1/2: `resize` in mode "linear".

    >>> linear(2).phases, linear(3).phases
    ((TapSet(-1..0), TapSet(0..1)), (TapSet(-1..0), TapSet(0), TapSet(0..1)))
    """
    return resize(scale_factor, "linear")


RESIZE_MODES = ("nearest", "nearest-exact", "linear", "cubic")


def resize(scale_factor: int | float | Fraction, mode: str = "nearest") -> Footprint:
    """Output j reads around (j + 1/2)/scale_factor - 1/2, as torch's interpolate does without align_corners.

    With scale_factor = q/m there are q phases of step m. Modes: "nearest" reads floor(j/scale_factor),
    "nearest-exact" the nearest, "linear" two neighbours and "cubic" four, or the one that is hit exactly; bilinear
    and bicubic are these on each axis. Positions are exact rationals, as torch's are in float64 but for rounding;
    in float32 torch is off by one at a few, such as a scale factor of 41 with "nearest-exact". Raises
    `BadArgument` for a scale factor that is no positive fraction of small numbers.

    >>> resize(2, "cubic").phases
    (TapSet(-2..1), TapSet(-1..2))
    >>> resize(0.5, "linear").at(0)
    TapSet(0..1)
    """
    scale = simplest(scale_factor)
    q, m = scale.as_integer_ratio()
    if max(q, m) > MAX_PHASES:
        near = scale.limit_denominator(100)
        raise BadArgument(f"scale_factor {scale_factor} is {scale}, which has no short period; {near!r} is near")
    return Footprint(tuple(TapSet.of(source(j, m, q, mode)) for j in range(q)), m).reduced()


def simplest(scale_factor: int | float | Fraction) -> Fraction:
    """The fraction with a denominator up to 1000 that float64 cannot tell from `scale_factor`, or its exact value.

    Raises `BadArgument` unless it is a positive number.

    >>> simplest(0.7), simplest(1 / 3), simplest(2**-20)
    (Fraction(7, 10), Fraction(1, 3), Fraction(1, 1048576))
    """
    try:
        exactly = Fraction(scale_factor)
        simple = exactly.limit_denominator(1000)
        same = float(simple) == scale_factor
    except (TypeError, ValueError, OverflowError):
        raise BadArgument(f"scale_factor must be a number: {scale_factor!r}") from None
    if exactly <= 0:
        raise BadArgument(f"scale_factor must be positive: {scale_factor}")
    return simple if same else exactly


def source(j: int, m: int, q: int, mode: str, align_corners: bool = False) -> range:
    """The inputs that output `j` reads where m inputs become q outputs, borders aside.

    >>> source(3, 1, 2, "linear"), source(3, 1, 3, "linear", align_corners=True)
    (range(1, 3), range(1, 2))
    """
    match mode:
        case "nearest":
            return range(j * m // q, j * m // q + 1)
        case "nearest-exact":
            return range((2 * j + 1) * m // (2 * q), (2 * j + 1) * m // (2 * q) + 1)
        case "linear" | "cubic":
            i, past = divmod(j * m, q) if align_corners else divmod((2 * j + 1) * m - q, 2 * q)
            if not past:
                return range(i, i + 1)
            return range(i, i + 2) if mode == "linear" else range(i - 1, i + 3)
        case _:
            raise BadArgument(f"unknown mode {mode!r}: use one of {', '.join(RESIZE_MODES)}")


# -- without bound -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def nothing() -> Footprint:
    """No output reads anything: what does not depend on the input.

    >>> nothing().reads_anything
    False
    """
    return Footprint((EMPTY,), 1)


def everything() -> Footprint:
    """Every output reads every input: global pooling, attention, flatten and linear, statistics over space.

    The local part is empty; unite it with the other branches (`identity() | everything()` is a layer norm over space).

    >>> net = conv(3).then(identity() | everything())
    >>> net.is_global, net.receptive_field
    (True, 3)
    """
    return Footprint((EMPTY,), 1, all_before=True, all_after=True)


def everything_before() -> Footprint:
    """Output j reads inputs up to j: cumulative sums and recurrent networks read from the start.

    >>> everything_before().all_before, everything_before().all_after, everything_before().reach_after
    (True, False, 0)
    """
    return Footprint((TapSet.of([0]),), 1, all_before=True)


def blocks(size: int, shift: int = 0) -> Footprint:
    """Output j reads the block of `size` inputs that holds it, blocks starting at `shift`: window attention.

    >>> blocks(3).at(4), blocks(3, shift=1).at(3)
    (TapSet(3..5), TapSet(1..3))
    """
    (size,) = _positive(size=size)
    (shift,) = exact("shift", shift)
    starts = [shift + (j - shift) // size * size for j in range(size)]
    return Footprint(tuple(TapSet.of(range(start, start + size)) for start in starts), size)


# -- the door ----------------------------------------------------------------------------------------------------


def _positive(**values: Any) -> tuple[int, ...]:
    found = numbers(" ".join(values), *values.values())
    for name, number in zip(values, found, strict=True):
        if number < 1:
            raise BadArgument(f"{name} must be >= 1: {number}", rule=f"{name} >= 1")
    return found


def _before(padding: Padding, kernel_size: int, stride: int, dilation: int) -> int:
    if isinstance(padding, str) and padding.startswith("same") and stride > 1:
        raise BadArgument(f"padding {padding!r} with stride={stride} depends on the input size; use `reads` at a size")
    before, _ = padding_pair(1, kernel_size, stride, padding, dilation)
    return int(before)


def sized(along: Footprint | None, size: Size | None) -> Footprint | None:
    """Return the map with the number of places that it reads from, where that is one.

    >>> sized(identity(), 8).size, sized(None, 8)
    (8, None)
    """
    return replace(along, size=size) if along is not None and isinstance(size, int) else along


def each_sized(maps: Sequence[Footprint | None], sizes: Sequence[Size]) -> list[Footprint | None]:
    """Return the map along each axis as `sized`: one object for axes that are alike, as height and width mostly are.

    >>> [along.size for along in each_sized([identity()] * 2, (8, 9))]
    [8, 9]
    """
    known: dict[tuple[int, int | None], Footprint | None] = {}
    keys = [(id(along), size if isinstance(size, int) else None) for along, size in zip(maps, sizes, strict=True)]
    for key, along in zip(keys, maps, strict=True):
        if key not in known:
            known[key] = sized(along, key[1])
    return [known[key] for key in keys]
