"""Unfold (image to columns) and fold (columns to image), 2-D as in torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from convcalc.arithmetic.formulas import conv_out
from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import conv, conv_transpose
from convcalc.layers.base import (
    Ints,
    Layer,
    Shape,
    axis_of,
    must_divide,
    must_equal,
    product,
)
from convcalc.layers.spatial import along, check_any_channels, check_whole, on_axes
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class _Blocks(Layer):
    """What unfold and fold share: the windows."""

    kernel_size: Ints
    _: KW_ONLY
    stride: Ints = 1
    padding: Any = 0
    dilation: Ints = 1

    def blocks(self, sizes: Shape, check: Check) -> Shape:
        """Return the number of windows on each of two axes: `conv_out`."""
        windows = on_axes(self, 2)

        def size(axis: int, check: Check) -> Size:
            return conv_out(sizes[axis], *windows[axis], check=check)

        return along(2, check, size)


@dataclass(frozen=True, eq=False, repr=False)
class Unfold(_Blocks):
    """(N, C, H, W) -> (N, C*prod(kernel_size), windows): the windows as columns (torch's `Unfold`).

    >>> Unfold(3, padding=1).out_shape((1, 3, 8, 8))
    (1, 27, 64)
    """

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """No window drops a row."""
        _, _, sizes = self.split(shapes[0])
        check_whole(on_axes(self, 2), sizes, check)

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C*prod(kernel_size), prod(conv_out on each axis))."""
        batch, channels, sizes = self.split(shape)
        if len(sizes) != 2:
            raise BadShape(f"unfold takes 2 spatial axes: got {len(sizes)}")
        check_any_channels(channels, check)
        kernel = product(per_axis("kernel_size", self.kernel_size, 2))
        return (*batch, channels * kernel, product(self.blocks(sizes, check)))

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Windows as those of a convolution, in rows one after another."""
        (shape,) = shapes
        _, _, sizes = self.split(shape)
        grid = (*output[:-1], *self.blocks(sizes, enforce))
        first = len(shape) - 2
        reads: dict[int, Footprint | None] = {first + axis: conv(*stamp) for axis, stamp in enumerate(on_axes(self, 2))}
        return fields[0].over(shape, {**reads, first - 1: None}, grid).viewed(grid, output)


@dataclass(frozen=True, eq=False, repr=False)
class Windows(Layer):
    """Windows of `size` entries along axis `dim`, `step` apart, as a last axis (torch's `Tensor.unfold`).

    >>> Windows(1, 4, 2).out_shape((8, 100, 3))
    (8, 49, 3, 4)
    """

    dim: int
    size: Size
    step: Size

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(n - size)//step + 1 windows on that axis, and one axis more."""
        dim = axis_of("windows", "dim", self.dim, shape)
        count = shape[dim] - self.size
        check(
            count,
            lambda at: BadShape(
                f"windows of {at(self.size)} do not fit {at(shape[dim])} entries on axis {dim}",
                rule="window size <= axis size",
            ),
        )
        return (*shape[:dim], count // self.step + 1, *shape[dim + 1 :], self.size)


@dataclass(frozen=True, eq=False, repr=False)
class Fold(_Blocks):
    """(N, C*prod(kernel_size), windows) -> (N, C, H, W): columns summed back into `output_size` (torch's `Fold`).

    >>> Fold(3, output_size=(8, 8), padding=1).out_shape((1, 27, 64))
    (1, 3, 8, 8)
    """

    _: KW_ONLY
    output_size: Ints = 1

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, *output_size); the columns must number `conv_out` of it on each axis, multiplied."""
        if len(shape) not in (2, 3):
            raise BadShape(f"fold takes (N, C*prod(kernel_size), windows): got {len(shape)} axes")
        *batch, columns, windows = shape
        check_any_channels(columns, check)
        sizes = tuple(per_axis("output_size", self.output_size, 2))
        kernel = product(per_axis("kernel_size", self.kernel_size, 2))
        rows, cols = self.blocks(sizes, check)
        must_divide(
            kernel,
            columns,
            check,
            lambda at: BadShape(
                f"prod(kernel_size)={kernel} must divide the channels: got {at(columns)}",
                rule="channels % prod(kernel_size) == 0",
            ),
        )
        must_equal(
            windows,
            rows * cols,
            check,
            lambda at: BadShape(
                f"output_size {sizes[0]}x{sizes[1]} has {rows}*{cols} = {rows * cols} windows, but the input has "
                f"{at(windows)}",
                rule="windows == prod(conv_out(output_size))",
            ),
        )
        return (*batch, columns // kernel, *sizes)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Columns, in rows one after another, stamped as by a transposed convolution."""
        (shape,) = shapes
        grid = (*shape[:-1], *self.blocks(tuple(per_axis("output_size", self.output_size, 2)), enforce))
        first = len(output) - 2
        reads: dict[int, Footprint | None] = {
            first + axis: conv_transpose(*stamp) for axis, stamp in enumerate(on_axes(self, 2))
        }
        return fields[0].viewed(shape, grid).over(grid, {**reads, first - 1: None}, output)
