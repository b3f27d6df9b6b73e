"""One axis in several pieces, each an output: as many as were captured, or any number that are treated alike.

A loop over `x.split(16)` runs ⌈n/16⌉ times, the last time on what is left: the first and the last are as all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of, must_equal, named, replaced, written
from convcalc.layers.indexing import Back, Slice
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class _Pieces(Layer):
    """What cuts axis `dim` into several outputs."""

    memory: ClassVar[str] = "viewed"
    dim = 0

    def place(self, shape: Shape) -> int:
        """Return the axis that is cut."""
        return axis_of(self.op, "dim", self.dim, shape)

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """Return the size of each piece."""
        raise NotImplementedError

    def holds(self, size: Size) -> Iterable[Branch]:
        """Return what must hold of the size of the axis for it to be cut so."""
        return ()

    def without(self, shape: Shape, dim: int, size: Size) -> Shape:
        """Return the shape of a piece of this size."""
        return replaced(shape, dim, size)

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Those of the input."""
        return before

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the first piece."""
        return self.out_shapes(shape, check=check)[0]

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape with the size of each piece on the axis that is cut."""
        (shape,) = shapes
        dim = self.place(shape)
        return tuple(self.without(shape, dim, size) for size in self.pieces(shape, dim, check))

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As many pieces."""
        return tuple(self.holds(shapes[0][self.place(shapes[0])]))

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input; unknown on axes that carry positions along the one that is cut."""
        shape, place = shapes[0], self.place(shapes[0])
        kept = output if len(output) == len(shape) else (*output[:place], 1, *output[place:])
        return fields[0].over(shape, {place: None}, kept).viewed(kept, output)


class _Equal(_Pieces):
    """What cuts pieces of one size, and has what is left as the last."""

    def each(self, size: Size) -> Size:
        """Return the size of a piece."""
        raise NotImplementedError

    def rooms(self, size: Size) -> tuple[Size, ...]:
        """Return what must be >= 0 for as many pieces: from 1 to a whole one are left for the last."""
        each, before = self.each(size), self.outputs - 1
        last = size - each * before
        return (last - 1, each - last) if before else (each - last,)

    def holds(self, size: Size) -> Iterable[Branch]:
        """As many pieces."""
        return (Branch(room, ">=", 0) for room in self.rooms(size))

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """Pieces of one size, and what is left."""
        size, before = shape[dim], self.outputs - 1
        each = self.each(size)
        for room in self.rooms(size):
            check(
                room,
                lambda at: BadShape(
                    f"{self.op} gives {before + 1} pieces here, and {at(size)} entries in pieces of {at(each)} are "
                    "not as many",
                    rule="the number of pieces is that of the capture",
                ),
            )
        return (*[each] * before, size - each * before)


