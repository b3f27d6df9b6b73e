"""Random numbers that a model asks for on its way: what they decide is another at every run."""

from __future__ import annotations

import random
import sys
from typing import Any

RANDOM = frozenset(
    {
        "rand",
        "randn",
        "randint",
        "randperm",
        "rand_like",
        "randn_like",
        "randint_like",
        "bernoulli",
        "normal",
        "uniform",
    }
    | {"multinomial", "poisson", "exponential", "random", "cauchy", "geometric", "log_normal", "dropout"}
)
"""Functions of torch that draw."""


def drawn() -> tuple[Any, ...]:
    """Return what is another after Python or NumPy drew a random number.

    >>> before = drawn()
    >>> before == drawn(), random.random() < 1, before == drawn()
    (True, True, False)
    """
    numpy = sys.modules.get("numpy")
    state = None if numpy is None else numpy.random.get_state(legacy=False)["state"]
    return random.getstate()[1][-2:], None if state is None else (state["pos"], int(state["key"][-1]))
