"""One way that a captured model goes: the sizes that lead there, and which of them it accepts.

A model that compares sizes is several networks. One capture shows one of them: the comparisons on its path bound the
region of sizes where it is this one, and there the conditions of its layers decide. What a capture cannot tell of a
whole region (a call without a formula, a size that lost its formula) it tells of the one size it was made at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from convcalc.analysis.validity.conditions import Collector, Condition
from convcalc.analysis.validity.decide import decided
from convcalc.analysis.validity.exporting import Inner
from convcalc.analysis.validity.joins import passed_over
from convcalc.analysis.validity.legal import Reason, Way, raised, reader_at, reason_for
from convcalc.analysis.validity.ties import read_off
from convcalc.analysis.validity.walk import Walk
from convcalc.errors import BadShape, ConvcalcError, Refused, Unknown
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.shapes import node_formulas, shape_at
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Reader
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import every, only
from convcalc.sizes.size import Size

Ends: TypeAlias = Literal["runs", "refused", "open"]
"""How a walk ends: with the outputs, for sure without them, or where nothing is known of what follows."""


@dataclass(frozen=True)
class Seen:
    """What one capture tells: `known` are the sizes whose answer it gives, `runs` and `exact` those it accepts."""

    known: Boxes
    runs: Boxes
    exact: Boxes
    reasons: tuple[Reason, ...]
    ways: tuple[Way, ...]
    error: ConvcalcError | None = None
    inner: Inner | None = None
    """What an exporter looks at on a way that runs."""

    @property
    def is_way(self) -> bool:
        """Whether it tells of more than the one size it was made at."""
        return any(way.only_at is None for way in self.ways)


def see(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str], sizes: Mapping[str, int]) -> Seen:
    """Return what a graph captured at `sizes` tells, where `shapes` are the input shapes with `axes` as symbols.

    >>> from convcalc.network.node import Node
    >>> from convcalc.layers import Conv
    >>> H = Expr.symbol("H")
    >>> from convcalc.network.capture import Capture
    >>> capture = Capture(letters=((1, 3, H),), path=(Branch(H % 2, "==", 0),))
    >>> graph = Graph([Node("conv", Conv(8, 3))], capture=capture)
    >>> seen = see(graph, {"input": (1, 3, H)}, ["H"], {"H": 8})
    >>> seen.known.lines(), seen.runs.lines()
    (['H >= 2 and H % 2 == 0'], ['H >= 4 and H % 2 == 0'])
    """
    alone = partial(see_one_size, graph, shapes, axes, sizes)
    if graph.capture is not None and graph.capture.any_number is not None:
        graph = graph.capture.any_number
    if path_of(graph, shapes) is None:
        return alone()
    collected = Collector()
    walk = Walk(shapes, collected, Inner())
    try:
        ends = walk_through(graph.at(shapes), walk)
    except Refused as refusal:  # whatever the sizes, if the model was here for the same reason
        if _raised(graph) is None or not _refuses_alike(graph, shapes, sizes, refusal):
            return alone()
        ends = "refused"
    except ConvcalcError:  # at these symbols; on numbers it says more
        return alone()
    path = path_of(graph, shapes, _passed_over(graph, shapes, walk)) or []
    region = decided([*from_one(axes), *path], axes)
    found = decided([*path, *collected.conditions] if region else [*collected.conditions, *path], axes)
    if found is None:
        return alone()
    own = [one for one in found.refused if (one.condition.part_of or one.condition) not in path]
    own = own if region else []  # they may be refused on another way
    region = region or found  # a comparison may make sense only where all before it runs
    nothing = Boxes(tuple(axes), ())
    fits = found.runs if region.runs and collected.impossible is None else nothing
    reasons = [reason_for(one, axes, found.runs or region.runs) for one in own]
    error = _raised(graph) if ends == "refused" and collected.impossible is None else None
    way = Way(tuple(path), tuple(collected.conditions), error)
    if ends == "open":
        here = alone()
        known = (region.runs - fits) | here.known
        return replace(here, known=known, reasons=(*reasons, *here.reasons), ways=(*here.ways, way))
    if error is not None and fits:  # said of the axes that matter to it
        told = [axis for axis in axes if fits[axis] != every()] or list(axes)
        reasons.append(raised(error, told, fits[told[0]] if len(told) == 1 else None, sizes))
    runs, exact = (nothing, nothing) if ends == "refused" else (fits, found.exact)
    ended = None if graph.capture is None else graph.capture.error
    return Seen(region.runs, runs, exact, tuple(reasons), (way,), ended, walk.inner)


def _refuses_alike(graph: Graph, shapes: Mapping[str, Shape], sizes: Mapping[str, int], refusal: ConvcalcError) -> bool:
    """Whether numbers are refused where letters were: a layer without a formula refuses letters alone."""
    numbers = {name: shape_at(shape, sizes) for name, shape in shapes.items()}
    try:
        walk_through(graph.at(numbers), Walk(numbers, Collector()))
    except ConvcalcError as there:
        return type(there) is type(refusal) and there.place == refusal.place
    return False


def _passed_over(graph: Graph, shapes: Mapping[str, Shape], walk: Walk) -> frozenset[Branch]:
    """The comparisons on the path that do not matter: see `analysis.validity.joins`."""
    if graph.capture is None or not any(join.changes is not None for join in graph.capture.joins):
        return frozenset()
    values = letters_of(graph, shapes) or {}
    return passed_over(
        graph.capture.joins,
        path=lambda gone: path_of(graph, shapes, gone) or [],
        walk=walk,
        put=lambda size: size(**values) if isinstance(size, Expr) else size,
    )


def walk_through(graph: Graph, walk: Walk) -> Ends:
    """Take shapes through a graph, and through the call that refused when it was captured; how it ends.

    Raises what a layer refuses whatever the sizes.
    """
    capture, check = graph.capture, walk.check
    inputs = [walk.known[name] for name in graph.inputs]
    refused = None if capture is None else capture.refused
    cuts = {node.name: node.layer.cut_axes() for node in graph.with_formulas if node.layer.depends_on_sizes}
    try:
        for node in (*graph, *([refused] if refused else ())):
            walk.through(node, node_formulas, cuts.get(node.name, ()))
    except Unknown:
        return "open"
    except Refused:
        if check.impossible is not None:
            return "refused"
        raise
    for size in {str(size): size for shape in inputs for size in shape if isinstance(size, Expr)}.values():
        check(size - 1, lambda at, size=size: BadShape(f"a size is at least 1: {size} is {at(size)}"))  # type: ignore[misc]
    if capture is None or capture.error is None:
        return "runs"
    return "refused" if capture.raised else "open"


def see_one_size(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str], sizes: Mapping[str, int]) -> Seen:
    """Return what a graph captured at `sizes` tells of these sizes alone: nothing where the run ended undecided.

    >>> from convcalc.network.node import Node
    >>> from convcalc.layers import Conv
    >>> graph = Graph([Node("conv", Conv(8, 3))])
    >>> see_one_size(graph, {"input": (1, 3, Expr.symbol("H"))}, ["H"], {"H": 8}).runs.lines()
    ['H is 8']
    """
    numbers = {name: shape_at(shape, sizes) for name, shape in shapes.items()}
    collected, error = Collector(), _raised(graph)
    try:
        walk_through(graph.at(numbers), Walk(numbers, collected))
    except ConvcalcError as refusal:
        error = refusal
    if collected.impossible is not None:
        error = collected.impossible.error(reader_at(axes, sizes))
    nothing = Boxes(tuple(axes), ())
    point = Boxes(tuple(axes), (tuple(only([sizes[axis]]) for axis in axes),))
    alone = only([sizes[axes[0]]]) if len(axes) == 1 else None
    return Seen(
        known=nothing if isinstance(error, Unknown) else point,
        runs=point if error is None else nothing,
        exact=point if error is None and not collected.conditions else nothing,
        reasons=() if error is None else (raised(error, axes, alone, sizes),),
        ways=(Way((), () if error else tuple(collected.conditions), error, dict(sizes)),),
        error=error,
    )


def from_one(axes: Sequence[str]) -> list[Condition]:
    """Sizes are at least 1."""
    return [Condition(Expr.symbol(axis) - 1, partial(_another, f"{axis} >= 1")) for axis in axes]


def path_of(
    graph: Graph, shapes: Mapping[str, Shape], without: frozenset[Branch] = frozenset()
) -> list[Condition] | None:
    """Return the conditions under which a graph is this one, its input shapes being `shapes`; None where unknown.

    Those of the branches `without` are left out.

    >>> path_of(Graph([]), {"input": (1, 3, Expr.symbol("H"))})
    []
    """
    capture = graph.capture
    if capture is None:
        return []
    values = letters_of(graph, shapes)
    if values is None or capture.lost or not all(branch.is_known for branch in capture.path):
        return None
    collected = Collector()
    for branch in capture.path:
        for value in () if branch in without else branch.values:
            collected(value(**values) if isinstance(value, Expr) else value, partial(_another, str(branch)))
    return collected.conditions


def letters_of(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, Size] | None:
    """Return what the letters of a capture are called in the question; None where they are not these.

    >>> from convcalc.network.capture import Capture
    >>> graph = Graph([], capture=Capture(letters=((1, 3, Expr.symbol("H")),)))
    >>> letters_of(graph, {"input": (1, 3, Expr.symbol("N"))})
    {'H': N}
    """
    letters = () if graph.capture is None else graph.capture.letters
    return read_off(letters, [shapes[name] for name in graph.inputs]) if letters else {}


def _another(branch: str, _: Reader) -> ConvcalcError:
    return Refused(f"the model takes another way where not {branch}", rule=branch)


def _raised(graph: Graph) -> ConvcalcError | None:
    """What ended the run, with the comparison before it where the model itself raised."""
    capture = graph.capture
    if capture is None or capture.error is None or not (capture.raised and capture.path):
        return None if capture is None else capture.error
    error, last = capture.error, capture.path[-1]
    where = f", {Path(last.source).name}" if last.source else ""
    seen = " and ".join("x".join(map(str, shape)) for shape in graph.example or ())
    told = type(error)(f"{error.message} (where {last}{where}; seen at {seen})", rule=error.rule, fixes=error.fixes)
    told.place = error.place
    return told


def merged(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return reasons without those that say of the same sizes the same: ways often share their beginning."""
    found: dict[object, Reason] = {}
    for one in reasons:
        found.setdefault((one.kind, one.node, one.axes, one.sizes, None if one.sizes else one.sentence), one)
    return tuple(found.values())
