"""What stands among the arguments of a call: tensors, sizes, plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from operator import is_
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.sizeint import SizeInt

Tensor = need_torch().Tensor


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return arguments with `change` made to all that is no dict, list or tuple; what stays as it is, is itself.

    >>> mapped(([1, "a"], {"dim": 2}), lambda one: 2 * one)
    ([2, 'aa'], {'dim': 4})
    """
    if isinstance(value, dict):
        entries = [mapped(entry, change) for entry in value.values()]
        if all(map(is_, entries, value.values())):
            return value
        return type(value)(zip(value, entries, strict=True))
    if isinstance(value, tuple | list):
        entries = [mapped(entry, change) for entry in value]
        if all(map(is_, entries, value)):
            return value
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return change(value)


def named_tensors(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every tensor of an argument, in order, by where it is.

    >>> [(name, tuple(one.shape)) for name, one in named_tensors([Tensor(2), {"mask": Tensor(3)}], "x")]
    [('x.0', (2,)), ('x.1.mask', (3,))]
    """
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, tuple | list | dict):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from named_tensors(entry, f"{name}.{key}")


def tensors_among(value: Any) -> Iterator[Any]:
    """Yield every tensor among arguments, in order.

    >>> [tuple(one.shape) for one in tensors_among(([Tensor(2), Tensor(3)], {"out": Tensor(4)}))]
    [(2,), (3,), (4,)]
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from tensors_among(entry)


def with_tensor(value: Any, place: int, new: Any) -> Any:
    """Return the same arguments with the tensor of that place, counted as by `tensors_among`, replaced.

    >>> a, b = Tensor(2), Tensor(3)
    >>> [tuple(one.shape) for one in tensors_among(with_tensor(([a, a], {}), 1, b))]
    [(2,), (3,)]
    """
    places = count()
    return mapped(value, lambda one: new if isinstance(one, Tensor) and next(places) == place else one)


def on_meta(value: Any) -> Any:
    """Return arguments with every tensor on meta."""
    return mapped(value, lambda one: one.to("meta") if isinstance(one, Tensor) and one.device.type != "meta" else one)


def has_size(value: Any) -> bool:
    """Return whether a size is among arguments."""
    if isinstance(value, tuple | list | dict):
        return any(map(has_size, value.values() if isinstance(value, dict) else value))
    return isinstance(value, SizeInt | SizeFloat)


def in_numbers(value: Any) -> Any:
    """Return arguments with the plain number of each size; what has none is itself.

    >>> in_numbers(([1, 2], {"dim": slice(0, None)}))
    ([1, 2], {'dim': slice(0, None, None)})
    """
    return mapped(value, _in_number)


def _in_number(value: Any) -> Any:
    kind = type(value)
    if kind is SizeInt or kind is SizeFloat:
        return value.plain
    return slice(*map(_in_number, (value.start, value.stop, value.step))) if kind is slice else value


def storage_of(tensor: Any) -> int:
    """Return what is the same for all views of the same values."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse: no storage, and no views
        return id(tensor)
