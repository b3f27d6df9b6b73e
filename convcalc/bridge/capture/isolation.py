"""What running a model may change around it, put back as it was."""

from __future__ import annotations

import gc
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from convcalc.bridge.device import need_torch

_DEPTH = 3000
"""How deep calls may nest at least: recording takes a frame more for each module."""

_ALONE = threading.RLock()
"""Held while a module runs: what is changed around it belongs to the whole process, so that threads take turns."""


@contextmanager
def unchanged() -> Iterator[None]:
    """Run a block without gradients and warnings, and restore what it changed: random states, types, switches.

    Blocks in several threads run one after another.

    >>> torch = need_torch()
    >>> with unchanged():
    ...     torch.set_default_dtype(torch.float64)
    >>> torch.get_default_dtype()
    torch.float32
    """
    torch = need_torch()
    with _ALONE:
        before = [(put, get()) for get, put in _switches()]
        device = _default_device(torch)
        collecting = gc.isenabled()
        try:
            gc.disable()  # a run makes many small objects that stay, and looking through them takes a tenth of its time
            torch.backends.mha.set_fastpath_enabled(False)  # it would hide the layers inside
            torch.nn.modules.transformer._detect_is_causal_mask = _as_said
            sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEPTH))
            with warnings.catch_warnings(), torch.no_grad(), _eager():
                warnings.simplefilter("ignore")
                yield
        finally:
            if collecting:
                gc.enable()
            for put, value in before:
                put(value)
            if _default_device(torch) != device:
                torch.set_default_device(device)


def silent() -> AbstractContextManager[Any]:
    """Return what hides what a model prints: it printed it once.

    >>> with silent():
    ...     print("mean 0.5")
    """
    return redirect_stdout(StringIO())


def _switches() -> list[tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """What is read before a run, and how it is put back."""
    torch, numpy = need_torch(), sys.modules.get("numpy")
    cudnn = torch.backends.cudnn
    some: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
        (torch.get_default_dtype, torch.set_default_dtype),
        (torch.random.get_rng_state, torch.random.set_rng_state),
        (random.getstate, random.setstate),
        (torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled),
        # `use_deterministic_algorithms` imports a compiler, and forgets that it may warn only
        (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
        (torch.is_grad_enabled, torch.set_grad_enabled),
        (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        (torch.get_num_threads, torch.set_num_threads),
        (lambda: (cudnn.enabled, cudnn.benchmark, cudnn.deterministic), lambda flags: cudnn.set_flags(*flags)),
        (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
        (sys.getrecursionlimit, sys.setrecursionlimit),
    ]
    rooms = torch.nn.modules.transformer
    some.append((lambda: rooms._detect_is_causal_mask, lambda known: setattr(rooms, "_detect_is_causal_mask", known)))
    if torch.cuda.is_initialized():
        some.append((torch.cuda.get_rng_state_all, torch.cuda.set_rng_state_all))
    if numpy is not None:
        some.append((numpy.random.get_state, numpy.random.set_state))
    return some


def _as_said(mask: Any, is_causal: bool | None = None, size: int | None = None) -> bool:
    """In the place of torch's own look at the values of a mask, which only chooses a faster way to the same."""
    return bool(is_causal)


def _default_device(torch: Any) -> Any:
    """The device that `torch.set_default_device` set, None where it did not."""
    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return None if context is None else context.device


@contextmanager
def _eager() -> Iterator[None]:
    """Compiled functions run as they are written; nothing can be compiled where the compiler is not loaded."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with need_torch().compiler.set_stance("force_eager"):
        yield
