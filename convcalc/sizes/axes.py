"""The door for several axes: one value for all, or one for each, becomes a tuple once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from convcalc.errors import BadArgument, ConvcalcError

T = TypeVar("T")

AXES = {1: "L", 2: "HW", 3: "DHW"}


def axis_names(axes: int) -> tuple[str, ...]:
    """Return the names of the spatial axes, as torch orders them: L; H, W; D, H, W; else S0, S1, ...

    >>> axis_names(2), axis_names(4)
    (('H', 'W'), ('S0', 'S1', 'S2', 'S3'))
    """
    return tuple(AXES.get(axes, [f"S{place}" for place in range(axes)]))


def per_axis(name: str, value: Any, axes: int) -> tuple[Any, ...]:
    """Return `value` as a tuple with one entry an axis.

    >>> per_axis("stride", 2, axes=3), per_axis("stride", (1, 2), axes=2)
    ((2, 2, 2), (1, 2))
    >>> per_axis("padding", ((1, 2),), axes=2)
    ((1, 2), (1, 2))
    >>> per_axis("stride", (1, 2), axes=3)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: stride needs one value for all axes or 3, one for each: (1, 2)
    """
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) == 1 and isinstance(values[0], tuple):  # one pair (before, after) for all axes
        values *= axes
    if len(values) != axes:
        raise BadArgument(f"{name} needs one value for all axes or {axes}, one for each: {value!r}")
    return values


def each_axis(work: Callable[..., T], settings: Iterable[tuple[Any, ...]]) -> tuple[T, ...]:
    """Return `work(*entry)` for the entry of each axis; where there are several, a refusal names its axis.

    >>> each_axis(lambda n, k: n - k, [(5, 3), (7, 2)])
    (2, 5)
    """
    entries = list(settings)
    results = []
    for axis, entry in zip(axis_names(len(entries)), entries, strict=True):
        try:
            results.append(work(*entry))
        except ConvcalcError as error:
            raise (error.at(f"axis {axis}") if len(entries) > 1 else error) from None
    return tuple(results)
