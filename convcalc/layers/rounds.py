"""Slices and entries of an axis by the number of a round: what a loop takes in all of its rounds, or in the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, written
from convcalc.layers.indexing import Index, Narrow, Slice  # noqa: F401 -- Slice: of the example
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


class Window(NamedTuple):
    """A slice of `rows` in each round, with its start and its stop in the first and in the last of them."""

    rows: Size
    starts: tuple[Size, ...]
    stops: tuple[Size, ...]


class Entries(NamedTuple):
    """One entry in each round: its place in the first and in the last; `back`, counted from the end."""

    places: tuple[Size, ...]
    back: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class InEachRound(Layer):
    """`x[items]` in all rounds of a loop from one to another: a `Window`, `Entries`, or as of `Index` in all of them.

    Places rise by as much each round, so that what holds in the first and in the last holds in all. `strict` as of
    `Narrow`: what is not within the axis is refused; a slice would be cut there, and is another then.

    >>> InEachRound((Slice(), Window(4, (0, 8), (4, 12)), Entries((0, 2)))).out_shape((1, 12, 3))
    (1, 4)
    """

    op: ClassVar[str] = "index"
    items: tuple[Any, ...]
    _: KW_ONLY
    strict: bool = False

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The rows of windows, and what `Index` gives of the rest."""
        sizes = iter(shape)
        found: list[Size] = []
        for item in self.items:
            size = 1 if item is None else next(sizes)
            if isinstance(item, Window):
                found.append(item.rows)
                for room in self._rooms(item, size) if self.strict else ():
                    check(room, _outside(shape))
            elif isinstance(item, Entries):
                for place in item.places:
                    check(size - place if item.back else size - place - 1, _outside(shape))
            else:
                found += Index((item,)).out_shape((size,) if item is not None else (), check=check)
        return (*found, *sizes)

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """Windows are within the axis, and places are counted from the same end."""
        sizes = iter(shapes[0])
        found: list[Branch] = []
        for item in self.items:
            size = 1 if item is None else next(sizes)
            if isinstance(item, Window):
                found += [Branch(room, ">=", 0) for room in self._rooms(item, size)]
            elif isinstance(item, Entries):
                found += [Branch(place, ">=", 1 if item.back else 0) for place in item.places]
            elif item is not None:
                found += Index((item,)).path((size,))
        return tuple(found)

    @staticmethod
    def _rooms(item: Window, size: Size) -> list[Size]:
        return [item.rows, *item.starts, *(size - stop for stop in item.stops)]


@dataclass(frozen=True, eq=False, repr=False)
class InLastRound(Layer):
    """`x[items]` in one round of a loop, the last or the first, as `Index`, or, `strict`, as `Narrow`.

    >>> InLastRound((Slice(), Slice(8, 12))).out_shape((1, 10))
    (1, 2)
    """

    op: ClassVar[str] = "index"
    items: tuple[Any, ...]
    _: KW_ONLY
    strict: bool = False

    @property
    def _index(self) -> Index:
        return Narrow(self.items) if self.strict else Index(self.items)

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """As of the index."""
        return self._index.out_shape(shape, check=check)

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As of the index."""
        return self._index.path(*shapes)


def _outside(shape: Shape) -> Callable[[Reader], BadShape]:
    return lambda at: BadShape(f"a round takes what is not within {written(shape, at)}")
