"""Specs of what moves windows or resizes: convolution, pooling, padding, interpolation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, add, ints, is_tensor, plain, size, sizes, spec
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Conv,
    ConvTranspose,
    Fold,
    GridSample,
    LpPool,
    MaxPool,
    Pad,
    PadAxes,
    PixelShuffle,
    PixelUnshuffle,
    Unfold,
    Upsample,
)
from convcalc.layers.pool import MaxUnpool
from convcalc.layers.sampling import AffineGrid


def _axes(tensor: Any, axes: int) -> dict[str, Any]:
    """What a layer must be told: its axes, where the batch is missing."""
    return {"axes": axes} if tensor.dim() == axes + 1 else {}


@spec("conv1d", "conv2d", "conv3d")
def conv(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Spec:
    """A convolution by the weight (C_out, C_in/groups, *kernel_size)."""
    out, inner, *kernel = weight.shape
    layer = Conv(
        out,
        ints(kernel),
        stride=ints(stride),
        padding=padding if isinstance(padding, str) else ints(padding),
        dilation=ints(dilation),
        groups=plain(groups),
        bias=bias is not None,
        in_channels=inner * plain(groups),
        **_axes(input, len(kernel)),
    )
    return Spec(layer, (input,), (weight, bias))


@spec("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Spec:
    """A transposed convolution by the weight (C_in, C_out/groups, *kernel_size)."""
    inner, out, *kernel = weight.shape
    layer = ConvTranspose(
        out * plain(groups),
        ints(kernel),
        stride=ints(stride),
        padding=ints(padding),
        output_padding=ints(output_padding),
        groups=plain(groups),
        bias=bias is not None,
        dilation=ints(dilation),
        in_channels=inner,
        **_axes(input, len(kernel)),
    )
    return Spec(layer, (input,), (weight, bias))


def max_pool(
    input: Any,
    axes: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: bool = False,
) -> Spec:
    """Max pooling; the indices have the shape of the values."""
    layer = MaxPool(
        ints(kernel_size),
        stride=_stride(stride),
        padding=ints(padding),
        dilation=ints(dilation),
        ceil_mode=bool(ceil_mode),
        return_indices=bool(return_indices),
        **_axes(input, axes),
    )
    return Spec(layer, (input,))


def _on_axes(made: Any, axes: int) -> Any:
    """The function of a name such as `max_pool2d`, which says how many axes there are."""

    def on(input: Any, *args: Any, **kwargs: Any) -> Spec:
        found: Spec = made(input, axes, *args, **kwargs)
        return found

    return on


def _with_indices(made: Any) -> Any:
    """The same function where torch has another name for it with indices."""

    def also(*args: Any, **kwargs: Any) -> Spec:
        kwargs.pop("return_indices", None)
        found: Spec = made(*args, **kwargs)
        layer: Any = found.layer
        return Spec(replace(layer, return_indices=True), found.inputs)

    return also


def max_unpool(
    input: Any, axes: int, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Spec:
    """Values back at the places that pooling gave."""
    layer = MaxUnpool(
        ints(kernel_size),
        stride=_stride(stride),
        padding=ints(padding),
        output_size=None if output_size is None else sizes(output_size),
        **_axes(input, axes),
    )
    return Spec(layer, (input, indices))


def avg_pool(
    input: Any,
    axes: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
    divisor_override: Any = None,
) -> Spec:
    """Average pooling."""
    settings = {"stride": _stride(stride), "padding": ints(padding), "ceil_mode": bool(ceil_mode)}
    return Spec(AvgPool(ints(kernel_size), **settings, **_axes(input, axes)), (input,))


def lp_pool(
    input: Any, axes: int, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Spec:
    """Lp pooling."""
    layer = LpPool(
        ints(kernel_size),
        norm_type=norm_type,
        stride=_stride(stride),
        ceil_mode=bool(ceil_mode),
        **_axes(input, axes),
    )
    return Spec(layer, (input,))


for _axis_count in (1, 2, 3):
    _max = _on_axes(max_pool, _axis_count)
    spec(f"max_pool{_axis_count}d")(_max)
    spec(f"max_pool{_axis_count}d_with_indices")(_with_indices(_max))
    spec(f"avg_pool{_axis_count}d")(_on_axes(avg_pool, _axis_count))
    spec(f"lp_pool{_axis_count}d")(_on_axes(lp_pool, _axis_count))
    spec(f"max_unpool{_axis_count}d")(_on_axes(max_unpool, _axis_count))


def _stride(stride: Any) -> Any:
    return None if stride is None or (isinstance(stride, tuple | list) and not stride) else ints(stride)


def _adaptive(make: Any, axes: int) -> Any:
    def made(input: Any, output_size: Any, return_indices: bool = False) -> Spec:
        wanted = output_size if isinstance(output_size, tuple | list) else (output_size,) * axes
        entries = tuple(None if entry is None else size(entry) for entry in wanted)
        same = all(entry == entries[0] for entry in entries)
        indices = {"return_indices": True} if return_indices else {}
        return Spec(make(entries[0] if same else entries, **indices, **_axes(input, axes)), (input,))

    return made


for _axis_count in (1, 2, 3):
    spec(f"adaptive_avg_pool{_axis_count}d")(_adaptive(AdaptiveAvgPool, _axis_count))
    _adaptive_max = _adaptive(AdaptiveMaxPool, _axis_count)
    spec(f"adaptive_max_pool{_axis_count}d")(_adaptive_max)
    spec(f"adaptive_max_pool{_axis_count}d_with_indices")(_with_indices(_adaptive_max))


@spec("pad", "constant_pad_nd")
def pad(input: Any, pad: Any, mode: Any = "constant", value: Any = None) -> Spec:
    """Padding, given from the last axis on as (before, after, before, after, ...)."""
    rows = sizes(pad)
    sides = [(rows[place], rows[place + 1]) for place in range(0, len(rows) - 1, 2)][::-1]
    mode = mode if isinstance(mode, str) else "constant"
    rank = input.dim()
    if rank in (3, 4, 5) and len(sides) <= rank - 2:
        spatial = [(0, 0)] * (rank - 2 - len(sides)) + sides
        return Spec(Pad(tuple(spatial), mode=mode), (input,))
    return Spec(PadAxes(tuple(sides), mode=mode), (input,))


@spec("interpolate", "upsample")
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: bool = False,
) -> Spec:
    """Interpolation to a size or by a factor."""
    if size is not None:
        layer = Upsample(size=ints(size), mode=mode, align_corners=bool(align_corners))
    else:
        factors = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor,)
        if any(isinstance(factor, SizeFloat) or is_tensor(factor) for factor in factors):
            raise NotKnown("a factor that depends on sizes")
        values = tuple(_whole(float(factor)) for factor in factors)
        layer = Upsample(
            scale_factor=values[0] if all(value == values[0] for value in values) else values,
            mode=mode,
            align_corners=bool(align_corners),
        )
    return Spec(layer, (input,))


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


@spec("upsample_nearest", "upsample_bilinear")
def upsample_old(input: Any, size: Any = None, scale_factor: Any = None) -> Spec:
    """The old names of `interpolate`."""
    return interpolate(input, size, scale_factor)


@spec("pixel_shuffle")
def pixel_shuffle(input: Any, upscale_factor: int) -> Spec:
    """Channels to positions."""
    return Spec(PixelShuffle(plain(upscale_factor), **_axes(input, 2)), (input,))


@spec("pixel_unshuffle")
def pixel_unshuffle(input: Any, downscale_factor: int) -> Spec:
    """Positions to channels."""
    return Spec(PixelUnshuffle(plain(downscale_factor), **_axes(input, 2)), (input,))


@spec("grid_sample", "grid_sampler")
def grid_sample(input: Any, grid: Any, *args: Any, **kwargs: Any) -> Spec:
    """Values of the input at the places of a grid (N, *sizes, axes)."""
    return Spec(GridSample(), (input, grid))


@spec("affine_grid")
def affine_grid(theta: Any, size: Any, align_corners: Any = None) -> Spec:
    """Where affine maps take each position."""
    return Spec(AffineGrid(sizes(size)), (theta,))


@spec("convolution", "_convolution")
def convolution(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    *args: Any,
) -> Spec:
    """Both kinds of convolution in one function."""
    if transposed:
        return conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv(input, weight, bias, stride, padding, dilation, groups)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Spec:
    """Windows to columns; the method of tensors of that name is another function."""
    layer = Unfold(
        ints(kernel_size), dilation=ints(dilation), padding=ints(padding), stride=ints(stride), **_axes(input, 2)
    )
    return Spec(layer, (input,))


add([need_torch().nn.functional.unfold], unfold, "unfold")


@spec("fold")
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Spec:
    """Columns to an image."""
    layer = Fold(
        ints(kernel_size),
        output_size=ints(output_size),
        dilation=ints(dilation),
        padding=ints(padding),
        stride=ints(stride),
    )
    return Spec(layer, (input,))
