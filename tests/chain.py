"""Layers one after another, by name: `maxpool1`, `maxpool2`."""

from collections import Counter

from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.network.graph import Graph
from convcalc.network.node import Node


def valid_sizes_of_chain(layers, input_shape):
    """The legal sizes of layers that are named by op and count."""
    counted, before, nodes = Counter(), "input", []
    for layer in layers:
        counted[layer.op] += 1
        nodes.append(Node(f"{layer.op}{counted[layer.op]}", layer, before))
        before = nodes[-1].name
    return valid_sizes(Graph(nodes), input_shape)
