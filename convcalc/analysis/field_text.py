"""What layers read of the input: one row a layer, or one an axis, and the window of one position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from convcalc.analysis.report.layer import shape_text
from convcalc.footprints.footprint import Footprint
from convcalc.render.words import plain, same_text
from convcalc.sizes.axes import axis_names
from convcalc.sizes.text import PRETTY, Style

if TYPE_CHECKING:
    from convcalc.analysis.cell import AxisWindow
    from convcalc.analysis.report.layer import LayerReport
    from convcalc.analysis.report.report import Report

COLUMNS = ("receptive field", "stride", "offset", "covered", "holes", "before", "after", "global")
SPARE = ("covered", "before", "after", "offset", "output")
"""What a narrow terminal can do without, first to last."""

MOST_HOLES = 1000
"""The most holes that a document lists."""


def _readings(footprint: Footprint | None) -> list[str]:
    """One text for each of `COLUMNS`, on one axis; of the local part, where there is one."""
    if footprint is None:
        return ["-"] * (len(COLUMNS) - 1) + ["?"]
    everywhere = "yes" if footprint.is_global else "no"
    if footprint.is_unbounded:
        return ["-"] * (len(COLUMNS) - 1) + [everywhere]
    if not any(footprint.phases):
        return ["0", "-", "-", "0", "0", "-", "-", everywhere]
    values = [
        footprint.receptive_field,
        footprint.stride,
        footprint.offset,
        footprint.covered,
        footprint.receptive_field - footprint.covered,
        footprint.reach_before,
        footprint.reach_after,
    ]
    return [*("-" if value is None else str(value) for value in values), everywhere]


def field_rows(layers: Sequence[LayerReport], style: Style = PRETTY) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts a layer; axes that agree once.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> field_rows(inspect_graph(lenet()).layers)[1][2]
    ['pool1', '6x14x14', '6', '2', '1/2', '6', '0', '2', '3', 'no']
    """
    rows = []
    for row in layers:
        axes = [_readings(footprint) for footprint in row.field.axes] or [_readings(None)]
        rows.append([row.name, shape_text(row.output, style), *map(same_text, zip(*axes, strict=True))])
    return ["layer", "output", *COLUMNS], rows


def axis_rows(layer: LayerReport) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts for each axis of one layer.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> axis_rows(inspect_graph(lenet())["pool1"])[1][0]
    ['H', '6', '2', '1/2', '6', '0', '2', '3', 'no']
    """
    axes = layer.field.axes
    named = zip(axis_names(len(axes)), axes, strict=True)
    return ["axis", *COLUMNS], [[name, *_readings(footprint)] for name, footprint in named]


def window_rows(windows: Sequence[AxisWindow]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts for each axis: what one position reads, and what of that is padding.

    >>> from convcalc.analysis.cell import AxisWindow
    >>> from convcalc.footprints.taps import TapSet
    >>> window = AxisWindow(axis="H", cell=0, size=9, pattern=(-3, 3), reads=TapSet.of(range(4)))
    >>> window_rows([window])[1]
    [['H', '0', '-3..3', '0..3', '4 of 9', '3 before, 0 after']]
    """
    return ["axis", "cell", "window", "input", "read", "padding"], [_window(window) for window in windows]


def _window(window: AxisWindow) -> list[str]:
    pattern = "-" if window.pattern is None else f"{window.pattern[0]}..{window.pattern[1]}"
    padding = "-" if window.padding is None else f"{window.padding[0]} before, {window.padding[1]} after"
    reads = window.reads
    if reads is None:
        return [window.axis, str(window.cell), pattern, "?", "?", padding]
    inside = f"{reads.first}..{reads.last}" if reads else "nothing"
    return [window.axis, str(window.cell), pattern, inside, f"{len(reads)} of {window.size}", padding]


def layer_notes(layer: LayerReport) -> list[str]:
    """Return the holes of one layer, axis by axis, and where the axes together are only a bound.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.layers import Conv
    >>> layer_notes(inspect_graph(Conv(8, 3, dilation=2), (1, 3, 9, 9)).layers[0])
    ['holes on H, W, from the first tap: 1 3']
    """
    axes = layer.field.axes
    named: dict[str, list[str]] = {}
    for name, footprint in zip(axis_names(len(axes)), axes, strict=True):
        holes = () if footprint is None else footprint.holes
        if holes:
            more = f" and {len(holes) - 20} more" if len(holes) > 20 else ""
            named.setdefault(" ".join(map(str, holes[:20])) + more, []).append(name)
    lines = [f"holes on {', '.join(names)}, from the first tap: {holes}" for holes, names in named.items()]
    if layer.product is not None and not layer.product.exact and len(axes) > 1:
        lines.append("branches unite: on all axes at once less may be read than on each")
    return lines


def field_record(
    report: Report, layers: Sequence[LayerReport], windows: Sequence[AxisWindow] | None = None
) -> dict[str, Any]:
    """Return the JSON record: that of `inspect`, with holes and reach; with `windows` what one position reads."""
    record = report.to_dict()
    kept = {"kind": "field", **{key: record[key] for key in ("model", "input", "output", "needs")}}
    kept["layers"] = [_layer_record(layer) for layer in layers]
    if windows is not None:
        kept["window"] = [_window_record(window) for window in windows]
    return kept


def _layer_record(layer: LayerReport) -> dict[str, Any]:
    def each(read: Callable[[Footprint], Any]) -> Any:
        values = [None if axis is None or not any(axis.phases) else plain(read(axis)) for axis in layer.field.axes]
        return values[0] if len(values) == 1 else values

    return {
        **layer.to_dict(),
        "holes": each(lambda axis: list(axis.holes[:MOST_HOLES])),
        "hole_count": each(lambda axis: len(axis.holes)),
        "reach_before": each(lambda axis: axis.reach_before),
        "reach_after": each(lambda axis: axis.reach_after),
        "exact": layer.field.exact,
    }


def _window_record(window: AxisWindow) -> dict[str, Any]:
    reads = window.reads
    return {
        "axis": window.axis,
        "cell": window.cell,
        "pattern": plain(window.pattern),
        "input": [reads.first, reads.last] if reads else None,
        "read": None if reads is None else len(reads),
        "padding": plain(window.padding),
    }
