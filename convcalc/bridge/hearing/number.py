"""What a size and a quotient of sizes share: numbers for Python that remember a formula, and are heard.

To C they are no numbers: code that would take the number unasked (`range`, `math.gcd`, `"%d"`, a list's index) has to
ask. Where a formula is lost so, the `Watch` keeps it; comparisons are kept there as the branches taken.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any, ClassVar

from convcalc.bridge.hearing.watch import Watch
from convcalc.sizes.expr import Expr

_KINDS = ("is_nested_int", "is_symbolic", "is_constant")
"""Torch's own kinds of symbolic numbers, of which these are none."""


class Number:
    """A number, `plain`, that says to `watch` where it loses its formula."""

    watch: Watch
    plain: Any
    """The number alone."""
    expr: Any
    """Of a whole number, its formula in letters alone."""
    kind: ClassVar[type]
    """What it passes for: int or float."""
    called: ClassVar[str]
    """What it is, in a sentence."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.kind

    def sides(self, other: Any) -> tuple[Any, Any]:
        """Return formulas that compare as this number does with another; None for what is unknown."""
        raise NotImplementedError

    def lose(self, how: str) -> Any:
        """Return the number alone; its formula is lost."""
        self.watch.lose(how, self if isinstance(self, int) else None)
        return self.plain

    @property
    def node(self) -> Any:
        """What C++ asks a symbolic number of torch for: here the number itself, and that is heard."""

        def ask(file: str, line: int) -> Any:
            return self.lose(f"{self.called} given to compiled code")

        return SimpleNamespace(guard_int=ask, guard_float=ask, **dict.fromkeys(_KINDS, lambda: False))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        import numpy

        return numpy.array(self.lose(f"{self.called} given to NumPy"), *args, **kwargs)

    def __hash__(self) -> int:
        self.watch.look_up(self)
        return hash(self.plain)

    def __repr__(self) -> str:
        return repr(self.lose("text of a size"))

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self.lose("text of a size"), spec)

    def __reduce__(self) -> Any:
        plain = self.lose(f"{self.called} that is pickled")
        return type(plain), (plain,)

    def conjugate(self) -> Any:
        """Itself."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    __copy__ = __pos__ = conjugate

    def __divmod__(self: Any, other: Any) -> Any:
        return (self // other, self % other) if isinstance(other, int | float) else NotImplemented

    def __rdivmod__(self: Any, other: Any) -> Any:
        return (other // self, other % self) if isinstance(other, int | float) else NotImplemented

    @property
    def real(self) -> Any:
        """Itself."""
        return self


def plain_of(value: Any) -> Any:
    """Return a number alone.

    >>> plain_of(3)
    3
    """
    return value.plain if isinstance(value, Number) else value


def formula(value: Any) -> Expr | int | None:
    """Return the formula of a whole number; None where it is unknown, and of anything else.

    >>> from convcalc.bridge.hearing.sizeint import sized
    >>> formula(3), formula(sized(7, Expr.symbol("n"), Watch())), formula(0.5)
    (3, n, None)
    """
    if not isinstance(value, int):
        return None
    return value.expr if isinstance(value, Number) else int(value)


def of_numbers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an operation on this and another number: what is none is left to the other."""

    @wraps(method)
    def work(self: Number, other: Any, *modulus: Any) -> Any:
        return method(self, other, *modulus) if isinstance(other, int | float) else NotImplemented

    return work


def losing(kind: type, said: str, name: str) -> Callable[..., Any]:
    """Return a method of `kind`, which knows nothing of the formula."""

    def ask(self: Number, *args: Any, **kwargs: Any) -> Any:
        return getattr(kind, name)(self.lose(f"{said}.{name}()"), *args, **kwargs)

    ask.__name__, ask.__doc__ = name, f"As of {kind.__name__}; the formula is lost."
    return ask


def _comparison(name: str, relation: str) -> Callable[..., Any]:
    """A comparison, whose outcome is kept as a branch."""
    plain = getattr(operator, name)

    @of_numbers
    def method(self: Number, other: Any) -> bool:
        left, right = self.sides(other)
        return self.watch.branch(left, relation, right, plain(self.plain, plain_of(other)))

    return method


for _name, _relation in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(Number, f"__{_name}__", _comparison(_name, _relation))
