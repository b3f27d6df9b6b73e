"""The same values under another shape: view, permute, squeeze, expand, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import (
    Layer,
    Shape,
    axis_of,
    must_divide,
    must_equal,
    must_equal_or_be_one,
    product,
    written,
)
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size, is_array, is_symbolic


class Reshaped(Layer):
    """What keeps all values and their order."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, its positions on the axes where they are now."""
        return fields[0].viewed(shapes[0], output)


@dataclass(frozen=True)
class ViewAsReal(Layer):
    """Each complex number as its two parts, on a last axis of 2 (torch's `view_as_real`).

    >>> ViewAsReal().out_shape((8, 3))
    (8, 3, 2)
    """

    op: ClassVar[str] = "view_as_real"

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape, and 2."""
        return (*shape, 2)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input: both parts read what the number does."""
        one = (*shapes[0], 1)
        return fields[0].viewed(shapes[0], one).served(one, output)


@dataclass(frozen=True)
class View(Reshaped):
    """The same values in order, under the shape `sizes` (torch's `view` and `reshape`); one of them may be -1.

    >>> View((1, -1)).out_shape((1, 16, 5, 5)), View((-1, 20, 20)).out_shape((1, 16, 5, 5))
    ((1, 400), (1, 20, 20))
    """

    op: ClassVar[str] = "view"
    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes, with what is left for the -1; as many values as before."""
        free = [place for place, size in enumerate(self.sizes) if isinstance(size, int) and size == -1]
        if len(free) > 1:
            raise BadArgument(f"only one size may be -1: {written(self.sizes)}")
        have = product(shape)
        known = product([size for place, size in enumerate(self.sizes) if place not in free])
        if not free:
            must_equal(have, known, check, lambda at: self._refusal(shape, at))
            return self.sizes
        (place,) = free
        if isinstance(known, int) and known == 0:
            raise BadShape(f"view cannot find the size of -1 in {written(self.sizes)}: the others multiply to 0")
        if not (not is_array(known) and known == 1):
            must_divide(known, have, check, lambda at: self._refusal(shape, at))
        return (*self.sizes[:place], have // known, *self.sizes[place + 1 :])

    def _refusal(self, shape: Shape, at: Reader) -> BadShape:
        given = tuple(map(at, shape))
        wanted = tuple(map(at, self.sizes))
        known = product([size for size in wanted if not (isinstance(size, int) and size == -1)])
        have = product(given)
        must = f"{known} must divide {have}" if -1 in wanted else f"{known} is not {have}"
        return BadShape(
            f"view{written(wanted)} does not fit {written(given)}, which has {have} values: {must}",
            rule="a view has as many values as its input",
        )


@dataclass(frozen=True)
class Permute(Layer):
    """Axes in another order (torch's `permute`, `transpose`): output axis i is input axis `dims[i]`.

    >>> Permute((0, 2, 3, 1)).out_shape((1, 3, 8, 9))
    (1, 8, 9, 3)
    """

    op: ClassVar[str] = "permute"
    dims: tuple[int, ...]

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes in that order."""
        if sorted(dim % max(1, len(shape)) for dim in self.dims) != list(range(len(shape))):
            raise BadShape(f"permute takes each axis once: dims={self.dims} of {written(shape)}")
        return tuple(shape[dim] for dim in self.dims)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, its positions on the axes where they are now."""
        order = [dim % len(output) for dim in self.dims]
        return fields[0].moved(shapes[0], [order.index(axis) for axis in range(len(order))], output)


class Turned(Permute):
    """A turn of two axes by 90 degrees (torch's `rot90`): they change places, and one is reversed.

    >>> Turned((0, 1, 3, 2)).out_shape((1, 3, 8, 9))
    (1, 3, 9, 8)
    """

    op: ClassVar[str] = "rot90"

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown, of equal sizes too."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Remade(Layer):
    """A tensor of `sizes` from all values of another, in a way that is not followed: `as_strided`, `histc`.

    >>> Remade("as_strided", (4, 4)).out_shape((10,))
    (4, 4)
    """

    function: str
    sizes: Shape
    _: KW_ONLY
    needs: Size = 0
    """How many values it must have."""

    @property
    def op(self) -> str:  # type: ignore[override]
        """The name of the function."""
        return self.function

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes."""
        have = product(shape)
        check(
            have - self.needs,
            lambda at: BadShape(
                f"{self.op} reaches {at(self.needs)} values from the first on, and {written(tuple(map(at, shape)))} "
                f"has {at(have)}"
            ),
        )
        return self.sizes

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Squeeze(Reshaped):
    """Axes of size 1 left out (torch's `squeeze`): those of `dims`, or all where that is None.

    A size with a letter is taken to be 1 on the axes of `gone`, and not to be 1 on others.

    >>> Squeeze().out_shape((1, 8, 1, 1)), Squeeze((2, 3)).out_shape((1, 8, 1, 1))
    ((8,), (1, 8))
    """

    op: ClassVar[str] = "squeeze"
    dims: tuple[int, ...] | None = None
    _: KW_ONLY
    gone: tuple[int, ...] = ()

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The other sizes."""
        return tuple(size for axis, size in enumerate(shape) if not self.leaves_out(axis, shape))

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """Which of its axes are 1."""
        (shape,) = shapes
        return tuple(
            Branch(shape[axis], "==" if axis in self.gone else "!=", 1) for axis in sorted(self._wanted(shape))
        )

    def _wanted(self, shape: Shape) -> set[int]:
        return set(
            range(len(shape)) if self.dims is None else [axis_of("squeeze", "dim", dim, shape) for dim in self.dims]
        )

    def leaves_out(self, axis: int, shape: Shape) -> bool:
        """Return whether an axis is left out.

        >>> Squeeze((0, 1)).leaves_out(0, (1, 8)), Squeeze((0, 1)).leaves_out(1, (1, 8))
        (True, False)
        """
        size = shape[axis]
        if axis not in self._wanted(shape) or is_array(size):
            return False
        return axis in self.gone if is_symbolic(size) else bool(size == 1)


@dataclass(frozen=True)
class Unsqueeze(Reshaped):
    """An axis of size 1 more, at `dim` (torch's `unsqueeze`).

    >>> Unsqueeze(-1).out_shape((1, 8))
    (1, 8, 1)
    """

    op: ClassVar[str] = "unsqueeze"
    dim: int

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes, and a 1 among them."""
        place = axis_of("unsqueeze", "dim", self.dim, (*shape, 1))
        return (*shape[:place], 1, *shape[place:])


@dataclass(frozen=True)
class Expand(Layer):
    """Axes of size 1 repeated to `sizes` without a copy (torch's `expand`); -1 keeps a size.

    >>> Expand((8, -1, -1)).out_shape((1, 1, 192))
    (8, 1, 192)
    """

    op: ClassVar[str] = "expand"
    sizes: Shape

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
                    f"expand{written(tuple(map(at, self.sizes)))} does not fit {written(tuple(map(at, shape)))}",
                    rule="a size that is expanded is 1",
                ),
            )
        return want

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, whose single positions serve all places."""
        return fields[0].served(shapes[0], output)


@dataclass(frozen=True)
class Repeat(Layer):
    """Copies beside each other (torch's `repeat`, `tile`): `counts` of them along each axis.

    >>> Repeat((1, 2, 1)).out_shape((8, 3, 5)), Repeat((4, 1, 1)).out_shape((3, 5))
    ((8, 6, 5), (4, 3, 5))
    """

    op: ClassVar[str] = "repeat"
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


@dataclass(frozen=True)
class Interleave(Layer):
    """Every entry of axis `dim` `repeats` times (torch's `repeat_interleave`); of all values where that is None.

    >>> Interleave(2, dim=1).out_shape((1, 8, 5)), Interleave(3).out_shape((2, 4))
    ((1, 16, 5), (24,))
    """

    op: ClassVar[str] = "interleave"
    repeats: Size
    _: KW_ONLY
    dim: int | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The size of that axis times the repeats."""
        if self.dim is None:
            return (product(shape) * self.repeats,)
        place = axis_of("interleave", "dim", self.dim, shape)
        return (*shape[:place], shape[place] * self.repeats, *shape[place + 1 :])

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: which entry a place is, is not followed."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Unflatten(Reshaped):
    """Axis `dim` becomes axes of `sizes`, in order (torch's `Unflatten`); one of them may be -1.

    >>> Unflatten(1, (2, -1)).out_shape((1, 64, 7))
    (1, 2, 32, 7)
    """

    op: ClassVar[str] = "unflatten"
    dim: int
    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The size of that axis, divided."""
        place = axis_of("unflatten", "dim", self.dim, shape)
        inner = View(self.sizes).out_shape((shape[place],), check=check)
        return (*shape[:place], *inner, *shape[place + 1 :])
