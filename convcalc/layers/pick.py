"""Indexing with several index tensors, or with some beside slices: `x[:, rows, :, cols]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.conditions import Check, enforce
from convcalc.errors import BadShape
from convcalc.expr import Expr
from convcalc.field import Field
from convcalc.layers.base import Layer, Shape, written
from convcalc.layers.index import Index
from convcalc.layers.merge import Elementwise
from convcalc.sizes import Size

TENSOR = "tensor"
"""Stands among the items where an index tensor does."""


class Listed(NamedTuple):
    """Places of an axis that are written down: `x[:, [0, 2]]`.

    >>> from convcalc.layers.index import Slice
    >>> Pick((Slice(), Listed((0, 2)))).out_shape((8, 5))
    (8, 2)
    """

    places: tuple[int, ...]


class _Indices(Elementwise):
    op: ClassVar[str] = "pick"


@dataclass(frozen=True)
class Pick(Layer):
    """`x[items]` with index tensors among the items: each "tensor" is one of the inputs after the first.

    Other items are those of `Index`; ints take their axis away first. The index tensors are broadcast; their axes stand
    where the first of them stood, or in front where other axes are between them.

    >>> from convcalc.layers.index import Slice
    >>> Pick((Slice(), "tensor", "tensor")).out_shape((8, 49, 49, 3), (5,), (4, 1))
    (8, 4, 5, 3)
    >>> Pick(("tensor", Slice(), "tensor")).out_shape((8, 49, 49), (5,), (5,))
    (5, 49)
    """

    op: ClassVar[str] = "pick"
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    items: tuple[Any, ...]

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
        common = _Indices().out_shape(*broadcast, check=check) if broadcast else ()
        sizes: list[Size] = []
        places: list[int] = []
        rest, position = iter(shape), 0
        number = 0
        for item in self.items:
            if isinstance(item, int | Expr):
                Index((item,)).out_shape((next(rest),), check=check)
                continue
            number += 1
            if item == TENSOR or isinstance(item, Listed):
                if not places:
                    position = len(sizes)
                places.append(number)
                size = next(rest)
                for place in () if item == TENSOR else item.places:
                    Index((place,)).out_shape((size,), check=check)
            else:
                sizes += Index((item,)).out_shape(() if item is None else (next(rest),), check=check)
        together = not places or places == list(range(places[0], places[-1] + 1))
        position = position if together else 0
        return (*sizes[:position], *common, *sizes[position:], *rest)

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: the indices may point anywhere."""
        return Field.unknown(len(fields[0].axes))
