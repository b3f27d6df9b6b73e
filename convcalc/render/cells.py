"""Cells in rows and grids: where each stands, with a gap where there are too many to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from convcalc.render.svg import SIZE, hatch, rect, text

MOST = 64
"""So many cells are drawn on an axis; of more, both ends."""
END = 24
"""So many at each end then."""


@dataclass(frozen=True)
class Line:
    """One axis of cells: the pixel each position starts at, from 0 on, where cells were left out, and the length."""

    places: Mapping[int, float]
    gaps: tuple[float, ...]
    length: float


def line(first: int, last: int, cell: float, around: Iterable[int] = ()) -> Line:
    """Place the positions `first` to `last`; of more than `MOST` both ends, and those `around` a place that matters.

    >>> line(-1, 3, 20).places
    {-1: 0, 0: 20, 1: 40, 2: 60, 3: 80}
    >>> far = line(0, 999, 10, around=[500])
    >>> sorted(far.places)[23:26], len(far.places), len(far.gaps)
    ([23, 500, 976], 49, 2)
    """
    kept: Iterable[int] = range(first, last + 1)
    if last - first >= MOST:
        near = sorted(place for place in around if first <= place <= last)[:MOST]
        kept = sorted({*range(first, first + END), *range(last + 1 - END, last + 1), *near})
    places: dict[int, float] = {}
    gaps = []
    x: float = 0
    for position in kept:
        if places and position - 1 not in places:
            gaps.append(x)
            x += cell
        places[position] = x
        x += cell
    return Line(places, tuple(gaps), x)


@dataclass(frozen=True)
class Panel:
    """A grid of square cells on a drawing, its top left corner at (x, y); a row of cells is a grid of one row."""

    rows: Line
    columns: Line
    cell: float
    x: float
    y: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.x + self.columns.length

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.rows.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The cells that are drawn, as (row, column)."""
        return product(self.rows.places, self.columns.places)

    def __contains__(self, place: tuple[int, int]) -> bool:
        return place[0] in self.rows.places and place[1] in self.columns.places

    def corner(self, place: tuple[int, int]) -> tuple[float, float]:
        """Return the top left corner of a cell."""
        return self.x + self.columns.places[place[1]], self.y + self.rows.places[place[0]]

    def middle(self, place: tuple[int, int]) -> tuple[float, float]:
        """Return the middle of a cell."""
        x, y = self.corner(place)
        return x + self.cell / 2, y + self.cell / 2

    def mark(
        self, place: tuple[int, int], kind: str, words: str = "", ink: str = "word", shade: float = 1
    ) -> list[str]:
        """Draw a cell and what stands in it, smaller where it must be; a "lost" one is crossed out."""
        x, y = self.corner(place)
        marks = [rect(kind, x, y, self.cell, self.cell, shade=shade)]
        marks += [hatch(x, y, self.cell, self.cell)] if kind == "lost" else []
        if words:
            size = min(SIZE, (self.cell - 2) / len(words) / 0.6)
            marks.append(text(ink, x + self.cell / 2, y + self.cell / 2 + size * 0.36, words, "middle", size))
        return marks

    def cells(self, kind: Callable[[int, int], str], words: Callable[[int, int], str] | None = None) -> list[str]:
        """Draw every cell, and dots where cells were left out."""
        marks = []
        for place in self:
            marks += self.mark(place, kind(*place), words(*place) if words else "")
        some = list(self.rows.places.values())[:: max(1, len(self.rows.places) // 4)]
        half = self.cell / 2
        for gap, down in product(self.columns.gaps, some):
            marks.append(text("faint", self.x + gap + half, self.y + down + half + 4, "…", "middle"))
        some = list(self.columns.places.values())[:: max(1, len(self.columns.places) // 4)]
        for gap, across in product(self.rows.gaps, some):
            marks.append(text("faint", self.x + across + half, self.y + gap + half + 4, "⋮", "middle"))
        return marks

    def numbers(self, below: bool = False) -> list[str]:
        """Number the columns above or below, and the rows on the left where there are several; each where it fits."""
        widest = max(len(str(position)) for position in self.columns.places)
        step = max(1, -(-int(widest * 6.5 + 4) // int(self.cell)))
        marks = [
            text(
                "faint",
                self.x + start + self.cell / 2,
                self.bottom + 13 if below else self.y - 6,
                str(at),
                "middle",
                10,
            )
            for at, start in list(self.columns.places.items())[::step]
        ]
        if len(self.rows.places) > 1:
            step = max(1, -(-11 // int(self.cell)))
            marks += [
                text("faint", self.x - 5, self.y + start + self.cell / 2 + 4, str(at), "end", 10)
                for at, start in list(self.rows.places.items())[::step]
            ]
        return marks
