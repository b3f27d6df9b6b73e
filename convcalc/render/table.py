"""A table: boxes and columns on a terminal, plain records one a line elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape


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


def table_width(columns: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2) -> int:
    """Return how many columns of text a table takes.

    >>> table_width(["layer", "out\\nput"], [["conv1", "64"]])
    10
    """
    return sum(width + gap for width in _widths(columns, rows)) - gap


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    lines = ([line for cell in column for line in cell.splitlines()] for column in zip(columns, *rows, strict=True))
    return [max(map(len, column), default=0) for column in lines]


def fitting(
    columns: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str], width: int, gap: int = 2
) -> tuple[list[int], list[str]]:
    """Return the places of the columns that fit into `width`, and the names of those of `spare` left out for that.

    >>> fitting(["layer", "op", "output"], [["conv1", "conv 8 k3", "8x26"]], ["op"], 14)
    ([0, 2], ['op'])
    """
    widths = _widths(columns, rows)
    kept = list(range(len(columns)))
    left_out = []
    for name in spare:
        places = [place for place in kept if columns[place].replace("\n", " ") == name]
        if places and sum(widths[place] + gap for place in kept) - gap > width:
            left_out.append(name)
            kept = [place for place in kept if place not in places]
    return kept, left_out


def narrow_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = (), width: int | None = None
) -> str:
    """Return a plain table; where it passes `width`, without the first `spare` columns, and saying so.

    >>> print(narrow_table(["layer", "op", "output"], [["conv1", "conv 8 k3", "8x26"]], ["op"], 14))
    layer  output
    conv1  8x26
    14 columns are too few for: op
    """
    if width is None:
        return plain_table(columns, rows)
    kept, left_out = fitting(columns, rows, spare, width)
    table = plain_table([columns[place] for place in kept], [[row[place] for place in kept] for row in rows])
    return table + (f"\n{width} columns are too few for: {', '.join(left_out)}" if left_out else "")


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table for notebooks.

    >>> html_table(["n"], [["<1"]])
    '<table><thead><tr><th>n</th></tr></thead><tbody><tr><td>&lt;1</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _broken(heading: str, cells: Sequence[str]) -> str:
    """A heading longer than what stands below it, a word a line."""
    return heading.replace(" ", "\n") if len(heading) > max(map(len, cells), default=0) else heading


def terminal_width() -> int:
    """Return how many columns the terminal has, or COLUMNS says it has."""
    import shutil  # costs more to import than most tables to write

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
