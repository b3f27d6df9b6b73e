"""Exactly which inputs one output position reads, borders included: a walk backwards from it, layer by layer.

A footprint that is composed over many layers is exact in the interior; at a border, zeros that a layer pads in the
middle of the network end what an output reads. One layer at a time nothing is lost: what lies outside its input is
dropped, or mapped inside where the padding reflects, repeats or wraps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from convcalc.analysis.fields import find_fields, own_field, positions
from convcalc.errors import BadShape
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.reads import Reads
from convcalc.footprints.stencils import identity
from convcalc.footprints.taps import TapSet
from convcalc.footprints.text import taps_text
from convcalc.layers import Layer
from convcalc.layers.base import Shape, written
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes, open_net
from convcalc.shown import Shown
from convcalc.sizes.axes import axis_names


@dataclass(frozen=True, kw_only=True, repr=False)
class AxisWindow(Shown):
    """What one output position reads on one axis of the input.

    >>> print(AxisWindow(axis="H", cell=0, size=9, pattern=(-3, 3), reads=TapSet.of(range(4))))
    H: cell 0 reads 0..3 of 9; 3 before and 0 after lie in padding
    """

    axis: str
    cell: int
    size: int
    """The input's size."""
    pattern: tuple[int, int] | None
    """First and last of what the position would read of an input without end; None where there is no pattern."""
    reads: TapSet | None
    """What it reads of this input; None where that is not known."""

    @property
    def padding(self) -> tuple[int, int] | None:
        """How many positions of the pattern lie before and after the input."""
        if self.pattern is None:
            return None
        first, last = self.pattern
        outside = last - first + 1 - max(0, min(last, self.size - 1) - max(first, 0) + 1)
        before = min(max(0, -first), outside)
        return before, outside - before

    def __str__(self) -> str:
        reads = "an unknown part" if self.reads is None else taps_text(self.reads)
        before, after = self.padding or (0, 0)
        outside = f"; {before} before and {after} after lie in padding" if before or after else ""
        return f"{self.axis}: cell {self.cell} reads {reads} of {self.size}{outside}"


def find_window(
    net: Graph | Part | Any,
    at: str,
    cell: Sequence[int],
    input_size: InputShapes | None = None,
) -> tuple[AxisWindow, ...]:
    """Return what position `cell` of the output of node `at` reads of the first input, axis by axis.

    On each axis it is exact for zero padding and all other modes. Sizes must be ints. Raises `BadShape`
    for a cell that is none, and as `infer_shapes`.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv
    >>> net = Sequential(Conv(8, 3, stride=2, padding=1), Conv(8, 3, padding=1))
    >>> (window,) = find_window(net, "1", [0], (1, 3, 9))
    >>> window.pattern, window.reads, window.padding
    ((-3, 3), TapSet(0..3), (3, 0))
    """
    graph, given = open_net(net, input_size)
    shapes = infer_shapes(graph, given)
    source = graph.inputs[0]
    sizes = shapes[source][2:]
    if positions(graph, source, shapes[source]) != tuple(range(2, len(shapes[source]))):
        raise BadShape(f"{source} {written(shapes[source])} has its positions elsewhere than after batch and channels")
    _check_cell(at, cell, shapes[at], len(sizes))
    field = find_fields(graph, given)[at]
    needed: dict[str, list[int | None]] = {at: [1 << place for place in cell]}
    for node in reversed(graph.nodes):
        if node.name in needed:
            _walk(node, needed, shapes, len(sizes))
    reads = needed.get(source, [0] * len(sizes))
    return tuple(
        AxisWindow(
            axis=name,
            cell=place,
            size=size,
            pattern=_pattern(footprint, place),
            reads=None if bits is None else TapSet.from_bits(bits),
        )
        for name, place, size, footprint, bits in zip(
            axis_names(len(sizes)), cell, sizes, field.spatial, reads, strict=True
        )
    )


