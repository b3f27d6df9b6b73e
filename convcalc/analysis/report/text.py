"""The report of a network as a table: one row a node, totals under their columns, the answer below."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from convcalc.analysis.notes.base import note_lines
from convcalc.analysis.report.layer import LayerReport, shape_text
from convcalc.footprints.text import field_texts
from convcalc.layers.base import Shape
from convcalc.network.ops import op_words
from convcalc.network.shapes import spatial_sizes
from convcalc.render.table import html_table, narrow_table
from convcalc.render.words import across, bytes_text, count, error_lines, listed, needed
from convcalc.sizes.size import Size, is_symbolic
from convcalc.sizes.text import PRETTY, Style

if TYPE_CHECKING:
    from convcalc.analysis.report.report import Report

SPARE = ("source", "any size", "stride", "receptive field", "op")
"""What a narrow terminal can do without, first to last."""

SHOWN = 6
"""So many conditions, and names of opaque calls, are shown; the rest are counted."""


def report_columns(
    report: Report, style: Style = PRETTY, *, every: bool = False, source: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Return the headings, one row of texts a node, and the totals; shapes are without the batch.

    Rows that only make constants are left out unless `every`; with `source` there is a column for where a call is
    written. A node that refuses its input has a row of its own, before the totals.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> columns, rows = report_columns(inspect_graph(lenet()))
    >>> rows[0]
    ['conv1', 'conv 6 k5 p2', '6x28x28', 'HxW', '156', '117,600', '5', '1']
    """
    columns = ["layer", "op", "output", "any size", "params", "MACs", "receptive field", "stride", "source"]
    batch, rank = _batch(report), max(map(len, report.inputs.values()), default=0)
    rows = [_row(row, batch, rank, style) for row in report.layers if every or not _is_noise(row, report)]
    if all(row["any size"] in ("", row["output"], row["output"].partition("x")[2]) for row in rows):
        columns.remove("any size")  # the input is given in symbols
    if not source:
        columns.remove("source")
    if (failed := report.failed) is not None:
        words = op_words(failed.op, failed.args)
        rows.append({"layer": failed.name, "op": words, "output": "FAILS", "source": source_text(failed.source)})
    rows.append({"layer": "total", "params": count(report.params, style), "MACs": _macs(report, style)})
    return columns, [[row.get(name, "") for name in columns] for row in rows]


def _batch(report: Report) -> Size | None:
    """The first size of the first input."""
    return next((shape[0] for shape in report.inputs.values() if shape), None)


def _is_noise(row: LayerReport, report: Report) -> bool:
    """Whether a row only makes a constant, and that is not what the network is asked for."""
    costs = (row.params, row.macs) != (0, 0) or row.shared
    return row.constant and not costs and row.name not in (*report.ends, *report.opaque)


def _row(row: LayerReport, batch: Size | None, rank: int, style: Style) -> dict[str, str]:
    field, stride, *_ = field_texts(row.field.axes)
    return {
        "layer": row.name,
        "op": op_words(row.op, row.args),
        "output": shape_text(row.output, style, batch),
        "any size": "-" if row.symbolic is None else _any_size(row.symbolic, batch, rank, style),
        "params": "shared" if row.shared else count(row.params, style),
        "MACs": count(row.macs, style),
        "receptive field": field or "-",
        "stride": stride or "-",
        "source": source_text(row.source),
    }


def _any_size(shape: Shape, batch: Size | None, rank: int, style: Style) -> str:
    """The spatial sizes; all but the batch where the axes are others than the input's, or channels change too."""
    if len(shape) in (2, rank) and shape[0] == batch and not is_symbolic(shape[1]):
        return across(spatial_sizes(shape), style)
    return shape_text(shape, style, batch)


def source_text(source: str | None) -> str:
    """Return where a call is written, from the working directory or the folder of packages on.

    >>> source_text("/usr/lib/site-packages/timm/models/vit.py:9"), source_text(None)
    ('timm/models/vit.py:9', '')
    """
    if source is None:
        return ""
    inside = source.rpartition("site-packages/")[2]
    return inside.removeprefix(f"{Path.cwd()}{os.sep}")


def shapes_text(shapes: Mapping[str, Shape], style: Style, batch: Size | None = None) -> str:
    """Return one shape; of several, each with its name, unless that is only its place.

    >>> shapes_text({"image": (1, 3, 8, 8), "mask": (1, 1, 8, 8)}, PRETTY)
    'image 3x8x8, mask 1x8x8'
    """
    if len(shapes) == 1:
        return "".join(shape_text(shape, style, batch) for shape in shapes.values())
    texts = ((name, shape_text(shape, style, batch)) for name, shape in shapes.items())
    return ", ".join(text if re.fullmatch(r"[0-9.]+", name) else f"{name} {text}" for name, text in texts)


