"""The conditions that a network puts on its input sizes, collected from one propagation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import index
from typing import Any, Literal, NamedTuple

import numpy as np

from convcalc.errors import ConvcalcError
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.conditions import Reader, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet
from convcalc.sizes.size import Size, is_array

Kind = Literal["runs", "exact"]


@dataclass(frozen=True, eq=False)
class Condition:
    """What must hold for a size to be legal: `value >= 0`; `error(at)` makes the sentence where it does not.

    `kind` says for what it must hold: for the network to run at all, or to run without losing a row. `part_of` is
    the condition on several sizes that it was made from.
    """

    value: Size
    error: Callable[[Reader], ConvcalcError]
    kind: Kind = "runs"
    part_of: Condition | None = None

    @property
    def axes(self) -> frozenset[str]:
        """The names of the input sizes it depends on."""
        return self.value.symbols if isinstance(self.value, Expr) else frozenset()

    def holds(self, sizes: Mapping[str, Any]) -> Any:
        """Return whether it holds at sizes, which may be arrays: exactly, however large they are.

        >>> Condition(Expr.symbol("n") * 2**62 - 2**63, lambda at: ConvcalcError("no")).holds({"n": np.array([1, 4])})
        array([False,  True])
        """
        return np.asarray(self.values(sizes) >= 0, bool)

    def values(self, sizes: Mapping[str, Any]) -> Any:
        """Return its value at sizes, which may be arrays."""
        with np.errstate(divide="ignore"):
            return self.value(**sizes) if isinstance(self.value, Expr) else self.value


class Refusal(NamedTuple):
    """A condition, the sizes that it is the first to refuse, and one of them.

    `sizes` is None where it ties axes together; `example` has at least the sizes that the condition depends on.
    """

    condition: Condition
    sizes: SizeSet | None
    example: Mapping[str, int]


@dataclass(frozen=True)
class Decided:
    """What is known of the sizes of some axes: those that run, those that are exact too, what each condition refuses.

    Where they were tried, the first of each axis that was not is in `window`, and of the `unknown` nothing is known.
    """

    runs: Boxes
    exact: Boxes
    refused: tuple[Refusal, ...] = ()
    window: Mapping[str, int] = field(default_factory=dict)
    unknown: Boxes = field(default_factory=lambda: Boxes((), ()))

    def __mul__(self, other: Decided) -> Decided:
        """What is known of axes that do not depend on each other, together: unknown where one is and none refuses.

        >>> two = Decided(*[Boxes(("H",), ((SizeSet(finite=(2, 4)),),))] * 2)
        >>> (two * Decided(Boxes(("W",), ((SizeSet(finite=(3,)),),)), Boxes(("W",), ()))).runs
        H in 2, 4, W is 3
        """
        runs = self.runs * other.runs
        open_ = Boxes(other.runs.axes, (*other.runs.boxes, *other.unknown.boxes))
        return Decided(
            runs=runs,
            exact=self.exact * other.exact,
            refused=(*self.refused, *other.refused),
            window={**self.window, **other.window},
            unknown=Boxes(runs.axes, (self.unknown * open_).boxes + (self.runs * other.unknown).boxes),
        )


class Collector:
    """A `convcalc.sizes.conditions.Check` that keeps every condition; `exact` is a check too, for those of exactness.

    A condition that is false at every size is kept as `impossible`, and raises where it is one to run at all.

    >>> from convcalc.arithmetic.formulas import conv_out
    >>> check = Collector()
    >>> str(conv_out(Expr.symbol("n"), k=5, p=1, check=check)), [str(one.value) for one in check.conditions]
    ('n - 2', ['n - 1', 'n - 3'])
    """

    def __init__(self) -> None:
        self.conditions: list[Condition] = []
        self.impossible: Condition | None = None
        self._least: dict[tuple[Kind, Any], int] = {}

    def exact(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """Keep a condition for the network to lose no row."""
        self(value, error, "exact")

    def __call__(self, value: Size, error: Callable[[Reader], ConvcalcError], /, kind: Kind = "runs") -> None:
        """Keep a condition for the network to run."""
        condition = Condition(value, error, kind)
        if not isinstance(value, Expr) or value.is_constant:
            if is_array(value) or index(value) < 0:
                self.conditions.append(condition)
            if not is_array(value) and index(value) < 0 and kind == "runs":
                self.impossible = condition
                enforce(value, error)
            return
        key = kind, frozenset(term for term in value.terms.items() if term[0])
        if key not in self._least or value.constant < self._least[key]:  # otherwise it follows from an earlier one
            self._least[key] = value.constant
            self.conditions.append(condition)
