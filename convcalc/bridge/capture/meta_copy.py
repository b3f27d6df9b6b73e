"""A copy of a module whose tensors hold no values: the original stays as it is, and nothing is allocated.

Every parameter, buffer and other tensor becomes one of the same shape and type on `meta`; what was one tensor stays
one (tied weights). Wrappers give way to what they wrap: `DataParallel`, compiled modules. Functions that close over
parts of the module (hooks, replaced `forward`s) are made again around the copies.
"""

from __future__ import annotations

import copy
import types
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from operator import is_
from typing import Any

from convcalc.bridge.capture.arguments import mapped
from convcalc.bridge.capture.known import has_values
from convcalc.bridge.device import need_torch

torch = need_torch()

_ATOMIC = frozenset(
    {int, float, complex, bool, str, bytes, type(None), type, range, slice, types.ModuleType, types.BuiltinFunctionType}
)


class Copier:
    """Copies modules, each tensor as one without values; `attributes` names tensors that are plain attributes.

    >>> layer = torch.nn.Linear(4, 2)
    >>> twin = Copier().module(layer)
    >>> twin.weight.device, layer.weight.device, twin
    (device(type='meta'), device(type='cpu'), Linear(in_features=4, out_features=2, bias=True))
    """

    def __init__(self) -> None:
        self.own = frozenset(vars(torch.nn.Module())) - _TABLES
        """What every module has, mostly empty tables of hooks of its own."""
        self.memo: dict[int, Any] = {}
        self.kept: list[Any] = []
        """What the memo knows by identity must stay alive."""
        self.tensors: dict[int, Any] = {}
        """The copy of each tensor, by the identity of the original."""
        self.small: dict[int, tuple[Any, Any]] = {}
        """The copy and the original of each tensor whose values are kept, by the identity of the copy."""
        self.attributes: list[tuple[str, Any]] = []
        """Tensors that are plain attributes: where, and the copy."""
        self.strays: list[tuple[str, Any]] = []
        """Modules that are plain attributes, or in lists of them: where, and the copy."""

    def module(self, module: Any) -> Any:
        """Return the copy of a module and of all that it holds."""
        with torch.no_grad():
            return self._module(module, "")

    def tensor(self, tensor: Any) -> Any:
        """Return the copy of a tensor: the same shape and type, without values."""
        known = self.memo.get(id(tensor))
        if known is not None:
            return known
        twin = self._blank(tensor)
        if isinstance(tensor, torch.nn.Parameter):
            if not isinstance(twin, torch.nn.Parameter):
                twin = torch.nn.Parameter(twin, requires_grad=tensor.requires_grad)
        elif tensor.requires_grad and tensor.is_leaf:
            twin.requires_grad_()
        self.tensors[id(tensor)] = twin
        if has_values(tensor):
            self.small[id(twin)] = twin, tensor
        return self._keep(tensor, twin)

    def adopt(self, tensor: Any, twin: Any) -> None:
        """Let `twin` stand in the place of a tensor that is no part of the module."""
        self.tensors[id(tensor)] = twin
        self.kept.append(tensor)

    def owned(self, value: Any) -> Any:
        """Return arguments with the copy in the place of each tensor that has one."""
        return mapped(value, lambda one: self.tensors.get(id(one), one))

    def _blank(self, tensor: Any) -> Any:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            trained = {"requires_grad": tensor.requires_grad} if isinstance(tensor, torch.nn.Parameter) else {}
            return type(tensor)(**trained, device="meta", dtype=tensor.data.dtype)
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
        cls: Any = type(module)
        if isinstance(module, torch.jit.ScriptModule):
            return self._keep(module, self._scripted(module))
        if _copies_itself(cls):
            twin = self._copied(module)
            if twin is not module:
                return twin
        twin = self._keep(module, object.__new__(cls))
        values = twin.__dict__
        for name in [name for name in module.__dict__ if name in _TABLES]:  # first, as they say what a tensor is
            values[name] = self._table(module.__dict__[name], path, name)
        for name, value in module.__dict__.items():
            kind = type(value)
            if kind in _ATOMIC:
                values[name] = value
            elif name in self.own:
                values[name] = self._value(value, _at(path, name)) if value else kind()
            elif name not in _TABLES:
                values[name] = self._value(value, _at(path, name))
        self._slots(module, twin, path)
        return twin

    def _scripted(self, module: Any) -> Any:
        """A scripted module, whose tensors are in C++: copied as they are, then replaced."""
        with torch.enable_grad():  # else no copy of a parameter is trained
            twin = copy.deepcopy(module)
        for part in twin.modules():
            for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
                if tensor is not None:
                    part._c.setattr(name, self._blank(tensor).requires_grad_(tensor.requires_grad))
        return twin

    def _table(self, table: Any, path: str, name: str) -> Any:
        def copied(entry: Any, key: str) -> Any:
            return self._module(entry, _at(path, key)) if name == "_modules" else self.tensor(entry)

        return type(table)((key, entry if entry is None else copied(entry, key)) for key, entry in table.items())

    def _slots(self, value: Any, twin: Any, place: str) -> None:
        """What a class keeps outside `__dict__`."""
        cls: Any = type(value)
        for name in _slots_of(cls):
            try:
                held = object.__getattribute__(value, name)
            except AttributeError:
                continue
            object.__setattr__(twin, name, self._value(held, _at(place, name)))

    def _value(self, value: Any, place: str) -> Any:
        cls: Any = type(value)
        if cls in _ATOMIC or (cls is tuple and all(type(entry) in _ATOMIC for entry in value)):
            return value
        known = self.memo.get(id(value))
        if known is not None:
            return known
        if isinstance(value, torch.Tensor):
            twin = self.tensor(value)
            self.attributes.append((place, twin))
            return twin
        if isinstance(value, torch.nn.Module):
            twin = self._module(value, place)
            self.strays.append((place, twin))
            return twin
        if cls in (list, set, dict, OrderedDict):
            twin = self._keep(value, cls())
            if cls is list:
                twin.extend([self._value(entry, _at(place, number)) for number, entry in enumerate(value)])
            elif cls is set:
                twin.update([self._value(entry, place) for entry in value])
            else:
                twin.update({key: self._value(entry, _at(place, key)) for key, entry in value.items()})
            return twin
        if cls is tuple:
            entries = [self._value(entry, _at(place, number)) for number, entry in enumerate(value)]
            return value if all(map(is_, entries, value)) else tuple(entries)
        if cls is types.FunctionType:
            return self._function(value, place)
        if cls is torch.Generator:
            return self._keep(value, value.clone_state())
        if cls is types.MethodType:
            return types.MethodType(value.__func__, self._value(value.__self__, place))
        if isinstance(value, type) or _is_constant(cls):
            return value
        return self._object(value, place) if _is_plain(cls) else self._copied(value)

    def _function(self, function: Any, place: str) -> Any:
        """A function that closes over what is copied, around the copies; any other is itself."""
        if not function.__closure__:
            return function
        cells = [self._cell(cell, place) for cell in function.__closure__]
        if all(map(is_, cells, function.__closure__)):
            return function
        made = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, tuple(cells)
        )
        made.__kwdefaults__ = function.__kwdefaults__
        made.__dict__.update(function.__dict__)
        return self._keep(function, made)

    def _cell(self, cell: Any, place: str) -> Any:
        known = self.memo.get(id(cell))
        if known is not None:
            return known
        try:
            held = cell.cell_contents
        except ValueError:  # nothing is in it yet
            return cell
        if type(held) not in _HELD and not isinstance(held, torch.nn.Module | torch.Tensor):
            return cell
        twin = self._keep(cell, types.CellType())  # known before what it holds, which may lead back to it
        twin.cell_contents = self._value(held, place)
        if twin.cell_contents is held:
            self.memo[id(cell)] = cell
            return cell
        return twin

    def _object(self, value: Any, place: str) -> Any:
        """An object that is its attributes alone."""
        twin = self._keep(value, object.__new__(type(value)))
        twin.__dict__.update({name: self._value(held, _at(place, name)) for name, held in value.__dict__.items()})
        self._slots(value, twin, place)
        return twin

    def _copied(self, value: Any) -> Any:
        """An object that says itself how it is copied; what cannot be, a lock or a file, is shared."""
        memo = dict(self.memo)
        try:
            with _Copies(self.tensor):
                twin = copy.deepcopy(value, memo)
        except Exception:
            return value
        self.memo.update(memo)
        return self._keep(value, twin)


