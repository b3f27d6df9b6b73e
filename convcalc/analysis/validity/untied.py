"""Conditions that tie sizes together, said of each size alone where a product is the cause.

A view of windows asks for as many values as there are: (H//4*4)*(W//4*4) == H*W. Each factor is at most its
counterpart, so both products are equal only where both factors are: H//4*4 == H and W//4*4 == W. The lemma and its
proof: docs/legal-sizes.md.

A value splits along one axis into sums of products L(axis)*R(others): a matrix with a row for each monomial of the
axis and a column for each of the others. Of rank 1 it is one product, of rank 2 a difference p*q - r*s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.one_axis import sieve
from convcalc.analysis.validity.quotients import cancelled, quotients, undivided
from convcalc.analysis.validity.ties import put
from convcalc.errors import BadArgument
from convcalc.sizes.atoms import Atom, Monomial
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine
from convcalc.sizes.sets import SizeSet
from convcalc.sizes.signs import sign_on

MOST = 16
"""The most monomials of one axis, and of the others, that are looked at."""

_Matrix: TypeAlias = dict[tuple[Monomial, Monomial], int]


def untied(conditions: Sequence[Condition], axes: Iterable[str]) -> list[Condition]:
    """Return conditions that hold where `conditions` do, those on products of sizes put as conditions on fewer.

    >>> from convcalc.errors import BadShape
    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> refuse = lambda at: BadShape("no")
    >>> known = [Condition(size - 1, refuse) for size in (H, W)]
    >>> cut = Condition(16 * (H // 4) * (W // 4) - H * W, refuse)
    >>> [str(one.value) for one in untied([*known, cut], ["H", "W"])]
    ['H - 1', 'W - 1', '4*(H//4) - H', '4*(W//4) - W']
    """
    found: list[Condition] = []
    starts = {axis: [one for one in conditions if _starts(one, axis)] for axis in axes}
    for one in conditions:
        if len(one.axes) < 2 or not isinstance(one.value, Expr):
            found.append(one)
            continue
        before = [other for other in found if len(other.axes) == 1 and other.kind == "runs"]
        own = {axis: [*starts[axis], *(other for other in before if other.axes == {axis})] for axis in one.axes}
        places = _Places(own)
        value = places.simpler(one.value)
        values = places.alone(value) if len(value.symbols) > 1 else [value]
        if values is None:
            found.append(one if value is one.value else Condition(value, one.error, one.kind, one.part_of or one))
        else:
            parts = [part for part in values if not (part.is_constant and part.constant >= 0)]
            found.extend(Condition(part, one.error, one.kind, one.part_of or one) for part in parts)
    return found


def _starts(condition: Condition, axis: str) -> bool:
    """Whether a condition is that a size is at least some number."""
    value = condition.value
    return condition.kind == "runs" and isinstance(value, Expr) and (value - Expr.symbol(axis)).is_constant


class _Places:
    """Where sizes lie: `own` has the conditions on each alone."""

    def __init__(self, own: Mapping[str, Sequence[Condition]]) -> None:
        self.own = own
        self._said: dict[Expr, list[Expr] | None] = {}
        self._least: dict[Expr, bool] = {}
        self._known: dict[str, SizeSet | None] = {}

    def alone(self, value: Expr) -> list[Expr] | None:
        """Values on fewer sizes that are >= 0 together exactly where `value` is; None where it is no such product."""
        if value not in self._said:
            self._said[value] = self._apart(value)
        return self._said[value]

    def simpler(self, value: Expr) -> Expr:
        """Return a value without quotients that what is known of each size alone takes out of it, else itself.

        Where H % 4 == 0 is known, H is 4*(H//4): the formula is written in H//4, and back.
        """
        if not any(quotients(value)):
            return value
        written, wholes = value, dict[str, Expr]()
        for axis in sorted(value.symbols):
            modulus, residues = self._residues(axis)
            forms = {put(written, {axis: modulus * Expr.symbol(axis) + residue}) for residue in residues}
            if len(forms) == 1:  # the same, whatever is left over
                written, wholes[axis] = forms.pop(), Expr.const(0) + Expr.symbol(axis) // modulus
        shorter = put(cancelled(written, lambda part, least: self.is_least(put(part, wholes), least)), wholes)
        return value if any(quotients(shorter)) else shorter

    def _residues(self, axis: str) -> tuple[int, tuple[int, ...]]:
        """The modulus and the residues of a size; none where they are many or not seen."""
        runs = self._runs(axis)
        if runs is None or not 1 <= len(runs.residues) <= MOST:
            return 1, ()
        seen = all(n % runs.modulus in runs.residues for n in runs.finite)
        return (runs.modulus, runs.residues) if seen else (1, ())

    def _apart(self, value: Expr) -> list[Expr] | None:
        said = undivided(value, self.is_least)
        if said is not None:
            return [part for one in said for part in self.parts(one)]
        axis = next((axis for axis in sorted(value.symbols) if _matrix(value, axis)), None)
        if axis is None:
            return None
        if (found := _product(value, axis)) is not None:
            for sign in (1, -1):
                one, other = (_least_terms(sign * factor) for factor in found[:2])
                for scale, factor in ((one, other), (other, one)):
                    if self.is_least(scale, 1):
                        return self.parts(factor)
        for sign in (1, -1):
            for p, q, r, s in _differences(sign * value, axis):
                gaps = _least_terms(p - r), _least_terms(q - s)
                bounds = (p, 1), (r, 0), (gaps[0], 0), (q, 1), (s, 0), (gaps[1], 0)
                if all(self.is_least(_least_terms(part), least) for part, least in bounds):  # 0 <= r <= p, 0 <= s <= q
                    return [] if sign == 1 else [part for gap in gaps for part in self.parts(-gap)]
        return None

    def parts(self, value: Expr) -> list[Expr]:
        """As `alone`, of one size too."""
        said = self.alone(value) if len(value.symbols) > 1 else None
        return [value] if said is None else said

    def is_least(self, value: Expr, least: int) -> bool:
        """Whether `value` >= `least` is seen to hold wherever the sizes lie."""
        value = value - least
        if value not in self._least:
            self._least[value] = self._is_never_negative(value)
        return self._least[value]

    def _is_never_negative(self, value: Expr) -> bool:
        if value.is_constant:
            return value.constant >= 0
        if len(value.symbols) > 1:
            if sign_on(value, {axis: self._start(axis) for axis in value.symbols}) == 1:
                return True
            said = self.alone(value)
            return said is not None and all(self.is_least(one, 0) for one in said)
        (axis,) = value.symbols
        if value(**{axis: self._start(axis)}) < 0:
            return False
        asked = Condition(value, lambda at: BadArgument("too small"))
        found = sieve([*self.own[axis], asked], axis)
        return found is not None and all(refusal.condition is not asked for refusal in found.refused)

    def _start(self, axis: str) -> int:
        """The smallest size there is, as far as that is known."""
        runs = self._runs(axis)
        return (runs and runs.smallest) or 0

    def _runs(self, axis: str) -> SizeSet | None:
        """The sizes there are, as far as they are known."""
        if axis not in self._known:
            found = sieve(self.own[axis], axis)
            self._known[axis] = None if found is None else found.runs[axis]
        return self._known[axis]


def _differences(value: Expr, axis: str) -> Iterator[tuple[Expr, Expr, Expr, Expr]]:
    """The ways to write a multiple of a value as p*q - r*s, where p and r are of `axis` and grow alike."""
    for pivot, p, q in _crosses(value, axis):
        found = _product(p * q - pivot * value, axis)
        forms = None if found is None else (quasi_affine(p), quasi_affine(found[0]))
        if found is None or forms is None or not all(form and form.slope for form in forms):
            continue
        r, s, scale = found
        ratio = forms[0].slope / forms[1].slope  # type: ignore[union-attr]  # neither is None
        a, b, sign = ratio.numerator, ratio.denominator, 1 if forms[0].slope > 0 else -1  # type: ignore[union-attr]
        yield sign * b * p, sign * abs(a) * scale * q, sign * a * r, sign * (b if a > 0 else -b) * s


def _product(value: Expr, axis: str) -> tuple[Expr, Expr, int] | None:
    """Two factors of a multiple of a value, the first of `axis`, and which multiple; None where it is no product."""
    for pivot, left, right in _crosses(value, axis):
        return (left, right, pivot) if left * right == pivot * value else None
    return None


def _crosses(value: Expr, axis: str) -> Iterator[tuple[int, Expr, Expr]]:
    """Each entry of the matrix of a value, as a number > 0, with the column and the row through it as formulas."""
    matrix = _matrix(value, axis) or {}
    for (at, beside), entry in matrix.items():
        sign = 1 if entry > 0 else -1
        column = Expr({left: factor for (left, right), factor in matrix.items() if right == beside})
        row = Expr({right: sign * factor for (left, right), factor in matrix.items() if left == at})
        yield sign * entry, column, row


def _matrix(value: Expr, axis: str) -> _Matrix | None:
    """`value` by monomials of `axis` and of the others; None where these are not apart, or too many."""
    found: _Matrix = {}
    for product, factor in value.terms.items():
        left, right = list[tuple[Atom, int]](), list[tuple[Atom, int]]()
        for atom, power in product:
            if axis in atom.symbols and len(atom.symbols) > 1:
                return None
            (left if axis in atom.symbols else right).append((atom, power))
        found[tuple(left), tuple(right)] = factor
    return found if max((len({place[side] for place in found}) for side in (0, 1)), default=0) <= MOST else None


def _least_terms(value: Expr) -> Expr:
    """A formula in its normal form, without the number that all its coefficients have in common."""
    common = math.gcd(*value.terms.values()) or 1
    return Expr.const(0) + Expr({product: factor // common for product, factor in value.terms.items()})
