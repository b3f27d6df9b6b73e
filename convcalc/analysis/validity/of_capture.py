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
from convcalc.analysis.validity.decide import decided, named
from convcalc.analysis.validity.exporting import Inner
from convcalc.analysis.validity.joins import passed_over
from convcalc.analysis.validity.legal import Reason, Way, raised, reader_at, reason_for
from convcalc.analysis.validity.padded import Sides, check_exact, rows_of_padding
from convcalc.arithmetic.exactness import check_even_cut
from convcalc.errors import BadShape, ConvcalcError, Refused, Unknown
from convcalc.layers.base import Shape
from convcalc.network.capture import Capture
from convcalc.network.graph import Graph
from convcalc.network.shapes import node_formulas
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
    is_way: bool
    """Whether it tells of more than the one size it was made at."""
    inner: Inner | None = None
    """What an exporter looks at on a way that runs."""
    error: ConvcalcError | None = None


def see(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str], sizes: Mapping[str, int]) -> Seen:
    """Return what a graph captured at `sizes` tells, where `shapes` are the input shapes with `axes` as symbols.

    >>> from convcalc.sizes.branch import Branch
    >>> from convcalc.network.node import Node
    >>> from convcalc.layers import Conv
    >>> H = Expr.symbol("H")
    >>> capture = Capture(letters=((1, 3, H),), path=(Branch(H % 2, "==", 0),))
    >>> graph = Graph([Node("conv", Conv(8, 3))], capture=capture)
    >>> seen = see(graph, {"input": (1, 3, H)}, ["H"], {"H": 8})
    >>> seen.known.lines(), seen.runs.lines()
    (['H >= 2 and H % 2 == 0'], ['H >= 4 and H % 2 == 0'])
    """
    here = see_one_size(graph, shapes, axes, sizes)
    if graph.capture is not None and graph.capture.any_number is not None:
        graph = graph.capture.any_number
    if path_of(graph, shapes) is None:
        return here
    collected, marks, inner = Collector(), dict[str, int](), Inner()
    try:
        ends = walk(graph.at(shapes), shapes, collected, marks, inner)
    except Refused as refusal:  # whatever the sizes, if the model was here for the same reason
        if _raised(graph) is None or not _refuses_alike(graph, shapes, sizes, refusal):
            return here
        ends = "refused"
    except ConvcalcError:  # at these symbols; on numbers it says more
        return here
    path = path_of(graph, shapes, _passed_over(graph, shapes, collected.conditions, marks)) or []
    region = decided([*from_one(axes), *path], axes)
    found = decided([*path, *collected.conditions] if region else [*collected.conditions, *path], axes)
    if found is None:
        return here
    region = region or found  # a comparison may make sense only where all before it runs
    fits = found.runs if region.runs and collected.impossible is None else Boxes(tuple(axes), ())
    error = _raised(graph) if ends == "refused" and collected.impossible is None else None
    own = [one for one in found.refused if (one.condition.part_of or one.condition) not in path]
    own = own if region is not found else []  # they may be refused on another way
    reasons = [reason_for(one, axes, found.runs or region.runs) for one in own]
    way = Way(tuple(path), tuple(collected.conditions), error)
    if ends == "open":
        return Seen(
            known=(region.runs - fits) | here.known,
            runs=here.runs,
            exact=here.exact,
            reasons=(*reasons, *here.reasons),
            ways=(*here.ways, way),
            is_way=True,
            error=here.error,
        )
    nothing = Boxes(tuple(axes), ())
    if error is not None and fits:
        reasons.append(_reason(error, axes, fits, sizes))
    return Seen(
        known=region.runs,
        runs=nothing if ends == "refused" else fits,
        exact=nothing if ends == "refused" else found.exact,
        reasons=tuple(reasons),
        ways=(way,),
        is_way=True,
        error=None if graph.capture is None else graph.capture.error,
        inner=inner,
    )


def _refuses_alike(graph: Graph, shapes: Mapping[str, Shape], sizes: Mapping[str, int], refusal: ConvcalcError) -> bool:
    """Whether numbers are refused where letters were: a layer without a formula refuses letters alone."""
    numbers = {name: _put(shape, sizes) for name, shape in shapes.items()}
    try:
        walk(graph.at(numbers), numbers, Collector())
    except Refused as there:
        return type(there) is type(refusal) and there.place == refusal.place
    except ConvcalcError:
        return False
    return False


def _passed_over(
    graph: Graph, shapes: Mapping[str, Shape], conditions: Sequence[Condition], marks: Mapping[str, int]
) -> frozenset[Branch]:
    """The comparisons on the path that do not matter: see `analysis.validity.joins`."""
    capture = graph.capture
    if capture is None or not any(join.changes is not None for join in capture.joins):
        return frozenset()
    names, ends = [*marks], [*marks.values(), len(conditions)][1:]
    between = {name: conditions[marks[name] : end] for name, end in zip(names, ends, strict=True)}
    values = letters_of(graph, capture, shapes) or {}
    return passed_over(
        capture.joins,
        path=lambda gone: path_of(graph, shapes, gone) or [],
        between=between,
        before=lambda name: [one for one in conditions[: marks.get(name, 0)] if one.kind == "runs"],
        put=lambda size: _in(size, values),
    )


