"""The code of lengths: how many rows come out of an input, and which inputs give that many."""

from __future__ import annotations

import math
from fractions import Fraction

from convcalc.export.code.along import Along
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet

EXTREMES = '''

def least(*sizes):
    """Return the least of some sizes, entry by entry."""
    found = sizes[0]
    for size in sizes[1:]:
        found = (found + size - abs(found - size)) // 2
    return found


def most(*sizes):
    """Return the most of some sizes, entry by entry."""
    return -least(*(-size for size in sizes))
'''
"""Minima and maxima in arithmetic alone, for numbers and tensors alike."""

LENGTH = '''
SMALLEST = {smallest}
"""The smallest input that runs."""
{extremes}

def runs(n):
    """Return whether an input of n runs; of a tensor, entry by entry."""
    return {runs}


def frames(n):
    """Return how many frames come out of n, which runs: {formula}."""
    return {formula}


def output_length(n):
    """Return how many frames come out of an input of n: a number, or {kind} of lengths.

    Raises ValueError where such an input does not run, and TypeError for what is no whole number.

    >>> output_length({smallest})
    {first}
    """
    if isinstance(n, {array}):
        {whole}
        legal = bool(runs(n).all())
    elif isinstance(n, int) and not isinstance(n, bool):
        legal = runs(n)
    else:
        raise TypeError(f"a length is a whole number: {{n!r}}")
    if not legal:
        raise ValueError(f"an input of {{n}} does not run: {legal}")
    return frames(n)


def input_lengths(m):
    """Return the least and the most input that give m frames; None where none does.

    >>> input_lengths({first})
    {inverse}
    """
{search}
'''

ONE_DIVISION = """    least_input, most_input = max(SMALLEST, {least}), {most}
    return (least_input, most_input) if least_input <= most_input else None"""

SEARCH = """    around = range({start}, {end})
    found = [n for n in around if runs(n) and frames(n) == m]
    return (found[0], found[-1]) if found else None"""

WHOLE = {
    "torch": """if n.is_floating_point() or n.is_complex() or n.dtype == torch.bool:
            raise TypeError(f"lengths are whole numbers, not {n.dtype}")
        n = n.long()""",
    "numpy": """if n.dtype.kind not in "iu":
            raise TypeError(f"lengths are whole numbers, not {n.dtype}")
        n = n.astype(np.int64)""",
}


def length_code(along: Along, *, numpy: bool = False) -> str:
    """Return `SMALLEST`, `output_length` and `input_lengths` of a network.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import Conv
    >>> code = {}
    >>> exec(length_code(look_along(Conv(8, 3, stride=2), (1, 4, "T"))), {"torch": __import__("torch")}, code)
    >>> code["SMALLEST"]
    3
    """
    formula = formula_of(along)
    smallest = next(iter(along.legal))
    first = along.formula(**{along.letter: smallest})
    least, most = inputs_of(along, first)
    extremes = EXTREMES if "least(" in formula or "most(" in formula else ""
    library = "numpy" if numpy else "torch"
    return LENGTH.format(
        smallest=smallest,
        extremes=extremes,
        runs=membership(along.legal),
        formula=formula,
        kind="a NumPy array" if numpy else "a tensor",
        array="np.ndarray" if numpy else "torch.Tensor",
        whole=WHOLE[library],
        legal=along.legal.text("n"),
        first=first,
        inverse=(least, most),
        search=_search(along),
    )


def python(formula: Expr, letter: str) -> str:
    """Return a formula as Python, its letter being n, for numbers and tensors alike.

    >>> T = Expr.symbol("T")
    >>> python((T + 1) // 2, "T"), python(Expr.minimum(T, 7), "T")
    ('(n + 1)//2', 'least(n, 7)')
    """
    text = str(formula(**{letter: Expr.symbol("n")}))
    return text.replace("min(", "least(").replace("max(", "most(")


def membership(sizes: SizeSet) -> str:
    """Return the condition that n is one of these sizes, for numbers and tensors alike.

    >>> membership(SizeSet(16, (12,), 188)), membership(SizeSet(1, (0,), 5, (3,)))
    ('(n >= 188) & (n % 16 == 12)', '(n == 3) | (n >= 5)')
    """
    parts = [f"(n == {size})" for size in sizes.finite]
    if sizes.residues:
        classes = " | ".join(f"(n % {sizes.modulus} == {residue})" for residue in sizes.residues)
        classes = f"({classes})" if len(sizes.residues) > 1 else classes
        whole = f"n >= {sizes.minimum}" if sizes.modulus == 1 else f"(n >= {sizes.minimum}) & {classes}"
        parts.append(f"({whole})" if parts else whole)
    return " | ".join(parts)


def formula_of(along: Along, letter: str = "n") -> str:
    """Return how many rows come out, as Python: by one division where that is enough.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import Conv
    >>> formula_of(look_along(Conv(8, 3, stride=2), (1, 4, "T")))
    '(n - 1)//2'
    """
    more, per = _division(along), along.growth.slope.denominator
    if more is None or per == 1:
        return python(along.formula, along.letter) if letter == "n" else str(along.formula)
    added = f" {'-' if more < 0 else '+'} {abs(more)}" if more else ""
    return f"({letter}{added})//{per}" if added else f"{letter}//{per}"


def _division(along: Along) -> int | None:
    """What is added before the one division that gives the rows; None where it takes more than that."""
    per = along.growth.slope.denominator
    more = along.growth.high * per
    if along.growth.slope.numerator != 1 or more.denominator != 1:
        return None
    return int(more) if along.formula == (Expr.symbol(along.letter) + int(more)) // per else None


def _search(along: Along) -> str:
    growth = along.growth
    per, of = growth.slope.denominator, growth.slope.numerator
    if _division(along) is not None and along.legal.modulus == 1 and not along.legal.finite:
        least = _sum(per, -growth.high * per)
        return ONE_DIVISION.format(least=least, most=_sum(per, per - 1 - growth.high * per))
    low, high = math.floor(growth.low * per), math.ceil(growth.high * per)
    start = f"({_sum(per, Fraction(-high))}) // {of}" if of > 1 else _sum(per, Fraction(-high))
    end = f"({_sum(per, Fraction(-low))}) // {of} + 2" if of > 1 else _sum(per, Fraction(1 - low))
    if growth.start > (along.legal.smallest or 0):
        return SEARCH.format(start="SMALLEST", end=f"max({growth.start}, {end})")
    return SEARCH.format(start=f"max(SMALLEST, {start})", end=end)


def _sum(per: int, more: Fraction) -> str:
    """The text of per*m + more."""
    text = "m" if per == 1 else f"{per} * m"
    return text if not more else f"{text} {'-' if more < 0 else '+'} {abs(int(more))}"


def inputs_of(along: Along, rows: int) -> tuple[int, int]:
    """Return the least and the most input that give `rows`, which some do.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import MaxPool
    >>> inputs_of(look_along(MaxPool(3), (1, 4, "T")), 2)
    (6, 8)
    """
    growth = along.growth
    start = max(0, math.floor((rows - growth.high) / growth.slope)) if growth.start == 0 else 0
    end = max(growth.start, math.ceil((rows - growth.low) / growth.slope) + 1)
    found = [n for n in range(start, end) if n in along.legal and along.formula(**{along.letter: n}) == rows]
    return found[0], found[-1]
