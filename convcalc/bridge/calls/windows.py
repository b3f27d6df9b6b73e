"""Calls that move windows or resize: convolution, pooling, padding, interpolation."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import arranged, call, called, ints, plain, sizes
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec
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
from convcalc.layers.resize import AffineGrid

_WINDOW = "input | kernel_size stride padding"
for _on in (1, 2, 3):
    _max, _adaptive = f"{_WINDOW} dilation ceil_mode return_indices", "input | output_size return_indices"
    call(f"max_pool{_on}d", MaxPool, _max, _on)
    call(f"max_pool{_on}d_with_indices", MaxPool, _max, _on, return_indices=True)
    call(f"avg_pool{_on}d", AvgPool, f"{_WINDOW} ceil_mode count_include_pad divisor_override", _on)
    call(f"lp_pool{_on}d", LpPool, "input | norm_type kernel_size stride ceil_mode", _on)
    call(f"max_unpool{_on}d", MaxUnpool, "input indices | kernel_size stride padding output_size", _on)
    call(f"adaptive_avg_pool{_on}d", AdaptiveAvgPool, _adaptive, _on)
    call(f"adaptive_max_pool{_on}d", AdaptiveMaxPool, _adaptive, _on)
    call(f"adaptive_max_pool{_on}d_with_indices", AdaptiveMaxPool, _adaptive, _on, return_indices=True)
call("pixel_shuffle", PixelShuffle, "input | upscale_factor", 2)
call("pixel_unshuffle", PixelUnshuffle, "input | downscale_factor", 2)
call("fold", Fold, "input | output_size kernel_size dilation padding stride")
call("grid_sample grid_sampler", GridSample, "input grid | ...")
call("affine_grid", AffineGrid, "theta | size:sizes align_corners")
_unfold = called(Unfold, "input | kernel_size dilation padding stride", 2)
add([need_torch().nn.functional.unfold], _unfold, "unfold")  # the method of tensors of that name is another function


def _conv(given: Any) -> Spec:
    """A convolution by the weight (C_out, C_in/groups, *kernel_size)."""
    out, inner, *_ = given.weight.shape
    return _convolved(Conv, given, out_channels=out, in_channels=inner * plain(given.groups))


def _transposed(given: Any) -> Spec:
    """A transposed convolution by the weight (C_in, C_out/groups, *kernel_size)."""
    inner, out, *_ = given.weight.shape
    more = ints(given.output_padding)
    return _convolved(
        ConvTranspose, given, out_channels=out * plain(given.groups), in_channels=inner, output_padding=more
    )


def _convolved(layer: type[Conv | ConvTranspose], given: Any, **settings: Any) -> Spec:
    kernel = given.weight.shape[2:]
    made = layer(
        **settings,
        kernel_size=ints(tuple(kernel)),
        stride=ints(given.stride),
        padding=ints(given.padding),
        dilation=ints(given.dilation),
        groups=plain(given.groups),
        bias=given.bias is not None,
        axes=len(kernel) if given.input.dim() == len(kernel) + 1 else None,
    )
    return Spec(made, (given.input,), (given.weight, given.bias))


_KERNEL = "input weight bias=None stride=1 padding=0"
spec("conv1d", "conv2d", "conv3d")(arranged(f"{_KERNEL} dilation=1 groups=1", _conv))
spec("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")(
    arranged(f"{_KERNEL} output_padding=0 groups=1 dilation=1", _transposed)
)
spec("convolution", "_convolution")(
    arranged(
        "input weight bias stride padding dilation transposed output_padding groups ...",
        lambda given: (_transposed if given.transposed else _conv)(given),
    )
)


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


def _interpolate(given: Any) -> Spec:
    """Interpolation to a size or by a factor."""
    factor = given.scale_factor
    if given.size is None:
        factors = factor if isinstance(factor, tuple | list) else (factor,)
        if any(isinstance(one, SizeFloat) or is_tensor(one) for one in factors):
            raise NotKnown("a factor that depends on sizes")
        values = tuple(_whole(float(one)) for one in factors)
        factor = values[0] if all(value == values[0] for value in values) else values
        layer = Upsample(scale_factor=factor, mode=given.mode, align_corners=bool(given.align_corners))
    else:
        layer = Upsample(size=ints(given.size), mode=given.mode, align_corners=bool(given.align_corners))
    return Spec(layer, (given.input,))


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


spec("interpolate", "upsample", "upsample_nearest", "upsample_bilinear")(
    arranged("input size=None scale_factor=None mode='nearest' align_corners=None ...", _interpolate)
)
