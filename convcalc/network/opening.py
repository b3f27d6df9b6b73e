"""The door of every analysis: a graph and input shapes become a graph that is ready at those shapes."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes


def open_net(net: Graph | Part, input_size: InputShapes | None = None) -> tuple[Graph, dict[str, Shape]]:
    """Return the graph of a network, its formulas taken at the input shapes, and these shapes by name.

    A captured graph that may not hold there is captured once more. Raises as `Graph.shapes_of` and `Graph.at`.

    >>> from convcalc.zoo import lenet
    >>> open_net(lenet())
    (Graph(lenet: 12 nodes: input -> fc3), {'input': (1, 1, 28, 28)})
    """
    graph = as_graph(net)
    shapes = graph.shapes_of(input_size)
    numbers = all(isinstance(size, int) for shape in shapes.values() for size in shape)
    if numbers and graph.capture is not None and graph.capture.again is not None and not _holds(graph, shapes):
        graph = graph.capture.again([shapes[name] for name in graph.inputs], whole=True)
    return graph.at(shapes), shapes


def _holds(graph: Graph, shapes: Mapping[str, Shape]) -> bool:
    """Whether a captured graph is what the module does there: where lost or ended early, where it ran alone."""
    lost = graph.capture is not None and (graph.capture.lost or graph.capture.error is not None)
    seen = tuple(shapes[name] for name in graph.inputs) == graph.example
    return graph.holds(shapes) and (seen or not lost)
