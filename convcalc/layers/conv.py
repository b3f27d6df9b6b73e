"""Convolution and transposed convolution, 1-D to 3-D."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar

from convcalc.arithmetic.formulas import at_least, conv_out, conv_transpose_out, padding_pair
from convcalc.arithmetic.resizing import PAD_MODES, pad_out
from convcalc.errors import BadArgument
from convcalc.footprints import stencils
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import (
    Ints,
    Shape,
    must_be_channels,
    must_group,
    named,
    product,
)
from convcalc.layers.spatial import Spatial, Windowed, along, on_axes
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class _Kernel(Spatial):
    """What convolution and transposed convolution share: channels, groups, kernel."""

    sized: ClassVar[frozenset[str]] = frozenset({"padding", "output_padding"})
    out_channels: int | None
    kernel_size: Ints
    _: KW_ONLY
    stride: Ints = 1
    padding: Any = 0
    dilation: Ints = 1
    groups: int = 1
    bias: bool = True
    in_channels: int | None = None

    def channels_out(self, channels: Size) -> Size:
        """Return out_channels, or the input's channels where it is None."""
        return channels if self.out_channels is None else self.out_channels

    def channels_read(self, channels: Size) -> Footprint | None:
        """All of them; those of its group are not followed, but where each is its own."""
        if self.groups == 1:
            return stencils.everything()
        alone = self.groups == channels == self.channels_out(channels)
        return stencils.identity() if alone else None

    def check_channels(self, channels: Size, check: Check) -> None:
        """Groups must divide both channel counts, and the input must have those expected."""
        out_channels = self.channels_out(channels)
        at_least(1, check, groups=self.groups, out_channels=out_channels)
        must_be_channels("in_channels", self.in_channels, channels, check)
        if self.groups != 1:
            for name, count in (("in_channels", channels), ("out_channels", out_channels)):
                must_group("groups", self.groups, name, count, check)

    def adds_bias(self, output: Shape) -> bool:
        """With a bias."""
        return self.bias

    def params(self, shape: Shape) -> Size:
        """C_in * C_out/groups * prod(kernel_size), plus C_out with a bias."""
        _, channels, sizes = self.split(shape)
        kernel = product(per_axis("kernel_size", self.kernel_size, len(sizes)))
        out_channels = self.channels_out(channels)
        return channels * out_channels * kernel // self.groups + (out_channels if self.bias else 0)


