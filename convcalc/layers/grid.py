"""Grids of coordinates: `meshgrid`, `affine_grid`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class Meshgrid(Layer):
    """`count` vectors as coordinates of a grid (torch's `meshgrid`): each comes out as large as the whole grid.

    `indexing` "ij" has the axes in order, "xy" has the first two exchanged.

    >>> Meshgrid(2).out_shapes((5,), (7,)), Meshgrid(2, indexing="xy").out_shapes((5,), (7,))
    (((5, 7), (5, 7)), ((7, 5), (7, 5)))
    """

    op: ClassVar[str] = "meshgrid"
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    count: int
    _: KW_ONLY
    indexing: str = "ij"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.indexing not in ("ij", "xy"):
            raise BadArgument(f"indexing is 'ij' or 'xy': {self.indexing!r}")

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The length of each vector; 1 for a single value."""
        if any(len(shape) > 1 for shape in shapes):
            raise BadShape(f"meshgrid takes vectors: got {' and '.join(map(written, shapes))}")
        sizes = tuple(shape[0] if shape else 1 for shape in shapes)
        return (*sizes[1::-1], *sizes[2:]) if self.indexing == "xy" and len(sizes) > 1 else sizes

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """That, for each."""
        return (self.out_shape(*shapes, check=check),) * self.count

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown, unless nothing of the input is read: vectors become axes."""
        return fields[0] if not fields[0].axes else Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class AffineGrid(Layer):
    """Where an affine map (N, axes, axes + 1) takes each position of an image of `sizes` (torch's `affine_grid`).

    >>> AffineGrid((1, 3, 8, 9)).out_shape((1, 2, 3))
    (1, 8, 9, 2)
    """

    op: ClassVar[str] = "affinegrid"
    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(N, *sizes, axes)."""
        axes = len(self.sizes) - 2
        if len(shape) != 3 or shape[1:] != (axes, axes + 1):
            raise BadShape(f"affinegrid to {written(self.sizes)} takes (N, {axes}, {axes + 1}): got {written(shape)}")
        return (self.sizes[0], *self.sizes[2:], axes)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: parameters become positions."""
        return Field.unknown(len(fields[0].axes))
