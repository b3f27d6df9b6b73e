"""Max unpooling: values back at the places where a pooling found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Ints, Layer, Shape, along, must_equal, written
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size, smaller


@dataclass(frozen=True)
class MaxUnpool(Layer):
    """Values at the places that max pooling gave as indices (torch's `MaxUnpool1d`, `2d`, `3d`), zeros elsewhere.

    A size n becomes (n - 1)*stride - 2*padding + kernel_size, or what `output_size` says. Indices count in the plane
    that was `pooled`, its spatial sizes: a row of the output must be as long, or they point past it.

    >>> MaxUnpool(2).out_shape((1, 64, 7, 7), (1, 64, 7, 7))
    (1, 64, 14, 14)
    """

    op: ClassVar[str] = "maxunpool"
    takes: ClassVar[tuple[int, int | None]] = (2, 2)
    kernel_size: Ints
    _: KW_ONLY
    stride: Any = None
    padding: Ints = 0
    output_size: tuple[Size, ...] | None = None
    pooled: tuple[Size, ...] | None = None

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(N, C, o, ...)."""
        shape, indices = shapes
        batch, channels, sizes = self.split(shape)
        if len(indices) != len(shape):
            raise BadShape(f"maxunpool takes an index for each value: got {written(shape)} and {written(indices)}")
        for have, count in zip(shape, indices, strict=True):
            must_equal(have, count, check, lambda at: BadShape("maxunpool takes an index for each value"))
        axes = len(sizes)
        kernel = per_axis("kernel_size", self.kernel_size, axes)
        stride = kernel if self.stride is None else per_axis("stride", self.stride, axes)
        padding = per_axis("padding", self.padding, axes)

        def size(axis: int, check: Check) -> Size:
            out = (sizes[axis] - 1) * stride[axis] - 2 * padding[axis] + kernel[axis]
            if self.output_size is not None:
                out = self._wanted(out, stride[axis], axis, axes, check)
            at_least(1, check, output=out)
            return out

        outs = along(axes, check, size)
        self._check_places(sizes, outs, kernel, stride, padding, check)
        return (*batch, channels, *outs)

    def _check_places(self, sizes: Shape, outs: Shape, kernel: Any, stride: Any, padding: Any, check: Check) -> None:
        """The last index is within the output: rows are as long as those pooled, and as many as were read."""
        if self.pooled is None:
            return
        read = smaller(self.pooled[0], (sizes[0] - 1) * stride[0] - padding[0] + kernel[0])
        for out, need in zip(outs, (read, *self.pooled[1:]), strict=True):
            check(
                out - need,
                lambda at: BadShape(
                    f"maxunpool gives {'x'.join(str(at(one)) for one in outs)}, and its indices count in the "
                    f"{'x'.join(str(at(one)) for one in self.pooled or ())} that was pooled: they point past it",
                    rule="rows as long as those that were pooled",
                    fixes=["pass output_size=x.shape of what was pooled"],
                ),
            )

    def _wanted(self, usual: Size, stride: int, axis: int, axes: int, check: Check) -> Size:
        """The output size that is asked for, which must be less than a stride from the usual one."""
        assert self.output_size is not None  # noqa: S101 -- asked for by the caller
        out = self.output_size[len(self.output_size) - axes + axis]
        for room in (out - usual + stride - 1, usual - out + stride - 1):
            check(
                room,
                lambda at: BadShape(f"output_size {at(out)} must be within {stride - 1} of {at(usual)}"),
            )
        return out

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: the indices decide."""
        return Field.unknown(len(fields[0].axes))
