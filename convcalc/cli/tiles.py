"""`convcalc tiles`: how to run a network on an image in tiles, exactly."""

from __future__ import annotations

from typing import Any

import click

from convcalc.analysis.tiles import find_tiles
from convcalc.analysis.tiles_text import tiles_record, tiles_text
from convcalc.cli.network import SHAPE, Asked, target_options
from convcalc.cli.opened import guarded, read_sizes
from convcalc.cli.options import Form, NetworkCommand, echo_answer, form_options
from convcalc.errors import Unreadable
from convcalc.render.words import across
from convcalc.sizes.text import PYTHON


@click.command(cls=NetworkCommand, short_help="How to run a network on an image in tiles, exactly.")
@target_options
@click.option("--tile", type=SHAPE, default="512", show_default=True, help="The most rows of a tile, as 512x256.")
@click.option("--image", type=SHAPE, help="The size of the image, as 4000x3000.")
@form_options(alone="Print the size of a tile alone.")
def tiles(asked: Asked, form: Form, tile: tuple[Any, ...], image: tuple[Any, ...] | None) -> None:
    """Tiles whose outputs, put together, are those of TARGET on the whole image.

    \b
      convcalc tiles unet --tile 600
      convcalc tiles "unet(padded=True)" --tile 512 --image 4000x3000
      convcalc tiles "conv 8 k3 s2 p1; conv 8 k3 p1" --input 3xHxW --tile 64 --image 1000
      convcalc tiles resnet18
    \b
    grid: tiles start at its multiples, or layers with strides would see other rows than in the whole.
    sizes: what a tile may have; as the image, modulo the grid, so that crops are the same.
    output: what to throw away of a tile's output at a side where the image is cut.
    A layer that sees the whole image (global pooling, group normalization) forbids exact tiles:
    it is named, with exit status 1. Batch normalization is taken by stored statistics.
    TARGET and --input as in convcalc sizes.
    """
    graph, shapes, _ = read_sizes(asked)
    axes = max(len(shape) - 2 for shape in shapes.values())
    most, whole = _sizes("--tile", tile, axes), None if image is None else _sizes("--image", image, axes)
    with guarded(asked.target, "walking"):
        found = find_tiles(graph, shapes, tile=most, image=whole)
    form.answer(
        lambda: {"kind": "tiles", **tiles_record(found)},
        lambda: echo_answer(tiles_text(found, form.style)),
        lambda: [across([axis.tile for axis in found.axes], PYTHON)],
    )


def _sizes(name: str, values: tuple[Any, ...], axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    if not all(isinstance(value, int) and value > 0 for value in values) or len(values) not in (1, axes):
        raise Unreadable(f"{name} takes numbers from 1 on, one or {axes}: {'x'.join(map(str, values))}")
    return values * axes if len(values) == 1 else values
