"""What Python gets where it asks for a value that depends on the input: an answer that is not known, and that goes on.

A capture has shapes without values. What is only printed, or computed with, needs none: an `Answer` is a number of
which the tensor alone is known, and becomes that tensor again where a call of torch takes it. A condition is taken as
it is assumed to be; where nothing is assumed, and where the number itself is needed, the run ends.
"""

from __future__ import annotations

import operator
from typing import Any

from convcalc.bridge.capture.arguments import mapped
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.lines import TORCHS
from convcalc.bridge.hearing.reading import asking, fate

torch = need_torch()
Tensor = torch.Tensor

NONE: Any = object()
"""Said where there is no answer: the call runs as any other, and ends the run."""

MANY = 64
"""Lists of more numbers than this are not answered."""

CONDITIONS = frozenset(
    {Tensor.__bool__, Tensor.is_nonzero, torch.is_nonzero, Tensor.equal, torch.equal, Tensor.allclose, torch.allclose}
)
"""What gives Python a truth."""

_NUMBERS = {Tensor.__float__: 1.0, Tensor.__int__: 1, Tensor.__index__: 1}


class Answer:
    """The number that a tensor of one value holds, which is not known: `?` in texts, the tensor in calculations.

    >>> mean = Answer(torch.empty((), device="meta"))
    >>> f"mean {mean:.3f}", (2 * mean + 1).tensor.shape, torch.empty(3, device="meta").mul(mean).shape
    ('mean ?', torch.Size([]), torch.Size([3]))
    """

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a call with the tensors."""
        return func(*as_tensors(args), **as_tensors(kwargs or {}))

    def __format__(self, spec: str) -> str:
        return "?"

    def __repr__(self) -> str:
        return "?"

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.tensor)

    def __float__(self) -> float:
        return float(self.tensor)

    def __int__(self) -> int:
        return int(self.tensor)

    def __index__(self) -> int:
        return operator.index(self.tensor)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.tensor.numpy().astype(dtype)

    def __round__(self, digits: Any = None) -> Answer:
        return Answer(self.tensor.round(decimals=digits or 0))


def _method(name: str) -> Any:
    def method(self: Answer, *others: Any) -> Any:
        if any(not isinstance(other, Answer | Tensor | int | float) for other in others):
            return NotImplemented
        out = getattr(self.tensor, f"__{name}__")(*as_tensors(others))
        return Answer(out) if isinstance(out, Tensor) and not any(isinstance(o, Tensor) for o in others) else out

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Answer, f"__{_name}__", _method(_name))
    setattr(Answer, f"__r{_name}__", _method(f"r{_name}"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "abs"):
    setattr(Answer, f"__{_name}__", _method(_name))


def as_tensors(value: Any) -> Any:
    """Return arguments with the tensor of each answer."""
    return mapped(value, lambda one: one.tensor if isinstance(one, Answer) else one)


def answer(func: Any, tensor: Any) -> Any:
    """Return what Python gets from a function that reads the values of a tensor on meta; `NONE` where that is nothing.

    >>> answer(Tensor.item, torch.empty(1, device="meta")), answer(Tensor.tolist, torch.empty(2, device="meta"))
    (?, [?, ?])
    """
    if tensor.device.type != "meta":
        return NONE
    if func is Tensor.item and tensor.numel() == 1:
        return Answer(tensor.reshape(()) if tensor.dim() else tensor)
    if func is Tensor.tolist and tensor.numel() <= MANY:
        return _listed(tensor)
    if func not in _NUMBERS and func is not Tensor.__format__:
        return NONE
    return _NUMBERS.get(func, "?") if tensor.numel() == 1 and is_told() else NONE


def is_told() -> bool:
    """Return whether what Python asks of a tensor now is told to a reader or raised, and nothing else."""
    return fate(asking(beyond=(TORCHS,))) in ("told", "raised")


def _listed(tensor: Any) -> Any:
    return [_listed(part) for part in tensor.unbind()] if tensor.dim() else Answer(tensor)
