"""Padding and cropping, 1-D to 3-D."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from convcalc.arithmetic.resizing import both_sides, crop_out, pad_out
from convcalc.errors import NoOutput
from convcalc.footprints import stencils
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Layer, Shape, along
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce


@dataclass(frozen=True)
class Pad(Layer):
    """Padding by a number of rows, one per axis, or (before, after) pairs per axis; a negative side crops.

    `mode` is "constant", "reflect", "replicate" or "circular" (torch's `ConstantPad2d`, `ReflectionPad2d`, ...).

    >>> Pad([(0, 1), (2, 2)]).out_shape((1, 3, 5, 5))
    (1, 3, 6, 9)
    """

    op: ClassVar[str] = "pad"
    padding: Any
    _: KW_ONLY
    mode: str = "constant"

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, n + before + after, ...)."""
        batch, channels, sizes = self.split(shape)
        sides = per_axis("padding", self.padding, len(sizes))
        outs = along(
            len(sizes), check, lambda axis, check: pad_out(sizes[axis], sides[axis], self.mode, least=0, check=check)
        )
        if self.mode in ("reflect", "replicate"):
            self.check_any_channels(channels, check)
            # each axis may be cropped to nothing, but not all of them
            check(
                sum(outs) - 1,
                lambda at: NoOutput(f"output would be {'x'.join(str(at(out)) for out in outs)}: crop less"),
            )
        return (*batch, channels, *outs)

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """A shift, unknown by a formula; values that padding repeats are not followed."""
        before, _ = both_sides(per_axis("padding", self.padding, len(sizes))[axis])
        return stencils.pad(before, self.mode) if isinstance(before, int) else None


@dataclass(frozen=True)
class Crop(Layer):
    """Cropping by a number of rows, one per axis, or (before, after) pairs per axis.

    >>> Crop(4).out_shape((1, 64, 64, 64))
    (1, 64, 56, 56)
    """

    op: ClassVar[str] = "crop"
    rows: Any

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, n - before - after, ...)."""
        batch, channels, sizes = self.split(shape)
        sides = per_axis("rows", self.rows, len(sizes))
        return (
            *batch,
            channels,
            *along(len(sizes), check, lambda axis, check: crop_out(sizes[axis], sides[axis], check=check)),
        )

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """A shift; unknown by a formula."""
        before, _ = both_sides(per_axis("rows", self.rows, len(sizes))[axis])
        return stencils.crop(before) if isinstance(before, int) else None
