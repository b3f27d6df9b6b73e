"""A report as one page that stays alive: its sizes may be typed or dragged, and everything is worked out anew in it.

Nothing is fetched from anywhere; formulas and the sentences of refusals are written into it as JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.memory import itemsize
from convcalc.analysis.report.picture import net_picture
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.told import Template, template
from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.legal import Legal, reader_at
from convcalc.layers.base import Shape, product
from convcalc.network.graph import Graph
from convcalc.network.ops import op_words
from convcalc.render.words import across, bytes_text, count, error_lines
from convcalc.sizes.expr import Expr
from convcalc.sizes.javascript import PRELUDE, javascript
from convcalc.sizes.size import Size
from convcalc.sizes.text import PRETTY

LONGEST, TRIED = 512, 12
"""Sentences are tried at sizes up to here, so many on each line: each where its condition is the first that fails."""


def report_page(
    report: Report, graph: Graph | None = None, anywhere: Report | None = None, legal: Legal | None = None
) -> str:
    """Return the page of a report: `anywhere` is the same on letters, `legal` the sizes that run.

    Without them, or where the network refuses its input, nothing moves in it.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> page = report_page(inspect_graph(lenet()))
    >>> page[:15], "<script" in page, "6x28x28" in page
    ('<!doctype html>', False, True)
    """
    letters = [] if anywhere is None else _letters(anywhere)
    alive = anywhere is not None and bool(letters) and anywhere.error is None and report.error is None
    alive = alive and anywhere is not None and len(anywhere.layers) == len(report.layers)
    title = f"{report.model or 'network'}: {_written(report.inputs)} → {_written(report.outputs) or 'fails'}"
    parts = [f"<h1>{escape(title)}</h1>"]
    if report.error is not None:
        parts.append(f'<pre class="failure">{escape(chr(10).join(error_lines(report.error)))}</pre>')
    if alive and anywhere is not None:
        parts.append(_boxes(letters, _example(report, anywhere, legal)))
    parts += [_totals(report), _table(report), _notes(report), _graph(report)]
    if alive and anywhere is not None and graph is not None:
        data, formulas = _data(report, graph, anywhere, legal, letters)
        script = files("convcalc.analysis.report").joinpath("page.js").read_text(encoding="utf-8")
        written = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
        parts.append(
            f'<script type="application/json" id="data">{written}</script>\n'
            f"<script>{PRELUDE}const F={javascript(formulas, letters)};\n{script}</script>"
        )
    style = files("convcalc.analysis.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title>\n<style>{style}</style></head>\n'
        f"<body><main>{chr(10).join(filter(None, parts))}</main></body></html>\n"
    )


def _written(shapes: Mapping[str, Shape]) -> str:
    return ", ".join(across(shape, PRETTY) for shape in shapes.values())


def _letters(anywhere: Report) -> list[str]:
    sizes = [size for shape in anywhere.inputs.values() for size in shape if isinstance(size, Expr)]
    return [str(letter) for letter in dict.fromkeys(map(str, sizes)) if letter.isidentifier()]


def _example(report: Report, anywhere: Report, legal: Legal | None) -> dict[str, int]:
    """The sizes of the letters in the report; of a report on letters sizes that run, near 64."""
    pairs = zip(anywhere.inputs.values(), report.inputs.values(), strict=True)
    sizes = {str(a): b for one, other in pairs for a, b in zip(one, other, strict=True) if isinstance(a, Expr)}
    return {letter: size if isinstance(size, int) else _near(letter, legal) for letter, size in sizes.items()}


def _near(letter: str, legal: Legal | None) -> int:
    if legal is None or letter not in legal.axes or not legal.runs:
        return 1
    return next((size for size in reversed(legal.runs[letter].nearest(64)) if size is not None), 64)


# -- what is read ------------------------------------------------------------------------------------------------


def _boxes(letters: Sequence[str], example: Mapping[str, int]) -> str:
    """A box and a slider for each letter, and the verdict."""
    fields = []
    for place, letter in enumerate(letters):
        name, value = escape(letter), example[letter]
        most = max(16, 2 * value)
        fields.append(
            f'<div class="size"><label for="box-{place}">{name}</label>'
            f'<input id="box-{place}" type="number" min="1" step="1" value="{value}" aria-label="{name}">'
            f'<input id="bar-{place}" type="range" min="1" max="{most}" value="{value}" aria-label="{name}, dragged">'
            "</div>"
        )
    return (
        f'<section class="live" aria-label="Sizes">{"".join(fields)}<p id="status" role="status"></p>'
        '<div class="seen-by"><figure><figcaption>which <span id="comb-of"></span> run: '
        '<span class="key good">loses no rows</span> '
        '<span class="key fair">loses rows</span> <span class="key no">does not run</span></figcaption>'
        '<svg id="comb" viewBox="0 0 582 56" role="img" aria-label="the sizes around this one that run"></svg></figure>'
        '<figure id="field" hidden><figcaption id="field-of"></figcaption>'
        '<svg id="field-map" viewBox="0 0 164 164" role="img" aria-label="the receptive field over the input"></svg>'
        "</figure></div></section><noscript><style>.live{display:none}</style></noscript>"
    )


def _totals(report: Report) -> str:
    """The line that is never folded away."""
    weights = report.weight_bytes
    held = f" ({bytes_text(weights)})" if isinstance(weights, int) else ""
    at_once = "-" if report.peak is None else f"{report.peak:,}"
    told = [
        f'<b id="output">{escape(_written(report.inputs))} → {escape(_written(report.outputs) or "fails")}</b>',
        f'<span id="params">{count(report.params, PRETTY)}</span> parameters{held}',
        f'<span id="macs">{count(report.macs, PRETTY)}</span> MACs',
        f'<span id="peak">{at_once}</span> bytes of values at once at most',
    ]
    return f'<p class="totals">{"; ".join(told)}</p>'


def _table(report: Report) -> str:
    """A row for each layer, under its block."""
    heads = ("layer", "op", "output", "parameters", "MACs", "receptive field", "stride")
    top = "".join(f'<th scope="col"><button type="button">{name}</button></th>' for name in heads)
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
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Layers"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


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
    drawing, at = net_picture(report).to_svg(), escape(_written(report.inputs))
    return f'<details class="graph"><summary>the graph, at {at}</summary><div class="scroll">{drawing}</div></details>'


# -- what is worked out ------------------------------------------------------------------------------------------


class _Formulas:
    """All formulas of a page, each once, by their place."""

    def __init__(self) -> None:
        self.places: dict[Size, int] = {}

    def place(self, formula: Size) -> int:
        return self.places.setdefault(formula, len(self.places))

    def shape(self, sizes: Sequence[Size]) -> list[int | str]:
        """A shape: numbers as texts, formulas by their place."""
        return [self.place(size) if isinstance(size, Expr) else str(size) for size in sizes]


def _data(
    report: Report, graph: Graph, anywhere: Report, legal: Legal | None, letters: Sequence[str]
) -> tuple[dict[str, Any], list[Size]]:
    """What the page's script reads, and the formulas in the order of their places."""
    held = _Formulas()
    example = _example(report, anywhere, legal)
    rows = [_row(row, wide, held) for row, wide in zip(report.layers, anywhere.layers, strict=True)]
    conditions, path = _conditions(legal, example, {row.name: at for at, row in enumerate(report.layers)}, held)
    spatial = [place for place, letter in enumerate(letters) if legal is None or letter in legal.axes]
    data = {
        "letters": list(letters),
        "spatial": spatial,
        "rows": rows,
        "inputs": [held.shape(shape) for shape in anywhere.inputs.values()],
        "outputs": [held.shape(shape) for shape in anywhere.outputs.values()],
        "macs": held.place(anywhere.macs),
        "params": held.place(anywhere.params),
        "bytes": itemsize(report.dtype),
        "held": [held.place(product(shape)) for shape in anywhere.inputs.values()],
        "life": _life(graph, anywhere, held),
        "conditions": conditions,
        "path": path,
        "elsewhere": "The model goes another way at these sizes: ask for a report there.",
    }
    return data, list(held.places)


