"""The way to torch and to its devices, with a sentence where there is none."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from convcalc.errors import Unreadable


def need_torch() -> ModuleType:
    """Return torch, imported now; raise `Unreadable`, with the way to install it, where it is missing.

    >>> need_torch().__name__
    'torch'
    """
    try:
        import torch
    except ImportError as error:
        raise Unreadable(
            f"this needs torch, which cannot be imported ({error}); pip install 'convcalc[torch]'",
            fixes=["pip install 'convcalc[torch]'"],
        ) from None
    return torch


def need_device(name: str) -> Any:
    """Return the torch device `name`, such as "cpu", "cuda" or "cuda:1", once it has held a float64.

    "auto" is CUDA where torch finds such a device, else the CPU.
    Raises `Unreadable` where there is no such device, or it has no float64, in which exactness is checked.

    >>> need_device("cpu")
    device(type='cpu')
    >>> need_device("abacus")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: device 'abacus' cannot be used: torch knows no such device; use cpu or cuda
    """
    torch = need_torch()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise Unreadable(
            f"device {name!r} cannot be used: torch knows no such device; use cpu or cuda", fixes=["cpu", "cuda"]
        ) from None
    try:
        (torch.zeros(1, dtype=torch.float64, device=device) + 1).item()
    except Exception as error:  # each backend raises its own: RuntimeError, AssertionError, TypeError, ...
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unreadable(f"device {name!r} cannot be used: {reason}", fixes=["cpu"]) from None
    return device


def device_name(device: Any) -> str:
    """Return what the hardware calls itself.

    >>> bool(device_name(need_device("cpu")))
    True
    """
    if device.type == "cuda":
        return str(need_torch().cuda.get_device_name(device))
    return platform.processor() or platform.machine() or device.type


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread: on tiny tensors, handing work over costs more than the work.

    >>> with one_thread():
    ...     need_torch().get_num_threads()
    1
    """
    torch = need_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
