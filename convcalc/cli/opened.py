"""TARGET opened: a network of whatever kind becomes a graph, and its inputs shapes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import Report
from convcalc.api import bytes_type
from convcalc.cli.network import Asked
from convcalc.cli.target.python import reported
from convcalc.cli.target.target import load_target
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.letters import sizes_asked
from convcalc.sizes.expr import Expr

_MANY = 1000
"""The most inputs of a module that takes any number."""


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
    with guarded(asked.target):
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
            graph = dataclasses.replace(graph, capture=dataclasses.replace(graph.capture, why=lambda: failure))
        if failure is not None and floating and any(isinstance(part, torch.nn.Embedding) for part in module.modules()):
            again = run(dtype=torch.int64).capture
            if again is not None and again.why is None:
                failure.fixes = (*failure.fixes, "--dtype int64: an embedding takes indices")
        if failure is not None and asked.batch == 1 and any(len(shape) > 3 for shape in asked.inputs):
            whole = [tuple(asked.sizes.get(str(size), size) for size in shape) for shape in asked.inputs]
            again = capture(module, whole, train=asked.train, assume=asked.assume, dtype=dtype, check=False).capture
            if again is not None and again.why is None:
                failure.fixes = ("--batch none, as --input has the batch too", *failure.fixes)
        return graph, bytes_type(module, dtype)


def guarded(name: str, doing: str = "inspecting") -> AbstractContextManager[None]:
    """Have what code of the user raises, of a model or its layers, said as `Unreadable`; refusals pass."""
    return reported(f"{doing} {name}", Path.cwd(), ConvcalcError)


def read_report(asked: Asked) -> tuple[Graph, Report]:
    """Return the graph of a target and its report on the shapes asked for; raises `Unreadable`."""
    graph, given, dtype = open_target(asked)
    with guarded(asked.target):
        return graph, inspect_graph(graph, given, dtype=dtype)


def read_sizes(asked: Asked) -> tuple[Graph, dict[str, Shape], dict[str, int]]:
    """Return the graph of a target, its input shapes with names for sizes, and the sizes that were typed for these.

    Raises `Unreadable`.
    """
    graph, shapes, _ = open_target(asked)
    try:
        named = sizes_asked(shapes, () if graph.capture is None else graph.capture.letters)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None
    typed = dict(asked.sizes)
    if asked.inputs:
        for known, letters in zip(shapes.values(), named.values(), strict=True):
            pairs = zip(letters, known, strict=True)
            typed.update((str(name), size) for name, size in pairs if name != size and isinstance(size, int))
    return graph, named, typed
