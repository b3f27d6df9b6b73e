"""Quotients of sizes that remember their formula: `h / 2`, `0.5 * h`, whose floor and ceil are whole numbers again."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.number import Number, formula, losing, of_numbers, plain_of
from convcalc.bridge.hearing.quotient import Quotient
from convcalc.bridge.hearing.watch import Watch
from convcalc.sizes.expr import Expr

if TYPE_CHECKING:
    from builtins import float as _Real  # noqa: N812
else:  # torch takes its own symbolic numbers for numbers without a look at their value; `__class__` says float
    _Real = need_torch().SymFloat

_DYADIC = 2**16
"""Denominators below this, powers of two, keep float products exact."""

assert sys.float_info.mant_dig == 53  # noqa: S101 -- what makes these products exact


class SizeFloat(Number, _Real):
    """A float that is the formula `top` over the number `below`, exactly; `top` is None where it is unknown."""

    kind, called = float, "a quotient of sizes"
    whole: ClassVar[Callable[[int, Expr | None, Watch], int]]
    """Makes a whole number with its formula: set by `sizeint`, which stands above."""
    _top: Expr | None
    below: int
    quotient: Quotient | None
    """What it is but for rounding, where that is known of something that was divided."""

    def __new__(
        cls, value: float, top: Expr | None, watch: Watch, below: int = 1, quotient: Quotient | None = None
    ) -> SizeFloat:
        """Return `value` as `top` over `below`, or as what it is but for rounding."""
        self: SizeFloat = object.__new__(cls)
        self.plain, self.below, self.watch = value, below, watch
        self.quotient = quotient if top is None else Quotient(top, Expr.const(below))
        self._top = None if top is not None and top.is_too_long else top
        return self

    @property
    def top(self) -> Expr | None:
        """The formula; None too once the run that gave it is over."""
        return None if self.watch.over else self._top

    @classmethod
    def wrap(cls, n: Any) -> SizeFloat:
        """Return a size as a float.

        >>> from convcalc.bridge.hearing.sizeint import sized
        >>> SizeFloat.wrap(sized(7, Expr.symbol("n"), Watch())) * 0.5
        3.5
        """
        return cls(float(n.plain), n.expr, n.watch)

    @classmethod
    def ratio(cls, value: float, top: Expr | None, below: Expr | int | None, watch: Watch) -> SizeFloat:
        """Return a quotient; its floor and ceil have a formula where a number divides.

        >>> from convcalc.bridge.hearing.sizeint import sized
        >>> n = sized(15, Expr.symbol("n"), Watch())
        >>> math.ceil(n / 14).expr
        (n + 13)//14
        """
        if isinstance(below, int) and 0 < below < 2**20 and top is not None:
            return cls(value, top, watch, below)
        quotient = None if top is None or below is None else Quotient(top, Expr.const(0) + below)
        return cls(value, None, watch, quotient=quotient)

    # -- as a number of another kind ----------------------------------------------------------------------------

    imag = 0.0

    def __int__(self) -> int:
        number = int(self.plain)
        if self.quotient is not None and not self.watch.over and self.quotient.tells(number):
            self.watch.branch(self.quotient.whole, "==", number, outcome=True)
        else:
            self.watch.lose("int(size / number)")
        return number

    def __float__(self) -> float:
        return float(self.lose("float(size / number)"))

    def __bool__(self) -> bool:
        return self.watch.branch(self.top, "!=", 0, self.plain != 0)

    def is_integer(self) -> bool:
        """Whether it is whole; kept as a branch."""
        rest = None if self.top is None else self.top % self.below
        return self.watch.branch(rest, "==", 0, self.plain.is_integer())

    def _floor(self, value: int, top: Expr | None, below: int) -> int:
        return type(self).whole(value, None if top is None else top // below, self.watch)

    def __floor__(self) -> int:
        return self._floor(math.floor(self.plain), self.top, self.below)

    def __ceil__(self) -> int:
        top = None if self.top is None else self.top + self.below - 1
        return self._floor(math.ceil(self.plain), top, self.below)

    def __trunc__(self) -> int:
        return self.__floor__() if self.plain >= 0 else self._floor(math.trunc(self.plain), None, 1)

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            return SizeFloat(round(self.plain, digits), None, self.watch)
        odd = self.below % 2 == 1  # halves, which round to even, do not occur
        top = self.top * 2 + self.below if odd and self.top is not None else None
        return self._floor(round(self.plain), top, 2 * self.below)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def exact(self, other: Any) -> tuple[Any, int]:
        """Return another number as formula over number; the formula is None where products with it may round."""
        if isinstance(other, SizeFloat):
            return other.top, other.below
        if isinstance(other, Number):
            return other.expr, 1
        if not math.isfinite(other):
            return None, 1
        ratio = Fraction(other)
        return (Expr.const(ratio.numerator), ratio.denominator) if ratio.denominator < _DYADIC else (None, 1)

    def sides(self, other: Any) -> tuple[Any, Any]:
        """Return both tops over the product of what is below."""
        top, below = self.exact(other)
        return (None, None) if self.top is None or top is None else (self.top * below, top * self.below)

    def _with(self, other: Any, value: float, work: Callable[[Expr, int, Expr, int], tuple[Expr, int]]) -> SizeFloat:
        top, below = self.exact(other)
        dyadic = self.below & (self.below - 1) == 0 and below & (below - 1) == 0
        if self.top is None or top is None or not dyadic:
            return SizeFloat(value, None, self.watch)
        top, below = work(self.top, self.below, top, below)
        return SizeFloat(value, top if below < _DYADIC else None, self.watch, below)

    @of_numbers
    def __add__(self, other: Any) -> Any:
        return self._with(other, self.plain + plain_of(other), lambda a, m, b, q: (a * q + b * m, m * q))

    __radd__ = __add__

    def __neg__(self) -> SizeFloat:
        return SizeFloat(-self.plain, None if self.top is None else -self.top, self.watch, self.below)

    @of_numbers
    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    @of_numbers
    def __rsub__(self, other: Any) -> Any:
        return -self + other

    @of_numbers
    def __mul__(self, other: Any) -> Any:
        return self._with(other, self.plain * plain_of(other), lambda a, m, b, q: (a * b, m * q))

    __rmul__ = __mul__

    @of_numbers
    def __truediv__(self, other: Any) -> Any:
        value, is_plain = self.plain / plain_of(other), not isinstance(other, Number)
        number = formula(int(other)) if is_plain and other == int(other) else None
        if self.below == 1 and isinstance(number, int) and number > 0:
            return SizeFloat.ratio(value, self.top, number, self.watch)
        ratio = Fraction(1) / Fraction(other) if is_plain and other else None
        if ratio is not None and ratio.denominator < _DYADIC and ratio.denominator & (ratio.denominator - 1) == 0:
            return self * float(ratio)
        divisor = other.quotient if isinstance(other, SizeFloat) else Quotient.of(formula(other) or number)
        rounded = None if self.quotient is None or divisor is None else self.quotient.over(divisor)
        return SizeFloat(value, None, self.watch, quotient=rounded)

    @of_numbers
    def __floordiv__(self, other: Any) -> Any:
        known = formula(math.floor(self / other))
        top = Expr.const(known) if isinstance(known, int) else known
        return SizeFloat(self.plain // plain_of(other), top, self.watch)

    def __abs__(self) -> SizeFloat:
        return self if self.plain >= 0 else SizeFloat(-self.plain, None, self.watch)


def _rounded(name: str) -> Callable[..., Any]:
    """An operation whose outcome has no formula."""
    plain = getattr(float, name)

    @of_numbers
    def method(self: SizeFloat, other: Any) -> Any:
        return SizeFloat(plain(self.plain, float(plain_of(other))), None, self.watch)

    return method


for _name in ("__rtruediv__", "__rfloordiv__", "__mod__", "__rmod__", "__pow__", "__rpow__"):
    setattr(SizeFloat, _name, _rounded(_name))
for _name in ("as_integer_ratio", "hex"):
    setattr(SizeFloat, _name, losing(float, "(size / number)", _name))
