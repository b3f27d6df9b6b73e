"""Notes on what a node reads of the network's input: too far, with holes, or off centre."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis
from convcalc.axes import per_axis
from convcalc.dilation import hdc
from convcalc.footprint import Footprint
from convcalc.graph import Node
from convcalc.layers import (
    Add,
    AvgPool,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    CropTo,
    Index,
    LpPool,
    MaxPool,
    Mul,
    Pad,
    PadTo,
    Pointwise,
    Slice,
    Upsample,
)
from convcalc.layers.merge import Elementwise

WINDOWS = Conv | ConvTranspose | MaxPool | AvgPool | LpPool

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
    sizes = facts.sizes(facts.graph.inputs[0])
    found: list[tuple[int, int, int] | None] = []
    for axis, (footprint, size) in enumerate(zip(facts.fields[node.name].axes, sizes, strict=True)):
        reach = 0 if footprint is None else footprint.receptive_field
        found.append((axis, reach, size) if isinstance(size, int) and reach > size else None)
    return found


def _field_past_input(axis: int, reach: int, size: int, facts: Facts) -> Sentence:
    known = (facts.fields[node.name].axes[axis] for node in facts.nodes)
    largest = max(footprint.receptive_field for footprint in known if footprint is not None)
    return (
        f"the receptive field is {reach} from here on and the input {size}: outputs reach past its border",
        f"an input of {largest} or more holds every field; leave it where outputs are meant to see everything",
    )


# -- gridding ------------------------------------------------------------------------------------------------------


def gridding(facts: Facts) -> Iterator[Remark]:
    """The first nodes of those that miss inputs inside their field, where nothing after them fills the holes."""
    lasting = _lasting_holes(facts)
    for node in facts.nodes:
        if node.name in lasting and lasting.isdisjoint(node.inputs):
            axes = facts.fields[node.name].axes
            yield from by_axis(node, [_gridding(node, axis, found, facts) for axis, found in enumerate(axes)])


def _lasting_holes(facts: Facts) -> set[str]:
    """The nodes with holes that go on to an output, or to where fields end: a pooling of everything, a flatten."""
    lasting: set[str] = set()
    for node in reversed(facts.nodes):
        if any(map(_has_holes, facts.fields[node.name].axes)):
            readers = [reader for reader in facts.readers[node.name] if _has_local_part(reader, facts)]
            if not readers or any(reader.name in lasting for reader in readers):
                lasting.add(node.name)
    return lasting


def _has_holes(footprint: Footprint | None) -> bool:
    if footprint is None or footprint.receptive_field <= footprint.stride:
        return False
    return footprint.covered < footprint.receptive_field


def _has_local_part(node: Node, facts: Facts) -> bool:
    return any(footprint is not None and any(footprint.phases) for footprint in facts.fields[node.name].axes)


def _gridding(node: Node, axis: int, footprint: Footprint | None, facts: Facts) -> Sentence | None:
    if footprint is None or not _has_holes(footprint):
        return None
    field, holes = footprint.receptive_field, footprint.holes
    shown = " ".join(map(str, holes[:8])) + (" ..." if len(holes) > 8 else "")
    ways = [*_lower_dilation(node, axis, facts), *_hdc_rates(node, axis, facts)]
    return (
        f"its field of {field} has {len(holes)} holes, at {shown} from the first input read: outputs see a grid",
        "; ".join(ways) or "let a layer with dilation 1 and stride 1 read what is missed",
    )


def _lower_dilation(node: Node, axis: int, facts: Facts) -> Iterator[str]:
    """The largest dilation without holes after a dense field: as many inputs in a row as there are, by the stride."""
    footprint = facts.fields[node.inputs[0]].axes[axis]
    if not isinstance(node.layer, Conv) or footprint is None or len(footprint.phases) > 1 or _has_holes(footprint):
        return
    in_a_row, stride = footprint.receptive_field, int(footprint.stride)
    if in_a_row >= stride:
        times = "" if stride == 1 else f" at stride {stride}"
        yield f"dilation={in_a_row // stride} at most, as its input sees {in_a_row} in a row{times}"


def _hdc_rates(node: Node, axis: int, facts: Facts) -> Iterator[str]:
    """Rates that close the holes of a plain chain of windows, by the exact rule of `convcalc.dilation`."""
    chain = _plain_chain(facts)
    if node not in chain:
        return
    stack = [one for one in chain if isinstance(one.layer, Conv | MaxPool | AvgPool | LpPool)]
    axes = len(facts.sizes(stack[0].inputs[0]))
    kernels, strides, rates = zip(*(_on_axis(one.layer, axis, axes) for one in stack), strict=True)
    tries = hdc(rates, kernels, strides).tries
    for found in (*tries[:1], *(one for one in tries[1:] if one.largest)):
        changed = [place for place, (new, old) in enumerate(zip(found.rates, rates, strict=True)) if new != old]
        if all(isinstance(stack[place].layer, Conv) for place in changed):
            yield f"rates {' '.join(map(str, found.rates))} read all of a field of {found.receptive_field}"


def _on_axis(layer: Any, axis: int, axes: int) -> tuple[int, int, int]:
    kernel = per_axis("kernel_size", layer.kernel_size, axes)[axis]
    stride = kernel if layer.stride is None else per_axis("stride", layer.stride, axes)[axis]
    return kernel, stride, per_axis("dilation", getattr(layer, "dilation", 1), axes)[axis]


def _plain_chain(facts: Facts) -> list[Node]:
    """The windows and pointwise layers that follow each other from the input, while nothing branches."""
    chain: list[Node] = []
    name = facts.graph.inputs[0]
    while len(facts.readers[name]) == 1:
        (node,) = facts.readers[name]
        if not isinstance(node.layer, Conv | MaxPool | AvgPool | LpPool | Pointwise) or len(node.inputs) > 1:
            break
        chain.append(node)
        name = node.name
    return chain


# -- misaligned branches -------------------------------------------------------------------------------------------


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
        if not found.isdisjoint(node.inputs) or _regroups(node, facts):
            found.update(node.outputs)
    return found


def _regroups(node: Node, facts: Facts) -> bool:
    layer = node.layer
    if isinstance(layer, Index):
        return any(not isinstance(item, Slice) or item.step != 1 for item in layer.items)
    if isinstance(layer, WINDOWS | Pad | Crop | CropTo | PadTo | Upsample | Elementwise) or not node.inputs:
        return False
    return facts.sizes(node.name) not in [facts.sizes(name) for name in node.inputs]


def _misaligned(node: Node, axis: int, facts: Facts) -> Sentence | None:
    size = facts.sizes(node.name)[axis : axis + 1]
    local: dict[str, Footprint] = {}
    for name in node.inputs:
        footprint = facts.fields[name].axes[axis]
        if footprint is not None and any(footprint.phases) and facts.sizes(name)[axis : axis + 1] == size:
            local[name] = footprint
    offsets = {name: footprint.offset or Fraction(0) for name, footprint in local.items()}
    if len(set(offsets.values())) < 2 or {footprint.reach_after for footprint in local.values()} == {0}:
        return None
    if len({footprint.stride for footprint in local.values()}) > 1:
        return None
    low, high = min(offsets, key=lambda name: offsets[name]), max(offsets, key=lambda name: offsets[name])
    apart = offsets[high] - offsets[low]
    rows = apart / local[low].stride
    return (
        f"output 0 is centred on input {offsets[low]} by {low} and on input {offsets[high]} by {high}: {apart} apart",
        _aligned(node, axis, rows, high, facts),
    )


def _aligned(node: Node, axis: int, rows: Fraction, late: str, facts: Facts) -> str:
    if rows.denominator == 1:
        more = "1 more row" if rows == 1 else f"{rows} more rows"
        return f"{more} of padding before and as many fewer after, on the way to {late}"
    for name in node.inputs:
        producer = facts.producer(name)
        if producer is not None and isinstance(producer.layer, CropTo | PadTo):
            size, wanted = (facts.sizes(read)[axis] for read in producer.inputs)
            if (size - wanted) % 2:
                return f"{name} makes {size} into {wanted}, which cannot be centred: let them differ by an even number"
    return (
        f"{rows} of a row here, which whole rows of padding cannot mend: let all kernels on both ways, "
        "resampling included, be odd, or all be even"
    )
