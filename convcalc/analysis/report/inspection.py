"""From a graph and an input to its report: what a pass over the nodes finds, notes, and what a capture knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convcalc.analysis.notes.base import Facts
from convcalc.analysis.notes.rules import notes_on
from convcalc.analysis.report.memory import itemsize, peak_values
from convcalc.analysis.report.report import Failure, Report
from convcalc.analysis.report.walk import walk
from convcalc.analysis.validity.decide import decided
from convcalc.analysis.validity.of_capture import from_one, path_of
from convcalc.errors import BadArgument, ConvcalcError, Unknown
from convcalc.layers import Shape
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.node import Node, Weights
from convcalc.network.shapes import open_net
from convcalc.sizes.branch import strongest
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import is_array, is_symbolic


def inspect_graph(net: Graph | Part | Any, input_size: InputShapes | None = None, *, dtype: str = "float32") -> Report:
    """Return the report of a network on inputs of these shapes (ints, or names such as "H"), batch included.

    A node that refuses its input ends the rows; the refusal is in `error`. Bytes are those of `dtype`. Raises
    `convcalc.errors.BadShape` where the input shapes themselves do not suit the graph, `BadArgument` for an unknown
    dtype.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv, MaxPool
    >>> report = inspect_graph(Sequential(Conv(6, 5, padding=2), MaxPool(2)), (1, 1, 28, 28))
    >>> report.output, report.params, report.layers[1].receptive_field, str(report.layers[1].symbolic[2])
    ((1, 6, 14, 14), 156, (6, 6), 'H//2')
    >>> report.weight_bytes, report.activation_bytes, report.peak == 4 * (6 * 28 * 28 + 6 * 14 * 14)
    (624, 23520, True)
    """
    size = itemsize(dtype)
    graph, given = open_net(net, input_size)
    if any(is_array(size) for shape in given.values() for size in shape):
        raise BadArgument("a report is of one size: give a number, or a name such as 'H', not an array")
    if graph.capture is not None and not all(branch.is_known for branch in graph.capture.path):
        there = _captured_there(graph, given, dtype)
        if there is not None:
            return there
    found = walk(graph, given, _anywhere(graph, graph.lettered(given)), itemsize=size)
    capture, error, failed = graph.capture, found.error, None
    if isinstance(error, Unknown) and graph.example is not None:
        return _captured_there(graph, given, dtype) or _at_example(graph, error, dtype)
    if (node := found.refused) is not None:
        failed = Failure(node.name, node.layer.op, node.layer.arguments(), node.source)
    elif capture is not None and capture.error is not None:
        error, failed = capture.error, _failure(capture.error, capture.refused)
    values = peak_values(graph, found.shapes)
    ends = zip(graph.labels, graph.outputs, strict=True)
    return Report(
        model=graph.name,
        inputs=given,
        outputs={} if error else {label: found.shapes[name] for label, name in ends},
        layers=found.rows,
        needs=found.needs,
        notes=notes_on(Facts(graph, found.shapes, found.fields)),
        error=error,
        failed=failed,
        ends=graph.outputs,
        opaque=tuple(node.name for node in graph if not node.layer.is_known),
        path=() if capture is None else tuple(map(str, strongest(capture.path))),
        remarks=() if capture is None else capture.remarks,
        unused=Weights() if capture is None else capture.unused,
        dtype=dtype,
        activations=found.activations,
        peak=None if values is None else values * size,
    )


def _captured_there(graph: Graph, given: Mapping[str, Shape], dtype: str) -> Report | None:
    """The report of a module captured anew at these sizes, if they are numbers and other than those it has."""
    shapes = [given[name] for name in graph.inputs]
    symbols = any(is_symbolic(size) for shape in shapes for size in shape)
    if graph.capture is None or graph.capture.again is None or symbols or tuple(shapes) == graph.example:
        return None
    return inspect_graph(graph.capture.again(shapes, whole=True), dtype=dtype)


def _at_example(graph: Graph, unknown: Unknown, dtype: str) -> Report:
    """The report where a captured graph was captured, as what was asked for is not known."""
    report = inspect_graph(graph.with_formulas, graph.example, dtype=dtype)
    place = "" if report.error is not None else f" from {unknown.place} on" if unknown.place else ""
    return replace(report, remarks=(*report.remarks, f"sizes by letter are not known{place}: all is shown at one size"))


def _failure(error: ConvcalcError, refused: Node | None) -> Failure | None:
    """The call at which the run of a captured module ended, as far as it is explained."""
    explanation = error.explanation
    if explanation is None:
        return Failure(error.place) if error.place else None
    op = explanation.call if refused is None else refused.layer.op
    return Failure(explanation.place, op, source=explanation.source)


def _anywhere(graph: Graph, letters: Mapping[str, Shape]) -> dict[str, Node]:
    """The nodes that hold formulas, in these letters; nothing where there are none."""
    if graph.capture is None:
        return {}
    if (whole := _for_any_number(graph, letters)) is not None:
        return {node.name: node for node in whole.at(letters)}
    return {node.name: node for node in graph.with_formulas.at(letters) if node.layer.depends_on_sizes}


def _for_any_number(graph: Graph, letters: Mapping[str, Shape]) -> Graph | None:
    """The graph for any number of pieces, if it holds at all sizes at which this one was captured.

    It may not: rounds that overlap are alike only while no round but the last meets the end.
    """
    whole = None if graph.capture is None else graph.capture.any_number
    if whole is None:
        return None
    path, more = path_of(graph, letters), path_of(whole, letters)
    if path is None or more is None:
        return None
    axes = sorted(
        {name for shape in letters.values() for size in shape if isinstance(size, Expr) for name in size.symbols}
    )
    path = [*from_one(axes), *path]
    here, there = decided(path, axes), decided([*path, *more], axes)
    return whole if here is not None and there is not None and not here.runs - there.runs else None
