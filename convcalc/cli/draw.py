"""`convcalc draw`: pictures of answers, as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from convcalc.analysis.report.picture import net_picture
from convcalc.cli.letters import OPTIONS
from convcalc.cli.network import SHAPE, Asked, target_options
from convcalc.cli.opened import guarded, open_target, read_report, read_sizes
from convcalc.cli.options import INTEGER, Command, NetworkCommand, axes_of, echo_json
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.export import draw as pictures
from convcalc.render.picture import Picture
from convcalc.render.words import single
from convcalc.sizes.expr import Expr

F = TypeVar("F", bound=Callable[..., Any])


@click.group(short_help="Pictures of windows, coverage, fields, sizes, tiles, networks.")
def draw() -> None:
    """A picture of an answer, as a file: SVG, light or dark as the reader has it; PNG and GIF with convcalc[plot].

    \b
      convcalc draw conv --n 5x5 --k 3 --s 2 --p 1 -o conv.svg
      convcalc draw tconv --n 3 --k 3 --s 2 --p 1 --values -o tconv.svg
      convcalc draw hdc 1 2 9 -o hdc.svg
      convcalc draw overlap --k 3 --s 2 -o overlap.svg
      convcalc draw net resnet18 -o net.svg
      convcalc draw field unet -o field.svg
      convcalc draw sizes unet -o sizes.svg
      convcalc draw tiles unet --tile 600 --image 1500 -o tiles.svg
    \b
    The ending of FILE says what it is: .svg, .png or .gif. Without -o the SVG is printed.
    Refused numbers give the sentence that their command gives, status 1 and no file.
    The answer is a file, so there is no -q and no --ascii.
    """


def file_options(command: F) -> F:
    """Add -o and --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document, about the picture."),
        click.option("-o", "--output", "file", metavar="FILE", help="Where to: .svg, .png or .gif. [SVG, printed]"),
    ):
        command = option(command)
    return command


def _steps(command: F) -> F:
    for option in (
        click.option("--values", is_flag=True, help="Write numbers: input and kernel 1, 2, 3, ..., and the output."),
        click.option("--animate", is_flag=True, help="Every output in turn."),
        click.option("--at", type=SHAPE, help="The output to show, as 3 or 1x2. [default: the first]"),
    ):
        command = option(command)
    return command


def _letters(*names: str) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for name in reversed(names):
            command = OPTIONS[name](command)
        return command

    return decorate


@draw.command(cls=Command)
@_letters("n", "k", "s", "p", "d")
@click.option("--channels", type=SHAPE, help="Input and output channels, drawn below, as 4x8.")
@click.option("--groups", type=click.IntRange(min=1), help="Groups of --channels. [1]")
@_steps
@file_options
def conv(file: str | None, as_json: bool, channels: tuple[int, int] | None, groups: int | None, **options: Any) -> None:
    """The kernel of a convolution on its input, and the output it gives there.

    \b
      convcalc draw conv --n 7 --k 3 --s 2 --p 1 --at 1
      convcalc draw conv --n 5x5 --k 3 --values --animate
      convcalc draw conv --n 5x5 --k 3 --channels 4x4 --groups 4
    """
    if groups is not None and channels is None:
        raise Unreadable("--groups is of --channels: add --channels 4x8, say")
    if channels is not None and (len(channels) != 2 or not all(isinstance(size, int) for size in channels)):
        raise Unreadable(f"--channels takes two numbers, input and output, as 4x8: {'x'.join(map(str, channels))}")
    echo_picture(pictures.conv(**_asked(options), channels=channels, groups=groups or 1), file, as_json)


@draw.command(cls=Command)
@_letters("n", "k", "s of pool", "p of pool", "d", "ceil")
@_steps
@file_options
def pool(file: str | None, as_json: bool, **options: Any) -> None:
    """The window of a pooling on its input; values are those of a max pooling.

    \b
      convcalc draw pool --n 5x5 --k 2 --ceil --at 2x2
    """
    echo_picture(pictures.pool(**_asked(options)), file, as_json)


@draw.command(cls=Command)
@_letters("n", "k", "s", "p of tconv", "op", "d")
@_steps
@file_options
def tconv(file: str | None, as_json: bool, **options: Any) -> None:
    """A transposed convolution: the stamps that meet in an output, and the same by zeros between.

    \b
      convcalc draw tconv --n 3 --k 3 --s 2 --p 1 --at 1
      convcalc draw tconv --n 3x3 --k 3 --s 2 --p 1 --op 1 --animate
    """
    echo_picture(pictures.tconv(**_asked(options)), file, as_json)


@draw.command(cls=Command)
@click.argument("rates", nargs=-1, required=True, type=INTEGER)
@click.option("-k", "--k", "k", multiple=True, type=INTEGER, help="Kernel size; repeat for one a layer. [3]")
@click.option("-s", "--s", "s", multiple=True, type=INTEGER, help="Stride; repeat for one a layer. [1]")
@file_options
def hdc(rates: tuple[int, ...], k: tuple[int, ...], s: tuple[int, ...], file: str | None, as_json: bool) -> None:
    """What dilated convolutions at RATES read as they grow, the holes, and the repair.

    \b
      convcalc draw hdc 1 2 9
      convcalc draw hdc 2 2 2 --k 3
    """
    echo_picture(pictures.hdc(rates, _one_or_all(k, 3), _one_or_all(s, 1)), file, as_json)


