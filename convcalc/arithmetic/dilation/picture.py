"""A dilated stack drawn: what it reads as it grows, layer by layer, the holes, and how often each input is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcalc.errors import BadShape
from convcalc.render.cells import Panel, line
from convcalc.render.picture import HEAD, MARGIN, Picture, fitted, legend
from convcalc.render.svg import text, written

if TYPE_CHECKING:
    from convcalc.arithmetic.dilation.stack import HDC

LABEL = 96
"""Pixels for what stands before a row."""
LONGEST = 2**20
"""So long a field is drawn."""


def hdc_picture(found: HDC, repaired: HDC | None = None) -> Picture:
    """Draw what the first layer reads of the field, the first two, ..., all; below, the repair in the same way.

    Offsets count from the field's first tap. Of fields past 64 positions both ends are drawn; raises `BadShape` for
    fields past a million.

    >>> from convcalc.arithmetic.dilation.stack import hdc
    >>> found = hdc([1, 2, 9])
    >>> print(hdc_picture(found, hdc(found.tries[0].rates)))
    hdc 1 2 9: field of 25, 4 never read
    holes at 7, 8, 16, 17; repaired by 1 3 9: field of 27, every input read
    """
    stacks = [found] if repaired is None else [found, repaired]
    longest = max(stack.receptive_field for stack in stacks)
    if longest > LONGEST:
        raise BadShape(f"a field of {longest:,} is too long to draw, at most {LONGEST:,}: use smaller rates")
    cell = fitted(min(64, longest), _widest(stacks))
    marks: list[str] = []
    y: float = HEAD
    wide: float = 0
    for stack in stacks:
        drawn, y, right = _stack(stack, cell, y, repaired=stack is not found)
        marks += drawn
        wide = max(wide, right)
    meant = {"tap": "read"} | ({} if found.exact_ok else {"lost": "never read"}) | {"out": "ways that lead there"}
    marks += legend(meant, MARGIN, y)
    title, about = _said(found), _about(found, repaired)
    head = text("word", MARGIN, 24, title, size=14)
    return Picture(
        title=title,
        description=about,
        width=max(wide, written(title, 14) + MARGIN, 420) + MARGIN,
        height=y + 30,
        marks=(head, *marks),
    )


def _said(stack: HDC) -> str:
    holes = stack.hole_count
    missed = "every input read" if stack.exact_ok else f"{'some' if holes is None else f'{holes:,}'} never read"
    return f"hdc {' '.join(map(str, stack.rates))}: field of {stack.receptive_field:,}, {missed}"


def _about(found: HDC, repaired: HDC | None) -> str:
    if found.exact_ok:
        return "no holes"
    holes = ", ".join(map(str, found.holes[:8])) + (", ..." if found.hole_count != len(found.holes[:8]) else "")
    if repaired is None:
        return f"holes at {holes}; {found.tries_remark or 'no repair'}"
    return f"holes at {holes}; repaired by {_said(repaired).removeprefix('hdc ')}"


def _widest(stacks: Sequence[HDC]) -> int:
    return max(len(str(max(stack.counts))) if stack.counts else 1 for stack in stacks)


def _stack(stack: HDC, cell: float, y: float, *, repaired: bool) -> tuple[list[str], float, float]:
    """The rows of one stack, where they end below, and on the right."""
    field = stack.receptive_field
    columns = line(0, field - 1, cell, around=stack.holes[:1])
    x = MARGIN + LABEL
    rates = " ".join(map(str, stack.rates))
    marks = [text("word", MARGIN, y, f"repaired: {rates}" if repaired else rates)] if repaired else []
    y += 20 if repaired else 0
    one = line(0, 0, cell)
    last = columns.length
    for layer, (bits, width) in enumerate(zip(stack.prefixes(field), stack.fields, strict=True)):
        shift = 0 if columns.gaps else (field - width) // 2  # in the middle, where that can be seen
        panel = Panel(one, columns, cell, x, y)
        label = f"rate {stack.rates[layer]}" if layer == 0 else f"and {stack.rates[layer]}"
        marks.append(text("faint", MARGIN, y + cell / 2 + 4, label, size=11))
        for place in columns.places:
            if shift <= place < shift + width:
                marks += panel.mark((0, place), "tap" if bits >> (place - shift) & 1 else "lost")
        for gap in columns.gaps:
            marks.append(text("faint", x + gap + cell / 2, y + cell / 2 + 4, "…", "middle"))
        y += cell + 6
    if stack.counts is not None:
        panel = Panel(one, columns, cell, x, y + 4)
        marks.append(text("faint", MARGIN, y + cell / 2 + 8, "ways", size=11))
        marks += panel.cells(lambda row, column: "out", lambda row, column: str(stack.counts[column]))  # type: ignore[index]
        marks += panel.numbers(below=True)
        y += cell + 10
    return marks, y + 30, x + last
