"""How a module is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convcalc.bridge.capture.asking import Assumed, Guess, Place
from convcalc.bridge.loops.alike import Plan
from convcalc.errors import ConvcalcError
from convcalc.layers import Shape
from convcalc.sizes.expr import Expr


@dataclass(frozen=True)
class Settings:
    """What a user asks for, and what was found out for a run.

    `explain` says why a run failed. `check` is whether the graph is checked at other sizes, `repair` whether repairs
    are looked for. `named` are letters for the first two axes of the inputs, `placed` those for all that have any.
    """

    name: str
    explain: Callable[..., ConvcalcError]
    dtype: Any = None
    train: bool = False
    check: bool = True
    repair: bool = True
    named: Sequence[Mapping[int, Expr]] = ()
    placed: Sequence[Shape] | None = None
    plain: str = ""
    """Why sizes are plain numbers, where they are."""
    plan: Plan | None = None
    """Where loops go over pieces of which there may be any number."""
    assume: Mapping[str, bool] = field(default_factory=dict)
    """What the user says of conditions on values."""
    assumed: Mapping[Place, Assumed] = field(default_factory=dict)
    """What was found out of them."""
    guess: Guess | None = None
    """What numbers of the input are taken to be."""

    def tried(self, **other: Any) -> Settings:
        """Return those of a run that is only tried: nothing is checked at other sizes, no repair is looked for."""
        return replace(self, check=False, repair=False, **other)
