"""A node of a network: a layer under a name, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convcalc.errors import BadArgument, brief
from convcalc.layers.base import Layer
from convcalc.network.ops import node_line
from convcalc.shown import Shown
from convcalc.sizes.atoms import kept


@dataclass(frozen=True)
class Weights:
    """The parameters that a captured call is the first to use: their names, how many, how many are trained, bytes.

    `macs` are the multiply-accumulates that make its weights from them, under a parametrization.

    >>> Weights(("conv.weight", "conv.bias"), 80, 80, 320).params
    80
    """

    names: tuple[str, ...] = ()
    params: int = 0
    trainable: int = 0
    bytes: int = 0
    macs: int = 0


@dataclass(frozen=True, repr=False)
class Node(Shown):
    """One call of a layer: its name, what it reads (names of nodes and inputs), where it stands.

    A layer of several outputs has them under "name", "name[1]", "name[2]", ... `shares` names an earlier node whose
    weights it uses again. Of a captured call, `source` says where it was written and `weights` what it counts.

    >>> Node("conv1", Layer(), "input").inputs
    ('input',)
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    shares: str | None = None
    source: str | None = None
    weights: Weights | None = None

    def __init__(
        self,
        name: str,
        layer: Layer,
        inputs: str | Sequence[str] = "input",
        shares: str | None = None,
        source: str | None = None,
        weights: Weights | None = None,
    ) -> None:
        if not isinstance(layer, Layer):
            raise BadArgument(f"node {name!r} takes a layer: {brief(layer)}{_instead(layer)}")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "layer", layer)
        object.__setattr__(self, "inputs", (inputs,) if isinstance(inputs, str) else tuple(inputs))
        object.__setattr__(self, "shares", shares)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "weights", weights)

    @kept
    def outputs(self) -> tuple[str, ...]:
        """The names of its outputs.

        >>> from convcalc.layers import Chunk
        >>> Node("halves", Chunk(2)).outputs
        ('halves', 'halves[1]')
        """
        count = self.layer.outputs
        return (self.name,) if count == 1 else (self.name, *(f"{self.name}[{place}]" for place in range(1, count)))

    def __str__(self) -> str:
        return node_line(self)


def _instead(thing: object) -> str:
    return f"; write {thing.__name__}(...)" if isinstance(thing, type) else ""


def path_at(name: str, depth: int) -> str:
    """Return the first `depth` steps of a node's path; the whole name where it has not so many.

    >>> [path_at(name, 2) for name in ("layer1.0.conv1", "layer1.0:add", "layer1:add", "fc")]
    ['layer1.0', 'layer1.0', 'layer1:add', 'fc']
    """
    steps = name.partition(":")[0].split(".")
    return ".".join(steps[:depth]) if len(steps) >= depth else name


def is_inside(name: str, path: str) -> bool:
    """Whether a node is the one named `path`, or stands in the block of that name.

    >>> [is_inside(name, "layer1") for name in ("layer1", "layer1.0.conv1", "layer1:add", "layer10")]
    [True, True, True, False]
    """
    return name == path or name.startswith((f"{path}.", f"{path}:"))
