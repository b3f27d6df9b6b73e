"""The report of a network as a table: one row a node, totals under their columns, the answer below."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from convcalc.analysis.report import LayerReport, Report
from convcalc.chain import spatial_sizes
from convcalc.errors import ConvcalcError
from convcalc.exprtext import PRETTY, Style
from convcalc.layers.base import Shape
from convcalc.render.notes import note_lines
from convcalc.render.stack import field_texts, written_op
from convcalc.render.table import plain_table
from convcalc.render.words import across, count, needed

SPARE = ("any size", "stride", "field", "op")
"""What a narrow terminal can do without, first to last."""

_CHECKED = ("in_channels", "in_features")


def report_columns(report: Report, style: Style = PRETTY) -> tuple[list[str], list[list[str]]]:
    """Return the headings, one row of texts a node, and the totals; shapes are without the batch.

    >>> from convcalc.analysis.report import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> columns, rows = report_columns(inspect_graph(lenet()))
    >>> rows[0]
    ['conv1', 'conv 6 k5 p2', '6x28x28', 'HxW', '156', '117,600', '5', '1']
    """
    columns = ["layer", "op", "output", "any size", "params", "MACs", "field", "stride"]
    rows = [_row(row, style) for row in report.layers]
    rows.append(["total", "", "", "", count(report.params, style), count(report.macs, style), "", ""])
    if all(row[3] in ("", row[2], row[2].partition("x")[2]) for row in rows):  # the input is given in symbols
        columns.pop(3)
        rows = [row[:3] + row[4:] for row in rows]
    return columns, rows


def _row(row: LayerReport, style: Style) -> list[str]:
    field, stride, *_ = field_texts(row.field.axes)
    return [
        row.name,
        op_text(row),
        shape_text(row.output, style),
        "-" if row.symbolic is None else across(spatial_sizes(row.symbolic), style),
        "shared" if row.shared else count(row.params, style),
        count(row.macs, style),
        field,
        stride,
    ]


def op_text(row: LayerReport) -> str:
    """Return the op and its hyper-parameters as a stack has them, without what only checks the input.

    >>> from convcalc.analysis.report import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> op_text(inspect_graph(lenet())["fc1"])
    'linear 120'
    """
    if row.op == "block":
        return f"block of {row.args['nodes']}"
    return written_op(row.op, {name: value for name, value in row.args.items() if name not in _CHECKED})


def shape_text(shape: Shape, style: Style) -> str:
    """Return a shape without its batch.

    >>> shape_text((1, 64, 56, 56), PRETTY)
    '64x56x56'
    """
    return across(shape[1:], style) if len(shape) > 1 else "()"


def shapes_text(shapes: Mapping[str, Shape], style: Style) -> str:
    """Return one shape; of several, each with its name.

    >>> shapes_text({"image": (1, 3, 8, 8), "mask": (1, 1, 8, 8)}, PRETTY)
    'image 3x8x8, mask 1x8x8'
    """
    if len(shapes) == 1:
        return "".join(shape_text(shape, style) for shape in shapes.values())
    return ", ".join(f"{name} {shape_text(shape, style)}" for name, shape in shapes.items())


def report_summary(report: Report, style: Style = PRETTY) -> list[str]:
    """Return the answer: sizes, costs, what was left out of the table, what symbols need.

    >>> from convcalc.analysis.report import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> for line in report_summary(inspect_graph(lenet())): print(line)
    lenet: 1x28x28 -> 10
    61,706 parameters, 416,520 MACs (833,040 FLOPs)
    shapes without the batch, 1
    """
    name = f"{report.model}: " if report.model else ""
    out = shapes_text(report.outputs, style) or "fails"
    batch = ", ".join(dict.fromkeys(str(shape[0]) for shape in report.inputs.values() if shape))
    costs = f"{count(report.params, style)} parameters, {count(report.macs, style)} MACs"
    flops = f" ({report.flops:,} FLOPs)" if isinstance(report.flops, int) else ""
    until = " up to there" if report.error else ""
    lines = [
        f"{name}{shapes_text(report.inputs, style)} -> {out}",
        f"{costs}{flops}{until}",
        f"shapes without the batch, {batch}",
    ]
    needs = needed(report.needs, style)
    if needs:
        lines.append(f"needs {needs}")
    if report.opaque:
        lines.append(f"opaque {', '.join(report.opaque)}")
    return [*lines, *report.path, *report.remarks, *note_lines(report.notes)]


def error_lines(error: ConvcalcError) -> list[str]:
    """Return why the answer is no: the sentence, the rule, the ways out.

    >>> from convcalc.errors import BadShape
    >>> error_lines(BadShape("fc: 400 features, not 8192", rule="features agree", fixes=["in_features=8192"]))
    ['Error: fc: 400 features, not 8192', 'rule   features agree', 'fix    in_features=8192']
    """
    rule = [f"rule   {error.rule}"] if error.rule else []
    return [f"Error: {error.message}", *rule, *(f"fix    {fix}" for fix in error.fixes)]


def report_text(report: Report, style: Style = PRETTY) -> str:
    """Return the whole report as text: table, answer, and why the answer is no.

    >>> from convcalc.analysis.report import inspect_graph
    >>> from convcalc.layers import Conv
    >>> print(report_text(inspect_graph(Conv(8, 3), (1, 3, 32, 32))))
    layer  op         output   any size         params  MACs     field  stride
    conv   conv 8 k3  8x30x30  (H − 2)x(W − 2)  224     194,400  3      1
    total                                       224     194,400
    3x32x32 -> 8x30x30
    224 parameters, 194,400 MACs (388,800 FLOPs)
    shapes without the batch, 1
    """
    error = error_lines(report.error) if report.error else []
    return "\n".join([plain_table(*report_columns(report, style)), *report_summary(report, style), *error])


def report_html(report: Report) -> str:
    """Return the report for notebooks.

    >>> from convcalc.analysis.report import inspect_graph
    >>> from convcalc.layers import ReLU
    >>> report_html(inspect_graph(ReLU(), (1, 3, 8, 8))).startswith("<table><thead><tr><th>layer</th>")
    True
    """
    columns, rows = report_columns(report)
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    error = error_lines(report.error) if report.error else []
    below = "".join(f"<div>{escape(line)}</div>" for line in [*report_summary(report), *error])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"
