"""What a report remarks on: true of a node, with the numbers, and perhaps not meant.

Each rule is a function from facts to remarks; docs/notes.md says when it speaks and when it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from convcalc.analysis.fields import find_fields
from convcalc.analysis.notes.aligned import misaligned_branches
from convcalc.analysis.notes.base import Facts, Note, Notes, Remark
from convcalc.analysis.notes.batch import crossed_batches, mixed_samples, view_for_permute
from convcalc.analysis.notes.reach import field_past_input, gridding
from convcalc.analysis.notes.running import that_run
from convcalc.analysis.notes.weights import bias_before_batchnorm, bias_before_instancenorm, uneven_overlap
from convcalc.analysis.notes.windows import (
    dilation_past_map,
    dropped_rows,
    even_kernel,
    kernel_past_map,
    unread_padding,
)
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.shapes import infer_shapes, open_net

RULES: Mapping[str, Callable[[Facts], Iterator[Remark]]] = {
    "dropped_rows": dropped_rows,
    "unread_padding": unread_padding,
    "dilation_past_map": dilation_past_map,
    "kernel_past_map": kernel_past_map,
    "even_kernel": even_kernel,
    "uneven_overlap": uneven_overlap,
    "gridding": gridding,
    "misaligned_branches": misaligned_branches,
    "field_past_input": field_past_input,
    "bias_before_batchnorm": bias_before_batchnorm,
    "bias_before_instancenorm": bias_before_instancenorm,
    "mixed_samples": mixed_samples,
    "crossed_batches": crossed_batches,
    "view_for_permute": view_for_permute,
}
"""Every kind of note, and its rule."""


def find_notes(net: Graph | Part, input_size: InputShapes | None = None) -> Notes:
    """Return the notes on a graph, as `convcalc.find_notes`.

    >>> from convcalc.layers import MaxPool
    >>> print(*find_notes(MaxPool(3, stride=2), (1, 8, 54, 54)))
    maxpool: 1 of 54 rows is never read: the last window ends 1 before the end, (54 - 3) % 2 = 1 (dropped_rows)
      -> an input of 53 or 55 here drops none; ceil_mode=True reads it (output 27)
    >>> find_notes(MaxPool(3, stride=2), (1, 8, 55, 55))
    no notes
    """
    graph, given = open_net(net, input_size)
    return notes_on(Facts(graph, infer_shapes(graph, given), find_fields(graph, given)))


def notes_on(facts: Facts) -> Notes:
    """Return the notes on what is known of a network.

    >>> notes_on(Facts(Graph([]), {"input": (1, 3, 8)}, {}))
    no notes
    """
    place = {node.name: index for index, node in enumerate(facts.nodes)}
    found = (
        Note(kind, node.name, message, "; ".join(way.text for way in kept), kept)
        for kind, rule in RULES.items()
        for node, message, ways in rule(facts)
        for kept in [that_run(ways, facts)]
    )
    return Notes(sorted(found, key=lambda note: place[note.node]))
