"""What a product is made of: symbols, floor divisions, extremes of several formulas.

Formulas share their parts: 2*e + 1 over 3, again and again, has as many parts as steps, but a text that doubles with
each. So nothing here needs the text of a formula but who prints it: parts are known and ordered by their `key`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.errors import BadArgument

if TYPE_CHECKING:
    from functools import cached_property

    from convcalc.sizes.expr import Expr

    kept = cached_property
else:

    class kept:  # noqa: N801  # a decorator
        """`cached_property` without its lock, which costs more than most sums; Python 3.12 has none either."""

        def __init__(self, work: Any) -> None:
            self.work, self.name, self.__doc__ = work, work.__name__, work.__doc__

        def __get__(self, owner: Any, kind: type | None = None) -> Any:
            if owner is None:
                return self
            value = vars(owner)[self.name] = self.work(owner)
            return value


class Formula:
    """What `convcalc.sizes.expr.Expr` is to the files that it stands on: they are handed formulas and know no class."""

    __slots__ = ()


LONGEST_KEY = 1000
"""The most letters of a formula's text that its key repeats; the rest is a digest of it all."""


def shortened(text: str) -> str:
    """Return a text that stands for `text` and sorts as it does: itself, or its beginning and a digest.

    >>> shortened("n + 1"), len(shortened("n + " * 1000))
    ('n + 1', 1032)
    """
    if len(text) <= LONGEST_KEY:
        return text
    from hashlib import blake2b  # costs more to import than most formulas to write

    return text[:LONGEST_KEY] + blake2b(text.encode(), digest_size=16).hexdigest()


class Atom:
    """What a product is made of; two atoms are the same where their keys are: Python texts, `shortened`."""

    key: str
    symbols: frozenset[str]
    length: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.key


class Symbol(Atom):
    """A named size."""

    length = 1

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise BadArgument(f"a symbol is a letter or _, then letters, digits and _: {name!r}")
        self.key = name
        self.symbols = frozenset({name})


class Floor(Atom):
    """`numerator // denominator`, where it does not simplify; `modulus` is the denominator where that is a number."""

    def __init__(self, numerator: Expr, denominator: Expr) -> None:
        self.numerator = numerator
        self.denominator = denominator
        self.key = shortened(f"({numerator.key})//({denominator.key})")
        self.modulus, self.shift = denominator.constant, numerator.constant

    @kept
    def symbols(self) -> frozenset[str]:  # type: ignore[override]
        """The names of the sizes it depends on."""
        return self.numerator.symbols | self.denominator.symbols

    @kept
    def length(self) -> int:  # type: ignore[override]
        """As of `Expr`."""
        return 1 + self.numerator.length + self.denominator.length

    @kept
    def tree(self) -> tuple[Monomial, int, int] | None:
        """Of (y + shift)//modulus: y, the odd part of modulus, shift modulo that; None where it is of another form."""
        products = [product for product in self.numerator.terms if product]
        if not self.denominator.is_constant or len(products) != 1 or self.numerator.terms[products[0]] != 1:
            return None
        odd = self.modulus // (self.modulus & -self.modulus)
        return products[0], odd, self.shift % odd


class Extreme(Atom):
    """The minimum or maximum (`name`) of several expressions."""

    def __init__(self, name: str, choices: tuple[Expr, ...]) -> None:
        self.name = name
        self.choices = choices
        self.key = shortened(f"{name}({', '.join(choice.key for choice in choices)})")
        self.symbols = frozenset().union(*(choice.symbols for choice in choices))
        self.length = 1 + sum(choice.length for choice in choices)


Monomial: TypeAlias = tuple[tuple[Atom, int], ...]
"""A product of atoms with their powers, in the order of their keys; the empty one is 1."""
