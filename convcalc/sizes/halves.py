"""Sums of floor divisions of one size, written with the fewest of them.

A half and the other half are the whole: for every integer y, a and every m >= 1

    (y + a)//(2*m) + (y + a + m)//(2*m)  =  (y + a)//m

so that `n - n//2` is `(n + 1)//2` and `n//4 - n//8` is `(n + 4)//8`. The division `(y + a)//m` steps up where
y + a is a multiple of m: it is the residue class -a mod m. Two classes mod 2*m make one mod m, so the classes of
m = d, 2*d, 4*d, ... (d odd) are the nodes of a binary tree, and a sum of divisions puts its factors on nodes. What
the sum is as a function is only, for each path down the tree, the total of its factors. The fewest factors that
give these totals are found from the leaves up, as Fitch finds the fewest changes in a tree of species
(Systematic Biology 20, 1971): below a node one total is the cheapest, or several are equally cheap; a node takes
what both halves share, or either where they share nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from convcalc.sizes.atoms import Floor, Monomial

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr

Items: TypeAlias = tuple[tuple[int, int, int], ...]
"""Factors on nodes: (shift a, modulus m, factor)."""


def fewest(terms: dict[Monomial, int], make: type[Expr]) -> dict[Monomial, int]:
    """Return `terms`, changed to the sum with the fewest divisions; what is equal by the rule at the top becomes one.

    >>> from convcalc.sizes.expr import Expr
    >>> n = Expr.symbol("n")
    >>> str(n - n // 2), str(n // 4 - n // 8), str(n // 2 + (n + 1) // 2), str((n + 1) // 2 - n // 2)
    ('(n + 1)//2', '(n + 4)//8', 'n', 'n - 2*(n//2)')
    """
    trees: dict[tuple[Monomial, int, int], list[tuple[Monomial, Floor]]] = {}
    for product in terms:
        if len(product) == 1 and product[0][1] == 1 and isinstance(atom := product[0][0], Floor) and atom.tree:
            trees.setdefault(atom.tree, []).append((product, atom))
    for (y, odd, residue), found in trees.items():
        if len(found) == 1 and (found[0][1].modulus != 2 or y not in terms):
            continue  # nothing to join
        names = {(atom.shift, atom.modulus): product for product, atom in found}
        if odd == 1:  # y itself is the root
            names[0, 1] = y
        items = tuple((a, m, terms.pop(product, 0)) for (a, m), product in names.items())
        for a, m, factor in _joined(items, residue, odd):
            terms[names.get((a, m)) or _division(make, y, a, m)] = factor
    return terms


def _division(make: type[Expr], y: Monomial, a: int, m: int) -> Monomial:
    return ((Floor(make({y: 1, (): a}), make.const(m)), 1),)


@lru_cache(maxsize=4096)
def _joined(items: Items, residue: int, odd: int) -> Items:
    return tuple(_written(_tree(items, residue, odd), 0))


@dataclass(slots=True)
class Node:
    """The divisions (y + a)//m, and those below: `own` is the factor, `cheapest` the totals that are, best first.

    Totals are counted from what the nodes above add up to. The half without factors is None.
    """

    a: int
    m: int
    own: int
    halves: tuple[Node | None, Node | None] | None
    cheapest: tuple[int, ...]


def _tree(items: Items, a: int, m: int) -> Node:
    own = sum(factor for _, modulus, factor in items if modulus == m)
    below = tuple(item for item in items if item[1] > m)
    if not below:
        return Node(a, m, own, None, (own,))
    low, high = (tuple(item for item in below if item[0] % (2 * m) == shift) for shift in (a, a + m))
    halves = (_tree(low, a, 2 * m) if low else None, _tree(high, a + m, 2 * m) if high else None)
    first, second = (half.cheapest if half else (0,) for half in reversed(halves))
    shared = [total for total in first if total in second]
    return Node(a, m, own, halves, tuple(own + total for total in shared or (*first, *second)))


def _written(node: Node, total: int) -> Iterator[tuple[int, int, int]]:
    """The fewest factors for a node and all below, where those above add up to `total`."""
    best = total if total in node.cheapest else node.cheapest[0]
    if best != total:
        yield node.a, node.m, best - total
    if node.halves:
        left = best - node.own
        for half, a in zip(node.halves, (node.a, node.a + node.m), strict=True):
            if half:
                yield from _written(half, left)
            elif left:
                yield a, 2 * node.m, -left
