"""What unites branches: concatenate, add, multiply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field, unite
from convcalc.layers.base import Layer, Shape, axis_of, must_equal, named, named_axis, replaced, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.signs import most_of, sign_on
from convcalc.sizes.size import Size, is_array, larger, smaller


@dataclass(frozen=True, eq=False, repr=False)
class Concat(Layer):
    """Tensors one after another along axis `dim` (torch's `cat`); all other sizes must agree.

    >>> Concat().out_shape((1, 64, 28, 28), (1, 128, 28, 28))
    (1, 192, 28, 28)
    """

    memory: ClassVar[str] = "joined"
    joins: ClassVar[bool] = True
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    dim: int = 1

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The first shape, with the sizes along dim added up."""
        need_some(self.op, shapes)
        first = shapes[0]
        _same_rank(self.op, shapes)
        dim = axis_of(self.op, "dim", self.dim, first)
        for axis in range(len(first)):
            for other in shapes[1:] if axis != dim else ():
                must_equal(first[axis], other[axis], check, _unequal(self.op, shapes, axis))
        total = first[dim]
        for other in shapes[1:]:
            total = total + other[dim]
        return replaced(first, dim, total)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """What any of them reads; unknown on an axis with positions along which they are joined."""
        place = axis_of(self.op, "dim", self.dim, output)
        joined = len(fields) > 1
        return unite(
            [
                field.over(shape, {place: None} if joined else {}, output)
                for field, shape in zip(fields, shapes, strict=True)
            ],
            output,
        )


class Elementwise(Layer):
    """What combines values of the same place; where one size is 1, its value serves all places, as in torch."""

    memory: ClassVar[str] = "kept"
    keeps_rows: ClassVar[bool] = True
    takes: ClassVar[tuple[int, int | None]] = (2, None)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape: sizes agree, or one is 1; shapes of fewer axes have 1 in front."""
        rank = max(map(len, shapes))
        aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        return tuple(self._size(aligned, axis, check) for axis in range(rank))

    def _size(self, shapes: Sequence[Shape], axis: int, check: Check) -> Size:
        common = shapes[0][axis]
        for other in shapes[1:]:
            common = broadcast(common, other[axis], check, _unequal(self.op, shapes, axis))
        return common

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """What any of them reads; a size of 1 serves all places."""
        return unite([field.served(shape, output) for field, shape in zip(fields, shapes, strict=True)], output)


class Add(Elementwise):
    """The sum, as in a residual block.

    >>> Add().out_shape((1, 64, 56, 56), (1, 64, 56, 56))
    (1, 64, 56, 56)
    >>> Add().out_shape((1, 64, 56, 56), (1, 128, 56, 56))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: add takes equal sizes, or 1, on axis C: got (1, 64, 56, 56) and (1, 128, 56, 56)
    """


class Mul(Elementwise):
    """The product of each two values, as by a gate; no multiply-accumulates.

    >>> Mul().out_shape((1, 64, 56, 56), (1, 64, 1, 1))
    (1, 64, 56, 56)
    """


def broadcast(a: Size, b: Size, check: Check, error: Any) -> Size:
    """Return the size that a and b have together: they are equal, or one is 1, which gives way to the other.

    >>> broadcast(1, 0, enforce, None), broadcast(7, 7, enforce, None)
    (0, 7)
    """
    if not is_array(a) and not is_array(b) and a == b:
        return a
    for one, size in ((a, b), (b, a)):
        if _is_one(one):
            return size
    for size in (a, b):
        if isinstance(size, int):  # the other is it, or 1
            other = b if size is a else a
            check(-smaller(larger(other - size, size - other), larger(other - 1, 1 - other)), error)
            return size + 0 * other if is_array(other) else size
    least, most, apart = smaller(a, b), most_of(a, b), larger(a - b, b - a)
    if _has_some(a) and _has_some(b):
        check(-smaller(apart, larger(least - 1, 1 - least)), error)  # |a - b| or |least - 1| is 0
        return most
    one = smaller(larger(a - 1, 1 - a), larger(b - 1, 1 - b))
    check(-smaller(apart, one), error)
    return larger(most, 1) + smaller(least, 1) - 1  # the larger; of nothing and 1, nothing


def _has_some(size: Size) -> bool:
    """Whether a formula is seen to be 1 or more for all sizes from 1 on."""
    return isinstance(size, Expr) and sign_on(size - 1, dict.fromkeys(size.symbols, 1)) == 1


def _is_one(size: Size) -> bool:
    return not is_array(size) and size == 1


def need_some(op: str, shapes: Sequence[Shape]) -> None:
    """Raise `BadShape` where nothing is joined, as of a list that stayed empty.

    >>> need_some("concat", [(1, 2)])
    """
    if not shapes:
        raise BadShape(f"{op} takes at least one tensor: got none", rule="at least one tensor is joined")


def _same_rank(op: str, shapes: Sequence[Shape]) -> None:
    if len(set(map(len, shapes))) > 1:
        raise BadShape(f"{op} takes shapes with equally many axes: got {' and '.join(map(written, shapes))}")


def _unequal(op: str, shapes: Sequence[Shape], axis: int) -> Any:
    place = named_axis(axis, len(shapes[0]))
    wanted = "equal sizes" if op == "concat" else "equal sizes, or 1,"

    def error(at: Any) -> BadShape:
        got = " and ".join(written(shape, at) for shape in shapes)
        return BadShape(f"{op} takes {wanted} on {place}: got {got}", rule=f"{wanted.replace(',', '')} on {place}")

    return error


@dataclass(frozen=True, eq=False, repr=False)
class Combine(Elementwise):
    """A function of values of the same place, such as `div` or `where`; sizes of 1 serve all places.

    >>> Combine("div").out_shape((1, 8, 5, 5), (5, 1))
    (1, 8, 5, 5)
    """

    op: ClassVar[str] = named("function")
    function: str


@dataclass(frozen=True, eq=False, repr=False)
class Stack(Layer):
    """Tensors of one shape along a new axis `dim` (torch's `stack`).

    >>> Stack().out_shape((8, 5), (8, 5), (8, 5))
    (3, 8, 5)
    """

    memory: ClassVar[str] = "kept"
    joins: ClassVar[bool] = True
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    dim: int = 0

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape, and the number of tensors among it."""
        need_some(self.op, shapes)
        place = axis_of("stack", "dim", self.dim, (*shapes[0], 1))
        widened = [(*shape[:place], 1, *shape[place:]) for shape in shapes]
        return Concat(place).out_shape(*widened, check=check)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """What any of them reads."""
        place = axis_of("stack", "dim", self.dim, output)
        widened = replaced(output, place, 1)
        some = [field.viewed(shape, widened) for field, shape in zip(fields, shapes, strict=True)]
        return unite(some, widened).over(widened, {}, output)


@dataclass(frozen=True, eq=False, repr=False)
class JoinedAll(Layer):
    """What `join` makes of the tensors at hand and of `more` like input `like`: fewer where `more` is negative.

    >>> JoinedAll(Concat(0), like=0, more=3).out_shape((16,), (5,)), JoinedAll(Stack(1), like=0, more=2).out_shape((4,))
    ((69,), (4, 3))
    """

    op: ClassVar[str] = named("join.op")
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    join: Concat | Stack
    _: KW_ONLY
    like: int
    more: Size

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of those at hand, longer by so many."""
        one = self.join.out_shape(shapes[self.like], check=check)
        all_ = self.join.out_shape(*shapes, check=check)
        dim = axis_of(self.op, "dim", self.join.dim, all_)
        return replaced(all_, dim, all_[dim] + self.more * one[dim])
