"""Whether a size that lost its formula may hide in a layer as a plain number."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.capture.arguments import has_number
from convcalc.layers import Conv, ConvTranspose, Layer

_SIZED = frozenset(
    {"sizes", "size", "counts", "sides", "padding", "output_size", "shifts", "items", "scale_factor", "kernel_size"}
    | {"stride", "chunks", "upscale_factor", "downscale_factor"}
)
"""The hyper-parameters that a lost formula may hide in."""


def may_hide(layer: Layer, module: Any) -> bool:
    """Whether a plain number among the sizes of a layer may come from a size; torch's own modules hold no such ones.

    >>> from convcalc.layers import Upsample
    >>> may_hide(Upsample(size=(8, 8)), None), may_hide(Conv(8, 3), None)
    (True, False)
    """
    if module is not None and type(module).__module__.startswith("torch.nn."):
        return False
    names = {"padding", "output_padding"} if isinstance(layer, Conv | ConvTranspose) else _SIZED
    defaults = type(layer)
    return any(
        name in names and value != getattr(defaults, name, None) and has_number(value)
        for name, value in vars(layer).items()
    )
