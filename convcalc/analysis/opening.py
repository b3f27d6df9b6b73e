"""The door of every analysis: a network and input shapes become a graph that is ready at those shapes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from convcalc.blocks import Part, as_graph
from convcalc.graph import Graph, InputShapes
from convcalc.layers.base import Shape


def open_net(net: Graph | Part | Any, input_shapes: InputShapes | None = None) -> tuple[Graph, dict[str, Shape]]:
    """Return the graph of a network, its formulas taken at the input shapes, and these shapes by name.

    A `torch.nn.Module` is captured at the shapes, and a captured graph that may not hold there once more. Raises as
    `Graph.shapes_of`, `Graph.at` and `convcalc.bridge.trace.from_torch`.

    >>> from convcalc.zoo import lenet
    >>> open_net(lenet())
    (Graph(lenet: 12 nodes: input -> fc3), {'input': (1, 1, 28, 28)})
    """
    graph = as_captured(net, input_shapes)
    shapes = graph.shapes_of(input_shapes)
    numbers = all(isinstance(size, int) for shape in shapes.values() for size in shape)
    if numbers and graph.capture is not None and graph.capture.again is not None and not _holds(graph, shapes):
        graph = graph.capture.again([shapes[name] for name in graph.inputs], whole=True)
    return graph.at(shapes), shapes


def _holds(graph: Graph, shapes: Mapping[str, Shape]) -> bool:
    """Whether a captured graph is what the module does at these shapes: where not all was heard, where it ran alone."""
    lost = graph.capture is not None and graph.capture.lost
    seen = tuple(shapes[name] for name in graph.inputs) == graph.example
    return graph.holds(shapes) and (seen or not lost)


def as_captured(net: Graph | Part | Any, input_shapes: InputShapes | None = None, **settings: Any) -> Graph:
    """Return the graph of a network; a module of torch is captured at the input shapes, with these `settings`.

    >>> from convcalc.layers import ReLU
    >>> as_captured(ReLU())
    Graph(1 node: input -> relu)
    """
    if is_module(net):
        from convcalc.bridge.trace import capture

        return capture(net, input_shapes, **settings)
    return as_graph(net)


def is_module(net: Any) -> bool:
    """Whether this is a `torch.nn.Module`; nothing is, as long as nobody has imported torch.

    >>> is_module(3)
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(net, torch.nn.Module)