@draw.command(cls=Command)
@_letters("n", "k", "s", "d")
@file_options
def overlap(file: str | None, as_json: bool, **options: Any) -> None:
    """The checkerboard of a transposed convolution: how many terms each output sums; n is 6 unless given.

    \b
      convcalc draw overlap --k 3 --s 2
      convcalc draw overlap --n 8x8 --k 4 --s 2
    """
    asked = _asked({**options, "n": options["n"] or (6, 6)})
    echo_picture(pictures.overlap(**asked), file, as_json)


@draw.command(cls=NetworkCommand)
@target_options
@click.option("--depth", type=click.IntRange(min=1), help="Steps of the names to show. [as far as it reads well]")
@file_options
def net(asked: Asked, depth: int | None, file: str | None, as_json: bool) -> None:
    """The graph of TARGET: its layers, the sizes between them, and blocks folded by --depth.

    \b
      convcalc draw net resnet18
      convcalc draw net resnet50 --depth 1
    """
    _, report = read_report(asked)
    if report.error:
        raise report.error
    echo_picture(net_picture(report, depth), file, as_json)


@draw.command(cls=NetworkCommand)
@target_options
@click.option("--at", metavar="LAYER", help="One layer, or the last of a block. [the last layer]")
@click.option("--cell", type=SHAPE, help="The output position, as 3x7. [the middle one]")
@file_options
def field(asked: Asked, at: str | None, cell: tuple[Any, ...] | None, file: str | None, as_json: bool) -> None:
    """What one output of TARGET reads of its (first) input, and in how many ways.

    \b
      convcalc draw field resnet18 --at layer3
      convcalc draw field unet --cell 0x194
    """
    opened = open_target(asked)
    try:
        name = opened.graph.last_in(at)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None
    with guarded(asked.target, "following"):
        picture = pictures.field(opened.graph, name, cell, opened.shapes)
    echo_picture(picture, file, as_json)


@draw.command(cls=NetworkCommand)
@target_options
@click.option("--near", type=SHAPE, help="The sizes to look around, as 350 or 350x400. [from the smallest on]")
@file_options
def sizes(asked: Asked, near: tuple[Any, ...] | None, file: str | None, as_json: bool) -> None:
    """The input sizes that TARGET accepts as a comb, and what comes out of them as steps.

    \b
      convcalc draw sizes unet
      convcalc draw sizes resnet18 --near 224
    """
    graph, shapes, _ = read_sizes(asked)
    letters = [str(size) for shape in shapes.values() for size in shape if isinstance(size, Expr)]
    axes = list(dict.fromkeys(letters))
    if near is not None and (len(near) not in (1, len(axes)) or not all(isinstance(size, int) for size in near)):
        raise Unreadable(f"--near takes numbers, one or {len(axes)} ({', '.join(axes)}): {'x'.join(map(str, near))}")
    around = None if near is None else dict(zip(axes, near * len(axes), strict=False))
    with guarded(asked.target, "walking"):
        picture = pictures.sizes(graph, shapes, near=around)
    echo_picture(picture, file, as_json)


@draw.command(cls=NetworkCommand)
@target_options
@click.option("--tile", type=SHAPE, default="512", show_default=True, help="The most rows of a tile, as 512x256.")
@click.option("--image", type=SHAPE, required=True, help="The size of the image, as 4000x3000.")
@file_options
def tiles(asked: Asked, tile: tuple[Any, ...], image: tuple[Any, ...], file: str | None, as_json: bool) -> None:
    """The tiles that an image is cut into for TARGET, and what is kept of the output of each.

    \b
      convcalc draw tiles unet --tile 600 --image 1500
    """
    graph, shapes, _ = read_sizes(asked)
    with guarded(asked.target, "walking"):
        picture = pictures.tiles(graph, shapes, image=single(image), tile=single(tile))
    echo_picture(picture, file, as_json)


def echo_picture(picture: Picture, file: str | None, as_json: bool) -> None:
    """Write a picture where it is to go, and say so; without a file print its SVG."""
    size = len(picture.to_svg().encode()) if file is None else picture.save(file)
    if as_json:
        echo_json({"kind": "draw", "file": file, "bytes": size, "title": picture.title})
    elif file is None:
        click.echo(picture.to_svg(), nl=False)
    else:
        click.echo(f"{file}: {picture.title}, {size:,} bytes")


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the functions of `convcalc.draw` take them: single values on one axis, else one an axis."""
    if options["k"] is None:
        raise Unreadable("the kernel size is needed: --k 3, say")
    if options["n"] is None:
        raise Unreadable("the input size is needed: --n 8, or --n 8x8 for two axes")
    ranged = [name for name, value in options.items() if isinstance(value, range)]
    if ranged:
        raise Unreadable(f"a picture is of one case, and --{ranged[0]} is a range: give a number")
    axes = axes_of({name: options[name] for name in ("n", "k", "s", "p", "op", "d") if name in options})

    def spread(value: Any) -> Any:
        return value[0] if axes == 1 else value * axes if len(value) == 1 else value

    letters = ("n", "k", "s", "p", "op", "d")
    return {
        name: spread(value) if name in letters else value
        for name, value in options.items()
        if value not in (None, False)
    }


def _one_or_all(values: tuple[int, ...], default: int) -> Any:
    return default if not values else values[0] if len(values) == 1 else values
