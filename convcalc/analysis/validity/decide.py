"""Which input sizes a network accepts, for all sizes at once.

*runs*: no condition of any layer fails. *exact*: also no window drops a row and every crop is symmetric
(`arithmetic.exactness`). The conditions are collected from one propagation of symbols; those on one axis go through
`one_axis`, those that tie axes together through `tied_axes`. What neither decides is tried over a
stated window, and then the answer is not called proved. The theorem and its proof: docs/legal-sizes.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import mul
from typing import TypeAlias

import numpy as np

from convcalc.analysis.validity.conditions import Collector, Condition, Refusal
from convcalc.analysis.validity.exporting import Inner
from convcalc.analysis.validity.legal import Legal, Way, one_size, reader_at, reason_for
from convcalc.analysis.validity.one_axis import sieve
from convcalc.analysis.validity.padded import Sides, check_exact, rows_of_padding
from convcalc.analysis.validity.rounding import Rounding
from convcalc.analysis.validity.tied_axes import Solved, grid, solve
from convcalc.analysis.validity.untied import untied
from convcalc.errors import BadArgument, ConvcalcError, Refused
from convcalc.layers import Layer, Shape
from convcalc.network.node import Node
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.conditions import Check, Reader
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.sizes.size import Size

Propagate: TypeAlias = Callable[[Shape, Collector], object]
"""Takes a shape through a network and hands every condition to the collector, or to its `exact`."""


def valid_sizes(propagate: Propagate, input_shape: Sequence[int | str]) -> Legal:
    """Return the sizes that a network accepts, for the axes of `input_shape` that are given by a name.

    `propagate(shape, check)` takes the shape through the network and hands every condition to `check(value, error)`,
    or to `check.exact(value, error)` if it is one of exactness. The same name twice means the same size. Raises
    `BadArgument` where no axis has a name.

    >>> from convcalc.arithmetic.formulas import conv_transpose_out, pool_out
    >>> from convcalc.layers.base import must_equal
    >>> from convcalc.errors import BadShape
    >>> def padded_unet(shape, check):
    ...     small = pool_out(pool_out(shape[-1], 2, check=check), 2, check=check)
    ...     wide = conv_transpose_out(conv_transpose_out(small, 2, 2, check=check), 2, 2, check=check)
    ...     must_equal(wide, shape[-1], check, lambda at: BadShape(f"skip has {at(shape[-1])} rows, not {at(wide)}"))
    >>> v = valid_sizes(padded_unet, (1, 1, "n"))
    >>> print(v)
    runs           n >= 4 and n % 4 == 0
    loses no rows  n >= 4 and n % 4 == 0
    proved         for all sizes
    >>> v.why_not(18).sentence
    'skip has 18 rows, not 16'
    """
    axes = tuple(dict.fromkeys(size for size in input_shape if isinstance(size, str)))
    if not axes:
        raise BadArgument(f"give an axis a name to ask which sizes it may have: {tuple(input_shape)}, such as 'n'")
    collected = Collector()
    try:
        propagate(_shape(input_shape, {axis: Expr.symbol(axis) for axis in axes}), collected)
    except Refused as refusal:
        if collected.impossible is None:
            try:
                return _observed_by_running(propagate, input_shape, axes)
            except Refused:  # refused whatever the sizes: say so of the names
                raise refusal from None
    return decide(collected.conditions, axes)


def valid_sizes_of_chain(layers: Sequence[Layer], input_shape: Sequence[int | str]) -> Legal:
    """Return the sizes that layers one after another accept; layers are named by op and count, from 1.

    >>> from convcalc.network.stack import read_stack
    >>> print(valid_sizes_of_chain(read_stack("conv 64 k7 s2 p3; maxpool k2 s2"), (1, 3, "H", "W")).runs)
    H >= 3, W >= 3
    """
    inner, rounding = Inner(), Rounding()

    def propagate(shape: Shape, check: Collector) -> None:
        counted: Counter[str] = Counter()
        padding, before = dict[str, Sides](), "input"
        for layer in layers:
            counted[layer.op] += 1
            name = f"{layer.op}{counted[layer.op]}"
            node = Node(name, layer, before)
            check_exact(node, (shape,), padding, named(name, check.exact))
            padding |= rows_of_padding(node, (shape,), padding)
            before = name
            before_it = shape
            try:
                rounding.note(layer, [shape])
                shape = layer.out_shape(shape, check=named(name, check))
                inner.note(node, [before_it], [shape])
            except ConvcalcError as error:
                raise (error if error.place == name else error.at(name)) from None

    return replace(with_export(valid_sizes(propagate, input_shape), inner), up_to=rounding.up_to)


def with_export(legal: Legal, inner: Inner) -> Legal:
    """Return legal sizes that are proved with those of them that `torch.export` takes, as all go one way.

    >>> from convcalc.layers import Conv, MaxPool
    >>> print(valid_sizes_of_chain([Conv(8, 3), MaxPool(2)], (1, 3, "H", 32)).export)
    H >= 6
    """
    way = legal.ways[0]
    runs = [one for one in (*way.path, *way.conditions) if one.kind == "runs"]
    found = decided([*runs, *inner.conditions()], legal.axes) if legal.proved and inner.is_clear else None
    return legal if found is None else replace(legal, export=found.runs)


def named(node: str, check: Check) -> Check:
    """Return `check` with every refusal named after the node that it comes from."""

    def check_here(value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        check(value, lambda at: error(at).at(node))

    return check_here


# -- deciding ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """The answer for axes that do not depend on the others."""

    runs: Boxes
    exact: Boxes
    refused: tuple[Refusal, ...]
    window: Mapping[str, int] = field(default_factory=dict)
    unknown: Boxes | None = None
    """The sizes of which nothing is known, where there are any."""


def decide(conditions: Iterable[Condition], axes: Sequence[str]) -> Legal:
    """Return the sizes of `axes` at which all conditions hold.

    >>> n = Expr.symbol("n")
    >>> from convcalc.errors import NoOutput
    >>> decide([Condition(n - 188, lambda at: NoOutput("too small"))], ["n"]).runs.lines()
    ['n >= 188']
    """
    ordered = untied(_ordered(conditions), axes)
    parts = [_part(*group) or _observed(*group) for group in _groups(ordered, axes)]
    return _legal(axes, ordered, [_never([one for one in ordered if not one.axes]), *parts])


@dataclass(frozen=True)
class Decided:
    """What is proved of conditions: the sizes at which they hold, and what each refuses first."""

    runs: Boxes
    exact: Boxes
    refused: tuple[Refusal, ...]


def decided(conditions: Iterable[Condition], axes: Sequence[str]) -> Decided | None:
    """Return as `decide` what is proved of conditions; None where that is not decided for all sizes.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> refuse = lambda at: BadArgument("no")
    >>> decided([Condition(H - 5, refuse)], ["H", "W"]).runs.lines(), decided([Condition(H - W, refuse)], ["H", "W"])
    (['H >= 5, every W'], None)
    """
    ordered = untied(_ordered(conditions), axes)
    parts = [_never([one for one in ordered if not one.axes])]
    for group in _groups(ordered, axes):
        part = _part(*group)
        if part is None:
            return None
        parts.append(part)
    runs, exact, refused = _united(parts, axes, ordered)
    return Decided(runs, exact, refused)


def _ordered(conditions: Iterable[Condition]) -> list[Condition]:
    return sorted(conditions, key=lambda condition: condition.kind != "runs")


def _groups(ordered: Sequence[Condition], axes: Sequence[str]) -> list[tuple[list[str], list[Condition]]]:
    """Axes that are tied together, and the conditions on them."""
    groups = _coupled(ordered, axes)
    return [(group, [one for one in ordered if one.axes & set(group)]) for group in groups]


def _never(conditions: Sequence[Condition]) -> _Part:
    """The answer under conditions that depend on no axis, all of them false."""
    every, none = Boxes((), ((),)), Boxes((), ())
    runs = none if any(one.kind == "runs" for one in conditions) else every
    return _Part(runs, none if conditions else every, tuple(Refusal(one, None, {}) for one in conditions[:1]))


def _coupled(conditions: Iterable[Condition], axes: Sequence[str]) -> list[list[str]]:
    """The axes in groups that conditions tie together."""
    groups = [{axis} for axis in axes]
    for tied in {condition.axes for condition in conditions}:
        touched = [group for group in groups if group & tied]
        groups = [group for group in groups if group not in touched] + [set().union(*touched)] * bool(touched)
    return sorted([axis for axis in axes if axis in group] for group in groups)


def _part(axes: Sequence[str], conditions: Sequence[Condition]) -> _Part | None:
    """The answer for axes that are tied together; None where it is not decided."""
    own = {axis: sieve([one for one in conditions if one.axes == {axis}], axis) for axis in axes}
    known = {axis: found for axis, found in own.items() if found is not None}
    tying = [one for one in conditions if len(one.axes) > 1]
    if len(known) == len(own):
        runs = _solved([one for one in tying if one.kind == "runs"], {axis: one.runs for axis, one in known.items()})
        exact = _solved(tying, {axis: one.exact for axis, one in known.items()}, runs)
        if runs is not None and exact is not None:
            later = [one for one in exact.refused if one.condition.kind == "exact"]
            refused = [refusal for found in known.values() for refusal in found.refused]
            return _Part(runs.boxes, exact.boxes, (*refused, *runs.refused, *later))
    return None


def _solved(tying: Sequence[Condition], domains: Mapping[str, SizeSet], runs: Solved | None = None) -> Solved | None:
    """Solve what ties axes together; where what `runs` is known and nothing more ties them, cut that down."""
    whole = Boxes(tuple(domains), (tuple(domains.values()),))
    if not tying:
        return Solved(whole, ())
    if runs is not None and all(one.kind == "runs" for one in tying):
        return Solved(runs.boxes & whole, ())
    return solve(tying, domains)


def _observed(axes: Sequence[str], conditions: Sequence[Condition]) -> _Part:
    """Try a window of sizes, from those on at which each axis may start."""
    own = {axis: sieve([one for one in conditions if one.axes == {axis}], axis) for axis in axes}
    fits = {axis: every() if found is None else found.runs for axis, found in own.items()}
    return _tried(conditions, {axis: one.smallest or 0 for axis, one in fits.items()}, fits)


def _tried(conditions: Sequence[Condition], starts: Mapping[str, int], fits: Mapping[str, SizeSet]) -> _Part:
    """Try a window of sizes; what an axis refuses alone, `fits` leaves out, and of the rest nothing is known."""
    classes = [[only([n]) for n in range(start, start + _window(len(starts)))] for start in starts.values()]
    runs = grid(tuple(starts), classes, [one for one in conditions if one.kind == "runs"])
    exact = grid(tuple(starts), classes, conditions)
    ends = {axis: start + _window(len(starts)) for axis, start in starts.items()}
    window = tuple(only(range(start, ends[axis])) for axis, start in starts.items())
    rest = Boxes(tuple(starts), (tuple(fits.values()),)) - Boxes(tuple(starts), (window,))
    return _Part(runs.boxes, exact.boxes, exact.refused, ends, rest)


def _window(axes: int) -> int:
    """How many sizes of each axis are tried where nothing is proved: 4096, 1024 by 1024, 101 by 101 by 101, ..."""
    return 4096 if axes == 1 else int(2 ** (20 / axes))


def _observed_by_running(propagate: Propagate, shape: Sequence[int | str], axes: Sequence[str]) -> Legal:
    """Try a window of sizes as arrays, where symbols do not get through.

    Then a layer has no formula. Raises `Refused` where arrays do not get through either.
    """
    sizes = dict(zip(axes, np.ix_(*[np.arange(_window(len(axes)))] * len(axes)), strict=True))
    collected = Collector()
    propagate(_shape(shape, sizes), collected)
    ordered = sorted(collected.conditions, key=lambda condition: condition.kind != "runs")
    tried = _tried(ordered, dict.fromkeys(axes, 0), dict.fromkeys(axes, every()))

    def ask(sizes: Mapping[str, int]) -> Legal:
        found = Collector()
        try:
            propagate(_shape(shape, sizes), found)
        except Refused:
            if found.impossible is None:
                raise
        return _alone(axes, sizes, found.conditions)

    return _legal(axes, ordered, [tried], ask)


def _unknown(parts: Sequence[_Part]) -> Boxes:
    """The sizes of which nothing is known: on some part, while no other part refuses."""
    runs, unknown = Boxes((), ((),)), Boxes((), ())
    for part in parts:
        rest = Boxes(part.runs.axes, ()) if part.unknown is None else part.unknown
        some = Boxes(part.runs.axes, (*part.runs.boxes, *rest.boxes))
        unknown = Boxes((*runs.axes, *part.runs.axes), ((unknown * some).boxes + (runs * rest).boxes))
        runs = runs * part.runs
    return unknown


def _alone(axes: Sequence[str], sizes: Mapping[str, int], conditions: Sequence[Condition]) -> Legal:
    """What conditions say of one size."""
    at = reader_at(axes, sizes)
    kinds = {one.kind for one in conditions if at(one.value) < 0}
    way = Way(conditions=tuple(conditions))
    return one_size(axes, sizes, runs="runs" not in kinds, exact=not kinds, reasons=(), ways=(way,))


def _shape(shape: Sequence[int | str], sizes: Mapping[str, Size]) -> Shape:
    return tuple(sizes[size] if isinstance(size, str) else size for size in shape)


def _united(
    parts: Sequence[_Part], axes: Sequence[str], conditions: Sequence[Condition]
) -> tuple[Boxes, Boxes, tuple[Refusal, ...]]:
    """What runs, what is exact, and what is refused in the order of the conditions, of all axes together."""
    place = {condition: number for number, condition in enumerate(conditions)}
    runs, exact = (
        reduce(mul, boxes).ordered(axes) for boxes in zip(*((one.runs, one.exact) for one in parts), strict=True)
    )
    refused = sorted((one for part in parts for one in part.refused), key=lambda one: place[one.condition])
    return runs, exact, tuple(refused)


def _legal(
    axes: Sequence[str],
    conditions: Sequence[Condition],
    parts: Sequence[_Part],
    ask: Callable[[Mapping[str, int]], Legal] | None = None,
) -> Legal:
    runs, exact, refused = _united(parts, axes, conditions)
    window = {axis: end for part in parts for axis, end in part.window.items()}
    return Legal(
        axes=tuple(axes),
        runs=runs,
        exact=exact,
        proved=not window,
        window=window or None,
        reasons=tuple(reason_for(refusal, axes, runs) for refusal in refused),
        ways=(Way(conditions=tuple(conditions)),),
        unknown=_unknown(parts).ordered(axes),
        ask=ask or (lambda sizes: _alone(axes, sizes, conditions)),
    )
