"""What running a model may change around it, put back as it was."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convcalc.bridge.device import need_torch


@contextmanager
def unchanged() -> Iterator[None]:
    """Run a block without gradients and warnings, and restore what it changed: random states, types, switches.

    >>> torch = need_torch()
    >>> with unchanged():
    ...     torch.set_default_dtype(torch.float64)
    >>> torch.get_default_dtype()
    torch.float32
    """
    torch = need_torch()
    dtype = torch.get_default_dtype()
    cpu = torch.random.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    python = random.getstate()
    numpy: Any = sys.modules.get("numpy")
    drawn = numpy.random.get_state() if numpy else None
    fast = torch.backends.mha.get_fastpath_enabled()
    deterministic = torch.are_deterministic_algorithms_enabled()
    recursion = sys.getrecursionlimit()
    grad = torch.is_grad_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)  # it would hide the layers inside
        with warnings.catch_warnings(), torch.no_grad(), _eager():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_default_dtype(dtype)
        torch.random.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        random.setstate(python)
        if numpy:
            numpy.random.set_state(drawn)
        torch.use_deterministic_algorithms(deterministic)
        torch.set_grad_enabled(grad)
        sys.setrecursionlimit(recursion)


@contextmanager
def _eager() -> Iterator[None]:
    """Compiled functions run as they are written; nothing can be compiled where the compiler is not loaded."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with need_torch().compiler.set_stance("force_eager"):
        yield
