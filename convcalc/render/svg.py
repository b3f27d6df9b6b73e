"""Drawings as SVG: marks, their colours in light and dark, and frames that follow one another. It knows no answer.

Marks are text, so that equal calls give equal bytes. A class names what a mark means, and `STYLE` how that looks:
colours of Okabe and Ito, which colour-blind readers tell apart; where two would be alike in grey, a border, a dash or a
hatch tells them apart too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = {
    # what a mark means: (light, dark), each of fill and stroke; and what does not depend on the ground
    "cell": ("fill:#e3eef8;stroke:#5b7c99", "fill:#22384c;stroke:#7fa3c2", ""),
    "pad": ("fill:#ffffff;stroke:#8a8a8a", "fill:#16181c;stroke:#8a8a8a", "stroke-dasharray:3 2"),
    "zero": ("fill:#f4f4f4;stroke:#b0b0b0", "fill:#1f2227;stroke:#6a6a6a", ""),
    "tap": ("fill:#0072b2;stroke:#003f66", "fill:#56b4e9;stroke:#d6edfb", "stroke-width:2"),
    "out": ("fill:#dff2ea;stroke:#4d8d76", "fill:#1d3a31;stroke:#67b597", ""),
    "now": ("fill:#d55e00;stroke:#6b2f00", "fill:#f0a060;stroke:#ffe3cc", "stroke-width:2"),
    "lost": ("fill:#ffffff;stroke:#a0522d", "fill:#16181c;stroke:#d99a78", ""),
    "hatch": ("fill:none;stroke:#a0522d", "fill:none;stroke:#d99a78", "stroke-width:1"),
    "hull": ("fill:none;stroke:#d55e00", "fill:none;stroke:#f0a060", "stroke-width:2"),
    "ray": ("fill:none;stroke:#0072b2", "fill:none;stroke:#56b4e9", "stroke-width:1;stroke-opacity:.55"),
    "line": ("fill:none;stroke:#9a9a9a", "fill:none;stroke:#8a8a8a", "stroke-width:1"),
    "edge": ("fill:none;stroke:#6a6a6a", "fill:none;stroke:#a8a8a8", "stroke-width:1.3"),
    "head": ("fill:#6a6a6a;stroke:none", "fill:#a8a8a8;stroke:none", ""),
    "good": ("fill:#009e73;stroke:#00563f", "fill:#2fc79b;stroke:#c8f3e5", ""),
    "fair": ("fill:#f0e442;stroke:#7d7600", "fill:#d8cd3a;stroke:#fffbc0", ""),
    "bad": ("fill:#ffffff;stroke:#8a8a8a", "fill:#16181c;stroke:#8a8a8a", ""),
    "word": ("fill:#1a1a1a", "fill:#ececec", "stroke:none"),
    "faint": ("fill:#5f5f5f", "fill:#b4b4b4", "stroke:none"),
    "on": ("fill:#ffffff", "fill:#101010", "stroke:none"),
    "size": ("fill:#3d3d3d;stroke:#ffffff", "fill:#cfcfcf;stroke:#16181c", "stroke-width:3;paint-order:stroke"),
}
GROUND = ("#ffffff", "#16181c")
FONT = "DejaVu Sans Mono,Menlo,Consolas,monospace"
SIZE = 12
"""Pixels of a letter's height where none is given; its width is 0.6 of it in a font of one width."""


def at(value: float) -> str:
    """Return a coordinate, with one digit after the point where it needs it.

    >>> at(3), at(2.5), at(1 / 3)
    ('3', '2.5', '0.3')
    """
    return f"{value:.1f}".removesuffix(".0")


def rect(kind: str, x: float, y: float, width: float, height: float, tip: str = "", shade: float = 1) -> str:
    """Return a rectangle of a class, with a text that shows under the pointer; `shade` is how full its colour is.

    >>> rect("cell", 0, 2.5, 20, 20)
    '<rect class="cell" x="0" y="2.5" width="20" height="20"/>'
    """
    shape = f'<rect class="{kind}" x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}"'
    shape += "" if shade == 1 else f' fill-opacity="{shade:.2f}"'
    return f"{shape}><title>{escape(tip)}</title></rect>" if tip else f"{shape}/>"


def path(kind: str, points: Sequence[tuple[float, float]], arrow: bool = False) -> str:
    """Return a line through points; with an arrow head at its end if asked for.

    >>> path("line", [(0, 0), (10, 5)])
    '<path class="line" d="M0 0L10 5"/>'
    """
    steps = "L".join(f"{at(x)} {at(y)}" for x, y in points)
    return f'<path class="{kind}" d="M{steps}"{" marker-end=" + chr(34) + "url(#head)" + chr(34) if arrow else ""}/>'


