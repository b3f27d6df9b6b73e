"""From a graph to the real `torch.nn.Module`, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.bridge.assembly.recipe import to_module
from convcalc.bridge.device import need_device, need_torch
from convcalc.errors import BadArgument
from convcalc.layers import Add, Concat, CropTo, Mul, PadTo
from convcalc.layers.base import Layer, Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.shapes import infer_shapes


def to_torch(net: Graph | Part, input_size: InputShapes | None = None, *, device: str = "cpu") -> Any:
    """Return the `torch.nn.Module` of a graph, with fresh weights on `device` ("meta" for none at all).

    Submodules stand at the paths that are the nodes' names. What is inferred, such as in_channels, is that of
    `input_size`, or of the graph's example. Raises as `infer_shapes`; `BadArgument` for what torch has no module
    for, `Unreadable` without torch or the device.

    >>> from convcalc.zoo import lenet
    >>> module = to_torch(lenet(), device="meta")
    >>> module.conv2, sum(weight.numel() for weight in module.parameters())
    (Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1)), 61706)
    """
    torch = need_torch()
    where = torch.device("meta") if device == "meta" else need_device(device)
    from convcalc.bridge.assembly.modules import GraphModule

    graph = as_graph(net)
    shapes = infer_shapes(graph, input_size)
    for name in graph.inputs:
        if not all(isinstance(size, int) for size in shapes[name]):
            raise BadArgument(f"a module is built for sizes that are numbers: {name} is {shapes[name]}")
    with where:
        modules = {
            node.name: _module(node.layer, [shapes[name] for name in node.inputs])
            for node in graph
            if node.shares is None
        }
    return GraphModule(graph, modules)


def _module(layer: Layer, in_shapes: Sequence[Shape]) -> Any:
    """The module of one layer on inputs of these shapes: one of ours where it unites branches, else torch's."""
    from convcalc.bridge.assembly import modules

    if isinstance(layer, Concat | Add | Mul | CropTo | PadTo):
        return getattr(modules, type(layer).__name__)(**layer.arguments())
    return to_module(layer, [int(size) for size in in_shapes[0]])
