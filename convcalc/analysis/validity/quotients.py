"""Quotients of two formulas in a condition on sizes: what cancels, and the condition said without them.

    (8*H*W)//(32*W) = H//4              where W >= 1
    x//y >= k  exactly where  x - k*y >= 0
    x//y <= k  exactly where  (k + 1)*y - x >= 1       where y >= 1

A view of windows with -1 divides the number of values by those of one window, and Python's code for windows divides by
H*W to find the batch again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from convcalc.sizes.atoms import Atom, Extreme, Floor
from convcalc.sizes.expr import Expr

IsLeast = Callable[[Expr, int], bool]
"""Whether a value is seen to be at least a number wherever the sizes lie."""


def quotients(value: Expr) -> Iterator[Floor]:
    """Return the divisions by a formula that are in a value.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> [str(Expr.atom(one)) for one in quotients((8 * H * W) // (32 * W) - H // 4)]
    ['(8*H*W)//(32*W)']
    """
    for atom in (atom for product in value.terms for atom, _ in product):
        if isinstance(atom, Floor) and not atom.denominator.is_constant:
            yield atom
        for part in parts(atom):
            yield from quotients(part)


def parts(atom: Atom) -> tuple[Expr, ...]:
    """Return the formulas that an atom is made of.

    >>> [str(part) for product in (Expr.symbol("H") // 4).terms for atom, _ in product for part in parts(atom)]
    ['H', '4']
    """
    match atom:
        case Floor():
            return atom.numerator, atom.denominator
        case Extreme():
            return atom.choices
        case _:
            return ()


def cancelled(value: Expr, is_least: IsLeast) -> Expr:
    """Return a value with what numerator and denominator of its quotients have in common taken out of them.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> cancelled((8 * H * W) // (32 * W) * W, lambda value, least: True)
    (H//4)*W
    """
    total = Expr.const(0)
    for product, factor in value.terms.items():
        term = Expr.const(factor)
        for atom, power in product:
            term = term * _without_common(atom, is_least) ** power
        total = total + term
    return total


def _without_common(atom: Atom, is_least: IsLeast) -> Expr:
    match atom:
        case Floor():
            above, below = cancelled(atom.numerator, is_least), cancelled(atom.denominator, is_least)
            if not below.is_constant and not above.is_constant:
                above, below = _reduced(above, below, is_least)
            return Expr.const(0) + above // below
        case Extreme():
            extreme = Expr.minimum if atom.name == "min" else Expr.maximum
            return extreme(*(cancelled(choice, is_least) for choice in atom.choices))
        case _:
            return Expr.atom(atom)


def _reduced(above: Expr, below: Expr, is_least: IsLeast) -> tuple[Expr, Expr]:
    """A fraction in lower terms: a common number, and common factors that are seen to be >= 1."""
    terms = [*above.terms.items(), *below.terms.items()]
    number = math.gcd(*(factor for _, factor in terms))
    powers = [dict(product) for product, _ in terms]
    common = {atom: min(one.get(atom, 0) for one in powers) for atom in powers[0]}
    common = {atom: power for atom, power in common.items() if power and is_least(Expr.atom(atom), 1)}
    return tuple(  # type: ignore[return-value]  # two of them
        Expr({_less(dict(product), common): factor // number for product, factor in side.terms.items()})
        for side in (above, below)
    )


def _less(powers: Mapping[Atom, int], common: Mapping[Atom, int]) -> tuple[tuple[Atom, int], ...]:
    left = ((atom, power - common.get(atom, 0)) for atom, power in powers.items())
    return tuple((atom, power) for atom, power in left if power)


def undivided(value: Expr, is_least: IsLeast) -> list[Expr] | None:
    """Return values that are all >= 0 exactly where `value`, a multiple of one quotient and a number, is; else None.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> windows = (16 * (H // 4) * (W // 4)) // (H * W)
    >>> undivided(windows - 1, lambda value, least: True)
    [16*(H//4)*(W//4) - H*W]
    >>> undivided(1 - windows, lambda value, least: True)
    []
    """
    terms = [(product, factor) for product, factor in value.terms.items() if product]
    if len(terms) != 1:
        return None
    ((product, factor),) = terms
    if len(product) != 1 or product[0][1] != 1 or not isinstance(product[0][0], Floor):
        return None
    above, below = product[0][0].numerator, product[0][0].denominator
    if below.is_constant or not is_least(below, 1):
        return None
    if factor > 0:
        return [above - -(value.constant // factor) * below]
    most = value.constant // -factor
    if most >= 1 and is_least(below - above, 0):  # the quotient is at most 1
        return []
    return [(most + 1) * below - above - 1]
