"""Where a captured model goes on alike after a test of sizes, so that the test does not part its ways.

Both sides of a `network.capture.Join` do nothing but leave values; the captured one left formulas. Where the test comes
out otherwise, the model is the captured graph there too, if the sizes that are left are the same, and if nothing that
was called in between refuses there: both are decided for all sizes, or the test keeps its ways apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.decide import decided
from convcalc.errors import BadShape, ConvcalcError
from convcalc.network.capture import Join
from convcalc.network.graph import Graph
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Reader
from convcalc.sizes.expr import Expr
from convcalc.sizes.signs import most_of, sign_on
from convcalc.sizes.size import Size

Put = Callable[[Size], Size]
"""Writes a size in the letters of the question."""


def passed_over(
    joins: Sequence[Join],
    path: Callable[[frozenset[Branch]], Sequence[Condition]],
    between: Mapping[str, Sequence[Condition]],
    before: Callable[[str], Sequence[Condition]],
    put: Put,
) -> frozenset[Branch]:
    """Return the comparisons on a path that do not matter: those of joins whose ways are shown to meet.

    `path` gives the conditions of the path without some branches, `between` those that each node puts on sizes, and
    `before` all that the nodes before one put.
    """
    known = [join for join in joins if join.changes is not None]
    meeting = known
    while True:
        apart = {branch for join in known if join not in meeting for branch in join.branches}
        gone = frozenset(branch for join in meeting for branch in join.branches if branch not in apart)
        facts = path(gone)
        left = [join for join in meeting if _meets(join, facts, between, before, put)]
        if len(left) == len(meeting):
            return gone
        meeting = left


def _meets(
    join: Join,
    path: Sequence[Condition],
    between: Mapping[str, Sequence[Condition]],
    before: Callable[[str], Sequence[Condition]],
    put: Put,
) -> bool:
    """Whether the model goes on as it was captured wherever the test comes out otherwise."""
    earlier = [*path, *(before(join.nodes[0]) if join.nodes else ())]
    for other in join.others:
        facts = [_condition(put(value)) for branch in other for value in branch.values]
        for change in join.changes or ():
            moved = put(change)
            if not _never(_condition(most_of(moved, -moved) - 1), [*facts, *earlier]):
                return False
        for node in join.nodes:
            for condition in between.get(node, ()):
                if not _never(_condition(-condition.value - 1), [*facts, *earlier]):
                    return False
    return True


def _condition(value: Size) -> Condition:
    return Condition(value, _refused)


def _refused(at: Reader) -> ConvcalcError:
    return BadShape("the sizes differ")


def _never(wanted: Condition, facts: Iterable[Condition]) -> bool:
    """Whether a condition holds at no sizes from 1 on at which the facts about the same sizes hold."""
    if not isinstance(wanted.value, Expr) or wanted.value.is_constant:
        number = wanted.value.constant if isinstance(wanted.value, Expr) else wanted.value
        if number < 0:
            return True
        return any(_is_false(fact.value) for fact in facts) or _is_empty(list(facts))
    if sign_on(wanted.value, dict.fromkeys(wanted.value.symbols, 1)) < 0:
        return True
    near = [fact for fact in facts if _is_false(fact.value) or (fact.axes and fact.axes <= wanted.axes)]
    return any(_is_false(fact.value) for fact in near) or _is_empty([*near, wanted])


def _is_false(value: Size) -> bool:
    if isinstance(value, Expr):
        return value.is_constant and value.constant < 0
    return isinstance(value, int) and value < 0


def _is_empty(conditions: Sequence[Condition]) -> bool:
    """Whether conditions on sizes from 1 on are seen to hold together nowhere."""
    some = [one for one in conditions if isinstance(one.value, Expr) and not one.value.is_constant]
    axes = sorted({axis for one in some for axis in one.axes})
    least = [_condition(Expr.symbol(axis) - 1) for axis in axes]
    found = decided([*least, *some], axes) if axes else None
    return found is not None and not found.runs


def other_sizes(
    graph: Graph, letters: Mapping[str, Size], start: Mapping[str, int], left: Boxes
) -> tuple[int, ...] | None:
    """Return sizes in `left` at which many tests that called nothing come out otherwise; None where none does.

    There a capture shows the side that does something, and whether the ways meet.
    """
    joins = [] if graph.capture is None else [join for join in graph.capture.joins if join.changes is None]
    best, most = None, 0
    for sizes in _around(start) if joins else ():
        if tuple(sizes[axis] for axis in left.axes) in left:
            values = {name: size(**sizes) if isinstance(size, Expr) else size for name, size in letters.items()}
            count = sum(any(all(one.holds(values) for one in other) for other in join.others) for join in joins)
            if count > most:
                best, most = tuple(sizes[axis] for axis in left.axes), count
    return best


def _around(start: Mapping[str, int]) -> Iterator[dict[str, int]]:
    for step in range(1, 65):
        for turn in (-1, 1):
            if min(start.values()) + turn * step > 0:
                yield {axis: n + turn * step for axis, n in start.items()}
    for step in range(1, 24):
        yield {axis: n * 2**step - 1 for axis, n in start.items()}
