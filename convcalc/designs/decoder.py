"""The transposed layers that bring every size of an encoder back, and the output_padding that each size needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from typing import Any

from convcalc.arithmetic.formulas import extent, padding_pair
from convcalc.designs.decoder_text import decoder_code, decoder_record, decoder_text
from convcalc.errors import ConvcalcError, NoSolution, labelled
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import node_formulas
from convcalc.shown import Shown
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


@dataclass(frozen=True, kw_only=True)
class Up:
    """A transposed layer: the node that it undoes, its settings an axis, and the sizes that it gives back.

    `rest` is n + p0 + p1 - e of that node on each axis, n being the size: modulo the stride it is the output_padding.
    `cut` is the padding of that node where its sides are not alike: that is cut off after the layer.
    """

    name: str
    undoes: str
    in_channels: Size
    out_channels: Size
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    size: Shape
    rest: Shape
    cut: tuple[tuple[int, int], ...] | None

    @property
    def output_padding(self) -> tuple[Size, ...]:
        """Rows added at the end: a number or a formula an axis."""
        return tuple(rest % stride for rest, stride in zip(self.rest, self.stride, strict=True))


@dataclass(frozen=True, kw_only=True, repr=False)
class Decoder(Shown):
    """The decoder of an encoder: its layers, deepest first.

    >>> from convcalc.network.blocks import Sequential, as_graph
    >>> from convcalc.layers import Conv
    >>> net = as_graph(Sequential(Conv(16, 3, stride=2, padding=1), Conv(32, 3, stride=2, padding=1)))
    >>> found = decoder(net, {"input": (1, 3, 224, 224)})
    >>> [(up.name, up.undoes, up.in_channels, up.out_channels) for up in found.layers]
    [('up1', '1', 32, 16), ('up2', '0', 16, 3)]
    """

    model: str
    letters: tuple[str, ...]
    """The sizes of the encoder's input, by name."""
    end: str
    """The node of the encoder from whose output it starts."""
    layers: tuple[Up, ...]
    at: Mapping[str, int]
    """The sizes that were given as numbers."""

    @property
    def source(self) -> str:
        """The decoder as a torch module."""
        return decoder_code(self)

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return decoder_record(self)

    def __str__(self) -> str:
        return decoder_text(self)


def decoder(graph: Graph, shapes: Mapping[str, Shape]) -> Decoder:
    """Return the decoder of a network up to where it has no more spatial axes, along the first input of every node.

    Raises `NoSolution` for a layer whose sizes no transposed convolution brings back.

    >>> from convcalc.network.blocks import as_graph
    >>> from convcalc.layers import MaxPool
    >>> (up,) = decoder(as_graph(MaxPool(2)), {"input": (1, 8, 9)}).layers
    >>> up.stride, up.output_padding[0](L=9)
    ((2,), 1)
    """
    known = dict(graph.lettered(shapes))
    for node in graph.with_formulas:
        try:
            known |= node_formulas(node, known, Conditions())
        except ConvcalcError:
            break
    path = _path(graph, known)
    changing = [(node, read) for node, read in path if known[read][2:] != known[node.outputs[0]][2:]]
    if not changing:
        raise NoSolution("no layer on the way changes the sizes of a map: there is nothing to bring back")
    end, first = path[-1][0], known[path[0][1]]
    channels = known[end.outputs[0]][1]
    layers = []
    for place, (node, read) in enumerate(reversed(changing), 1):
        layers.append(_up(f"up{place}", node, known[read], known[node.outputs[0]], channels))
        channels = layers[-1].out_channels
    letters = dict.fromkeys(name for size in first[2:] for name in sorted(size.symbols))
    pairs = [pair for name in graph.inputs for pair in zip(known[name], shapes[name], strict=True)]
    at = {str(letter): size for letter, size in pairs if isinstance(letter, Expr) and isinstance(size, int)}
    return Decoder(
        model=graph.name or "the encoder",
        letters=tuple(letters),
        end=end.name,
        layers=tuple(layers),
        at={name: at[name] for name in letters if name in at},
    )


def _path(graph: Graph, known: Mapping[str, Shape]) -> list[tuple[Node, str]]:
    """The nodes, each with what it reads, from the first map that has sizes to the last with the same axes."""
    back: list[tuple[Node, str]] = []
    name = graph.outputs[0]
    by_output = {output: node for node in graph for output in node.outputs}
    while name not in graph.inputs:
        node = by_output[name]
        if not node.inputs:
            raise NoSolution(f"the network's output comes from {node.name}, not along one way from its input")
        sized = [one for one in node.inputs if one in known and _is_sized(known[one])]
        name = (sized or node.inputs)[0]
        back.append((node, name))
    path = dropwhile(lambda step: not _is_sized(known.get(step[1], ())), reversed(back))
    return list(takewhile(lambda step: _is_same_map(known[step[1]], known.get(step[0].outputs[0], ())), path))


def _is_same_map(before: Shape, after: Shape) -> bool:
    return len(before) == len(after) and _is_sized(after)


def _is_sized(shape: Shape) -> bool:
    """Whether all spatial sizes depend on those of the input."""
    return len(shape) > 2 and all(isinstance(size, Expr) and not size.is_constant for size in shape[2:])


def _up(name: str, node: Node, before: Shape, after: Shape, channels: Size) -> Up:
    windows, place = node.layer.windows(before), labelled(node.name, node.layer.op)
    if not windows:
        raise NoSolution(f"{place}: no transposed convolution brings back the sizes it changes")
    if node.layer.ceil_mode:
        raise NoSolution(f"{place} rounds up (ceil_mode): what comes back is longer than what went in")
    pairs = [padding_pair(n, *window, check=Conditions()) for n, window in zip(before[2:], windows, strict=True)]
    if not all(isinstance(side, int) for side in (channels, before[1], *(side for pair in pairs for side in pair))):
        raise NoSolution(f"{place}: its channels and padding must be numbers, whatever the size")
    kernel, stride, _, dilation = (tuple(entry) for entry in zip(*windows, strict=True))
    rest = [n + sum(pair) - extent(k, d) for n, pair, k, d in zip(before[2:], pairs, kernel, dilation, strict=True)]
    alike = all(first == last for first, last in pairs)
    return Up(
        name=name,
        undoes=node.name,
        in_channels=channels,
        out_channels=before[1],
        kernel_size=kernel,
        stride=stride,
        padding=tuple(first if alike else 0 for first, _ in pairs),
        dilation=dilation,
        size=before[2:],
        rest=tuple(rest),
        cut=None if alike else tuple(pairs),
    )
