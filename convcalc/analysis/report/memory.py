"""How many bytes the values of a forward pass take, all together and at once.

What is counted: one tensor for each output of each node, and the inputs. Parameters and buffers that nodes read are in
memory as weights, and not counted again. Not counted, as no layer says it: views that
share memory with what they view, operations in place, and what a backward pass or a library keeps besides.
"""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.errors import BadArgument
from convcalc.layers.base import Shape, product
from convcalc.network.graph import Graph
from convcalc.sizes.size import Size, is_symbolic

ITEMSIZES = {
    **dict.fromkeys(("complex128",), 16),
    **dict.fromkeys(("float64", "int64", "complex64"), 8),
    **dict.fromkeys(("float32", "int32"), 4),
    **dict.fromkeys(("bfloat16", "float16", "int16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
}
"""Bytes of one value of each type, by torch's names."""


def itemsize(dtype: str) -> int:
    """Return the bytes of one value; raises `BadArgument` for a type that is unknown.

    >>> itemsize("bfloat16")
    2
    """
    if dtype not in ITEMSIZES:
        raise BadArgument(f"unknown dtype {dtype!r}: use one of {', '.join(ITEMSIZES)}")
    return ITEMSIZES[dtype]


def peak_values(graph: Graph, shapes: Mapping[str, Shape]) -> int | None:
    """Return the most values alive at once: computed, and read by a node to come or by the one at work.

    None where sizes are symbols, as which moment is the worst may depend on them. Only the nodes in `shapes` count,
    so that a graph whose run ends early can be asked too.

    >>> from convcalc.network.blocks import Sequential, as_graph
    >>> from convcalc.layers import Conv, ReLU
    >>> graph = as_graph(Sequential(Conv(8, 3), ReLU(), Conv(1, 3)))
    >>> peak_values(graph, {"input": (1, 1, 9), "0": (1, 8, 7), "1": (1, 8, 7), "2": (1, 1, 5)})  # 56 into 56
    112
    """
    sizes = {name: product(shape) for name, shape in shapes.items()}
    nodes = [node for node in graph if node.name in sizes]
    last = {
        name: place for place, node in enumerate(nodes) for name in node.inputs[: len(node.inputs) - node.layer.unread]
    }
    last |= dict.fromkeys(graph.outputs, len(nodes))
    alive: dict[str, Size] = {name: sizes[name] for name in graph.inputs}
    most: Size = sum(alive.values())
    for place, node in enumerate(nodes):
        alive |= {name: sizes[name] for name in node.outputs if not node.layer.is_held}
        now = sum(alive.values())
        if is_symbolic(now):
            return None
        most = max(most, now)
        alive = {name: size for name, size in alive.items() if last.get(name, -1) > place}
    return None if is_symbolic(most) else int(most)
