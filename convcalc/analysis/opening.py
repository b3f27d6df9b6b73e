"""The door of every analysis: a network and input shapes become a graph that is ready at those shapes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from convcalc.analysis.memory import ITEMSIZES
from convcalc.blocks import Block, Part, as_graph
from convcalc.errors import BadArgument, brief
from convcalc.graph import Graph, InputShapes
from convcalc.layers.base import Layer, Shape
from convcalc.sizes import flag


def open_net(
    net: Graph | Part | Any, input_size: InputShapes | None = None, **settings: Any
) -> tuple[Graph, dict[str, Shape]]:
    """Return the graph of a network, its formulas taken at the input shapes, and these shapes by name.

    A `torch.nn.Module` is captured at the shapes, and a captured graph that may not hold there once more. Raises as
    `Graph.shapes_of`, `Graph.at` and `convcalc.from_torch`.

    >>> from convcalc.zoo import lenet
    >>> open_net(lenet())
    (Graph(lenet: 12 nodes: input -> fc3), {'input': (1, 1, 28, 28)})
    """
    graph = as_captured(net, input_size, **settings)
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


def as_captured(
    net: Graph | Part | Any,
    input_size: InputShapes | None = None,
    *,
    example_inputs: Any = None,
    dtype: Any = None,
    train: bool = False,
    assume: Mapping[str, bool] | None = None,
) -> Graph:
    """Return the graph of a network; a module of torch is captured at the input shapes, with these settings.

    Raises `BadArgument` for what is no network, and for settings of torch with one that is none of its modules.

    >>> from convcalc.layers import ReLU
    >>> as_captured(ReLU())
    Graph(1 node: input -> relu)
    """
    training = flag("train", train)
    if assume is not None and not (
        isinstance(assume, Mapping) and all(isinstance(way, bool) for way in assume.values())
    ):
        raise BadArgument(f"assume maps conditions to True or False, as {{'net.py:9': False}}: got {brief(assume)}")
    if is_module(net):
        from convcalc.bridge.trace import capture

        return capture(
            net, input_size, example_inputs=example_inputs, dtype=_torch_type(dtype), train=training, assume=assume
        )
    if not isinstance(net, Graph | Block | Layer):
        raise BadArgument(f"a network is a torch module, a Graph, a block or a layer: got {_instead(net)}")
    if example_inputs is not None or training or assume:
        raise BadArgument("example_inputs, train and assume are for torch modules: give input_size")
    return as_graph(net)


def is_module(net: Any) -> bool:
    """Whether this is a `torch.nn.Module`; nothing is, as long as nobody has imported torch.

    >>> is_module(3)
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(net, torch.nn.Module)


def _torch_type(dtype: Any) -> Any:
    """A type of torch, from its name too."""
    if dtype is None:
        return None
    torch = sys.modules["torch"]
    name = str(dtype).removeprefix("torch.")
    if name not in ITEMSIZES or not isinstance(dtype, str | torch.dtype):
        raise BadArgument(f"unknown dtype {brief(dtype)}: use one of {', '.join(ITEMSIZES)}")
    return getattr(torch, name)


def _instead(net: Any) -> str:
    """What was given, and what to write in its place."""
    if isinstance(net, str):
        return f"{brief(net)}; the zoo's are functions, as convcalc.zoo.lenet()"
    if isinstance(net, type):
        return f"the class {net.__name__}; write {net.__name__}(...)"
    name = type(net).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
