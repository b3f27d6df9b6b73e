"""The same values again: expand, repeat, broadcasting, grids of positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of, must_equal_or_be_one, named, product, replaced, written
from convcalc.layers.merge import Combine
from convcalc.layers.reshape import _Like
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Expand(Layer):
    """Axes of size 1 repeated to `sizes` without a copy (torch's `expand`); -1 keeps a size.

    >>> Expand((8, -1, -1)).out_shape((1, 1, 192))
    (8, 1, 192)
    """

    memory: ClassVar[str] = "viewed"
    sizes: Shape

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """0 along what is repeated."""
        more = len(output) - len(shape)
        pairs = zip((1,) * more + tuple(shape), (0,) * more + before, strict=True)
        return tuple(0 if size == 1 else step for size, step in pairs)

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes; an axis whose size is not 1 keeps its own."""
        more = len(self.sizes) - len(shape)
        if more < 0:
            raise BadShape(f"expand{written(self.sizes)} has fewer axes than {written(shape)}")
        aligned = (1,) * more + tuple(shape)
        return tuple(self._size(have, want, shape, check) for have, want in zip(aligned, self.sizes, strict=True))

    def _size(self, have: Size, want: Size, shape: Shape, check: Check) -> Size:
        if isinstance(want, int) and want == -1:
            return have
        if not (isinstance(have, int) and have == 1):
            must_equal_or_be_one(
                have,
                want,
                check,
                lambda at: BadShape(
                    f"expand{written(self.sizes, at)} does not fit {written(shape, at)}",
                    rule="a size that is expanded is 1",
                ),
            )
        return want

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, whose single positions serve all places."""
        return fields[0].served(shapes[0], output)


@dataclass(frozen=True, eq=False, repr=False)
class Repeat(Layer):
    """Copies beside each other (torch's `repeat`, `tile`): `counts` of them along each axis.

    >>> Repeat((1, 2, 1)).out_shape((8, 3, 5)), Repeat((4, 1, 1)).out_shape((3, 5))
    ((8, 6, 5), (4, 3, 5))
    """

    counts: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes times the counts."""
        more = len(self.counts) - len(shape)
        if more < 0:
            raise BadShape(f"repeat takes a count for each axis: {written(self.counts)} for {written(shape)}")
        aligned = (1,) * more + tuple(shape)
        return tuple(size * count for size, count in zip(aligned, self.counts, strict=True))

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input; which copy a place is, is not followed."""
        aligned = (1,) * (len(output) - len(shapes[0])) + tuple(shapes[0])
        copied = {axis: None for axis, size in enumerate(aligned) if size not in (1, output[axis])}
        return fields[0].viewed(shapes[0], aligned).over(aligned, copied, output)


@dataclass(frozen=True, eq=False, repr=False)
class Interleave(Layer):
    """Every entry of axis `dim` `repeats` times (torch's `repeat_interleave`); of all values where that is None.

    >>> Interleave(2, dim=1).out_shape((1, 8, 5)), Interleave(3).out_shape((2, 4))
    ((1, 16, 5), (24,))
    """

    repeats: Size
    _: KW_ONLY
    dim: int | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The size of that axis times the repeats."""
        if self.dim is None:
            return (product(shape) * self.repeats,)
        place = axis_of("interleave", "dim", self.dim, shape)
        return replaced(shape, place, shape[place] * self.repeats)


class ExpandAs(_Like):
    """Axes of size 1 repeated to the shape of another tensor (torch's `expand_as`).

    >>> ExpandAs().out_shape((1, 64, 1, 1), (1, 64, 28, 28))
    (1, 64, 28, 28)
    """

    def given(self, sizes: Shape) -> Expand:
        """`Expand`."""
        return Expand(tuple(sizes))


@dataclass(frozen=True, eq=False, repr=False)
class Broadcast(Layer):
    """`count` tensors, each expanded to the shape they have in common (torch's `broadcast_tensors`).

    >>> Broadcast(2).out_shapes((1, 8, 1), (5,))
    ((1, 8, 5), (1, 8, 5))
    """

    outputs: ClassVar[int] = named("count")
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    count: int

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape."""
        return Combine("broadcast").out_shape(*shapes, check=check)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: which of them an output was is not said here."""
        return fields[0] if len(fields) == 1 else Field.unknown(len(fields[0].axes))


@dataclass(frozen=True, eq=False, repr=False)
class Meshgrid(Layer):
    """`count` vectors as coordinates of a grid (torch's `meshgrid`): each comes out as large as the whole grid.

    `indexing` "ij" has the axes in order, "xy" has the first two exchanged.

    >>> Meshgrid(2).out_shapes((5,), (7,)), Meshgrid(2, indexing="xy").out_shapes((5,), (7,))
    (((5, 7), (5, 7)), ((7, 5), (7, 5)))
    """

    outputs: ClassVar[int] = named("count")
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    count: int
    _: KW_ONLY
    indexing: str = "ij"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.indexing not in ("ij", "xy"):
            raise BadArgument(f"indexing is 'ij' or 'xy': {self.indexing!r}")

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The length of each vector; 1 for a single value."""
        if any(len(shape) > 1 for shape in shapes):
            raise BadShape(f"meshgrid takes vectors: got {' and '.join(map(written, shapes))}")
        sizes = tuple(shape[0] if shape else 1 for shape in shapes)
        return (*sizes[1::-1], *sizes[2:]) if self.indexing == "xy" and len(sizes) > 1 else sizes

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown, unless nothing of the input is read: vectors become axes."""
        return fields[0] if not fields[0].axes else Field.unknown(len(fields[0].axes))
