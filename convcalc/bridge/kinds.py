"""Whether something is a torch module, and of which type its values are; torch is not imported to find out."""

from __future__ import annotations

import sys
from typing import Any

from convcalc.analysis.report.memory import ITEMSIZES
from convcalc.errors import BadArgument, brief


def is_module(net: Any) -> bool:
    """Whether this is a `torch.nn.Module`; nothing is, as long as nobody has imported torch.

    >>> is_module(3)
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(net, torch.nn.Module)


def torch_type(dtype: Any) -> Any:
    """Return a type of torch, from its name too; raises `BadArgument` for what is none.

    >>> import torch
    >>> torch_type("int64"), torch_type(None)
    (torch.int64, None)
    """
    if dtype is None:
        return None
    torch = sys.modules["torch"]
    name = str(dtype).removeprefix("torch.")
    if name not in ITEMSIZES or not isinstance(dtype, str | torch.dtype):
        raise BadArgument(f"unknown dtype {brief(dtype)}: use one of {', '.join(ITEMSIZES)}")
    return getattr(torch, name)


def bytes_type(net: Any, dtype: Any) -> str:
    """Return the type in which values are counted: the one that is asked for, if it is no integer, else the net's own.

    That is, of a torch module, the type of its first parameter that is no integer.
    """
    name = "" if dtype is None else str(dtype).removeprefix("torch.")
    if not is_module(net) or name.startswith(("float", "bfloat")):
        return name or "float32"
    kinds = (value.dtype for value in net.parameters() if value.is_floating_point() or value.is_complex())
    names = (str(kind).removeprefix("torch.") for kind in kinds)
    return next((name for name in names if name in ITEMSIZES), "float32")
