"""Pooling with windows, and adaptive pooling, 1-D to 3-D."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from convcalc.arithmetic.formulas import at_least, pool_out
from convcalc.arithmetic.resizing import adaptive_pool_out
from convcalc.errors import BadShape, KernelDoesNotFit
from convcalc.footprints import stencils
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Ints, Layer, Shape, must_equal, written
from convcalc.layers.spatial import Spatial, Windowed, along, check_any_channels, on_axes
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size, is_symbolic, smaller


@dataclass(frozen=True, eq=False, repr=False)
class _Pool(Windowed):
    """What pools with windows share."""

    kernel_size: Ints
    _: KW_ONLY
    stride: Any = None
    ceil_mode: bool = False

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, o, ...) with o = `convcalc.arithmetic.formulas.pool_out` on each axis."""
        batch, channels, sizes = self.split(shape)
        check_any_channels(channels, check)
        windows = on_axes(self, len(sizes))

        def size(axis: int, check: Check) -> Size:
            return pool_out(sizes[axis], *windows[axis], self.ceil_mode, check=check)

        return (*batch, channels, *along(len(sizes), check, size))


def _check_unpadded(op: str, n: Size, k: int, check: Check) -> Size:
    check(
        n - k,
        lambda at: KernelDoesNotFit(
            f"{op} in 3-D takes a kernel no longer than the input without padding: kernel_size={k} on {at(n)}",
            rule="3-D: kernel_size <= input size",
            fixes=[f"kernel_size={at(n)}", f"input size {k}"],
        ),
    )
    return n


@dataclass(frozen=True, eq=False, repr=False)
class _Mean(_Pool):
    """What takes a mean of some kind."""

    def wants_whole(self, axes: int) -> bool:
        """In 3-D alone."""
        return axes == 3

    def check_3d(self, shape: Shape, check: Check) -> None:
        """In 3-D torch's average and Lp pooling refuse a kernel longer than the input, padded or not."""
        _, _, sizes = self.split(shape)
        if self.wants_whole(len(sizes)):
            kernel = per_axis("kernel_size", self.kernel_size, 3)
            along(3, check, lambda axis, check: _check_unpadded(self.op, sizes[axis], kernel[axis], check))

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, o, ...) with o = `convcalc.arithmetic.formulas.pool_out` on each axis."""
        self.check_3d(shape, check)
        return super().out_shape(shape, check=check)


@dataclass(frozen=True, eq=False, repr=False)
class MaxPool(_Pool):
    """Max pooling (torch's `MaxPool1d`, `2d`, `3d`); stride is kernel_size unless given.

    >>> MaxPool(3, stride=2, ceil_mode=True).out_shape((1, 96, 54, 54))
    (1, 96, 27, 27)
    """

    unexported: ClassVar[tuple[int, ...]] = (1,)
    torch_order: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding", "dilation")
    _: KW_ONLY
    padding: Any = 0
    dilation: Ints = 1
    return_indices: bool = False

    @property
    def outputs(self) -> int:
        """One, or two with the indices."""
        return 2 if self.return_indices else 1


@dataclass(frozen=True, eq=False, repr=False)
class AvgPool(_Mean):
    """Average pooling (torch's `AvgPool1d`, `2d`, `3d`); stride is kernel_size unless given.

    >>> AvgPool(2).out_shape((1, 6, 28, 28))
    (1, 6, 14, 14)
    """

    torch_order: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding", "ceil_mode")
    _: KW_ONLY
    padding: Any = 0


@dataclass(frozen=True, eq=False, repr=False)
class LpPool(_Mean):
    """Power-average pooling (torch's `LPPool1d`, `2d`, `3d`), the `norm_type` norm of each window; no padding.

    >>> LpPool(3, stride=2).out_shape((1, 4, 7))
    (1, 4, 3)
    """

    torch_order: ClassVar[tuple[str, ...]] = ("norm_type", "kernel_size", "stride", "ceil_mode")
    _: KW_ONLY
    norm_type: float = 2


@dataclass(frozen=True, eq=False, repr=False)
class _AdaptivePool(Spatial):
    """What adaptive pools share: the output size they are asked for."""

    shares_out: ClassVar[bool] = True
    output_size: Any

    def needs_channels(self, outs: Shape) -> bool:
        """Whether torch refuses a batch without channels."""
        return True

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, output_size, ...); None keeps the input's size."""
        batch, channels, sizes = self.split(shape)
        wanted = per_axis("output_size", self.output_size, len(sizes))
        outs = along(len(sizes), check, lambda axis, check: adaptive_pool_out(sizes[axis], wanted[axis], check=check))
        if batch and self.needs_channels(outs):
            check_any_channels(channels, check)
        return (*batch, channels, *outs)

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """Everything for output size 1; equal windows where it divides the input; else no periodic map."""
        wanted = per_axis("output_size", self.output_size, len(sizes))[axis]
        if wanted is None:
            return stencils.identity()
        if wanted == 1:
            return stencils.everything()
        if is_symbolic(sizes[axis]) or is_symbolic(wanted) or not wanted or sizes[axis] % wanted:
            return None
        return stencils.pool(sizes[axis] // wanted)


def average_needs_channels(outs: Shape) -> bool:
    """Whether torch's adaptive average to these sizes, "area" interpolation too, refuses a batch without channels.

    >>> average_needs_channels((2, 2, 2)), average_needs_channels((1, 1, 1)), average_needs_channels((2, 2))
    (True, False, False)
    """
    return len(outs) == 3 and not all(isinstance(size, int) and size == 1 for size in outs)


@dataclass(frozen=True, eq=False, repr=False)
class AdaptiveAvgPool(_AdaptivePool):
    """Adaptive average pooling (torch's `AdaptiveAvgPool1d`, `2d`, `3d`) to `output_size`.

    >>> AdaptiveAvgPool((1, None)).out_shape((2, 8, 7, 5))
    (2, 8, 1, 5)
    """

    def needs_channels(self, outs: Shape) -> bool:
        """In 3-D alone, and not where every output size is 1: then torch takes the mean."""
        return average_needs_channels(outs)


@dataclass(frozen=True, eq=False, repr=False)
class AdaptiveMaxPool(_AdaptivePool):
    """Adaptive max pooling (torch's `AdaptiveMaxPool1d`, `2d`, `3d`) to `output_size`.

    >>> AdaptiveMaxPool(2).out_shape((1, 8, 7))
    (1, 8, 2)
    """

    return_indices: bool = field(default=False, kw_only=True)

    @property
    def outputs(self) -> int:
        """One, or two with the indices."""
        return 2 if self.return_indices else 1


@dataclass(frozen=True, eq=False, repr=False)
class MaxUnpool(Layer):
    """Values at the places that max pooling gave as indices (torch's `MaxUnpool1d`, `2d`, `3d`), zeros elsewhere.

    A size n becomes (n - 1)*stride - 2*padding + kernel_size, or what `output_size` says. Indices count in the plane
    that was `pooled`, its spatial sizes: a row of the output must be as long, or they point past it.

    >>> MaxUnpool(2).out_shape((1, 64, 7, 7), (1, 64, 7, 7))
    (1, 64, 14, 14)
    """

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
