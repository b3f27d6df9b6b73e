"""What a network costs: parameters, multiply-accumulates, values kept, bytes; by node, by block, in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convcalc.layers.base import Shape, product
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.node import Node
from convcalc.network.opening import open_net
from convcalc.network.paths import is_inside, path_at
from convcalc.network.shapes import node_shapes
from convcalc.sizes.size import Size


@dataclass(frozen=True, kw_only=True)
class NodeCost:
    """The cost of a node, or of several together.

    Parameters of shared weights count where they are first used; buffers, such as running means, count nowhere.
    """

    name: str
    params: Size
    macs: Size
    """Multiply-accumulates of one forward pass; bias additions, normalization, activations and pooling are none."""
    activations: Size
    """Elements of the outputs; none of a parameter or buffer that is read."""
    itemsize: int = 4
    """Bytes of one element."""

    @property
    def flops(self) -> Size:
        """2 * macs."""
        return 2 * self.macs

    @property
    def bytes(self) -> Size:
        """The bytes of parameters and output."""
        return (self.params + self.activations) * self.itemsize


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of each node, and their sum."""

    nodes: tuple[NodeCost, ...]
    total: NodeCost

    def block(self, path: str) -> NodeCost:
        """Return the cost of all nodes at or below a path, such as "layer1".

        >>> from convcalc.network.blocks import Sequential
        >>> from convcalc.layers import Conv
        >>> cost = count_cost(Sequential(stem=Sequential(Conv(8, 3), Conv(8, 3))), (1, 8, 9, 9))
        >>> cost.block("stem").params == cost.total.params
        True
        """
        return _sum(path, [cost for cost in self.nodes if is_inside(cost.name, path)])

    def blocks(self, depth: int = 1) -> tuple[NodeCost, ...]:
        """Return the cost by the first `depth` steps of the path, in the order in which they first run."""
        found: dict[str, list[NodeCost]] = {}
        for cost in self.nodes:
            found.setdefault(path_at(cost.name, depth), []).append(cost)
        return tuple(_sum(name, costs) for name, costs in found.items())


def count_cost(net: Graph | Part, input_size: InputShapes | None = None, *, itemsize: int = 4) -> Cost:
    """Return what each node and the whole network costs on inputs of these shapes, batch included.

    `itemsize` is the bytes of one element. Sizes may be ints, NumPy integer arrays or symbols. Raises as
    `infer_shapes`.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv, Flatten, Linear
    >>> cost = count_cost(Sequential(Conv(6, 5, padding=2), Flatten(), Linear(10)), (1, 1, 28, 28))
    >>> cost.total.params, cost.total.macs, cost.total.bytes
    (47206, 164640, 226496)
    """
    graph, shapes = open_net(net, input_size)
    for node in graph:
        shapes |= node_shapes(node, shapes)
    costs = tuple(node_cost(node, shapes, itemsize) for node in graph)
    return Cost(nodes=costs, total=_sum(graph.name, costs, itemsize))


def node_cost(node: Node, shapes: Mapping[str, Shape], itemsize: int = 4) -> NodeCost:
    """Return the cost of one node, given the shapes of it and of what it reads.

    >>> from convcalc.layers import Conv
    >>> node_cost(Node("conv", Conv(4, 3)), {"input": (1, 3, 8), "conv": (1, 4, 6)})
    NodeCost(name='conv', params=40, macs=216, activations=24, itemsize=4)
    """
    inputs: Any = [shapes[name] for name in node.inputs]
    return NodeCost(
        name=node.name,
        params=_params(node, inputs),
        macs=node.layer.macs(*inputs) + (0 if node.weights is None else node.weights.macs),
        activations=0 if node.layer.is_held else sum(product(shapes[name]) for name in node.outputs),
        itemsize=itemsize,
    )


def _params(node: Node, inputs: Any) -> Size:
    if node.weights is not None:
        return node.weights.params
    return 0 if node.shares else node.layer.params(*inputs)


def _sum(name: str, costs: Any, itemsize: int = 4) -> NodeCost:
    return NodeCost(
        name=name,
        params=sum(cost.params for cost in costs),
        macs=sum(cost.macs for cost in costs),
        activations=sum(cost.activations for cost in costs),
        itemsize=costs[0].itemsize if costs else itemsize,
    )
