"""Legal sizes drawn: output against input as steps, and below a comb of the sizes that run and that lose no rows."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.analysis.validity.legal import Legal
from convcalc.errors import BadArgument
from convcalc.render.picture import HEAD, MARGIN, Picture, legend
from convcalc.render.svg import path, rect, text
from convcalc.render.words import number
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import PRETTY

SHOWN = 96
"""So many sizes are drawn."""
TOOTH, HIGH, STEPS = 7, 44, 150
"""Pixels: the width of a size, the height of a tooth, the height of the steps."""
LEFT = 44
"""Pixels for the numbers of the outputs."""


def sizes_picture(
    name: str, legal: Legal, outputs: Mapping[str, tuple[str, Expr]], near: Mapping[str, int] | None = None
) -> Picture:
    """Draw the sizes of each axis around `near`, else from the smallest that runs on.

    `outputs` has for an axis the formula of a size that depends on it, and what it is a size of. Where axes are tied
    together, a size is legal that some sizes of the others make legal. Raises `BadArgument` where no size runs.

    >>> from convcalc.analysis.validity.of_graph import valid_sizes
    >>> from convcalc.zoo import unet
    >>> print(sizes_picture("unet", valid_sizes(unet()), {}))
    unet: legal sizes
    H and W: runs at H >= 188, loses no rows at H >= 188 and H % 16 == 12
    """
    if not legal.runs:
        raise BadArgument(f"no size of {', '.join(legal.axes)} is known to run: there is nothing to draw")
    groups = _alike(legal, outputs, near or {})
    about = "; ".join(f"{' and '.join(axes)}: {_said(legal, axes[0])}" for axes in groups)
    marks: list[str] = []
    y = HEAD + 6.0
    for axes in groups:
        drawn, y = _axis(axes, legal, outputs.get(axes[0]), (near or {}).get(axes[0]), y)
        marks += drawn
    title = f"{name}: legal sizes"
    verdict = "proved for all sizes" if legal.proved else f"observed for {legal.observed}; not proved"
    meant = {"good": "loses no rows", "fair": "runs, loses rows", "bad": "does not run"}
    meant |= {"lost": "not known"} if legal.unknown else {}
    return Picture(
        title=title,
        description=about,
        width=LEFT + SHOWN * TOOTH + 2 * MARGIN,
        height=y + 34,
        marks=(
            text("word", MARGIN, 24, title, size=14),
            text("faint", MARGIN, 42, verdict, size=11),
            *marks,
            *legend(meant, MARGIN, y),
        ),
    )


def _said(legal: Legal, axis: str) -> str:
    exact = legal.exact[axis].text(axis) if legal.exact else "at no size"
    tied = " with some sizes of the others" if len(legal.runs.lines()) > 1 else ""
    return f"runs at {legal.runs[axis].text(axis)}{tied}, loses no rows at {exact}"


def _alike(legal: Legal, outputs: Mapping[str, tuple[str, Expr]], near: Mapping[str, int]) -> list[tuple[str, ...]]:
    """The axes in groups of which all that is drawn is the same, but for the letter."""
    groups: dict[object, list[str]] = {}
    for axis in legal.axes:
        place = Expr.symbol("n")
        output = outputs.get(axis)
        drawn = output and (output[0], output[1](**{axis: place}))
        groups.setdefault((legal.runs[axis], legal.exact and legal.exact[axis], drawn, near.get(axis)), []).append(axis)
    return list(map(tuple, groups.values()))


def _axis(
    axes: tuple[str, ...], legal: Legal, output: tuple[str, Expr] | None, near: int | None, y: float
) -> tuple[list[str], float]:
    """One axis, or several that are alike, and where it ends."""
    axis = axes[0]
    smallest = legal.runs[axis].smallest or 0
    first = max(0, smallest - 12 if near is None else near - SHOWN // 2)
    sizes = range(first, first + SHOWN)
    words = f"{' and '.join(axes)}: {_said(legal, axis)}"
    room = SHOWN * TOOTH + LEFT
    marks = [text("word", MARGIN, y, words, size=min(12.0, room / len(words) / 0.6))]
    y += 14
    if output is not None:
        drawn, y = _steps(axis, sizes, legal, output, y)
        marks += drawn
    for size in sizes:
        x = MARGIN + LEFT + (size - first) * TOOTH
        kind, high = _kind(legal, axis, size)
        marks.append(rect(kind, x + 0.5, y + HIGH - high, TOOTH - 1, high, f"{axis} = {size}: {_WORDS[kind]}"))
        if size % 16 == 0:
            marks.append(text("faint", x + TOOTH / 2, y + HIGH + 13, str(size), "middle", 10))
    return marks, y + HIGH + 40


_WORDS = {"good": "loses no rows", "fair": "runs, loses rows", "bad": "does not run", "lost": "not known"}


def _kind(legal: Legal, axis: str, size: int) -> tuple[str, float]:
    """The class of a size, and how high its tooth is."""
    if legal.exact and size in legal.exact[axis]:
        return "good", HIGH
    if size in legal.runs[axis]:
        return "fair", HIGH * 0.6
    if legal.unknown and size in legal.unknown[axis]:
        return "lost", HIGH * 0.4
    return "bad", HIGH * 0.2


def _steps(axis: str, sizes: range, legal: Legal, output: tuple[str, Expr], y: float) -> tuple[list[str], float]:
    """The output of the sizes that run as steps, a dot where no rows are lost."""
    name, formula = output
    values = {size: int(formula(**{axis: size})) for size in sizes if size in legal.runs[axis]}
    if not values:
        return [], y
    least, most = min(values.values()), max(values.values())
    scale = (STEPS - 24) / max(1, most - least)

    def spot(size: int) -> tuple[float, float]:
        return MARGIN + LEFT + (size - sizes[0]) * TOOTH, y + STEPS - 8 - (values[size] - least) * scale

    marks = [text("faint", MARGIN, y + 6, f"{name}: {number(formula, PRETTY)}", size=10)]
    for value in sorted({least, most, values.get(sizes[-1], most)}):
        marks.append(text("faint", MARGIN + LEFT - 6, y + STEPS - 4 - (value - least) * scale, str(value), "end", 10))
    runs: list[list[tuple[float, float]]] = []
    last: int | None = None
    for size in values:
        x, down = spot(size)
        if last is None or size != last + 1:
            runs.append([])
        runs[-1] += [(x, down), (x + TOOTH, down)]
        last = size
    marks += [path("edge", points) for points in runs]
    for size in values:
        if legal.exact and size in legal.exact[axis]:
            x, down = spot(size)
            marks.append(rect("good", x + 1, down - 2.5, TOOTH - 2, 5))
    return marks, y + STEPS + 8
