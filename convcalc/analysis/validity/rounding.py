"""Where torch's floats begin to round: how far what is proved of a network with scale factors reaches.

torch takes floor(float64(n) * float64(scale)). With scale = a/2**b the product is exact as long as a*n <= 2**53, and
then it is (a*n)//2**b, the formula that proofs are about. Beyond, nothing is proved of torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from convcalc.arithmetic.resizing import MOST_DIVISOR
from convcalc.layers import Layer
from convcalc.layers.base import Shape
from convcalc.sizes.axes import per_axis
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine

EXACT = 2**53
"""float64 holds every integer up to it."""


class Rounding:
    """The least bound that the layers of a network put on sizes; None where no layer rounds.

    >>> from convcalc.layers.resize import Upsample
    >>> found = Rounding()
    >>> found.note(Upsample(scale_factor=2), [(1, 3, Expr.symbol("n") // 4)])
    >>> found.up_to == 4 * 2**52
    True
    """

    def __init__(self) -> None:
        self.up_to: int | None = None

    def note(self, layer: Layer, inputs: Sequence[Shape]) -> None:
        """Take note of a layer on inputs of these shapes, in which names stand for the sizes of the network's input."""
        if layer.scaled is None:
            return
        sizes = inputs[0][2:]
        for size, factor in zip(sizes, per_axis("scale_factor", layer.scaled, len(sizes)), strict=True):
            a, b = float(factor).as_integer_ratio()
            form = quasi_affine(size) if isinstance(size, Expr) and b <= MOST_DIVISOR else None
            if form is not None and form.slope > 0:  # size <= slope*n + high
                most = math.floor((Fraction(EXACT, a) - form.high) / form.slope)
                self.up_to = most if self.up_to is None else min(self.up_to, most)
