"""From a convcalc layer to the `torch.nn` module that does the same, first in words, then for real.

A `Call` names a module and its arguments and needs no torch; one recipe of calls builds the module and prints the
line that builds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from convcalc.arithmetic.formulas import padding_pair
from convcalc.arithmetic.resizing import both_sides
from convcalc.bridge.device import need_torch
from convcalc.errors import BadArgument
from convcalc.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Crop,
    Flatten,
    Fold,
    GroupNorm,
    InstanceNorm,
    Layer,
    Linear,
    LpPool,
    MaxPool,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    Pointwise,
    Softmax,
    Unfold,
    Upsample,
)
from convcalc.sizes.axes import per_axis

_PADS = {
    "constant": "ZeroPad",
    "zeros": "ZeroPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


@dataclass(frozen=True)
class Call:
    """The constructor of one `torch.nn` module, in words.

    >>> print(Call("Conv2d", (1, 6, 5), {"padding": 2}))
    torch.nn.Conv2d(1, 6, 5, padding=2)
    """

    name: str
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.settings.items())]
        return f"torch.nn.{self.name}({', '.join(words)})"

    def build(self) -> Any:
        """Return the module."""
        return getattr(need_torch().nn, self.name)(*self.args, **self.settings)


def to_module(layer: Layer, shape: Sequence[int]) -> Any:
    """Return the `torch.nn.Module` that does what `layer` does to an input of this shape.

    Hyper-parameters go to torch as they are, bad ones too: torch refuses those itself, most of them only when the
    module is called. Raises as `recipe` does, and `Unreadable` without torch.

    >>> from convcalc.layers import Conv
    >>> to_module(Conv(6, 5, padding=2), (1, 1, 28, 28))
    Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    """
    modules = [call.build() for call in recipe(layer, shape)]
    return modules[0] if len(modules) == 1 else need_torch().nn.Sequential(*modules)


def to_source(layer: Layer, shape: Sequence[int]) -> str:
    """Return the Python expression that builds `to_module(layer, shape)` with torch alone.

    >>> from convcalc.layers import Conv
    >>> to_source(Conv(6, 3, stride=2, padding="same-upper"), (1, 1, 28, 28))
    'torch.nn.Sequential(torch.nn.ZeroPad2d((0, 1, 0, 1)), torch.nn.Conv2d(1, 6, 3, stride=2))'
    """
    calls = [str(call) for call in recipe(layer, shape)]
    return calls[0] if len(calls) == 1 else f"torch.nn.Sequential({', '.join(calls)})"


def recipe(layer: Layer, shape: Sequence[int]) -> tuple[Call, ...]:
    """Return the calls, one after another, that do what `layer` does to an input of this shape.

    It is one call wherever torch has a word for the layer. A convolution padded unevenly, or by a name torch does
    not know ("same-upper", "same-lower", "full", "causal"), becomes a pad of that many rows and a convolution
    without padding. Raises `BadArgument` for what torch cannot say: uneven padding of a pooling, a transposed
    convolution, unfold or fold, and a layer that is none of convcalc's.

    >>> from convcalc.layers import MaxPool
    >>> recipe(MaxPool(3, stride=2), (1, 64, 112, 112))
    (Call(name='MaxPool2d', args=(3,), settings={'stride': 2}),)
    """
    axes = len(shape) - 2 if layer.axes is None else layer.axes
    match layer:
        case Conv():
            return _conv(layer, tuple(shape), axes)
        case ConvTranspose():
            _check_even(layer.op, layer.padding)
            return (_with_channels(f"ConvTranspose{axes}d", layer, shape),)
        case MaxPool() | AvgPool() | Unfold():
            _check_even(layer.op, layer.padding)
            name = f"{type(layer).__name__}{'' if isinstance(layer, Unfold) else f'{axes}d'}"
            return (Call(name, (layer.kernel_size,), _settings(layer, "kernel_size")),)
        case LpPool():
            args = (layer.norm_type, _plain(layer.kernel_size))
            return (Call(f"LPPool{axes}d", args, _settings(layer, "norm_type", "kernel_size")),)
        case AdaptiveAvgPool() | AdaptiveMaxPool():
            return (Call(f"{type(layer).__name__}{axes}d", (_adaptive(layer.output_size, shape, axes),)),)
        case Pad():
            return (_pad(layer.mode, per_axis("padding", layer.padding, axes)),)
        case Crop():
            sides = [both_sides(rows) for rows in per_axis("rows", layer.rows, axes)]
            return (_pad("constant", [(-before, -after) for before, after in sides]),)
        case Fold():
            _check_even(layer.op, layer.padding)
            args = (layer.output_size, layer.kernel_size)
            return (Call("Fold", args, _settings(layer, "output_size", "kernel_size")),)
        case Upsample():
            return (Call("Upsample", (), _upsample(layer, axes)),)
        case PixelShuffle():
            return (Call("PixelShuffle", (layer.upscale_factor,)),)
        case PixelUnshuffle():
            return (Call("PixelUnshuffle", (layer.downscale_factor,)),)
        case BatchNorm() | InstanceNorm():
            axes = max(len(shape) - 2, 1)
            return (Call(f"{type(layer).__name__}{axes}d", (), {**_settings(layer), "num_features": shape[1]}),)
        case GroupNorm():
            return (Call("GroupNorm", (), {**_settings(layer), "num_channels": shape[1]}),)
        case Linear():
            return (Call("Linear", (), {**_settings(layer), "in_features": shape[-1]}),)
        case Softmax():
            return (Call("Softmax", (), {"dim": layer.dim}),)
        case Pointwise() | Flatten():  # named and set as in torch
            return (Call(type(layer).__name__, (), _settings(layer)),)
        case _:
            raise BadArgument(f"no torch module is known for {type(layer).__name__}")


def _settings(layer: Layer, *positional: str) -> dict[str, Any]:
    return {name: value for name, value in layer.arguments().items() if name not in positional}


def _with_channels(name: str, layer: Conv | ConvTranspose, shape: Sequence[int], **changes: Any) -> Call:
    channels = layer.split(tuple(shape))[1] if layer.in_channels is None else layer.in_channels
    args = (channels, layer.channels_out(channels), layer.kernel_size)
    settings = _settings(layer, "in_channels", "out_channels", "kernel_size", *changes)
    return Call(name, args, settings)


def _conv(layer: Conv, shape: tuple[int, ...], axes: int) -> tuple[Call, ...]:
    if layer.padding in ("same", "valid") or not (isinstance(layer.padding, str) or _is_uneven(layer.padding)):
        return (_with_channels(f"Conv{axes}d", layer, shape),)
    words = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    columns = (per_axis("", word, axes) for word in words)
    sides = [padding_pair(*axis) for axis in zip(layer.split(shape)[2], *columns, strict=True)]
    rest = _with_channels(f"Conv{axes}d", layer, shape, padding=0, padding_mode="zeros")
    return _pad(layer.padding_mode, sides), rest


def _pad(mode: str, sides: Sequence[Any]) -> Call:
    if mode not in _PADS:
        raise BadArgument(f"torch has no module for padding mode {mode!r}")
    rows = tuple(row for side in reversed(sides) for row in both_sides(side))  # torch counts axes from the last
    return Call(f"{_PADS[mode]}{len(sides)}d", (rows,))


def _is_uneven(padding: Any) -> bool:
    return isinstance(padding, tuple) and any(isinstance(side, tuple | list | str) for side in padding)


def _check_even(op: str, padding: Any) -> None:
    if isinstance(padding, str) or _is_uneven(padding):
        raise BadArgument(f"torch's {op} takes one padding for both sides of an axis: {padding!r}; pad first")


def _adaptive(output_size: Any, shape: Sequence[int], axes: int) -> tuple[int | None, ...]:
    wanted = per_axis("output_size", output_size, axes)
    return (shape[-1],) if wanted == (None,) else wanted  # torch takes None on 2 and 3 axes only


def _upsample(layer: Upsample, axes: int) -> dict[str, Any]:
    per_axis_words = {name: per_axis(name, getattr(layer, name), axes) for name in ("size", "scale_factor")}
    return {**_settings(layer), **{name: value for name, value in per_axis_words.items() if value[0] is not None}}


def _plain(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value
