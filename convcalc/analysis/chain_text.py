"""A stack of layers as rows, as one formula, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcalc.analysis.report.text import shape_text
from convcalc.footprints.text import field_texts
from convcalc.network.ops import shorthand
from convcalc.network.shapes import spatial_sizes
from convcalc.render.table import plain_table
from convcalc.render.words import across, count, error_lines, needed, number, plain, single
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import is_symbolic
from convcalc.sizes.text import PRETTY, PYTHON, Style, write

if TYPE_CHECKING:
    from convcalc.analysis.chain import Chain, Step


def stack_columns(chain: Chain, style: Style, channels: bool) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts per layer; parameters and MACs with `channels` known."""
    columns = ["layer", "op", "output", "any size", "receptive field", "stride", "offset", "covered"]
    rows = [_row(step, style, channels) for step in chain.steps]
    if all(row[-1] == row[-4] for row in rows):  # nothing is missed
        columns.pop()
        rows = [row[:-1] for row in rows]
    if channels:
        columns += ["params", "MACs"]
        rows = [
            [*row, count(step.params, style), count(step.macs, style)]
            for row, step in zip(rows, chain.steps, strict=True)
        ]
    return columns, rows


def _row(step: Step, style: Style, channels: bool) -> list[str]:
    known = channels or len(step.output) < 2 or isinstance(step.output[1], int)
    output = across(step.output[1:] if known else spatial_sizes(step.output), style)
    formula = "-" if step.symbolic is None else across(spatial_sizes(step.symbolic), style)
    return [step.name, shorthand(step.layer), output, formula, *field_texts(step.footprints)]


def stack_text(chain: Chain) -> str:
    """Return the whole stack as text: table, answer, and why the answer is no.

    >>> from convcalc.analysis.chain import run_chain
    >>> from convcalc.layers import Conv
    >>> print(stack_text(run_chain([Conv(8, 3)], (1, 3, 28))))
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
        line += f"   any {'L' if len(chain.formula) == 1 else 'size'}: {across(chain.formula, style)}"
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
    record = {name: value for name, value in step.to_dict().items() if name not in _CAPTURED}
    formula = None if step.symbolic is None else [number(size, PYTHON) for size in step.symbolic]
    return {**record, "symbolic": formula}


_CAPTURED = ("trainable", "constant", "counted")


def stack_latex(chain: Chain, style: Style) -> list[str]:
    """Return the formula of each axis."""
    return [] if chain.formula is None else [write(Expr.const(0) + size, style) for size in chain.formula]


def step_line(step: Step) -> str:
    """Return a step of a stack.

    >>> from convcalc.analysis.chain import run_chain
    >>> from convcalc.layers import Conv
    >>> step_line(run_chain([Conv(8, 3)], (1, 3, 28)).steps[0])
    'conv1: conv 8 k3 -> 8x26, receptive field 3, stride 1'
    """
    field, stride, *_ = field_texts(step.footprints)
    out = shape_text(step.output, PRETTY)
    return f"{step.name}: {shorthand(step.layer)} -> {out}, receptive field {field}, stride {stride}"
