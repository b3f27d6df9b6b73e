"""A network as it was published: for one number of input channels and of axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convcalc.layers import Conv
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph
from convcalc.network.node import Node


def published(net: Part, name: str, example: Shape, outputs: Sequence[str] = ()) -> Graph:
    """Return the graph of `net`, whose first convolutions take the channels and axes of `example` and no others.

    >>> published(Conv(8, 3), "one", (1, 3, 32, 32)).nodes[0].layer.in_channels
    3
    """
    graph = as_graph(net, outputs=outputs, name=name, example=[example])
    nodes = [_first(node, example) if node.inputs == graph.inputs else node for node in graph]
    return Graph(nodes, graph.inputs, graph.outputs, name, graph.example)


def _first(node: Node, example: Shape) -> Node:
    if not isinstance(node.layer, Conv):
        return node
    return replace(node, layer=replace(node.layer, in_channels=example[1], axes=len(example) - 2))
