"""Constants that a model makes: where they are, and whether they have values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.layers import Source
from convcalc.sizes.expr import Expr

torch = need_torch()

MANY = 2**20
"""Constants of more values than this hold none."""


def somewhere(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of what is made on a device that may not be there: on the CPU, where constants have values.

    >>> somewhere({"device": "cuda"}), somewhere({"device": "meta"})
    ({'device': 'cpu'}, {'device': 'meta'})
    """
    device = kwargs["device"]
    if device is None or torch.device(device).type in ("cpu", "meta"):
        return kwargs
    return {**kwargs, "device": "cpu"}


def without_values(layer: Source, kwargs: Mapping[str, Any], numbers: Mapping[str, int]) -> Mapping[str, Any]:
    """Return arguments that make a big constant on meta: nothing is allocated. `numbers` are the letters' values.

    >>> n = Expr.symbol("n")
    >>> [without_values(Source("zeros", (n,)), {}, {"n": size}) for size in (3, 2**21)]
    [{}, {'device': 'meta'}]
    """
    sizes = [at_numbers(size, numbers) if isinstance(size, Expr) else size for size in layer.sizes]
    if math.prod(map(int, sizes)) > MANY and kwargs.get("device") is None and "out" not in kwargs:
        return {**kwargs, "device": "meta"}
    return kwargs


def at_numbers(size: Expr, numbers: Mapping[str, int]) -> int:
    """Return what a formula is where its letters have these values.

    >>> at_numbers(Expr.symbol("H") // 2, {"H": 9, "W": 8})
    4
    """
    return int(size(**{name: numbers[name] for name in size.symbols}))
