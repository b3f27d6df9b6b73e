"""Whether a size that lost its formula may hide in a layer as a plain number."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.capture.arguments import has_number
from convcalc.layers import Layer


def may_hide(layer: Layer, module: Any) -> bool:
    """Whether a plain number among the sizes of a layer may come from a size; torch's own modules hold no such ones.

    >>> from convcalc.layers import Conv
    >>> from convcalc.layers import Upsample
    >>> may_hide(Upsample(size=(8, 8)), None), may_hide(Conv(8, 3), None)
    (True, False)
    """
    if module is not None and type(module).__module__.startswith("torch.nn."):
        return False
    defaults = type(layer)
    return any(
        name in layer.sized and value != getattr(defaults, name, None) and has_number(value)
        for name, value in vars(layer).items()
    )
