"""Pieces of an axis that are all treated alike: their sizes, and the size of what is joined of them, however many.

A loop over `x.split(16)` runs ⌈n/16⌉ times: the last time on what is left, each time before on 16. A network that was
recorded where there are `count` pieces has the shapes of any number of them in its first and its last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.branch import Branch
from convcalc.conditions import Check, Reader, enforce
from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, axis_of
from convcalc.layers.merge import Concat
from convcalc.layers.pieces import Stack
from convcalc.sizes import Size


@dataclass(frozen=True)
class AnyPieces(Layer):
    """Pieces of `piece` entries of axis `dim`, `count` of them at hand for two or more; the last has what is left.

    >>> AnyPieces(3, count=2).out_shapes((8,)), AnyPieces(3, count=2).number((8,))
    (((3,), (2,)), 3)
    """

    op: ClassVar[str] = "split"
    piece: int
    _: KW_ONLY
    count: int
    dim: int = 0

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

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
    count: int
    _: KW_ONLY
    dim: int = 0
    fewest: int = 1

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

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

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0
