"""Two networks as one page that stays alive: sizes typed or dragged in it are those of both."""

from __future__ import annotations

from html import escape

from convcalc.analysis.comparison import Comparison, Row
from convcalc.analysis.comparison_text import count_row, row_sign, short_name, total_columns
from convcalc.analysis.report.alive import enliven
from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.living import boxes, living_page, sorted_table
from convcalc.analysis.report.page import shapes_text
from convcalc.analysis.report.worked import worked
from convcalc.network.graph import Graph
from convcalc.render.words import across, count
from convcalc.sizes.text import PRETTY

SIDES = ("a-", "b-")
"""What the ids of each network's elements begin with."""

CELLS = ((1, 2, 3), (6, 7, 8))
"""Where output, parameters and MACs of each network stand in a row."""


def comparison_page(found: Comparison, graphs: tuple[Graph, Graph]) -> str:
    """Return the page of a comparison of two graphs, with a box for each letter that both share.

    Where they share none, or one of them is not known at other sizes, it stands still.

    >>> from convcalc.analysis.comparison import compare_reports
    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> page = comparison_page(compare_reports(inspect_graph(lenet()), inspect_graph(lenet())), (lenet(), lenet()))
    >>> page[:15], page.count('role="status"'), "https:" in page
    ('<!doctype html>', 2, False)
    """
    reports = found.a, found.b
    names = [short_name(report, "") for report in reports]
    heads = [f"{letter}: {name}" if name else letter for letter, name in zip("AB", names, strict=True)]
    title = " and ".join(report.model or "a network" for report in reports)
    key = "= alike, | of one kind but not alike, < in A alone, > in B alone"
    parts = [_totals(found, heads), f"<p>{escape(key)}</p>", _layers(found, heads)]
    alive = [enliven(graph, report) for graph, report in zip(graphs, reports, strict=True)]
    letters = [letter for letter in alive[0].letters if letter in alive[1].letters]
    if not letters:
        return living_page(title, parts)
    lines = ([place for place, row in enumerate(found.rows) if getattr(row, side)] for side in "ab")
    nets = [
        worked(one, letters, prefix=prefix, cells=cells, lines=places)
        for one, prefix, cells, places in zip(alive, SIDES, CELLS, lines, strict=True)
    ]
    return living_page(
        title, [boxes(letters, alive[0].example, list(zip(SIDES, heads, strict=True))), *parts], letters, nets
    )


def _totals(found: Comparison, heads: list[str]) -> str:
    """Sizes, counts and fields of both, with difference and ratio."""
    a, b = found.a, found.b
    peaks = ["-" if report.peak is None else f"{report.peak:,}" for report in (a, b)]
    rows = [
        ("input", ["input", shapes_text(a.inputs), shapes_text(b.inputs), "", ""]),
        ("output", ["output", shapes_text(a.outputs), shapes_text(b.outputs), "", ""]),
        *((total.name, count_row(total, PRETTY)) for total in found.counts),
        ("peak", ["bytes of values at once", *peaks, "-", "-"]),
        *(("", row) for row in total_columns(found, ("", ""), PRETTY)[1][-2:]),
    ]
    lines = []
    for key, (label, *cells) in rows:
        ids = [f"a-{key}", f"b-{key}", f"{key}-difference", f"{key}-ratio"]
        data = "".join(
            f'<td id="{name}">{escape(cell)}</td>' if key else f"<td>{escape(cell)}</td>"
            for name, cell in zip(ids, cells, strict=True)
        )
        lines.append(f'<tr><th scope="row">{label}</th>{data}</tr>')
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in (*heads, "difference", "ratio"))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Totals"><table><thead><tr><td></td>{top}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _layers(found: Comparison, heads: list[str]) -> str:
    """A row for each layer, A's before B's."""
    counted = ("output", "parameters", "MACs")
    return sorted_table(
        [heads[0], *counted, "alike", heads[1], *counted],
        [_line(place, row) for place, row in enumerate(found.rows)],
        "pairs",
    )


def _line(place: int, row: Row) -> str:
    """Two layers that differ may be alike at other sizes where their hyper-parameters agree: such rows are `kin`."""
    kin = row.a and row.b and (row.a.op, row.a.args) == (row.b.op, row.b.args)
    left, right = _cells(row.a), _cells(row.b)
    first = f'<th scope="row">{left[0]}</th>' if row.a else "<td></td>"
    return (
        f'<tr id="r{place}"{" class=kin" if kin else ""} tabindex="0">{first}{_data(left[1:])}'
        f'<td class="sign">{escape(row_sign(row))}</td><td class="name">{right[0]}</td>{_data(right[1:])}</tr>'
    )


def _data(cells: list[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _cells(layer: LayerReport | None) -> list[str]:
    if layer is None:
        return [""] * 4
    macs = count(layer.macs, PRETTY) if layer.counted else "not counted"
    return [escape(layer.name), across(layer.output, PRETTY), count(layer.params, PRETTY), macs]
