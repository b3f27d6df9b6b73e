"""A table on a terminal: boxes and columns where it is one, records one a line elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from convcalc.render.table import _broken, fitting


def terminal_width() -> int:
    """Return how many columns the terminal has, or COLUMNS says it has."""
    return shutil.get_terminal_size().columns


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
    kept, left_out = fitting(heads, rows, spare, console.width, gap=1)

    def width(gap: int) -> int:
        return sum(max(map(len, cells[place])) + gap for place in kept) - gap

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