class _Entries(_Pieces):
    """What cuts an axis into its entries, each without that axis."""

    def without(self, shape: Shape, dim: int, size: Size) -> Shape:
        """Return the shape of an entry."""
        return replaced(shape, dim)

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Those of the other axes."""
        place = self.place(shape)
        return replaced(before, place)


@dataclass(frozen=True, eq=False, repr=False)
class Chunk(_Equal):
    """`chunks` pieces of equal size along axis `dim`, the last perhaps smaller (torch's `chunk`).

    >>> Chunk(2, dim=1).out_shapes((1, 64, 8, 8)), Chunk(2, dim=1).outputs
    (((1, 32, 8, 8), (1, 32, 8, 8)), 2)
    """

    ways: ClassVar[int] = named("chunks")
    chunks: int
    _: KW_ONLY
    dim: int = 0
    count: int | None = None
    """How many there are, where the axis is too short for that many chunks of equal size."""

    @property
    def outputs(self) -> int:
        """As many as there are pieces."""
        return self.chunks if self.count is None else self.count

    def each(self, size: Size) -> Size:
        """ceil(size/chunks)."""
        return (size + self.chunks - 1) // self.chunks


@dataclass(frozen=True, eq=False, repr=False)
class Pieces(_Equal):
    """`count` pieces of `piece` entries of axis `dim`, the last perhaps smaller (torch's `split` with a number).

    >>> Pieces(3, count=3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    op: ClassVar[str] = "split"
    outputs: ClassVar[int] = named("count")
    is_walked: ClassVar[bool] = True
    piece: Size
    _: KW_ONLY
    count: int
    dim: int = 0

    def each(self, size: Size) -> Size:
        """As it says."""
        return self.piece

    def any_number(self, fewest: int) -> AnyPieces | None:
        """As many pieces as there are, where one is full whatever the size."""
        full = isinstance(self.piece, int) and self.count > 1
        return AnyPieces(self.piece, count=self.count, dim=self.dim) if full else None


@dataclass(frozen=True, eq=False, repr=False)
class AnyPieces(_Pieces):
    """Pieces of `piece` entries of axis `dim`, `count` of them at hand for two or more; the last has what is left.

    >>> AnyPieces(3, count=2).out_shapes((8,)), AnyPieces(3, count=2).number((8,))
    (((3,), (2,)), 3)
    """

    op: ClassVar[str] = "split"
    outputs: ClassVar[int] = named("count")
    piece: int
    _: KW_ONLY
    count: int
    dim: int = 0

    def number(self, shape: Shape) -> Size:
        """Return how many pieces there are: ⌈n/piece⌉."""
        return (shape[self.place(shape)] - 1) // self.piece + 1

    def holds(self, size: Size) -> Iterable[Branch]:
        """More than one piece."""
        return (Branch(size, ">", self.piece),)

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """Pieces of that size, and what is left: n - piece*⌊(n - 1)/piece⌋."""
        check(shape[dim] - self.piece - 1, _another(self.op))
        return (*[self.piece] * (self.count - 1), shape[dim] - self.piece * ((shape[dim] - 1) // self.piece))


@dataclass(frozen=True, eq=False, repr=False)
class Sections(_Pieces):
    """`count` pieces of axis `dim` whose sizes differ by 1 at most, larger ones first (torch's `tensor_split`).

    >>> Sections(3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    outputs: ClassVar[int] = named("count")
    count: int
    _: KW_ONLY
    dim: int = 0

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """Piece i has ceil((size - i)/count)."""
        return [(shape[dim] + self.count - 1 - place) // self.count for place in range(self.count)]


@dataclass(frozen=True, eq=False, repr=False)
class Cuts(_Pieces):
    """Axis `dim` cut before each of these `places` (torch's `tensor_split` with a list).

    >>> Cuts((2, 5), dim=1).out_shapes((1, 8))
    ((1, 2), (1, 3), (1, 3))
    """

    places: tuple[Size | Back, ...]
    _: KW_ONLY
    dim: int = 0
    empty: tuple[bool, ...] = ()
    """Which pieces have no rows where sizes are symbols; none of them by default."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.empty:
            object.__setattr__(self, "empty", (False,) * self.outputs)

    @property
    def outputs(self) -> int:
        """One more than places."""
        return len(self.places) + 1

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """What is between one place and the next."""
        return [piece.rows(shape[dim]) for piece in self._slices()]

    def holds(self, size: Size) -> Iterable[Branch]:
        """As of the slices that the pieces are."""
        return (branch for piece in self._slices() for branch in piece.choices(size))

    def _slices(self) -> list[Slice]:
        ends = zip((None, *self.places), (*self.places, None), strict=True)
        return [Slice(start, stop, empty=empty) for (start, stop), empty in zip(ends, self.empty, strict=True)]


@dataclass(frozen=True, eq=False, repr=False)
class Split(_Pieces):
    """Pieces of these `sizes` along axis `dim` (torch's `split` with a list).

    >>> Split((16, 48), dim=1).out_shapes((1, 64, 8, 8))
    ((1, 16, 8, 8), (1, 48, 8, 8))
    """

    sizes: tuple[Size, ...]
    _: KW_ONLY
    dim: int = 0

    @property
    def outputs(self) -> int:
        """As many as there are sizes."""
        return len(self.sizes)

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """The sizes, which must add up to the axis."""
        whole = sum(self.sizes[1:], self.sizes[0])
        must_equal(
            shape[dim],
            whole,
            check,
            lambda at: BadShape(
                f"split into {', '.join(str(at(size)) for size in self.sizes)} needs {at(whole)} on axis {dim} of "
                f"{written(shape, at)}",
                rule="the sizes of a split add up to the axis",
            ),
        )
        return self.sizes


@dataclass(frozen=True, eq=False, repr=False)
class Unbind(_Entries):
    """The `count` entries of axis `dim`, each without that axis (torch's `unbind`).

    >>> Unbind(3, dim=0).out_shapes((3, 1, 8, 64))
    ((1, 8, 64), (1, 8, 64), (1, 8, 64))
    """

    outputs: ClassVar[int] = named("count")
    is_walked: ClassVar[bool] = True
    count: int
    _: KW_ONLY
    dim: int = 0

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """One entry each, as many as the axis is long."""
        must_equal(
            shape[dim],
            self.count,
            check,
            lambda at: BadShape(
                f"unbind gives {self.count} here, and axis {dim} of {written(shape)} has {at(shape[dim])}"
            ),
        )
        return (1,) * self.count

    def holds(self, size: Size) -> Iterable[Branch]:
        """As many entries."""
        return (Branch(size, "==", self.count),)

    def any_number(self, fewest: int) -> AnyEntries:
        """As many entries as there are."""
        return AnyEntries(self.count, dim=self.dim, fewest=fewest)


@dataclass(frozen=True, eq=False, repr=False)
class AnyEntries(_Entries):
    """The entries of axis `dim`, each without that axis: `count` at hand for `fewest` or more.

    >>> AnyEntries(2, dim=1).out_shapes((1, 5, 4)), AnyEntries(2, dim=1).number((1, 5, 4))
    (((1, 4), (1, 4)), 5)
    """

    op: ClassVar[str] = "unbind"
    outputs: ClassVar[int] = named("count")
    count: int
    _: KW_ONLY
    dim: int = 0
    fewest: int = 1

    def number(self, shape: Shape) -> Size:
        """Return how many entries there are."""
        return shape[self.place(shape)]

    def holds(self, size: Size) -> Iterable[Branch]:
        """No fewer than the fewest."""
        return (Branch(size, ">=", self.fewest),)

    def pieces(self, shape: Shape, dim: int, check: Check) -> Sequence[Size]:
        """One entry each."""
        check(shape[dim] - self.fewest, _another(self.op))
        return (1,) * self.count


def _another(op: str) -> Callable[[Reader], BadShape]:
    return lambda at: BadShape(f"{op} gives fewer pieces here", rule="the number of pieces is that of the capture")
