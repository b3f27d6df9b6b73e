"""What a product is made of: symbols, floor divisions, extremes of several formulas."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from convcalc.errors import BadArgument

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr


class Formula:
    """What `convcalc.sizes.expr.Expr` is to the files that it stands on: they are handed formulas and know no class."""

    __slots__ = ()


class Atom:
    """What a product is made of; two atoms are the same where their Python texts are."""

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
        self.key = f"({numerator})//({denominator})"
        self.modulus, self.shift = denominator.constant, numerator.constant

    @cached_property
    def symbols(self) -> frozenset[str]:  # type: ignore[override]
        """The names of the sizes it depends on."""
        return self.numerator.symbols | self.denominator.symbols

    @cached_property
    def length(self) -> int:  # type: ignore[override]
        """As of `Expr`."""
        return 1 + self.numerator.length + self.denominator.length

    @cached_property
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
        self.key = f"{name}({', '.join(map(str, choices))})"
        self.symbols = frozenset().union(*(choice.symbols for choice in choices))
        self.length = 1 + sum(choice.length for choice in choices)


Monomial: TypeAlias = tuple[tuple[Atom, int], ...]
"""A product of atoms with their powers, in the order of their keys; the empty one is 1."""
