"""Layers of one map, (N, C, ...), whose outputs read on each spatial axis what a footprint says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from convcalc.arithmetic.exactness import check_no_row_dropped
from convcalc.arithmetic.formulas import at_least
from convcalc.footprints import stencils
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import each_sized, identity
from convcalc.layers.base import Layer, Settings, Shape
from convcalc.sizes.axes import axis_names, per_axis
from convcalc.sizes.conditions import Check, named
from convcalc.sizes.size import Size


class Spatial(Layer):
    """What reads a footprint along each spatial axis."""

    memory: ClassVar[str] = "kept"

    def footprints(self, shape: Shape) -> tuple[Footprint | None, ...]:
        """Return what each output reads on each spatial axis; None where that is no periodic map.

        >>> from convcalc.layers import Conv
        >>> Conv(8, 3, stride=2).footprints((1, 3, 32, 32))[0].receptive_field
        3
        """
        _, _, sizes = self.split(shape)
        return tuple(self.footprint(axis, sizes) for axis in range(len(sizes)))

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """Return what each output reads along one axis of the spatial `sizes`."""
        raise NotImplementedError

    def channels_read(self, channels: Size) -> Footprint | None:
        """Return what each output channel reads of the input's channels, which may carry positions after a view."""
        return identity()

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The footprints after what the input reads."""
        field, shape = fields[0], shapes[0]
        footprints = self.footprints(shape)
        if field.is_plain:
            return field.then(each_sized(footprints, self.split(shape)[2]))
        first = len(shape) - len(footprints)
        reads = {first + axis: footprint for axis, footprint in enumerate(footprints)}
        return field.over(shape, {**reads, first - 1: self.channels_read(shape[first - 1])}, output)


def check_any_channels(channels: Size, check: Check) -> None:
    """Hand to `check` that there are channels: most layers of torch refuse an input without, convolutions do not."""
    at_least(1, check, channels=channels)


def along(axes: int, check: Check, size: Callable[[int, Check], Size]) -> Shape:
    """Return `size(axis, check)` for each axis; what is refused names its axis where there are several."""
    if axes == 1:
        return (size(0, check),)
    names = axis_names(axes)
    return tuple(size(axis, named(f"axis {names[axis]}", check)) for axis in range(axes))


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
