"""Layers one after another: every shape and footprint on the way, the formula of the whole, where it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.report.layer import LayerReport, shape_text
from convcalc.analysis.report.walk import walk
from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape, ConvcalcError, brief
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.text import field_texts
from convcalc.layers import Layer, Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.ops import shorthand
from convcalc.network.shapes import spatial_sizes
from convcalc.network.stack import read_stack
from convcalc.render.table import plain_table
from convcalc.render.words import across, count, error_lines, needed, number, plain, single
from convcalc.shown import Shown
from convcalc.sizes.conditions import enforce
from convcalc.sizes.size import Size, exact, is_symbolic
from convcalc.sizes.text import PRETTY, PYTHON, Style


@dataclass(frozen=True, kw_only=True, repr=False)
class Step(LayerReport):
    """One layer of a stack on its input: its row in a report, and itself."""

    layer: Layer

    @property
    def footprints(self) -> tuple[Footprint | None, ...]:
        """What its output reads of the stack's input on each spatial axis; None where that is no periodic map."""
        return self.field.axes

    def __str__(self) -> str:
        field, stride, *_ = field_texts(self.footprints)
        out = shape_text(self.output, PRETTY)
        return f"{self.name}: {shorthand(self.layer)} -> {out}, receptive field {field}, stride {stride}"


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


def stack_columns(chain: Chain, style: Style, channels: bool) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts per layer; parameters and MACs with `channels` known."""
    rows = [_row(step, style, channels) for step in chain.steps]
    dense = all(row["covered"] == row["receptive field"] for row in rows)
    left_out = {*(["covered"] if dense else []), *([] if channels else ["params", "MACs"])}
    columns = [name for name in COLUMNS if name not in left_out]
    return columns, [[row[name] for name in columns] for row in rows]


COLUMNS = ("layer", "op", "output", "any size", "receptive field", "stride", "offset", "covered", "params", "MACs")


def _row(step: Step, style: Style, channels: bool) -> dict[str, str]:
    known = channels or len(step.output) < 2 or isinstance(step.output[1], int)
    output = across(step.output[1:] if known else spatial_sizes(step.output), style)
    formula = "-" if step.symbolic is None else across(spatial_sizes(step.symbolic), style)
    costs = count(step.params, style), count(step.macs, style)
    texts = [step.name, shorthand(step.layer), output, formula, *field_texts(step.footprints), *costs]
    return dict(zip(COLUMNS, texts, strict=True))


def stack_text(chain: Chain) -> str:
    """Return the whole stack as text: table, answer, and why the answer is no.

    >>> print(stack_text(run_chain("conv 8 k3", (1, 3, 28))))
    layer  op         output  any size  receptive field  stride  offset  params  MACs
    conv1  conv 8 k3  8x26    L − 2     3                1       1       80      1,872
    28 -> 26   any L: L − 2
    80 params, 1,872 MACs, of 1-D layers; for images give both sizes, as 224x224
    """
    channels = isinstance(chain.input[1], int)
    table = [plain_table(*stack_columns(chain, PRETTY, channels))] if chain.steps else []
    error = error_lines(chain.error) if chain.error else []
    return "\n".join([*table, *stack_summary(chain, PRETTY, channels), *error])


def stack_summary(chain: Chain, style: Style, channels: bool) -> list[str]:
    """Return what the whole stack does: sizes, formula, cost, what symbols need, and what the table leaves open."""
    if chain.output is None:
        return []
    into, out = across(spatial_sizes(chain.input), style), across(spatial_sizes(chain.output), style)
    line = f"{into} -> {out}"
    if chain.formula is None:
        line += "   no one formula: a layer rounds sizes in floating point"
    elif not any(map(is_symbolic, chain.input[2:])):
        line += f"   any {'L' if len(chain.input) == 3 else 'size'}: {across(chain.formula, style)}"
    lines = [line]
    if channels:
        params, macs = (sum(getattr(step, name) for step in chain.steps) for name in ("params", "macs"))
        lines.append(f"{count(params, style)} params, {count(macs, style)} MACs")
        if len(chain.input) == 3:
            lines[-1] += ", of 1-D layers; for images give both sizes, as 224x224"
    if needs := needed(chain.needs, style):
        lines.append(f"needs {needs}")
    if any(footprint is None for step in chain.steps for footprint in step.footprints):
        lines.append(
            "- in receptive field: windows that differ from place to place, as of adaptive pooling, have no one field"
        )
    return lines


def stack_record(chain: Chain) -> dict[str, Any]:
    """Return the JSON record of a stack; shapes include the batch, the formula does not."""
    return {
        "kind": "stack",
        "input": plain(chain.input),
        "layers": [_step_record(step) for step in chain.steps],
        "output": plain(chain.output),
        "out": None if chain.output is None else single(plain(spatial_sizes(chain.output))),
        "formula": None if chain.formula is None else single([number(size, PYTHON) for size in chain.formula]),
        "needs": [f"{plain(value)} >= 0" for value in chain.needs],
    }


def _step_record(step: Step) -> dict[str, Any]:
    """The record of its row in a report, less what differs in captured modules alone."""
    record = step.to_dict()
    for name in ("trainable", "constant", "counted"):
        del record[name]
    formula = None if step.symbolic is None else [number(size, PYTHON) for size in step.symbolic]
    return {**record, "symbolic": formula}
