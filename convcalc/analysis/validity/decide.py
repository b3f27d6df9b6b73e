"""Which input sizes a network accepts, for all sizes at once.

*runs*: no condition of any layer fails. *exact*: also no window drops a row and every crop is symmetric
(`arithmetic.exactness`). The conditions are collected from one propagation of symbols; those on one axis go through
`one_axis`, those that tie axes together through `tied_axes`. What neither decides is tried over a
stated window, and then the answer is not called proved. The theorem and its proof: docs/legal-sizes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import mul
from typing import TypeAlias

import numpy as np

from convcalc.analysis.validity.conditions import Collector, Condition, Decided, Refusal
from convcalc.analysis.validity.legal import Legal, Way, one_size, reader_at, reason_for
from convcalc.analysis.validity.one_axis import sieve
from convcalc.analysis.validity.tied_axes import grid, solve
from convcalc.analysis.validity.untied import untied
from convcalc.errors import Refused
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import every, only
from convcalc.sizes.size import Size

Propagate: TypeAlias = Callable[[Mapping[str, Size], Collector], object]
"""Takes sizes by name through a network and hands every condition to the collector, or to its `exact`."""


def valid_sizes(propagate: Propagate, axes: Sequence[str]) -> Legal:
    """Return the sizes that a network accepts on the axes of these names.

    `propagate(sizes, check)` takes them through the network and hands every condition to `check(value, error)`,
    or to `check.exact(value, error)` if it is one of exactness.

    >>> from convcalc.arithmetic.formulas import conv_transpose_out, pool_out
    >>> from convcalc.layers.base import must_equal
    >>> from convcalc.errors import BadShape
    >>> def padded_unet(sizes, check):
    ...     n = sizes["n"]
    ...     small = pool_out(pool_out(n, 2, check=check), 2, check=check)
    ...     wide = conv_transpose_out(conv_transpose_out(small, 2, 2, check=check), 2, 2, check=check)
    ...     must_equal(wide, n, check, lambda at: BadShape(f"skip has {at(n)} rows, not {at(wide)}"))
    >>> v = valid_sizes(padded_unet, ["n"])
    >>> print(v)
    runs           n >= 4 and n % 4 == 0
    loses no rows  n >= 4 and n % 4 == 0
    proved         for all sizes
    >>> v.why_not(18).sentence
    'skip has 18 rows, not 16'
    """
    collected = Collector()
    try:
        propagate({axis: Expr.symbol(axis) for axis in axes}, collected)
    except Refused as refusal:
        if collected.impossible is None:
            try:
                return _observed_by_running(propagate, axes)
            except Refused:  # refused whatever the sizes: say so of the names
                raise refusal from None
    return decide(collected.conditions, axes)


def _observed_by_running(propagate: Propagate, axes: Sequence[str]) -> Legal:
    """Try a window of sizes as arrays, where symbols do not get through.

    Then a layer has no formula. Raises `Refused` where arrays do not get through either.
    """
    collected = Collector()
    propagate(dict(zip(axes, np.ix_(*[np.arange(_window(len(axes)))] * len(axes)), strict=True)), collected)
    conditions = _runs_first(collected.conditions)

    def ask(sizes: Mapping[str, int]) -> Legal:
        found = Collector()
        try:
            propagate(sizes, found)
        except Refused:
            if found.impossible is None:
                raise
        return _alone(axes, sizes, found.conditions)

    return _legal(_observed(axes, conditions), axes, conditions, ask)


# -- deciding ----------------------------------------------------------------------------------------------------


def decide(conditions: Iterable[Condition], axes: Sequence[str]) -> Legal:
    """Return the sizes of `axes` at which all conditions hold.

    >>> n = Expr.symbol("n")
    >>> from convcalc.errors import NoOutput
    >>> decide([Condition(n - 188, lambda at: NoOutput("too small"))], ["n"]).runs.lines()
    ['n >= 188']
    """
    ordered = untied(_runs_first(conditions), axes)
    parts = [_proved(*group) or _observed(*group) for group in _groups(ordered, axes)]
    found = _together(parts, axes, ordered)
    return _legal(found, axes, ordered, lambda sizes: _alone(axes, sizes, ordered))


def decided(conditions: Iterable[Condition], axes: Sequence[str]) -> Decided | None:
    """Return as `decide` what is proved of conditions; None where that is not decided for all sizes.

    >>> from convcalc.errors import BadShape
    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> refuse = lambda at: BadShape("no")
    >>> decided([Condition(H - 5, refuse)], ["H", "W"]).runs.lines(), decided([Condition(H - W, refuse)], ["H", "W"])
    (['H >= 5, every W'], None)
    """
    ordered = untied(_runs_first(conditions), axes)
    parts = []
    for group in _groups(ordered, axes):
        part = _proved(*group)
        if part is None:
            return None
        parts.append(part)
    return _together(parts, axes, ordered)


def _runs_first(conditions: Iterable[Condition]) -> list[Condition]:
    return sorted(conditions, key=lambda condition: condition.kind != "runs")


def _groups(conditions: Sequence[Condition], axes: Sequence[str]) -> list[tuple[list[str], list[Condition]]]:
    """The axes in groups that conditions tie together, and the conditions on them."""
    groups = [{axis} for axis in axes]
    for tied in {condition.axes for condition in conditions}:
        touched = [group for group in groups if group & tied]
        groups = [group for group in groups if group not in touched] + [set().union(*touched)] * bool(touched)
    ordered = sorted([axis for axis in axes if axis in group] for group in groups)
    return [(group, [one for one in conditions if one.axes & set(group)]) for group in ordered]


def _proved(axes: Sequence[str], conditions: Sequence[Condition]) -> Decided | None:
    """The answer for axes that are tied together; None where it is not decided."""
    found = [sieve([one for one in conditions if one.axes == {axis}], axis) for axis in axes]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    alone = reduce(mul, known)
    tying = [one for one in conditions if len(one.axes) > 1]
    if not tying:
        return alone
    to_run = [one for one in tying if one.kind == "runs"]
    runs = solve(to_run, {axis: one.runs[axis] for axis, one in zip(axes, known, strict=True)})
    if runs is None:
        return None
    if len(to_run) == len(tying):  # nothing more ties them
        return Decided(runs.boxes, runs.boxes & alone.exact, (*alone.refused, *runs.refused))
    exact = solve(tying, {axis: one.exact[axis] for axis, one in zip(axes, known, strict=True)})
    if exact is None:
        return None
    later = [one for one in exact.refused if one.condition.kind == "exact"]
    return Decided(runs.boxes, exact.boxes, (*alone.refused, *runs.refused, *later))


def _observed(axes: Sequence[str], conditions: Sequence[Condition]) -> Decided:
    """Try a window of sizes, from those on at which each axis may start.

    What an axis refuses alone is known; of the rest nothing is.
    """
    own = [sieve([one for one in conditions if one.axes == {axis}], axis) for axis in axes]
    fits = [every() if one is None else one.runs[axis] for axis, one in zip(axes, own, strict=True)]
    tried = [range(one.smallest or 0, (one.smallest or 0) + _window(len(axes))) for one in fits]
    classes = [[only([n]) for n in some] for some in tried]
    exact = grid(axes, classes, conditions)
    return Decided(
        runs=grid(axes, classes, [one for one in conditions if one.kind == "runs"]).boxes,
        exact=exact.boxes,
        refused=exact.refused,
        window={axis: some.stop for axis, some in zip(axes, tried, strict=True)},
        unknown=Boxes(tuple(axes), (tuple(fits),)) - Boxes(tuple(axes), (tuple(map(only, tried)),)),
    )


def _window(axes: int) -> int:
    """How many sizes of each axis are tried where nothing is proved: 4096, 1024 by 1024, 101 by 101 by 101, ..."""
    return 4096 if axes == 1 else int(2 ** (20 / axes))


def _together(parts: Sequence[Decided], axes: Sequence[str], conditions: Sequence[Condition]) -> Decided:
    """What is known of all axes; what depends on none is false, and refuses all."""
    always, never = Boxes((), ((),)), Boxes((), ())
    false = [one for one in conditions if not one.axes]
    runs = never if any(one.kind == "runs" for one in false) else always
    whatever = Decided(runs, never if false else always, tuple(Refusal(one, None, {}) for one in false[:1]))
    found = reduce(mul, parts, whatever)
    place = {condition: number for number, condition in enumerate(conditions)}
    return replace(
        found,
        runs=found.runs.ordered(axes),
        exact=found.exact.ordered(axes),
        unknown=found.unknown.ordered(axes),
        refused=tuple(sorted(found.refused, key=lambda one: place[one.condition])),
    )


def _alone(axes: Sequence[str], sizes: Mapping[str, int], conditions: Sequence[Condition]) -> Legal:
    """What conditions say of one size."""
    at = reader_at(axes, sizes)
    kinds = {one.kind for one in conditions if at(one.value) < 0}
    way = Way(conditions=tuple(conditions))
    return one_size(axes, sizes, runs="runs" not in kinds, exact=not kinds, reasons=(), ways=(way,))


def _legal(
    found: Decided, axes: Sequence[str], conditions: Sequence[Condition], ask: Callable[[Mapping[str, int]], Legal]
) -> Legal:
    return Legal(
        axes=tuple(axes),
        runs=found.runs,
        exact=found.exact,
        proved=not found.window,
        window=found.window or None,
        reasons=tuple(reason_for(refusal, axes, found.runs) for refusal in found.refused),
        ways=(Way(conditions=tuple(conditions)),),
        unknown=found.unknown,
        ask=ask,
    )
