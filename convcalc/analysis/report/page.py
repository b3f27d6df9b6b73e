"""A report as one page that stays alive: its sizes may be typed or dragged, and everything is worked out anew in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from convcalc.analysis.report.alive import enliven
from convcalc.analysis.report.living import boxes, living_page, sorted_table
from convcalc.analysis.report.picture import net_picture
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.worked import worked
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.ops import op_words
from convcalc.render.words import across, bytes_text, count, error_lines
from convcalc.sizes.text import PRETTY


def page_of(graph: Graph, report: Report) -> str:
    """Return the page of a report on a graph, with all that follows from other sizes, the batch N among them.

    What has no letters, refuses its input, or is not known at other sizes, stands still.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> page = page_of(lenet(), inspect_graph(lenet()))
    >>> page[:15], 'role="status"' in page, "https:" in page
    ('<!doctype html>', True, False)
    """
    alive = enliven(graph, report)
    title = f"{report.model or 'network'}: {shapes_text(report.inputs)} → {shapes_text(report.outputs) or 'fails'}"
    parts = [_totals(report), _table(report), _notes(report), _graph(report)]
    if report.error is not None:
        parts.insert(0, f'<pre class="failure">{escape(chr(10).join(error_lines(report.error)))}</pre>')
    if not alive.letters:
        return living_page(title, parts)
    parts.insert(0, boxes(alive.letters, alive.example, [("", "")]))
    net = worked(alive, alive.letters, prefix="", cells=(2, 3, 4), lines=range(len(report.layers)))
    return living_page(title, parts, alive.letters, [net])


def shapes_text(shapes: Mapping[str, Shape]) -> str:
    """Return whole shapes, batch included.

    >>> shapes_text({"a": (1, 3, 8, 8), "b": (1, 10)})
    '1x3x8x8, 1x10'
    """
    return ", ".join(across(shape, PRETTY) for shape in shapes.values())


def _totals(report: Report) -> str:
    """The line that is never folded away."""
    weights = report.weight_bytes
    held = f" ({bytes_text(weights)})" if isinstance(weights, int) else ""
    at_once = "-" if report.peak is None else f"{report.peak:,}"
    told = [
        f'<b id="output">{escape(shapes_text(report.inputs))} → {escape(shapes_text(report.outputs) or "fails")}</b>',
        f'<span id="params">{count(report.params, PRETTY)}</span> parameters{held}',
        f'<span id="macs">{count(report.macs, PRETTY)}</span> MACs',
        f'<span id="peak">{at_once}</span> bytes of values at once at most',
    ]
    return f'<p class="totals">{"; ".join(told)}</p>'


def _table(report: Report) -> str:
    """A row for each layer, under its block."""
    heads = ("layer", "op", "output", "parameters", "MACs", "receptive field", "stride")
    blocks: dict[str, int] = {}
    lines = []
    for place, row in enumerate(report.layers):
        block = row.name.partition(".")[0] if "." in row.name else ""
        if block and block not in blocks:
            blocks[block] = len(blocks)
            lines.append(
                '<tr class="block"><th scope="row" colspan="7"><button type="button" class="fold" aria-expanded="true"'
                f' data-block="{blocks[block]}">{escape(block)}</button></th></tr>'
            )
        cells = (
            f"{escape(op_words(row.op, row.args))}",
            across(row.output, PRETTY),
            count(row.params, PRETTY),
            count(row.macs, PRETTY) if row.counted else "not counted",
            _axes(row.receptive_field) + (" + all" if row.is_global else ""),
            _axes(row.stride),
        )
        inside = f' data-block="{blocks[block]}"' if block else ""
        data = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr id="r{place}"{inside} tabindex="0"><th scope="row">{escape(row.name)}</th>{data}</tr>')
    return sorted_table(heads, lines)


def _axes(values: Sequence[Any]) -> str:
    known = ["-" if value is None else str(value) for value in values]
    return known[0] if len(set(known)) == 1 and known else "x".join(known)


def _notes(report: Report) -> str:
    notes = [*(str(note) for note in report.notes), *report.remarks]
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<details><summary>{len(notes)} notes</summary><ul>{lines}</ul></details>" if notes else ""


def _graph(report: Report) -> str:
    if not report.layers:
        return ""
    drawing, at = net_picture(report).to_svg(), escape(shapes_text(report.inputs))
    return f'<details class="graph"><summary>the graph, at {at}</summary><div class="scroll">{drawing}</div></details>'
