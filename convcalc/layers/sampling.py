"""Values between positions: grids of places, and what is read there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, must_equal, written
from convcalc.sizes.conditions import Check, Reader, enforce


@dataclass(frozen=True)
class AffineGrid(Layer):
    """Where an affine map (N, axes, axes + 1) takes each position of an image of `sizes` (torch's `affine_grid`).

    >>> AffineGrid((1, 3, 8, 9)).out_shape((1, 2, 3))
    (1, 8, 9, 2)
    """

    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(N, *sizes, axes)."""
        axes = len(self.sizes) - 2
        if len(shape) != 3 or shape[1:] != (axes, axes + 1):
            raise BadShape(f"affinegrid to {written(self.sizes)} takes (N, {axes}, {axes + 1}): got {written(shape)}")
        return (self.sizes[0], *self.sizes[2:], axes)


@dataclass(frozen=True)
class GridSample(Layer):
    """Values of an input (N, C, ...) at the places of a grid (N, *sizes, axes) (torch's `grid_sample`).

    >>> GridSample().out_shape((1, 64, 32, 32), (1, 8, 9, 2))
    (1, 64, 8, 9)
    """

    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(N, C, *sizes of the grid)."""
        shape, grid = shapes
        if len(shape) != len(grid):
            raise BadShape(f"gridsample takes an input and a grid of as many axes: got {len(shape)} and {len(grid)}")

        def error(at: Reader) -> BadShape:
            got = " and ".join(written(one, at) for one in shapes)
            return BadShape(
                f"gridsample takes a grid (N, *sizes, {len(shape) - 2}) for (N, C, ...): got {got}",
                rule="a coordinate for each axis, a grid for each sample",
            )

        must_equal(shape[0], grid[0], check, error)
        must_equal(grid[-1], len(shape) - 2, check, error)
        return (*shape[:2], *grid[1:-1])

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything: the grid may point anywhere."""
        return replace(Field.everything(len(fields[0].axes)), exact=False)
