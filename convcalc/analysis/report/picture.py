"""The graph of a network: a box a layer, what is pointwise with the layer before it, sizes on the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.rows import fold_blocks
from convcalc.network.ops import op_words
from convcalc.render.layered import layered, passing
from convcalc.render.picture import HEAD, MARGIN, Picture
from convcalc.render.svg import path, rect, text, written
from convcalc.render.words import across, count
from convcalc.sizes.text import PRETTY

READABLE, PASSING = 80, 300
"""Of networks with more boxes, or lines that pass more levels, blocks are folded, unless a depth is asked for."""
SMALL, LINE = 10, 13
"""Pixels of a letter's height in a box, and of a line of text."""


@dataclass(frozen=True)
class _Box:
    """One box: the rows drawn in it, the first of which names it."""

    rows: tuple[LayerReport, ...]

    @property
    def lines(self) -> list[str]:
        """What stands in it."""
        first, *more = self.rows
        name = first.name
        if first.op == "block":
            nodes = first.args["nodes"]
            return [name, f"{nodes} layers" if nodes > 1 else "1 layer"]
        return [name, " · ".join([op_words(first.op, first.args), *(row.op for row in more)])]


def net_picture(report: Report, depth: int | None = None) -> Picture:
    """Draw the graph of a network, blocks folded to `depth` steps of their path; as far as it reads well by default.

    Layers that change no shape and multiply nothing stand in the box of the layer they follow.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> print(net_picture(inspect_graph(lenet())))
    lenet: 1x1x28x28 -> 1x10
    8 boxes; 61,706 parameters, 416,520 MACs
    """
    boxes, report = _boxes(report, depth)
    edges = _edges(boxes, report)
    home = {row.name: box.rows[0].name for box in boxes for row in box.rows}
    texts: dict[str, list[str]] = {name: [name] for name in report.inputs}
    texts |= {box.rows[0].name: box.lines for box in boxes}
    sizes = {name: across(shape, PRETTY) for name, shape in report.inputs.items()}
    sizes |= {box.rows[0].name: across(box.rows[-1].output, PRETTY) for box in boxes}
    wide = {
        name: (
            max(written(words, SMALL + (not place)) for place, words in enumerate(lines)) + 16,
            8.0 + LINE * len(lines),
        )
        for name, lines in texts.items()
    }
    found = layered(wide, edges)
    title = f"{report.model or 'network'}: {_shapes(report.inputs)} -> {_shapes(report.outputs) or 'fails'}"
    about = f"{len(boxes)} boxes; {count(report.params, PRETTY)} parameters, {count(report.macs, PRETTY)} MACs"
    x, y = float(MARGIN), float(HEAD)
    width = max(found.width, written(title, 14), written(about, 11), 300)
    x += (width - found.width) / 2
    marks = [text("word", MARGIN, 24, title, size=14), text("faint", MARGIN, 42, about, size=11)]
    marks += [path("edge", [(x + a, y + b) for a, b in points], arrow=True) for points in found.lines.values()]
    for name, (left, top) in found.places.items():
        marks += _drawn(texts[name], x + left, y + top, *wide[name], kind=_kind(name, report, boxes))
    for name in dict.fromkeys([*(a for a, _ in edges), *(home[end] for end in report.ends if end in home)]):
        left, top = found.places[name]
        spot = x + left + wide[name][0] / 2 + 5, y + top + wide[name][1] + 12
        marks.append(text("size", *spot, sizes[name], size=SMALL))
    return Picture(
        title=title,
        description=about,
        width=width + 2 * MARGIN,
        height=y + found.height + 40,
        marks=tuple(marks),
    )


def _boxes(report: Report, depth: int | None) -> tuple[list[_Box], Report]:
    """The boxes of a report folded to a depth: the deepest that reads well where none is asked for."""
    if depth is not None:
        report = fold_blocks(report, depth)
        return _merged(report.layers, report.ends), report
    steps = max((len(row.name.split(".")) for row in report.layers), default=1)
    for deep in range(steps, 0, -1):
        folded = report if deep == steps else fold_blocks(report, deep)
        boxes = _merged(folded.layers, folded.ends)
        names = [*report.inputs, *(box.rows[0].name for box in boxes)]
        if len(boxes) <= READABLE and passing(names, _edges(boxes, folded)) <= PASSING:
            break
    return boxes, folded


def _edges(boxes: Sequence[_Box], report: Report) -> list[tuple[str, str]]:
    """Which box reads which, once each."""
    home = {row.name: box.rows[0].name for box in boxes for row in box.rows} | {name: name for name in report.inputs}
    reads = [(_known(name, home), box.rows[0].name) for box in boxes for row in box.rows for name in row.inputs]
    return [(home[a], b) for a, b in dict.fromkeys(reads) if a in home and home[a] != b]


def _merged(rows: Sequence[LayerReport], ends: Sequence[str]) -> list[_Box]:
    """The rows in boxes: what alone reads the row before it, keeps its shape and multiplies nothing joins its box."""
    readers = Counter(name for row in rows for name in dict.fromkeys(row.inputs))
    boxes: list[_Box] = []
    home: dict[str, int] = {}
    for row in rows:
        before = home.get(row.inputs[0]) if len(row.inputs) == 1 else None
        last = None if before is None else boxes[before].rows[-1]
        joins = (
            last is not None
            and last.name == row.inputs[0]
            and readers[last.name] == 1
            and last.name not in ends
            and last.op != "block"
            and row.op != "block"
            and row.output == last.output
            and row.macs == 0
        )
        if joins and before is not None:
            boxes[before] = _Box((*boxes[before].rows, row))
            home[row.name] = before
        else:
            home[row.name] = len(boxes)
            boxes.append(_Box((row,)))
    return boxes


def _known(name: str, known: Container[str]) -> str:
    """The node that gives a value: `split[1]` is given by `split`."""
    return name if name in known else name.partition("[")[0]


def _shapes(shapes: Mapping[str, Sequence[object]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes.values())


def _kind(name: str, report: Report, boxes: Sequence[_Box]) -> str:
    if name in report.inputs:
        return "cell"
    return "out" if any(box.rows[0].name == name and box.rows[-1].name in report.ends for box in boxes) else "zero"


def _drawn(lines: Sequence[str], x: float, y: float, width: float, height: float, kind: str) -> list[str]:
    marks = [rect(kind, x, y, width, height)]
    for place, words in enumerate(lines):
        size = SMALL + (not place)
        marks.append(text("faint" if place else "word", x + width / 2, y + 14 + LINE * place, words, "middle", size))
    return marks
