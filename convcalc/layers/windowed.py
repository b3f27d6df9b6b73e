"""What takes a window of its map for each output: its settings along an axis, what they read, what they leave over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from convcalc.arithmetic.exactness import check_no_row_dropped
from convcalc.footprints import stencils
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Settings, Shape
from convcalc.layers.spatial import Spatial, along
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check


def on_axes(layer: Any, axes: int) -> list[Settings]:
    """Return kernel size, stride, padding as given and dilation of a layer with a kernel, for each axis.

    >>> from convcalc.layers import MaxPool
    >>> on_axes(MaxPool((3, 2), padding=1), 2)
    [(3, 3, 1, 1), (2, 2, 1, 1)]
    """
    kernel = per_axis("kernel_size", layer.kernel_size, axes)
    stride = kernel if layer.stride is None else per_axis("stride", layer.stride, axes)
    padding = per_axis("padding", getattr(layer, "padding", 0), axes)
    return list(zip(kernel, stride, padding, per_axis("dilation", getattr(layer, "dilation", 1), axes), strict=True))


def check_whole(windows: Sequence[Settings], sizes: Shape, check: Check) -> None:
    """Hand to `check` that no window drops a row: `convcalc.arithmetic.exactness.check_no_row_dropped` on each axis."""

    def whole(axis: int, check: Check) -> None:
        check_no_row_dropped(sizes[axis], *windows[axis], check=check)

    along(len(sizes), check, whole)


class Windowed(Spatial):
    """What takes windows on each axis."""

    keeps_rows: ClassVar[bool] = True

    def windows(self, shape: Shape) -> list[Settings]:
        """Kernel size, stride, padding as given and dilation, for each axis."""
        return on_axes(self, len(self.split(shape)[2]))

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """No window drops a row; ceil mode never does."""
        _, _, sizes = self.split(shapes[0])
        if not self.ceil_mode:
            check_whole(on_axes(self, len(sizes)), sizes, check)

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """One window of taps; floor and ceil read alike."""
        return stencils.conv_of(sizes[axis], *on_axes(self, len(sizes))[axis])