def walk(
    graph: Graph,
    shapes: Mapping[str, Shape],
    check: Collector,
    marks: dict[str, int] | None = None,
    inner: Inner | None = None,
) -> Ends:
    """Take shapes through a graph, and through the call that refused when it was captured; how it ends.

    Every condition goes to `check`; `marks` keeps how many there were before each node. Raises what a layer refuses
    whatever the sizes.
    """
    known, padding = dict(shapes), dict[str, Sides]()
    capture = graph.capture
    refused = None if capture is None else capture.refused
    cuts = {node.name: node.layer.cut_axes() for node in graph.with_formulas if node.layer.depends_on_sizes}
    for node in (*graph, *([refused] if refused else ())):
        inputs = tuple(known[name] for name in node.inputs)
        if marks is not None:
            marks[node.name] = len(check.conditions)
        try:
            check_exact(node, inputs, padding, named(node.name, check.exact))
            padding |= rows_of_padding(node, inputs, padding)
            for axis in cuts.get(node.name, ()):
                check_even_cut(*node.layer.cut(inputs[0], axis), check=named(node.name, check.exact))
            known |= node_formulas(node, known, check)
            if inner is not None:
                inner.note(node, inputs, [known[name] for name in node.outputs])
        except Unknown:
            return "open"
        except Refused:
            if check.impossible is not None:
                return "refused"
            raise
        except ConvcalcError as error:
            raise error.at(node.name) from None
    for size in {str(size): size for shape in shapes.values() for size in shape if isinstance(size, Expr)}.values():
        check(size - 1, lambda at, size=size: BadShape(f"a size is at least 1: {size} is {at(size)}"))  # type: ignore[misc]
    if capture is None or capture.error is None:
        return "runs"
    return "refused" if capture.raised else "open"


def see_one_size(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str], sizes: Mapping[str, int]) -> Seen:
    """Return what a graph captured at `sizes` tells of these sizes alone: nothing where the run ended undecided.

    >>> from convcalc.sizes.branch import Branch
    >>> from convcalc.network.node import Node
    >>> from convcalc.layers import Conv
    >>> graph = Graph([Node("conv", Conv(8, 3))])
    >>> see_one_size(graph, {"input": (1, 3, Expr.symbol("H"))}, ["H"], {"H": 8}).runs.lines()
    ['H is 8']
    """
    numbers = {name: _put(shape, sizes) for name, shape in shapes.items()}
    collected = Collector()
    error = None if graph.capture is None else _raised(graph)
    try:
        walk(graph.at(numbers), numbers, collected)
    except ConvcalcError as refusal:
        error = refusal
    nothing = Boxes(tuple(axes), ())
    point = Boxes(tuple(axes), (tuple(only([sizes[axis]]) for axis in axes),))
    fails = collected.impossible is not None or error is not None
    if collected.impossible is not None:
        error = collected.impossible.error(reader_at(axes, sizes))
    alone = only([sizes[axes[0]]]) if len(axes) == 1 else None
    return Seen(
        known=nothing if isinstance(error, Unknown) else point,
        runs=nothing if fails else point,
        exact=nothing if fails or collected.conditions else point,
        reasons=() if error is None else (raised(error, axes, alone, sizes),),
        ways=(Way((), () if fails else tuple(collected.conditions), error, dict(sizes)),),
        is_way=False,
        error=error,
    )


def from_one(axes: Sequence[str]) -> list[Condition]:
    """Sizes are at least 1."""
    return [Condition(Expr.symbol(axis) - 1, partial(_another, f"{axis} >= 1")) for axis in axes]


def _put(shape: Shape, sizes: Mapping[str, int]) -> Shape:
    return tuple(size(**sizes) if isinstance(size, Expr) else size for size in shape)


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
    values = letters_of(graph, capture, shapes)
    if values is None or capture.lost or not all(branch.is_known for branch in capture.path):
        return None
    collected = Collector()
    for branch in capture.path:
        for value in () if branch in without else branch.values:
            collected(_in(value, values), partial(_another, str(branch)))
    return collected.conditions


def letters_of(graph: Graph, capture: Capture, shapes: Mapping[str, Shape]) -> dict[str, Size] | None:
    """Return what the letters of a capture are called in the question; None where they are not these.

    >>> graph = Graph([], capture=Capture(letters=((1, 3, Expr.symbol("H")),)))
    >>> letters_of(graph, graph.capture, {"input": (1, 3, Expr.symbol("N"))})
    {'H': N}
    """
    values: dict[str, Size] = {}
    later: list[tuple[Expr, Size]] = []
    for name, letters in zip(graph.inputs, capture.letters, strict=True):
        for letter, size in zip(letters, shapes[name], strict=True):
            if not isinstance(letter, Expr):
                if isinstance(size, Expr):
                    return None
            elif str(letter) not in letter.symbols:
                later.append((letter, size))
            elif values.setdefault(str(letter), size) != size:
                return None
    return values if all(_in(letter, values) == size for letter, size in later) else None


def _in(value: Size, values: Mapping[str, Size]) -> Size:
    if not isinstance(value, Expr):
        return value
    return value(**{name: values[name] for name in value.symbols})


def _reason(error: ConvcalcError, axes: Sequence[str], where: Boxes, example: Mapping[str, int]) -> Reason:
    """What is raised, said of the axes that matter to it."""
    told = [axis for axis in axes if where[axis] != every()] or list(axes)
    return raised(error, told, where[told[0]] if len(told) == 1 else None, example)


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
    return tuple(replace(one) for one in found.values())
