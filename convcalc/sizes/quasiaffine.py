"""How a size grows with the input: a straight line, plus something periodic and bounded.

A value v of one size n is *quasi-affine* when from some size T on

    slope*n + low <= v(n) <= slope*n + high    and    v(n + period) = v(n) + slope*period.

n itself is; so are sums, multiples, floor divisions by numbers, minima and maxima of such values, and with them the
sizes inside every network of convolutions, poolings, paddings, crops, resizes by fixed factors, skips and joins.
Whether such a value is >= 0 is then decided for all n by finitely many n: see `settles` and docs/legal-sizes.md.

Products of sizes (n*n, H*W) and division by a size leave the class. `sign_on` decides products where every
size in them only grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce

from convcalc.sizes.atoms import Atom, Extreme, Floor, Symbol
from convcalc.sizes.expr import Expr


@dataclass(frozen=True)
class QuasiAffine:
    """Slope, bounds, start and period of a value, as at the top of this file.

    >>> n = Expr.symbol("n")
    >>> form = quasi_affine((n + 3) // 4 - 1)
    >>> form.slope, form.low, form.high, form.start, form.period
    (Fraction(1, 4), Fraction(-1, 1), Fraction(-1, 4), 0, 4)
    """

    slope: Fraction
    low: Fraction
    high: Fraction
    start: int = 0
    period: int = 1

    def __add__(self, other: QuasiAffine) -> QuasiAffine:
        return QuasiAffine(
            self.slope + other.slope,
            self.low + other.low,
            self.high + other.high,
            max(self.start, other.start),
            math.lcm(self.period, other.period),
        )

    def times(self, factor: int) -> QuasiAffine:
        """Return the form of factor*v: the bounds change places where the factor is negative."""
        low, high = sorted((factor * self.low, factor * self.high))
        return QuasiAffine(factor * self.slope, low, high, self.start, self.period)

    def over(self, m: int) -> QuasiAffine:
        """Return the form of v//m, m >= 1, which lies between (v - (m - 1))/m and v/m.

        Over a period that makes slope*period/m whole, v grows by a multiple of m, which comes out of the floor.
        """
        slope = self.slope / m
        period = math.lcm(self.period, slope.denominator)
        return QuasiAffine(slope, (self.low - (m - 1)) / m, self.high / m, self.start, period)

    def smaller(self, other: QuasiAffine) -> QuasiAffine:
        """Return the form of min(v, w): with equal slopes of both, otherwise from some size on that of one."""
        if self.slope == other.slope:
            return QuasiAffine(
                self.slope,
                min(self.low, other.low),
                min(self.high, other.high),
                max(self.start, other.start),
                math.lcm(self.period, other.period),
            )
        winner, loser = (self, other) if self.slope < other.slope else (other, self)
        meeting = math.ceil((winner.high - loser.low) / (loser.slope - winner.slope))
        start = max(self.start, other.start, meeting)
        return QuasiAffine(winner.slope, winner.low, winner.high, start, winner.period)

    def least(self, n: int) -> int | None:
        """Return a lower bound of v from `n` on; None where there is none, or the form starts later.

        >>> quasi_affine(Expr.symbol("n") // 4).least(13)
        3
        """
        if n < self.start or self.slope < 0:
            return None
        return math.ceil(self.slope * n + self.low)


def quasi_affine(value: Expr) -> QuasiAffine | None:
    """Return the form of `value`, a formula in one size; None where it is not seen to be quasi-affine.

    Source of the rules: docs/legal-sizes.md, with proof.

    >>> n = Expr.symbol("n")
    >>> quasi_affine(n - n // 2 * 2).slope, quasi_affine(n - n // 6).period, quasi_affine(n * n)
    (Fraction(0, 1), 6, None)
    """
    if len(value.symbols) > 1:
        return None
    total = QuasiAffine(Fraction(0), Fraction(value.constant), Fraction(value.constant))
    for product, factor in value.terms.items():
        if not product:
            continue
        (atom, power), *more = product
        form = None if more or power != 1 else form_of_atom(atom)
        if form is None:
            return None
        total += form.times(factor)
    return total


@lru_cache(maxsize=4096)
def form_of_atom(atom: Atom) -> QuasiAffine | None:
    """Return an atom as a straight line and something periodic, or None where it is none."""
    match atom:
        case Symbol():
            return QuasiAffine(Fraction(1), Fraction(0), Fraction(0))
        case Floor():
            form = quasi_affine(atom.numerator)
            if form is None or not atom.denominator.is_constant or atom.denominator.constant < 1:
                return None
            return form.over(atom.denominator.constant)
        case Extreme():
            forms = [quasi_affine(choice) for choice in atom.choices]
            known = [form for form in forms if form is not None]
            if len(known) < len(forms):
                return None
            if atom.name == "min":
                return reduce(QuasiAffine.smaller, known)
            return reduce(QuasiAffine.smaller, [form.times(-1) for form in known]).times(-1)  # max = -min(-v)
        case _:
            raise TypeError(f"unknown atom {atom!r}")
