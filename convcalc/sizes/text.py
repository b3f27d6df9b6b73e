"""A formula as text: Python, plain reading, LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from convcalc.sizes.atoms import Atom, Extreme, Floor, Monomial, Symbol

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr


class Style(NamedTuple):
    """How the parts of a formula are written; numerators and denominators arrive as bare texts."""

    minus: str
    times: str
    coefficient: str  # between a number and a product: 2*n, 2n
    floor: Callable[[str, str], str]
    ceil: Callable[[str, str], str]
    power: Callable[[str, int], str]
    factor: Callable[[str], str] = str  # a floor division that stands in a product or behind a leading minus
    symbol: Callable[[str], str] = str
    extreme: Callable[[str, str], str] = "{}({})".format
    known: Callable[[Expr], str] | None = None  # what a formula keeps of its text in this style


def grouped(text: str) -> str:
    """Return `text` in parentheses unless it is one name, number or floor.

    >>> grouped("n"), grouped("n + 1"), grouped("⌊n/2⌋")
    ('n', '(n + 1)', '⌊n/2⌋')
    """
    alone = text.isalnum() or text.isidentifier() or re.fullmatch("⌊[^⌊⌋]*⌋", text)
    return text if alone else f"({text})"


def _latex_symbol(name: str) -> str:
    head, _, tail = name.partition("_")
    if len(head) == 1 and "_" not in tail:
        return f"{head}_{{{tail}}}" if tail else head
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


PYTHON = Style(
    minus="-",
    times="*",
    coefficient="*",
    floor=lambda numerator, denominator: f"{grouped(numerator)}//{grouped(denominator)}",
    ceil=lambda numerator, denominator: f"-(-{grouped(numerator)}//{grouped(denominator)})",
    factor=lambda floor: f"({floor})",  # 2*n//2 would be (2*n)//2
    power=lambda base, power: f"{base}**{power}",
    known=lambda expr: expr.text,
)
KEY = PYTHON._replace(known=lambda expr: expr.key)
PRETTY = Style(
    minus="−",
    times="·",
    coefficient="",
    floor=lambda numerator, denominator: f"⌊{grouped(numerator)}/{grouped(denominator)}⌋",
    ceil=lambda numerator, denominator: f"⌈{grouped(numerator)}/{grouped(denominator)}⌉",
    power=lambda base, power: f"{base}^{power}",
)
LATEX = Style(
    minus="-",
    times=r" \cdot ",
    coefficient=" ",
    floor=lambda numerator, denominator: rf"\left\lfloor \frac{{{numerator}}}{{{denominator}}} \right\rfloor",
    ceil=lambda numerator, denominator: rf"\left\lceil \frac{{{numerator}}}{{{denominator}}} \right\rceil",
    power=lambda base, power: f"{base}^{{{power}}}",
    symbol=_latex_symbol,
    extreme=lambda name, choices: rf"\{name}\left({choices}\right)",
)


def write(expr: Expr, style: Style) -> str:
    """Return the text of `expr` in `style`; a sum around one division is written as one division.

    >>> from convcalc.sizes.expr import Expr
    >>> n = Expr.symbol("n")
    >>> write(n + (n + 1) // 2, PYTHON), write(2 * (n // 2) - 1, PYTHON), write(5 - n, PRETTY)
    ('(3*n + 1)//2', '2*(n//2) - 1', '5 − n')
    """
    return style.known(expr) if style.known else sum_text(expr, style)


def sum_text(expr: Expr, style: Style) -> str:
    """Return what `write` does, without a look at what `expr` itself knows of its text."""
    terms = sorted(_one_division(expr).terms.items(), key=_order)
    if not terms:
        return "0"
    if all(factor < 0 for product, factor in terms if product):
        terms.sort(key=lambda term: term[1] < 0)  # 5 - n, not -n + 5
    (first, factor), *others = terms
    text = style.minus + _term(first, -factor, style, leading=False) if factor < 0 else _term(first, factor, style)
    for product, factor in others:
        text += f" {style.minus if factor < 0 else '+'} {_term(product, abs(factor), style)}"
    return text


def _order(term: tuple[Monomial, int]) -> tuple[bool, bool, int, list[tuple[bool, str, int]]]:
    """Constants last, negative terms after positive ones, n first, higher degrees first, then by name."""
    product, factor = term
    names = [(atom.key, power) for atom, power in product]
    return (
        not product,
        factor < 0,
        -sum(power for _, power in product),
        [(name != "n", name, power) for name, power in names],
    )


def _term(product: Monomial, factor: int, style: Style, *, leading: bool = True) -> str:
    if not product:
        return str(factor)
    alone = leading and len(product) == 1 and factor == 1
    text = style.times.join(_factor(atom, power, style, alone) for atom, power in product)
    return text if factor == 1 else f"{factor}{style.coefficient}{text}"


def _factor(atom: Atom, power: int, style: Style, alone: bool) -> str:
    match atom:
        case Symbol():
            text = style.symbol(atom.key)
        case Floor():
            text = style.floor(write(atom.numerator, style), write(atom.denominator, style))
            text = text if alone and power == 1 else style.factor(text)
        case Extreme():
            text = style.extreme(atom.name, ", ".join(write(choice, style) for choice in atom.choices))
        case _:
            raise TypeError(f"unknown atom {atom!r}")
    return text if power == 1 else style.power(text, power)


def _one_division(expr: Expr) -> Expr:
    """Write x + y//m as (m*x + y)//m, x - y//m as (m*x + m - 1 - y)//m, and multiples of these, x linear in symbols."""
    floors = [term for term in expr.terms if any(isinstance(atom, Floor) for atom, _ in term)]
    if len(floors) != 1:
        return expr
    (((atom, power), *more),) = floors
    rest = {term: factor for term, factor in expr.terms.items() if term and term != floors[0]}
    factor = expr.terms[floors[0]]
    if not rest or not all(len(term) == 1 and term[0][1] == 1 for term in rest):
        return expr
    if more or power != 1 or not isinstance(atom, Floor) or not atom.denominator.is_constant:
        return expr
    m, times = atom.modulus, abs(factor)
    if any(f % times for f in rest.values()) or (times > 1 and times % m == 0):  # n - n//m * m stays
        return expr
    linear = type(expr)({term: f // times for term, f in rest.items()})
    numerator = linear * m + (atom.numerator if factor > 0 else (m - 1) - atom.numerator)
    shift, kept = divmod(numerator.constant, m)  # (y + m*b)//m -> y//m + b
    whole = type(expr).atom(Floor(numerator - numerator.constant + kept, atom.denominator))
    return whole * times + (expr.constant + times * shift)
