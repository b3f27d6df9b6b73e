"""Sizes that remember their formula: what `x.shape` gives while a model is captured.

A `SizeInt` passes for an int, and arithmetic on it carries a `sizes.expr.Expr` along. A formula of None is unknown,
and so is what is computed from it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.number import Number, formula, losing, of_numbers, plain_of
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.watch import Watch
from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr

if TYPE_CHECKING:
    from builtins import int as _Whole  # noqa: N812
else:  # torch takes its own symbolic numbers for sizes without a look at their value; `__class__` says int
    _Whole = need_torch().SymInt


def sized(value: int, expr: Expr | None, watch: Watch) -> int:
    """Return `value` with its formula; plain where that is a number, unknown where it is too long to tell anything.

    >>> n = sized(7, Expr.symbol("n"), Watch())
    >>> half = (n + 1) // 2
    >>> half, half.expr, type(n - n)
    (4, (n + 1)//2, <class 'int'>)
    """
    if expr is not None and expr.is_constant and expr.constant == value:
        return value
    return SizeInt(value, None if expr is not None and expr.is_too_long else expr, watch)


def _raw(value: Any) -> Expr | int | None:
    return value.raw if isinstance(value, SizeInt) else formula(value)


class SizeInt(Number, _Whole):
    """An int with the formula `expr` of the network's input sizes, None where that is unknown.

    `isinstance(n, int)` holds; `type(n) is int` does not, and C does not take it for one.
    """

    kind, called = int, "a size"
    _expr: Expr | None

    def __new__(cls, value: int, expr: Expr | None, watch: Watch) -> SizeInt:
        """Return `value` with its formula."""
        self: SizeInt = object.__new__(cls)
        self.plain, self._expr, self.watch = value, expr, watch
        return self

    @property
    def raw(self) -> Expr | None:
        """The formula, with the symbols of the rounds of loops; None too once the run that gave it is over."""
        return None if self.watch.over else self._expr

    @property
    def expr(self) -> Expr | None:
        """The formula in letters alone: who asks may tell the rounds of a loop apart by it."""
        raw, rounds = self.raw, self.watch.rounds
        return raw if raw is None or rounds is None or rounds.shown else Expr.const(0) + rounds.told(raw)

    # -- as a number of another kind ----------------------------------------------------------------------------

    def __int__(self) -> int:
        return int(self.lose("int(size)"))

    def __float__(self) -> float:
        return float(self.lose("float(size)"))

    def __index__(self) -> int:
        return int(self.lose("a size used as an index"))

    @property
    def numerator(self) -> int:
        """As of int; the formula is lost: fractions are reduced by what divides the number."""
        return int(self.lose("a fraction of a size"))

    imag, denominator = 0, 1

    __trunc__ = __floor__ = __ceil__ = Number.conjugate

    def __round__(self, digits: Any = None) -> Any:
        return self if digits is None or digits >= 0 else SizeInt(round(self.plain, digits), None, self.watch)

    def __bool__(self) -> bool:
        return self.watch.branch(self.raw, "!=", 0, self.plain != 0)

    def __sym_float__(self) -> Any:
        return SizeFloat.wrap(self)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def sides(self, other: Any) -> tuple[Any, Any]:
        """Return both formulas; beside a float, as a float."""
        return SizeFloat.wrap(self).sides(other) if isinstance(other, float) else (self.raw, _raw(other))

    @of_numbers
    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        value = pow(self.plain, plain_of(other), modulus)
        if not isinstance(value, int):
            return SizeFloat(value, None, self.watch)
        known = modulus is None and not isinstance(other, SizeInt) and 0 <= other <= 8
        return sized(value, _combined(operator.pow, self.expr, other) if known else None, self.watch)

    @of_numbers
    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        value = pow(plain_of(other), self.plain, modulus)
        kind = SizeInt if isinstance(value, int) else SizeFloat
        return kind(value, None, self.watch)

    @of_numbers
    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, float):
            return SizeFloat.wrap(self) / other
        return SizeFloat.ratio(self.plain / plain_of(other), self.expr, formula(other), self.watch)

    @of_numbers
    def __rtruediv__(self, other: Any) -> Any:
        return SizeFloat(plain_of(other) / self.plain, None, self.watch)

    def __sym_max__(self, other: Any) -> Any:
        return max(self, other)

    def __sym_min__(self, other: Any) -> Any:
        return min(self, other)


def _unary(work: Callable[[Any], Any]) -> Any:
    """An operation that formulas know as numbers do."""

    def method(self: SizeInt) -> int:
        return sized(work(self.plain), None if self.raw is None else work(self.raw), self.watch)

    return method


def _binary(name: str, work: Callable[[Any, Any], Any] | None, *, mirror: bool = False) -> Any:
    """An operation, or its mirror; formulas are combined by `work`, or lost where there is none."""
    plain = getattr(int, name)

    @of_numbers
    def method(self: SizeInt, other: Any) -> Any:
        if isinstance(other, float):
            return getattr(SizeFloat.wrap(self), name)(other) if hasattr(SizeFloat, name) else NotImplemented
        a, b = (_raw(other), self.raw) if mirror else (self.raw, _raw(other))
        return sized(plain(self.plain, plain_of(other)), _combined(work, a, b), self.watch)

    return method


def _combined(work: Callable[[Any, Any], Any] | None, a: Any, b: Any) -> Expr | None:
    if work is None or a is None or b is None:
        return None
    try:
        result = work(a, b)
    except ConvcalcError:  # a formula that is not kept
        return None
    return result if result is None or isinstance(result, Expr) else Expr.const(result)


_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "abs": lambda n: Expr.maximum(n, -n) if isinstance(n, Expr) else abs(n),
    "invert": lambda n: -n - 1,
}
_BINARY: dict[str, Callable[[Any, Any], Any] | None] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "lshift": lambda a, b: a * 2**b if isinstance(b, int) and b < 64 else None,
    "rshift": lambda a, b: a // 2**b if isinstance(b, int) and b < 64 else None,
    "and": None,
    "or": None,
    "xor": None,
}
"""What Python calls, and what it does to formulas."""

for _name, _work in _UNARY.items():
    setattr(SizeInt, f"__{_name}__", _unary(_work))
for _name, _both in _BINARY.items():
    setattr(SizeInt, f"__{_name}__", _binary(f"__{_name}__", _both))
    setattr(SizeInt, f"__r{_name}__", _binary(f"__r{_name}__", _both, mirror=True))
for _name in ("bit_length", "bit_count", "to_bytes", "as_integer_ratio"):
    setattr(SizeInt, _name, losing(int, "size", _name))

SizeFloat.whole = staticmethod(sized)
