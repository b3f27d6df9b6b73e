"""What a cut through the input touches: how far into the output, and where a layer forbids to cut at all.

Of each output only the rows that a cut side cannot have touched are kept: they are found by walking the nodes forward,
a row being untouched where all it reads is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from convcalc.analysis.fields import own_field
from convcalc.errors import NoSolution
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import QuasiAffine, quasi_affine

UNIFORM = ("zeros", "ones", "full", "empty", "zeros_like", "ones_like", "new_zeros", "new_ones", "new_full")
"""What makes one value for all places, or what is written over."""


def depending(graph: Graph) -> set[str]:
    """What depends on the input and leads to the last output; raises `NoSolution` where what is added differs by place.

    Of what does not depend on the input, one value for all places is the same in every tile; so are zeros.
    """
    needed = {graph.outputs[-1]}
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
    live = set(graph.inputs)
    for node in graph:
        if node.layer.reads_values and live.intersection(node.inputs):
            live.update(node.outputs)
        elif needed.intersection(node.outputs) and node.layer.depends_on_sizes and node.layer.op not in UNIFORM:
            raise _forbidden(node.name, f"the values of {node.layer.op} depend on the place, not on the image")
    return live & needed


def check_moving(
    graph: Graph, shapes: Mapping[str, Shape], later: Mapping[str, Shape], shape: Shape, moving: set[str]
) -> None:
    """Raise `NoSolution` where what a layer reads shifts as the image grows, as a cut at a quarter of it does."""
    if graph.capture is None:
        return
    (source,) = graph.inputs
    axes = len(shape) - 2
    for one, two in zip(graph.at({source: shapes[source]}), graph.at({source: shape}), strict=True):
        if one.layer != two.layer and moving.intersection(one.outputs):
            for place, name in enumerate(one.inputs):
                if name in moving and _own(one, place, shapes, axes) != _own(two, place, later, axes):
                    raise _forbidden(one.name, "it does not move as its input does")


def growths(shapes: Mapping[str, Shape], names: Sequence[str]) -> dict[str, list[QuasiAffine]]:
    """How each size of each map grows with the input's on its axis; raises `NoSolution` where it does not."""
    found = {}
    for node, shape in shapes.items():
        pairs = zip(shape[2:], names, strict=False)
        own = [size for size, name in pairs if isinstance(size, Expr) and size.symbols == {name}]
        known = [form for form in map(quasi_affine, own) if form is not None and form.slope > 0]
        if len(known) < len(names) or len(shape) != len(names) + 2:
            raise _forbidden(node, "its size does not grow with the image's, axis by axis")
        found[node] = known
    return found


def _forbidden(node: str, why: str) -> NoSolution:
    return NoSolution(f"{node} forbids exact tiles: {why}", rule="every layer is local, and moves as its input does")


def touched_rows(
    graph: Graph, shapes: Mapping[str, Shape], forms: Mapping[str, list[QuasiAffine]]
) -> list[tuple[int, int]]:
    """How many rows of the output a cut before and after the input touches, on each axis."""
    axes = len(next(iter(forms.values())))
    touched = {graph.inputs[0]: [(0, 0)] * axes}
    for node in graph:
        if not forms.keys() & set(node.outputs):
            continue
        sides = [(0, 0)] * axes
        for place, name in enumerate(node.inputs):
            if name not in forms:
                continue
            for axis, footprint in enumerate(_own(node, place, shapes, axes)):
                sizes = shapes[name][2:][axis], shapes[node.name][2:][axis]
                if footprint.stride * forms[node.name][axis].slope != forms[name][axis].slope:
                    raise _forbidden(node.name, "it does not move as its input does")
                more = _touched(footprint, touched[name][axis], *sizes)
                sides[axis] = max(sides[axis][0], more[0]), max(sides[axis][1], more[1])
        touched |= dict.fromkeys(node.outputs, sides)
    return touched[graph.outputs[-1]]


def _own(node: Node, place: int, shapes: Mapping[str, Shape], axes: int) -> list[Footprint]:
    """What the node itself reads of one of its inputs."""
    if not node.layer.is_known:
        raise _forbidden(node.name, f"what {node.layer.op} reads is not known")
    if node.layer.outside == "circular":
        raise _forbidden(node.name, "circular padding reads the other end of the image")
    if node.layer.outside == "around":
        raise _forbidden(node.name, f"{node.layer.op} moves rows around the ends of the image")
    own = own_field(node, place, shapes, axes).spatial
    if any(footprint is None or footprint.is_global for footprint in own):
        raise _forbidden(node.name, f"{node.layer.op} sees the whole image")
    return [footprint for footprint in own if footprint is not None]


def _touched(footprint: Footprint, sides: tuple[int, int], size: int, out: int) -> tuple[int, int]:
    """How many rows of the output read what lies outside the input, or is touched there; before and after.

    >>> from convcalc.footprints.stencils import conv
    >>> _touched(conv(3, padding=1), (2, 2), 100, 100), _touched(conv(4, stride=2), (1, 1), 10, 4)
    ((3, 3), (1, 1))
    """
    q, m = len(footprint.phases), footprint.step
    first, last = sides[0], size - sides[1] - 1
    before, after = 0, out
    for phase, taps in enumerate(footprint.phases):
        if taps:
            early = math.ceil((first - taps.first) / Fraction(m)) - 1  # the last turn that reads before `first`
            late = math.floor((last - taps.last) / Fraction(m)) + 1  # the first that reads after `last`
            before = max(before, early * q + phase + 1)
            after = min(after, late * q + phase)
    return before, out - after
