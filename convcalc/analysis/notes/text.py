"""Notes as lines: those that say the same of several nodes in one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.analysis.notes.base import Note


SHOWN = 3
"""So many nodes are named; the rest are counted."""


def notes_text(notes: Iterable[Note]) -> str:
    """Return the lines of notes as one text; of none, that there are none.

    >>> notes_text([])
    'no notes'
    """
    return "\n".join(note_lines(notes)) or "no notes"


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Return two lines for each cause: the nodes and what is said of them, then the remedy.

    What has one remedy has one cause: where the numbers differ, those of the first node stand for the others.

    >>> from convcalc.analysis.notes.base import Note
    >>> notes = [Note("kernel_past_map", name, "the kernel spans 3", "kernel_size=1") for name in "abcde"]
    >>> print(*note_lines(notes), sep="\\n")
    a, b, c and 2 more: the kernel spans 3 (kernel_past_map)
      -> kernel_size=1
    >>> biases = [Note("bias", name, f"a bias of {size}", "bias=False") for name, size in [("a", 8), ("b", 16)]]
    >>> print(*note_lines(biases), sep="\\n")
    a, b: a bias of 8, and likewise (bias)
      -> bias=False
    """
    found: dict[tuple[str, str], list[Note]] = {}
    for note in notes:
        found.setdefault((note.kind, note.remedy or note.message), []).append(note)
    lines = []
    for (kind, _), alike in found.items():
        names = list(dict.fromkeys(note.node for note in alike))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        likewise = ", and likewise" if len({note.message for note in alike}) > 1 else ""
        lines.append(f"{', '.join(names[:SHOWN])}{more}: {alike[0].message}{likewise} ({kind})")
        lines += [f"  -> {alike[0].remedy}"] if alike[0].remedy else []
    return lines
