"""A picture as a value: what it shows in words, as SVG, and as a file; still, or frame after frame."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from convcalc.errors import Unreadable
from convcalc.render import svg
from convcalc.render.cells import Panel, line
from convcalc.shown import Shown

SECONDS = 0.8
"""So long a frame is shown."""
MARGIN, HEAD = 28, 56
"""Pixels around a drawing, and for its title above."""
ENDINGS = (".svg", ".png", ".gif")


@dataclass(frozen=True, kw_only=True, repr=False)
class Picture(Shown):
    """A drawing of an answer: `marks` that stay, and `frames` of which one at a time is seen above them.

    >>> still = Picture(title="a cell", description="one cell", width=20, height=20, marks=(), frames=(("<rect/>",),))
    >>> print(still)
    a cell
    one cell
    >>> "<rect/>" in still.to_svg()
    True
    """

    title: str
    description: str
    """What is seen, in words: for those who hear it."""
    width: float
    height: float
    """Pixels."""
    marks: tuple[str, ...]
    frames: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        return f"{self.title}\n{self.description}"

    def to_svg(self) -> str:
        """Return it as the text of an SVG file; equal pictures give equal bytes."""
        if len(self.frames) < 2:
            return self._still(self.frames[0] if self.frames else ())
        moving = [svg.group(marks, f"f{place}") for place, marks in enumerate(self.frames)]
        return svg.document(
            self.width, self.height, self.title, self.description, [*self.marks, *moving], len(self.frames), SECONDS
        )

    def save(self, path: str | Path) -> int:
        """Write it to a file, as its ending says: .svg, .png, or .gif, which moves; return its bytes.

        Raises `Unreadable` for another ending, where the file cannot be written, and where `resvg-py`, for .gif also
        Pillow, is missing: both come with `convcalc[plot]`.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            raise Unreadable(f"a picture ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, not in {path.name!r}")
        data = self.to_svg().encode() if ending == ".svg" else self._pixels(ending)
        try:
            path.write_bytes(data)
        except OSError as error:
            raise Unreadable(f"cannot write {path}: {error.strerror or error}") from None
        return len(data)

    def _still(self, frame: Sequence[str]) -> str:
        return svg.document(self.width, self.height, self.title, self.description, [*self.marks, *frame])

    def _pixels(self, ending: str) -> bytes:
        from convcalc.render.pixels import moving, still

        frames = [self._still(frame) for frame in self.frames or ((),)]
        return still(frames[0]) if ending == ".png" else moving(frames, SECONDS)

    def _repr_html_(self) -> str:
        """The picture for notebooks, in a frame of its own, so that no rule of the page's meets one of its own."""
        data = b64encode(self.to_svg().encode()).decode()
        return f'<img alt="{escape(str(self))}" src="data:image/svg+xml;base64,{data}">'


def fitted(most: int, longest: int = 1) -> float:
    """Return the side of a cell that suits so many of them and so many letters in one, in pixels.

    >>> fitted(5), fitted(30), fitted(5, 4)
    (26, 18, 34.0)
    """
    return max(26 if most <= 16 else 18 if most <= 32 else 12, longest * 7.5 + 4)


def legend(meant: Mapping[str, str], x: float, y: float) -> list[str]:
    """Draw a small cell of each class beside what it means."""
    marks: list[str] = []
    for kind, words in meant.items():
        marks += Panel(line(0, 0, 10), line(0, 0, 10), 10, x, y).mark((0, 0), kind)
        marks.append(svg.text("faint", x + 16, y + 9, words, size=10))
        x += 32 + svg.written(words, 10)
    return marks
