"""The tensors among the arguments of a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc.bridge.device import need_torch

torch = need_torch()


def tensors(value: Any) -> Iterator[Any]:
    """Yield every tensor among arguments, in order.

    >>> [tuple(one.shape) for one in tensors(([torch.empty(2), torch.empty(3)], {"out": torch.empty(4)}))]
    [(2,), (3,), (4,)]
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from tensors(entry)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


def with_tensor(value: Any, place: int, new: Any) -> Any:
    """Return the same arguments with the tensor of that place, counted as by `tensors`, replaced.

    >>> a, b = torch.empty(2), torch.empty(3)
    >>> [tuple(one.shape) for one in tensors(with_tensor(([a, a], {}), 1, b))]
    [(2,), (3,)]
    """
    count = -1

    def put(value: Any) -> Any:
        nonlocal count
        if isinstance(value, torch.Tensor):
            count += 1
            return new if count == place else value
        if type(value) in (tuple, list):
            return type(value)(put(entry) for entry in value)
        return {name: put(entry) for name, entry in value.items()} if isinstance(value, dict) else value

    return put(value)
