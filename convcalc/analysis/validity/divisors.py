"""An equation between two sizes that is a product: 16*(H//4 - 2)*(W//4 - 2) = 400 has an answer for each divisor of 25.

With one value a of the one size and one value b of the other, p*a*b + q*a + r*b + t = 0 is
(p*a + r)*(p*b + q) = q*r - p*t.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.one_axis import is_division
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
    equal = [value for value in values if -value in values] if len(domains) == 2 else []
    return next(filter(None, (_sizes(value, domains) for value in equal)), None)


def _sizes(value: Expr, domains: Mapping[str, SizeSet]) -> dict[str, SizeSet] | None:
    found = {atom for term in value.terms for atom, _ in term}
    alone = [[atom for atom in found if atom.symbols == {axis}] for axis in domains]
    if any(len(some) != 1 or not _is_plain(some[0]) for some in alone):
        return None
    a, b = (some[0] for some in alone)
    one, other = Expr.atom(a), Expr.atom(b)
    p, q, r = (value.terms.get(next(iter(part.terms)), 0) for part in (one * other, one, other))
    product = q * r - p * value.constant
    if value != p * one * other + q * one + r * other + value.constant or p == 0 or not 0 < abs(product) <= MOST:
        return None
    pairs = [(d, product // d) for divisor in _divisors(abs(product)) for d in (divisor, -divisor)]
    whole = [((d - r) // p, (e - q) // p) for d, e in pairs if (d - r) % p == 0 and (e - q) % p == 0]
    sizes = [[_where(atom, pair[place]) for pair in whole] for place, atom in enumerate((a, b))]
    if any(None in some for some in sizes):
        return None
    return {
        axis: domains[axis] & union([one for one in some if one is not None])
        for axis, some in zip(domains, sizes, strict=True)
    }


def _is_plain(atom: Atom) -> bool:
    """Whether a value of one size is the size itself, or (n + c)//m."""
    return isinstance(atom, Symbol) or is_division(atom, *atom.symbols)


def _where(atom: Atom, value: int) -> SizeSet | None:
    """The sizes at which such an atom has a value; None where they are too many."""
    if isinstance(atom, Floor):
        m, start = atom.modulus, atom.modulus * value - atom.shift
        return None if m > WIDE else only(n for n in range(start, start + m) if n >= 0)
    return only([value] if value >= 0 else [])


def _divisors(n: int) -> Iterator[int]:
    for small in range(1, math.isqrt(n) + 1):
        if n % small == 0:
            yield small
            if small * small != n:
                yield n // small
