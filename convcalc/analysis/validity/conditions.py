"""The conditions that a network puts on its input sizes, collected from one propagation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import index
from typing import Any, Literal, NamedTuple

import numpy as np

from convcalc.errors import ConvcalcError
from convcalc.sizes.atoms import Atom, Extreme, Floor, Symbol
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


class Refusal(NamedTuple):
    """A condition, the sizes that it is the first to refuse, and one of them.

    `sizes` is None where it ties axes together; `example` has at least the sizes that the condition depends on.
    """

    condition: Condition
    sizes: SizeSet | None
    example: Mapping[str, int]


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

    def __call__(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """Keep a condition for the network to run."""
        self._keep(Condition(value, error, "runs"))

    def exact(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """Keep a condition for the network to lose no row."""
        self._keep(Condition(value, error, "exact"))

    def _keep(self, condition: Condition) -> None:
        value = condition.value
        if not isinstance(value, Expr) or value.is_constant:
            if is_array(value):
                self.conditions.append(condition)
            elif index(value) < 0:
                self.conditions.append(condition)
                if condition.kind == "runs":
                    self.impossible = condition
                    enforce(value, condition.error)
            return
        key = condition.kind, frozenset(term for term in value.terms.items() if term[0])
        if key not in self._least or value.constant < self._least[key]:  # otherwise it follows from an earlier one
            self._least[key] = value.constant
            self.conditions.append(condition)


def evaluate(value: Size, sizes: dict[str, Any]) -> Any:
    """Return `value` at arrays of sizes, exactly: in int64 where that cannot wrap, in Python ints elsewhere.

    >>> evaluate(Expr.symbol("n") * 2**62, {"n": np.array([1, 4])}).tolist()
    [4611686018427387904, 18446744073709551616]
    """
    if not isinstance(value, Expr):
        return value
    used = {name: array for name, array in sizes.items() if name in value.symbols}
    most = {name: max(1, int(abs(array).max(initial=0))) for name, array in used.items()}
    if _reach(value, most) < 2**62:
        with np.errstate(divide="ignore"):
            return value(**used)
    exactly = np.frompyfunc(lambda *entries: value(**dict(zip(used, entries, strict=True))), len(used), 1)
    return exactly(*used.values())


def _reach(value: Expr, most: dict[str, int]) -> int:
    """A bound on the magnitude of everything computed on the way to `value`."""
    total = 1
    for product, factor in value.terms.items():
        term = abs(factor)
        for atom, power in product:
            term *= _reach_of_atom(atom, most) ** power
        total += term
    return total


def _reach_of_atom(atom: Atom, most: dict[str, int]) -> int:
    match atom:
        case Symbol():
            return most[atom.key]
        case Floor():
            return max(_reach(atom.numerator, most), _reach(atom.denominator, most))
        case Extreme():
            return max(_reach(choice, most) for choice in atom.choices)
        case _:
            raise TypeError(f"unknown atom {atom!r}")
