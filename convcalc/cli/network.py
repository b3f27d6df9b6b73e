"""TARGET with its options: a network of whatever kind becomes a graph, and its inputs shapes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from convcalc.analysis.report.memory import ITEMSIZES
from convcalc.api import bytes_type
from convcalc.arithmetic.notation import read_number, read_size
from convcalc.cli.options import Parsed
from convcalc.cli.target.python import reported
from convcalc.cli.target.target import load_target
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.sizes.expr import Expr

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")

SHAPE = Parsed("shape", read_size)

_MANY = 1000
"""The most inputs of a module that takes any number."""


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

    @functools.wraps(command)
    def with_target(target: str, asked: Asked, **more: Any) -> Any:
        return command(asked=asked._replace(target=target), **more)

    wrapped: Any = with_target
    found: F = click.argument("target")(run_options(wrapped))
    return found


def run_options(command: F) -> F:
    """Add --input, --batch, --dtype, --train and --assume; the command gets them as `asked`."""

    @functools.wraps(command)
    def gathered(
        inputs: tuple[Input, ...],
        batch: Any,
        dtype: str | None,
        train: bool,
        assume: tuple[tuple[str, bool], ...],
        **more: Any,
    ) -> Any:
        sizes: dict[str, int] = {}
        for given in inputs:
            _agree("--input", sizes, given.sizes)
        assumed: dict[str, bool] = {}
        for line in assume:
            _agree("--assume", assumed, dict([line]))
        shapes = tuple(given.shape for given in inputs)
        return command(asked=Asked("", shapes, batch, dtype, train, assumed, sizes), **more)

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


def _agree(option: str, known: dict[str, V], more: Mapping[str, V]) -> None:
    """Add what is said more, which may not contradict what is."""
    for name, value in more.items():
        if known.setdefault(name, value) != value:
            both = f"{name} is {known[name]} and {value}".replace("True", "true").replace("False", "false")
            raise Unreadable(f"{option} is given twice, and {both}: give one")


class Opened(NamedTuple):
    """A graph, the shapes of its inputs by name, and the type of its values."""

    graph: Graph
    shapes: dict[str, Shape]
    dtype: str


def open_target(asked: Asked) -> Opened:
    """Return the graph of a target, its inputs and type; raises `Unreadable`.

    A torch module is run once for it, on `meta`; where it does not run, why is in the `capture` of its graph.
    """
    net = load_target(asked.target)
    if isinstance(net, Graph):
        if asked.assume:
            raise Unreadable("--assume is for torch modules: nothing of a graph depends on values")
        if asked.train:
            raise Unreadable("--train is for torch modules: a graph of convcalc says of each layer how it is taken")
        graph, given, dtype = net, _given(asked, net.example or ()), asked.dtype or "float32"
        names, most = list(graph.inputs), len(graph.inputs)
    else:
        graph, given, dtype = None, _given(asked, ()), ""
        names, most = _arguments(net)
    if not len(names) <= len(given) <= most:
        inputs = "1 input" if len(names) == 1 else f"{len(names)} inputs"
        raise Unreadable(
            f"{asked.target} has {inputs}, {', '.join(names)}: give --input once for each, in this order "
            f"(got {len(given)})"
        )
    if graph is None:
        graph, dtype = _captured(net, asked, given)
    try:
        return Opened(graph, graph.shapes_of(given), dtype)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None


def _given(asked: Asked, example: Sequence[Shape]) -> list[Shape]:
    """The shapes asked for, else those of the network's own example, with the batch."""
    without = asked.inputs or [shape[1:] for shape in example]
    if asked.batch is None and not asked.inputs:
        raise Unreadable("--batch none goes with --input, which then gives the batch too: --input 8x3x224x224")
    if not without:
        raise Unreadable(f"{asked.target} has no input of its own: give one as --input 3xHxW, or in numbers 3x224x224")
    return [tuple(shape) if asked.batch is None else (asked.batch, *shape) for shape in without]


def _arguments(module: Any) -> tuple[list[str], int]:
    """The arguments that `forward` needs, and how many it takes at most."""
    try:
        entries = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return [], _MANY
    if any(entry.kind is entry.VAR_POSITIONAL for entry in entries):
        most = _MANY
    else:
        most = sum(entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD) for entry in entries)
    needed = [
        entry.name
        for entry in entries
        if entry.default is entry.empty and entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD)
    ]
    return needed, most


def _captured(module: Any, asked: Asked, shapes: Sequence[Shape]) -> tuple[Graph, str]:
    """The graph of a torch module, and the type of its values; raises `Unreadable` where it cannot be run at all."""
    from convcalc.bridge.device import need_torch
    from convcalc.bridge.trace import capture, given_letters

    torch = need_torch()
    dtype = None if asked.dtype is None else getattr(torch, asked.dtype)
    floating = dtype is None or dtype.is_floating_point or dtype.is_complex
    with reported(f"inspecting {asked.target}", Path.cwd(), ConvcalcError):
        tried = [tuple(asked.sizes.get(str(size), size) for size in shape) for shape in shapes]
        lettered = any(isinstance(size, Expr) for shape in shapes for size in shape)
        first = [given_letters(shape) for shape in shapes]
        run = functools.partial(
            capture,
            module,
            tried,
            train=asked.train,
            assume=asked.assume,
            name=asked.target,
            named=first if lettered else (),
        )
        try:
            graph = run(dtype=dtype)
        except ConvcalcError as refusal:
            raise Unreadable(refusal.message, fixes=refusal.fixes) from None
        failure = None
        if graph.capture is not None and graph.capture.error is not None:
            failure = graph.capture.error.as_command()
            graph = dataclasses.replace(graph, capture=dataclasses.replace(graph.capture, error=failure))
        if failure is not None and floating and any(isinstance(part, torch.nn.Embedding) for part in module.modules()):
            again = run(dtype=torch.int64).capture
            if again is not None and again.error is None:
                failure.fixes = (*failure.fixes, "--dtype int64: an embedding takes indices")
        if failure is not None and asked.batch == 1 and any(len(shape) > 3 for shape in asked.inputs):
            whole = [tuple(asked.sizes.get(str(size), size) for size in shape) for shape in asked.inputs]
            again = capture(module, whole, train=asked.train, assume=asked.assume, dtype=dtype, check=False).capture
            if again is not None and again.error is None:
                failure.fixes = ("--batch none, as --input has the batch too", *failure.fixes)
        return graph, bytes_type(module, dtype)
