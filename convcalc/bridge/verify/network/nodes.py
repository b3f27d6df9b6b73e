"""Every node against a forward with values: the shapes that it gives, and its multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

from convcalc.bridge.verify.network.listening import Heard, Listener, heard_as
from convcalc.bridge.verify.network.subject import Subject, said
from convcalc.bridge.verify.report import Comparison, Mismatch
from convcalc.errors import Unknown
from convcalc.layers.base import written

SHAPES, MACS = "shapes", "MACs"

COUNTED = frozenset({"conv", "tconv", "linear", "matmul", "addmatmul"})
"""The ops that torch's counter knows whatever kernel runs."""


def compare_nodes(subject: Subject, case: str = "nodes") -> Comparison:
    """Run the network once, and compare every node with what was heard of it.

    Where convcalc says that the network refuses its input, torch must refuse it.
    """
    error = subject.report.error
    try:
        heard = _heard(subject)
    except Unknown as raised:
        if error is not None:
            return Comparison(kinds=(SHAPES,), checked=0, refused=1)
        found = subject.mismatch(SHAPES, case, f"convcalc says that it runs, {said(raised)}")
        return Comparison(kinds=(SHAPES,), mismatches=(found,))
    if error is not None:
        found = subject.mismatch(SHAPES, case, f"convcalc says {said(error)}, and it runs")
        return Comparison(kinds=(SHAPES,), mismatches=(found,))
    kinds, mismatches, unchecked = list[str](), list[Mismatch](), list[tuple[str, str]]()
    for kind, ours, theirs, name in _pairs(subject, heard):
        if theirs is None:
            unchecked.append((kind, str(ours)))
            continue
        kinds.append(kind)
        if ours != theirs:
            message = f"{name}: convcalc says {_told(ours)}, torch gives {_told(theirs)}"
            mismatches.append(subject.mismatch(kind, case, message))
    return Comparison(kinds=tuple(kinds), checked=len(kinds), mismatches=tuple(mismatches), unchecked=tuple(unchecked))


def _heard(subject: Subject) -> dict[str, list[Heard]]:
    runs = subject.report.error is None
    module = subject.module(subject.shapes) if runs else subject.for_any_size(subject.place)
    inputs = subject.inputs(subject.shapes)
    with FlopCounterMode(display=False) as counter, Listener(module, counter.get_total_flops) as listener:
        subject.run(module, *inputs)
    heard: dict[str, list[Heard]] = listener.heard
    return heard


def _pairs(subject: Subject, heard: dict[str, list[Heard]]) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield (kind, what convcalc says, what torch gave, node); None for what cannot be compared, and why."""
    rows = subject.report.layers
    for row, key in zip(rows, heard_as(subject.heard_names, heard), strict=True):
        if key is None:
            yield SHAPES, "what torch ran has no call under that name, or more than one", None, row.name
            continue
        found = heard[key[0]][key[1]]
        yield SHAPES, row.outputs, found.shapes, row.name
        if not (row.macs or found.macs):
            continue
        theirs = found.macs // 2
        if not row.counted:
            yield MACS, f"of {row.op} convcalc counts a part", None, row.name
        elif row.op not in COUNTED and theirs < row.macs:
            yield MACS, f"of {row.op} torch's counter counts a part, or nothing", None, row.name
        else:
            yield MACS, row.macs, theirs, row.name


def _told(value: Any) -> str:
    return ", ".join(map(written, value)) if isinstance(value, tuple) else f"{value:,}"
