"""What the script of a living page works with: formulas, what must hold, and the sentences of refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convcalc.analysis.report.alive import Alive
from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.memory import itemsize
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.told import Template, template
from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.legal import Legal, reader_at
from convcalc.layers.base import product
from convcalc.network.graph import Graph
from convcalc.sizes.expr import Expr
from convcalc.sizes.javascript import javascript
from convcalc.sizes.size import Size

LONGEST, TRIED, VALUES = 512, 12, 64
"""Sentences are tried at sizes up to here, where their condition is the first that fails: on each line at the first so
many, at as many all over, and at one for each of so many values of the condition."""


class _Formulas:
    """All formulas of a page, each once, by their place."""

    def __init__(self) -> None:
        self.places: dict[Size, int] = {}

    def place(self, formula: Size) -> int:
        return self.places.setdefault(formula, len(self.places))

    def shape(self, sizes: Sequence[Size]) -> list[int | str]:
        """A shape: numbers as texts, formulas by their place."""
        return [self.place(size) if isinstance(size, Expr) else str(size) for size in sizes]


def worked(
    alive: Alive, letters: Sequence[str], *, prefix: str, cells: tuple[int, int, int], lines: Sequence[int]
) -> tuple[dict[str, Any], str]:
    """Return what the script reads of a network, and its formulas as a function of its letters, in JavaScript.

    Its totals stand in elements whose ids begin with the prefix; its rows on these `lines` of the table, their output,
    parameters and MACs in these `cells`. Of its letters, those among `letters` have boxes.

    >>> from convcalc.analysis.report.alive import enliven
    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> net = enliven(lenet(), inspect_graph(lenet()))
    >>> data, program = worked(net, ["H", "W"], prefix="", cells=(2, 3, 4), lines=range(9))
    >>> data["own"], data["spatial"], data["inputs"], program[:13]
    (['1', 0, 1], [0, 1], [[0, '1', 1, 2]], '(s0,s1,s2)=>{')
    """
    report, wide, legal = alive.report, alive.wide, alive.legal
    if wide is None:
        raise ValueError("a report that is not known on letters has no formulas")
    held = _Formulas()
    inputs = [held.shape(shape) for shape in wide.inputs.values()]
    rows = [_row(row, other, held) for row, other in zip(report.layers, wide.layers, strict=True)]
    conditions, path = _conditions(legal, alive.example, {row.name: at for at, row in enumerate(report.layers)}, held)
    own = [letters.index(letter) if letter in letters else str(alive.example[letter]) for letter in alive.letters]
    data = {
        "prefix": prefix,
        "cells": cells,
        "lines": list(lines),
        "own": own,
        "spatial": [place for place, letter in enumerate(letters) if legal is None or letter in legal.axes],
        "rows": rows,
        "inputs": inputs,
        "outputs": [held.shape(shape) for shape in wide.outputs.values()],
        "macs": held.place(wide.macs),
        "params": held.place(wide.params),
        "activations": held.place(wide.activations),
        "least": bool(wide.uncounted),
        "bytes": itemsize(report.dtype),
        "held": [held.place(product(shape)) for shape in wide.inputs.values()],
        "life": _life(alive.graph, wide, held),
        "conditions": conditions,
        "path": path,
    }
    return data, javascript(held.places, alive.letters)


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


def _life(graph: Graph, wide: Report, held: _Formulas) -> list[tuple[list[int], list[int]]]:
    """For each node the values it makes and those that are read for the last time by it, as `memory` counts them."""
    sizes = {name: product(shape) for name, shape in wide.inputs.items()}
    for row, node in zip(wide.layers, graph, strict=True):
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
        return [], _pinned(example, held)
    here = {axis: example[axis] for axis in legal.axes}
    way = next((way for way in legal.ways if way.is_taken(here, reader_at(legal.axes, here))), None)
    if way is None or way.error is not None:
        return [], _pinned(here, held)
    told = []
    refusals_first = sorted(way.conditions, key=lambda one: one.kind != "runs")
    for condition, points in _first_refusals(refusals_first, legal.axes, example):
        says = {value: _placed(parts, held) for value, parts in _sentences(condition, points).items()}
        row = rows.get(_place(condition, points), 0)
        place, (axis, *more) = held.place(condition.value), (*sorted(condition.axes), "")
        size = place if any(more) or not axis else held.place(Expr.symbol(axis))
        told.append({"value": place, "size": size, "kind": condition.kind, "row": row, "says": says})
    path = [held.place(condition.value) for condition in way.path]
    if legal.up_to is not None:
        path += [held.place(legal.up_to - Expr.symbol(axis)) for axis in legal.axes]
    return told, path + _pinned(way.only_at or {}, held)


def _pinned(sizes: Mapping[str, int], held: _Formulas) -> list[int]:
    """What is at least 0 at these sizes alone."""
    letters = [(Expr.symbol(letter), size) for letter, size in sizes.items()]
    return [held.place(side) for letter, size in letters for side in (letter - size, size - letter)]


def _sentences(condition: Condition, points: Sequence[Mapping[str, int]]) -> dict[str, Template]:
    """The sentence of a condition, under ""; where each value says something else, also those, under the values."""
    if (parts := template(condition.error, points)) is not None:
        return {"": parts}
    by_value: dict[str, list[Mapping[str, int]]] = {}
    for point in points:
        by_value.setdefault(str(condition.values(point)), []).append(point)
    found: dict[str, Template | None] = {
        "": [f"{_place(condition, points)}: {condition.value} must be >= 0".removeprefix(": ")]
    }
    for value, alike in by_value.items():
        found[value] = template(condition.error, alike)
        if found[value] is None and len(condition.axes) == 1:
            found |= _by_size(condition, alike, value)
    return {key: parts for key, parts in found.items() if parts is not None}


def _by_size(condition: Condition, points: Sequence[Mapping[str, int]], value: str) -> dict[str, Template | None]:
    """The sentence of a condition on one axis that most points have, and those of single sizes, as "=1"."""
    (axis,) = condition.axes
    alone = [(point[axis], template(condition.error, [point])) for point in points]
    usual = max((parts for _, parts in alone), key=[parts for _, parts in alone].count)
    return {value: usual} | {f"={size}": parts for size, parts in alone if parts != usual}


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
            values = np.broadcast_to(condition.values(line), sizes.shape)
            fails = left & ~np.asarray(values >= 0, bool)
            places = np.flatnonzero(fails)
            step = max(1, len(places) // TRIED)
            each = np.sort(np.unique(values[places], return_index=True)[1])[:VALUES]
            tried = sorted({*places[:TRIED].tolist(), *places[::step].tolist(), *places[each].tolist()})
            points += [{axis: int(line[axis][place]) for axis in axes} for place in tried]
            left &= ~fails
    return found
