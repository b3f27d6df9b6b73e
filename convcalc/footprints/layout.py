"""Where the positions of an input axis lie in a tensor: digits of a position, found in the tensor's flat index.

Tokens, windows and patches move positions to other axes of a tensor, merge axes and split them. A position is
written in digits, j = sum of digit * weight, and each digit stands at a stride of the row-major index of the tensor::

    digit = index // stride % size

    x                          (1, C, 6, W)        one digit: weight 1, size 6, stride W
    x.view(1, C, 2, 3, W)      (1, C, 2, 3, W)     the same digit: a view moves nothing
    .permute(0, 2, 1, 3, 4)    (1, 2, C, 3, W)     weight 3, size 2, stride C*3*W; weight 1, size 3, stride W

A view, flatten or squeeze leaves every stride as it is; what moves axes first cuts digits at their borders. What no
digit names, batch and channels, carries no position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from convcalc.errors import BadArgument
from convcalc.footprints.footprint import MAX_PHASES, Footprint
from convcalc.footprints.taps import TapSet
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

Shape: TypeAlias = tuple[Size, ...]


class Digit(NamedTuple):
    """A digit of a position: index // stride % size, times its weight."""

    weight: int
    size: Size
    stride: Size


class Part(NamedTuple):
    """A digit within one axis of a tensor: place // inner % size, where place is that on the axis."""

    weight: int
    size: Size
    axis: int
    inner: int


Place: TypeAlias = tuple[Digit, ...]
"""The digits of one input axis, lightest first; where the footprint is unknown, all that it may depend on."""


@lru_cache(maxsize=1024)
def strides(shape: Shape) -> Shape:
    """Return how far apart neighbours on each axis lie in row-major order.

    >>> strides((2, 3, 4))
    (12, 4, 1)
    """
    steps: list[Size] = []
    step: Size = 1
    for size in reversed(shape):
        steps.append(step)
        step = step * size
    return tuple(reversed(steps))


@lru_cache(maxsize=1024)
def channels_first(shape: Shape) -> tuple[Place, ...]:
    """Return the places of the spatial axes of a shape (N, C, ...).

    >>> channels_first((1, 8, 6, 1))
    ((Digit(weight=1, size=6, stride=1),), ())
    """
    return tuple(place_along(shape, axis) for axis in range(2, len(shape)))


def place_along(shape: Shape, axis: int) -> Place:
    """Return the place of an input axis that is an axis of a tensor of this shape.

    >>> place_along((1, 8, 6), 1)
    (Digit(weight=1, size=8, stride=6),)
    """
    return () if _is_one(shape[axis]) else (Digit(1, shape[axis], strides(shape)[axis]),)


@lru_cache(maxsize=4096)
def cut(place: Place, shape: Shape) -> tuple[Part, ...] | None:
    """Return the digits cut at the borders of the axes of `shape`; None where one does not fit between them.

    >>> cut((Digit(1, 6, 4),), (2, 3, 4))
    (Part(weight=1, size=3, axis=1, inner=1), Part(weight=3, size=2, axis=0, inner=1))
    >>> cut((Digit(1, 6, 4),), (4, 3, 2)) is None
    True
    """
    steps = strides(shape)
    parts: list[Part] = []
    for digit in place:
        own = _cut(digit, shape, steps)
        if own is None:
            return None
        parts += own
    return tuple(parts)


def _cut(digit: Digit, shape: Shape, steps: Shape) -> list[Part] | None:
    weight, size, stride = digit
    for axis, step in enumerate(steps):
        if step == stride and shape[axis] == size:
            return [Part(weight, size, axis, 1)]
    if not (isinstance(size, int) and isinstance(stride, int) and _all_ints(shape)):
        return None
    parts = []
    for axis in reversed(range(len(shape))):
        step, length = int(steps[axis]), int(shape[axis])
        if not step <= stride < step * length:
            continue
        inner, off = divmod(stride, step)
        if off or length % inner:
            return None
        room = length // inner
        own = min(size, room)
        if room % own or size % own:
            return None
        parts.append(Part(weight, own, axis, inner))
        weight, size, stride = weight * own, size // own, stride * own
        if size == 1:
            return parts
    return None


@lru_cache(maxsize=1024)
def touched(place: Place, shape: Shape) -> tuple[Part, ...]:
    """Return all axes of `shape` on which the digits depend, whole and without weight.

    >>> touched((Digit(1, 6, 4),), (4, 3, 2))
    (Part(weight=0, size=3, axis=1, inner=1), Part(weight=0, size=4, axis=0, inner=1))
    """
    steps = strides(shape)
    return tuple(
        Part(0, shape[axis], axis, 1)
        for axis in reversed(range(len(shape)))
        if not _is_one(shape[axis]) and any(_depends(digit, steps[axis], shape[axis]) for digit in place)
    )


def _depends(digit: Digit, step: Size, size: Size) -> bool:
    """Whether a digit may depend on the place on an axis of this stride and size: not if it is all above or below."""
    return not (_divides(step * size, digit.stride) or _divides(digit.stride * digit.size, step))


def _divides(divisor: Size, size: Size) -> bool:
    """Whether it does for all that symbols stand for, as far as is known."""
    rest = size % divisor
    return rest.is_constant and rest.constant == 0 if isinstance(rest, Expr) else rest == 0


