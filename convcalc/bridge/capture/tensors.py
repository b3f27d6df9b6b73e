"""Which tensor holds which value: known by its identity, and by how often it was written into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.bridge.capture.arguments import storage_of
from convcalc.bridge.capture.known import Known
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Value

torch = need_torch()


class Tensors:
    """The tensors of one run: what the module calls its own, and the values that the calls so far gave.

    >>> tensors, weight = Tensors(Known({})), torch.empty(3, device="meta")
    >>> tensors.name(weight, "parameter", "conv.weight")
    >>> tensors.kind(weight), tensors.at(weight)
    (('parameter', 'conv.weight'), None)
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self._values: dict[int, Value] = {}
        self._named: dict[int, tuple[str, str]] = {}
        """Parameters, buffers and tensor attributes: what each is, and its path."""
        self._kept: list[Any] = []
        """All of them, as an identity is that of a tensor while it lives."""
        self._behind: dict[int, Value] = {}
        """What was computed under `vmap`, by the storage that outlasts it."""
        self._writes: dict[int, list[Call]] = {}
        """The calls that wrote into each storage."""

    # -- the module's own ---------------------------------------------------------------------------------------

    def name(self, tensor: Any, kind: str, path: str) -> None:
        """Call a tensor of the module by its path; what is a buffer too stays a parameter."""
        if tensor is not None:
            known = self._named.get(id(tensor))
            if known is None or known[0] != kind == "parameter":
                self._named[id(tensor)] = (kind, path)
                self._kept.append(tensor)

    def kind(self, tensor: Any) -> tuple[str, str]:
        """Return whether a tensor is a parameter or a buffer, and its path; ("", "") where it is neither."""
        return self._named.get(id(tensor), ("", ""))

    def is_own(self, tensor: Any) -> bool:
        """Whether a tensor is the module's, as no call gave it."""
        return id(tensor) in self._named and id(tensor) not in self._values

    # -- values -------------------------------------------------------------------------------------------------

    def at(self, tensor: Any) -> Value | None:
        """Return the value that a tensor was given last, however often it was written into since."""
        return self._values.get(id(tensor))

    def held(self, tensor: Any) -> Value | None:
        """Return the value that a tensor holds, if it is known."""
        value = self.at(tensor)
        return value if value is not None and value.version == self._version(tensor) else None

    def is_known(self, tensor: Any) -> bool:
        """Whether a tensor is the module's, or some call gave it."""
        return id(tensor) in self._values or id(tensor) in self._named

    def hold(self, tensor: Any, call: Call, place: int = 0) -> Value:
        """Keep that a tensor holds this output of a call."""
        value = Value(call, place, self._version(tensor))
        self._values[id(tensor)] = value
        self._kept.append(tensor)
        return value

    def give(self, call: Call, outs: Sequence[Any]) -> None:
        """Keep that these tensors hold what a call gave, some of them written into by it."""
        for place, tensor in enumerate(outs):
            before = self.at(tensor)
            if before is not None and before.version != self._version(tensor):
                if call.live:
                    self.known.forget(tensor)
                self._writes.setdefault(self.known.home(tensor), []).append(call)
            value = self.hold(tensor, call, place)
            if is_batched(tensor):
                self._behind[storage_of(behind(tensor))] = value

    def rename(self, tensor: Any, other: Any) -> None:
        """Keep that another tensor stands for one of the module's."""
        self._named.setdefault(id(other), self._named[id(tensor)])
        self._kept.append(other)

    def writers(self, tensor: Any, since: Value) -> list[Call]:
        """Return the calls that wrote into a tensor after it was given a value: into a view of it, or what it views."""
        return [call for call in self._writes.get(self.known.home(tensor), ()) if call.number > since.call.number]

    def behind(self, tensor: Any) -> Value | Any:
        """Return the value, or else the tensor, that one which `vmap` gives or takes apart was before; None if none."""
        storage = storage_of(behind(tensor))
        if not is_batched(tensor) or storage in self._behind:
            return self._behind.get(storage)
        return next((some for some in self._kept if not is_batched(some) and storage_of(some) == storage), None)

    def _version(self, tensor: Any) -> int:
        """How often a tensor was written into."""
        if tensor.is_inference():  # which torch does not count
            return len(self._writes.get(self.known.home(tensor), ()))
        return int(tensor._version)


def is_batched(value: Any) -> bool:
    """Whether a tensor stands for many, one for each entry of an axis that `vmap` hides."""
    return value is not None and bool(torch._C._functorch.is_batchedtensor(value))


def behind(value: Any) -> Any:
    """Return the tensor that holds what a batched one stands for."""
    while is_batched(value):
        value = torch._C._functorch.get_unwrapped(value)
    return value


def under_vmap() -> bool:
    """Whether a function runs that `vmap` or another transform was given."""
    return torch._C._functorch.peek_interpreter_stack() is not None
