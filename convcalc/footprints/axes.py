"""Footprints on several axes, combined axis by axis; an axis that is not known, None, stays so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from convcalc.errors import ConvcalcError
from convcalc.footprints.footprint import Footprint


def is_product(
    ours: Sequence[Footprint | None], theirs: Sequence[Footprint | None], both: Sequence[Footprint | None]
) -> bool:
    """Whether the union of two products is one: they differ on one axis at most, or one holds the other."""
    own, other, united = _local(ours), _local(theirs), _local(both)
    return sum(a != b for a, b in zip(own, other, strict=True)) <= 1 or united in (own, other)


def _local(axes: Iterable[Footprint | None]) -> list[Footprint | None]:
    return [None if axis is None else axis.local for axis in axes]


def reads_all(footprint: Footprint | None) -> bool:
    """Whether it reads everything, before and after."""
    return footprint is not None and footprint.all_before and footprint.all_after


def each_pair(
    left: Sequence[Footprint | None],
    right: Sequence[Footprint | None],
    combine: Callable[[Footprint, Footprint], Footprint],
) -> tuple[Footprint | None, ...]:
    """Combine axis by axis; axes that are the same objects, as height and width mostly are, only once."""
    known: dict[tuple[int, int], Footprint | None] = {}
    for a, b in zip(left, right, strict=True):
        if (id(a), id(b)) not in known:
            known[id(a), id(b)] = _combined(a, b, combine)
    return tuple(known[id(a), id(b)] for a, b in zip(left, right, strict=True))


def _combined(
    a: Footprint | None, b: Footprint | None, combine: Callable[[Footprint, Footprint], Footprint]
) -> Footprint | None:
    if a is None or b is None:
        return None
    try:
        return combine(a, b)
    except ConvcalcError:  # strides that do not line up, or a pattern without a short period
        return None
