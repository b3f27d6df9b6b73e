"""Parts of a tensor: slices, single entries, entries by an index; and tensors written in part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import taps
from convcalc.layers.base import Layer, Shape, axis_of, named, replaced, written
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.signs import least_of, most_of
from convcalc.sizes.size import Size, is_array, is_symbolic, larger, smaller


class Back(NamedTuple):
    """A place counted from the end of an axis: `rows` before it, as Python reads a negative number.

    It is written so where a formula is negative: what is below 0 at some sizes and not at others means two things.

    >>> n = Expr.symbol("n")
    >>> str(Slice(None, Back(n // 4)).rows(n)), Slice(Back(0), None).rows(8)
    ('(3*n + 3)//4', 8)
    """

    rows: Size

    def __str__(self) -> str:
        return f"-{self.rows}" if isinstance(self.rows, int) else f"-({self.rows})"


class Slice(NamedTuple):
    """`start:stop:step` of one axis, as in Python; the step is at least 1.

    Where sizes are symbols it is taken to end no earlier than it starts, or, `empty`, to start no earlier than it ends:
    see `choices`.

    >>> Slice(1, None, 2)
    Slice(start=1, stop=None, step=2, empty=False)
    """

    start: Size | Back | None = None
    stop: Size | Back | None = None
    step: int = 1
    empty: bool = False

    def ends(self, size: Size) -> tuple[Size, Size]:
        """Return start and stop, counted from 0 and within the size; of a symbol, for a slice that has rows.

        >>> Slice(-3, None).ends(8), Slice(2, 100).ends(8), Slice(2, -1).ends(Expr.symbol("n"))
        ((5, 8), (2, 8), (2, n - 1))
        """
        start = 0 if self.start is None else _counted(self.start, size)
        stop = size if self.stop is None else _counted(self.stop, size)
        if is_symbolic(size):  # where there are rows, it starts within the axis and ends after 0
            start = self.start if isinstance(self.start, int) and self.start > 0 else start
            stop = size - back if (back := _back(self.stop)) is not None else stop
        return start, stop

    def rows(self, size: Size) -> Size:
        """Return how many rows it has of an axis of this size.

        >>> Slice(-3, None).rows(2), Slice(1, None, 2).rows(8), str(Slice(-8, None).rows(Expr.symbol("n")))
        (2, 4, 'min(n, 8)')
        """
        start, stop = self.ends(size)
        back = _back(self.start)
        if not is_symbolic(start) and not is_symbolic(stop):
            length = larger(stop - start, 0 * (stop - start))
        elif self.empty:
            return 0
        else:  # stop - max(size - back, 0) is one minimum
            length = stop - start if back is None else least_of(stop - size + back, stop)
        rows = length if self.step == 1 else (length + self.step - 1) // self.step
        return rows.constant if isinstance(rows, Expr) and rows.is_constant else rows

    def choices(self, size: Size) -> tuple[Branch, ...]:
        """Return what must hold for it to mean what it does where sizes are symbols.

        >>> n = Expr.symbol("n")
        >>> [str(one) for one in Slice(5, None).choices(n)], [str(one) for one in Slice(Back(n - 3), None).choices(n)]
        (['n >= 5'], ['n - 3 >= 1', 'n >= 3'])
        """
        start, stop = self.ends(size)
        signs = [one for end in (self.start, self.stop) for one in sign_of(end)]
        order = Branch(stop, "<=" if self.empty else ">=", start)
        return (*signs, order) if is_symbolic(start) or is_symbolic(stop) else tuple(signs)


def sign_of(place: Any) -> tuple[Branch, ...]:
    """Return what must hold for a place to be counted from where it is."""
    if isinstance(place, Back):
        return (Branch(place.rows, ">=", 1),) if is_symbolic(place.rows) else ()
    return (Branch(place, ">=", 0),) if is_symbolic(place) else ()


def _back(place: Size | Back | None) -> Size | None:
    """How many rows before the end a place is; None where it is counted from 0."""
    if isinstance(place, Back):
        return place.rows if is_symbolic(place.rows) or place.rows > 0 else None
    return -place if isinstance(place, int) and place < 0 else None


def _counted(place: Size | Back, size: Size) -> Size:
    """A place from 0 to `size`, counted from the end where it is negative."""
    back = _back(place)
    if back is not None:
        return most_of(size - back, 0)
    place = -place.rows if isinstance(place, Back) else place
    if is_array(place):
        return smaller(larger(place + (place < 0) * size, 0 * size), size)
    return place if isinstance(place, int) and place == 0 else least_of(place, size)


@dataclass(frozen=True, eq=False, repr=False)
class Index(Layer):
    """`x[items]`: for each axis a `Slice` or an int; None is a new axis, axes that are not named stay whole.

    >>> Index((Slice(), 0)).out_shape((1, 197, 768)), Index((Slice(), Slice(), Slice(1, -1))).out_shape((1, 3, 8, 8))
    ((1, 768), (1, 3, 6, 8))
    """

    is_followed: ClassVar[bool] = True
    memory: ClassVar[str] = "viewed"
    items: tuple[Any, ...]

    @property
    def compares_sizes(self) -> bool:
        """Where an end of a slice is a formula."""
        return self.depends_on_sizes

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Those of the axes that are left, times the steps; 0 along a new axis."""
        steps, rest = list[Size](), list(before)
        for item in self.items:
            step = 0 if item is None else rest.pop(0)
            if item is None or isinstance(item, Slice):
                steps.append(step if item is None else step * item.step)
        return (*steps, *rest)

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
                sizes.append(item.rows(next(rest)))
            else:
                self._check_place(item, next(rest), shape, check)
        return (*sizes, *rest)

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """Which way round the ends of each slice stand, and from where they are counted."""
        sizes = iter(shapes[0])
        chosen: list[Branch] = []
        for item in self.items:
            if isinstance(item, Slice):
                chosen += item.choices(next(sizes))
            elif item is not None:
                next(sizes)
                chosen += sign_of(item)
        return tuple(chosen)

    def regroups(self, shapes: Sequence[Shape], output: Shape) -> bool:
        """Whether it is more than a cut."""
        return any(not isinstance(item, Slice) or item.step != 1 for item in self.items)

    def cut_axes(self) -> tuple[int, ...]:
        """Those of slices that start at a formula."""
        slices = enumerate(() if None in self.items else self.items)
        return tuple(
            axis for axis, one in slices if isinstance(one, Slice) and one.step == 1 and isinstance(one.start, Expr)
        )

    def cut(self, shape: Shape, axis: int) -> tuple[Size, Size, Size]:
        """What is before the slice, and after it."""
        start, stop = self.items[axis].ends(shape[axis])
        return shape[axis], start, shape[axis] - stop

    def _check_place(self, place: Size | Back, size: Size, shape: Shape, check: Check) -> None:
        back = _back(place)
        place = -place.rows if isinstance(place, Back) else place
        check(
            size - back if back is not None else size - place - 1,
            lambda at: BadShape(f"index {at(place)} is not on an axis of size {at(size)} of {written(shape)}"),
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


Ends: TypeAlias = tuple[Size, Size]
"""The least value of an index, and the largest."""


def check_reach(reach: Ends | None, size: Size, check: Check, *, wraps: bool) -> None:
    """Hand to `check` that an index is on an axis of this size: below 0 it counts from the end, where it `wraps`.

    >>> check_reach((0, 16), 16, enforce, wraps=False)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: index 16 is not on an axis of size 16
    """
    if reach is None:
        return
    for end, room in ((reach[1], size - 1 - reach[1]), (reach[0], reach[0] + size if wraps else reach[0])):
        check(
            room,
            lambda at, end=end: BadShape(  # type: ignore[misc]
                f"index {at(end)} is not on an axis of size {at(size)}", rule="an index is below the size of its axis"
            ),
        )


@dataclass(frozen=True, eq=False, repr=False)
class Take(Layer):
    """Entries of axis `dim` by an index tensor, whose axes take that axis' place (torch's `x[:, index]`).

    >>> Take(dim=1).out_shape((1, 64, 7), (8, 2))
    (1, 8, 2, 7)
    """

    looks_up: ClassVar[tuple[int, int | None] | None] = (1, 0)
    takes: ClassVar[tuple[int, int | None]] = (2, 2)
    _: KW_ONLY
    dim: int = 0
    reach: Ends | None = None
    """From where to where the index goes, where that is known."""
    wraps: bool = True
    """Whether what is below 0 counts from the end."""

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape with the index's in the place of the axis."""
        shape, index = shapes
        dim = axis_of("take", "dim", self.dim, shape)
        check_reach(self.reach, shape[dim], check, wraps=self.wraps)
        return replaced(shape, dim, *index)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown along the axis, as the index may point anywhere; unknown at all if the index depends on the input."""
        field, index = fields
        if index.reads_anything:
            return Field.unknown(len(field.axes))
        shape, places = shapes
        dim = axis_of("take", "dim", self.dim, shape)
        one = replaced(shape, dim, 1)
        wide = replaced(shape, dim, *[1] * len(places))
        return field.over(shape, {dim: None}, one).viewed(one, wide).over(wide, {}, output)


@dataclass(frozen=True, eq=False, repr=False)
class Written(Layer):
    """A tensor after a part of it was written in place; where, and of what, is not followed.

    >>> Written("setitem").out_shape((1, 8, 8), (1, 4, 8))
    (1, 8, 8)
    """

    op: ClassVar[str] = named("function")
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    function: str

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of the first."""
        return shapes[0]


@dataclass(frozen=True, eq=False, repr=False)
class Narrow(Index):
    """As `Index` of one slice, the last item, all of which must be within the axis (torch's `narrow`).

    >>> Narrow((Slice(), Slice(2, 7))).out_shape((1, 8))
    (1, 5)
    >>> Narrow((Slice(), Slice(2, 7))).out_shape((1, 6))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: narrow of rows 2 to 7 does not fit axis 1 of (1, 6)
    """

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape with the length of the stretch on its axis."""
        axis = len(self.items) - 1
        start, stop = _ends(self.items[-1], shape[axis])
        for room in (start, stop - start, shape[axis] - stop):
            check(
                room,
                lambda at: BadShape(
                    f"narrow of rows {at(start)} to {at(stop)} does not fit axis {axis} of {written(shape, at)}",
                    rule="what is narrowed to is within the axis",
                ),
            )
        return replaced(shape, axis, stop - start)

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """From which end it is counted."""
        return sign_of(self.items[-1].start)


def _ends(piece: Slice, size: Size) -> tuple[Size, Size]:
    start, stop = (size - end.rows if isinstance(end, Back) else end for end in (piece.start, piece.stop))
    return start, size if stop is None else stop
