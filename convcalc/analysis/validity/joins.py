"""Where a captured model goes on alike after a test of sizes, so that the test does not part its ways.

Both sides of a `network.capture.Join` do nothing but leave values; the captured one left formulas. Where the test comes
out otherwise, the model is the captured graph there too, if the sizes that are left are the same, and if nothing that
was called in between refuses there: both are decided for all sizes, or the test keeps its ways apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.decide import decided
from convcalc.analysis.validity.walk import Walk
from convcalc.errors import BadShape
from convcalc.network.capture import Join
from convcalc.network.graph import Graph
from convcalc.network.shapes import shape_at
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.branch import Branch
from convcalc.sizes.expr import Expr
from convcalc.sizes.signs import most_of, sign_on
from convcalc.sizes.size import Size

Put = Callable[[Size], Size]
"""Writes a size in the letters of the question."""


def passed_over(
    joins: Sequence[Join], path: Callable[[frozenset[Branch]], Sequence[Condition]], walk: Walk, put: Put
) -> frozenset[Branch]:
    """Return the comparisons on a path that do not matter: those of joins whose ways are shown to meet.

    `path` gives the conditions of the path without some branches, `walk` those that nodes put on sizes.
    """
    known = [join for join in joins if join.changes is not None]
    meeting = known
    while True:
        apart = {branch for join in known if join not in meeting for branch in join.branches}
        gone = frozenset(branch for join in meeting for branch in join.branches if branch not in apart)
        facts = [one.value for one in path(gone)]
        left = [join for join in meeting if _meets(join, facts, walk, put)]
        if len(left) == len(meeting):
            return gone
        meeting = left


def _meets(join: Join, path: Sequence[Size], walk: Walk, put: Put) -> bool:
    """Whether the model goes on as it was captured wherever the test comes out otherwise."""
    between = [walk.conditions_up_to(node) for node in join.nodes]
    known = [*path, *(one.value for before, _ in between[:1] for one in before if one.kind == "runs")]
    differs = [most_of(moved, -moved) - 1 for moved in map(put, join.changes or ())]
    refuses = [-one.value - 1 for _, own in between for one in own]
    return all(
        _never(value, [*(put(fact) for branch in other for fact in branch.values), *known])
        for other in join.others
        for value in (*differs, *refuses)
    )


def _never(value: Size, facts: Sequence[Size]) -> bool:
    """Whether a value is >= 0 at no sizes from 1 on at which the facts about the same sizes are."""
    wanted, *known = (Expr.const(0) + one for one in (value, *facts))
    if not wanted.is_constant:
        if sign_on(wanted, dict.fromkeys(wanted.symbols, 1)) < 0:
            return True
        known = [fact for fact in known if fact.symbols <= wanted.symbols]
    return _is_empty([*known, wanted])


def _is_empty(values: Sequence[Expr]) -> bool:
    """Whether values are seen to be >= 0 together at no sizes from 1 on."""
    if any(one.is_constant and one.constant < 0 for one in values):
        return True
    axes = sorted(frozenset[str]().union(*(one.symbols for one in values)))
    least = [Expr.symbol(axis) - 1 for axis in axes]
    some = [one for one in (*least, *values) if not one.is_constant]
    found = decided([Condition(one, lambda at: BadShape("sizes differ")) for one in some], axes) if axes else None
    return found is not None and not found.runs


def other_sizes(graph: Graph, letters: Mapping[str, Size], start: Sequence[int], left: Boxes) -> tuple[int, ...] | None:
    """Return sizes in `left` at which many tests that called nothing come out otherwise; None where none does.

    There a capture shows the side that does something, and whether the ways meet.
    """
    joins = [] if graph.capture is None else [join for join in graph.capture.joins if join.changes is None]
    best, most = None, 0
    for sizes in _around(start) if joins else ():
        if sizes in left:
            numbers = dict(zip(left.axes, sizes, strict=True))
            values = dict(zip(letters, shape_at((*letters.values(),), numbers), strict=True))
            count = sum(any(all(one.holds(values) for one in other) for other in join.others) for join in joins)
            if count > most:
                best, most = sizes, count
    return best


def _around(start: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for step, turn in product(range(1, 65), (-1, 1)):
        if min(start) + turn * step > 0:
            yield tuple(n + turn * step for n in start)
    for step in range(1, 24):
        yield tuple(n * 2**step - 1 for n in start)
