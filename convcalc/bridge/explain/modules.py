"""Modules of `torch.nn` as their own source text: read back from what they hold, changed, and built anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.layers import BatchNorm, InstanceNorm, Layer, Recurrent

torch = need_torch()
nn = torch.nn


def changed(module: Any, **changes: Any) -> tuple[str, Callable[[], Any]] | None:
    """Return a module with other hyper-parameters: its source text, and what builds it on meta.

    None where the module is not of `torch.nn`, or does not hold what it was built from.

    >>> text, build = changed(nn.Linear(400, 120, bias=False), in_features=576)
    >>> text, build().weight.shape
    ('nn.Linear(576, 120, bias=False)', torch.Size([120, 576]))
    """
    cls = type(module)
    if not cls.__module__.startswith("torch.nn.modules") or hasattr(module, "cls_to_become"):
        return None
    given = _arguments(module)
    if given is None or not set(changes) <= set(given):
        return None
    given = {**given, **changes}
    text = _text(cls, given)
    kind = next((value.dtype for value in module.parameters() if value.is_floating_point() or value.is_complex()), None)

    def build() -> Any:
        some = {"device": "meta", "dtype": kind} if kind is not None else {}
        fresh = cls(**given, **some)
        return fresh.train(module.training)

    return text, build


def _arguments(module: Any) -> dict[str, Any] | None:
    """What a module was built from, by name; None where it does not say."""
    names = _signature(type(module))
    if not all(hasattr(module, name) for name in names):
        return None
    found = {name: getattr(module, name) for name in names}
    if not isinstance(found.get("bias", False), bool):
        found["bias"] = found["bias"] is not None
    if found.get("affine") is False:
        found.pop("bias", None)
    return found


def _signature(cls: type) -> dict[str, Any]:
    """What the constructor of a class takes by name, and the default of each; recurrent ones share most of theirs."""
    skipped, known = {"device", "dtype"}, inspect.signature(cls).parameters
    if issubclass(cls, nn.RNNBase):  # states are projected by an LSTM alone
        skipped |= {"mode"} if cls is nn.LSTM else {"mode", "proj_size"}
        known = inspect.signature(nn.RNNBase).parameters
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [name for name, entry in known.items() if entry.kind in kinds and not name.startswith("_")]
    found = {name: known[name].default for name in names if name not in skipped}
    return {**found, "nonlinearity": "tanh"} if issubclass(cls, nn.RNN) else found


def _text(cls: type, given: Mapping[str, Any]) -> str:
    known = _signature(cls)
    parts = []
    for name, value in given.items():
        short = value[0] if name == "normalized_shape" and len(value) == 1 else _short(name, value)
        if known.get(name) is inspect.Parameter.empty:
            parts.append(repr(short))
        elif short != _short(name, known.get(name)) and not _is_default_stride(name, value, given):
            parts.append(f"{name}={short!r}")
    return f"nn.{cls.__name__}({', '.join(parts)})"


def _is_default_stride(name: str, value: Any, given: Mapping[str, Any]) -> bool:
    """Pooling: the stride is the kernel unless given."""
    return name == "stride" and "out_channels" not in given and value == given.get("kernel_size")


def _short(name: str, value: Any) -> Any:
    """One number for equal entries; each size of a normalized_shape counts."""
    if name != "normalized_shape" and isinstance(value, tuple) and value and all(entry == value[0] for entry in value):
        return value[0]
    return value


def layer_of(module: Any) -> Layer | None:
    """Return the layer that a module of torch is which refuses its input before it calls anything.

    >>> layer_of(nn.InstanceNorm2d(16)).num_features, layer_of(nn.ReLU())
    (16, None)
    """
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return BatchNorm(module.num_features)
    if isinstance(module, nn.modules.instancenorm._InstanceNorm):
        return InstanceNorm(module.num_features)
    if isinstance(module, nn.LSTM | nn.GRU | nn.RNN):
        return Recurrent(
            {"LSTM": "lstm", "GRU": "gru"}.get(module.mode, "rnn"),
            module.hidden_size,
            input_size=module.input_size,
            num_layers=module.num_layers,
            batch_first=module.batch_first,
            bidirectional=module.bidirectional,
            proj_size=module.proj_size,
        )
    return None
