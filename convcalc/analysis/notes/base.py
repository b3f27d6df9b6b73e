"""What a note is, what every rule is given, and how the axes of one node share a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

from convcalc.analysis.notes.ways import Way
from convcalc.footprints.field import Field
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.render.words import listed
from convcalc.shown import Shown
from convcalc.sizes.axes import axis_names

Ways: TypeAlias = tuple[Way, ...]

Sentence: TypeAlias = tuple[str, Ways]
"""A message and the ways out, of one axis."""

Remark: TypeAlias = tuple[Node, str, Ways]
"""A node, a message and the ways out: what a rule yields."""


@dataclass(frozen=True, repr=False)
class Note(Shown):
    """Something true of one node that its author may not have meant: what, with the numbers, and the way out.

    `kind` is one of the names of `convcalc.analysis.notes.rules.RULES`; `remedy` is the text of the `ways`, which say
    what each changes, so that they can be tried: `convcalc.analysis.notes.ways.applied`.

    >>> Note("even_kernel", "conv", "the kernel spans 4", "kernel_size=3").to_dict()["kind"]
    'even_kernel'
    """

    kind: str
    node: str
    message: str
    remedy: str
    ways: tuple[Way, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.node}: {self.message} ({self.kind})" + (f"\n  -> {self.remedy}" if self.remedy else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        ways = [way.to_dict() for way in self.ways]
        return {"kind": self.kind, "node": self.node, "message": self.message, "remedy": self.remedy, "ways": ways}


class Notes(Shown, tuple[Note, ...]):
    """Notes, in the order in which their nodes run: a tuple that shows what is alike once.

    >>> print(Notes([Note("bias", name, "a bias", "bias=False") for name in "ab"]))
    a, b: a bias (bias)
      -> bias=False
    """

    __slots__ = ()

    def __str__(self) -> str:
        return notes_text(self)


@dataclass(frozen=True)
class Facts:
    """A graph with the shapes and fields of its nodes: of all, or of those before one that refuses its input.

    >>> Facts(Graph([]), {"input": (1, 3, 8)}, {}).sizes("input")
    (8,)
    """

    graph: Graph
    shapes: Mapping[str, Shape]
    fields: Mapping[str, Field]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes whose shape is known."""
        return tuple(node for node in self.graph if node.name in self.shapes)

    @cached_property
    def known(self) -> Graph:
        """The graph of these nodes alone, with numbers in the place of formulas."""
        ends = [name for name in self.graph.outputs if name in self.shapes]
        return Graph(self.nodes, self.graph.inputs, ends or (self.nodes[-1].name if self.nodes else ()))

    @cached_property
    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each node or input."""
        found: dict[str, list[Node]] = {name: [] for name in self.shapes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return found

    def producer(self, name: str) -> Node | None:
        """Return the node of that name; None for an input."""
        return None if name in self.graph.inputs else self.graph[name.partition("[")[0]]

    def sizes(self, name: str) -> Shape:
        """Return the spatial sizes of a node or input."""
        return self.shapes[name][2:]


def by_axis(node: Node, found: Sequence[Sentence | None]) -> Iterator[Remark]:
    """Yield each sentence on a node once, naming its axes unless it is said of all.

    >>> from convcalc.layers import ReLU
    >>> node, way = Node("relu", ReLU()), (Way("pad"),)
    >>> [message for _, message, _ in by_axis(node, [("1 row", way), ("1 row", way)])]
    ['1 row']
    >>> [(message, ways[0].axes) for _, message, ways in by_axis(node, [None, ("1 row", way)])]
    [('axis W: 1 row', (1,))]
    """
    names = axis_names(len(found))
    for sentence in dict.fromkeys(entry for entry in found if entry is not None):
        here = [axis for axis, entry in enumerate(found) if entry == sentence]
        message, ways = sentence
        if len(here) < len(found):
            said = " and ".join(names[axis] for axis in here)
            message = f"{'axis' if len(here) == 1 else 'axes'} {said}: {message}"
        yield node, message, tuple(replace(way, axes=tuple(here)) for way in ways)


def counted(count: int, of: int, what: str) -> str:
    """Return a count of things as the beginning of a sentence.

    >>> counted(1, 54, "rows"), counted(2, 224, "rows")
    ('1 of 54 rows is', '2 of 224 rows are')
    """
    return f"{count} of {of} {what} {'is' if count == 1 else 'are'}"


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
        likewise = ", and likewise" if len({note.message for note in alike}) > 1 else ""
        lines.append(f"{listed(names, SHOWN)}: {alike[0].message}{likewise} ({kind})")
        lines += [f"  -> {alike[0].remedy}"] if alike[0].remedy else []
    return lines
