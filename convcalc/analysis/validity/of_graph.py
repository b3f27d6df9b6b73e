"""Which input sizes a network accepts: `convcalc.analysis.validity.decide` over the nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from convcalc.analysis.validity import of_captures
from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import valid_sizes as decide_sizes
from convcalc.analysis.validity.exporting import Inner, exported
from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.rounding import exact_up_to
from convcalc.analysis.validity.ties import is_letter, tied
from convcalc.analysis.validity.walk import Walk
from convcalc.errors import BadShape
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.letters import sizes_asked
from convcalc.network.shapes import shape_at
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
    graph = as_graph(net)
    letters = () if graph.capture is None else graph.capture.letters
    shapes = sizes_asked(graph.shapes_of(input_size), letters)
    shapes = tied(shapes, letters) if letters else shapes
    of_all = of_captures.valid_sizes if graph.capture is not None and graph.capture.again is not None else _of_one
    return replace(of_all(graph, shapes), up_to=exact_up_to(graph, shapes))


def _of_one(graph: Graph, shapes: Mapping[str, Shape]) -> Legal:
    """The sizes that a graph accepts which is the same whatever they are."""
    asked = [size for shape in shapes.values() for size in shape if isinstance(size, Expr)]
    for size in asked:
        if not is_letter(size):
            raise BadShape(f"a size is a number or a name here, not a formula: {size}")
    inner = Inner()

    def propagate(sizes: Mapping[str, Size], check: Collector) -> None:
        walk = Walk({name: shape_at(shape, sizes) for name, shape in shapes.items()}, check, inner)
        for node in graph:
            walk.through(node)

    legal = decide_sizes(propagate, tuple(dict.fromkeys(map(str, asked))))
    return replace(legal, export=exported(legal.ways[0], legal.axes, inner)) if legal.proved else legal