@lru_cache(maxsize=4096)
def joined(parts: tuple[Part, ...], shape: Shape) -> Place:
    """Return parts of axes as digits, neighbours joined.

    >>> joined(cut((Digit(1, 6, 4),), (2, 3, 4)), (2, 3, 4))
    (Digit(weight=1, size=6, stride=4),)
    """
    steps = strides(shape)
    own = [Digit(part.weight, part.size, steps[part.axis] * part.inner) for part in parts if not _is_one(part.size)]
    return together(own)


def together(digits: Iterable[Digit]) -> Place:
    """Return the digits in order, those that stand beside each other as one.

    >>> together([Digit(3, 2, 12), Digit(1, 3, 4)])
    (Digit(weight=1, size=6, stride=4),)
    """
    own = list(dict.fromkeys(digits))
    if len(own) < 2 or not all(isinstance(digit.stride, int) and isinstance(digit.size, int) for digit in own):
        return tuple(own)
    found: list[Digit] = []
    for digit in sorted(own, key=lambda digit: (digit.weight, digit.stride)):
        last = found[-1] if found else None
        if last and digit.stride == last.stride * last.size and digit.weight == last.weight * last.size:
            found[-1] = Digit(last.weight, last.size * digit.size, last.stride)
        else:
            found.append(digit)
    return tuple(found)


def renumbered(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts with the weights they have when they are all the digits there are.

    >>> renumbered([Part(weight=7, size=8, axis=2, inner=1)])
    (Part(weight=1, size=8, axis=2, inner=1),)
    """
    found, weight = [], 1
    for part in sorted(parts):
        if not _is_one(part.size):
            found.append(part._replace(weight=weight))
            weight = weight * part.size
    return tuple(found)


# -- what digits read ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def reading(kept: tuple[tuple[int, int], ...], block: TapSet, start: int = 0) -> Footprint:
    """Output j, whose digits have the sizes in `kept`, reads start + sum of digit * weight, and the block from there.

    The heaviest digit comes last; it has no end here. Raises `BadArgument` past `MAX_PHASES`.

    >>> from convcalc.footprints.stencils import blocks, nearest
    >>> reading(((7, 0), (8, 7)), TapSet.of(range(7))) == blocks(7)
    True
    >>> reading(((2, 0), (8, 1)), TapSet.of([0])) == nearest(2)
    True
    """
    bases = [start]
    for size, weight in kept[:-1]:
        if size * len(bases) > MAX_PHASES:
            raise BadArgument(
                f"the pattern of {size * len(bases)} positions is too long to follow: at most {MAX_PHASES}"
            )
        bases = [base + digit * weight for digit in range(size) for base in bases]
    phases = tuple(TapSet.gather([(block, base, 1)]) for base in bases)
    return Footprint(phases, kept[-1][1] if kept else 1).reduced()


def block_of(parts: Iterable[Part]) -> TapSet:
    """Return the positions that digits of all values reach.

    >>> block_of([Part(1, 2, 0, 1), Part(6, 2, 1, 1)])
    TapSet(0..1, 6..7)
    """
    block = TapSet.of([0])
    for part in parts:
        block = block.spread(TapSet.from_bits((1 << int(part.size)) - 1), part.weight)
    return block


def coarser(footprint: Footprint, weight: int) -> Footprint:
    """Return what is read where `footprint` moves the heaviest digit, of this weight, and leaves the lighter alone.

    >>> from convcalc.footprints.stencils import conv
    >>> coarser(conv(3), 2) == conv(3, dilation=2)
    True
    """
    zero = TapSet.of([0])
    phases = tuple(
        TapSet.gather([(zero.spread(taps.support, weight), low, 1)])
        for taps in footprint.phases
        for low in range(weight)
    )
    return Footprint(phases, footprint.step * weight).reduced()


@lru_cache(maxsize=4096)
def lift(low: Place, high: Place) -> Footprint | None:
    """Return what a position with the digits `high` reads of one that has only the digits `low`; None if it cannot be.

    >>> from convcalc.footprints.stencils import nearest
    >>> lift((Digit(1, 4, 2),), (Digit(1, 8, 1),)) == nearest(2)
    True
    >>> lift((Digit(1, 2, 1),), (Digit(1, 8, 1),)) is None
    True
    """
    if not (low and high and _all_ints(value for place in (low, high) for digit in place for value in digit)):
        return None
    borders = sorted({end for digit in (*low, *high) for end in (digit.stride, digit.stride * digit.size)})
    ours, theirs = _atoms(low, borders), _atoms(high, borders)
    if ours is None or theirs is None:
        return None
    weights = {(size, stride): weight for weight, size, stride in ours}
    kept = tuple((size, weights.pop((size, stride), 0)) for _, size, stride in theirs)
    return None if weights or kept[-1][1] != ours[-1].weight else reading(kept, TapSet.of([0]))


def _atoms(place: Place, borders: Sequence[int]) -> list[Digit] | None:
    """The digits cut at all borders that lie within them."""
    atoms = []
    for weight, size, stride in place:
        ends = [end for end in borders if stride <= end <= stride * size]
        for a, b in pairwise(ends):
            if b % a:
                return None
            atoms.append(Digit(weight * (a // stride), b // a, a))
    return atoms


def _is_one(size: Size) -> bool:
    return isinstance(size, int) and size == 1


def _all_ints(sizes: Iterable[Size]) -> bool:
    return all(isinstance(size, int) for size in sizes)
