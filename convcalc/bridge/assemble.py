"""From a graph to the real `torch.nn.Module`, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc import layers
from convcalc.analysis.shapes import infer_shapes
from convcalc.axes import per_axis
from convcalc.blocks import Part, as_graph
from convcalc.bridge.device import need_device, need_torch
from convcalc.errors import BadArgument
from convcalc.graph import Graph, InputShapes
from convcalc.layers.base import Layer, Shape
from convcalc.resizing import both_sides


def to_torch(net: Graph | Part, input_shapes: InputShapes | None = None, *, device: str = "cpu") -> Any:
    """Return the `torch.nn.Module` of a graph, with fresh weights on `device` ("meta" for none at all).

    Submodules stand at the paths that are the nodes' names. What is inferred, such as in_channels, is that of
    `input_shapes`, or of the graph's example. Raises as `infer_shapes`; `BadArgument` for what torch has no module
    for, `Unreadable` without torch or the device.

    >>> from convcalc.zoo import lenet
    >>> module = to_torch(lenet(), device="meta")
    >>> module.conv2, sum(weight.numel() for weight in module.parameters())
    (Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1)), 61706)
    """
    torch = need_torch()
    where = torch.device("meta") if device == "meta" else need_device(device)
    from convcalc.bridge.modules import GraphModule

    graph = as_graph(net)
    shapes = infer_shapes(graph, input_shapes)
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
    """The module of one layer on inputs of these shapes."""
    from convcalc.bridge import modules

    nn = need_torch().nn
    shape = in_shapes[0]
    axes, channels = len(shape) - 2, shape[1] if len(shape) > 1 else None
    settings = layer.arguments()
    name = type(layer).__name__
    match layer:
        case layers.Concat() | layers.Add() | layers.Mul() | layers.CropTo() | layers.PadTo():
            return getattr(modules, name)(**settings)
        case layers.Conv() | layers.ConvTranspose():
            words = {**settings, "in_channels": channels, "out_channels": layer.channels_out(channels)}
            return getattr(nn, f"{name}{axes}d")(**words)
        case layers.MaxPool() | layers.AvgPool() | layers.AdaptiveAvgPool() | layers.AdaptiveMaxPool():
            return getattr(nn, f"{name}{axes}d")(**settings)
        case layers.LpPool():
            return getattr(nn, f"LPPool{axes}d")(**{"norm_type": layer.norm_type, **settings})
        case layers.BatchNorm():
            return getattr(nn, f"BatchNorm{max(axes, 1)}d")(**{**settings, "num_features": channels})
        case layers.InstanceNorm():
            return getattr(nn, f"InstanceNorm{axes}d")(**{**settings, "num_features": channels})
        case layers.GroupNorm():
            return nn.GroupNorm(**{**settings, "num_channels": channels})
        case layers.Linear():
            return nn.Linear(**{**settings, "in_features": shape[-1]})
        case layers.Pad(mode=mode, padding=padding):
            words = {"constant": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad"}
            return getattr(nn, f"{words.get(mode, 'CircularPad')}{axes}d")(_sides(padding, axes))
        case layers.Crop(rows=rows):
            return getattr(nn, f"ZeroPad{axes}d")(tuple(-side for side in _sides(rows, axes)))
        case layers.Softmax():
            return nn.Softmax(dim=layer.dim)
        case _ if hasattr(nn, name):  # named and set as in torch
            return getattr(nn, name)(**settings)
        case _:
            raise BadArgument(f"torch has no module for {name}")


def _sides(value: Any, axes: int) -> tuple[int, ...]:
    """Before and after of each axis, as torch has them: the last axis first."""
    return tuple(side for rows in reversed(per_axis("padding", value, axes)) for side in both_sides(rows))
