"""Two networks side by side as tables."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.render.table import html_table, narrow_table, table_width
from convcalc.render.words import across, count
from convcalc.sizes.text import PRETTY, Style

if TYPE_CHECKING:
    from convcalc.analysis.comparison import Comparison, Count, Row
    from convcalc.analysis.report.layer import LayerReport, PerAxis
    from convcalc.analysis.report.report import Reach, Report

LABELS = {"params": "params", "macs": "MACs", "flops": "FLOPs", "activations": "activations"}

SPARE = ("MACs", "params", "output")
"""What a narrow terminal can do without, first to last."""

Table: TypeAlias = tuple[list[str], list[list[str]]]
"""Headings and rows."""


def compare_tables(found: Comparison, style: Style, width: int | None = None, *, layers: bool = True) -> list[Table]:
    """Return the totals and the layers; where both networks' layers do not fit beside each other, one below the other.

    >>> from convcalc import compare
    >>> from convcalc.layers import Conv, ReLU
    >>> found = compare(Conv(8, 3), Conv(8, 5), (1, 3, 32, 32))
    >>> compare_tables(found, PRETTY, 30)[1][1]
    [['|', 'conv', '8x30x30', '224', '194,400'], ['', 'conv', '8x28x28', '608', '470,400']]
    """
    names = short_name(found.a, "A"), short_name(found.b, "B")
    tables = [total_columns(found, names, style)]
    if layers:
        beside = layer_columns(found, names, style)
        wide = width is not None and table_width(*beside) > width
        tables.append(stacked_columns(found, style) if wide else beside)
    return tables


def compare_text(found: Comparison, *, width: int | None = None) -> str:
    """Return both tables as text, of `width` columns at most."""
    return "\n\n".join(narrow_table(*table, SPARE, width) for table in compare_tables(found, PRETTY, width))


def compare_html(found: Comparison) -> str:
    """Return both tables for notebooks."""
    return "".join(html_table(*table) for table in compare_tables(found, PRETTY))


def short_name(report: Report, letter: str) -> str:
    """Return the name of a network where it is short, as a column needs it, else a letter.

    >>> from convcalc import inspect
    >>> from convcalc.zoo import lenet
    >>> short_name(inspect(lenet()), "A")
    'lenet'
    """
    return report.model if 0 < len(report.model) <= 24 and " " not in report.model else letter


def total_columns(found: Comparison, names: tuple[str, str], style: Style) -> Table:
    """Return the headings and rows of the totals: sizes, field, stride, counts with difference and ratio, B to A."""
    a, b = found.a, found.b
    left, right = found.reach
    rows = [
        ["input", _shape(a.input, style), _shape(b.input, style), "", ""],
        ["output", _shape(a.output, style), _shape(b.output, style), "", ""],
        *(count_row(total, style) for total in found.counts),
        ["receptive field", _field(left), _field(right), "", ""],
        ["stride", _axes(left.stride), _axes(right.stride), "", ""],
    ]
    return ["", *names, "difference", "ratio"], rows


def layer_columns(found: Comparison, names: tuple[str, str], style: Style) -> Table:
    """Return the headings and rows of the layers: `=` between those that agree, `|` between those that differ."""
    columns = [names[0], "output", "params", "MACs", "", names[1], "output", "params", "MACs"]
    return columns, [[*_layer(row.a, style), row_sign(row), *_layer(row.b, style)] for row in found.rows]


def stacked_columns(found: Comparison, style: Style) -> Table:
    """Return the same one below the other: A's layer after the sign, and B's below it unless it is the same."""
    rows = []
    for row in found.rows:
        sides = [_layer(layer, style) for layer in (row.a, row.b) if layer is not None]
        if row.same and sides[0] == sides[-1]:
            sides = sides[:1]
        rows += [[row_sign(row) if place == 0 else "", *side] for place, side in enumerate(sides)]
    return ["", "layer", "output", "params", "MACs"], rows


def row_sign(row: Row) -> str:
    """Return the sign between two layers: alike, of one kind, in A alone, in B alone.

    >>> from convcalc.analysis.comparison import Row
    >>> row_sign(Row(None, None, same=True))
    '='
    """
    return "=" if row.same else "|" if row.a and row.b else "<" if row.a else ">"


def _layer(layer: LayerReport | None, style: Style) -> list[str]:
    if layer is None:
        return ["", "", "", ""]
    return [layer.name, _shape(layer.output, style), count(layer.params, style), count(layer.macs, style)]


def count_row(total: Count, style: Style) -> list[str]:
    """Return one quantity as its name, both values, the difference and the ratio."""
    pair = zip((total.a, total.b), total.least or (False, False), strict=True)
    values = [f"{'at least ' * more}{count(value, style)}" for value, more in pair]
    if any(total.least):
        return [LABELS[total.name], *values, "-", "-"]
    difference = count(total.difference, style)
    signed = difference if difference.startswith((style.minus, "0")) else f"+{difference}"
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
    return across(shape[1:] or shape, style)


def _field(reach: Reach) -> str:
    if not reach.everything:
        return _axes(reach.field)
    return f"all, after {_axes(reach.field)}" if reach.field else "all"


def _axes(values: PerAxis) -> str:
    texts = ["-" if value is None else str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts) or "-"


def count_line(pair: Count) -> str:
    """Return one quantity of two networks.

    >>> from convcalc.analysis.comparison import Count
    >>> count_line(Count("params", 18, 25))
    'params: 18, 25; +7, 1.39x'
    """
    name, a, b, difference, ratio = count_row(pair, PRETTY)
    return f"{name}: {a}, {b}; {difference}, {ratio}"
