"""What a layer reads of one input axis, given what it reads along each axis of a tensor.

The footprint of an input axis speaks of positions; the digits of a position lie on axes of the tensor (see
`footprints.layout`). A layer that sums over an axis, slices it, or slides along it does so to the digits there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from convcalc.errors import ConvcalcError
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.layout import (
    Part,
    Place,
    Shape,
    block_of,
    channels_first,
    coarser,
    cut,
    joined,
    lift,
    reading,
    renumbered,
    together,
    touched,
)
from convcalc.footprints.stencils import everything, identity, sized
from convcalc.footprints.taps import TapSet

Reads: TypeAlias = Mapping[int, Footprint | None]
"""What a layer reads along axes of a tensor; None for what is not followed, identity where an axis is not named."""

Ends: TypeAlias = tuple[bool, int | None, bool, int | None]

SELF = identity()
ALL = everything()
SELF_AND_ALL = SELF | ALL
HERE = TapSet.of([0])


class Axis(NamedTuple):
    """The footprint of one input axis, and the place of its positions.

    The footprint is None where it is no periodic map, of digits that are known; the place too where nothing is known.
    """

    footprint: Footprint | None
    place: Place | None
    exact: bool = True

    @property
    def is_everywhere(self) -> bool:
        """Whether all positions of the tensor read the same, without a local part: everything, or nothing."""
        return not self.place and self.footprint is not None and not any(self.footprint.phases)


UNKNOWN = Axis(None, None, exact=False)


def placed(footprint: Footprint | None, place: Place | None) -> Axis:
    """Return an axis whose place is needed only where positions read differently, and known where its footprint is.

    >>> placed(ALL, None) == Axis(ALL, ()), placed(SELF, None) == UNKNOWN
    (True, True)
    """
    if footprint is not None and not any(footprint.phases):
        return Axis(footprint, ())
    return UNKNOWN if place is None else Axis(footprint, place)


def over(axis: Axis, reads: Reads, shape: Shape, out: Shape) -> Axis:
    """Return the axis behind a layer that reads so along the axes of a tensor, and gives one of the shape `out`.

    >>> from convcalc.footprints.stencils import pool
    >>> windows = (1, 8, 7, 96)                             # 8 windows of 7 positions
    >>> start = Axis(SELF, channels_first((1, 96, 56)))._replace(place=together([*channels_first((1, 1, 56, 96))[0]]))
    >>> over(start, {2: ALL}, windows, (1, 8, 1, 96)).footprint == pool(7)
    True
    """
    if axis.is_everywhere:
        return Axis(axis.footprint, ())
    parts = _parts(axis, shape)
    if parts is None:
        return UNKNOWN
    here = {part.axis for part in parts}
    read = {place: reads.get(place, SELF) for place in here}
    own = {
        place: sized(along, shape[place])
        for place, along in read.items()
        if along != SELF or along.wraps or out[place] != shape[place]
    }
    if not own and shape == out:
        return axis
    footprint, exact = axis.footprint, axis.exact
    if footprint == SELF and footprint.size is None and parts:
        heaviest = max(parts)
        footprint = sized(footprint, heaviest.weight * heaviest.size)
    if footprint is not None and any(part.weight == 0 for part in parts):
        footprint, exact = None, False
    whole = footprint is not None and _fills(parts, parts[0], shape) if parts else False
    wide = {} if whole else {place: along for place, along in own.items() if along in (ALL, SELF_AND_ALL)}
    if wide:
        footprint, parts, exact = _sum(footprint, parts, wide, exact)
    for place, along in own.items():
        if place not in wide and any(part.axis == place for part in parts):
            moved = None if along is None or footprint is None else _along(footprint, parts, place, along, shape, out)
            if moved is None:
                if out[place] == 1:
                    return UNKNOWN
                moved = None, (*(part for part in parts if part.axis != place), Part(0, out[place], place, 1))
            footprint, parts = moved
            exact = exact and footprint is not None
    if footprint is not None and not any(footprint.phases):
        parts = ()
    return Axis(footprint, joined(parts, out), exact)


def _parts(axis: Axis, shape: Shape) -> tuple[Part, ...] | None:
    """The digits cut at the borders of axes; where they do not fit between these, all axes they touch, weightless."""
    if axis.place is None:
        return None
    parts = cut(axis.place, shape)
    return touched(axis.place, shape) if parts is None else parts


def _fills(parts: Sequence[Part], part: Part, shape: Shape) -> bool:
    """Whether this digit is all of its axis, and of the position."""
    return len(parts) == 1 and part.inner == 1 and part.size == shape[part.axis]


def _sum(
    footprint: Footprint | None, parts: tuple[Part, ...], wide: Reads, exact: bool
) -> tuple[Footprint | None, tuple[Part, ...], bool]:
    """Outputs read all values of the digits on the axes `wide`; these stay on axes that are read beside themselves."""
    read = [part for part in parts if part.axis in wide]
    kept = tuple(part for part in parts if part.axis not in wide or wide[part.axis] == SELF_AND_ALL)
    if footprint is None:
        return (ALL, (), exact) if len(read) == len(parts) else (None, kept, False)
    order = sorted(parts)
    if order[-1] not in read:
        digits = tuple((part.size, 0 if part in read else part.weight) for part in order if part in kept)
        return _then(footprint, reading(digits, block_of(read))), renumbered(kept), exact
    exact = exact and len(read) == len(parts)  # of the heaviest digit alone a comb is read, as far as the axis goes
    if len(kept) == len(parts):
        return _then(footprint, SELF_AND_ALL), kept, exact
    return ALL, (), exact


def _along(
    footprint: Footprint, parts: tuple[Part, ...], place: int, along: Footprint, shape: Shape, out: Shape
) -> tuple[Footprint | None, tuple[Part, ...]] | None:
    """What is read along the digits on one axis of the tensor; None where that is no map of positions."""
    own = [part for part in parts if part.axis == place]
    if len(parts) == 1:
        filled = own[0] if _fills(parts, own[0], shape) else None
        if filled is None and own[0].inner * own[0].size == shape[place]:  # each position serves several places
            finer = reading(((own[0].inner, 0), (own[0].size, 1)), HERE)
            along, filled = finer.then(along), own[0]
        if filled is not None:
            return _then(footprint, along), (Part(1, out[place], place, 1),)
    if along.is_global or along.shift != 0 or len(own) > 1 or own[0].inner != 1 or own[0].size != shape[place]:
        return None
    (part,) = own
    order = sorted(parts)
    first = along.phases[0].first
    if len(along.phases) == 1 and along.phases[0].total == 1:
        last = first + along.step * (out[place] - 1)
        if part == order[-1] or (first >= 0 and last < part.size):
            digits = tuple(
                (out[place], part.weight * along.step) if one == part else (one.size, one.weight) for one in order
            )
            shifted = reading(tuple(digit for digit in digits if digit[0] != 1), HERE, first * part.weight)
            rest = [one._replace(size=out[place]) if one == part else one for one in parts]
            return _then(
                footprint, replace(shifted, wraps=along.wraps, size=order[-1].weight * order[-1].size)
            ), renumbered(rest)
    if part != order[-1]:
        return None
    rest = [one._replace(size=out[place]) if one == part else one for one in parts]
    return _then(
        footprint, replace(coarser(along, part.weight), wraps=along.wraps, size=part.weight * part.size)
    ), tuple(rest)


def _then(footprint: Footprint | None, along: Footprint) -> Footprint | None:
    return None if footprint is None else _composed(footprint, along, _flags(footprint, along))


def _flags(a: Footprint, b: Footprint) -> Ends:
    """What makes no difference to equality."""
    return a.wraps, a.size, b.wraps, b.size


@lru_cache(maxsize=2048)
def _composed(footprint: Footprint, along: Footprint, flags: Ends) -> Footprint | None:
    try:
        return footprint.then(along)
    except ConvcalcError:  # a pattern without a short period
        return None


def moved(axis: Axis, places: Sequence[int | None], shape: Shape, out: Shape) -> Axis:
    """Return the axis where axis i of the tensor has become axis places[i]; None for one left out, of size 1.

    >>> moved(Axis(SELF, channels_first((1, 8, 6))[0]), (0, 2, 1), (1, 8, 6), (1, 6, 8)).place
    (Digit(weight=1, size=6, stride=8),)
    """
    if axis.is_everywhere:
        return Axis(axis.footprint, ())
    parts = _parts(axis, shape)
    if parts is None or any(places[part.axis] is None for part in parts):
        return UNKNOWN
    known = axis.footprint is not None and all(part.weight for part in parts)
    own = [part._replace(axis=place) for part in parts if (place := places[part.axis]) is not None]
    return Axis(axis.footprint if known else None, joined(tuple(own), out), axis.exact and known)


def aligned(a: Axis, b: Axis) -> tuple[Axis, Axis] | None:
    """Return both at one place; None where they have the positions of one input axis on different axes of a tensor.

    >>> from convcalc.footprints.stencils import nearest, pool
    >>> (whole,), (half,) = channels_first((1, 1, 8)), channels_first((1, 1, 4, 2))[:1]
    >>> aligned(Axis(SELF, whole), Axis(pool(2), half))[1].footprint == pool(2).then(nearest(2))
    True
    """
    if a.is_everywhere or b.is_everywhere or a.place is None or b.place is None or a.place == b.place:
        return a, b
    if a.footprint is None or b.footprint is None:
        return (a, b._replace(place=a.place)) if _loose(a.place) == _loose(b.place) else None
    finer = lift(a.place, b.place)
    if finer is not None:
        return a._replace(footprint=_then(a.footprint, finer), place=b.place), b
    finer = lift(b.place, a.place)
    return None if finer is None else (a, b._replace(footprint=_then(b.footprint, finer), place=a.place))


def united(a: Axis, b: Axis) -> Axis:
    """Return what either reads, of two that are aligned.

    >>> united(Axis(ALL, ()), Axis(None, channels_first((1, 1, 8))[0], exact=False)).footprint == ALL
    True
    """
    if b.is_everywhere:
        a, b = b, a
    if a.is_everywhere:
        return _beside(a, b)
    if a.place is None or b.place is None:
        return UNKNOWN
    if a.footprint is None or b.footprint is None:
        return Axis(None, a.place, exact=False)
    try:
        either = _either(a.footprint, b.footprint, _flags(a.footprint, b.footprint))
        return Axis(either, a.place, a.exact and b.exact)
    except ConvcalcError:  # unequal strides
        return Axis(None, a.place, exact=False)


@lru_cache(maxsize=1024)
def _either(a: Footprint, b: Footprint, flags: Ends) -> Footprint:
    return a if a is b else a | b


def _beside(everywhere: Axis, other: Axis) -> Axis:
    """Everything, or nothing, beside what is read at each position."""
    found = everywhere.footprint
    if found is None or not found.reads_anything:
        return other
    if other.footprint is None:
        return everywhere if found.all_before and found.all_after else other
    either = _either(found, other.footprint, _flags(found, other.footprint))
    return Axis(either, other.place, everywhere.exact and other.exact)


def spread(a: Axis, b: Axis) -> Axis:
    """Return what either reads where they do not unite: an unknown map of all their digits.

    >>> places = channels_first((1, 1, 8, 8))
    >>> len(spread(Axis(SELF, places[0]), Axis(SELF, places[1])).place)
    1
    """
    if a.place is None or b.place is None:
        return UNKNOWN
    return Axis(None, _loose((*a.place, *b.place)), exact=False)


def _loose(place: Place) -> Place:
    """The digits without their order: what an unknown map depends on."""
    return together(digit._replace(weight=0) for digit in place)


def channels_first_if_possible(axes: Sequence[Axis], shape: Shape) -> tuple[Footprint | None, ...] | None:
    """Return the footprints on the axes after batch and channels; None where an axis cannot be put on its own.

    >>> from convcalc.footprints.stencils import nearest
    >>> half = Axis(SELF, channels_first((1, 1, 4, 2))[0])
    >>> channels_first_if_possible([half], (1, 1, 8)) == (nearest(2),)
    True
    """
    found = []
    for axis, wanted in zip(axes, places_of(shape, len(axes)), strict=True):
        footprint = axis.footprint
        if not axis.is_everywhere and axis.place != wanted:
            if axis.place is None or wanted is None:
                return None
            if footprint is None:
                if _loose(axis.place) != _loose(wanted):
                    return None
            else:
                finer = lift(axis.place, wanted)
                if finer is None:
                    return None
                footprint = _then(footprint, finer)
        elif wanted is None and axis.place is None:
            return None
        found.append(footprint)
    return tuple(found)


def places_of(shape: Shape, axes: int) -> tuple[Place | None, ...]:
    """Return the places of `axes` input axes in a tensor (N, C, ...), None for each in any other.

    >>> places_of((1, 8), 2)
    (None, None)
    """
    return channels_first(shape) if len(shape) == axes + 2 else (None,) * axes


def repeats(shape: Shape, out: Shape, reads: Reads) -> bool:
    """Whether a single position serves several places of the output."""
    if shape == out:
        return False
    return any(
        place not in reads and isinstance(size, int) and size == 1 != out[place] for place, size in enumerate(shape)
    )