_TABLES = frozenset({"_parameters", "_buffers", "_modules"})
_HELD = frozenset({list, dict, set, tuple, OrderedDict, types.FunctionType, types.MethodType})
"""What a function may close over that is copied, beside modules and tensors."""


def _at(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _wrapped(module: Any) -> Any:
    """What a wrapper that only changes how a module is run wraps."""
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        return module.module
    return vars(module).get("_modules", {}).get("_orig_mod") if type(module).__name__ == "OptimizedModule" else None


@cache
def _copies_itself(cls: type) -> bool:
    """Whether a class says itself how it is copied; those of torch do so for old files alone."""
    bases = (base for base in cls.__mro__ if base is not object and not base.__module__.startswith("torch.nn."))
    return any(not _COPYING.isdisjoint(vars(base)) for base in bases)


_COPYING = {
    f"__{name}__" for name in ("deepcopy", "copy", "reduce_ex", "reduce", "getstate", "setstate", "getattribute")
}


@cache
def _is_plain(cls: type) -> bool:
    """Whether instances are their `__dict__` and slots, and nothing in C."""
    try:
        return not _copies_itself(cls) and isinstance(object.__new__(cls).__dict__, dict)
    except (TypeError, AttributeError):
        return False


@cache
def _is_constant(cls: type) -> bool:
    """Whether instances never change: values such as devices, types, paths, and frozen layers of this library."""
    fixed = (torch.device, torch.dtype, torch.Size, torch.layout, torch.memory_format)
    return issubclass(cls, fixed) or cls.__module__.partition(".")[0] in ("convcalc", "pathlib", "enum", "re")


@cache
def _slots_of(cls: type) -> tuple[str, ...]:
    names: list[str] = []
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        some = (slots,) if isinstance(slots, str) else tuple(slots)
        prefix = f"_{base.__name__.lstrip('_')}"
        names += [prefix + name if name.startswith("__") and not name.endswith("__") else name for name in some]
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


class _Copies(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
    """A mode under which copying a tensor, wherever that happens, is `copied`."""

    def __init__(self, copied: Callable[[Any], Any]) -> None:
        super().__init__()
        self.copied = copied

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.__deepcopy__ or (func is torch.Tensor.clone and len(args) == 1):
            return self.copied(args[0])
        return func(*args, **(kwargs or {}))
