"""SVG as pixels: PNG by resvg, and GIF by Pillow, which come with `convcalc[plot]`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from typing import Any

from convcalc.errors import Unreadable

ZOOM = 2
"""Pixels of a PNG for one of the drawing: sharp on a slide."""


def still(drawing: str, zoom: int = ZOOM) -> bytes:
    """Return a drawing as PNG. Raises `Unreadable` where resvg-py is missing."""
    return bytes(_extra("resvg_py").svg_to_bytes(svg_string=drawing, zoom=zoom))


def moving(drawings: Sequence[str], seconds: float) -> bytes:
    """Return drawings as the frames of a GIF that starts again at its end. Raises `Unreadable` without an extra."""
    image = _extra("PIL.Image")
    frames = [image.open(BytesIO(still(drawing, zoom=1))).convert("RGB") for drawing in drawings]
    palette = frames[0].quantize(64)
    small = [frame.quantize(palette=palette, dither=0) for frame in frames]
    found = BytesIO()
    small[0].save(found, "GIF", save_all=True, append_images=small[1:], duration=int(seconds * 1000), loop=0)
    return found.getvalue()


def _extra(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        package = {"resvg_py": "resvg-py", "PIL.Image": "Pillow"}[name]
        raise Unreadable(f"PNG and GIF need {package}: pip install 'convcalc[plot]', or write an .svg") from None
