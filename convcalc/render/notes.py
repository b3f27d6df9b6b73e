"""Notes as lines: those that say the same of several nodes in one."""

from __future__ import annotations

from collections.abc import Iterable

from convcalc.analysis.notes.base import Note

SHOWN = 3
"""So many nodes are named; the rest are counted."""


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Return two lines for each different note: the nodes and what is said of them, then the remedy.

    >>> notes = [Note("kernel_past_map", name, "the kernel spans 3", "kernel_size=1") for name in "abcde"]
    >>> print(*note_lines(notes), sep="\\n")
    a, b, c and 2 more: the kernel spans 3 (kernel_past_map)
      -> kernel_size=1
    """
    nodes: dict[tuple[str, str, str], list[str]] = {}
    for note in notes:
        nodes.setdefault((note.kind, note.message, note.remedy), []).append(note.node)
    lines = []
    for (kind, message, remedy), names in nodes.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        lines += [f"{', '.join(names[:SHOWN])}{more}: {message} ({kind})", f"  -> {remedy}"]
    return lines
