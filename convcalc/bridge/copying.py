"""A copy of a module whose tensors hold no values: the original stays as it is, and nothing is allocated.

Every parameter, buffer and other tensor becomes one of the same shape and type on `meta`; what was one tensor stays
one (tied weights). Wrappers give way to what they wrap: `DataParallel`, compiled modules.
"""

from __future__ import annotations

import copy
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from convcalc.bridge.device import need_torch

_ATOMIC = (int, float, complex, bool, str, bytes, type(None), type, types.FunctionType, types.BuiltinFunctionType)


class Copier:
    """Copies modules, each tensor by `blank`; `names` has the place of tensors that are plain attributes.

    >>> torch = need_torch()
    >>> layer = torch.nn.Linear(4, 2)
    >>> twin = Copier().module(layer)
    >>> twin.weight.device, layer.weight.device, twin
    (device(type='meta'), device(type='cpu'), Linear(in_features=4, out_features=2, bias=True))
    """

    def __init__(self, device: str = "meta") -> None:
        self.torch = need_torch()
        self.device = device
        self.memo: dict[int, Any] = {}
        self.kept: list[Any] = []
        """What the memo knows by identity must stay alive."""
        self.attributes: list[tuple[str, Any]] = []
        """Tensors that are plain attributes: where, and the copy."""

    def module(self, module: Any) -> Any:
        """Return the copy of a module and of all that it holds."""
        return self._module(module, "")

    def tensor(self, tensor: Any) -> Any:
        """Return the copy of a tensor: the same shape and type, without values on meta."""
        known = self.memo.get(id(tensor))
        if known is not None:
            return known
        torch = self.torch
        with torch.no_grad():
            blank = self._blank(tensor)
            if isinstance(tensor, torch.nn.Parameter) and not isinstance(blank, torch.nn.Parameter):
                blank = torch.nn.Parameter(blank, requires_grad=tensor.requires_grad)
            elif tensor.is_leaf and tensor.requires_grad and not blank.requires_grad:
                blank.requires_grad_()
        return self._keep(tensor, blank)

    def _blank(self, tensor: Any) -> Any:
        torch = self.torch
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            return type(tensor)(
                **({"requires_grad": tensor.requires_grad} if isinstance(tensor, torch.nn.Parameter) else {}),
                device=self.device,
                dtype=tensor.data.dtype,
            )
        if self.device != "meta":
            return tensor.detach().clone()
        try:
            return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
        except RuntimeError:  # sparse, quantized: no strides
            return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")

    def _keep(self, original: Any, twin: Any) -> Any:
        self.memo[id(original)] = twin
        self.kept.append(original)
        return twin

    def _module(self, module: Any, path: str) -> Any:
        known = self.memo.get(id(module))
        if known is not None:
            return known
        inner = _wrapped(module)
        if inner is not None:
            return self._keep(module, self._module(inner, path))
        if isinstance(module, self.torch.jit.ScriptModule):
            return self._keep(module, self._scripted(module))
        cls = type(module)
        if _copies_itself(cls, self.torch.nn.Module):
            with _tensor_hook(self.torch, self.tensor):
                return self._keep(module, copy.deepcopy(module, self.memo))
        twin = self._keep(module, object.__new__(cls))
        values = twin.__dict__
        for name, value in module.__dict__.items():
            if name in ("_parameters", "_buffers"):
                values[name] = type(value)(
                    (key, entry if entry is None else self.tensor(entry)) for key, entry in value.items()
                )
            elif name == "_modules":
                values[name] = type(value)(
                    (key, entry if entry is None else self._module(entry, f"{path}.{key}" if path else key))
                    for key, entry in value.items()
                )
        for name, value in module.__dict__.items():
            if name not in ("_parameters", "_buffers", "_modules"):
                values[name] = self._value(value, f"{path}.{name}" if path else name)
        return twin

    def _scripted(self, module: Any) -> Any:
        """A scripted module has its tensors in C++, where the only copy is a real one."""
        return copy.deepcopy(module).to(self.device)

    def _value(self, value: Any, place: str) -> Any:
        if isinstance(value, _ATOMIC):
            return value
        known = self.memo.get(id(value))
        if known is not None:
            return known
        if isinstance(value, self.torch.Tensor):
            twin = self.tensor(value)
            self.attributes.append((place, twin))
            return twin
        if isinstance(value, self.torch.nn.Module):
            return self._module(value, place)
        cls = type(value)
        if cls in (list, set, dict, OrderedDict):
            twin = self._keep(value, cls())
            if isinstance(twin, list):
                twin.extend(self._value(entry, f"{place}.{number}") for number, entry in enumerate(value))
            elif isinstance(twin, set):
                twin.update(self._value(entry, place) for entry in value)
            else:
                twin.update((key, self._value(entry, f"{place}.{key}")) for key, entry in value.items())
            return twin
        if cls is tuple:
            return tuple(self._value(entry, f"{place}.{number}") for number, entry in enumerate(value))
        try:
            with _tensor_hook(self.torch, self.tensor):
                return self._keep(value, copy.deepcopy(value, self.memo))
        except Exception:  # a lock, a file, a logger: shared with the original
            return value


def _wrapped(module: Any) -> Any:
    """What a wrapper that only changes how a module is run wraps."""
    torch = need_torch()
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        return module.module
    return vars(module).get("_modules", {}).get("_orig_mod") if type(module).__name__ == "OptimizedModule" else None


def _copies_itself(cls: type, base: type) -> bool:
    """Whether a class of modules says itself how it is copied."""
    return any(
        getattr(cls, name, None) is not getattr(base, name, None)
        for name in ("__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getattribute__")
    )


def _tensor_hook(torch: Any, copied: Callable[[Any], Any]) -> Any:
    """A mode under which copying a tensor, wherever that happens, is `copied`."""
    from torch.overrides import TorchFunctionMode

    clone, deepcopy = torch.Tensor.clone, torch.Tensor.__deepcopy__

    class Copies(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is deepcopy or (func is clone and len(args) == 1):
                return copied(args[0])
            return func(*args, **(kwargs or {}))

    return Copies()
