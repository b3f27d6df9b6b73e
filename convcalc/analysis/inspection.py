"""`inspect`, as the library has it: a network and an input in, a report out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.analysis.memory import ITEMSIZES
from convcalc.analysis.opening import as_captured, is_module
from convcalc.analysis.report import Report, inspect_graph
from convcalc.blocks import Part
from convcalc.graph import Graph, InputShapes


def inspect(
    net: Graph | Part | Any,
    input_size: InputShapes | None = None,
    *,
    example_inputs: Any = None,
    dtype: Any = None,
    train: bool = False,
    assume: Mapping[str, bool] | None = None,
) -> Report:
    """Return the report of a network on inputs of this size, batch included: what `convcalc inspect` prints.

    `net` is a `torch.nn.Module`, a `convcalc.graph.Graph`, a block or a layer. `input_size` is a shape (N, C, ...), of
    several inputs one each; sizes are ints, or names such as "H" for any size. A graph with an `example`, as those of
    the zoo, needs none. A layer that refuses its input ends the rows; why is in `error`. Raises `BadArgument` for what
    is no network, `BadShape` where the sizes do not suit it.

    A torch module is captured, as `convcalc.from_torch` does it, and stays as it is: `example_inputs` may stand in the
    place of `input_size`, `dtype` is that of the inputs and, a floating one, of the parameters, `train` runs it as in
    training, `assume` says how conditions on values of the input go: {"net.py:9": False}, by the line or by the call
    that is asked. Of anything else `dtype` is the type, such as "float16", in which memory is counted.

    >>> import convcalc as cc
    >>> report = cc.inspect(cc.Sequential(cc.Conv(6, 5, padding=2), cc.MaxPool(2)), input_size=(1, 1, 28, 28))
    >>> report.output, report.params, report.macs
    ((1, 6, 14, 14), 156, 117600)
    >>> print(report)
    layer  op            output   any size     params  MACs     receptive field  stride
    0      conv 6 k5 p2  6x28x28  HxW          156     117,600  5                1
    1      maxpool k2    6x14x14  ⌊H/2⌋x⌊W/2⌋  0       0        6                2
    total                                      156     117,600
    1x28x28 -> 6x14x14
    156 parameters, 117,600 MACs (235,200 FLOPs)
    memory in float32: weights 624 B, outputs of all layers 23 KiB, at most 23 KiB of them at once
    shapes without the batch, 1
    >>> cc.inspect("lenet")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: a network is a torch module, a Graph, a block or a layer: got 'lenet'; the zoo's are \
functions, as convcalc.zoo.lenet()
    """
    graph = as_captured(net, input_size, example_inputs=example_inputs, dtype=dtype, train=train, assume=assume)
    return inspect_graph(graph, input_size, dtype=bytes_type(net, dtype))


def bytes_type(net: Any, dtype: Any) -> str:
    """The type in which values are counted: the one that is asked for, if it is no integer, else the module's own."""
    name = "" if dtype is None else str(dtype).removeprefix("torch.")
    if is_module(net) and not name.startswith(("float", "bfloat")):
        return value_type(net)
    return name or "float32"


def value_type(module: Any) -> str:
    """Return the type of the first parameter of a torch module that is no integer, as its values mostly have it."""
    kinds = (value.dtype for value in module.parameters() if value.is_floating_point() or value.is_complex())
    names = (str(kind).removeprefix("torch.") for kind in kinds)
    return next((name for name in names if name in ITEMSIZES), "float32")
