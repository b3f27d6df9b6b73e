"""Parts of a tensor: slices, single entries, entries by an index; and tensors written in part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.conditions import Check, enforce
from convcalc.errors import BadShape
from convcalc.expr import Expr
from convcalc.field import Field
from convcalc.footprint import Footprint
from convcalc.layers.base import Layer, Shape, axis_of, written
from convcalc.quasiaffine import least_of, most_of
from convcalc.sizes import Size, is_array, is_symbolic, larger, smaller
from convcalc.stencils import taps


class Slice(NamedTuple):
    """`start:stop:step` of one axis, as in Python; the step is at least 1.

    >>> Slice(1, None, 2)
    Slice(start=1, stop=None, step=2)
    """

    start: Size | None = None
    stop: Size | None = None
    step: int = 1

    def ends(self, size: Size) -> tuple[Size, Size]:
        """Return start and stop, counted from 0 and within the size; a size that is a symbol is not below the start.

        >>> Slice(-3, None).ends(8), Slice(2, 100).ends(8)
        ((5, 8), (2, 8))
        """
        start = 0 if self.start is None else _counted(self.start, size)
        if is_symbolic(size) and isinstance(self.start, int) and self.start > 0:
            start = self.start
        return start, size if self.stop is None else _counted(self.stop, size)


def _counted(place: Size, size: Size) -> Size:
    """A place from 0 to `size`, counted from the end where it is negative."""
    if is_array(place):
        return smaller(larger(place + (place < 0) * size, 0 * size), size)
    if isinstance(place, int) and place < 0:
        return most_of(size + place, 0)
    return place if isinstance(place, int) and place == 0 else least_of(place, size)


@dataclass(frozen=True)
class Index(Layer):
    """`x[items]`: for each axis a `Slice` or an int; None is a new axis, axes that are not named stay whole.

    >>> Index((Slice(), 0)).out_shape((1, 197, 768)), Index((Slice(), Slice(), Slice(1, -1))).out_shape((1, 3, 8, 8))
    ((1, 768), (1, 3, 6, 8))
    """

    op: ClassVar[str] = "index"
    items: tuple[Any, ...]

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The lengths of the slices, and the sizes of the axes that are not named."""
        named = [item for item in self.items if item is not None]
        if len(named) > len(shape):
            raise BadShape(f"{len(named)} axes are indexed, and {written(shape)} has {len(shape)}")
        sizes: list[Size] = []
        rest = iter(shape)
        for item in self.items:
            if item is None:
                sizes.append(1)
            elif isinstance(item, Slice):
                size = next(rest)
                start, stop = item.ends(size)
                if is_symbolic(size) and isinstance(start, int) and start > 0:
                    self._check_start(start, size, check)
                length = stop - start
                if item.step != 1:
                    length = (length + item.step - 1) // item.step
                sizes.append(_at_least_none(length))
            else:
                self._check_place(item, next(rest), shape, check)
        return (*sizes, *rest)

    def _check_start(self, start: int, size: Size, check: Check) -> None:
        check(size - start, lambda at: BadShape(f"a slice from {start} on of {at(size)} rows has none"))

    def _check_place(self, place: Size, size: Size, shape: Shape, check: Check) -> None:
        missing = size + place if isinstance(place, int) and place < 0 else size - place - 1
        check(
            missing, lambda at: BadShape(f"index {at(place)} is not on an axis of size {at(size)} of {written(shape)}")
        )

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Shifted where an axis with positions is cut; unknown where from is not a number."""
        (field,), (shape,) = fields, shapes
        reads: dict[int, Footprint | None] = {}
        outs = iter(output)
        sizes: list[Size] = []
        for item in self.items:
            if item is None:
                next(outs)
                continue
            reads[len(sizes)] = _cut(item, shape[len(sizes)])
            sizes.append(next(outs) if isinstance(item, Slice) else 1)
        kept = (*sizes, *outs)
        return field.over(shape, reads, kept).viewed(kept, output)


def _cut(item: Any, size: Size) -> Footprint | None:
    """What a slice or an entry reads along its axis; None where that depends on what symbols stand for."""
    start, step = (item.ends(size)[0], item.step) if isinstance(item, Slice) else (_counted(item, size), 1)
    if isinstance(start, Expr) and start.is_constant:
        start = start.constant
    return taps([start], step) if isinstance(start, int) else None


def _at_least_none(length: Size) -> Size:
    """A length, 0 where start is past stop; a formula is taken to be positive."""
    return length if is_symbolic(length) else larger(length, 0 * length)


@dataclass(frozen=True)
class Take(Layer):
    """Entries of axis `dim` by an index tensor, whose axes take that axis' place (torch's `x[:, index]`).

    >>> Take(dim=1).out_shape((1, 64, 7), (8, 2))
    (1, 8, 2, 7)
    """

    op: ClassVar[str] = "take"
    takes: ClassVar[tuple[int, int | None]] = (2, 2)
    _: KW_ONLY
    dim: int = 0

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape with the index's in the place of the axis."""
        shape, index = shapes
        dim = axis_of("take", "dim", self.dim, shape)
        return (*shape[:dim], *index, *shape[dim + 1 :])

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown along the axis, as the index may point anywhere; unknown at all if the index depends on the input."""
        field, index = fields
        if index.reads_anything:
            return Field.unknown(len(field.axes))
        shape, places = shapes
        dim = axis_of("take", "dim", self.dim, shape)
        one = (*shape[:dim], 1, *shape[dim + 1 :])
        wide = (*shape[:dim], *[1] * len(places), *shape[dim + 1 :])
        return field.over(shape, {dim: None}, one).viewed(one, wide).over(wide, {}, output)


@dataclass(frozen=True)
class Written(Layer):
    """A tensor after a part of it was written in place; where, and of what, is not followed.

    >>> Written("setitem").out_shape((1, 8, 8), (1, 4, 8))
    (1, 8, 8)
    """

    takes: ClassVar[tuple[int, int | None]] = (1, None)
    function: str

    @property
    def op(self) -> str:  # type: ignore[override]
        """The name of the function."""
        return self.function

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of the first."""
        return shapes[0]

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown."""
        return Field.unknown(len(fields[0].axes))
