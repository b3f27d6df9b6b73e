"""Which input channels each output channel reads, group by group: from all to depthwise."""

from __future__ import annotations

from convcalc.errors import BadArgument, BadShape
from convcalc.render.cells import MOST, Panel, line
from convcalc.render.svg import path, text

SIDE = 16
"""Pixels of a channel."""


def groups_strip(channels: tuple[int, int], groups: int, x: float, y: float) -> tuple[list[str], float, float]:
    """Draw input channels above output channels and lines within each group; also where it ends, right and below.

    Raises `BadArgument` where the groups do not divide both, `BadShape` for more channels than can be seen.

    >>> marks, right, bottom = groups_strip((4, 8), 2, 0, 0)
    >>> sum(mark.startswith("<path") for mark in marks)
    16
    """
    into, out = channels
    if min(into, out, groups) < 1 or into % groups or out % groups:
        raise BadArgument(f"groups={groups} must divide both {into} input channels and {out} output channels")
    if max(into, out) > MOST:
        raise BadShape(f"{max(into, out)} channels are too many to draw, at most {MOST}: use fewer of each group")
    middle = max(into, out) * SIDE / 2
    above = Panel(line(0, 0, SIDE), line(0, into - 1, SIDE), SIDE, x + middle - into * SIDE / 2, y + 22)
    below = Panel(line(0, 0, SIDE), line(0, out - 1, SIDE), SIDE, x + middle - out * SIDE / 2, y + 86)
    share = into // groups
    reads = [(place, made) for made in range(out) for place in _of(made // (out // groups), share)]
    lines = [
        path("ray", [(above.middle((0, a))[0], above.bottom), (below.middle((0, b))[0], below.y)]) for a, b in reads
    ]
    words = f"{_kind(into, groups)}: {into} channels above, {out} below, each of which reads {share}"
    marks = [
        text("faint", x, y + 10, words, size=11),
        *lines,
        *above.cells(lambda row, column: "cell" if column // share % 2 else "tap"),
        *below.cells(lambda row, column: "out" if column // (out // groups) % 2 else "now"),
    ]
    return marks, max(above.right, below.right), below.bottom


def _of(group: int, share: int) -> range:
    """The input channels of a group."""
    return range(group * share, (group + 1) * share)


def _kind(into: int, groups: int) -> str:
    if groups == 1:
        return "one group"
    return "depthwise" if groups == into else f"{groups} groups"
