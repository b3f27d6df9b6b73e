"""The public way from torch, which imports torch when it is used and not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.network.graph import Graph, InputShapes


def from_torch(
    module: Any,
    input_size: InputShapes | None = None,
    *,
    example_inputs: Any = None,
    dtype: Any = None,
    train: bool = False,
    check: bool = True,
    assume: Mapping[str, bool] | None = None,
) -> Graph:
    """Return the graph of a `torch.nn.Module`, as it runs on inputs of these shapes, batch included.

    The module runs on `meta`, in evaluation unless `train`, and stays as it is. `input_size` is a shape
    (N, C, ...), of several inputs one each; a name such as "H" stands for a size to be found. Or give
    `example_inputs`: a tensor, a sequence of positional arguments, or a mapping of arguments by name. `dtype` is that
    of the inputs and, a floating one, of the parameters: their own unless given. `check` runs the module once or twice
    more, at other sizes, where the graph must be the same. `assume` says how conditions on values of the input go, by
    the line of code or the call that is asked, as {"net.py:9": False}. Raises `Unreadable` without torch, and what
    `convcalc inspect` shows where the module does not run.

    >>> torch = need_torch()
    >>> from_torch(torch.nn.Sequential(torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU()), (1, 1, 28, 28))
    Graph(Sequential: 2 nodes: input -> 1)
    """
    need_torch()
    from convcalc.bridge.trace import capture

    graph = capture(
        module, input_size, example_inputs=example_inputs, dtype=dtype, train=train, check=check, assume=assume
    )
    if graph.capture is not None and graph.capture.error is not None:
        raise graph.capture.error
    return graph
