"""Sets of sizes on several axes: boxes, each with a set of sizes for every axis.

    H in 12..15, W in 108..111        {H: SizeSet, W: SizeSet}
    H in 28..31, W in 28..31          ...
    H in 108..111, W in 12..15

One box where axes do not depend on each other; several where they are coupled, as by a linear layer that wants
a fixed number of features of a flattened map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from operator import and_
from typing import Any

from convcalc.errors import BadArgument, NoSuchName, brief
from convcalc.shown import Shown
from convcalc.sizes.axes import per_axis
from convcalc.sizes.sets import Record, SizeSet, union
from convcalc.sizes.size import numbers


@dataclass(frozen=True, repr=False)
class Boxes(Shown):
    """The sizes, one for each of `axes`, that lie in one of `boxes`; a box with nothing on an axis is left out.

    >>> from convcalc.sizes.sets import every, only
    >>> both = Boxes(("H", "W"), ((only(range(12, 16)), only(range(108, 112))), (every(200), every(200))))
    >>> (13, 108) in both, (13, 13) in both, 200 in both, str(both["W"])
    (True, False, True, 'n in 108..111; or n >= 200')
    """

    axes: tuple[str, ...]
    boxes: tuple[tuple[SizeSet, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", tuple(box for box in self.boxes if all(box)))

    def __bool__(self) -> bool:
        return bool(self.boxes)

    def __contains__(self, sizes: Any) -> bool:
        """Whether sizes, one for each axis or one for all, are in a box."""
        values = per_axis("sizes", sizes, len(self.axes))
        return any(all(n in one for n, one in zip(values, box, strict=True)) for box in self.boxes)

    def __getitem__(self, axis: str) -> SizeSet:
        """The sizes of one axis that are in some box."""
        if not isinstance(axis, str) or axis not in self.axes:
            raise NoSuchName(f"no axis {brief(axis)} here: there is {', '.join(self.axes)}")
        place = self.axes.index(axis)
        return union(box[place] for box in self.boxes)

    def __mul__(self, other: Boxes) -> Boxes:
        """Every box of one beside every box of the other, whose axes are others."""
        if not isinstance(other, Boxes):
            return NotImplemented
        return Boxes(self.axes + other.axes, tuple(a + b for a, b in product(self.boxes, other.boxes)))

    def __and__(self, other: Boxes) -> Boxes:
        """What is in a box of both, which have the same axes.

        >>> from convcalc.sizes.sets import every, only
        >>> (Boxes(("n",), ((every(3),),)) & Boxes(("n",), ((only([2, 4]),), (only([1]),)))).lines()
        ['n is 4']
        """
        if not isinstance(other, Boxes):
            return NotImplemented
        pairs = product(self.boxes, other.ordered(self.axes).boxes)
        return Boxes(self.axes, tuple(tuple(map(and_, a, b)) for a, b in pairs))

    def __or__(self, other: Boxes) -> Boxes:
        """What is in a box of either, which have the same axes; boxes that differ on one axis alone become one.

        >>> from convcalc.sizes.sets import every, only
        >>> even, odd = SizeSet(2, (0,)), SizeSet(2, (1,))
        >>> (Boxes(("H", "W"), ((even, every(3)),)) | Boxes(("H", "W"), ((odd, every(3)),))).lines()
        ['every H, W >= 3']
        """
        if not isinstance(other, Boxes):
            return NotImplemented
        return Boxes(self.axes, _merged([*self.boxes, *other.ordered(self.axes).boxes]))

    def __sub__(self, other: Boxes) -> Boxes:
        """What is in no box of `other`, which has the same axes; the boxes that are left do not overlap.

        >>> from convcalc.sizes.sets import every
        >>> (Boxes(("H", "W"), ((every(), every()),)) - Boxes(("H", "W"), ((every(4), every(8)),))).lines()
        ['H in 0..3, every W', 'H >= 4, W in 0..7']
        """
        if not isinstance(other, Boxes):
            return NotImplemented
        left = list(self.boxes)
        for gone in other.ordered(self.axes).boxes:
            left = [rest for box in left for rest in _without(box, gone)]
        return Boxes(self.axes, tuple(left))

    def ordered(self, axes: Sequence[str]) -> Boxes:
        """Return the same boxes with the axes in another order."""
        if sorted(axes) != sorted(self.axes):
            raise BadArgument(f"the axes are {', '.join(self.axes)}: got {', '.join(map(str, axes))}")
        places = [self.axes.index(axis) for axis in axes]
        return Boxes(tuple(axes), tuple(tuple(box[place] for place in places) for box in self.boxes))

    def nearest(self, sizes: Any, most: int = 4) -> list[tuple[int, ...]]:
        """Return members close to `sizes`, the closest first: least change in all, then the smaller sizes.

        >>> from convcalc.sizes.sets import only
        >>> Boxes(("H", "W"), ((only(range(28, 32)), only(range(28, 32))),)).nearest((30, 36))
        [(30, 31)]
        >>> Boxes(("n",), ((SizeSet(16, (12,), 188),),)).nearest(350)
        [(348,), (364,)]
        """
        values = numbers(" ".join(self.axes), *per_axis("sizes", sizes, len(self.axes)))
        found: set[tuple[int, ...]] = set()
        for box in self.boxes:
            near = [one.nearest(n) for n, one in zip(values, box, strict=True)]
            found.update(product(*({n for n in pair if n is not None} for pair in near)))
        return sorted(found, key=lambda one: (sum(abs(a - b) for a, b in zip(one, values, strict=True)), one))[:most]

    def lines(self) -> list[str]:
        """Return one line of words for each box.

        >>> from convcalc.sizes.sets import every
        >>> Boxes(("H", "W"), ((every(32), every(64)),)).lines()
        ['H >= 32, W >= 64']
        """
        named = [zip(self.axes, box, strict=True) for box in self.boxes]
        return [", ".join(one.text(axis) for axis, one in pairs) for pairs in named] or ["no size"]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def records(self) -> list[dict[str, Record]]:
        """Return them for JSON.

        >>> from convcalc.sizes.sets import every
        >>> Boxes(("n",), ((every(32),),)).records()
        [{'n': {'modulus': 1, 'residues': [0], 'minimum': 32, 'finite': []}}]
        """
        return [{axis: one.record() for axis, one in zip(self.axes, box, strict=True)} for box in self.boxes]


def united(axes: Sequence[str], many: Iterable[Boxes]) -> Boxes:
    """Return what is in any of many boxes, all over `axes`: as `|`, at once.

    >>> from convcalc.sizes.sets import only
    >>> united(["n"], [Boxes(("n",), ((only([size]),),)) for size in range(4)]).lines()
    ['n in 0..3']
    """
    return Boxes(tuple(axes), _merged([box for boxes in many for box in boxes.boxes]))


def _without(box: tuple[SizeSet, ...], gone: tuple[SizeSet, ...]) -> Iterator[tuple[SizeSet, ...]]:
    """What is left of a box: on the first axis what is not gone, and of the rest of it what is not on the others."""
    common = list(map(and_, box, gone))
    if not all(common):
        yield box
        return
    for axis, (own, other) in enumerate(zip(box, gone, strict=True)):
        if rest := own - other:
            yield (*common[:axis], rest, *box[axis + 1 :])


def _merged(boxes: Sequence[tuple[SizeSet, ...]]) -> tuple[tuple[SizeSet, ...], ...]:
    """The same sizes in fewer boxes: those that differ on one axis alone are united, as long as there are any."""
    found = list(dict.fromkeys(box for box in boxes if all(box)))
    before = 0
    while len(found) != before:
        before = len(found)
        for axis in range(len(found[0]) if found else 0):
            same: dict[tuple[SizeSet, ...], list[SizeSet]] = {}
            for box in found:
                same.setdefault((*box[:axis], *box[axis + 1 :]), []).append(box[axis])
            found = [(*rest[:axis], union(ones), *rest[axis:]) for rest, ones in same.items()]
    firsts = [tuple(next(iter(one)) for one in box) for box in found]
    return tuple(box for box, first in zip(found, firsts, strict=True) if not _is_within(box, first, found))


def _is_within(box: tuple[SizeSet, ...], first: tuple[int, ...], others: Sequence[tuple[SizeSet, ...]]) -> bool:
    """Whether a box, of which `first` is a member, lies in another."""
    for other in others:
        shares = other is not box and all(n in one for n, one in zip(first, other, strict=True))
        if shares and not any(_without(box, other)):
            return True
    return False