def count_ways(
    net: Graph | Part | Any, at: str, cell: Sequence[int], input_size: InputShapes | None = None
) -> tuple[dict[int, int] | None, ...]:
    """Return in how many ways position `cell` of node `at` reads each position of the first input, axis by axis.

    These are the gradients of the network whose weights are all 1, each axis for itself; a position that padding
    repeats counts once a layer. None on an axis where what is read is not known. Raises as `find_window`.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv
    >>> count_ways(Sequential(Conv(8, 3, padding=1), Conv(8, 3, padding=1)), "1", [1], (1, 3, 9))
    ({0: 2, 1: 3, 2: 2, 3: 1},)
    """
    graph, given = open_net(net, input_size)
    shapes = infer_shapes(graph, given)
    source, axes = graph.inputs[0], len(shapes[graph.inputs[0]]) - 2
    _check_cell(at, cell, shapes[at], axes)
    ways: dict[str, list[dict[int, int] | None]] = {at: [{place: 1} for place in cell]}
    for node in reversed(graph.nodes):
        if node.name in ways:
            for name, axis, size, own in _sides(node, shapes, axes):
                found = ways.setdefault(name, [{} for _ in range(axes)])
                before, after = found[axis], ways[node.name][axis]
                for place, times in () if before is None or after is None else list(after.items()):
                    bits = _read(node.layer, own, size, shapes[node.name][2:][axis:], 1 << place)
                    if bits is None or before is None:
                        found[axis] = None
                        break
                    for read in TapSet.from_bits(bits):
                        before[read] = before.get(read, 0) + times
                if after is None:
                    found[axis] = None
    found = ways.get(source, [{} for _ in range(axes)])
    return tuple(None if one is None else dict(sorted(one.items())) for one in found)


def _check_cell(at: str, cell: Sequence[int], shape: Shape, axes: int) -> None:
    sizes = shape[2:]
    if len(sizes) != axes or not sizes:
        raise BadShape(f"{at} gives ({', '.join(map(str, shape))}), which has no position on the axes of the input")
    if len(cell) != axes or not all(0 <= place < size for place, size in zip(cell, sizes, strict=True)):
        last = "x".join(str(size - 1) for size in sizes)
        first = "x".join("0" * len(sizes))
        raise BadShape(
            f"{at} has no position {'x'.join(map(str, cell))}: its positions are {first} to {last}",
            rule="0 <= cell < output size",
        )


def _pattern(footprint: Footprint | None, place: int) -> tuple[int, int] | None:
    taps = None if footprint is None else footprint.at(place)
    return (taps.first, taps.last) if taps else None


def _walk(node: Node, needed: dict[str, list[int | None]], shapes: Mapping[str, Shape], axes: int) -> None:
    """Add what a node reads of each of its inputs, given what is needed of its output."""
    for name, axis, size, own in _sides(node, shapes, axes):
        found, bits = needed.setdefault(name, [0] * axes), needed[node.name][axis]
        more = None if bits is None else _read(node.layer, own, size, shapes[node.name][2:][axis:], bits)
        old = found[axis]
        found[axis] = None if old is None or more is None else old | more


def _sides(node: Node, shapes: Mapping[str, Shape], axes: int) -> Iterator[tuple[str, int, int, Footprint | None]]:
    """Each input of a node and axis: its name, the axis, the size there, and what the node reads of it alone."""
    for place, name in enumerate(node.inputs):
        own = own_field(node, place, shapes, axes).spatial
        for axis in range(axes):
            yield name, axis, shapes[name][2:][axis] if len(shapes[name]) == axes + 2 else 1, own[axis]


def _read(layer: Layer, footprint: Footprint | None, size: int, out: Shape, bits: int) -> int | None:
    """The input positions that the output positions `bits` read, as bits."""
    positions = TapSet.from_bits(bits)
    everything = (1 << size) - 1
    if size == 1 and footprint in (None, identity()):  # the one position that serves all others, where it is broadcast
        return everything if bits else 0
    if footprint is None:
        if not (layer.shares_out and out):
            return None
        rows = Reads.adaptive_pool(size, out[0]).rows
        return _union(rows[j] for j in positions)
    if footprint.is_global:
        return everything if bits else 0
    read = TapSet.gather((footprint.at(j).support, 0, 1) for j in positions)
    if not read:
        return 0
    mode = {"constant": "zeros", "around": "circular"}.get(layer.outside, layer.outside)
    before, after = max(0, -read.first), max(0, read.last - size + 1)
    if mode == "zeros" or not (before or after):
        return (read.bits << read.first if read.first >= 0 else read.bits >> -read.first) & everything
    rows = Reads.padded(size, before, after, mode).rows
    return _union(rows[j + before] for j in read)


def _union(rows: Iterable[int]) -> int:
    return reduce(or_, rows, 0)
