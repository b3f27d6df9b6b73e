"""`inspect`, as the library has it: a network and an input in, a report out."""

from __future__ import annotations

from convcalc.analysis.report import Report, inspect_graph
from convcalc.blocks import Block, Part
from convcalc.errors import BadArgument
from convcalc.graph import Graph, InputShapes
from convcalc.layers.base import Layer


def inspect(net: Graph | Part, input_size: InputShapes | None = None) -> Report:
    """Return the report of a network on inputs of this size, batch included: what `convcalc inspect` prints.

    `net` is a `convcalc.graph.Graph`, a block or a layer. `input_size` is a shape (N, C, ...), of several inputs one
    each; sizes are ints, or names such as "H" for any size. A graph with an `example`, as those of the zoo, needs
    none. A layer that refuses its input ends the rows; why is in `error`. Raises `BadArgument` for what is no
    network, `BadShape` where the sizes do not suit it.

    >>> import convcalc as cc
    >>> report = cc.inspect(cc.Sequential(cc.Conv(6, 5, padding=2), cc.MaxPool(2)), input_size=(1, 1, 28, 28))
    >>> report.output, report.params, report.macs
    ((1, 6, 14, 14), 156, 117600)
    >>> print(report)
    layer  op            output   any size     params  MACs     field  stride
    0      conv 6 k5 p2  6x28x28  HxW          156     117,600  5      1
    1      maxpool k2    6x14x14  ⌊H/2⌋x⌊W/2⌋  0       0        6      2
    total                                      156     117,600
    1x28x28 -> 6x14x14
    156 parameters, 117,600 MACs (235,200 FLOPs)
    shapes without the batch, 1
    >>> cc.inspect("lenet")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: inspect takes a Graph, block or layer: got 'lenet'; the zoo's are functions, as \
convcalc.zoo.lenet()
    """
    if isinstance(net, Graph | Block | Layer):
        return inspect_graph(net, input_size)
    if isinstance(net, str):
        raise BadArgument(
            f"inspect takes a Graph, block or layer: got {net!r}; the zoo's are functions, as convcalc.zoo.lenet()"
        )
    raise BadArgument(f"inspect takes a Graph, block or layer of convcalc: got a {type(net).__name__}")
