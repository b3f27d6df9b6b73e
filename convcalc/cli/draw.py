"""`convcalc draw`: pictures of answers, as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from convcalc.cli.letters import OPTIONS
from convcalc.cli.network import SHAPE
from convcalc.cli.options import INTEGER, Command, axes_of, echo_json
from convcalc.errors import Unreadable
from convcalc.export import draw as pictures
from convcalc.render.picture import Picture

F = TypeVar("F", bound=Callable[..., Any])


@click.group(short_help="Pictures: windows, stamps, coverage, checkerboards, as SVG, PNG or GIF.")
def draw() -> None:
    """A picture of an answer, as a file: SVG, light or dark as the reader has it; PNG and GIF with convcalc[plot].

    \b
      convcalc draw conv --n 5x5 --k 3 --s 2 --p 1 -o conv.svg
      convcalc draw tconv --n 3 --k 3 --s 2 --p 1 --values -o tconv.svg
      convcalc draw hdc 1 2 9 -o hdc.svg
      convcalc draw overlap --k 3 --s 2 -o overlap.svg
    \b
    The ending of FILE says what it is: .svg, .png or .gif. Without -o the SVG is printed.
    Refused numbers give the sentence that their command gives, status 1 and no file.
    """


def file_options(command: F) -> F:
    """Add -o and --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document about the file."),
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
@_steps
@file_options
def conv(file: str | None, as_json: bool, **options: Any) -> None:
    """The kernel of a convolution on its input, and the output it gives there.

    \b
      convcalc draw conv --n 7 --k 3 --s 2 --p 1 --at 1
      convcalc draw conv --n 5x5 --k 3 --values --animate
    """
    echo_picture(pictures.conv(**_asked(options)), file, as_json)


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


def echo_picture(picture: Picture, file: str | None, as_json: bool) -> None:
    """Write a picture where it is to go, and say so; without a file print its SVG."""
    if file is None:
        if as_json:
            raise Unreadable("--json is about a file: add -o picture.svg, or leave it out for the SVG itself")
        click.echo(picture.to_svg(), nl=False)
        return
    size = picture.save(file)
    if as_json:
        echo_json({"kind": "draw", "file": file, "bytes": size, "title": picture.title})
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