def report_summary(report: Report, style: Style = PRETTY, *, every: bool = False) -> list[str]:
    """Return the answer: sizes, costs, what was left out of the table, what symbols need.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> for line in report_summary(inspect_graph(lenet())): print(line)
    lenet: 1x28x28 -> 10
    61,706 parameters, 416,520 MACs (833,040 FLOPs)
    memory in float32: weights 241 KiB, outputs of all layers 58.6 KiB, at most 36.8 KiB of them at once
    shapes without the batch, 1
    """
    name = f"{report.model}: " if report.model else ""
    batch = _batch(report)
    out = shapes_text(report.outputs, style, batch) or "fails"
    lines = [
        f"{name}{shapes_text(report.inputs, style, batch)} -> {out}",
        _costs(report, style),
        *([f"the MACs of {listed(report.uncounted, SHOWN)} are not known"] if report.uncounted else []),
        *_memory(report),
        _shapes_line(report, batch),
    ]
    if needs := needed(report.needs, style):
        lines.append(f"needs {needs}")
    if report.opaque:
        lines.append(f"opaque {listed(report.opaque, SHOWN)}")
        whys = dict.fromkeys(row.args["opaque"] for row in report.layers if "opaque" in row.args)
        lines += [f"  as {why}" for why in list(whys)[:SHOWN]]
    hidden = 0 if every else sum(_is_noise(row, report) for row in report.layers)
    if hidden == 1:
        lines.append("1 call that only makes a constant is not shown; --all shows it")
    elif hidden:
        lines.append(f"{hidden} calls that only make constants are not shown; --all shows them")
    if report.path:  # the model may ask for sizes on its way
        conditions = listed(list(dict.fromkeys(report.path)), SHOWN, "conditions more")
        lines.append(f"at other sizes it may run otherwise; this is where {conditions}")
    return [*lines, *report.remarks, *note_lines(report.notes)]


def _costs(report: Report, style: Style) -> str:
    trained = "" if report.trainable == report.params else f" ({count(report.trainable, style)} trained)"
    flops = f" ({report.flops:,} FLOPs)" if isinstance(report.flops, int) else ""
    until = " up to there" if report.error else ""
    return f"{count(report.params, style)} parameters{trained}, {_macs(report, style)} MACs{flops}{until}"


def _macs(report: Report, style: Style) -> str:
    """The multiply-accumulates; those that are known, where some are not."""
    return f"{'at least ' * bool(report.uncounted)}{count(report.macs, style)}"


def _memory(report: Report) -> list[str]:
    """What weights and outputs take, where the sizes are numbers."""
    weights, outputs, peak = report.weight_bytes, report.activation_bytes, report.peak
    if peak is None or not isinstance(weights, int) or not isinstance(outputs, int):
        return []
    return [
        f"memory in {report.dtype}: weights {bytes_text(weights)}, outputs of all layers {bytes_text(outputs)}, "
        f"at most {bytes_text(peak)} of them at once"
    ]


def _shapes_line(report: Report, batch: Size | None) -> str:
    batches = ", ".join(dict.fromkeys(str(shape[0]) for shape in report.inputs.values() if shape))
    shapes = [*(row.output for row in report.layers), *report.inputs.values(), *report.outputs.values()]
    other = any(shape and shape[0] != batch for shape in shapes)
    return f"shapes without the batch, {batches}{'; in parentheses, the whole shape' if other else ''}"


def report_text(report: Report, style: Style = PRETTY, *, width: int | None = None) -> str:
    """Return the whole report as text: table, answer, and why the answer is no; the table of `width` columns at most.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.layers import Conv
    >>> print(report_text(inspect_graph(Conv(8, 3), (1, 3, 32, 32))))
    layer  op         output   any size         params  MACs     receptive field  stride
    conv   conv 8 k3  8x30x30  (H − 2)x(W − 2)  224     194,400  3                1
    total                                       224     194,400
    3x32x32 -> 8x30x30
    224 parameters, 194,400 MACs (388,800 FLOPs)
    memory in float32: weights 896 B, outputs of all layers 28.1 KiB, at most 40.1 KiB of them at once
    shapes without the batch, 1
    """
    error = error_lines(report.error) if report.error else []
    table = [narrow_table(*report_columns(report, style), SPARE, width)] if report.layers or report.failed else []
    return "\n".join([*table, *report_summary(report, style), *error])


def report_html(report: Report) -> str:
    """Return the report for notebooks.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.layers import ReLU
    >>> report_html(inspect_graph(ReLU(), (1, 3, 8, 8))).startswith("<table><thead><tr><th>layer</th>")
    True
    """
    error = error_lines(report.error) if report.error else []
    below = "".join(f"<div>{escape(line)}</div>" for line in [*report_summary(report), *error])
    return f"{html_table(*report_columns(report))}{below}"
