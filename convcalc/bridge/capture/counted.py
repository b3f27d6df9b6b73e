"""The multiply-accumulates of what has no rule: those of the calls inside, by torch's own table of them.

Scripted parts, unknown functions and what runs under `vmap` come down to a few operations of torch, each seen on its
way to the device, with the shapes that it really computes.
"""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from convcalc.bridge.device import need_torch

torch = need_torch()
_aten = torch.ops.aten

_OWN = frozenset({"aten", "prim", "prims"})
"""The operations of torch itself; what others compute is not known."""

_WHOLE = ("quantized", "mkldnn", "_native_multi_head", "_transformer_encoder", "_thnn", "_cudnn", "_fft")
"""How operations of torch start that multiply inside, and are no single product."""


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what runs under it; `macs` is None where something ran of which nothing is known.

    >>> with Counter() as counter:
    ...     _ = torch.empty(2, 3, device="meta") @ torch.empty(3, 5, device="meta")
    >>> counter.macs
    30
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sum = 0
        self._is_whole = True

    @property
    def macs(self) -> int | None:
        """The multiply-accumulates so far."""
        return self._sum if self._is_whole else None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count it; one that is made of others as these."""
        kwargs = kwargs or {}
        packet = func._overloadpacket
        if packet not in flop_registry and func is not torch.ops.prim.device.default:
            with self:
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        out = func(*args, **kwargs)
        if packet in flop_registry:
            self._sum += flop_registry[packet](*args, **kwargs, out_val=out) // 2
        elif packet in _VECTORS:
            self._sum += args[_VECTORS[packet]].numel()
        elif func.namespace not in _OWN or packet.__name__.startswith(_WHOLE):
            self._is_whole = False
        return out


_VECTORS = {_aten.mv: 0, _aten.dot: 0, _aten.vdot: 0, _aten.addmv: 1}
"""Products with a vector, which torch's table leaves out: the argument that has a value for each multiplication."""
