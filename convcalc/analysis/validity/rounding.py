"""Where torch's floats begin to round: how far what is proved of a network with scale factors reaches.

torch takes floor(float64(n) * float64(scale)). With scale = a/2**b the product is exact as long as a*n <= 2**53, and
then it is (a*n)//2**b, the formula that proofs are about. Beyond, nothing is proved of torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction

from convcalc.arithmetic.resizing import MOST_DIVISOR
from convcalc.errors import ConvcalcError
from convcalc.layers import Layer
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.shapes import node_formulas, node_shapes
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine

EXACT = 2**53
"""float64 holds every integer up to it."""


def exact_up_to(graph: Graph, shapes: Mapping[str, Shape]) -> int | None:
    """Return the least bound that layers put on the sizes of input shapes in letters; None where no layer rounds.

    >>> from convcalc.layers import MaxPool, Upsample
    >>> from convcalc.network.blocks import Sequential, as_graph
    >>> net = as_graph(Sequential(MaxPool(4), Upsample(scale_factor=2)))
    >>> exact_up_to(net, {"input": (1, 3, Expr.symbol("n"))}) == 4 * 2**52
    True
    """
    bounds, known = list[int](), dict(shapes)
    out_shapes = node_shapes if graph.capture is None else node_formulas
    if any(node.layer.scaled is not None for node in graph):
        with suppress(ConvcalcError):  # where a call has no formula, nothing is proved anyway
            for node in graph.with_formulas:
                bounds += _bounds(node.layer, [known[name] for name in node.inputs])
                known |= out_shapes(node, known, Conditions())
    return min(bounds, default=None)


def _bounds(layer: Layer, inputs: list[Shape]) -> Iterator[int]:
    if layer.scaled is None:
        return
    sizes = inputs[0][2:]
    for size, factor in zip(sizes, per_axis("scale_factor", layer.scaled, len(sizes)), strict=True):
        a, b = float(factor).as_integer_ratio()
        form = quasi_affine(size) if isinstance(size, Expr) and b <= MOST_DIVISOR else None
        if form is not None and form.slope > 0:  # size <= slope*n + high
            yield math.floor((Fraction(EXACT, a) - form.high) / form.slope)
