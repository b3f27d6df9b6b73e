"""A table: boxes and columns on a terminal, plain records one a line elsewhere."""

from __future__ import annotations

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
    widths = {cells[0]: max(map(len, cells)) + 1 for cells in zip(columns, *rows, strict=True)}
    left_out: list[str] = []
    for name in spare:
        if sum(widths.values()) - 1 > console.width and name in widths:
            left_out.append(name)
            del widths[name]
    roomy = sum(widths.values()) + len(widths) - 2 <= console.width  # two spaces between columns, else one
    table = Table(box=SIMPLE_HEAD, padding=(0, int(roomy), 0, 0), pad_edge=False, show_edge=False)
    for name in widths:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell) for name, cell in zip(columns, row, strict=True) if name in widths))
    console.print(table)
    if left_out:
        console.print(f"{console.width} columns are too few for: {', '.join(left_out)}", style="dim")
