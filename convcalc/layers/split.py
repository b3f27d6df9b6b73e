"""One axis in several pieces, each an output; and tensors put on a new axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of, must_equal, named, written
from convcalc.layers.indexing import Back, Slice
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class _Pieces(Layer):
    """What cuts one axis into several outputs."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the first piece."""
        return self.out_shapes(shape, check=check)[0]

    def along(self, shape: Shape, dim: int, sizes: Sequence[Size]) -> tuple[Shape, ...]:
        """Return the shape with each of these sizes on axis `dim`."""
        return tuple((*shape[:dim], size, *shape[dim + 1 :]) for size in sizes)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input; unknown on axes that carry positions along the one that is cut."""
        (shape,) = shapes
        place = axis_of(self.op, "dim", vars(self)["dim"], shape)  # every kind of pieces has one
        kept = output if len(output) == len(shape) else (*output[:place], 1, *output[place:])
        return fields[0].over(shape, {place: None}, kept).viewed(kept, output)


@dataclass(frozen=True)
class Chunk(_Pieces):
    """`chunks` pieces of equal size along axis `dim`, the last perhaps smaller (torch's `chunk`).

    >>> Chunk(2, dim=1).out_shapes((1, 64, 8, 8)), Chunk(2, dim=1).outputs
    (((1, 32, 8, 8), (1, 32, 8, 8)), 2)
    """

    op: ClassVar[str] = "chunk"
    chunks: int
    _: KW_ONLY
    dim: int = 0
    count: int | None = None
    """How many there are, where the axis is too short for that many chunks of equal size."""

    @property
    def outputs(self) -> int:
        """As many as there are pieces."""
        return self.chunks if self.count is None else self.count

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Pieces of ceil(size/chunks), and what is left."""
        (shape,) = shapes
        dim = axis_of("chunk", "dim", self.dim, shape)
        piece = (shape[dim] + self.chunks - 1) // self.chunks
        return self.along(shape, dim, _pieces("chunk", shape[dim], piece, self.outputs, check))

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As many pieces."""
        size = shapes[0][axis_of("chunk", "dim", self.dim, shapes[0])]
        return _as_many(_rooms(size, (size + self.chunks - 1) // self.chunks, self.outputs))


@dataclass(frozen=True)
class Pieces(_Pieces):
    """`count` pieces of `piece` entries of axis `dim`, the last perhaps smaller (torch's `split` with a number).

    >>> Pieces(3, count=3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    op: ClassVar[str] = "split"
    outputs: ClassVar[int] = named("count")
    piece: Size
    _: KW_ONLY
    count: int
    dim: int = 0

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Pieces of that size, and what is left."""
        (shape,) = shapes
        dim = axis_of("split", "dim", self.dim, shape)
        return self.along(shape, dim, _pieces("split", shape[dim], self.piece, self.count, check))

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As many pieces."""
        return _as_many(_rooms(shapes[0][axis_of("split", "dim", self.dim, shapes[0])], self.piece, self.count))


@dataclass(frozen=True)
class Sections(_Pieces):
    """`count` pieces of axis `dim` whose sizes differ by 1 at most, larger ones first (torch's `tensor_split`).

    >>> Sections(3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    op: ClassVar[str] = "sections"
    outputs: ClassVar[int] = named("count")
    count: int
    _: KW_ONLY
    dim: int = 0

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Piece i has ceil((size - i)/count)."""
        (shape,) = shapes
        dim = axis_of("sections", "dim", self.dim, shape)
        return self.along(
            shape, dim, [(shape[dim] + self.count - 1 - place) // self.count for place in range(self.count)]
        )


@dataclass(frozen=True)
class Cuts(_Pieces):
    """Axis `dim` cut before each of these `places` (torch's `tensor_split` with a list).

    >>> Cuts((2, 5), dim=1).out_shapes((1, 8))
    ((1, 2), (1, 3), (1, 3))
    """

    op: ClassVar[str] = "cuts"
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

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """What is between one place and the next."""
        (shape,) = shapes
        dim = axis_of("cuts", "dim", self.dim, shape)
        return self.along(shape, dim, [piece.rows(shape[dim]) for piece in self._slices()])

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As of the slices that the pieces are."""
        size = shapes[0][axis_of("cuts", "dim", self.dim, shapes[0])]
        return tuple(branch for piece in self._slices() for branch in piece.choices(size))

    def _slices(self) -> list[Slice]:
        ends = zip((None, *self.places), (*self.places, None), strict=True)
        return [Slice(start, stop, empty=empty) for (start, stop), empty in zip(ends, self.empty, strict=True)]


def _rooms(size: Size, piece: Size, count: int) -> tuple[Size, ...]:
    """What must be >= 0 for `size` to make `count` pieces: from 1 to `piece` are left for the last."""
    last = size - piece * (count - 1)
    return (last - 1, piece - last) if count > 1 else (piece - last,)


def _as_many(rooms: Sequence[Size]) -> tuple[Branch, ...]:
    return tuple(Branch(room, ">=", 0) for room in rooms)


def _pieces(op: str, size: Size, piece: Size, count: int, check: Check) -> tuple[Size, ...]:
    """`count` - 1 sizes of `piece`, and what is left of `size`."""
    last = size - piece * (count - 1)
    for room in _rooms(size, piece, count):
        check(
            room,
            lambda at: BadShape(
                f"{op} gives {count} pieces here, and {at(size)} entries in pieces of {at(piece)} are not as many",
                rule="the number of pieces is that of the capture",
            ),
        )
    return (*[piece] * (count - 1), last)


@dataclass(frozen=True)
class Split(_Pieces):
    """Pieces of these `sizes` along axis `dim` (torch's `split` with a list).

    >>> Split((16, 48), dim=1).out_shapes((1, 64, 8, 8))
    ((1, 16, 8, 8), (1, 48, 8, 8))
    """

    op: ClassVar[str] = "split"
    sizes: tuple[Size, ...]
    _: KW_ONLY
    dim: int = 0

    @property
    def outputs(self) -> int:
        """As many as there are sizes."""
        return len(self.sizes)

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The sizes, which must add up to the axis."""
        (shape,) = shapes
        dim = axis_of("split", "dim", self.dim, shape)
        whole = sum(self.sizes[1:], self.sizes[0])
        must_equal(
            shape[dim],
            whole,
            check,
            lambda at: BadShape(
                f"split into {', '.join(str(at(size)) for size in self.sizes)} needs {at(whole)} on axis {dim} of "
                f"{written(tuple(map(at, shape)))}",
                rule="the sizes of a split add up to the axis",
            ),
        )
        return self.along(shape, dim, self.sizes)


@dataclass(frozen=True)
class Unbind(_Pieces):
    """The `count` entries of axis `dim`, each without that axis (torch's `unbind`).

    >>> Unbind(3, dim=0).out_shapes((3, 1, 8, 64))
    ((1, 8, 64), (1, 8, 64), (1, 8, 64))
    """

    op: ClassVar[str] = "unbind"
    outputs: ClassVar[int] = named("count")
    count: int
    _: KW_ONLY
    dim: int = 0

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape without the axis, as often as that is long."""
        (shape,) = shapes
        dim = axis_of("unbind", "dim", self.dim, shape)
        must_equal(
            shape[dim],
            self.count,
            check,
            lambda at: BadShape(
                f"unbind gives {self.count} here, and axis {dim} of {written(shape)} has {at(shape[dim])}"
            ),
        )
        return ((*shape[:dim], *shape[dim + 1 :]),) * self.count

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """As many entries."""
        return (Branch(shapes[0][axis_of("unbind", "dim", self.dim, shapes[0])], "==", self.count),)
