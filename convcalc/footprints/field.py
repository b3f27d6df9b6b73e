"""What one node of a network reads of the network's input, on every spatial axis of that input.

One footprint for each axis, None where it is no periodic map (an adaptive pool, branches of unequal strides): an
unknown field stays unknown, it is never guessed. Where the positions lie in the node's tensor is its layout: mostly
on the axes after batch and channels, but views and permutes take them elsewhere (see `convcalc.footprints.layout`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from convcalc.footprints import axis as layout
from convcalc.footprints.axis import ALL, SELF, Axis, Reads, repeats
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.layout import Place, Shape, place_along
from convcalc.footprints.product import Product, each_pair, is_product, reads_all
from convcalc.footprints.stencils import everything, identity, nothing, sized
from convcalc.footprints.text import field_line
from convcalc.shown import Shown

MOST_TERMS = 4
"""A field has no more terms than this; those that are more are unknown together."""


@dataclass(frozen=True, repr=False)
class Field(Shown):
    """One footprint for each axis of the input, and whether their product is `exact` (see `footprints.product`).

    `layout` has the digits of each axis in the node's tensor (see `footprints.layout`); None means that the tensor is
    (N, C, ...) with the axes in order. Where one axis of the input lies on two of a tensor, as queries and keys do in
    the scores of attention, or in a vector's features, the field is the union of `terms`, and that axis is None.

    >>> from convcalc.footprints.stencils import conv
    >>> block = Field.start(2) | Field.start(2).then((conv(3, padding=1), conv(5, padding=2)))
    >>> [axis.receptive_field for axis in block.axes], block.exact
    ([3, 5], True)
    """

    axes: tuple[Footprint | None, ...]
    exact: bool = True
    layout: tuple[Place | None, ...] | None = field(default=None, repr=False)
    terms: tuple[Field, ...] = field(default=(), repr=False)

    @classmethod
    def start(cls, axes: int) -> Field:
        """Return the field of the input itself.

        >>> Field.start(1).axes[0].receptive_field
        1
        """
        return cls((identity(),) * axes)

    @classmethod
    def on(cls, shape: Shape, axes: Sequence[int]) -> Field:
        """Return the field of an input of this shape whose positions lie along `axes`, as of samples without channels.

        >>> samples = Field.on((1, 16), [1])
        >>> samples.viewed((1, 16), (1, 1, 16)) == Field.start(1)
        True
        """
        return cls((identity(),) * len(axes), layout=tuple(place_along(shape, axis) for axis in axes))

    @classmethod
    def nothing(cls, axes: int) -> Field:
        """Return the field of what does not depend on the input.

        >>> Field.nothing(1).axes[0].reads_anything
        False
        """
        return cls((nothing(),) * axes)

    @classmethod
    def everything(cls, axes: int) -> Field:
        """Return the field of what reads all of the input.

        >>> Field.everything(2).is_global
        True
        """
        return cls((everything(),) * axes)

    @classmethod
    def unknown(cls, axes: int) -> Field:
        """Return the field of which nothing is known.

        >>> Field.unknown(2)
        receptive field not known
        """
        return cls((None,) * axes, exact=False, layout=(None,) * axes)

    # -- on the axes of the input ----------------------------------------------------------------------------------

    def then(self, footprints: Sequence[Footprint | None]) -> Field:
        """Return what a layer with these footprints, one for each axis of the input, reads through this field.

        >>> from convcalc.footprints.stencils import conv
        >>> Field.start(1).then([conv(3)]).then([conv(3)]).axes[0].receptive_field
        5
        """
        if len(footprints) != len(self.axes):
            return Field.unknown(len(self.axes))
        if self.terms:
            return _of_terms([term.then(footprints) for term in self.terms])
        axes = each_pair(self.axes, footprints, Footprint.then)
        if None in self.axes:
            axes = tuple(self._through_unknown(place, footprints, axis) for place, axis in enumerate(axes))
        return replace(self, axes=axes, exact=self.exact and None not in axes)

    def _through_unknown(self, place: int, footprints: Sequence[Footprint | None], axis: Footprint | None) -> Any:
        """What reads everything does so through an unknown map too, if all of that is still there."""
        there = self.layout is None or bool(self.layout[place])
        return ALL if self.axes[place] is None and there and reads_all(footprints[place]) else axis

    def __or__(self, other: Field) -> Field:
        """Return what either reads: branches added or concatenated; None where their strides differ."""
        if not (self.is_plain and other.is_plain):
            return unite((self, other))
        axes = each_pair(self.axes, other.axes, Footprint.__or__)
        if None in axes:
            axes = tuple(
                ALL if axis is None and (reads_all(a) or reads_all(b)) else axis
                for axis, a, b in zip(axes, self.axes, other.axes, strict=True)
            )
        exact = self.exact and other.exact and is_product(self.axes, other.axes, axes)
        return Field(axes, exact and None not in axes)

    # -- on the axes of a tensor -----------------------------------------------------------------------------------

    def over(self, shape: Shape, reads: Reads, out: Shape) -> Field:
        """Return what a layer reads that reads so along the axes of a tensor of this shape, and gives one of `out`.

        `reads` has a footprint for an axis of the tensor, batch and channels among them: everything where it is
        summed over, a crop where it is sliced, None where it is not followed; axes that are not named stay.

        >>> from convcalc.footprints.stencils import conv, everything
        >>> Field.start(1).over((1, 8, 64), {1: everything(), 2: conv(3)}, (1, 16, 62)).axes == (conv(3),)
        True
        """
        if not self.axes:
            return self
        if self.terms:
            return unite([term.over(shape, reads, out) for term in self.terms], out)
        if self.layout is None and len(shape) == len(self.axes) + 2 and not repeats(shape, out, reads):
            own = [sized(reads.get(place, SELF), shape[place]) for place in range(2, len(shape))]
            return self if all(along == SELF for along in own) and shape == out else self.then(own)
        before = self._placed(shape)
        behind = [layout.over(axis, reads, shape, out) for axis in before]
        same = shape == out and all(a is b for a, b in zip(before, behind, strict=True))
        return self if same else self._settled(behind, out)

    def moved(self, shape: Shape, places: Sequence[int | None], out: Shape) -> Field:
        """Return the field where axis i of the tensor has become axis places[i]; None for one left out, of size 1.

        >>> turned = Field.start(2).moved((1, 8, 5, 6), (0, 3, 1, 2), (1, 5, 6, 8))
        >>> turned.layout == Field.start(2).layout, turned.moved((1, 5, 6, 8), (0, 2, 3, 1), (1, 8, 5, 6)).layout
        (False, None)
        """
        if self.terms:
            return unite([term.moved(shape, places, out) for term in self.terms], out)
        return self._settled([layout.moved(axis, places, shape, out) for axis in self._placed(shape)], out)

    def viewed(self, shape: Shape, out: Shape) -> Field:
        """Return the field of the same values in order, under the shape `out`.

        >>> from convcalc.footprints.stencils import everything
        >>> tokens = Field.start(2).viewed((1, 8, 5, 6), (1, 8, 30))
        >>> tokens.over((1, 8, 30), {2: everything()}, (1, 8, 1)).axes == (everything(), everything())
        True
        """
        if shape == out or not self.axes:
            return self
        if self.terms:
            return unite([term.viewed(shape, out) for term in self.terms], out)
        return self._settled(self._placed(shape), out)

    def served(self, shape: Shape, out: Shape) -> Field:
        """Return the field where sizes of 1 serve all places of `out`, which may have more axes in front.

        >>> Field.start(1).served((1, 8, 5), (4, 1, 8, 5)).axes == Field.start(1).axes
        True
        """
        if shape == out or not self.reads_anything:
            return self
        aligned = (1,) * (len(out) - len(shape)) + tuple(shape)
        return self.viewed(shape, aligned).over(aligned, {}, out)

    def _placed(self, shape: Shape) -> list[Axis]:
        """Each axis with its place in a tensor of this shape."""
        if 0 in shape:
            places: tuple[Place | None, ...] = (None,) * len(self.axes)
        else:
            places = layout.places_of(shape, len(self.axes)) if self.layout is None else self.layout
        return [layout.placed(axis, place) for axis, place in zip(self.axes, places, strict=True)]

    def _settled(self, axes: Sequence[Axis], shape: Shape) -> Field:
        """The field of these axes, on the axes of (N, C, ...) if they can be put there."""
        exact = self.exact and all(axis.exact and axis.footprint is not None for axis in axes)
        found = layout.channels_first_if_possible(axes, shape)
        if found is not None:
            return Field(found, exact)
        settled = Field(tuple(axis.footprint for axis in axes), exact, tuple(axis.place for axis in axes))
        return settled if len(shape) > 2 else _of_features(settled)

    @property
    def is_plain(self) -> bool:
        """Whether its tensor is (N, C, ...) with the axes of the input in order, as far as it has positions.

        >>> Field.start(1).is_plain, Field.unknown(1).is_plain
        (True, False)
        """
        return self.layout is None and not self.terms

    @property
    def spatial(self) -> tuple[Footprint | None, ...]:
        """The footprints on the axes after batch and channels; None for all where those are not the input's.

        >>> Field.start(1).spatial == Field.start(1).axes, Field.unknown(2).spatial
        (True, (None, None))
        """
        return self.axes if self.is_plain else (None,) * len(self.axes)

    # -- readings --------------------------------------------------------------------------------------------------

    @property
    def reads_anything(self) -> bool:
        """Whether it may depend on the input at all: what reads nothing on one axis reads no position.

        >>> Field.nothing(2).reads_anything, Field.unknown(2).reads_anything
        (False, True)
        """
        return bool(self.axes) and all(axis is None or axis.reads_anything for axis in self.axes)

    @property
    def is_global(self) -> bool:
        """Whether outputs read without bound on some axis."""
        return any(axis is not None and axis.is_global for one in (self, *self.terms) for axis in one.axes)

    @property
    def product(self) -> Product | None:
        """The product of the axes, with its coverage; None where an axis is unknown.

        >>> Field.start(2).product.covered
        1
        """
        known = tuple(axis for axis in self.axes if axis is not None)
        return Product(known, self.exact) if len(known) == len(self.axes) else None

    def __str__(self) -> str:
        return field_line(self)


def unite(fields: Iterable[Field], shape: Shape | None = None) -> Field:
    """Return what any of the fields reads, all of tensors of the same shape; it is needed where one is not plain.

    >>> unite([Field.start(1), Field.nothing(1)]) == Field.start(1)
    True
    """
    some = list(fields)
    some = [one for one in some if one.reads_anything] or some[:1]
    if len(some) == 1:
        return some[0]
    if all(one.is_plain for one in some):
        return reduce(Field.__or__, some)
    if shape is None:
        return Field.unknown(len(some[0].axes))
    terms = [_explicit(term, shape) for one in some for term in one.terms or (one,)]
    for wanted in (True, False):  # first those whose union is a product
        terms = _together(terms, wanted)
    while len(terms) > MOST_TERMS:
        terms = [_spread(terms[0], terms[1]), *terms[2:]]
    if len(terms) == 1:
        return terms[0]._settled(terms[0]._placed(shape), shape)
    return _of_terms(terms)


def _explicit(one: Field, shape: Shape) -> Field:
    """The same field with its layout written out."""
    axes = one._placed(shape)
    known = tuple(axis.footprint for axis in axes)
    return Field(known, one.exact and None not in known, tuple(axis.place for axis in axes))


def _axes(one: Field) -> list[Axis]:
    return [Axis(axis, place) for axis, place in zip(one.axes, one.layout or (), strict=True)]


def _together(terms: Sequence[Field], exactly: bool) -> list[Field]:
    """Unite those that can be; only those whose union is a product if that is to be exact."""
    found: list[Field] = []
    for term in terms:
        for place, other in enumerate(found):
            both = _pair(other, term)
            if both is not None and (both.exact or not exactly):
                found[place] = both
                break
        else:
            found.append(term)
    return found if len(found) in (1, len(terms)) else _together(found, exactly)


def _pair(a: Field, b: Field) -> Field | None:
    pairs = []
    for one, other in zip(_axes(a), _axes(b), strict=True):
        both = layout.aligned(one, other)
        if both is None:
            return None
        pairs.append(both)
    axes = [layout.united(*both) for both in pairs]
    ours, theirs = ([both[which].footprint for both in pairs] for which in (0, 1))
    united = tuple(axis.footprint for axis in axes)
    exact = a.exact and b.exact and None not in united and is_product(ours, theirs, united)
    return Field(united, exact, tuple(() if axis.is_everywhere else axis.place for axis in axes))


def _spread(a: Field, b: Field) -> Field:
    pairs = [(layout.aligned(x, y), x, y) for x, y in zip(_axes(a), _axes(b), strict=True)]
    axes = [layout.united(*both) if both else layout.spread(x, y) for both, x, y in pairs]
    return Field(tuple(axis.footprint for axis in axes), False, tuple(axis.place for axis in axes))


def _of_features(one: Field) -> Field:
    """The same field of a vector (N, features): positions among features are those of no axis, but are not lost."""
    axes = tuple(None if axis.place else axis.footprint for axis in _axes(one))
    return Field(axes, one.exact and None not in axes, (None,) * len(axes), (one,)) if None in axes else one


def _of_terms(terms: Sequence[Field]) -> Field:
    """A field that is the union of these; an axis is None where they place it differently."""
    first, *rest = terms
    axes = []
    for place, axis in enumerate(_axes(first)):
        for term in rest:
            both = layout.aligned(axis, _axes(term)[place])
            axis = layout.united(*both) if both else layout.UNKNOWN
        axes.append(axis.footprint)
    exact = None not in axes and all(term.exact for term in terms)
    return Field(tuple(axes), exact, (None,) * len(axes), tuple(terms))
