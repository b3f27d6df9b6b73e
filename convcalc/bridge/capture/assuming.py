"""Conditions on values of the input, which a capture cannot decide: what is assumed of them, and why.

A condition of which one way ends in an exception, as a check for nan, is taken to go the other way; so is one whose two
ways give the same graph. Where both go on, and differ, somebody has to say which is meant.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.lines import OURS

LIMIT = 16
"""So many conditions are decided by trying both ways."""


class Place(NamedTuple):
    """A condition: the line of the user's code, the line that asks, and the call that it asks."""

    line: str
    asks: str
    function: str

    @property
    def written(self) -> str:
        """The user's line, as "net.py:9"."""
        return place_text(self.line)

    def answers_to(self, word: str) -> bool:
        """Whether a user means this by a line, "9" or "net.py:9", or by the name of the call.

        >>> place = Place("/home/me/net.py:9", "/home/me/net.py:9", "any")
        >>> [place.answers_to(word) for word in ("9", "net.py:9", "me/net.py:9", "any", "t.py:9", "19")]
        [True, True, True, True, False, False]
        """
        return word in (self.function, self.line.rpartition(":")[2]) or f"/{self.line}".endswith(f"/{word}")


def place_text(line: str | None) -> str:
    """Return a line as users know it: "net.py:9"."""
    return Path(line or "an unknown line").name


@dataclass(frozen=True)
class Assumed:
    """What a condition is taken to be, and why in words."""

    outcome: bool
    why: str
    is_idle: bool = False
    """Whether the model does the same either way."""


def place_here(line: str | None, function: str) -> Place:
    """Return the condition that is being asked now."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    return Place(line or "an unknown line", f"{frame.f_code.co_filename}:{frame.f_lineno}", function)


def given(place: Place, words: Mapping[str, bool]) -> Assumed | None:
    """Return what a user says of a condition; None where that is nothing."""
    for word, outcome in words.items():
        if place.answers_to(word):
            return Assumed(outcome, f"{place.written} is taken as {str(outcome).lower()}, as asked for")
    return None


def decide(place: Place, tried: Callable[[bool], Any]) -> Assumed | None:
    """Return what a condition must be, after a run of the model each way; None where both go on and differ."""
    ways = {outcome: tried(outcome) for outcome in (False, True)}
    ends = {outcome: ends_there(run, place) for outcome, run in ways.items()}
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
    runs = list(ways.values())
    if any(run.raised is not None for run in runs):
        return None
    a, b = (run.graph() for run in runs)
    said = f"the condition at {place.written} changes nothing"
    if same_graph(a, b):
        return Assumed(False, f"{said}: both ways give the same graph", is_idle=True)
    if same_graph(_needed(a), _needed(b)):
        return Assumed(False, f"{said} that is given out: what one way computes more is read by nothing")
    return None


def _needed(graph: Any) -> Any:
    """A graph without the nodes that nothing reads and that hold no weights, as the mean that a way only prints."""
    read = {end.partition("[")[0] for end in graph.outputs}
    kept = []
    for node in reversed(list(graph)):
        if node.name in read or (node.weights is not None and node.weights.names):
            kept.append(node)
            read.update(name.partition("[")[0] for name in node.inputs)
    return _Part(kept, graph.outputs)


class _Part(list[Any]):
    def __init__(self, nodes: list[Any], outputs: Any) -> None:
        super().__init__(nodes)
        self.outputs = outputs


def _file_and_line(text: str) -> tuple[str, int]:
    file, _, number = text.rpartition(":")
    return file, int(number) if number.isdigit() else 0


def ends_there(run: Any, place: Place) -> bool:
    """Return whether the model itself raised, in the code that asks or the line of the user's that led there."""
    failed = run.journal.failed
    if run.raised is None or run.recorder.asking.open:
        return False
    if failed is not None and failed.error is run.raised and failed.raw is not need_torch()._assert:
        return False
    files = {_file_and_line(text)[0] for text in (place.asks, place.line)}
    step = run.raised.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in files:
            return True
        step = step.tb_next
    return False


def same_graph(a: Any, b: Any) -> bool:
    """Return whether two graphs have the same layers, between the same values."""

    def said(graph: Any) -> Any:
        return [(node.name, node.layer, node.inputs) for node in graph], graph.outputs

    return bool(said(a) == said(b))
