"""Numbers that remember their formula: what `x.shape` gives while a model is captured.

A `SizeInt` passes for an int, and arithmetic on it carries a `sizes.expr.Expr` along. To C it is none: code that
would take the number out of an int unasked (`range`, `math.gcd`, `"%d"`, a list's index) has to ask, and is heard.
Where a formula is lost so, the `Watch` keeps it; comparisons are kept there as the branches taken. A formula of None
is unknown, and so is what is computed from it.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.quotient import Quotient
from convcalc.bridge.hearing.watch import Watch
from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr

if TYPE_CHECKING:
    from builtins import float as _Real  # noqa: N812
    from builtins import int as _Whole  # noqa: N812
else:  # torch takes its own symbolic numbers for sizes without a look at their value; `__class__` says int and float
    _Whole, _Real = need_torch().SymInt, need_torch().SymFloat

_DYADIC = 2**16
"""Denominators below this, powers of two, keep float products exact."""


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


def formula(value: Any) -> Expr | int | None:
    """Return the formula of a number; None where it is unknown.

    >>> formula(3), formula(sized(7, Expr.symbol("n"), Watch())), formula(0.5)
    (3, n, None)
    """
    if isinstance(value, SizeInt):
        return value.expr
    return int(value) if isinstance(value, int) else None


def _raw(value: Any) -> Expr | int | None:
    return value.raw if isinstance(value, SizeInt) else formula(value)


class _Node:
    """What C++ asks a symbolic number of torch for: here the number itself, and that is heard."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self.ask = ask

    def guard_int(self, file: str, line: int) -> Any:
        """The number."""
        return self.ask()

    guard_float = guard_int

    def is_nested_int(self) -> bool:
        """It is none of torch's own kinds."""
        return False

    is_symbolic = is_constant = is_nested_int


