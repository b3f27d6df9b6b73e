"""Axes in another order: permute, transpose, movedim, roll, flip, diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import identity, taps
from convcalc.layers.base import Layer, Shape, axis_of, named, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size, is_symbolic, larger, smaller


@dataclass(frozen=True, eq=False, repr=False)
class Permute(Layer):
    """Axes in another order (torch's `permute`, `transpose`): output axis i is input axis `dims[i]`.

    >>> Permute((0, 2, 3, 1)).out_shape((1, 3, 8, 9))
    (1, 8, 9, 3)
    """

    dims: tuple[int, ...]

    @property
    def memory(self) -> str:
        """Where it was, on other axes if there are any."""
        return "viewed" if self.dims == tuple(range(len(self.dims))) else "turned"

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Those of the axes in that order."""
        return tuple(before[dim] for dim in self.dims)

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes in that order."""
        if sorted(dim % max(1, len(shape)) for dim in self.dims) != list(range(len(shape))):
            raise BadShape(f"permute takes each axis once: dims={self.dims} of {written(shape)}")
        return tuple(shape[dim] for dim in self.dims)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, its positions on the axes where they are now."""
        order = [dim % len(output) for dim in self.dims]
        return fields[0].moved(shapes[0], [order.index(axis) for axis in range(len(order))], output)


class Turned(Permute):
    """A turn of two axes by 90 degrees (torch's `rot90`): they change places, and one is reversed.

    >>> Turned((0, 1, 3, 2)).out_shape((1, 3, 8, 9))
    (1, 3, 9, 8)
    """

    op: ClassVar[str] = "rot90"

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown, of equal sizes too."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True, eq=False, repr=False)
class Moved(Layer):
    """Entries in another order along some axes, such as `roll` and `flip`; the shape stays.

    >>> Moved("roll", dims=(1, 2)).out_shape((1, 56, 56, 96))
    (1, 56, 56, 96)
    """

    op: ClassVar[str] = named("function")
    outside: ClassVar[str] = "around"
    function: str
    _: KW_ONLY
    dims: tuple[int, ...] = ()
    shifts: tuple[Size, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.function.isidentifier():
            raise BadArgument(f"a function has a name: {self.function!r}")

    @property
    def memory(self) -> str:
        """A roll is two pieces joined."""
        return "joined" if self.function == "roll" else "kept"

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself; the axes must exist."""
        for dim in self.dims:
            axis_of(self.op, "dim", dim, shape)
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Shifted where an axis with positions is rolled by a number, which is exact inside; else unknown along it."""
        (shape,) = shapes
        reads: dict[int, Footprint | None] = dict.fromkeys(range(len(shape)) if not self.dims else ())
        for place, dim in enumerate(self.dims):
            axis = dim % len(shape)
            reads[axis] = self._rolled(self.shifts[place], shape[axis]) if self._rolls and axis not in reads else None
        return fields[0].over(shape, reads, output)

    @property
    def _rolls(self) -> bool:
        return self.function == "roll" and len(self.shifts) == len(self.dims)

    def _rolled(self, shift: Size, size: Size) -> Footprint | None:
        """Output j reads j - shift, the shorter way round."""
        if not isinstance(shift, int):
            return None
        if isinstance(size, int) and size > 0:
            shift = (shift + size // 2) % size - size // 2
        return replace(taps([-shift]), wraps=True) if shift else identity()


@dataclass(frozen=True, eq=False, repr=False)
class Diagonal(Layer):
    """The diagonal of axes `dim1` and `dim2` as a last axis (torch's `diagonal`; `diag` of a matrix).

    `offset` > 0 is above the main one, < 0 below.

    >>> Diagonal().out_shape((5, 7)), Diagonal(offset=3, dim1=-2, dim2=-1).out_shape((8, 5, 7))
    ((5,), (8, 4))
    """

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


@dataclass(frozen=True, eq=False, repr=False)
class DiagonalMatrix(Layer):
    """The last axis as the diagonal of two new ones, `dim1` and `dim2`, with zeros around it (torch's `diag_embed`).

    >>> DiagonalMatrix().out_shape((8, 5)), DiagonalMatrix(offset=-2).out_shape((5,))
    ((8, 5, 5), (7, 7))
    """

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
