"""What every node reads of an input of the network: footprints, through branches and skips."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.errors import BadArgument
from convcalc.footprints.field import Field
from convcalc.layers.base import Shape, read_through
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.node import Node
from convcalc.network.shapes import node_shapes, open_net
from convcalc.sizes.expr import Expr


def find_fields(net: Graph | Part, input_size: InputShapes | None = None, *, of: str | None = None) -> dict[str, Field]:
    """Return the `convcalc.footprints.field.Field` of every input and node by name, on the axes of the input `of`.

    `of` is the first input unless given. What does not depend on it reads nothing; where branches of unequal
    strides unite, and after layers that are no periodic map, an axis is None: unknown. Sizes may be symbols;
    then what depends on a size, such as a centre crop, is unknown. Raises as `infer_shapes`.

    >>> from convcalc.network.blocks import Residual, Sequential
    >>> from convcalc.layers import Conv
    >>> net = Residual(Sequential(Conv(8, 3, padding=1), Conv(8, 3, padding=1)))
    >>> find_fields(net, (1, 8, 32, 32))["add"].axes[0].receptive_field
    5
    """
    graph, shapes = open_net(net, input_size)
    fields = start_fields(graph, shapes, of)
    for node in graph:
        shapes |= node_shapes(node, shapes)
        fields |= node_fields(node, fields, shapes)
    return fields


def start_fields(graph: Graph, shapes: Mapping[str, Shape], of: str | None = None) -> dict[str, Field]:
    """Return the field of each input, on the axes of the input `of` with positions: where a capture has letters.

    Of what has none, those after batch and channels.

    >>> start_fields(Graph([]), {"input": (1, 3, 8, 8)})["input"].product.covered
    1
    """
    chosen = graph.inputs[0] if of is None else of
    if chosen not in graph.inputs:
        raise BadArgument(f"no input {chosen!r}: the inputs are {', '.join(graph.inputs)}")
    places = positions(graph, chosen, shapes[chosen])
    axes = len(places)
    spatial = places == tuple(range(2, len(shapes[chosen])))
    start = Field.start(axes) if spatial else Field.on(shapes[chosen], places)
    return {name: start if name == chosen else Field.nothing(axes) for name in graph.inputs}


def positions(graph: Graph, chosen: str, shape: Shape) -> tuple[int, ...]:
    """Return the axes of an input along which there are positions: letters of a capture; elsewhere from the third on.

    >>> positions(Graph([]), "input", (1, 3, 8, 8))
    (2, 3)
    """
    letters = graph.capture.letters[graph.inputs.index(chosen)] if graph.capture is not None else ()
    some = tuple(axis for axis, size in enumerate(letters) if isinstance(size, Expr))
    return some or tuple(range(2, len(shape)))


def node_fields(node: Node, fields: Mapping[str, Field], shapes: Mapping[str, Shape]) -> dict[str, Field]:
    """Return the fields of one node's outputs, given the fields of what it reads and the shapes of it and of that.

    >>> from convcalc.layers import Conv
    >>> shapes = {"input": (1, 3, 8), "conv": (1, 4, 6)}
    >>> node_fields(Node("conv", Conv(4, 3)), {"input": Field.start(1)}, shapes)["conv"].axes[0].receptive_field
    3
    """
    inputs = [shapes[name] for name in node.inputs]
    before = [fields[name] for name in node.inputs]
    if not before:  # on as many axes as the input has
        axes = len(next(iter(fields.values())).axes)
        return dict.fromkeys(node.outputs, Field.unknown(axes) if node.layer.hides else Field.nothing(axes))
    return {name: read_through(node.layer, before, inputs, shapes[name]) for name in node.outputs}


def own_field(node: Node, place: int, shapes: Mapping[str, Shape], axes: int) -> Field:
    """Return what a node's first output reads of one of its inputs, whatever that reads.

    >>> from convcalc.layers import Conv
    >>> own_field(Node("conv", Conv(4, 3)), 0, {"input": (1, 3, 8), "conv": (1, 4, 6)}, 1).axes[0].receptive_field
    3
    """
    fields = [Field.start(axes) if i == place else Field.nothing(axes) for i in range(len(node.inputs))]
    return read_through(node.layer, fields, [shapes[name] for name in node.inputs], shapes[node.name])
