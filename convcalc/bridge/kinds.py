"""The types of values that a product takes: torch multiplies on `meta` what it refuses to multiply on a device."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import Spec
from convcalc.bridge.device import need_torch
from convcalc.errors import BadArgument
from convcalc.layers import ConvTranspose, Linear, Matmul
from convcalc.layers.products import AddMatmul

torch = need_torch()


def refuse_mixed(found: Spec) -> None:
    """Raise `BadArgument` where the two factors of a product are of two types, as no device takes them.

    Under autocast torch makes them one, and what a subclass of tensors does is its own.
    """
    match found.layer:
        case Linear() | ConvTranspose():
            factors = (*found.inputs[:1], *found.weights[:1])
        case Matmul():
            factors = found.inputs
        case AddMatmul():
            factors = found.inputs[1:]
        case _:
            return
    kinds = [_named(factor.dtype) for factor in factors]
    if len(set(kinds)) < 2 or any(type(factor) not in (torch.Tensor, torch.nn.Parameter) for factor in factors):
        return
    if any(torch.is_autocast_enabled(device) for device in ("cpu", "cuda", "mps", "xpu")):
        return
    raise BadArgument(
        f"both factors must be of one type, and are {kinds[0]} and {kinds[1]}", rule="both factors are of one type"
    )


def _named(kind: Any) -> str:
    return str(kind).removeprefix("torch.")
