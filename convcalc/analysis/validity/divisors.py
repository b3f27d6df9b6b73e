"""An equation between two sizes that is a product: 16*(H//4 - 2)*(W//4 - 2) = 400 has an answer for each divisor of 25.

With one value a of the one size and one value b of the other, p*a*b + q*a + r*b + t = 0 is
(p*a + r)*(p*b + q) = q*r - p*t.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from convcalc.analysis.validity.conditions import Condition
from convcalc.sizes.atoms import Atom, Floor, Symbol
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, only, union

MOST = 10**14
"""The largest product whose divisors are looked for."""

WIDE = 4096
"""The most sizes with one value."""


def by_divisors(conditions: Sequence[Condition], domains: Mapping[str, SizeSet]) -> dict[str, SizeSet] | None:
    """Return the few sizes of each axis that an equation among conditions leaves; None where none is such a product.

    >>> from convcalc.errors import BadShape
    >>> from convcalc.sizes.sets import every
    >>> area = Expr.symbol("H") * Expr.symbol("W")
    >>> refuse = lambda at: BadShape("no")
    >>> found = by_divisors([Condition(area - 6, refuse), Condition(6 - area, refuse)], {"H": every(2), "W": every()})
    >>> {axis: str(sizes) for axis, sizes in found.items()}
    {'H': 'n in 2, 3, 6', 'W': 'n in 1..3, 6'}
    """
    values = [one.value for one in conditions if isinstance(one.value, Expr)]
    if len(domains) != 2:
        return None
    for value in values:
        if -value in values:
            found = _sizes(value, domains)
            if found is not None:
                return found
    return None


def _sizes(value: Expr, domains: Mapping[str, SizeSet]) -> dict[str, SizeSet] | None:
    first, second = domains
    atoms = {
        axis: {atom for term in value.terms for atom, _ in term if Expr.atom(atom).symbols == {axis}}
        for axis in domains
    }
    if any(len(some) != 1 or not all(map(_rises, some)) for some in atoms.values()):
        return None
    a, b = (next(iter(atoms[axis])) for axis in (first, second))
    known = {
        frozenset({(a, 1), (b, 1)}): "p",
        frozenset({(a, 1)}): "q",
        frozenset({(b, 1)}): "r",
        frozenset[object](): "t",
    }
    parts = {known.get(frozenset(term), ""): factor for term, factor in value.terms.items()}
    p, q, r = (parts.get(name, 0) for name in "pqr")
    product = q * r - p * value.constant
    if "" in parts or p == 0 or product == 0 or abs(product) > MOST:
        return None
    left, right = [], []
    for divisor in _divisors(abs(product)):
        for d in (divisor, -divisor):
            if (d - r) % p == 0 and (product // d - q) % p == 0:
                left.append(_where(a, (d - r) // p))
                right.append(_where(b, (product // d - q) // p))
    if None in left or None in right:
        return None
    return {
        axis: domains[axis] & union([one for one in some if one is not None])
        for axis, some in ((first, left), (second, right))
    }


def _rises(atom: Atom) -> bool:
    """Whether a value is the size itself, or (n + c)//m."""
    match atom:
        case Symbol():
            return True
        case Floor():
            name = next(iter(atom.numerator.symbols), "")
            plain = (atom.numerator - Expr.symbol(name)).is_constant if name else False
            return plain and atom.denominator.is_constant and atom.denominator.constant > 0
        case _:
            return False


def _where(atom: Atom, value: int) -> SizeSet | None:
    """The sizes at which an atom that rises has a value; None where they are too many."""
    if isinstance(atom, Floor):
        m = atom.denominator.constant
        start = m * value - atom.numerator.constant
        return None if m > WIDE else only(n for n in range(start, start + m) if n >= 0)
    return only([value] if value >= 0 else [])


def _divisors(n: int) -> Iterator[int]:
    for small in range(1, math.isqrt(n) + 1):
        if n % small == 0:
            yield small
            if small * small != n:
                yield n // small
