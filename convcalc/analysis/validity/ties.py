"""Sizes of several inputs that belong together: what the conditions of a network say of them.

`u(m) - y` with a transposed convolution u of stride 8 asks for as many columns of y as u gives: 8*L - L_y is 0.
Where such an equation has a letter by itself, the letter is a formula in the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np

from convcalc.analysis.validity.quotients import parts
from convcalc.errors import ConvcalcError
from convcalc.layers.base import Shape, written
from convcalc.network.graph import Graph
from convcalc.network.shapes import node_formulas, shape_at
from convcalc.sizes.atoms import Extreme
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

REACH = 2**16
"""At least so many values of one letter are looked at for one that fits the others."""


def asked_of(graph: Graph, letters: Mapping[str, Shape], sizes: Mapping[str, int] | None = None) -> list[Expr]:
    """Return the equations between sizes that the calls of a captured graph ask for, and those it met on its path.

    `letters` are its input shapes in letters, `sizes` what these are where it was captured;
    where it fails there, they are left out.
    """
    if graph.capture is None:
        return []
    needs, refused = Conditions(), graph.capture.refused
    known = dict(letters)
    with suppress(ConvcalcError):  # what has no formula ends what is known of the rest
        for node in (*graph, *([refused] if refused else ())):
            if all(name in known for name in node.inputs):
                known |= node_formulas(node, known, needs)
    paths = [value for branch in graph.capture.path if branch.relation == "==" for value in branch.values]
    return equations([*needs.open, *paths], sizes)


def equations(values: Iterable[Size], sizes: Mapping[str, int] | None = None) -> list[Expr]:
    """Return what must be 0 for conditions `value >= 0` to hold near `sizes`, of what depends on several letters.

    It is what both signs of are asked for; or one way out of several, the one that is taken at `sizes` if given.

    >>> a, b = Expr.symbol("a"), Expr.symbol("b")
    >>> from convcalc.layers import Add
    >>> from convcalc.sizes.conditions import Conditions
    >>> Add().out_shape((1, 8 * a), (1, b), check=(needs := Conditions()))
    (1, max(8*a, b))
    >>> [str(one) for one in equations(needs.open, {"a": 4, "b": 32})], equations(needs.open, {"a": 4, "b": 1})
    (['8*a - b'], [])
    """
    some = [value for value in values if isinstance(value, Expr) and len(value.symbols) > 1]
    asked = set(some)
    found = [value for value in some if -value in asked]
    found += [one for value in some for one in _distances(value)]
    apart: list[Expr] = []
    for one in found:
        holds = sizes is None or one(**sizes) == 0
        if len(one.symbols) > 1 and holds and one not in apart and -one not in apart:
            apart.append(one)
    return apart


def _distances(value: Expr) -> Iterator[Expr]:
    """Every e whose distance from 0, max(e, -e), stands in a formula."""
    for atom in (atom for product in value.terms for atom, _ in product):
        match atom:
            case Extreme(choices=(one, other)) if (one + other) == 0 and not _is_least(one):
                yield one
        for part in parts(atom):
            yield from _distances(part)


def _is_least(one: Expr) -> bool:
    """Whether it is the smaller of sizes, less 1: a size of 1 that serves all places, and no other."""
    return any(isinstance(atom, Extreme) and atom.name == "min" for product in one.terms for atom, _ in product)


def solved(asked: Sequence[Expr], letters: Sequence[str]) -> dict[str, Expr]:
    """Return formulas for letters that equations `asked` give by the others; of several the last of `letters`.

    >>> a, b, c = map(Expr.symbol, "abc")
    >>> solved([8 * a - b, a - c], ["a", "b", "c"]), solved([a // 2 - b // 2], ["a", "b"])
    ({'b': 8*a, 'c': a}, {})
    """
    known: dict[str, Expr] = {}
    for one in asked:
        rest = put(one, known)
        name = next((letter for letter in reversed(letters) if _stands_alone(rest, letter)), None)
        if name is None:
            continue
        factor = rest.terms[next(iter(Expr.symbol(name).terms))]
        formula = Expr.const(0) + (Expr.symbol(name) * factor - rest) * factor  # the factor is 1 or -1
        known = {letter: put(other, {name: formula}) for letter, other in known.items()} | {name: formula}
    return known


def _stands_alone(formula: Expr, letter: str) -> bool:
    """Whether a formula is the letter, or less it, and nothing more that depends on it."""
    alone = next(iter(Expr.symbol(letter).terms))
    return formula.terms.get(alone) in (1, -1) and sum(letter in Expr({one: 1}).symbols for one in formula.terms) == 1


def put(formula: Expr, known: Mapping[str, Size]) -> Expr:
    """Return a formula with others in the place of letters.

    >>> put(2 * Expr.symbol("b"), {"b": Expr.symbol("a") + 1})
    2*a + 2
    """
    written: Expr = Expr.const(0) + formula(**known)
    return written


def fitting(asked: Sequence[Expr], sizes: Mapping[str, int], letters: Sequence[str]) -> dict[str, int] | None:
    """Return `sizes` with letters changed, from the first to the last, so that equations hold; None where none fit.

    >>> a, b = Expr.symbol("a"), Expr.symbol("b")
    >>> fitting([8 * a - b], {"a": 5, "b": 32}, "ab"), fitting([8 * a - b], {"a": 5, "b": 33}, "ba")
    ({'a': 5, 'b': 40}, None)
    """
    found: dict[str, int] = {}
    for letter in letters:
        found[letter] = sizes[letter]
        due = [one for one in asked if letter in one.symbols and one.symbols <= found.keys()]
        if all(one(**found) == 0 for one in due):
            continue
        values = np.arange(1, max(REACH, 4 * sizes[letter]) + 1)
        holds = np.ones(len(values), dtype=bool)
        with np.errstate(divide="ignore"):
            for one in due:
                holds &= one(**{**found, letter: values}) == 0
        fits = values[holds]
        if not len(fits):
            return None
        found[letter] = int(fits[abs(fits - sizes[letter]).argmin()])
    return found


def read_off(letters: Sequence[Shape], shapes: Sequence[Shape]) -> dict[str, Size] | None:
    """Return what each letter is in shapes; None where they are those in letters at no sizes.

    >>> L = Expr.symbol("L")
    >>> [read_off([(1, L), (1, 8 * L)], [(1, 4), (1, size)]) for size in (32, 33)]
    [{'L': 4}, None]
    """
    if list(map(len, letters)) != list(map(len, shapes)):
        return None
    pairs = _pairs(letters, shapes)
    values: dict[str, Size] = {}
    for letter, size in pairs:
        if is_letter(letter) and values.setdefault(str(letter), size) != size:
            return None
    fits = all((letter(**values) if isinstance(letter, Expr) else letter) == size for letter, size in pairs)
    return values if fits else None


def together(letters: Mapping[str, Shape]) -> list[str]:
    """Return the remark that sizes of inputs are formulas in those of others, where they are.

    >>> L = Expr.symbol("L")
    >>> together({"m": (1, 8, L), "y": (1, 1, 8 * L)}), together({"m": (1, 8, L)})
    (['the inputs belong together: m (1, 8, L), y (1, 1, 8*L)'], [])
    """
    if all(not isinstance(size, Expr) or is_letter(size) for shape in letters.values() for size in shape):
        return []
    return [f"the inputs belong together: {', '.join(f'{name} {written(shape)}' for name, shape in letters.items())}"]


def tied(shapes: Mapping[str, Shape], letters: Sequence[Shape]) -> dict[str, Shape]:
    """Return shapes with formulas in the place of names that stand where `letters` of a capture have formulas.

    >>> L, M, a = map(Expr.symbol, ("L", "M", "a"))
    >>> tied({"m": (1, 8, a), "y": (1, 1, M)}, [(1, 8, L), (1, 1, 8 * L)])
    {'m': (1, 8, a), 'y': (1, 1, 8*a)}
    """
    pairs = _pairs([*shapes.values()], letters)
    names = {str(letter): size for size, letter in pairs if is_letter(letter)}
    known: dict[str, Expr] = {}
    for size, letter in pairs:
        if isinstance(size, Expr) and isinstance(letter, Expr) and not is_letter(letter):
            formula = put(letter, names)
            if not formula.is_constant and str(size) not in formula.symbols:
                known[str(size)] = formula
    return {name: shape_at(shape, known) for name, shape in shapes.items()}


def is_letter(size: Size) -> bool:
    """Return whether a size is a letter alone, and no number or formula.

    >>> H = Expr.symbol("H")
    >>> is_letter(H), is_letter(2 * H), is_letter(8)
    (True, False, False)
    """
    return isinstance(size, Expr) and str(size) in size.symbols


def _pairs(shapes: Sequence[Shape], others: Sequence[Shape]) -> list[tuple[Size, Size]]:
    """Each size of shapes beside that of the others at the same place."""
    return [pair for some in zip(shapes, others, strict=True) for pair in zip(*some, strict=True)]
