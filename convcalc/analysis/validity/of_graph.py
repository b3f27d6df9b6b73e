"""Which input sizes a network accepts: `convcalc.analysis.validity.decide` over the nodes of a graph."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import named, with_export
from convcalc.analysis.validity.decide import valid_sizes as decide_sizes
from convcalc.analysis.validity.exporting import Inner
from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.of_captures import valid_sizes_of_captured
from convcalc.analysis.validity.padded import Sides, check_exact, rows_of_padding
from convcalc.analysis.validity.rounding import Rounding
from convcalc.analysis.validity.ties import tied, together
from convcalc.errors import BadShape, ConvcalcError
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.letters import sizes_asked
from convcalc.network.shapes import node_formulas, node_shapes
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


def valid_sizes(net: Graph | Part, input_size: InputShapes | None = None) -> Legal:
    """Return the input sizes that a graph accepts, for the sizes of `input_size` that are names.

    Where no size is a name, or no shape is given, letters stand for the spatial sizes. Raises `BadArgument` where there
    are none, `BadShape` where the shape does not suit the network at any size. Source: docs/legal-sizes.md, with proof.

    >>> from convcalc.layers import MaxPool
    >>> valid_sizes(MaxPool(2), (1, 8, "n"))["n"]
    n >= 2
    """
    rounding = Rounding()
    graph = as_graph(net)
    letters = () if graph.capture is None else graph.capture.letters
    shapes = sizes_asked(graph.shapes_of(input_size), letters)
    shapes = tied(shapes, letters) if letters else shapes
    if graph.capture is not None and graph.capture.again is not None:
        sizes = [size for shape in shapes.values() for size in shape if isinstance(size, Expr)]
        axes = tuple(dict.fromkeys(str(size) for size in sizes if str(size) in size.symbols))
        legal = valid_sizes_of_captured(graph, shapes, axes)
        with suppress(ConvcalcError):  # where a call has no formula, nothing is proved anyway
            known = dict(shapes)
            for node in graph.with_formulas:
                rounding.note(node.layer, [known[name] for name in node.inputs])
                known |= node_formulas(node, known, Conditions())
        if together(shapes):  # an exporter would have to be told so
            legal = replace(legal, inputs=shapes, export=None)
        return replace(legal, up_to=rounding.up_to)

    whole = tuple(_named(size) for shape in shapes.values() for size in shape)
    inner = Inner()

    def propagate(sizes: Shape, check: Collector) -> None:
        rest = iter(sizes)
        known = {name: tuple(next(rest) for _ in shape) for name, shape in shapes.items()}
        padding = dict[str, Sides]()
        for node in graph:
            inputs = tuple(known[name] for name in node.inputs)
            try:
                check_exact(node, inputs, padding, named(node.name, check.exact))
                padding |= rows_of_padding(node, inputs, padding)
            except ConvcalcError as error:
                raise error.at(node.name) from None
            rounding.note(node.layer, inputs)
            known |= node_shapes(node, known, check)
            inner.note(node, inputs, [known[name] for name in node.outputs])

    legal = with_export(decide_sizes(propagate, whole), inner)
    return replace(legal, up_to=rounding.up_to)


def _named(size: Size) -> int | str:
    """A size for the decision: a number or a name."""
    if isinstance(size, int):
        return size
    if isinstance(size, Expr) and size.symbols == {str(size)}:
        return str(size)
    raise BadShape(f"a size is a number or a name here, not a formula: {size}")
