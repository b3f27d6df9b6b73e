"""Tiles in words and as a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convcalc.errors import BadArgument
from convcalc.render.words import bytes_text, labelled, plain
from convcalc.sizes.text import PRETTY, Style
from convcalc.sizes.words import set_text

if TYPE_CHECKING:
    from convcalc.analysis.tiles import AxisTiles, Tiles

MOST_TILES = 1_000_000
"""The most tiles of an axis that a document lists."""


def tiles_text(tiles: Tiles, style: Style = PRETTY) -> str:
    """Return tiles as text; axes that agree are written once.

    >>> from convcalc.analysis.tiles import find_tiles
    >>> from convcalc.zoo import unet
    >>> print(tiles_text(find_tiles(unet(padded=True), tile=512, image=4000)))
    tiles      12x12 = 144 of 512x512, every 320x320 rows; the last ends where the image does
    output     512x512 a tile; where the image is cut, throw away 94 rows before, 94 after
    grid       tiles start at multiples of 16
    halo       an output reads 107 rows before its place, 107 after
    sizes      H a multiple of 16, H >= 208; W the same
    memory     256 MiB a tile, 15.3 GiB the whole image (values alive at once, float32, weights apart)
    """
    axes = tiles.axes

    def across(name: str) -> str:
        return "x".join(str(getattr(axis, name)) for axis in axes)

    def same(read: Callable[[AxisTiles], str]) -> str:
        """One text where all axes agree, else one for each."""
        texts = {axis.axis: read(axis) for axis in axes}
        alike = len({*texts.values()}) == 1
        return read(axes[0]) if alike else "; ".join(f"{name}: {text}" for name, text in texts.items())

    count = f"{across('count')} = {tiles.count:,}" if len(axes) > 1 else f"{tiles.count:,}"
    head = f"{count} of {across('tile')}" if tiles.count else f"of {across('tile')}"
    last = "; the last ends where the image does" if tiles.count > 1 else ""
    whole = "" if tiles.whole is None else f", {bytes_text(tiles.whole)} the whole image"
    lines = [
        ("tiles", f"{head}, every {across('step')} rows{last}"),
        ("output", f"{across('out')} a tile; {same(_trim_text)}"),
        ("grid", f"tiles start at multiples of {same(lambda axis: str(axis.period))}"),
        ("halo", f"an output reads {same(lambda axis: '{} rows before its place, {} after'.format(*axis.halo))}"),
        ("sizes", _sizes(axes, style)),
        ("memory", f"{bytes_text(tiles.memory)} a tile{whole} (values alive at once, float32, weights apart)"),
    ]
    return labelled(lines)


def _trim_text(axis: AxisTiles) -> str:
    before, after = axis.trim
    if not before and not after:
        return "all of it is kept"
    return f"where the image is cut, throw away {before} rows before, {after} after"


def _sizes(axes: tuple[AxisTiles, ...], style: Style) -> str:
    first, *others = axes
    if all(axis.sizes == first.sizes for axis in others):
        same = f"; {', '.join(axis.axis for axis in others)} the same" if others else ""
        return f"{set_text(first.sizes, first.axis, style)}{same}"
    return "; ".join(set_text(axis.sizes, axis.axis, style) for axis in axes)


def tiles_record(tiles: Tiles) -> dict[str, Any]:
    """Return the JSON record. Raises `BadArgument` for more than `MOST_TILES` tiles along an axis.

    >>> from convcalc.analysis.tiles import find_tiles
    >>> from convcalc.layers import Conv
    >>> tiles_record(find_tiles(Conv(1, 3, padding=1), (1, 1, "n"), tile=8, image=12))["axes"][0]["starts"]
    [0, 4]
    """
    return {
        "axes": [_axis_record(axis) for axis in tiles.axes],
        "count": tiles.count or None,
        "memory": tiles.memory,
        "memory_whole": tiles.whole,
    }


def _axis_record(axis: AxisTiles) -> dict[str, Any]:
    if axis.count > MOST_TILES:
        raise BadArgument(f"{axis.count} tiles along {axis.axis} are too many to list: at most {MOST_TILES}")
    return {
        "axis": axis.axis,
        "grid": axis.period,
        "halo": list(axis.halo),
        "sizes": axis.sizes.record(),
        "tile": axis.tile,
        "out": axis.out,
        "slope": plain(axis.slope),
        "trim": list(axis.trim),
        "step": axis.step,
        "image": axis.image,
        "starts": list(axis.starts) if axis.image is not None else None,
        "kept": [list(axis.kept(number)) for number in range(axis.count)] if axis.image is not None else None,
    }
