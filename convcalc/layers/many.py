"""Pieces of an axis that are all treated alike: their sizes, and the size of what is joined of them, however many.

A loop over `x.split(16)` runs ⌈n/16⌉ times: the last time on what is left, each time before on 16. A network that was
recorded where there are `count` pieces has the shapes of any number of them in its first and its last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, axis_of, named, written
from convcalc.layers.indexing import Index, Slice  # noqa: F401 -- Slice: of the example
from convcalc.layers.merge import Concat, Stack
from convcalc.layers.narrow import Narrow
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class AnyPieces(Layer):
    """Pieces of `piece` entries of axis `dim`, `count` of them at hand for two or more; the last has what is left.

    >>> AnyPieces(3, count=2).out_shapes((8,)), AnyPieces(3, count=2).number((8,))
    (((3,), (2,)), 3)
    """

    op: ClassVar[str] = "split"
    outputs: ClassVar[int] = named("count")
    piece: int
    _: KW_ONLY
    count: int
    dim: int = 0

    def number(self, shape: Shape) -> Size:
        """Return how many pieces there are: ⌈n/piece⌉."""
        return (shape[axis_of(self.op, "dim", self.dim, shape)] - 1) // self.piece + 1

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """More than one piece."""
        return (Branch(shapes[0][axis_of(self.op, "dim", self.dim, shapes[0])], ">", self.piece),)

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Pieces of that size, and what is left: n - piece*⌊(n - 1)/piece⌋."""
        (shape,) = shapes
        dim = axis_of(self.op, "dim", self.dim, shape)
        check(shape[dim] - self.piece - 1, _another(self.op))
        last = shape[dim] - self.piece * ((shape[dim] - 1) // self.piece)
        sizes = (*[self.piece] * (self.count - 1), last)
        return tuple((*shape[:dim], size, *shape[dim + 1 :]) for size in sizes)


@dataclass(frozen=True)
class AnyEntries(Layer):
    """The entries of axis `dim`, each without that axis: `count` at hand for `fewest` or more.

    >>> AnyEntries(2, dim=1).out_shapes((1, 5, 4)), AnyEntries(2, dim=1).number((1, 5, 4))
    (((1, 4), (1, 4)), 5)
    """

    op: ClassVar[str] = "unbind"
    outputs: ClassVar[int] = named("count")
    count: int
    _: KW_ONLY
    dim: int = 0
    fewest: int = 1

    def number(self, shape: Shape) -> Size:
        """Return how many entries there are."""
        return shape[axis_of(self.op, "dim", self.dim, shape)]

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """No fewer than the fewest."""
        return (Branch(self.number(shapes[0]), ">=", self.fewest),)

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape without the axis."""
        (shape,) = shapes
        dim = axis_of(self.op, "dim", self.dim, shape)
        check(self.number(shape) - self.fewest, _another(self.op))
        return ((*shape[:dim], *shape[dim + 1 :]),) * self.count


def _another(op: str) -> Callable[[Reader], BadShape]:
    return lambda at: BadShape(f"{op} gives fewer pieces here", rule="the number of pieces is that of the capture")


class Window(NamedTuple):
    """A slice of `rows` in each round, with its start and its stop in the first and in the last of them."""

    rows: Size
    starts: tuple[Size, ...]
    stops: tuple[Size, ...]


class Entries(NamedTuple):
    """One entry in each round: its place in the first and in the last; `back`, counted from the end."""

    places: tuple[Size, ...]
    back: bool = False


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
    return lambda at: BadShape(f"a round takes what is not within {written(tuple(map(at, shape)))}")


@dataclass(frozen=True)
class JoinedAll(Layer):
    """What `join` makes of the tensors at hand and of `more` like input `like`: fewer where `more` is negative.

    >>> JoinedAll(Concat(0), like=0, more=3).out_shape((16,), (5,)), JoinedAll(Stack(1), like=0, more=2).out_shape((4,))
    ((69,), (4, 3))
    """

    takes: ClassVar[tuple[int, int | None]] = (1, None)
    join: Concat | Stack
    _: KW_ONLY
    like: int
    more: Size

    @property
    def op(self) -> str:  # type: ignore[override]
        """That of the join."""
        return self.join.op

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of those at hand, longer by so many."""
        one = self.join.out_shape(shapes[self.like], check=check)
        all_ = self.join.out_shape(*shapes, check=check)
        dim = axis_of(self.op, "dim", self.join.dim, all_)
        return (*all_[:dim], all_[dim] + self.more * one[dim], *all_[dim + 1 :])
