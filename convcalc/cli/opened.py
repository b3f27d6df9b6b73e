"""TARGET opened: a network of whatever kind becomes a graph, and its inputs shapes."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import Report
from convcalc.bridge.kinds import bytes_type
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
    """A graph, the shapes of its inputs by name, the type of its values, and the module it comes from, if any."""

    graph: Graph
    shapes: dict[str, Shape]
    dtype: str
    module: Any = None


def open_target(asked: Asked, *, values: bool = False) -> Opened:
    """Return the graph of a target, its inputs and type; raises `Unreadable`.

    A torch module is run once for it, on `meta`; where it does not run, why is in the `capture` of its graph. It is
    built without `values` of its weights, unless they are needed.
    """
    net = load_target(asked.target, values=values)
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
        return Opened(graph, graph.shapes_of(given), dtype, None if net is graph else net)
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
    placed = [entry for entry in entries if entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD)]
    any_number = any(entry.kind is entry.VAR_POSITIONAL for entry in entries)
    return [entry.name for entry in placed if entry.default is entry.empty], _MANY if any_number else len(placed)


def _captured(module: Any, asked: Asked, shapes: Sequence[Shape]) -> tuple[Graph, str]:
    """The graph of a torch module, and the type of its values; raises `Unreadable` where it cannot be run at all."""
    from convcalc.bridge.device import need_torch
    from convcalc.bridge.trace import capture, given_letters

    torch = need_torch()
    own = None if asked.dtype is None else getattr(torch, asked.dtype)
    lettered = any(isinstance(size, Expr) for shape in shapes for size in shape)

    def run(shapes: Sequence[Shape], dtype: Any = own, **more: Any) -> Graph:
        tried = [tuple(asked.sizes.get(str(size), size) for size in shape) for shape in shapes]
        return capture(module, tried, dtype=dtype, train=asked.train, assume=asked.assume, **more)

    def runs(graph: Graph) -> bool:
        return graph.capture is not None and graph.capture.why is None

    with guarded(asked.target):
        named = {"name": asked.target, "named": [given_letters(shape) for shape in shapes] if lettered else ()}
        try:
            graph = run(shapes, **named)
        except ConvcalcError as refusal:
            raise Unreadable(refusal.message, fixes=refusal.fixes) from None
        if graph.capture is not None and graph.capture.error is not None:
            failure = graph.capture.error.as_command()
            graph = dataclasses.replace(graph, capture=dataclasses.replace(graph.capture, why=lambda: failure))
            floating = own is None or own.is_floating_point or own.is_complex
            embeds = any(isinstance(part, torch.nn.Embedding) for part in module.modules())
            if floating and embeds and runs(run(shapes, torch.int64, **named)):
                failure.fixes = (*failure.fixes, "--dtype int64: an embedding takes indices")
            has_batch = asked.batch == 1 and any(len(shape) > 3 for shape in asked.inputs)
            if has_batch and runs(run(asked.inputs, check=False)):
                failure.fixes = ("--batch none, as --input has the batch too", *failure.fixes)
        return graph, bytes_type(module, own)


def guarded(name: str, doing: str = "inspecting") -> AbstractContextManager[None]:
    """Have what code of the user raises, of a model or its layers, said as `Unreadable`; refusals pass."""
    return reported(f"{doing} {name}", Path.cwd(), ConvcalcError)


def read_report(asked: Asked) -> tuple[Graph, Report]:
    """Return the graph of a target and its report on the shapes asked for; raises `Unreadable`."""
    graph, given, dtype, _ = open_target(asked)
    with guarded(asked.target):
        return graph, inspect_graph(graph, given, dtype=dtype)


def read_sizes(asked: Asked) -> tuple[Graph, dict[str, Shape], dict[str, int]]:
    """Return the graph of a target, its input shapes with names for sizes, and the sizes that were typed for these.

    Raises `Unreadable`.
    """
    graph, shapes, *_ = open_target(asked)
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
