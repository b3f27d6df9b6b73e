"""A model run as often as it takes to find out what it does where a capture cannot know what it asks for.

A condition on values of which one way ends in an exception, as a check for nan, is taken to go the other way; so is
one whose two ways give the same graph. Numbers are guessed, each in several ways: where the model does the same with
all of them, it is taken to do so with any. That is no proof, and the fields do not show what such a number reads; both
are said. Sizes that remember their formula are no ints to all code: where it does otherwise with plain ones, they are.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from dataclasses import replace
from traceback import walk_tb
from typing import Any

from convcalc.bridge.capture.asking import Assumed, Guess, Place
from convcalc.bridge.capture.isolation import silent
from convcalc.bridge.capture.settings import Settings
from convcalc.bridge.events import Call
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph
from convcalc.network.node import Node

LIMIT = 16
"""So many conditions are decided by trying both ways."""

TRIED = (1, 0, -3, 2.5, 1000, float("nan"))
"""What a number is taken to be, the first one first; whole numbers leave out what is none."""


def decided(run: Callable[[Settings], Any], settings: Settings) -> Any:
    """Return the run of a model with what it asks for, as far as that is known or can be found out."""
    first = run(settings)
    while (place := first.recorder.asking.undecided) is not None and len(settings.assumed) < LIMIT:
        ways = {
            outcome: settings.tried(assumed={**settings.assumed, place: Assumed(outcome, "")})
            for outcome in (False, True)
        }
        with silent():
            found = _outcome(place, {outcome: run(way) for outcome, way in ways.items()})
            if found is None:
                break
            settings = replace(settings, assumed={**settings.assumed, place: found})
            first = run(settings)
    asking = first.recorder.asking
    if first.raised is None or settings.guess is not None or not (asking.wanting or asking.answered):
        return first

    def tried(number: Guess) -> Any:
        return decided(run, settings.tried(guess=number))

    with silent():
        guessed = (_guess(tried, whole=False) if asking.wanting else None) or _guess(tried, whole=True)
    return first if guessed is None else decided(run, replace(settings, guess=guessed))


def _outcome(place: Place, ways: dict[bool, Any]) -> Assumed | None:
    """What a condition must be, after a run of the model each way; None where both go on and differ."""
    ends = {outcome: _ends_there(run, place) for outcome, run in ways.items()}
    for outcome in (False, True):
        if ends[not outcome] and not ends[outcome]:
            error = ways[not outcome].raised
            text = " ".join(str(error).split())
            raised = f"{type(error).__name__}: {text[:60]}" if text else type(error).__name__
            line = linecache.getline(*_file_and_line(place.line)).strip()
            said = f"{place.written} ({line})" if line else place.written
            return Assumed(outcome, f"assumed {str(outcome).lower()}: {said}; otherwise it raises {raised}")
    if all(ends.values()):
        return Assumed(False, f"{place.written} raises either way")
    if any(run.raised is not None for run in ways.values()):
        return None
    a, b = (run.graph() for run in ways.values())
    said = f"the condition at {place.written} changes nothing"
    if _calls(a) == _calls(b):
        return Assumed(False, f"{said}: both ways give the same graph", is_idle=True)
    if _calls(a, _needed(a)) == _calls(b, _needed(b)):
        return Assumed(False, f"{said} that is given out: what one way computes more is read by nothing")
    return None


def _guess(tried: Callable[[Guess], Any], *, whole: bool) -> Guess | None:
    """What all numbers that a model takes out of its input are taken to be; None where it matters what they are.

    Where it raises with some in its own code, as with a nan that it looks for, these are left out.
    """
    graph: Any = None
    going: list[float] = []
    places: dict[str, None] = {}
    for number in TRIED:
        run = tried(Guess(number, whole))
        asking = run.recorder.asking
        places.update(dict.fromkeys(place.written for place in asking.guesses))
        if any(_ends_there(run, place) for place in asking.guesses):
            continue
        graph = graph or run.graph()
        if run.raised is not None or _calls(graph) != _calls(run.graph()):
            return None
        going.append(number)
    if not going:
        return None
    numbers = ", ".join(f"{number:,}" for number in going)
    said = f"numbers of the input that are taken out at {', '.join(places)} are guessed: with {numbers} the model does"
    return Guess(going[0], whole, f"{said} the same; what they read is in no field")


def _ends_there(run: Any, place: Place) -> bool:
    """Whether the model itself raised, in the code that asks or the line of the user's that led there."""
    asking = run.recorder.asking
    if run.raised is None or run.failed is not None or asking.wanting or asking.undecided is not None:
        return False
    files = {_file_and_line(text)[0] for text in (place.asks, place.line)}
    return any(frame.f_code.co_filename in files for frame, _ in walk_tb(run.raised.__traceback__))


def _file_and_line(text: str) -> tuple[str, int]:
    file, _, number = text.rpartition(":")
    return file, int(number) if number.isdigit() else 0


def _calls(graph: Graph, nodes: Iterable[Node] | None = None) -> Any:
    """The layers of a graph, between which values, and what is given out."""
    return [(node.name, node.layer, node.inputs) for node in (graph if nodes is None else nodes)], graph.outputs


def _needed(graph: Graph) -> list[Node]:
    """The nodes without those that nothing reads and that hold no weights, as the mean that a way only prints."""
    read = {end.partition("[")[0] for end in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if node.name in read or (node.weights is not None and node.weights.names):
            kept.append(node)
            read.update(name.partition("[")[0] for name in node.inputs)
    return kept


def otherwise(run: Any, bare: Any) -> str:
    """Say where a run with sizes that remember differs from one with plain numbers; nothing where it does not."""
    for ours, plain in zip(run.journal.calls, bare.journal.calls, strict=False):
        if _seen(ours) != _seen(plain):
            return f"sizes that are plain numbers give {plain.function} at {plain.source}"
    first, second = run.raised, bare.raised
    if isinstance(first, ConvcalcError):  # a rule of ours, which knows more of sizes that remember
        return ""
    as_many = len(run.journal.calls) == len(bare.journal.calls)
    if as_many and (type(first), str(first)) == (type(second), str(second)):
        return ""
    error = first or second
    return "sizes are wanted as plain numbers" + (f": {type(error).__name__}: {error}" if error else "")


def _seen(call: Call) -> Any:
    return call.function, call.shapes, call.frame and call.frame.path
