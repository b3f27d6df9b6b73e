"""A stretch of an axis that must be there: `narrow`, which does not clip as a slice does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.layers.base import Shape, written
from convcalc.layers.indexing import Back, Index, Slice, sign_of
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class Narrow(Index):
    """As `Index` of one slice, the last item, all of which must be within the axis (torch's `narrow`).

    >>> Narrow((Slice(), Slice(2, 7))).out_shape((1, 8))
    (1, 5)
    >>> Narrow((Slice(), Slice(2, 7))).out_shape((1, 6))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: narrow of rows 2 to 7 does not fit axis 1 of (1, 6)
    """

    op: ClassVar[str] = "narrow"

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape with the length of the stretch on its axis."""
        axis = len(self.items) - 1
        start, stop = _ends(self.items[-1], shape[axis])
        for room in (start, stop - start, shape[axis] - stop):
            check(
                room,
                lambda at: BadShape(
                    f"narrow of rows {at(start)} to {at(stop)} does not fit axis {axis} of "
                    f"{written(tuple(map(at, shape)))}",
                    rule="what is narrowed to is within the axis",
                ),
            )
        return (*shape[:axis], stop - start, *shape[axis + 1 :])

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """From which end it is counted."""
        return sign_of(self.items[-1].start)


def _ends(piece: Slice, size: Size) -> tuple[Size, Size]:
    start, stop = (size - end.rows if isinstance(end, Back) else end for end in (piece.start, piece.stop))
    return start, size if stop is None else stop
