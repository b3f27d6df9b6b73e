"""What a size and a quotient of sizes share: numbers for Python that remember a formula, and are heard.

To C they are no numbers: code that would take the number unasked (`range`, `math.gcd`, `"%d"`, a list's index) has to
ask. Where a formula is lost so, the `Watch` keeps it; comparisons are kept there as the branches taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from convcalc.bridge.hearing.watch import Watch
from convcalc.sizes.expr import Expr

Kind = TypeVar("Kind")

RELATIONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
"""Python's comparisons, whose outcomes are kept as branches."""


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


class Number:
    """A number, `plain`, that says to `watch` where it loses its formula."""

    watch: Watch
    plain: Any
    """The number alone."""
    expr: Any
    """Of a whole number, its formula in letters alone."""
    called: ClassVar[str]
    """What it is, in a sentence."""

    def lose(self, how: str) -> Any:
        """Return the number alone; its formula is lost."""
        self.watch.lose(how, self if isinstance(self, int) else None)
        return self.plain

    @property
    def node(self) -> Any:
        """The number, for what is compiled."""
        return _Node(lambda: self.lose(f"{self.called} given to compiled code"))

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


def losing(kind: type, said: str, names: tuple[str, ...]) -> Callable[[type[Kind]], type[Kind]]:
    """Decorate a class of numbers with these methods of `kind`, which know nothing of the formula."""

    def method(name: str) -> Any:
        def ask(self: Number, *args: Any, **kwargs: Any) -> Any:
            return getattr(kind, name)(self.lose(f"{said}.{name}()"), *args, **kwargs)

        ask.__name__, ask.__doc__ = name, f"As of {kind.__name__}; the formula is lost."
        return ask

    def decorated(numbers: type[Kind]) -> type[Kind]:
        for name in names:
            setattr(numbers, name, method(name))
        return numbers

    return decorated
