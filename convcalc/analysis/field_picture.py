"""What one output reads, drawn over the input: the hull, what is read within it, and in how many ways."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

from convcalc.analysis.cell import AxisWindow
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.taps import TapSet
from convcalc.render.picture import HEAD, MARGIN, Picture, legend
from convcalc.render.svg import rect, text, written

SIDE, BAR = 420, 60
"""Pixels of the longer side of the input, and of the highest bar of ways."""
PIECES = 4096
"""Of more pieces than these, the hull alone is drawn."""
PHASES = 8
"""So many phases are written out."""


def field_picture(
    name: str,
    at: str,
    windows: Sequence[AxisWindow],
    ways: Sequence[dict[int, int] | None],
    footprints: Sequence[Footprint | None],
) -> Picture:
    """Draw what an output of node `at` reads of an input with one axis or two, as `find_window` and `count_ways` say.

    Where outputs of different phases read different patterns, as in a decoder, each pattern is written below.

    >>> from convcalc.analysis.cell import count_ways, find_window
    >>> from convcalc.analysis.fields import find_fields
    >>> from convcalc.layers import Conv
    >>> net, shape = Conv(8, 3, dilation=2, padding=2), (1, 1, 9, 9)
    >>> found = find_window(net, "conv", [4, 4], shape), count_ways(net, "conv", [4, 4], shape)
    >>> print(field_picture("net", "conv", *found, find_fields(net, shape)["conv"].spatial))
    net: what output 4x4 of conv reads of 9x9
    rows 2 to 6, 3 of 5; columns 2 to 6, 3 of 5
    """
    flat = len(windows) == 1
    sizes = [window.size for window in windows]
    scale = min(26.0, SIDE / max(sizes))
    wide, high = sizes[-1] * scale, (26.0 if flat else sizes[0] * scale)
    x, y = MARGIN + 10.0, HEAD + 8.0
    marks = [rect("cell", x, y, wide, high)]
    spans = [_runs(window.reads, window.size) for window in windows]
    if all(spans):
        rows = [(0, 0)] if flat else spans[0]
        columns = spans[-1]
        unit = 26.0 if flat else scale
        top, left = rows[0][0], columns[0][0]
        bottom, right = rows[-1][1], columns[-1][1]
        if len(rows) * len(columns) <= PIECES:
            for (first, last), (start, end) in product(rows, columns):
                box = x + start * scale, y + first * unit, (end - start + 1) * scale, (last - first + 1) * unit
                marks.append(rect("tap", *box))
        marks.append(
            rect("hull", x + left * scale, y + top * unit, (right - left + 1) * scale, (bottom - top + 1) * unit)
        )
    marks += [
        text("faint", x, y - 5, "0", size=10),
        text("faint", x + wide, y - 5, str(sizes[-1] - 1), "end", 10),
        *([] if flat else [text("faint", x - 5, y + high, str(sizes[0] - 1), "end", 10)]),
    ]
    marks += _bars(ways[-1], x, y + high + 8, scale, across=True)
    if not flat:
        marks += _bars(ways[0], x + wide + 8, y, scale, across=False)
    y += high + BAR + 34
    lines = _phases(footprints[-1])
    marks += [text("faint", MARGIN, y + 14 * place, words, size=11) for place, words in enumerate(lines)]
    y += 14 * len(lines)
    shape = "x".join(map(str, sizes))
    title = f"{name}: what output {'x'.join(str(window.cell) for window in windows)} of {at} reads of {shape}"
    about = "; ".join(
        f"{label}{_said(window)}"
        for label, window in zip([""] if flat else ["rows ", "columns "], windows, strict=True)
    )
    head = [text("word", MARGIN, 24, title, size=14), text("faint", MARGIN, 42, about, size=11)]
    meant = {"tap": "read", "hull": "from the first to the last", "out": "in how many ways, each axis alone"}
    edge = x + wide + (0 if flat else BAR + 16)
    return Picture(
        title=title,
        description=about,
        width=max(edge, written(title, 14) + MARGIN, written(about, 11) + MARGIN, 520) + MARGIN,
        height=y + 30,
        marks=(*head, *marks, *legend(meant, MARGIN, y)),
    )


def _said(window: AxisWindow) -> str:
    """What is read on one axis, in words."""
    if window.reads is None:
        return "not known"
    if not window.reads:
        return "nothing"
    first, last = window.reads.first, window.reads.last
    outside = "" if not window.padding or not any(window.padding) else f", and {sum(window.padding)} outside"
    return f"{first} to {last}, {len(window.reads)} of {last - first + 1}{outside}"


def _runs(reads: TapSet | None, size: int) -> list[tuple[int, int]]:
    """The positions read, as first and last of each piece."""
    places = list(reads or ())
    breaks = [(a, b) for a, b in pairwise(places) if b != a + 1]
    starts = [*places[:1], *(b for _, b in breaks)]
    return list(zip(starts, [*(a for a, _ in breaks), *places[-1:]], strict=True))


def _bars(ways: dict[int, int] | None, x: float, y: float, scale: float, *, across: bool) -> list[str]:
    """In how many ways each position is read: bars below, or on the right."""
    if not ways:
        return []
    most = max(ways.values())
    marks = []
    for position, times in ways.items():
        long = max(1.0, BAR * (times / most))
        start, thick = position * scale, max(0.8, scale - 0.4)
        tip = f"{position}: {times} ways"
        marks.append(
            rect("out", x + start, y, thick, long, tip) if across else rect("out", x, y + start, long, thick, tip)
        )
    return marks


def _phases(footprint: Footprint | None) -> list[str]:
    """What the outputs of each phase read, where they differ."""
    if footprint is None or len(footprint.phases) < 2:
        return []
    count = len(footprint.phases)
    lines = [f"{count} patterns in turn, moved by {footprint.step} every {count} outputs; of the columns:"]
    for phase, taps in enumerate(footprint.phases[:PHASES]):
        lines.append(f"  output {count}a + {phase} reads {taps.first}..{taps.last}, {taps.total} taps" if taps else "")
    return [*lines, *([f"  ... {count - PHASES} more"] if count > PHASES else [])]
