"""Layers one after another: every shape and footprint on the way, the formula of the whole, where it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.chain_text import stack_text, step_line
from convcalc.analysis.report.report import LayerReport
from convcalc.analysis.report.walk import walk
from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape, ConvcalcError, brief
from convcalc.footprints.footprint import Footprint
from convcalc.layers import Layer, Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import spatial_sizes
from convcalc.network.stack import read_stack
from convcalc.shown import Shown
from convcalc.sizes.conditions import enforce
from convcalc.sizes.size import Size, exact


@dataclass(frozen=True, kw_only=True, repr=False)
class Step(LayerReport):
    """One layer of a stack on its input: its row in a report, and itself."""

    layer: Layer

    @property
    def footprints(self) -> tuple[Footprint | None, ...]:
        """What its output reads of the stack's input on each spatial axis; None where that is no periodic map."""
        return self.field.axes

    def __str__(self) -> str:
        return step_line(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class Chain(Shown):
    """A stack on an input shape: the steps up to the first layer that refuses its input, and that refusal."""

    input: Shape
    steps: tuple[Step, ...]
    error: ConvcalcError | None
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""

    @property
    def output(self) -> Shape | None:
        """The output shape; None where a layer refuses its input."""
        return self.steps[-1].output if self.steps and self.error is None else None

    @property
    def formula(self) -> Shape | None:
        """The output's `spatial_sizes` for any input size; None where a layer has no formula or refuses."""
        symbolic = self.steps[-1].symbolic if self.steps and self.error is None else None
        return None if symbolic is None else spatial_sizes(symbolic)

    def __str__(self) -> str:
        return stack_text(self)


def run_chain(layers: str | Sequence[str] | Sequence[Layer], shape: Shape) -> Chain:
    """Run a shape (N, C, ...) through layers, or through a stack as text, on its sizes and on symbols at once.

    Raises `BadShape` unless the shape has 1 to 3 spatial axes; a layer's refusal does not raise, it is the result's
    `error`.

    >>> chain = run_chain("conv 64 k7 s2 p3; maxpool k3 s2 p1", (1, 3, 224))
    >>> chain.output, str(chain.formula[0]), chain.steps[-1].footprints[0].receptive_field
    ((1, 64, 56), '(L + 3)//4', 11)
    """
    graph = chained(_layers(layers))
    if not isinstance(shape, tuple | list) or not 3 <= len(shape) <= 5:
        raise BadShape(f"a stack takes (N, C, ...) with 1 to 3 spatial axes: got {shape!r}")
    shape = exact(" ".join(("N", "C", "size", "size", "size")[: len(shape)]), *shape)
    at_least(0, enforce, batch=shape[0], channels=shape[1])
    found = walk(graph, {"input": shape})
    steps = tuple(Step(**vars(row), layer=node.layer) for row, node in zip(found.rows, graph, strict=False))
    return Chain(input=shape, steps=steps, error=found.error, needs=found.needs)


def _layers(layers: str | Sequence[str] | Sequence[Layer]) -> Sequence[Layer]:
    if isinstance(layers, str):
        return read_stack(layers)
    found: list[Any] = [
        layer
        for entry in (layers if isinstance(layers, list | tuple) else [layers])
        for layer in (read_stack(entry) if isinstance(entry, str) else (entry,))
    ]
    for layer in found:
        if not isinstance(layer, Layer):
            raise BadArgument(f"a stack is made of layers, or text such as 'conv 64 k3 p1': got {brief(layer)}")
    return found


def chained(layers: Sequence[Layer]) -> Graph:
    """Return layers one after another as a graph, each named by its op, counted.

    >>> from convcalc.network.stack import read_stack
    >>> [node.name for node in chained(read_stack("(conv k3; relu) *2"))]
    ['conv1', 'relu1', 'conv2', 'relu2']
    """
    counted = Counter[str]()
    nodes, last = list[Node](), "input"
    for layer in layers:
        counted[layer.op] += 1
        nodes.append(Node(f"{layer.op}{counted[layer.op]}", layer, last))
        last = nodes[-1].name
    return Graph(nodes)
