"""The `torch.nn` modules that torch itself has no word for: a graph, and what unites or aligns branches."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from convcalc.errors import BadArgument
from convcalc.network.graph import Graph


class Concat(nn.Module):
    """Tensors one after another along axis `dim`.

    >>> Concat(dim=1)(torch.zeros(1, 2, 3), torch.zeros(1, 4, 3)).shape
    torch.Size([1, 6, 3])
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Concatenate."""
        return torch.cat(tensors, self.dim)


class Add(nn.Module):
    """The sum of tensors.

    >>> Add()(torch.ones(1, 2), torch.ones(1, 2))
    tensor([[2., 2.]])
    """

    def forward(self, first: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """Add."""
        for other in others:
            first = first + other
        return first


class Mul(nn.Module):
    """The product of tensors.

    >>> Mul()(torch.ones(1, 2), torch.ones(1, 1))
    tensor([[1., 1.]])
    """

    def forward(self, first: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """Multiply."""
        for other in others:
            first = first * other
        return first


class CropTo(nn.Module):
    """The centre of a map, as large as another.

    >>> CropTo()(torch.arange(5.0).view(1, 1, 5), torch.zeros(1, 1, 2))
    tensor([[[1., 2.]]])
    """

    def forward(self, tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Cut (n - m)//2 before, the rest after."""
        for axis in range(2, tensor.dim()):
            size = like.shape[axis]
            tensor = tensor.narrow(axis, (tensor.shape[axis] - size) // 2, size)
        return tensor


class PadTo(nn.Module):
    """A map with zeros around it, as large as another.

    >>> PadTo()(torch.ones(1, 1, 2), torch.zeros(1, 1, 5))
    tensor([[[0., 1., 1., 0., 0.]]])
    """

    def forward(self, tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Put (m - n)//2 before, the rest after."""
        sides: list[int] = []
        for axis in range(tensor.dim() - 1, 1, -1):  # torch counts axes from the last
            more = like.shape[axis] - tensor.shape[axis]
            sides += [more // 2, more - more // 2]
        return nn.functional.pad(tensor, sides)


class GraphModule(nn.Module):
    """A graph that runs: a submodule for each node, at the path that is its name.

    It takes a tensor for each input of the graph and returns the output, of several a tuple. Nodes that share
    weights run the submodule that has them. Made by `convcalc.bridge.assembly.assemble.to_torch`.
    """

    def __init__(self, graph: Graph, modules: dict[str, nn.Module]) -> None:
        super().__init__()
        self._convcalc = graph
        for name, module in modules.items():
            _place(self, name, module)

    def forward(self, *inputs: Any) -> Any:
        """Run every node."""
        graph = self._convcalc
        if len(inputs) != len(graph.inputs):
            raise BadArgument(f"the inputs are {', '.join(graph.inputs)}: got {len(inputs)}")
        values = dict(zip(graph.inputs, inputs, strict=True))
        for node in graph:
            module = self.get_submodule(node.shares or node.name)
            values[node.name] = module(*(values[name] for name in node.inputs))
        outputs = tuple(values[name] for name in graph.outputs)
        return outputs[0] if len(outputs) == 1 else outputs


def _place(root: nn.Module, path: str, module: nn.Module) -> None:
    *folders, name = path.split(".")
    try:
        for folder in folders:
            if folder not in root._modules:
                root.add_module(folder, nn.Module())
            root = root.get_submodule(folder)
        root.add_module(name, module)
    except KeyError as error:
        raise BadArgument(f"torch has no place for the node {path!r}: {error.args[0]}; rename it") from None
