"""The quotient of two formulas that a float is, but for rounding, and when `int` of the float is told by it.

    batch = int(windows.shape[0] / (H * W / 7 / 7))

divides by what three roundings gave. Where the exact quotient is no whole number, it is further from one than floats
round; where it is one, every division on the way was exact, if no factor of the whole number went into the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from convcalc.sizes.expr import Expr


@dataclass(frozen=True)
class Quotient:
    """`above` over `below`, both exact."""

    above: Expr
    below: Expr

    @classmethod
    def of(cls, value: Any) -> Quotient | None:
        """Return a whole number or formula over 1; None of anything else.

        >>> Quotient.of(3).above, Quotient.of(None)
        (3, None)
        """
        if isinstance(value, bool) or not isinstance(value, int | Expr):
            return None
        return cls(Expr.const(0) + value, Expr.const(1))

    def over(self, other: Quotient) -> Quotient:
        """Return this divided by another.

        >>> H, W = Expr.symbol("H"), Expr.symbol("W")
        >>> Quotient(H // 7 * (W // 7), Expr.const(1)).over(Quotient(H * W, Expr.const(49))).whole
        (49*(H//7)*(W//7))//(H*W)
        """
        return Quotient(self.above * other.below, self.below * other.above)

    @property
    def whole(self) -> Expr:
        """Its floor."""
        return Expr.const(0) + self.above // self.below

    def tells(self, number: int) -> bool:
        """Whether `int` of the float is `number` wherever the floor is: of small products of sizes.

        >>> H, W = Expr.symbol("H"), Expr.symbol("W")
        >>> [Quotient(49 * (H // 7) * (W // 7), H * W).tells(number) for number in (1, 2, 7)]
        [True, True, False]
        """
        if number < 1 or self.below.is_constant:
            return False
        divided = _odd(math.gcd(*self.below.terms.values())) > 1  # what is divided may itself be rounded
        return not divided and math.gcd(_odd(math.gcd(*self.above.terms.values())), number) == 1


def _odd(number: int) -> int:
    """A number without its factors of two, by which no float is rounded."""
    return number // (number & -number) if number else 0