class SizeInt(_Whole):
    """An int with the formula `expr` of the network's input sizes, None where that is unknown.

    `isinstance(n, int)` holds; `type(n) is int` does not, and C does not take it for one.
    """

    _expr: Expr | None
    watch: Watch
    plain: int
    """The number alone."""

    def __new__(cls, value: int, expr: Expr | None, watch: Watch) -> SizeInt:
        """Return `value` with its formula."""
        self: SizeInt = object.__new__(cls)
        self.plain, self._expr, self.watch = value, expr, watch
        return self

    def __init__(self, value: int, expr: Expr | None, watch: Watch) -> None:
        pass

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int

    @property
    def raw(self) -> Expr | None:
        """The formula, with the symbols of the rounds of loops; None too once the run that gave it is over."""
        return None if self.watch.over else self._expr

    @property
    def expr(self) -> Expr | None:
        """The formula in letters alone: who asks may tell the rounds of a loop apart by it."""
        raw, rounds = self.raw, self.watch.rounds
        return raw if raw is None or rounds is None or rounds.shown else Expr.const(0) + rounds.told(raw)

    # -- what loses the formula ------------------------------------------------------------------------------

    @property
    def node(self) -> Any:
        """The number, for what is compiled."""
        return _Node(lambda: self._asked("a size given to compiled code"))

    def _asked(self, how: str) -> int:
        self.watch.lose(how, self)
        return self.plain

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        import numpy

        return numpy.array(self._asked("a size given to NumPy"), *args, **kwargs)

    def __int__(self) -> int:
        self.watch.lose("int(size)", self)
        return self.plain

    def __float__(self) -> float:
        self.watch.lose("float(size)", self)
        return float(self.plain)

    def __index__(self) -> int:
        self.watch.lose("a size used as an index", self)
        return self.plain

    def bit_length(self) -> int:
        """As of int; the formula is lost."""
        self.watch.lose("size.bit_length()", self)
        return self.plain.bit_length()

    def bit_count(self) -> int:
        """As of int; the formula is lost."""
        self.watch.lose("size.bit_count()", self)
        return self.plain.bit_count()

    def to_bytes(self, *args: Any, **kwargs: Any) -> bytes:
        """As of int; the formula is lost."""
        self.watch.lose("size.to_bytes()", self)
        return self.plain.to_bytes(*args, **kwargs)

    def as_integer_ratio(self) -> tuple[int, Literal[1]]:
        """As of int; the formula is lost."""
        self.watch.lose("size.as_integer_ratio()", self)
        return self.plain, 1

    @property
    def numerator(self) -> int:
        """As of int; the formula is lost: fractions are reduced by what divides the number."""
        self.watch.lose("a fraction of a size", self)
        return self.plain

    imag, denominator = 0, 1

    @property
    def real(self) -> SizeInt:
        """Itself."""
        return self

    def conjugate(self) -> SizeInt:
        """Itself."""
        return self

    def __bool__(self) -> bool:
        return self.watch.branch(self.raw, "!=", 0, self.plain != 0)

    def __hash__(self) -> int:
        self.watch.look_up(self)
        return hash(self.plain)

    def __repr__(self) -> str:
        self.watch.lose("text of a size", self)
        return repr(self.plain)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        self.watch.lose("text of a size", self)
        return format(self.plain, spec)

    # -- what is the same number -------------------------------------------------------------------------------

    def __copy__(self) -> SizeInt:
        return self

    def __deepcopy__(self, memo: Any) -> SizeInt:
        return self

    def __reduce__(self) -> Any:
        self.watch.lose("a size that is pickled")
        return int, (self.plain,)

    def __pos__(self) -> SizeInt:
        return self

    def __trunc__(self) -> SizeInt:
        return self

    def __floor__(self) -> SizeInt:
        return self

    def __ceil__(self) -> SizeInt:
        return self

    def __round__(self, digits: Any = None) -> Any:
        return self if digits is None or digits >= 0 else SizeInt(round(self.plain, digits), None, self.watch)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def __neg__(self) -> int:
        return _unary(self, lambda n: -n)

    def __abs__(self) -> int:
        return _unary(self, lambda n: Expr.maximum(n, -n) if isinstance(n, Expr) else abs(n))

    def __invert__(self) -> int:
        return _unary(self, lambda n: -n - 1)

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        if isinstance(other, float):
            return SizeFloat(float(self.plain) ** other, None, self.watch)
        if not isinstance(other, int):
            return NotImplemented
        value = pow(self.plain, _plain(other), modulus)
        if not isinstance(value, int):
            return SizeFloat(value, None, self.watch)
        known = modulus is None and not isinstance(other, SizeInt) and 0 <= other <= 8 and self.expr is not None
        expr = _combined(lambda a, b: a**b, self.expr, other) if known else None
        return sized(value, expr, self.watch)

    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        value = pow(_plain(other), self.plain, modulus)
        kind = SizeInt if isinstance(value, int) else SizeFloat
        return kind(value, None, self.watch)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, int):
            return SizeFloat.ratio(self.plain / _plain(other), self.expr, formula(other), self.watch)
        if isinstance(other, float):
            return SizeFloat.wrap(self) / other
        return NotImplemented

    def __rtruediv__(self, other: Any) -> Any:
        if isinstance(other, int | float):
            return SizeFloat(_plain(other) / self.plain, None, self.watch)
        return NotImplemented

    def __lshift__(self, other: Any) -> Any:
        return self * 2**other if _is_number(other) else _lose_binary(self, other, operator.lshift)

    def __rshift__(self, other: Any) -> Any:
        return self // 2**other if _is_number(other) else _lose_binary(self, other, operator.rshift)

    def __rlshift__(self, other: Any) -> Any:
        return SizeInt(other << self.plain, None, self.watch) if isinstance(other, int) else NotImplemented

    def __rrshift__(self, other: Any) -> Any:
        return SizeInt(other >> self.plain, None, self.watch) if isinstance(other, int) else NotImplemented

    def __divmod__(self, other: Any) -> Any:
        return (self // other, self % other) if isinstance(other, int | float) else NotImplemented

    def __rdivmod__(self, other: Any) -> Any:
        return (other // self, other % self) if isinstance(other, int | float) else NotImplemented

    def __sym_max__(self, other: Any) -> Any:
        return max(self, other)

    def __sym_min__(self, other: Any) -> Any:
        return min(self, other)

    def __sym_float__(self) -> Any:
        return SizeFloat.wrap(self)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, SizeInt) and 0 <= value < 64


def _plain(value: Any) -> Any:
    return value.plain if isinstance(value, SizeInt | SizeFloat) else value


def _unary(n: SizeInt, work: Callable[[Any], Any]) -> int:
    return sized(work(n.plain), None if n.raw is None else work(n.raw), n.watch)


def _lose_binary(n: SizeInt, other: Any, work: Callable[[int, int], int]) -> Any:
    if not isinstance(other, int):
        return NotImplemented
    return SizeInt(work(n.plain, _plain(other)), None, n.watch)


def _binary(name: str, of_formulas: Callable[[Any, Any], Any] | None) -> None:
    """Give `SizeInt` the method `name` and its mirror; formulas are combined by `of_formulas`, or lost."""
    forward, mirror = f"__{name}__", f"__r{name}__"
    plain, plain_mirror = getattr(int, forward), getattr(int, mirror)

    def method(self: SizeInt, other: Any) -> Any:
        if isinstance(other, float):
            return getattr(SizeFloat.wrap(self), forward)(other) if hasattr(SizeFloat, forward) else NotImplemented
        if not isinstance(other, int):
            return NotImplemented
        value = plain(self.plain, _plain(other))
        return sized(value, _combined(of_formulas, self.raw, _raw(other)), self.watch)

    def mirrored(self: SizeInt, other: Any) -> Any:
        if isinstance(other, float):
            return getattr(SizeFloat.wrap(self), mirror)(other) if hasattr(SizeFloat, mirror) else NotImplemented
        if not isinstance(other, int):
            return NotImplemented
        value = plain_mirror(self.plain, _plain(other))
        return sized(value, _combined(of_formulas, _raw(other), self.raw), self.watch)

    setattr(SizeInt, forward, method)
    setattr(SizeInt, mirror, mirrored)


def _combined(work: Callable[[Any, Any], Any] | None, a: Any, b: Any) -> Expr | None:
    if work is None or a is None or b is None:
        return None
    try:
        result = work(a, b)
    except ConvcalcError:  # a formula that is not kept
        return None
    return result if isinstance(result, Expr) else Expr.const(result)


for _name, _work in {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "and": None,
    "or": None,
    "xor": None,
}.items():
    _binary(_name, _work)


def _comparison(name: str, relation: str) -> None:
    """Give `SizeInt` the comparison `name`, whose outcome is kept as a branch."""
    plain = getattr(int, f"__{name}__")

    def method(self: SizeInt, other: Any) -> Any:
        if isinstance(other, int):
            return self.watch.branch(self.raw, relation, _raw(other), plain(self.plain, _plain(other)))
        if isinstance(other, float):
            return getattr(SizeFloat.wrap(self), f"__{name}__")(other)
        return NotImplemented

    setattr(SizeInt, f"__{name}__", method)


class SizeFloat(_Real):
    """A float that is the formula `top` over the number `below`, exactly; `top` is None where it is unknown."""

    _top: Expr | None
    below: int
    watch: Watch
    plain: float
    """The number alone."""
    quotient: Quotient | None
    """What it is but for rounding, where that is known of something that was divided."""

    def __new__(cls, value: float, top: Expr | None, watch: Watch, below: int = 1) -> SizeFloat:
        """Return `value` as `top` over `below`."""
        self: SizeFloat = object.__new__(cls)
        self.plain, self.below, self.watch = value, below, watch
        self.quotient = None if top is None else Quotient(top, Expr.const(below))
        self._top = None if top is not None and top.is_too_long else top
        return self

    def __init__(self, value: float, top: Expr | None, watch: Watch, below: int = 1) -> None:
        pass

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return float

    @property
    def top(self) -> Expr | None:
        """The formula; None too once the run that gave it is over."""
        return None if self.watch.over else self._top

    @classmethod
    def wrap(cls, n: SizeInt) -> SizeFloat:
        """Return an int as a float.

        >>> SizeFloat.wrap(sized(7, Expr.symbol("n"), Watch())) * 0.5
        3.5
        """
        return cls(float(n.plain), n.expr, n.watch)

    @classmethod
    def ratio(cls, value: float, top: Expr | None, below: Expr | int | None, watch: Watch) -> SizeFloat:
        """Return a quotient; its floor and ceil have a formula where a number divides.

        >>> n = sized(15, Expr.symbol("n"), Watch())
        >>> math.ceil(n / 14).expr
        (n + 13)//14
        """
        if isinstance(below, int) and 0 < below < 2**20 and top is not None:
            return cls(value, top, watch, below)
        found = cls(value, None, watch)
        found.quotient = None if top is None or below is None else Quotient(top, Expr.const(0) + below)
        return found

    # -- what loses the formula, and what keeps it ---------------------------------------------------------------

    @property
    def node(self) -> Any:
        """The number, for what is compiled."""
        return _Node(lambda: self._asked("a quotient of sizes given to compiled code"))

    def _asked(self, how: str) -> float:
        self.watch.lose(how)
        return self.plain

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        import numpy

        return numpy.array(self._asked("a quotient of sizes given to NumPy"), *args, **kwargs)

    def __hash__(self) -> int:
        self.watch.look_up(self)
        return hash(self.plain)

    def __int__(self) -> int:
        number = int(self.plain)
        if self.quotient is not None and not self.watch.over and self.quotient.tells(number):
            self.watch.branch(self.quotient.whole, "==", number, outcome=True)
        else:
            self.watch.lose("int(size / number)")
        return number

    def __float__(self) -> float:
        self.watch.lose("float(size / number)")
        return self.plain

    def _whole(self, value: int, top: Expr | None) -> int:
        return sized(value, None if top is None else top // self.below, self.watch)

    def __floor__(self) -> int:
        return self._whole(math.floor(self.plain), self.top)

    def __ceil__(self) -> int:
        return self._whole(math.ceil(self.plain), None if self.top is None else self.top + self.below - 1)

    def __trunc__(self) -> int:
        return self.__floor__() if self.plain >= 0 else SizeInt(math.trunc(self.plain), None, self.watch)

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            return SizeFloat(round(self.plain, digits), None, self.watch)
        odd = self.below % 2 == 1  # halves, which round to even, do not occur
        top = self.top * 2 + self.below if odd and self.top is not None else None
        return sized(round(self.plain), None if top is None else top // (2 * self.below), self.watch)

    def as_integer_ratio(self) -> tuple[int, int]:
        """As of float; the formula is lost."""
        self.watch.lose("(size / number).as_integer_ratio()")
        return self.plain.as_integer_ratio()

    def hex(self) -> str:
        """As of float; the formula is lost."""
        self.watch.lose("(size / number).hex()")
        return self.plain.hex()

    imag = 0.0

    @property
    def real(self) -> SizeFloat:
        """Itself."""
        return self

    def conjugate(self) -> SizeFloat:
        """Itself."""
        return self

    def is_integer(self) -> bool:
        """Whether it is whole; kept as a branch."""
        rest = None if self.top is None else self.top % self.below
        return self.watch.branch(rest, "==", 0, self.plain.is_integer())

    def __repr__(self) -> str:
        self.watch.lose("text of a size")
        return repr(self.plain)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        self.watch.lose("text of a size")
        return format(self.plain, spec)

    def __copy__(self) -> SizeFloat:
        return self

    def __deepcopy__(self, memo: Any) -> SizeFloat:
        return self

    def __reduce__(self) -> Any:
        self.watch.lose("a quotient of sizes that is pickled")
        return float, (self.plain,)

    def __bool__(self) -> bool:
        return self.watch.branch(self.top, "!=", 0, self.plain != 0)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def _exact(self, other: Any) -> tuple[Expr | None, int]:
        """Another number as formula over number; the formula is None where products with it may round."""
        if isinstance(other, SizeFloat):
            return other.top, other.below
        if isinstance(other, SizeInt):
            return other.expr, 1
        if not math.isfinite(other):
            return None, 1
        ratio = Fraction(other)
        return (Expr.const(ratio.numerator), ratio.denominator) if ratio.denominator < _DYADIC else (None, 1)

    def _with(self, other: Any, value: float, work: Callable[[Expr, int, Expr, int], tuple[Expr, int]]) -> SizeFloat:
        top, below = self._exact(other)
        dyadic = self.below & (self.below - 1) == 0 and below & (below - 1) == 0
        if self.top is None or top is None or not dyadic:
            return SizeFloat(value, None, self.watch)
        top, below = work(self.top, self.below, top, below)
        return SizeFloat(value, top if below < _DYADIC else None, self.watch, below)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        return self._with(other, self.plain + _plain(other), lambda a, m, b, q: (a * q + b * m, m * q))

    __radd__ = __add__

    def __pos__(self) -> SizeFloat:
        return self

    def __neg__(self) -> SizeFloat:
        return SizeFloat(-self.plain, None if self.top is None else -self.top, self.watch, self.below)

    def __sub__(self, other: Any) -> Any:
        return self + (-other) if isinstance(other, int | float) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other if isinstance(other, int | float) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        return self._with(other, self.plain * _plain(other), lambda a, m, b, q: (a * b, m * q))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        value = self.plain / _plain(other)
        number = formula(int(other)) if not isinstance(other, SizeInt | SizeFloat) and other == int(other) else None
        if self.below == 1 and isinstance(number, int) and number > 0:
            return SizeFloat.ratio(value, self.top, number, self.watch)
        ratio = None if isinstance(other, SizeInt | SizeFloat) or not other else Fraction(1) / Fraction(other)
        if ratio is not None and ratio.denominator < _DYADIC and ratio.denominator & (ratio.denominator - 1) == 0:
            return self * float(ratio)
        found = SizeFloat(value, None, self.watch)
        divisor = other.quotient if isinstance(other, SizeFloat) else Quotient.of(formula(other) or number)
        found.quotient = None if self.quotient is None or divisor is None else self.quotient.over(divisor)
        return found

    def __floordiv__(self, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        whole = math.floor(self / other)
        return SizeFloat(self.plain // _plain(other), formula_or_none(whole), self.watch)

    def __divmod__(self, other: Any) -> Any:
        return (self // other, self % other) if isinstance(other, int | float) else NotImplemented

    def __rdivmod__(self, other: Any) -> Any:
        return (other // self, other % self) if isinstance(other, int | float) else NotImplemented

    def __abs__(self) -> SizeFloat:
        return self if self.plain >= 0 else SizeFloat(-self.plain, None, self.watch)


def _rounded(name: str) -> None:
    """Give `SizeFloat` an operation whose outcome has no formula."""
    plain = getattr(float, f"__{name}__")

    def method(self: SizeFloat, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        return SizeFloat(plain(self.plain, float(_plain(other))), None, self.watch)

    setattr(SizeFloat, f"__{name}__", method)


for _name in ("rtruediv", "rfloordiv", "mod", "rmod", "pow", "rpow"):
    _rounded(_name)


def formula_or_none(value: int) -> Expr | None:
    """Return the formula of a whole number as an `Expr`.

    >>> formula_or_none(3)
    3
    """
    known = formula(value)
    return Expr.const(known) if isinstance(known, int) else known


def _float_comparison(name: str, relation: str) -> None:
    """Give `SizeFloat` the comparison `name`, whose outcome is kept as a branch."""
    plain = getattr(float, f"__{name}__")

    def method(self: SizeFloat, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        top, below = self._exact(other)
        known = self.top is not None and top is not None
        left = self.top * below if known and self.top is not None else None
        right = top * self.below if known and top is not None else None
        return self.watch.branch(left, relation, right, plain(self.plain, _plain(other)))

    setattr(SizeFloat, f"__{name}__", method)


for _name, _relation in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    _comparison(_name, _relation)
    _float_comparison(_name, _relation)

assert sys.float_info.mant_dig == 53  # noqa: S101 -- what makes the products above exact
