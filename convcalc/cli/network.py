"""TARGET and how it is run, as commands about networks take it from the command line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import click

from convcalc.analysis.report.memory import ITEMSIZES
from convcalc.arithmetic.notation import read_number, read_size
from convcalc.cli.options import Parsed
from convcalc.errors import Unreadable
from convcalc.layers.base import Shape

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")

SHAPE = Parsed("shape", read_size)


class Asked(NamedTuple):
    """What is asked about: TARGET, and how it is run."""

    target: str
    inputs: tuple[Shape, ...] = ()
    batch: Any = 1
    dtype: str | None = None
    train: bool = False
    assume: Mapping[str, bool] = {}
    """How conditions on values of the input go, by line or call."""
    sizes: Mapping[str, int] = {}
    """The sizes of letters, as 224 of H in 3xH=224xW: a torch module runs there first."""


class Input(NamedTuple):
    """The shape of an input as it is typed, and the sizes of its letters."""

    shape: Shape
    sizes: dict[str, int]


def read_assumption(text: str) -> tuple[str, bool]:
    """Read how a condition goes.

    >>> read_assumption("net.py:9=false")
    ('net.py:9', False)
    """
    place, _, outcome = text.rpartition("=")
    if not place or outcome.lower() not in ("true", "false"):
        raise Unreadable(f"a condition is LINE=true or LINE=false, such as net.py:9=false: got {text!r}")
    return place, outcome.lower() == "true"


_LISTED = re.compile(r"[(\[]?\s*({0}(?:(?:\s*,\s*|\s+){0})+)\s*,?\s*[)\]]?".format(r"(?:[0-9]+|[A-Za-z_]\w*)"))
"""A shape as Python writes it: 3,224,224, (3, 224, 224), or with spaces."""


def read_input(text: str) -> Input:
    """Read an input's shape, whose letters may have a size; as Python writes a shape too, which is said.

    >>> read_input("3x32x32"), read_input("80xT=400").sizes
    (Input(shape=(3, 32, 32), sizes={}), {'T': 400})
    """
    sizes: dict[str, int] = {}
    entries = []
    if listed := _LISTED.fullmatch(text.strip()):
        given, text = text, "x".join(re.split(r"[\s,]+", listed[1]))
        click.echo(f"{given!r} is read as {text}", err=True)
    for entry in re.split(r"[xX×]", text.strip()):
        name, equals, number = entry.partition("=")
        if equals and sizes.setdefault(name, read_number(number)) != read_number(number):
            raise Unreadable(f"{name} is {sizes[name]} and {number} in {text!r}: the same letter is the same size")
        entries.append(name)
    return Input(read_size("x".join(entries)), sizes)


def read_batch(text: str) -> Any:
    """Read a batch size, or None where the shape is to have it.

    >>> read_batch("8"), str(read_batch("N")), read_batch("none")
    (8, 'N', None)
    """
    if text.lower() == "none":
        return None
    found = read_size(text)
    if len(found) > 1:
        raise Unreadable(f"a batch is one size: {text!r}")
    return found[0]


def target_options(command: F) -> F:
    """Add TARGET and `run_options`; the command gets them as `asked`."""
    found: F = click.argument("target")(run_options(command))
    return found


def run_options(command: F) -> F:
    """Add --input, --batch, --dtype, --train and --assume; the command gets them as `asked`, with its `target`."""

    @functools.wraps(command)
    def gathered(
        *,
        inputs: tuple[Input, ...],
        assume: tuple[tuple[str, bool], ...],
        batch: Any,
        dtype: str | None,
        train: bool,
        target: str = "",
        **more: Any,
    ) -> Any:
        sizes = _agreed("--input", [pair for given in inputs for pair in given.sizes.items()])
        shapes = tuple(given.shape for given in inputs)
        asked = Asked(target, shapes, batch, dtype, train, _agreed("--assume", assume), sizes)
        return command(asked=asked, **more)

    wrapped: Any = gathered
    for option in (
        click.option(
            "--assume",
            type=Parsed("LINE=true|false", read_assumption),
            multiple=True,
            help="How a condition on values of the input goes: net.py:9=false, by its line or the call that it asks.",
        ),
        click.option("--train", is_flag=True, help="Torch modules: as in training. [default: as in evaluation]"),
        click.option(
            "--dtype",
            type=click.Choice(list(ITEMSIZES)),
            metavar="DTYPE",
            help="The type of values in memory, and of a torch module's weights where it floats: "
            f"{', '.join(ITEMSIZES)}. int64 for inputs that are tokens. [default: the network's own]",
        ),
        click.option(
            "--batch",
            type=Parsed("batch", read_batch),
            default="1",
            show_default=True,
            help="The batch; none where --input gives it too.",
        ),
        click.option(
            "-i",
            "--input",
            "inputs",
            type=Parsed("shape", read_input),
            multiple=True,
            help="Channels and sizes: 3x224x224; 3xHxW, any size; 3xH=224xW=320, any size, tried there. "
            "Repeat for several inputs. [default: the network's own]",
        ),
    ):
        wrapped = option(wrapped)
    found: F = wrapped
    return found


def _agreed(option: str, said: Iterable[tuple[str, V]]) -> dict[str, V]:
    """What is said of each name, which may not contradict what is said before."""
    known: dict[str, V] = {}
    for name, value in said:
        if known.setdefault(name, value) != value:
            both = f"{name} is {known[name]} and {value}".replace("True", "true").replace("False", "false")
            raise Unreadable(f"{option} is given twice, and {both}: give one")
    return known
