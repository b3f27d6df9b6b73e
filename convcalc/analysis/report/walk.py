"""One pass over the nodes of a graph: a row for each, up to the first that refuses its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.fields import node_fields, start_fields
from convcalc.analysis.report.layer import LayerReport
from convcalc.errors import ConvcalcError
from convcalc.footprints.field import Field
from convcalc.layers.base import Shape, product
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import is_too_long, node_shapes
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.size import Size


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The rows of a graph, and the shapes and fields of its inputs and nodes by name."""

    rows: tuple[LayerReport, ...]
    shapes: dict[str, Shape]
    fields: dict[str, Field]
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""
    activations: Size
    """The elements of all outputs; none of a parameter or buffer that is read."""
    error: ConvcalcError | None
    refused: Node | None
    """The node that refuses its input with `error`."""


def walk(
    graph: Graph, given: Mapping[str, Shape], anywhere: Mapping[str, Node] | None = None, *, itemsize: int = 4
) -> Walk:
    """Return what is found on the way through a graph, on inputs of these shapes and on letters at once.

    The nodes `anywhere` stand for those of their names on letters; `itemsize` is the bytes of a parameter.

    >>> from convcalc.layers import Conv
    >>> (row,) = walk(Graph([Node("conv", Conv(4, 3))]), {"input": (1, 3, 8)}).rows
    >>> row.output, row.symbolic, row.params, row.macs, row.receptive_field
    ((1, 4, 6), (1, 4, L - 2), 40, 216, (3,))
    """
    shapes, fields, needs = dict(given), start_fields(graph, given), Conditions()
    symbolic: dict[str, Shape | None] = dict(graph.lettered(given))
    live, rows = set(graph.inputs), list[LayerReport]()
    activations: Size = 0
    error, refused = None, None
    for node in graph:
        try:
            shapes |= node_shapes(node, shapes, needs)
        except ConvcalcError as refusal:
            error, refused = refusal, node
            break
        symbolic |= _symbolic((anywhere or {}).get(node.name, node), symbolic)
        fields |= node_fields(node, fields, shapes)
        if node.layer.reads_values and not live.isdisjoint(node.inputs):
            live.update(node.outputs)
        if not node.layer.is_held:
            activations += sum(product(shapes[name]) for name in node.outputs)
        rows.append(
            _row(node, shapes, symbolic[node.name], fields[node.name], itemsize, constant=node.name not in live)
        )
    return Walk(
        rows=tuple(rows),
        shapes=shapes,
        fields=fields,
        needs=tuple(needs.open),
        activations=activations,
        error=error,
        refused=refused,
    )


def _symbolic(node: Node, known: Mapping[str, Shape | None]) -> Mapping[str, Shape | None]:
    """The output shapes for any size; None where a layer has no formula, and for all that reads it."""
    shapes = {name: shape for name in node.inputs if (shape := known[name]) is not None}
    try:
        found = node_shapes(node, shapes) if len(shapes) == len(set(node.inputs)) else {}
    except ConvcalcError:
        found = {}
    return {name: found[name] if name in found and not is_too_long(found[name]) else None for name in node.outputs}


def _row(
    node: Node, shapes: Mapping[str, Shape], symbolic: Shape | None, field: Field, itemsize: int, constant: bool
) -> LayerReport:
    layer, weights = node.layer, node.weights
    inputs: Any = [shapes[name] for name in node.inputs]
    params = (0 if node.shares else layer.params(*inputs)) if weights is None else weights.params
    return LayerReport(
        name=node.name,
        op=layer.op,
        args=layer.arguments(),
        inputs=node.inputs,
        output=shapes[node.name],
        outputs=tuple(shapes[name] for name in node.outputs),
        symbolic=symbolic,
        params=params,
        shared=node.shares is not None,
        macs=layer.macs(*inputs) + (0 if weights is None else weights.macs),
        field=field,
        source=node.source,
        trainable=params if weights is None else weights.trainable,
        weight_bytes=params * itemsize if weights is None else weights.bytes,
        constant=constant,
        counted=layer.is_counted,
    )
