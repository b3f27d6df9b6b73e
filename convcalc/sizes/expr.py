"""Sizes as formulas: integer polynomials with floor divisions, kept in a normal form.

An `Expr` is a sum of integer coefficients times products of atoms; an atom is a symbol, a floor division that
does not simplify, or a minimum or maximum. Every chain of convolutions and poolings collapses to one division::

    ((x + a)//m + b)//q      ->  (x + a + m*b)//(m*q)      division into division
    (g*a*x + b)//(g*m)       ->  (a*x + b//g)//m           common factor
    (m*x + y)//m             ->  x + y//m                  multiples come out
    (b - x)//m               ->  -((x + m - 1 - b)//m)     minus comes out
    x//m - x//(2*m)          ->  (x + m)//(2*m)            half from whole: see `convcalc.sizes.halves`

All are equalities of integers for every x, y, b and every m, q, g >= 1.

>>> n = Expr.symbol("n")
>>> halved = (n - 1) // 2 + 1
>>> str(halved), str((halved - 1) // 2 + 1)
('(n + 1)//2', '(n + 3)//4')
>>> halved(n=7), halved.to_sympy()
(4, floor(n/2 + 1/2))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any, TypeAlias, Union

from convcalc.errors import BadArgument
from convcalc.sizes import text
from convcalc.sizes.atoms import LONGEST_KEY, Atom, Extreme, Formula, Monomial, Symbol, kept, shortened
from convcalc.sizes.division import divide, divide_by_formula
from convcalc.sizes.evaluate import evaluate
from convcalc.sizes.halves import fewest

LONGEST = 200
"""The `length` past which a formula tells nobody anything: whoever keeps formulas keeps None instead."""

_MOST_PRODUCTS = 20_000
"""The most terms that multiplying two sums may take; beyond, the product is refused."""


Operand: TypeAlias = Union["Expr", int]


class Expr(Formula):
    """An integer-valued formula in normal form; immutable, hashable, equal where the normal forms are.

    Made by `Expr.symbol` and arithmetic: `+ - * // %` with ints and other formulas, `**` with a small int.
    Calling it puts values (ints, arrays, tensors, formulas) in the place of symbols.
    """

    _parts: tuple[Expr, dict[Monomial, int], int]
    """Of a sum that nobody has looked at yet: what it is added to, the terms that are, and how often."""

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        if not isinstance(terms, dict):
            raise BadArgument(f"a formula is made by Expr.symbol and arithmetic, not from {type(terms).__name__}")
        self.terms = {product: factor for product, factor in terms.items() if factor}

    @classmethod
    def symbol(cls, name: str) -> Expr:
        """Return the formula that is the size called `name`.

        >>> Expr.symbol("n") * 2 + 1
        2*n + 1
        """
        return cls({((Symbol(name), 1),): 1})

    @classmethod
    def const(cls, value: int) -> Expr:
        """Return the formula that is `value`.

        >>> Expr.const(3).is_constant
        True
        """
        if type(value) is not int:
            try:
                value = index(value)
            except TypeError:
                raise BadArgument(f"a formula is made of integers: {value!r}") from None
        return cls({(): value})

    @classmethod
    def atom(cls, atom: Atom) -> Expr:
        """Return the formula that is one atom."""
        return cls({((atom, 1),): 1})

    @staticmethod
    def minimum(*choices: Operand) -> Expr:
        """Return the smallest of the choices; those that another is never above are dropped.

        >>> n = Expr.symbol("n")
        >>> str(Expr.minimum(n, n + 2)), str(Expr.minimum(n, 7))
        ('n', 'min(n, 7)')
        """
        return _extreme("min", choices, lambda difference: difference < 0)

    @staticmethod
    def maximum(*choices: Operand) -> Expr:
        """Return the largest of the choices; those that another is never below are dropped.

        >>> n = Expr.symbol("n")
        >>> str(Expr.maximum(n, n + 2)), str(Expr.maximum(n, 7))
        ('n + 2', 'max(n, 7)')
        """
        return _extreme("max", choices, lambda difference: difference > 0)

    # -- reading -----------------------------------------------------------------------------------------------

    @kept
    def terms(self) -> dict[Monomial, int]:
        """The products it is the sum of, each with its factor; of a sum of many, not those of each sum on the way."""
        base = self
        added: list[tuple[dict[Monomial, int], int]] = []
        while "terms" not in vars(base):
            base, more, sign = base._parts
            added.append((more, sign))
        terms = dict(base.terms)
        for more, sign in reversed(added):
            for product, factor in more.items():
                terms[product] = terms.get(product, 0) + sign * factor
        terms = _fewest(terms)
        self._parts = _NOTHING, terms, 1  # lets go of the sums on the way
        return terms

    @property
    def constant(self) -> int:
        """The term without symbols."""
        return self.terms.get((), 0)

    @property
    def is_constant(self) -> bool:
        """Whether no symbol is left."""
        return not self.terms or (len(self.terms) == 1 and () in self.terms)

    @kept
    def symbols(self) -> frozenset[str]:
        """The names of the sizes it depends on.

        >>> sorted((Expr.symbol("n") // Expr.symbol("s")).symbols)
        ['n', 's']
        """
        return frozenset().union(*(atom.symbols for product in self.terms for atom, _ in product))

    @kept
    def length(self) -> int:
        """How many terms, names, divisions, minima and maxima it is written with.

        >>> (Expr.symbol("n") + 1).length, ((Expr.symbol("n") + 1) // 2).length
        (3, 6)
        """
        return sum(1 + sum(atom.length for atom, _ in product) for product in self.terms)

    @property
    def is_too_long(self) -> bool:
        """Whether it is longer than `LONGEST`, and as good as unknown."""
        return self.length > LONGEST

    @kept
    def key(self) -> str:
        """Its Python text, `shortened`: equal where formulas are, and in the order of their texts."""
        return shortened(str(self.constant) if self.is_constant else text.sum_text(self, text.KEY))

    @kept
    def text(self) -> str:
        """Its Python text: what `str` prints."""
        return self.key if len(self.key) <= LONGEST_KEY else text.sum_text(self, text.PYTHON)

    def pretty(self) -> str:
        """Return its text for people.

        >>> ((Expr.symbol("n") + 1) // 2 * 3).pretty()
        '3⌊(n + 1)/2⌋'
        """
        return text.write(self, text.PRETTY)

    def latex(self) -> str:
        r"""Return its LaTeX.

        >>> print(((Expr.symbol("n") + 1) // 2).latex())
        \left\lfloor \frac{n + 1}{2} \right\rfloor
        """
        return text.write(self, text.LATEX)

    def to_sympy(self) -> Any:
        """Return the SymPy expression equal to it at every integer; its symbols are integers.

        >>> ((Expr.symbol("n") + 1) // 2).to_sympy()
        floor(n/2 + 1/2)
        """
        import sympy

        return sympy.sympify(self(**{name: sympy.Symbol(name, integer=True) for name in self.symbols}))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        """Its LaTeX, for notebooks."""
        return f"$\\displaystyle {self.latex()}$"

    def __reduce__(self) -> tuple[type[Expr], tuple[dict[Monomial, int]]]:
        """Copied by its terms: what it keeps of itself, its hash above all, is of one process."""
        return Expr, (self.terms,)

    def __hash__(self) -> int:
        return self._hash

    @kept
    def _hash(self) -> int:
        return hash(frozenset(self.terms.items())) if not self.is_constant else hash(self.constant)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return self.is_constant and self.constant == other
        return isinstance(other, Expr) and self.terms == other.terms

    def __bool__(self) -> bool:
        if self.is_constant:
            return bool(self.constant)
        raise TypeError(f"whether {self} is zero depends on {', '.join(sorted(self.symbols))}")

    def __index__(self) -> int:
        if self.is_constant:
            return self.constant
        raise TypeError(f"{self} is not a number: it depends on {', '.join(sorted(self.symbols))}")

    def __call__(self, *one: Any, **values: Any) -> Any:
        """Return it with values in the place of symbols, or of the only one: an int once no symbol is left.

        >>> f = (Expr.symbol("n") + Expr.symbol("m")) // 2
        >>> f(n=7, m=4), str(f(n=7))
        (5, '(m + 1)//2 + 3')
        """
        return evaluate(self, values, *one)

    # -- arithmetic --------------------------------------------------------------------------------------------

    def __add__(self, other: Operand) -> Expr:
        return self._plus(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Expr:
        return self._plus(other, -1)

    def _plus(self, other: Operand, sign: int) -> Expr:
        if isinstance(other, Expr):
            terms = other.terms
        elif isinstance(other, int):
            if not other:
                return self
            terms = {(): int(other)}
        else:
            return NotImplemented
        whole = Expr.__new__(Expr)
        whole._parts = self, terms, sign
        return whole

    def __rsub__(self, other: int) -> Expr:
        return -self + other

    def __neg__(self) -> Expr:
        return Expr({product: -factor for product, factor in self.terms.items()})

    def __pos__(self) -> Expr:
        return self

    def __mul__(self, other: Operand) -> Expr:
        if isinstance(other, int):
            return Expr({product: factor * other for product, factor in self.terms.items()})
        if not isinstance(other, Expr):
            return NotImplemented
        if len(self.terms) * len(other.terms) > _MOST_PRODUCTS:
            raise BadArgument(f"a product of sums of {len(self.terms)} and {len(other.terms)} terms is too long")
        terms: dict[Monomial, int] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                product = _product(left, right)
                terms[product] = terms.get(product, 0) + a * b
        return Expr(_fewest(terms))

    __rmul__ = __mul__

    def __pow__(self, power: int) -> Expr:
        if not isinstance(power, int):
            return NotImplemented
        if not 0 <= power <= 64:
            raise BadArgument(f"a formula is raised to a power from 0 to 64 only: {power}")
        return math.prod([self] * power, start=Expr.const(1))

    def __floordiv__(self, other: Operand) -> Expr:
        if isinstance(other, Expr):
            if not other.is_constant:
                return divide_by_formula(self, other)
            other = other.constant
        elif not isinstance(other, int):
            return NotImplemented
        return divide(-self, -other) if other < 0 else divide(self, other)

    def __rfloordiv__(self, other: int) -> Expr:
        return _expr(other) // self

    def __mod__(self, other: Operand) -> Expr:
        if not isinstance(other, Expr | int):
            return NotImplemented
        return self - (self // other) * other

    def __rmod__(self, other: int) -> Expr:
        return _expr(other) % self


_NOTHING = Expr({})


def _extreme(name: str, choices: Iterable[Operand], wins: Callable[[int], bool]) -> Expr:
    kept: list[Expr] = []
    for choice in map(_expr, choices):
        for place, rival in enumerate(kept):
            difference = choice - rival
            if difference.is_constant:
                kept[place] = choice if wins(difference.constant) else rival
                break
        else:
            kept.append(choice)
    if len(kept) == 1:
        return kept[0]
    return Expr.atom(Extreme(name, tuple(sorted(kept, key=lambda choice: (choice.is_constant, choice.key)))))


def _expr(value: Operand) -> Expr:
    return value if isinstance(value, Expr) else Expr.const(int(value))


def _fewest(terms: dict[Monomial, int]) -> dict[Monomial, int]:
    kept = {product: factor for product, factor in terms.items() if factor}
    return fewest(kept, Expr) if len(kept) - (() in kept) > 1 else kept


def _product(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: item[0].key))
