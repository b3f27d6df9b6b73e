"""The legal sizes of one axis, for all n: a sieve through the conditions in the order in which they are met.

Below the size from which on every condition is settled (the threshold) each n is tried. From there on a condition
holds always, never, or on residue classes: the classes that are left are split to the period of the next
condition, and what it refuses is taken out, with the condition as the reason. See docs/legal-sizes.md.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

from convcalc.analysis.validity.conditions import Condition, Decided, Refusal
from convcalc.sizes.atoms import Atom, Floor, Symbol
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, only
from convcalc.sizes.signs import Settled, settles
from convcalc.sizes.size import Size

LIMIT = 10_000_000
"""The most sizes or residue classes that are tried one by one."""

STEPS = 1000
"""The most steps of one division in a period at which a condition is tried before its residue classes are."""

FEW = 200_000
"""From as many sizes on, those that are too small are told by halving and not tried one by one."""


def sieve(conditions: Sequence[Condition], axis: str) -> Decided | None:
    """Decide the sizes of `axis` under conditions on it alone; None where that takes more than is tried.

    >>> from convcalc.sizes.expr import Expr
    >>> from convcalc.errors import NoOutput
    >>> n = Expr.symbol("n")
    >>> refuse = lambda at: NoOutput("no")
    >>> found = sieve([Condition(n - 5, refuse), Condition(-(n % 4), refuse, "exact")], "n")
    >>> str(found.runs), str(found.exact), [(str(one.sizes), one.example) for one in found.refused]
    ('n >= 5', 'n >= 8 and n % 4 == 0', [('n in 0..4', {'n': 4}), ('n >= 5 and n % 4 in 1..3', {'n': 5})])
    """
    settled = [(condition, settles(condition.value)) for condition in conditions]
    known = [(condition, verdict) for condition, verdict in settled if verdict is not None]
    if len(known) < len(settled):
        return None
    start = max((verdict.start for _, verdict in known), default=0)
    bounds = _bounds(known, axis) if start > FEW else {}
    least = max(bounds.values(), default=0)
    known = [one for one in known if one[0] not in bounds]
    start = max(least, *(verdict.start for _, verdict in known), 0)
    if start - least > LIMIT:
        return None
    left = _Left(axis, start, least)
    refused = []
    for kind in ("runs", "exact"):
        for condition, verdict in known:
            if condition.kind == kind:
                out = left.without(condition, verdict)
                if out is None:
                    return None
                if out:
                    refused.append((condition, out))
        if kind == "runs":
            runs = left.sizes
    first = runs.smallest or 0
    return Decided(
        runs=Boxes((axis,), ((runs,),)),
        exact=Boxes((axis,), ((left.sizes,),)),
        refused=(*_too_small(bounds, axis), *(Refusal(one, out, {axis: near(out, first)}) for one, out in refused)),
    )


def _too_small(bounds: Mapping[Condition, int], axis: str) -> Iterator[Refusal]:
    """What each of some bounds is the first to refuse; of very many sizes, the last."""
    most = 0
    for condition, n in bounds.items():
        if n > most:
            yield Refusal(condition, only(range(most, n)) if n - most <= FEW else None, {axis: n - 1})
            most = n


def _bounds(known: Sequence[tuple[Condition, Settled]], axis: str) -> dict[Condition, int]:
    """The conditions that hold from some size on and at no smaller one, with that size: sizes below need no trying."""
    return {
        one: bisect_left(range(verdict.start), True, key=lambda n, one=one: one.value(**{axis: n}) >= 0)  # type: ignore[misc]
        for one, verdict in known
        if one.kind == "runs" and verdict.holds and _rises(one.value)
    }


def _rises(value: Size) -> bool:
    """Whether a value of one size never falls as the size grows: sizes and divisions of such, none subtracted."""
    if not isinstance(value, Expr) or len(value.symbols) > 1:
        return False
    terms = [(term, factor) for term, factor in value.terms.items() if term]
    return all(factor > 0 and all(_atom_rises(atom) for atom, _ in term) for term, factor in terms)


def _atom_rises(atom: Atom) -> bool:
    whole = isinstance(atom, Floor) and atom.denominator.is_constant and _rises(atom.numerator)
    return whole or isinstance(atom, Symbol)


def is_division(atom: Atom, axis: str) -> TypeGuard[Floor]:
    """Whether it is (n + a)//m, n being the size of `axis`.

    >>> [is_division(Floor(Expr.symbol(name) + 3, Expr.const(2)), "n") for name in "nk"]
    [True, False]
    """
    whole = isinstance(atom, Floor) and atom.denominator.is_constant
    return whole and (atom.numerator - Expr.symbol(axis)).is_constant  # type: ignore[attr-defined]


def near(sizes: SizeSet, n: int) -> int:
    """Return the first of `sizes` from `n` on, or else the last before it.

    >>> near(SizeSet(2, (1,)), 188), near(SizeSet(finite=(3, 4)), 188)
    (189, 4)
    """
    below, above = sizes.nearest(n)
    return above if above is not None else below or 0


@dataclass
class _Left:
    """The sizes no condition has refused so far: some below `start`, and residue classes from there on."""

    axis: str
    start: int
    least: int = 0
    """All sizes below are refused by what is not tried."""
    modulus: int = 1
    residues: Any = field(default_factory=lambda: np.zeros(1, np.int64))

    def __post_init__(self) -> None:
        self.head = np.arange(self.least, self.start)

    @property
    def sizes(self) -> SizeSet:
        return self._set(self.head, self.residues)

    def _set(self, head: Any, residues: Any) -> SizeSet:
        return SizeSet(self.modulus, tuple(residues.tolist()), self.start, tuple(head.tolist()))

    def without(self, condition: Condition, verdict: Settled) -> SizeSet | None:
        """Take out what the condition refuses, and return it; None where there are too many classes."""
        small = int(np.searchsorted(self.head, verdict.start)) if verdict.holds else len(self.head)
        fits = np.ones(len(self.head), bool)
        fits[:small] = self._fits(condition, self.head[:small])
        classes = self._classes(condition, verdict)
        if classes is None:
            return None
        refused = self._set(self.head[~fits], self.residues[~classes])
        self.head, self.residues = self.head[fits], self.residues[classes]
        return refused

    def _classes(self, condition: Condition, verdict: Settled) -> Any:
        """Which residue classes the condition lets pass, after splitting them to its period."""
        if verdict.holds is not None:
            return np.full(len(self.residues), verdict.holds)
        if not len(self.residues):
            return np.zeros(0, bool)
        alike = self._everywhere(condition, verdict.period)
        if alike is not None:
            return np.full(len(self.residues), alike)
        modulus = math.lcm(self.modulus, verdict.period)
        count = len(self.residues) * (modulus // self.modulus)
        if count > LIMIT or modulus >= 2**62:
            return None
        steps = self.modulus * np.arange(modulus // self.modulus)
        self.modulus, self.residues = modulus, (self.residues + steps[:, None]).ravel()
        return self._fits(condition, self.start + (self.residues - self.start) % verdict.period)

    def _everywhere(self, condition: Condition, period: int) -> bool | None:
        """Whether the condition holds at all sizes from `start` on, or at none; None where that is open or differs.

        A sum of divisions (n + a)//m changes at the multiples of m alone: 3 times in a period of 2**20 where m are
        2**19 and 2**20.
        """
        steps = [np.array([self.start])]
        for atom in (atom for term in condition.value.terms for atom, _ in term):
            if not is_division(atom, self.axis) or period > STEPS * atom.modulus or period >= 2**62:
                return None
            first = self.start + (-atom.shift - self.start) % atom.modulus
            steps.append(np.arange(first, self.start + period, atom.modulus))
        fits = self._fits(condition, np.concatenate(steps))
        return bool(fits[0]) if fits.all() or not fits.any() else None

    def _fits(self, condition: Condition, sizes: Any) -> Any:
        return condition.holds({self.axis: sizes})