def hatch(x: float, y: float, width: float, height: float) -> str:
    """Return the two diagonals of a rectangle: what is there and never used.

    >>> hatch(0, 0, 20, 20)
    '<path class="hatch" d="M0 0L20 20M20 0L0 20"/>'
    """
    ends = (at(x), at(y), at(x + width), at(y + height))
    return f'<path class="hatch" d="M{ends[0]} {ends[1]}L{ends[2]} {ends[3]}M{ends[2]} {ends[1]}L{ends[0]} {ends[3]}"/>'


def text(kind: str, x: float, y: float, words: str, anchor: str = "start", size: float = SIZE) -> str:
    """Return a text whose baseline starts, has its middle or ends at (x, y).

    >>> text("word", 5, 12, "n < 4", "middle")
    '<text class="word" x="5" y="12" text-anchor="middle">n &lt; 4</text>'
    """
    sized = "" if size == SIZE else f' font-size="{at(size)}"'
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{at(x)}" y="{at(y)}"{placed}{sized}>{escape(words, quote=False)}</text>'


def written(words: str, size: float = SIZE) -> float:
    """Return the width of a text in pixels.

    >>> written("abcde")
    36.0
    """
    return round(len(words) * size * 0.6, 1)


def group(marks: Iterable[str], kind: str = "", tip: str = "") -> str:
    """Return marks as one, of a class, with a text that shows under the pointer.

    >>> group(["<rect/>"], "f", "output 0")
    '<g class="f"><title>output 0</title><rect/></g>'
    """
    named = f' class="{kind}"' if kind else ""
    return f"<g{named}>{f'<title>{escape(tip)}</title>' if tip else ''}{''.join(marks)}</g>"


def document(
    width: float,
    height: float,
    title: str,
    description: str,
    marks: Sequence[str],
    frames: int = 1,
    seconds: float = 0.8,
) -> str:
    """Return a whole SVG file: named and described for those who hear it, light or dark as the reader has it.

    Marks of the classes f0, f1, ... are shown one after another, each for `seconds`, where there are several `frames`;
    readers who want no motion see the first alone.

    >>> print(document(20, 20, "a cell", "one cell", [rect("cell", 0, 0, 20, 20)]).splitlines()[0][:60])
    <svg xmlns="http://www.w3.org/2000/svg" width="20" height="2
    """
    body = "".join(marks)
    kinds = [kind for kind in STYLE if f'class="{kind}"' in body]
    heads = "url(#head)" in body
    kinds += ["head"] if heads and "head" not in kinds else []
    marker = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{at(width)}" height="{at(height)}" '
        f'viewBox="0 0 {at(width)} {at(height)}" role="img" font-family="{FONT}" font-size="{SIZE}">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f"<style>{_sheet(kinds)}{_motion(frames, seconds)}</style>\n"
        f'{marker if heads else ""}<rect class="ground" width="100%" height="100%"/>\n'
        + "\n".join(marks)
        + "\n</svg>\n"
    )


def _sheet(kinds: Sequence[str]) -> str:
    """The rules of these classes, and those for readers who have a dark ground."""
    light = "".join(f".{kind}{{{';'.join(filter(None, (STYLE[kind][0], STYLE[kind][2])))}}}" for kind in kinds)
    dark = "".join(f".{kind}{{{STYLE[kind][1]}}}" for kind in kinds)
    return f".ground{{fill:{GROUND[0]}}}{light}@media (prefers-color-scheme:dark){{.ground{{fill:{GROUND[1]}}}{dark}}}"


def _motion(frames: int, seconds: float) -> str:
    """The rules that show one frame after another."""
    if frames == 1:
        return ""
    share = 100 / frames
    starts = "".join(f".f{frame}{{animation-delay:{at(frame * seconds)}s}}" for frame in range(frames))
    every = ",".join(f".f{frame}" for frame in range(frames))
    return (
        f"@keyframes f{{0%{{visibility:visible}}{share:.4f}%{{visibility:hidden}}}}"
        f"{every}{{visibility:hidden;animation:f {at(frames * seconds)}s step-end infinite}}{starts}"
        f"@media (prefers-reduced-motion:reduce){{{every}{{animation:none}}.f0{{visibility:visible}}}}"
    )
