"""The tensor on meta that stands for an input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.errors import BadShape

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
