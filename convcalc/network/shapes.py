"""The shape of every node: one propagation, on ints, on vectors of sizes, on symbols (see `sizes.conditions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.errors import ConvcalcError, Unknown
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.node import Node
from convcalc.sizes.conditions import Check, enforce, named
from convcalc.sizes.expr import Expr


def infer_shapes(net: Graph | Part, input_size: InputShapes | None = None, check: Check = enforce) -> dict[str, Shape]:
    """Return the shape of every input and node by name, batch included, in the order in which they run.

    Sizes may be ints, NumPy integer arrays (many inputs at once), expressions, or names. Every condition on a size
    goes to `check`, with an error that names its node. Raises `convcalc.errors.Refused` where a layer refuses.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv, MaxPool
    >>> net = Sequential(Conv(64, 7, stride=2, padding=3), MaxPool(3, stride=2, padding=1))
    >>> infer_shapes(net, (1, 3, 224, 224))["1"]
    (1, 64, 56, 56)
    >>> str(infer_shapes(net, (1, 3, "H", "W"))["1"][2])
    '(H + 3)//4'
    >>> infer_shapes(Sequential(Conv(64, 7), MaxPool(9)), (1, 3, 9, 9))
    Traceback (most recent call last):
    ...
    convcalc.errors.KernelDoesNotFit: 1: axis H: kernel does not fit: it spans 9 (kernel_size=9, dilation=1) but \
the padded input is 3 (3 + 0 + 0); use an input of at least 9, or 6 more padding
    """
    graph, shapes = open_net(net, input_size)
    for node in graph:
        shapes |= node_shapes(node, shapes, check)
    return shapes


def node_shapes(node: Node, shapes: Mapping[str, Shape], check: Check = enforce) -> dict[str, Shape]:
    """Return the shapes of one node's outputs by name, given those of what it reads; what is refused names it.

    >>> from convcalc.layers import MaxPool
    >>> node_shapes(Node("pool", MaxPool(2)), {"input": (1, 8, 7, 7)})
    {'pool': (1, 8, 3, 3)}
    """
    inputs = tuple(shapes[name] for name in node.inputs)
    try:
        return dict(zip(node.outputs, node.layer.out_shapes(*inputs, check=named(node.name, check)), strict=True))
    except ConvcalcError as error:
        raise (error if error.place == node.name else error.at(node.name)) from None


def node_formulas(node: Node, shapes: Mapping[str, Shape], check: Check = enforce) -> dict[str, Shape]:
    """Return what `node_shapes` does; raises `Unknown` where a formula is too long to tell anything, and grows on.

    >>> from convcalc.layers import MaxPool
    >>> node_formulas(Node("pool", MaxPool(2)), {"input": (1, 8, Expr.symbol("H"))})
    {'pool': (1, 8, H//2)}
    """
    found = node_shapes(node, shapes, check)
    if any(map(is_too_long, found.values())):
        raise Unknown(f"{node.name}: the formula of its size is too long", place=node.name)
    return found


def shape_at(shape: Shape, values: Mapping[str, Any]) -> Shape:
    """Return a shape with values in the place of its letters.

    >>> shape_at((1, 8, Expr.symbol("H") // 2), {"H": 9})
    (1, 8, 4)
    """
    return tuple(size(**values) if isinstance(size, Expr) else size for size in shape)


def is_too_long(shape: Shape) -> bool:
    """Whether a size of a shape is a formula that is too long to tell anything.

    >>> is_too_long((1, Expr.symbol("H")))
    False
    """
    return any(isinstance(size, Expr) and size.is_too_long for size in shape)


def spatial_sizes(shape: Shape) -> Shape:
    """Return the spatial sizes of (N, C, ...); of a vector (N, C), its length.

    >>> spatial_sizes((1, 16, 5, 5)), spatial_sizes((1, 400))
    ((5, 5), (400,))
    """
    return shape[2:] or shape[1:]


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