@dataclass(frozen=True, eq=False, repr=False)
class Conv(Windowed, _Kernel):
    """Convolution (torch's `Conv1d`, `Conv2d`, `Conv3d`): each window of the padded input against each kernel.

    `out_channels` None gives as many channels as the input has.
    `padding` is a number, one per axis, (before, after) pairs per axis, or a name: "valid"; "same", which
    torch allows at stride 1 only; "same-upper" and "same-lower", ceil(n/stride) at any stride; "full";
    "causal". `padding_mode` is "zeros", "reflect", "replicate" or "circular".

    >>> Conv(6, 5, padding=2).out_shape((1, 1, 28, 28)), Conv(6, 5, padding=2).params((1, 1, 28, 28))
    ((1, 6, 28, 28), 156)
    """

    outside: ClassVar[str] = named("padding_mode")
    torch_order: ClassVar[tuple[str, ...]] = (
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "bias",
        "padding_mode",
    )
    _: KW_ONLY
    padding_mode: str = "zeros"

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C_out, o, ...) with o = `convcalc.arithmetic.formulas.conv_out` on each axis."""
        batch, channels, sizes = self.split(shape)
        self.check_channels(channels, check)
        axes = len(sizes)
        windows = on_axes(self, axes)
        if self.padding == "same" and any(stride != 1 for _, stride, *_ in windows):
            strides = [stride for _, stride, *_ in windows]
            raise BadArgument(
                f"torch's padding='same' needs stride 1: got {'x'.join(map(str, strides))}; 'same-upper' gives "
                "ceil(n/stride) at any stride, as TensorFlow does",
                rule="padding='same' needs stride 1",
                fixes=["padding='same-upper'", "stride=1"],
            )
        empty = any(isinstance(size, int) and size == 0 for size in (*batch, channels))

        def size(axis: int, check: Check) -> Size:
            n, (k, s, p, d) = sizes[axis], windows[axis]
            if self.padding_mode != "zeros":
                n, p = self._pad_first(n, k, s, p, d, check, empty=empty)
            return conv_out(n, k, s, p, d, empty=empty, check=check)

        return (*batch, self.channels_out(channels), *along(axes, check, size))

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """One window of taps; exact inside, and at borders of zeros an upper bound."""
        taps = stencils.conv_of(sizes[axis], *(settings := on_axes(self, len(sizes))[axis]))
        return taps if self._pads_within(taps, settings[-1]) else replace(taps, wraps=True)

    def _pads_within(self, window: Footprint, dilation: int) -> bool:
        """Whether what stands for a row outside is zero, or a row of the window that reads it."""
        if self.padding_mode == "zeros" or window.shift != 0:
            return self.padding_mode == "zeros"
        support = window.phases[0].support
        first, last = support.first, support.last
        match self.padding_mode:
            case "replicate":
                return dilation == 1 and first <= 0 <= last
            case "reflect":
                return dilation == 1 and first == -last
            case _:
                return False

    def _pad_first(self, n: Size, k: Size, s: Size, p: Any, d: Size, check: Check, *, empty: bool) -> tuple[Size, Any]:
        """Other modes than zeros pad before they convolve: a padding < 0, refused with zeros, crops.

        In an empty batch a dilation may be 0, as in `conv_out`, which is asked next.
        """
        if self.padding_mode not in PAD_MODES[1:]:
            modes = ", ".join(("zeros", *PAD_MODES[1:]))
            raise BadArgument(f"unknown padding_mode {self.padding_mode!r}: use one of {modes}")
        crops = isinstance(p, int) and p < 0
        alone = crops or (empty and isinstance(p, int))
        pad_out(n, p if alone else padding_pair(n, k, s, p, d, check=check), self.padding_mode, check=check)
        return (n + 2 * p, 0) if crops else (n, p)

    def macs(self, shape: Shape) -> Size:
        """Output elements * C_in/groups * prod(kernel_size)."""
        _, channels, sizes = self.split(shape)
        kernel = product(per_axis("kernel_size", self.kernel_size, len(sizes)))
        return product(self.out_shape(shape)) * channels * kernel // self.groups


@dataclass(frozen=True, eq=False, repr=False)
class ConvTranspose(_Kernel):
    """Transposed convolution (torch's `ConvTranspose1d`, `2d`, `3d`): each input stamps the kernel.

    `padding` cuts rows off the output, `output_padding` adds rows after it.

    >>> ConvTranspose(8, 4, stride=2, padding=1).out_shape((1, 4, 8, 8))
    (1, 8, 16, 16)
    >>> ConvTranspose(8, 4, stride=2, padding=1).macs((1, 4, 8, 8))
    32768
    """

    op: ClassVar[str] = "tconv"
    keeps_rows: ClassVar[bool] = True
    torch_order: ClassVar[tuple[str, ...]] = (
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "output_padding",
        "groups",
        "bias",
        "dilation",
    )
    _: KW_ONLY
    output_padding: Ints = 0

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C_out, o, ...) with o = `convcalc.arithmetic.formulas.conv_transpose_out` on each axis."""
        batch, channels, sizes = self.split(shape)
        self.check_channels(channels, check)
        stamps = self.stamps(len(sizes))
        empty = any(isinstance(size, int) and size == 0 for size in (*batch, channels))

        def size(axis: int, check: Check) -> Size:
            k, s, p, extra, d = stamps[axis]
            return conv_transpose_out(sizes[axis], k, s, p, extra, d, empty=empty, check=check)

        return (*batch, self.channels_out(channels), *along(len(sizes), check, size))

    def stamps(self, axes: int) -> list[tuple[Any, ...]]:
        """Its settings on each axis."""
        extra = per_axis("output_padding", self.output_padding, axes)
        return [(k, s, p, more, d) for (k, s, p, d), more in zip(on_axes(self, axes), extra, strict=True)]

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """The taps that reach an output, by phase."""
        return stencils.conv_transpose(*on_axes(self, len(sizes))[axis])

    def macs(self, shape: Shape) -> Size:
        """Input elements * C_out/groups * prod(kernel_size): what each input stamps."""
        _, channels, sizes = self.split(shape)
        kernel = product(per_axis("kernel_size", self.kernel_size, len(sizes)))
        return product(shape) * self.channels_out(channels) * kernel // self.groups