def _row(row: LayerReport, wide: LayerReport, held: _Formulas) -> dict[str, Any]:
    field = [None if value is None else int(value) for value in row.receptive_field]
    return {
        "name": row.name,
        "shape": held.shape(wide.output),
        "macs": held.place(wide.macs) if row.counted else None,
        "params": held.place(wide.params) if isinstance(wide.params, Expr) else None,
        "field": None if None in field or not field else field,
        "whole": row.is_global,
    }


def _life(graph: Graph, anywhere: Report, held: _Formulas) -> list[tuple[list[int], list[int]]]:
    """For each node the values it makes and those that are read for the last time by it, as `memory` counts them."""
    sizes = {name: product(shape) for name, shape in anywhere.inputs.items()}
    for row, node in zip(anywhere.layers, graph, strict=True):
        sizes |= dict(zip(node.outputs, map(product, row.outputs), strict=False))
    last = {
        name: place for place, node in enumerate(graph) for name in node.inputs[: len(node.inputs) - node.layer.unread]
    } | dict.fromkeys(graph.outputs, len(graph))
    alive, life = set(graph.inputs), []
    for place, node in enumerate(graph):
        made = [name for name in node.outputs if not node.layer.is_held and name in sizes]
        alive |= set(made)
        gone = [name for name in sorted(alive) if last.get(name, -1) <= place]
        alive -= set(gone)
        life.append(([held.place(sizes[name]) for name in made], [held.place(sizes[name]) for name in gone]))
    return life


