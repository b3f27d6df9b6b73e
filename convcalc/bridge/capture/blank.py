"""The tensor on meta that stands for an input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.bridge.capture.arguments import swapped
from convcalc.bridge.device import need_torch
from convcalc.errors import BadShape
from convcalc.layers import Shape

LIMIT = 2**63
"""torch counts sizes, elements and bytes below it."""


def blank_input(shape: Sequence[int], kind: Any) -> Any:
    """Return a tensor of this shape and type on meta; raises `BadShape` where torch cannot count its bytes.

    >>> import torch
    >>> blank_input((1, 3, 8), torch.float32).shape
    torch.Size([1, 3, 8])
    >>> blank_input((1, 2**61), torch.float32)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: an input of 1x2305843009213693952 takes 9223372036854775808 bytes: torch counts to 2**63
    """
    taken = math.prod(max(1, size) for size in shape) * kind.itemsize  # torch multiplies the others, beside a 0 as well
    if taken >= LIMIT:
        raise BadShape(
            f"an input of {'x'.join(map(str, shape))} takes {taken} bytes: torch counts to 2**63",
            rule="bytes of an input < 2**63",
        )
    return need_torch().empty(tuple(shape), dtype=kind, device="meta")


def dtype_of(module: Any) -> Any:
    """Return the type that the inputs of a module have unless it is given: that of its first weights with a point."""
    torch = need_torch()
    kinds = [value.dtype for value in module.parameters() if value.is_floating_point() or value.is_complex()]
    kinds.sort(key=lambda kind: kind.is_complex)  # weights of a spectrum are no sign of inputs that are complex
    return next(iter(kinds), torch.get_default_dtype())


def given_at(
    given: tuple[Sequence[Any], Mapping[str, Any]], inputs: Sequence[tuple[Any, Any]], shapes: Sequence[Shape]
) -> tuple[Any, Any]:
    """Return the arguments of a run with `inputs`, each as given and on meta, at other shapes; their types stay."""
    other = {
        id(original): original if tuple(original.shape) == tuple(shape) else blank_input(shape, blank.dtype)
        for (original, blank), shape in zip(inputs, shapes, strict=True)
    }
    return swapped(given[0], other), swapped(given[1], other)
