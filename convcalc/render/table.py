"""A table: boxes and columns on a terminal, plain records one a line elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of aligned columns, a heading and one record a line, of no width limit.

    >>> print(plain_table(["layer", "output"], [["conv1", "64x112"], ["maxpool1", "64x56"]]))
    layer     output
    conv1     64x112
    maxpool1  64x56
    """
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (columns, *rows))
    return "\n".join(line.rstrip() for line in lines)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = ()) -> None:
    """Print a table with rich; where the terminal is too narrow, without the first `spare` columns, and say so.

    NO_COLOR and COLUMNS are honoured.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    heads = [_broken(name, [row[place] for row in rows]) for place, name in enumerate(columns)]
    cells = [[*heads[place].splitlines(), *(row[place] for row in rows)] for place in range(len(columns))]
    kept = list(range(len(columns)))

    def width(gap: int) -> int:
        return sum(max(map(len, cells[place])) + gap for place in kept) - gap

    left_out = []
    for name in spare:
        if width(gap=1) > console.width and name in columns:
            left_out.append(name)
            kept.remove(list(columns).index(name))
    table = Table(
        box=SIMPLE_HEAD, padding=(0, int(width(gap=2) <= console.width), 0, 0), pad_edge=False, show_edge=False
    )
    for place in kept:  # a number never breaks; a formula may, where nothing else is left to do
        numbers = all(re.fullmatch(r"[0-9,.:x+−-]*", row[place]) for row in rows)
        table.add_column(heads[place], no_wrap=numbers or width(gap=1) <= console.width, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[place]) for place in kept))
    console.print(table)
    if left_out:
        console.print(f"{console.width} columns are too few for: {', '.join(left_out)}", style="dim")


def _broken(heading: str, cells: Sequence[str]) -> str:
    """A heading longer than what stands below it, a word a line."""
    return heading.replace(" ", "\n") if len(heading) > max(map(len, cells), default=0) else heading
