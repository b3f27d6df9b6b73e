"""Footprints on several axes: the product of one for each.

The product is exact for a chain of layers. Where branches unite it may be larger than what is read: a 1x7 kernel
beside a 7x1 reads a cross of 13 positions, and the product of the axes is the whole 7x7 square. Its hull is exact
all the same; coverage and counts are then upper bounds, and `exact` says which it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from convcalc.errors import BadShape
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
        local, ours, theirs = ([axis.local for axis in some] for some in (axes, self.axes, other.axes))
        differ = sum(a != b for a, b in zip(ours, theirs, strict=True))
        return Product(axes, self.exact and other.exact and (differ <= 1 or local in (ours, theirs)))

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
