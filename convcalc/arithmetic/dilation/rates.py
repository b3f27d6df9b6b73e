"""The rates and kernels of a dilated stack, as they are given: one a layer."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

from convcalc.errors import BadArgument

LIMIT = 10**1000
"""Rates, kernel sizes and the product of the strides stay below this: every figure can be printed."""


def _each(name: str, value: int | Iterable[int], layers: int) -> tuple[int, ...]:
    if not isinstance(value, Iterable):
        return _integers(name, [value]) * layers
    values = _integers(name, value)
    if len(values) == 1:
        return values * layers
    if len(values) != layers:
        raise BadArgument(
            f"{name} must be one for all or one for each layer: {len(values)} given, {layers} rates",
            rule=f"as many as rates, or one {name}",
        )
    return values


def _integers(name: str, values: Iterable[Any]) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise BadArgument(f"{name}s must be a sequence of integers: {values!r}", rule=f"{name} >= 1")
    given = tuple(values)
    whole = given if set(map(type, given)) <= {int} else tuple(_integer(name, value) for value in given)
    if whole and max(max(whole), -min(whole)) >= LIMIT:
        raise BadArgument(f"{name} must be below 10**1000", rule=f"{name} < 10**1000")
    if whole and min(whole) < 1:
        raise BadArgument(f"{name} must be at least 1: {min(whole)}", rule=f"{name} >= 1")
    return whole


def _integer(name: str, value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise BadArgument(f"{name} must be an integer: {value!r}", rule=f"{name} >= 1")
