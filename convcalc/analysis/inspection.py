"""`inspect`, as the library has it: a network and an input in, a report out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.analysis.memory import ITEMSIZES
from convcalc.analysis.opening import as_captured, is_module
from convcalc.analysis.report import Report, inspect_graph
from convcalc.blocks import Block, Part
from convcalc.errors import BadArgument
from convcalc.graph import Graph, InputShapes
from convcalc.layers.base import Layer


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
    place of `input_size`, `dtype` is that of the inputs, `train` runs it as in training, `assume` says how conditions
    on values of the input go: {"net.py:9": False}, by the line or by the call that is asked. Of anything else `dtype`
    is the type, such as "float16", in which memory is counted.

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
    convcalc.errors.BadArgument: inspect takes a torch module, a Graph, a block or a layer: got 'lenet'; the zoo's are \
functions, as convcalc.zoo.lenet()
    """
    _check_shape(net, input_size)
    if is_module(net):
        graph = as_captured(
            net, input_size, example_inputs=example_inputs, dtype=_torch_type(dtype), train=train, assume=assume
        )
        return inspect_graph(graph, input_size, dtype=value_type(net))
    if not isinstance(net, Graph | Block | Layer):
        raise BadArgument(f"inspect takes a torch module, a Graph, a block or a layer: got {_instead(net)}")
    if example_inputs is not None or train or assume:
        raise BadArgument("example_inputs, train and assume are for torch modules: give input_size")
    return inspect_graph(net, input_size, dtype="float32" if dtype is None else str(dtype).removeprefix("torch."))


def value_type(module: Any) -> str:
    """Return the type of the first parameter of a torch module that is no integer, as its values mostly have it."""
    kinds = (value.dtype for value in module.parameters() if value.is_floating_point() or value.is_complex())
    names = (str(kind).removeprefix("torch.") for kind in kinds)
    return next((name for name in names if name in ITEMSIZES), "float32")


def _torch_type(dtype: Any) -> Any:
    """A type of torch, from its name too."""
    if not isinstance(dtype, str):
        return dtype
    import sys

    name = dtype.removeprefix("torch.")
    if name not in ITEMSIZES:
        raise BadArgument(f"unknown dtype {dtype!r}: use one of {', '.join(ITEMSIZES)}")
    return getattr(sys.modules["torch"], name)


def _check_shape(net: Any, input_size: Any) -> None:
    if input_size is None or isinstance(input_size, Mapping | tuple | list):
        return
    raise BadArgument(
        f"input_size of {type(net).__name__} is a shape with the batch, as (1, 3, 224, 224): got {input_size!r}"
    )


def _instead(net: Any) -> str:
    """What was given, and what to write in its place."""
    if isinstance(net, str):
        return f"{net!r}; the zoo's are functions, as convcalc.zoo.lenet()"
    if isinstance(net, type):
        return f"the class {net.__name__}; write {net.__name__}(...)"
    name = type(net).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
