"""What one node of a network reads of the network's input, on every spatial axis of that input.

One footprint for each axis, None where it is no periodic map (an adaptive pool, branches of unequal strides): an
unknown field stays unknown, it is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from convcalc.errors import ConvcalcError
from convcalc.footprint import Footprint
from convcalc.product import Product
from convcalc.stencils import everything, identity
from convcalc.tapsets import EMPTY


@dataclass(frozen=True)
class Field:
    """One footprint for each axis of the input, and whether their product is `exact` (see `convcalc.product`).

    >>> from convcalc.stencils import conv
    >>> block = Field.start(2) | Field.start(2).then((conv(3, padding=1), conv(5, padding=2)))
    >>> [axis.receptive_field for axis in block.axes], block.exact
    ([3, 5], True)
    """

    axes: tuple[Footprint | None, ...]
    exact: bool = True

    @classmethod
    def start(cls, axes: int) -> Field:
        """Return the field of the input itself.

        >>> Field.start(1).axes[0].receptive_field
        1
        """
        return cls((identity(),) * axes)

    @classmethod
    def nothing(cls, axes: int) -> Field:
        """Return the field of what does not depend on the input.

        >>> Field.nothing(1).axes[0].reads_anything
        False
        """
        return cls((Footprint((EMPTY,), 1),) * axes)

    @classmethod
    def unknown(cls, axes: int) -> Field:
        """Return the field of which nothing is known.

        >>> Field.unknown(2)
        Field(axes=(None, None), exact=False)
        """
        return cls((None,) * axes, exact=False)

    def then(self, footprints: Sequence[Footprint | None]) -> Field:
        """Return what a layer with these footprints, one an axis, reads through this field.

        >>> from convcalc.stencils import conv
        >>> Field.start(1).then([conv(3)]).then([conv(3)]).axes[0].receptive_field
        5
        """
        if len(footprints) != len(self.axes):
            return Field.unknown(len(self.axes))
        return self._with(_each_pair(self.axes, footprints, Footprint.then), self.exact)

    def then_all(self, axes: Iterable[int]) -> Field:
        """Return what a layer reads that sees everything on these axes and keeps its local part.

        >>> Field.start(2).then_all([1]).axes[1].is_global
        True
        """
        beside, wide = identity(), identity() | everything()
        chosen = set(axes)
        return self.then([wide if axis in chosen else beside for axis in range(len(self.axes))])

    def __or__(self, other: Field) -> Field:
        """Return what either reads: branches added or concatenated; None where their strides differ."""
        united = self._with(_each_pair(self.axes, other.axes, Footprint.__or__), self.exact and other.exact)
        ours, theirs, both = self._local, other._local, united._local
        differ = sum(a != b for a, b in zip(ours, theirs, strict=True))
        return Field(united.axes, united.exact and (differ <= 1 or both in (ours, theirs)))

    @property
    def is_global(self) -> bool:
        """Whether outputs read without bound on some axis."""
        return any(axis is not None and axis.is_global for axis in self.axes)

    @property
    def product(self) -> Product | None:
        """The product of the axes, with its coverage; None where an axis is unknown.

        >>> Field.start(2).product.covered
        1
        """
        known = tuple(axis for axis in self.axes if axis is not None)
        return Product(known, self.exact) if len(known) == len(self.axes) else None

    @property
    def _local(self) -> list[Footprint | None]:
        return [None if axis is None else axis.local for axis in self.axes]

    @staticmethod
    def _with(axes: tuple[Footprint | None, ...], exact: bool) -> Field:
        return Field(axes, exact and None not in axes)


def unite(fields: Iterable[Field]) -> Field:
    """Return what any of the fields reads.

    >>> unite([Field.start(1), Field.nothing(1)]) == Field.start(1)
    True
    """
    return reduce(Field.__or__, fields)


def _each_pair(
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
