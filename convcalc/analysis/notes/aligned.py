"""Notes on branches centred on different inputs, and what centres them on the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from convcalc.analysis.fields import node_fields
from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis
from convcalc.analysis.notes.ways import Edit, Way, applied, edits, in_words, shifted
from convcalc.analysis.notes.window import settings_of, windows
from convcalc.errors import ConvcalcError
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.layers import Add, Concat, Mul
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import node_shapes

_TRIED = 12
"""So many layers on the ways to a merge are tried with another kernel."""


def misaligned_branches(facts: Facts) -> Iterator[Remark]:
    """Branches whose fields are centred on different inputs, unless all of them are causal.

    Nothing is said where rows were regrouped on the way: windows of attention, patches, every other row.
    """
    regrouped = _regrouped(facts)
    for node in facts.nodes:
        if isinstance(node.layer, Add | Concat | Mul) and regrouped.isdisjoint(node.inputs):
            axes = range(len(facts.fields[node.name].axes))
            yield from by_axis(node, [_misaligned(node, axis, facts) for axis in axes])


def _regrouped(facts: Facts) -> set[str]:
    """What is made of rows that were put elsewhere: other than by windows, resizing, padding and crops."""
    found: set[str] = set()
    for node in facts.nodes:
        if not found.isdisjoint(node.inputs) or node.layer.regroups(
            [facts.shapes[name] for name in node.inputs], facts.shapes[node.name]
        ):
            found.update(node.outputs)
    return found


def _misaligned(node: Node, axis: int, facts: Facts) -> Sentence | None:
    local = _centred(node, axis, facts.shapes, facts.fields)
    if not local:
        return None
    offsets = {name: footprint.offset or Fraction(0) for name, footprint in local.items()}
    low, high = min(offsets, key=lambda name: offsets[name]), max(offsets, key=lambda name: offsets[name])
    apart = offsets[high] - offsets[low]
    return (
        f"output 0 is centred on input {offsets[low]} by {low} and on input {offsets[high]} by {high}: {apart} apart",
        tuple(_aligned(node, axis, offsets, local[low].stride, facts)),
    )


def _centred(node: Node, axis: int, shapes: Mapping[str, Shape], fields: Mapping[str, Field]) -> dict[str, Footprint]:
    """Return the fields of the branches of a merge that are centred on different inputs; none where all agree.

    Causal branches, which end at their own input, look back on purpose; other strides have no common centre.
    """
    size = shapes[node.name][2:][axis : axis + 1]
    local: dict[str, Footprint] = {}
    for name in node.inputs:
        footprint = fields[name].axes[axis]
        if footprint is not None and any(footprint.phases) and shapes[name][2:][axis : axis + 1] == size:
            local[name] = footprint
    if any(footprint.shift != 0 for footprint in local.values()):
        return {}
    offsets = {footprint.offset or Fraction(0) for footprint in local.values()}
    if len(offsets) < 2 or {footprint.reach_after for footprint in local.values()} == {0}:
        return {}
    return local if len({footprint.stride for footprint in local.values()}) == 1 else {}


def _aligned(node: Node, axis: int, offsets: Mapping[str, Fraction], stride: Any, facts: Facts) -> Iterator[Way]:
    """Yield what centres all branches alike: whole rows of padding, or one kernel that is a row longer or shorter."""
    lowest = min(offsets.values())
    rows = {name: (offset - lowest) / stride for name, offset in offsets.items() if offset != lowest}
    if all(some.denominator == 1 for some in rows.values()):
        texts = [
            f"{some} more row{'s' * (some > 1)} of padding before and as many fewer after, on the way to {name}"
            for name, some in rows.items()
        ]
        count = len(facts.sizes(node.name))
        change = tuple(Edit(name, f"into {node.name}", shifted(int(some), axis, count)) for name, some in rows.items())
        yield Way("{}", ((" and ".join(texts), change),))
        return
    found = next(_kernels(node, axis, facts), None)
    if found is not None:
        yield found
        return
    some = max(rows.values())
    yield Way(f"{some} of a row here, which neither whole rows of padding nor one other kernel mends")


def _kernels(node: Node, axis: int, facts: Facts) -> Iterator[Way]:
    """One layer on the way with a kernel of the other parity and the same output size; tried by the fields."""
    for one in _on_the_way(node, facts)[:_TRIED]:
        for settings in _other_parity(one, axis, facts):
            change = edits(one.name, **settings)
            way = Way("{} centres both", ((f"{in_words(settings)} in {one.name}", change),), axes=(axis,))
            try:
                shapes, fields = _up_to(node, one.name, applied(facts.known, facts.shapes, way, change)[0], facts)
            except ConvcalcError:
                continue
            if not _centred(node, axis, shapes, fields):
                yield replace(way, axes=None)


def _up_to(node: Node, name: str, graph: Graph, facts: Facts) -> tuple[dict[str, Shape], dict[str, Field]]:
    """The shapes and fields of all before a node and of it, in a graph where the node `name` is another."""
    shapes, fields = dict(facts.shapes), dict(facts.fields)
    changed = {name}
    for one in graph:
        if one.name == name or not changed.isdisjoint(one.inputs):
            changed.update(one.outputs)
            shapes |= node_shapes(one, shapes)
            fields |= node_fields(one, fields, shapes)
        if one.name == node.name:
            break
    return shapes, fields


def _on_the_way(node: Node, facts: Facts) -> list[Node]:
    """The layers with windows on the ways to a merge, nearest first."""
    found: dict[str, None] = {}
    todo = [name.partition("[")[0] for name in node.inputs]
    for name in todo:
        if name in facts.graph and name not in found and len(todo) < 1000:
            found[name] = None
            todo += [read.partition("[")[0] for read in facts.graph[name].inputs]
    nodes = [facts.graph[name] for name in found]
    return [one for one in nodes if one.layer.stamps(len(facts.sizes(one.name))) or settings_of(one, facts)]


def _other_parity(node: Node, axis: int, facts: Facts) -> Iterator[dict[str, Any]]:
    """Settings of a kernel that is one longer or shorter, and of the same output size."""
    for k, s, p, extra, d in node.layer.stamps(len(facts.sizes(node.name)))[axis : axis + 1]:
        for size, less in ((k + 1, -d), (k - 1, d)):
            for padding in range(max(0, p - d), p + d + 1) if size else ():
                more = extra + less + 2 * (padding - p)
                if 0 <= more < max(s, d):
                    new = {"kernel_size": size, "padding": padding, "output_padding": more}
                    yield {
                        name: value
                        for name, value in new.items()
                        if name == "kernel_size" or value != getattr(node.layer, name)
                    }
    for window in windows(node, facts)[axis : axis + 1]:
        for size in () if window is None else (window.kernel_size + 1, window.kernel_size - 1):
            kept = window.keeping(kernel_size=size) if window is not None and size else None
            if kept is not None:
                yield kept[1]
