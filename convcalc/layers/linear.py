"""Flatten and linear: from maps to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.stencils import everything
from convcalc.layers.base import Layer, Shape, must_end_with, product
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class Linear(Layer):
    """A linear map of the last axis (torch's `Linear`): y = xAᵀ + b.

    `in_features` is the size of the last axis unless given; given, other input sizes are refused.

    >>> Linear(120).out_shape((1, 400)), Linear(120).params((1, 400)), Linear(120).macs((1, 400))
    ((1, 120), 48120, 48000)
    """

    torch_order: ClassVar[tuple[str, ...]] = ("in_features", "out_features", "bias")
    out_features: int
    _: KW_ONLY
    in_features: int | None = None
    bias: bool = True

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(..., out_features); the last axis must equal in_features where that is given."""
        if not shape:
            raise BadShape("linear takes a shape of 1 axis or more: got ()")
        at_least(1, check, out_features=self.out_features)
        must_end_with("in_features", self.in_features, shape, check)
        return (*shape[:-1], self.out_features)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along the last axis."""
        return fields[0].over(shapes[0], {len(output) - 1: everything()}, output)

    def adds_bias(self, output: Shape) -> bool:
        """With a bias, unless features are positions."""
        return self.bias and len(output) == 2

    def params(self, shape: Shape, /) -> Size:
        """in_features * out_features, plus out_features with a bias."""
        wanted = shape[-1] if self.in_features is None else self.in_features
        return wanted * self.out_features + (self.out_features if self.bias else 0)

    def macs(self, shape: Shape, /) -> Size:
        """Output elements * in_features."""
        wanted = shape[-1] if self.in_features is None else self.in_features
        return product(shape[:-1]) * wanted * self.out_features
