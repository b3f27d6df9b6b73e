"""Notes on what a node reads of the network's input: too far, or with holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from convcalc.analysis.fields import positions
from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis
from convcalc.analysis.notes.running import runs_at
from convcalc.analysis.notes.ways import Change, Edit, Way, dense, edits
from convcalc.analysis.notes.window import settings_of, windows
from convcalc.arithmetic.dilation.stack import hdc
from convcalc.footprints.footprint import Footprint
from convcalc.layers import Conv
from convcalc.network.node import Node

# -- field larger than the input -----------------------------------------------------------------------------------


def field_past_input(facts: Facts) -> Iterator[Remark]:
    """The first node whose field is larger than the input; what sees everything on purpose is no such case."""
    for node in facts.nodes:
        over = _past_input(node, facts)
        if any(over):
            yield from by_axis(node, [_field_past_input(*entry, facts) if entry else None for entry in over])
            return


def _past_input(node: Node, facts: Facts) -> list[tuple[int, int, int] | None]:
    """Axis, field and input size, of each axis where the field is larger."""
    first = facts.graph.inputs[0]
    shape = facts.shapes[first]
    sizes = [shape[axis] for axis in positions(facts.graph, first, shape)]
    found: list[tuple[int, int, int] | None] = []
    for axis, (footprint, size) in enumerate(zip(facts.fields[node.name].axes, sizes, strict=True)):
        reach = 0 if footprint is None else footprint.receptive_field
        found.append((axis, reach, size) if isinstance(size, int) and reach > size else None)
    return found


def _field_past_input(axis: int, reach: int, size: int, facts: Facts) -> Sentence:
    known = (facts.fields[node.name].axes[axis] for node in facts.nodes)
    largest = max(footprint.receptive_field for footprint in known if footprint is not None)
    leave = Way("leave it where outputs are meant to see everything")
    first = facts.graph.inputs[0]
    ways = (
        Way(f"an input of {{}}{more} holds every field", ((str(size), edits(first, size=size)),))
        for size, more in ((largest, " or more"), *((-(-largest // by) * by, "") for by in _STEPS))
    )
    found = next((way for way in ways if runs_at(replace(way, axes=(axis,)), way.changes[0], facts)), None)
    return (
        f"the receptive field is {reach} from here on and the input {size}: outputs reach past its border",
        (leave,) if found is None else (found, leave),
    )


_STEPS = (2, 4, 8, 16, 32)
"""What networks want an input to be a multiple of."""


# -- gridding ------------------------------------------------------------------------------------------------------


def gridding(facts: Facts) -> Iterator[Remark]:
    """The first nodes of those that miss inputs inside their field, where nothing after them fills the holes."""
    source = facts.graph.inputs[0]
    axes = range(len(positions(facts.graph, source, facts.shapes[source])))
    first = [_first_lasting(axis, facts) for axis in axes]
    for node in facts.nodes:
        found = [_gridding(node, axis, facts) if node.name in first[axis] else None for axis in axes]
        if any(found):
            yield from by_axis(node, found)


def _first_lasting(axis: int, facts: Facts) -> set[str]:
    """The nodes where holes begin that go on to an output, or to where fields end: a pooling of all, a flatten."""
    lasting: set[str] = set()
    for node in reversed(facts.nodes):
        if _has_holes(facts.fields[node.name].axes[axis]):
            readers = [reader for reader in facts.readers[node.name] if _has_local_part(reader, facts)]
            if not readers or any(reader.name in lasting for reader in readers):
                lasting.add(node.name)
    return {name for name in lasting if lasting.isdisjoint(facts.graph[name].inputs)}


def _has_holes(footprint: Footprint | None) -> bool:
    if footprint is None or footprint.receptive_field <= footprint.stride:
        return False
    return footprint.covered < footprint.receptive_field


def _has_local_part(node: Node, facts: Facts) -> bool:
    return any(footprint is not None and any(footprint.phases) for footprint in facts.fields[node.name].axes)


def _gridding(node: Node, axis: int, facts: Facts) -> Sentence | None:
    footprint = facts.fields[node.name].axes[axis]
    if footprint is None or not _has_holes(footprint):
        return None
    field, holes = footprint.receptive_field, footprint.holes
    shown = " ".join(map(str, holes[:8])) + (" ..." if len(holes) > 8 else "")
    ways = [*_lower_dilation(node, axis, facts), *_hdc_rates(node, axis, facts)] or [_read_before(axis, facts)]
    return (
        f"its field of {field} has {len(holes)} holes, at {shown} from the first input read: outputs see a grid",
        tuple(ways),
    )


def _read_before(axis: int, facts: Facts) -> Way:
    """A dense layer before all others: what is read grows by its kernel, which closes holes shorter than it."""
    known = (facts.fields[node.name].axes[axis] for node in facts.nodes)
    longest = max(_longest_run(footprint.holes) for footprint in known if _has_holes(footprint) and footprint)
    text = f"a layer of kernel_size={longest + 1}, stride 1 and dilation 1 before all others"
    first = facts.graph.inputs[0]
    spatial = tuple(range(2, len(facts.shapes[first])))
    if positions(facts.graph, first, facts.shapes[first]) != spatial:  # the input has no channels yet, or has them last
        return Way(f"{text} reads what is missed")
    layer = dense(longest + 1, (axis,), len(spatial))
    return Way("{} reads what is missed", ((text, (Edit(first, "before", layer),)),))


def _longest_run(holes: Sequence[int]) -> int:
    """The most neighbours among positions in order."""
    runs = groupby(enumerate(holes), key=lambda entry: entry[1] - entry[0])
    return max((len(list(run)) for _, run in runs), default=0)


def _lower_dilation(node: Node, axis: int, facts: Facts) -> Iterator[Way]:
    """The largest dilation without holes after a dense field: as many inputs in a row as there are, by the stride."""
    footprint = facts.fields[node.inputs[0]].axes[axis]
    if not isinstance(node.layer, Conv) or footprint is None or len(footprint.phases) > 1:
        return
    if footprint.covered < footprint.receptive_field:
        return
    in_a_row, stride = footprint.receptive_field, int(footprint.stride)
    if in_a_row >= stride:
        times = "" if stride == 1 else f" at stride {stride}"
        rate = in_a_row // stride
        says = f"{{}} at most, as its input sees {in_a_row} in a row{times}"
        yield Way(says, ((f"dilation={rate}", _at_rate(node, axis, facts, rate)),))


def _at_rate(node: Node, axis: int, facts: Facts, rate: int) -> Change:
    """Another dilation, with the padding that keeps the size where there is one."""
    window = windows(node, facts)[axis]
    kept = None if window is None else window.keeping(dilation=rate)
    return edits(node.name, **({"dilation": rate} if kept is None else kept[1]))


def _hdc_rates(node: Node, axis: int, facts: Facts) -> Iterator[Way]:
    """Rates that close the holes of a plain chain of windows, by the exact rule of `arithmetic.dilation.stack`."""
    chain = _plain_chain(facts)
    if node not in chain:
        return
    stack = [one for one in chain if not one.layer.is_pointwise]
    kernels, strides, _, rates = zip(*(settings_of(one, facts)[axis] for one in stack), strict=True)
    tries = hdc(rates, kernels, strides).tries
    for found in (*tries[:1], *(one for one in tries[1:] if one.largest)):
        changed = [place for place, (new, old) in enumerate(zip(found.rates, rates, strict=True)) if new != old]
        if all(isinstance(stack[place].layer, Conv) for place in changed):
            says = f"{{}} read all of a field of {found.receptive_field}"
            change = tuple(
                edit for place in changed for edit in _at_rate(stack[place], axis, facts, found.rates[place])
            )
            yield Way(says, ((f"rates {' '.join(map(str, found.rates))}", change),))


def _plain_chain(facts: Facts) -> list[Node]:
    """The windows and pointwise layers that follow each other from the input, while nothing branches."""
    chain: list[Node] = []
    name = facts.graph.inputs[0]
    while len(facts.readers[name]) == 1:
        (node,) = facts.readers[name]
        if not (node.layer.is_pointwise or settings_of(node, facts)) or len(node.inputs) > 1:
            break
        chain.append(node)
        name = node.name
    return chain
