"""Diagonals: taken from two axes, or made of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import is_symbolic, larger, smaller


class _Diagonal(Layer):
    """What has one axis for two, or two for one."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: axes move."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Diagonal(_Diagonal):
    """The diagonal of axes `dim1` and `dim2` as a last axis (torch's `diagonal`; `diag` of a matrix).

    `offset` > 0 is above the main one, < 0 below.

    >>> Diagonal().out_shape((5, 7)), Diagonal(offset=3, dim1=-2, dim2=-1).out_shape((8, 5, 7))
    ((5,), (8, 4))
    """

    op: ClassVar[str] = "diagonal"
    _: KW_ONLY
    offset: int = 0
    dim1: int = 0
    dim2: int = 1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The other sizes, and that of the diagonal."""
        first, second = (axis_of(self.op, "dim", dim, shape) for dim in (self.dim1, self.dim2))
        if first == second:
            raise BadArgument(f"diagonal takes two axes: got {self.dim1} twice")
        rows, columns = shape[first] + min(0, self.offset), shape[second] - max(0, self.offset)
        length = rows if not (is_symbolic(rows) or is_symbolic(columns)) and rows is columns else smaller(rows, columns)
        if isinstance(length, int):
            length = larger(length, 0)
        return (*(size for axis, size in enumerate(shape) if axis not in (first, second)), length)


@dataclass(frozen=True)
class DiagonalMatrix(_Diagonal):
    """The last axis as the diagonal of two new ones, `dim1` and `dim2`, with zeros around it (torch's `diag_embed`).

    >>> DiagonalMatrix().out_shape((8, 5)), DiagonalMatrix(offset=-2).out_shape((5,))
    ((8, 5, 5), (7, 7))
    """

    op: ClassVar[str] = "diagonalmatrix"
    _: KW_ONLY
    offset: int = 0
    dim1: int = -2
    dim2: int = -1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The other sizes, and among them that of the diagonal, twice."""
        longer = (*shape, 1)
        wanted = {axis_of(self.op, "dim", dim, longer) for dim in (self.dim1, self.dim2)}
        size = shape[-1] + abs(self.offset)
        rest = iter(shape[:-1])
        return tuple(size if axis in wanted else next(rest) for axis in range(len(longer)))
