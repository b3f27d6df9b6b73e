"""Two networks side by side as tables."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convcalc.analysis.comparison import Comparison, Count, Reach
from convcalc.analysis.report import LayerReport, PerAxis
from convcalc.exprtext import Style
from convcalc.layers import Shape
from convcalc.render.words import across, count

LABELS = {"params": "params", "macs": "MACs", "flops": "FLOPs", "activations": "activations"}


def total_columns(found: Comparison, names: tuple[str, str], style: Style) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the totals: sizes, field, stride, counts with difference and ratio, B to A."""
    a, b = found.a, found.b
    left, right = found.reach
    rows = [
        ["input", _shape(a.input, style), _shape(b.input, style), "", ""],
        ["output", _shape(a.output, style), _shape(b.output, style), "", ""],
        *(_count(count, style) for count in found.counts),
        ["receptive field", _field(left), _field(right), "", ""],
        ["stride", _axes(left.stride), _axes(right.stride), "", ""],
    ]
    return ["", *names, "difference", "ratio"], rows


def layer_columns(found: Comparison, names: tuple[str, str], style: Style) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the layers: `=` between those that agree, `|` between those that differ."""
    columns = [names[0], "output", "params", "MACs", "", names[1], "output", "params", "MACs"]
    rows = []
    for row in found.rows:
        sign = "=" if row.same else "|" if row.a and row.b else "<" if row.a else ">"
        rows.append([*_layer(row.a, style), sign, *_layer(row.b, style)])
    return columns, rows


def _layer(layer: LayerReport | None, style: Style) -> list[str]:
    if layer is None:
        return ["", "", "", ""]
    counts = (count(value, style) for value in (layer.params, layer.macs))
    return [layer.name, _shape(layer.output, style), *counts]


def _count(total: Count, style: Style) -> list[str]:
    difference = count(total.difference, style)
    signed = difference if difference.startswith((style.minus, "0")) else f"+{difference}"
    values = [count(value, style) for value in (total.a, total.b)]
    return [LABELS[total.name], *values, signed, _ratio(total.ratio)]


def _ratio(ratio: Fraction | None) -> str:
    if ratio is None:
        return "-"
    if ratio != 1 and f"{float(ratio):.3g}" == "1":
        return "almost 1x"
    return f"{float(ratio):.3g}x" if ratio < 100 else f"{round(ratio):,}x"


def _shape(shape: Any, style: Style) -> str:
    """A shape without its batch; of several, each."""
    if shape and isinstance(shape[0], tuple):
        return ", ".join(_shape(one, style) for one in shape)
    return across(_without_batch(shape), style)


def _without_batch(shape: Shape) -> Sequence[Any]:
    return shape[1:] or shape


def _field(reach: Reach) -> str:
    if not reach.everything:
        return _axes(reach.field)
    return f"all, after {_axes(reach.field)}" if reach.field else "all"


def _axes(values: PerAxis) -> str:
    texts = ["-" if value is None else str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts) or "-"
