"""Indexing with several index tensors, or with some beside slices: `x[:, rows, :, cols]`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, axis_of, written
from convcalc.layers.indexing import Back, Ends, Index, Slice, check_reach, sign_of
from convcalc.layers.merge import Combine
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

TENSOR = "tensor"
"""Stands among the items where an index tensor does."""


class Listed(NamedTuple):
    """Places of an axis that are written down: `x[:, [0, 2]]`.

    >>> from convcalc.layers.indexing import Slice
    >>> Pick((Slice(), Listed((0, 2)))).out_shape((8, 5))
    (8, 2)
    """

    places: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Pick(Layer):
    """`x[items]` with index tensors among the items: each "tensor" is one of the inputs after the first.

    Other items are those of `Index`; ints take their axis away first. The index tensors are broadcast; their axes stand
    where the first of them stood, or in front where other axes are between them.

    >>> from convcalc.layers.indexing import Slice
    >>> Pick((Slice(), "tensor", "tensor")).out_shape((8, 49, 49, 3), (5,), (4, 1))
    (8, 4, 5, 3)
    >>> Pick(("tensor", Slice(), "tensor")).out_shape((8, 49, 49), (5,), (5,))
    (5, 49)
    """

    takes: ClassVar[tuple[int, int | None]] = (1, None)
    items: tuple[Any, ...]
    _: KW_ONLY
    reaches: tuple[Ends | None, ...] = ()
    """From where to where each index tensor goes, where that is known."""

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The axes of the index tensors among those that are left."""
        shape, *indices = shapes
        if sum(item is not None for item in self.items) > len(shape):
            raise BadShape(f"{len(self.items)} axes are indexed, and {written(shape)} has {len(shape)}")
        given = iter(indices)
        broadcast = [
            next(given) if item == TENSOR else (len(item.places),)
            for item in self.items
            if item == TENSOR or isinstance(item, Listed)
        ]
        common = Combine("pick").out_shape(*broadcast, check=check) if broadcast else ()
        sizes: list[Size] = []
        places: list[int] = []
        rest, position = iter(shape), 0
        reaches = iter(self.reaches)
        number = 0
        for item in self.items:
            if isinstance(item, int | Expr | Back):
                Index((item,)).out_shape((next(rest),), check=check)
                continue
            number += 1
            if item == TENSOR or isinstance(item, Listed):
                if not places:
                    position = len(sizes)
                places.append(number)
                size = next(rest)
                if item == TENSOR:
                    check_reach(next(reaches, None), size, check, wraps=True)
                for place in () if item == TENSOR else item.places:
                    Index((place,)).out_shape((size,), check=check)
            else:
                sizes += Index((item,)).out_shape(() if item is None else (next(rest),), check=check)
        together = not places or places == list(range(places[0], places[-1] + 1))
        position = position if together else 0
        return (*sizes[:position], *common, *sizes[position:], *rest)

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As of `Index`, where slices and places stand among the items."""
        sizes = iter(shapes[0])
        chosen: list[Branch] = []
        for item in self.items:
            size = None if item is None else next(sizes)
            if isinstance(item, Slice):
                chosen += item.choices(size)
            elif isinstance(item, int | Expr | Back):
                chosen += sign_of(item)
        return tuple(chosen)


@dataclass(frozen=True, eq=False, repr=False)
class Gather(Layer):
    """Values along axis `dim` of the second input by the first, an index of the output's shape (torch's `gather`).

    >>> Gather(dim=1).out_shape((8, 3), (8, 100))
    (8, 3)
    """

    looks_up: ClassVar[tuple[int, int | None] | None] = (0, 1)
    takes: ClassVar[tuple[int, int | None]] = (2, 2)
    _: KW_ONLY
    dim: int = 0
    reach: Ends | None = None
    """From where to where the index goes, where that is known."""

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The index's shape, which is no larger on the other axes."""
        index, shape = shapes
        if len(index) != len(shape):
            raise BadShape(f"gather takes an index with as many axes: got {written(shape)} and {written(index)}")
        dim = axis_of("gather", "dim", self.dim, shape) if shape else 0
        for axis, (count, size) in enumerate(zip(index, shape, strict=True)):
            if axis != dim:
                check(
                    size - count,
                    lambda at: BadShape(
                        f"gather takes an index no larger than {written(shape, at)} but on axis {dim}: "
                        f"got {written(index, at)}"
                    ),
                )
        if shape:
            check_reach(self.reach, shape[dim], check, wraps=False)
        return index
