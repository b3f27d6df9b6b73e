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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with rich, as wide as the terminal; NO_COLOR and COLUMNS are honoured."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
