"""Products with a third tensor, of many matrices, of all pairs: `addmm`, `multi_dot`, `kron`, `bilinear`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.arithmetic.formulas import conv_out
from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, must_equal, product, written
from convcalc.layers.matmul import Matmul
from convcalc.layers.merge import Combine
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size, smaller


class _Product(Layer):
    """What mixes the positions of several tensors."""

    takes: ClassVar[tuple[int, int | None]] = (2, 2)


class AddMatmul(_Product):
    """A tensor plus the product of two (torch's `addmm`, `baddbmm`, `addmv`): input + a b.

    >>> AddMatmul().out_shape((768,), (197, 64), (64, 768)), AddMatmul().macs((768,), (197, 64), (64, 768))
    ((197, 768), 9682944)
    """

    takes: ClassVar[tuple[int, int | None]] = (3, 3)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of the product, to which the first must expand."""
        added, a, b = shapes
        return Combine("addmatmul").out_shape(Matmul().out_shape(a, b, check=check), added, check=check)

    def macs(self, *shapes: Shape) -> Size:
        """Those of the product."""
        return Matmul().macs(*shapes[1:])


class MultiDot(_Product):
    """The product of many matrices, in the order that is cheapest (torch's `linalg.multi_dot`, `chain_matmul`).

    >>> MultiDot().out_shape((3, 40), (40, 5), (5, 60)), MultiDot().macs((3, 40), (40, 5), (5, 60))
    ((3, 60), 1500)
    """

    takes: ClassVar[tuple[int, int | None]] = (1, None)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """Rows of the first, columns of the last; one axis less where that is a vector."""
        shape = shapes[0]
        for other in shapes[1:]:
            shape = Matmul().out_shape(shape, other, check=check)
        return shape

    def macs(self, *shapes: Shape) -> Size:
        """The least over all orders: m(i, j) = min over k of m(i, k) + m(k + 1, j) + rows_i * columns_k * columns_j."""
        shapes = (*((1, *shape) if len(shape) == 1 and place == 0 else shape for place, shape in enumerate(shapes)),)
        ends = [shapes[0][0], *(shape[1] if len(shape) == 2 else 1 for shape in shapes)]
        least: dict[tuple[int, int], Size] = {(place, place): 0 for place in range(len(shapes))}
        for span in range(1, len(shapes)):
            for first in range(len(shapes) - span):
                last = first + span
                costs = [
                    least[first, cut] + least[cut + 1, last] + ends[first] * ends[cut + 1] * ends[last + 1]
                    for cut in range(first, last)
                ]
                total = costs[0]
                for cost in costs[1:]:
                    total = smaller(total, cost)
                least[first, last] = total
        return least[0, len(shapes) - 1]


class Kron(_Product):
    """Every value of one tensor times the whole other (torch's `kron`).

    >>> Kron().out_shape((2, 3), (4, 5))
    (8, 15)
    """

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The sizes multiplied, axis by axis from the last."""
        rank = max(map(len, shapes))
        a, b = ((1,) * (rank - len(shape)) + shape for shape in shapes)
        return tuple(x * y for x, y in zip(a, b, strict=True))


class Distances(_Product):
    """The distance of each row of (..., P, M) to each of (..., R, M) (torch's `cdist`).

    >>> Distances().out_shape((1, 100, 64), (1, 512, 64))
    (1, 100, 512)
    """

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(..., P, R)."""
        a, b = shapes
        if min(len(a), len(b)) < 2:
            raise BadShape(f"distances takes (..., P, M) and (..., R, M): got {written(a)} and {written(b)}")
        return Matmul().out_shape(a, (*b[:-2], b[-1], b[-2]), check=check)


@dataclass(frozen=True, eq=False, repr=False)
class Bilinear(_Product):
    """x₁ᵀ A x₂ + b for each of `out_features` matrices A (torch's `Bilinear`) on (..., in1) and (..., in2).

    >>> Bilinear(6, in1_features=4, in2_features=5).out_shape((3, 4), (3, 5))
    (3, 6)
    >>> Bilinear(6, in1_features=4, in2_features=5).macs((3, 4), (3, 5))
    360
    """

    out_features: int
    _: KW_ONLY
    in1_features: int
    in2_features: int
    bias: bool = True

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(..., out_features)."""
        for shape, wanted in zip(shapes, (self.in1_features, self.in2_features), strict=True):
            must_equal(shape[-1], wanted, check, self._refusal(shape, wanted))
        if len(shapes[0]) != len(shapes[1]):
            raise BadShape(f"bilinear takes as many axes twice: got {written(shapes[0])} and {written(shapes[1])}")
        return (*shapes[0][:-1], self.out_features)

    def _refusal(self, shape: Shape, wanted: int) -> Callable[[Reader], BadShape]:
        return lambda at: BadShape(f"bilinear takes {wanted} features, and {written(shape, at)} has others")

    def params(self, *shapes: Shape) -> Size:
        """out * in1 * in2, plus out with a bias."""
        return self.out_features * (self.in1_features * self.in2_features + self.bias)

    def macs(self, *shapes: Shape) -> Size:
        """Rows * out * in1 * in2: a linear map of all products of two features; those alone are not counted."""
        return product(shapes[0][:-1]) * self.out_features * self.in1_features * self.in2_features


@dataclass(frozen=True, eq=False, repr=False)
class ConvTBC(Layer):
    """A convolution of (T, N, C_in) to (T', N, C_out) (torch's `conv_tbc`), with `padding` on both sides.

    >>> ConvTBC(5, 3, in_channels=4, padding=1).out_shape((9, 2, 4))
    (9, 2, 5)
    """

    out_channels: int
    kernel_size: int
    _: KW_ONLY
    in_channels: int
    padding: int = 0

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """T' = `convcalc.arithmetic.formulas.conv_out` of T."""
        if len(shape) != 3:
            raise BadShape(f"convtbc takes (T, N, C): got {written(shape)}")
        must_equal(
            shape[2],
            self.in_channels,
            check,
            lambda at: BadShape(f"in_channels={self.in_channels} but the last axis is {at(shape[2])}"),
        )
        return (conv_out(shape[0], self.kernel_size, 1, self.padding, 1, check=check), shape[1], self.out_channels)

    def params(self, shape: Shape, /) -> Size:
        """kernel_size * C_in * C_out, plus C_out."""
        return (self.kernel_size * self.in_channels + 1) * self.out_channels

    def macs(self, shape: Shape, /) -> Size:
        """Output elements * C_in * kernel_size."""
        return product(self.out_shape(shape)) * self.in_channels * self.kernel_size
