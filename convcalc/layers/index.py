"""Parts of a tensor: slices, single entries, pieces; and entries moved around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

from convcalc.conditions import Check, enforce
from convcalc.errors import BadArgument, BadShape
from convcalc.expr import Expr
from convcalc.field import Field, unite
from convcalc.footprint import Footprint
from convcalc.formulas import at_least
from convcalc.layers.base import Layer, Shape, axis_of, must_equal, written
from convcalc.layers.merge import Concat
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

    def path(self, *shapes: Shape) -> tuple[Size, ...]:
        """As many pieces."""
        size = shapes[0][axis_of("chunk", "dim", self.dim, shapes[0])]
        return _rooms(size, (size + self.chunks - 1) // self.chunks, self.outputs)


@dataclass(frozen=True)
class Pieces(_Pieces):
    """`count` pieces of `piece` entries of axis `dim`, the last perhaps smaller (torch's `split` with a number).

    >>> Pieces(3, count=3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    op: ClassVar[str] = "split"
    piece: Size
    _: KW_ONLY
    count: int
    dim: int = 0

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Pieces of that size, and what is left."""
        (shape,) = shapes
        dim = axis_of("split", "dim", self.dim, shape)
        return self.along(shape, dim, _pieces("split", shape[dim], self.piece, self.count, check))

    def path(self, *shapes: Shape) -> tuple[Size, ...]:
        """As many pieces."""
        return _rooms(shapes[0][axis_of("split", "dim", self.dim, shapes[0])], self.piece, self.count)


@dataclass(frozen=True)
class Sections(_Pieces):
    """`count` pieces of axis `dim` whose sizes differ by 1 at most, larger ones first (torch's `tensor_split`).

    >>> Sections(3, dim=1).out_shapes((1, 8))
    ((1, 3), (1, 3), (1, 2))
    """

    op: ClassVar[str] = "sections"
    count: int
    _: KW_ONLY
    dim: int = 0

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

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
    places: tuple[Size, ...]
    _: KW_ONLY
    dim: int = 0

    @property
    def outputs(self) -> int:
        """One more than places."""
        return len(self.places) + 1

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """What is between one place and the next."""
        (shape,) = shapes
        dim = axis_of("cuts", "dim", self.dim, shape)
        whole = [Slice()] * dim
        ends = zip((None, *self.places), (*self.places, None), strict=True)
        return tuple(Index((*whole, Slice(*pair))).out_shape(shape, check=check) for pair in ends)


def _rooms(size: Size, piece: Size, count: int) -> tuple[Size, ...]:
    """What must be >= 0 for `size` to make `count` pieces: from 1 to `piece` are left for the last."""
    last = size - piece * (count - 1)
    return (last - 1, piece - last) if count > 1 else (piece - last,)


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
    count: int
    _: KW_ONLY
    dim: int = 0

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

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

    def path(self, *shapes: Shape) -> tuple[Size, ...]:
        """As many entries."""
        size = shapes[0][axis_of("unbind", "dim", self.dim, shapes[0])]
        return size - self.count, self.count - size


@dataclass(frozen=True)
class Stack(Layer):
    """Tensors of one shape along a new axis `dim` (torch's `stack`).

    >>> Stack().out_shape((8, 5), (8, 5), (8, 5))
    (3, 8, 5)
    """

    op: ClassVar[str] = "stack"
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    dim: int = 0

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape, and the number of tensors among it."""
        place = axis_of("stack", "dim", self.dim, (*shapes[0], 1))
        widened = [(*shape[:place], 1, *shape[place:]) for shape in shapes]
        return Concat(place).out_shape(*widened, check=check)

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """What any of them reads."""
        place = axis_of("stack", "dim", self.dim, output)
        widened = (*output[:place], 1, *output[place + 1 :])
        some = [field.viewed(shape, widened) for field, shape in zip(fields, shapes, strict=True)]
        return unite(some, widened).over(widened, {}, output)


@dataclass(frozen=True)
class Moved(Layer):
    """Entries in another order along some axes, such as `roll` and `flip`; the shape stays.

    >>> Moved("roll", dims=(1, 2)).out_shape((1, 56, 56, 96))
    (1, 56, 56, 96)
    """

    function: str
    _: KW_ONLY
    dims: tuple[int, ...] = ()
    shifts: tuple[Size, ...] = ()

    @property
    def op(self) -> str:  # type: ignore[override]
        """The name of the function."""
        return self.function

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.function.isidentifier():
            raise BadArgument(f"a function has a name: {self.function!r}")

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself; the axes must exist."""
        for dim in self.dims:
            axis_of(self.op, "dim", dim, shape)
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Shifted where an axis with positions is rolled by a number, which is exact inside; else unknown along it."""
        (shape,) = shapes
        reads: dict[int, Footprint | None] = dict.fromkeys(range(len(shape)) if not self.dims else ())
        for place, dim in enumerate(self.dims):
            axis = dim % len(shape)
            reads[axis] = self._rolled(self.shifts[place], shape[axis]) if self._rolls and axis not in reads else None
        return fields[0].over(shape, reads, output)

    @property
    def _rolls(self) -> bool:
        return self.function == "roll" and len(self.shifts) == len(self.dims)

    def _rolled(self, shift: Size, size: Size) -> Footprint | None:
        """Output j reads j - shift, the shorter way round."""
        if not isinstance(shift, int):
            return None
        if isinstance(size, int) and size > 0:
            shift = (shift + size // 2) % size - size // 2
        return taps([-shift])


@dataclass(frozen=True)
class PadAxes(Layer):
    """Padding of the last axes, whatever they mean: (before, after) `sides` for each, in order; negative ones crop.

    >>> PadAxes(((0, 1), (0, 2), (0, 0))).out_shape((1, 55, 54, 96))
    (1, 56, 56, 96)
    """

    op: ClassVar[str] = "pad"
    sides: tuple[tuple[Size, Size], ...]
    _: KW_ONLY
    mode: str = "constant"

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The last sizes, each with what stands before and after it."""
        first = len(shape) - len(self.sides)
        if first < 0:
            raise BadShape(f"{len(self.sides)} axes are padded, and {written(shape)} has {len(shape)}")
        sizes = [size + before + after for size, (before, after) in zip(shape[first:], self.sides, strict=True)]
        for size in sizes:
            at_least(0, check, output=size)
        return (*shape[:first], *sizes)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Shifted by what stands before; values that padding repeats are not followed."""
        (shape,) = shapes
        first = len(shape) - len(self.sides)
        before = {first + axis: one for axis, (one, _) in enumerate(self.sides)}
        reads = {axis: taps([-one]) if isinstance(one, int) else None for axis, one in before.items()}
        return fields[0].over(shape, reads, output)


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
