"""A plan of tiles drawn: where they lie on the image, and what of each one's output is kept."""

from __future__ import annotations

from itertools import product

from convcalc.analysis.tiles import AxisTiles, Tiles
from convcalc.errors import BadArgument, BadShape
from convcalc.render.picture import HEAD, MARGIN, Picture, legend
from convcalc.render.svg import rect, text, written

SIDE, ROW = 320, 26
"""Pixels of the longer side of the image, and of the height of a single axis."""
MOST = 2500
"""So many tiles are drawn at the most."""


def tiles_picture(name: str, found: Tiles) -> Picture:
    """Draw the tiles of an image with one axis or two, and beside it the output, from what is kept of each.

    Raises `BadArgument` for a plan without an image, `BadShape` for more axes or tiles than can be seen.

    >>> from convcalc.analysis.tiles import find_tiles
    >>> from convcalc.zoo import unet
    >>> print(tiles_picture("unet", find_tiles(unet(), tile=600, image=1500)))
    unet: 16 tiles of 588x588 for an image of 1500x1500
    every 400x400 rows a tile; of the output, 404x404 each, 404x404 are kept of the first
    """
    axes = found.axes
    if not found.count:
        raise BadArgument("tiles are drawn on an image: give its size, as image=4000 or --image 4000")
    if len(axes) > 2 or found.count > MOST:
        what = f"{len(axes)} axes" if len(axes) > 2 else f"{found.count:,} tiles"
        raise BadShape(f"{what} are too many to draw: at most 2 axes and {MOST:,} tiles")
    image = [int(axis.image or 0) for axis in axes]
    output = [axis.place(axis.count - 1) + axis.kept(axis.count - 1)[1] for axis in axes]
    scale = SIDE / max(*image, *output)
    left, y = float(MARGIN), HEAD + 18.0
    right = left + image[-1] * scale + 56
    beside = f"output {_across(output)}: what is kept of each"
    marks = [
        text("faint", left, y - 6, f"image {_across(image)}: the tiles overlap", size=11),
        text("faint", right, y - 6, beside, size=11),
        _box("cell", left, y, image, [(0, size) for size in image], scale),
    ]
    for numbers in product(*(range(axis.count) for axis in axes)):
        spans = [
            (axis.start(number), axis.start(number) + axis.tile) for axis, number in zip(axes, numbers, strict=True)
        ]
        marks.append(_box("hull", left, y, image, spans, scale))
        kept = [_kept(axis, number) for axis, number in zip(axes, numbers, strict=True)]
        marks.append(_box("out" if sum(numbers) % 2 else "cell", right, y, output, kept, scale))
    first = [(axis.start(0), axis.start(0) + axis.tile) for axis in axes]
    marks.append(_box("tap", left, y, image, first, scale, shade=0.35))
    marks.append(_box("tap", right, y, output, [_kept(axis, 0) for axis in axes], scale, shade=0.35))
    tall = max(image[0], output[0]) * scale if len(axes) == 2 else ROW
    y += tall + 18
    tile, step, out = (_across([getattr(axis, key) for axis in axes]) for key in ("tile", "step", "out"))
    first_kept = _across([axis.kept(0)[1] - axis.kept(0)[0] for axis in axes])
    title = f"{name}: {found.count} tiles of {tile} for an image of {_across(image)}"
    about = f"every {step} rows a tile; of the output, {out} each, {first_kept} are kept of the first"
    return Picture(
        title=title,
        description=about,
        width=max(
            right + max(output[-1] * scale, written(beside, 11)) + MARGIN,
            written(title, 14) + 2 * MARGIN,
            written(about, 11) + 2 * MARGIN,
        ),
        height=y + 30,
        marks=(
            text("word", MARGIN, 24, title, size=14),
            text("faint", MARGIN, 42, about, size=11),
            *marks,
            *legend({"tap": "the first tile, and what is kept of it", "hull": "a tile"}, MARGIN, y),
        ),
    )


def _kept(axis: AxisTiles, number: int) -> tuple[int, int]:
    """The rows of the whole output that come from a tile."""
    first, end = axis.kept(number)
    return axis.place(number) + first, axis.place(number) + end


def _across(sizes: list[int]) -> str:
    return "x".join(map(str, sizes))


def _box(
    kind: str, x: float, y: float, whole: list[int], spans: list[tuple[int, int]], scale: float, shade: float = 1
) -> str:
    """A part of the image or of the output."""
    start, end = spans[-1]
    top, bottom = spans[0] if len(whole) == 2 else (0, 1)
    unit = scale if len(whole) == 2 else ROW
    return rect(kind, x + start * scale, y + top * unit, (end - start) * scale, (bottom - top) * unit, shade=shade)