def _conditions(
    legal: Legal | None, example: Mapping[str, int], rows: Mapping[str, int], held: _Formulas
) -> tuple[list[dict[str, Any]], list[int]]:
    """What must hold at other sizes, each with its sentence, and where the model goes this way at all."""
    if legal is None:
        return [], []
    at = reader_at(legal.axes, {axis: example[axis] for axis in legal.axes})
    way = next((way for way in legal.ways if way.is_taken({axis: example[axis] for axis in legal.axes}, at)), None)
    if way is None:
        return [], []
    told = []
    for condition, points in _first_refusals(way.conditions, legal.axes, example):
        says = {value: _placed(parts, held) for value, parts in _sentences(condition, points).items()}
        row = rows.get(_place(condition, points), 0)
        told.append({"value": held.place(condition.value), "kind": condition.kind, "row": row, "says": says})
    return told, [held.place(condition.value) for condition in way.path]


def _sentences(condition: Condition, points: Sequence[Mapping[str, int]]) -> dict[str, Template]:
    """The sentence of a condition, under ""; where each value says something else, also those, under the values."""
    if (parts := template(condition.error, points)) is not None:
        return {"": parts}
    by_value: dict[str, list[Mapping[str, int]]] = {}
    for point in points:
        value = condition.value(**point) if isinstance(condition.value, Expr) else condition.value
        by_value.setdefault(str(value), []).append(point)
    found = {value: template(condition.error, alike) for value, alike in by_value.items()}
    general: Template = [f"{_place(condition, points)}: {condition.value} must be >= 0".removeprefix(": ")]
    return {"": general} | {value: parts for value, parts in found.items() if parts is not None}


def _place(condition: Condition, points: Sequence[Mapping[str, int]]) -> str:
    """The node that refuses."""
    return condition.error(reader_at(tuple(points[0]), points[0])).place if points else ""


def _placed(parts: Template, held: _Formulas) -> list[str | int]:
    return [part if isinstance(part, str) else held.place(part) for part in parts]


def _first_refusals(
    conditions: Sequence[Condition], axes: Sequence[str], example: Mapping[str, int]
) -> list[tuple[Condition, list[dict[str, int]]]]:
    """Each condition with a few sizes of which it is the first that fails: on each axis alone, and on all alike."""
    sizes = np.arange(1, LONGEST)
    lines = [dict.fromkeys(axes, sizes)]
    lines += [{axis: sizes if axis == one else np.full_like(sizes, example[axis]) for axis in axes} for one in axes]
    found: list[tuple[Condition, list[dict[str, int]]]] = [(condition, []) for condition in conditions]
    for line in lines:
        left = np.ones(len(sizes), bool)
        for condition, points in found:
            fails = left & ~np.broadcast_to(condition.holds(line), sizes.shape)
            places = np.flatnonzero(fails)
            step = max(1, len(places) // TRIED)
            points += [{axis: int(line[axis][place]) for axis in axes} for place in places[::step].tolist()]
            left &= ~fails
    return found
