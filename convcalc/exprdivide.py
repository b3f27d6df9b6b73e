"""Floor division of formulas, by the rules at the top of `convcalc.expr`."""

from __future__ import annotations

import math

from convcalc.expr import Expr, Floor, Monomial, total


def divide(x: Expr, m: int) -> Expr:
    """Return x//m for an integer m >= 1.

    >>> str(divide(2 * (Expr.symbol("n") // 3) + 3, 4))
    '(n + 3)//6'
    """
    if m == 0:
        raise ZeroDivisionError(f"({x})//0")
    merged = _merge(x, m)
    if merged is not None:
        return merged
    whole = Expr({product: factor // m for product, factor in x.terms.items()})  # (m*x + y)//m -> x + y//m
    rest = {product: factor % m for product, factor in x.terms.items()}
    leading = [factor for product, factor in rest.items() if product and factor]
    if not leading:
        return whole
    g = math.gcd(m, *leading)  # (g*a*x + b)//(g*m) -> (a*x + b//g)//m
    if g == m:
        return whole
    numerator = Expr({product: factor // g for product, factor in rest.items()})
    if g > 1:
        return whole + divide(numerator, m // g)
    return whole + Expr.atom(Floor(numerator, Expr.const(m)))


def _merge(x: Expr, q: int) -> Expr | None:
    """Return x//q by ((x + a)//m + b)//q -> (x + a + m*b)//(m*q), or None where that does not apply."""
    inner = [(term, factor) for term, factor in x.terms.items() if factor % q and _division(term)]
    if len(inner) != 1 or q == 1:
        return None
    ((term, factor),) = inner
    floor = _division(term)
    if floor is None or not floor.denominator.is_constant:
        return None
    m = floor.denominator.constant
    if factor == -1:  # -(y//m) = (m - 1 - y)//m
        return divide(total((x, m), (Expr({term: 1}), m)) + (m - 1) - floor.numerator, m * q)
    if factor % q != 1:
        return None
    rest = Expr({other: f for other, f in x.terms.items() if other != term})
    return Expr({term: factor // q}) + divide(rest * m + floor.numerator, m * q)


def _division(term: Monomial) -> Floor | None:
    """Return the floor division that `term` is, if it is one."""
    if len(term) == 1 and term[0][1] == 1 and isinstance(term[0][0], Floor):
        return term[0][0]
    return None


def divide_by_formula(x: Expr, divisor: Expr) -> Expr:
    """Return x//divisor: the terms that a one-term divisor divides come out, the rest stays a division.

    >>> n, s = Expr.symbol("n"), Expr.symbol("s")
    >>> str(divide_by_formula(n * s + 1, s))
    'n + 1//s'
    """
    if not x.terms:
        return x
    if x == divisor:
        return Expr.const(1)
    if len(divisor.terms) == 1:
        ((product, factor),) = divisor.terms.items()
        whole: dict[Monomial, int] = {}
        for term, f in x.terms.items():
            quotient = _cancel(term, product)
            if quotient is not None and f % factor == 0:
                whole[quotient] = f // factor
        if whole:
            rest = x - Expr(whole) * divisor
            return Expr(whole) + rest // divisor
    return Expr.atom(Floor(x, divisor))


def _cancel(term: Monomial, product: Monomial) -> Monomial | None:
    powers = dict(term)
    for atom, power in product:
        if powers.get(atom, 0) < power:
            return None
        powers[atom] -= power
    return tuple((atom, power) for atom, power in powers.items() if power)
