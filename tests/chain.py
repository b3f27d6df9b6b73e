"""The legal sizes of networks that are functions of a shape, and of layers one after another."""

from collections import Counter

from convcalc.analysis.validity import decide, of_graph
from convcalc.network.graph import Graph
from convcalc.network.node import Node


def valid_sizes(propagate, shape):
    """The legal sizes of what takes a shape with names, and a check."""
    axes = dict.fromkeys(size for size in shape if isinstance(size, str))
    return decide.valid_sizes(lambda sizes, check: propagate(tuple(sizes.get(n, n) for n in shape), check), [*axes])


def valid_sizes_of_chain(layers, input_shape):
    """The legal sizes of layers that are named by op and count: `maxpool1`, `maxpool2`."""
    counted, before, nodes = Counter(), "input", []
    for layer in layers:
        counted[layer.op] += 1
        nodes.append(Node(f"{layer.op}{counted[layer.op]}", layer, before))
        before = nodes[-1].name
    return of_graph.valid_sizes(Graph(nodes), input_shape)
