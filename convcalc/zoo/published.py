"""A network as it was published: its layers in the one-line form, for one number of input channels and of axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from convcalc.layers import Conv, Layer
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.stack import read_stack


def named(text: str) -> dict[str, Part]:
    """Return layers by their names, as a stack has them: `name: layer`, one a line or with ; between.

    >>> named("conv1: conv 6 k5 p2; pool1: maxpool k2")
    {'conv1': Conv(6, 5, padding=2), 'pool1': MaxPool(2)}
    """
    entries = (entry.partition(":") for entry in re.split(r"[;\n]", text) if entry.strip())
    return {name.strip(): _layer(layer.strip()) for name, _, layer in entries}


@cache
def _layer(text: str) -> Layer:
    (layer,) = read_stack(text)
    return layer


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
