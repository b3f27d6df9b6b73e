"""What stands among the arguments of a call: tensors, sizes, plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.sizeint import SizeInt
from convcalc.layers import Slice

Tensor = need_torch().Tensor


def has_number(value: Any) -> bool:
    """Whether a plain number is in a hyper-parameter, where it may have come from a size.

    >>> has_number((1, -1)), has_number((-1,)), has_number(Slice(0, None))
    (True, False, True)
    """
    if isinstance(value, Slice):
        return has_number((value.start, value.stop)) or value.step != 1
    if isinstance(value, tuple):
        return any(map(has_number, value))
    return isinstance(value, int) and not isinstance(value, bool) and value != -1


def has_size(value: Any) -> bool:
    """Return whether a size is among arguments."""
    if isinstance(value, tuple | list):
        return any(map(has_size, value))
    if isinstance(value, dict):
        return any(map(has_size, value.values()))
    return isinstance(value, SizeInt | SizeFloat)


def in_numbers(value: Any) -> Any:
    """Return arguments with the plain number of each size; what has none is itself.

    >>> in_numbers(([1, 2], {"dim": slice(0, None)}))
    ([1, 2], {'dim': slice(0, None, None)})
    """
    kind = type(value)
    if kind is SizeInt or kind is SizeFloat:
        return value.plain
    if kind is slice:
        return slice(in_numbers(value.start), in_numbers(value.stop), in_numbers(value.step))
    if isinstance(value, dict):
        entries = {name: in_numbers(entry) for name, entry in value.items()}
        return value if all(entries[name] is value[name] for name in value) else entries
    if isinstance(value, tuple | list):
        some = [in_numbers(entry) for entry in value]
        if all(entry is before for entry, before in zip(some, value, strict=True)):
            return value
        return type(value)(*some) if hasattr(value, "_fields") else type(value)(some)
    return value


def storage_of(tensor: Any) -> int:
    """Return what is the same for all views of the same values."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse: no storage, and no views
        return id(tensor)


def tensors_among(value: Any) -> Iterator[Any]:
    """Yield every tensor among arguments, in order.

    >>> [tuple(one.shape) for one in tensors_among(([Tensor(2), Tensor(3)], {"out": Tensor(4)}))]
    [(2,), (3,), (4,)]
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from tensors_among(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from tensors_among(entry)


def with_tensor(value: Any, place: int, new: Any) -> Any:
    """Return the same arguments with the tensor of that place, counted as by `tensors_among`, replaced.

    >>> a, b = Tensor(2), Tensor(3)
    >>> [tuple(one.shape) for one in tensors_among(with_tensor(([a, a], {}), 1, b))]
    [(2,), (3,)]
    """
    count = -1

    def put(value: Any) -> Any:
        nonlocal count
        if isinstance(value, Tensor):
            count += 1
            return new if count == place else value
        if type(value) in (tuple, list):
            return type(value)(put(entry) for entry in value)
        return {name: put(entry) for name, entry in value.items()} if isinstance(value, dict) else value

    return put(value)


def on_meta(value: Any) -> Any:
    """Return arguments with every tensor on meta."""
    if isinstance(value, Tensor):
        return value if value.device.type == "meta" else value.to("meta")
    if isinstance(value, dict):
        return {name: on_meta(entry) for name, entry in value.items()}
    return type(value)(map(on_meta, value)) if type(value) in (tuple, list) else value


def blank(value: Any, name: str, found: dict[str, Any]) -> Any:
    """Return an argument with its tensors on meta, each kept in `found` by where it is."""
    if isinstance(value, Tensor):
        found[name] = need_torch().empty_like(value, device="meta", requires_grad=False)
        return found[name]
    if isinstance(value, dict):
        return type(value)((key, blank(entry, f"{name}.{key}", found)) for key, entry in value.items())
    if isinstance(value, tuple | list):
        entries = [blank(entry, f"{name}.{place}", found) for place, entry in enumerate(value)]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return value


def each_tensor(value: Any, name: str, found: dict[str, Any]) -> None:
    """Keep every tensor of an argument in `found` by where it is: as `blank`, unchanged."""
    if isinstance(value, Tensor):
        found[name] = value
    elif isinstance(value, dict):
        for key, entry in value.items():
            each_tensor(entry, f"{name}.{key}", found)
    elif isinstance(value, tuple | list):
        for place, entry in enumerate(value):
            each_tensor(entry, f"{name}.{place}", found)


def swapped(value: Any, other: Mapping[int, Any]) -> Any:
    """Return an argument with other tensors, by the identity of those it has."""
    if id(value) in other:
        return other[id(value)]
    if isinstance(value, dict):
        return type(value)((key, swapped(entry, other)) for key, entry in value.items())
    if isinstance(value, tuple | list):
        entries = [swapped(entry, other) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return value
