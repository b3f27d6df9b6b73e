"""The parts of results in one line each, as a tuple of them is read."""

from __future__ import annotations

from convcalc.analysis.cell import AxisWindow
from convcalc.analysis.chain import Step
from convcalc.analysis.chain_text import field_texts
from convcalc.analysis.comparison import Count
from convcalc.analysis.comparison_text import count_row
from convcalc.analysis.report.report import LayerReport
from convcalc.analysis.report.text import op_text, shape_text
from convcalc.analysis.tiles import AxisTiles
from convcalc.arithmetic.transposed.checkerboard import Overlap
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.reads import Reads
from convcalc.footprints.taps import Taps
from convcalc.network.node import Node
from convcalc.network.ops import op_words, shorthand
from convcalc.render.words import count
from convcalc.sizes.text import PRETTY

SHOWN = 8
"""So many phases, and outputs of a map, are written; the rest are counted."""


def layer_line(row: LayerReport) -> str:
    """Return a row of a report.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> layer_line(inspect_graph(lenet())["conv1"])
    'conv1: conv 6 k5 p2 -> 6x28x28, 156 parameters, 117,600 MACs, receptive field 5, stride 1'
    """
    field, stride, *_ = field_texts(row.field.axes)
    read = f", receptive field {field}" if field not in ("", "-") else ""
    read += f", stride {stride}" if read and stride != "-" else ""
    costs = f"{count(row.params, PRETTY)} parameters, {count(row.macs, PRETTY)} MACs"
    return f"{row.name}: {op_text(row)} -> {shape_text(row.output, PRETTY)}, {costs}{read}"


def step_line(step: Step) -> str:
    """Return a step of a stack.

    >>> from convcalc.analysis.chain import run_chain
    >>> from convcalc.layers import Conv
    >>> step_line(run_chain([Conv(8, 3)], (1, 3, 28)).steps[0])
    'conv1: conv 8 k3 -> 8x26, receptive field 3, stride 1'
    """
    field, stride, *_ = field_texts(step.footprints)
    out = shape_text(step.output, PRETTY)
    return f"{step.name}: {shorthand(step.layer)} -> {out}, receptive field {field}, stride {stride}"


def node_line(node: Node) -> str:
    """Return a node of a graph: what it is, and what it takes.

    >>> from convcalc.layers import Conv
    >>> node_line(Node("conv1", Conv(8, 3, stride=2)))
    'conv1: conv 8 k3 s2 of input'
    """
    words = op_words(node.layer.op, node.layer.arguments())
    return f"{node.name}: {words} of {', '.join(node.inputs)}"


def field_line(field: Field) -> str:
    """Return a field: what is read on each axis, once where the axes agree.

    >>> from convcalc.footprints.stencils import conv
    >>> field_line(Field((conv(3), conv(5, stride=2))))
    'receptive field 3x5, stride 1x2, offset 1x2'
    """
    if field.terms:
        return "; or ".join(map(field_line, field.terms))
    if all(axis is None for axis in field.axes):
        return "receptive field not known"
    reach, *settings, covered = field_texts(field.axes)
    named = [f", {name} {text}" for name, text in zip(("stride", "offset"), settings, strict=True) if text != "-"]
    holes = "" if covered == reach else f", covered {covered}"
    rest = "" if field.exact else "; not every place between is read"
    return f"receptive field {reach}{''.join(named)}{holes}{rest}"


def footprint_line(footprint: Footprint) -> str:
    """Return what the outputs read, phase by phase; output a of each is `a` steps further.

    >>> from convcalc.footprints.stencils import conv, conv_transpose, everything
    >>> footprint_line(conv(3, stride=2, padding=1)), footprint_line(conv_transpose(4, stride=2, padding=1))
    ('reads -1..1 + 2a', 'reads -1..0, 0..1 by phase, + a')
    >>> footprint_line(everything())
    'reads everything'
    """
    if footprint.is_unbounded:
        return "reads everything"
    sides = [side for side, all_ in (("before", footprint.all_before), ("after", footprint.all_after)) if all_]
    besides = f"; and all {' and '.join(sides)}" if sides else ""
    phases = list(map(_taps, footprint.phases[:SHOWN]))
    if not any(footprint.phases):
        return f"reads {'nothing' if not sides else f'all {sides[0]}'}"
    more = f", ... ({len(footprint.phases)})" if len(footprint.phases) > SHOWN else ""
    by = f"{more} by phase," if len(footprint.phases) > 1 else ""
    step = "a" if footprint.step == 1 else f"{footprint.step}a"
    return f"reads {', '.join(phases)}{by} + {step}{besides}"


def _taps(taps: Taps) -> str:
    """The positions of one set, of several runs in braces."""
    inside = repr(taps).partition("(")[2][:-1]
    return f"{{{inside}}}" if "," in inside else inside or "nothing"


def reads_text(reads: Reads) -> str:
    """Return what each output reads, line by line.

    >>> print(reads_text(Reads.conv(4, 3)))
    2 outputs of 4 inputs
    0  0..2
    1  1..3
    """
    rows = [f"{place}  {_taps(reads.at(place))}" for place in range(len(reads.rows))]
    return "\n".join([f"{len(reads.rows)} outputs of {reads.size} inputs", *rows])


def overlap_line(meet: Overlap) -> str:
    """Return how many taps meet at each phase.

    >>> from convcalc.arithmetic.transposed.checkerboard import overlap
    >>> overlap_line(overlap(4, stride=2))
    'taps by phase 2 2: even, as 2 divides 4'
    """
    counts = " ".join(str(meet.count(phase)) for phase in range(min(meet.stride, SHOWN)))
    more = " ..." if meet.stride > SHOWN else ""
    remedy = f"; {meet.remedy}" if meet.remedy else ""
    return f"taps by phase {counts}{more}: {'even' if meet.even else 'uneven'}, as {meet.reason}{remedy}"


def axis_tiles_line(axis: AxisTiles) -> str:
    """Return the tiles of one axis.

    >>> from convcalc.analysis.tiles import find_tiles
    >>> from convcalc.layers import Conv
    >>> axis_tiles_line(find_tiles(Conv(1, 3, padding=1), (1, 1, "n"), tile=8, image=12).axes[0])
    'n: 2 tiles of 8, every 6 rows; 8 out, of which 1 before and 1 after are thrown away'
    """
    number = f"{axis.count} tiles" if axis.count else "tiles"
    trim = f"of which {axis.trim[0]} before and {axis.trim[1]} after are thrown away"
    return f"{axis.axis}: {number} of {axis.tile}, every {axis.step} rows; {axis.out} out, {trim}"


def axis_window_line(window: AxisWindow) -> str:
    """Return what one position reads on one axis.

    >>> from convcalc.footprints.taps import TapSet
    >>> axis_window_line(AxisWindow(axis="H", cell=0, size=9, pattern=(-3, 3), reads=TapSet.of(range(4))))
    'H: cell 0 reads 0..3 of 9; 3 before and 0 after lie in padding'
    """
    reads = "an unknown part" if window.reads is None else _taps(window.reads)
    padding = window.padding
    outside = (
        "" if padding is None or not any(padding) else f"; {padding[0]} before and {padding[1]} after lie in padding"
    )
    return f"{window.axis}: cell {window.cell} reads {reads} of {window.size}{outside}"


def count_line(pair: Count) -> str:
    """Return one quantity of two networks.

    >>> count_line(Count("params", 18, 25))
    'params: 18, 25; +7, 1.39x'
    """
    name, a, b, difference, ratio = count_row(pair, PRETTY)
    return f"{name}: {a}, {b}; {difference}, {ratio}"
