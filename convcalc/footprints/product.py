"""Footprints on several axes: the product of one for each.

The product is exact for a chain of layers. Where branches unite it may be larger than what is read: a 1x7 kernel
beside a 7x1 reads a cross of 13 positions, and the product of the axes is the whole 7x7 square. Its hull is exact
all the same; coverage and counts are then upper bounds, and `exact` says which it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from convcalc.errors import BadShape, ConvcalcError
from convcalc.footprints.footprint import Footprint


@dataclass(frozen=True)
class Product:
    """What an output reads on several axes: `axes` has a footprint for each.

    `exact` is false where united branches may read less than the product of the axes (its hull stays exact).

    >>> from convcalc.footprints.stencils import conv
    >>> row = Product((conv(1), conv(7, padding=3)))
    >>> column = Product((conv(7, padding=3), conv(1)))
    >>> row.then(column).receptive_field, row.then(column).covered, row.then(column).exact
    ((7, 7), 49, True)
    >>> (row | column).receptive_field, (row | column).covered, (row | column).exact
    ((7, 7), 49, False)
    """

    axes: tuple[Footprint, ...]
    exact: bool = True

    def then(self, other: Product) -> Product:
        """Compose axis by axis; exact where both are.

        >>> from convcalc.footprints.stencils import conv
        >>> k3 = Product((conv(3), conv(3)))
        >>> k3.then(k3).receptive_field
        (5, 5)
        """
        self._same_rank(other)
        axes = tuple(a.then(b) for a, b in zip(self.axes, other.axes, strict=True))
        return Product(axes, self.exact and other.exact)

    def __or__(self, other: Product) -> Product:
        """Unite axis by axis.

        A union of products is a product where they differ on one axis at most, or one holds the other, as the
        body of a residual block holds its identity branch where it reads the centre; otherwise it is no longer
        exact. A branch that reads nothing on one axis reads nothing at all.

        >>> from convcalc.footprints.stencils import conv, identity
        >>> block = Product((identity(), identity())) | Product((conv(3, padding=1), conv(3, padding=1)))
        >>> block.exact
        True
        """
        self._same_rank(other)
        if not (self.reads_anything and other.reads_anything):
            return self if self.reads_anything else other
        axes = tuple(a | b for a, b in zip(self.axes, other.axes, strict=True))
        return Product(axes, self.exact and other.exact and is_product(self.axes, other.axes, axes))

    def _same_rank(self, other: Product) -> None:
        if len(self.axes) != len(other.axes):
            raise BadShape(f"footprints of {len(self.axes)} and {len(other.axes)} axes do not combine")

    @property
    def reads_anything(self) -> bool:
        """Whether outputs read anything: something on every axis."""
        return all(axis.reads_anything for axis in self.axes)

    @property
    def is_global(self) -> bool:
        """Whether outputs read without bound on some axis; the other readings are then of the local part."""
        return any(axis.is_global for axis in self.axes)

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """The receptive field of each axis; always exact."""
        return tuple(axis.receptive_field for axis in self.axes)

    @property
    def stride(self) -> tuple[Fraction, ...]:
        """The stride of each axis."""
        return tuple(axis.stride for axis in self.axes)

    @property
    def offset(self) -> tuple[Fraction | None, ...]:
        """The offset of each axis."""
        return tuple(axis.offset for axis in self.axes)

    @property
    def covered(self) -> int:
        """How many positions of the receptive field are read; an upper bound where it is not `exact`.

        >>> from convcalc.footprints.stencils import conv
        >>> Product((conv(3, dilation=2), conv(3, dilation=2))).covered
        9
        """
        return math.prod(axis.covered for axis in self.axes)

    @property
    def missed(self) -> int:
        """How many positions of the receptive field are not read; a lower bound where it is not `exact`.

        >>> from convcalc.footprints.stencils import conv
        >>> Product((conv(3, dilation=2), conv(3, dilation=2))).missed
        16
        """
        return math.prod(self.receptive_field) - self.covered


def is_product(
    ours: Sequence[Footprint | None], theirs: Sequence[Footprint | None], both: Sequence[Footprint | None]
) -> bool:
    """Whether the union of two products is one: they differ on one axis at most, or one holds the other."""
    own, other, united = _local(ours), _local(theirs), _local(both)
    return sum(a != b for a, b in zip(own, other, strict=True)) <= 1 or united in (own, other)


def _local(axes: Iterable[Footprint | None]) -> list[Footprint | None]:
    return [None if axis is None else axis.local for axis in axes]


def reads_all(footprint: Footprint | None) -> bool:
    """Whether it reads everything, before and after."""
    return footprint is not None and footprint.all_before and footprint.all_after


def each_pair(
    left: Sequence[Footprint | None],
    right: Sequence[Footprint | None],
    combine: Callable[[Footprint, Footprint], Footprint],
) -> tuple[Footprint | None, ...]:
    """Combine axis by axis; axes that are the same objects, as height and width mostly are, only once."""
    known: dict[tuple[int, int], Footprint | None] = {}
    for a, b in zip(left, right, strict=True):
        if (id(a), id(b)) not in known:
            known[id(a), id(b)] = _combined(a, b, combine)
    return tuple(known[id(a), id(b)] for a, b in zip(left, right, strict=True))


def _combined(
    a: Footprint | None, b: Footprint | None, combine: Callable[[Footprint, Footprint], Footprint]
) -> Footprint | None:
    if a is None or b is None:
        return None
    try:
        return combine(a, b)
    except ConvcalcError:  # strides that do not line up, or a pattern without a short period
        return None
