"""Floor division of formulas, by the rules at the top of `convcalc.sizes.expr`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from convcalc.errors import DivisionByZero
from convcalc.sizes.atoms import Floor, Monomial

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr


def divide(x: Expr, m: int) -> Expr:
    """Return x//m for an integer m >= 1.

    >>> from convcalc.sizes.expr import Expr
    >>> str(divide(2 * (Expr.symbol("n") // 3) + 3, 4))
    '(n + 3)//6'
    """
    if m == 0:
        raise DivisionByZero(f"({x})//0")
    if m == 1:
        return x
    merged = _merge(x, m)
    if merged is not None:
        return merged
    low = (m - 1) // 2
    rest = {product: (factor + low) % m - low if product else factor % m for product, factor in x.terms.items()}
    leading = [factor for product, factor in rest.items() if product and factor]
    whole = type(x)({product: (factor - rest[product]) // m for product, factor in x.terms.items()})
    if not leading:  # (m*x + y)//m -> x + y//m
        return whole
    g = math.gcd(m, *leading)  # (g*a*x + b)//(g*m) -> (a*x + b//g)//m
    if g > 1:
        return whole + divide(type(x)({product: factor // g for product, factor in rest.items()}), m // g)
    numerator = type(x)(rest)
    if _leads_with_minus(numerator, m):  # (b - x)//m -> -((x + m - 1 - b)//m)
        return whole - divide((m - 1) - numerator, m)
    return whole + type(x).atom(Floor(numerator, type(x).const(m)))


def _leads_with_minus(x: Expr, m: int) -> bool:
    """Whether the first factor is negative, of those that are not m/2, which is -m/2 as well."""
    signed = [(product, factor) for product, factor in x.terms.items() if product and 2 * factor != m]
    if len(signed) > 1:
        signed.sort(key=lambda term: [(atom.key, power) for atom, power in term[0]])
    return bool(signed) and signed[0][1] < 0


def _merge(x: Expr, q: int) -> Expr | None:
    """Return x//q by ((x + a)//m + b)//q -> (x + a + m*b)//(m*q), or None where that does not apply."""
    inner = [(term, factor) for term, factor in x.terms.items() if factor % q and _division(term)]
    if len(inner) != 1:
        return None
    ((term, factor),) = inner
    floor = _division(term)
    if floor is None or not floor.denominator.is_constant:
        return None
    m = floor.denominator.constant
    rest = type(x)({other: f for other, f in x.terms.items() if other != term}) * m
    if factor % q == 1:
        return type(x)({term: factor // q}) + divide(rest + floor.numerator, m * q)
    if factor % q == q - 1:  # -(y//m) = (m - 1 - y)//m
        return type(x)({term: (factor + 1) // q}) + divide(rest + (m - 1) - floor.numerator, m * q)
    return None


def _division(term: Monomial) -> Floor | None:
    """Return the floor division that `term` is, if it is one."""
    if len(term) == 1 and term[0][1] == 1 and isinstance(term[0][0], Floor):
        return term[0][0]
    return None


def divide_by_formula(x: Expr, divisor: Expr) -> Expr:
    """Return x//divisor: the terms that a one-term divisor divides come out, the rest stays a division.

    >>> from convcalc.sizes.expr import Expr
    >>> n, s = Expr.symbol("n"), Expr.symbol("s")
    >>> str(divide_by_formula(n * s + 1, s))
    'n + 1//s'
    """
    if not x.terms:
        return x
    if x == divisor:
        return type(x).const(1)
    if len(divisor.terms) == 1:
        ((product, factor),) = divisor.terms.items()
        whole: dict[Monomial, int] = {}
        for term, f in x.terms.items():
            quotient = _cancel(term, product)
            if quotient is not None and f % factor == 0:
                whole[quotient] = f // factor
        if whole:
            rest = x - type(x)(whole) * divisor
            return type(x)(whole) + rest // divisor
    return type(x).atom(Floor(x, divisor))


def _cancel(term: Monomial, product: Monomial) -> Monomial | None:
    powers = dict(term)
    for atom, power in product:
        if powers.get(atom, 0) < power:
            return None
        powers[atom] -= power
    return tuple((atom, power) for atom, power in powers.items() if power)
