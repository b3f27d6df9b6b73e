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
    product,
    replaced,
    written,
)
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import is_array, is_symbolic


class Reshaped(Layer):
    """What keeps all values and their order."""

    memory: ClassVar[str] = "flat"

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, its positions on the axes where they are now."""
        return fields[0].viewed(shapes[0], output)


class Widened(Layer):
    """What makes a vector of each value, along a last axis."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input: all of a vector reads what the value does."""
        one = (*shapes[0], 1)
        return fields[0].viewed(shapes[0], one).served(one, output)


@dataclass(frozen=True, eq=False, repr=False)
class ViewAsReal(Widened):
    """Each complex number as its two parts, on a last axis of 2 (torch's `view_as_real`).

    >>> ViewAsReal().out_shape((8, 3))
    (8, 3, 2)
    """

    op: ClassVar[str] = "view_as_real"

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape, and 2."""
        return (*shape, 2)


@dataclass(frozen=True, eq=False, repr=False)
class View(Reshaped):
    """The same values in order, under the shape `sizes` (torch's `view` and `reshape`); one of them may be -1.

    >>> View((1, -1)).out_shape((1, 16, 5, 5)), View((-1, 20, 20)).out_shape((1, 16, 5, 5))
    ((1, 400), (1, 20, 20))
    """

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


@dataclass(frozen=True, eq=False, repr=False)
class Squeeze(Reshaped):
    """Axes of size 1 left out (torch's `squeeze`): those of `dims`, or all where that is None.

    A size with a letter is taken to be 1 on the axes of `gone`, and not to be 1 on others.

    >>> Squeeze().out_shape((1, 8, 1, 1)), Squeeze((2, 3)).out_shape((1, 8, 1, 1))
    ((8,), (1, 8))
    """

    memory: ClassVar[str] = "viewed"
    dims: tuple[int, ...] | None = None
    _: KW_ONLY
    gone: tuple[int, ...] = ()

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Those of the axes that are left."""
        return tuple(step for axis, step in enumerate(before) if not self.leaves_out(axis, shape))

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


@dataclass(frozen=True, eq=False, repr=False)
class Unsqueeze(Reshaped):
    """An axis of size 1 more, at `dim` (torch's `unsqueeze`).

    >>> Unsqueeze(-1).out_shape((1, 8))
    (1, 8, 1)
    """

    memory: ClassVar[str] = "viewed"
    dim: int

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """0 along the new axis."""
        place = self.dim % len(output)
        return (*before[:place], 0, *before[place:])

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes, and a 1 among them."""
        place = axis_of("unsqueeze", "dim", self.dim, (*shape, 1))
        return (*shape[:place], 1, *shape[place:])


@dataclass(frozen=True, eq=False, repr=False)
class Unflatten(Reshaped):
    """Axis `dim` becomes axes of `sizes`, in order (torch's `Unflatten`); one of them may be -1.

    >>> Unflatten(1, (2, -1)).out_shape((1, 64, 7))
    (1, 2, 32, 7)
    """

    dim: int
    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The size of that axis, divided."""
        place = axis_of("unflatten", "dim", self.dim, shape)
        inner = View(self.sizes).out_shape((shape[place],), check=check)
        return replaced(shape, place, *inner)


@dataclass(frozen=True, eq=False, repr=False)
class Flatten(Reshaped):
    """Axes `start_dim` to `end_dim` become one (torch's `Flatten`).

    >>> Flatten().out_shape((1, 16, 5, 5)), Flatten(2).out_shape((1, 16, 5, 5))
    ((1, 400), (1, 16, 25))
    """

    memory: ClassVar[str] = "ordered"
    start_dim: int = 1
    end_dim: int = -1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes from start_dim to end_dim multiplied."""
        first, last = self._ends(shape)
        return (*shape[:first], product(shape[first : last + 1]), *shape[last + 1 :])

    def _ends(self, shape: Shape) -> tuple[int, int]:
        first = axis_of(self.op, "start_dim", self.start_dim, shape)
        last = axis_of(self.op, "end_dim", self.end_dim, shape)
        if first > last:
            raise BadArgument(f"flatten needs start_dim <= end_dim: {self.start_dim} and {self.end_dim}")
        return first, last


class _Like(Layer):
    """What takes a tensor and another, whose shape alone matters."""

    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def given(self, sizes: Shape) -> Layer:
        """Return the layer that does the same where the shape is written down."""
        raise NotImplementedError

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of the second, which must fit the first."""
        shape, like = shapes
        return self.given(like).out_shape(shape, check=check)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """As where the shape is written down: the second is not read."""
        return self.given(output).through(fields[:1], shapes[:1], output)


class ViewAs(_Like):
    """The same values under the shape of another tensor (torch's `view_as`, `reshape_as`).

    >>> ViewAs().out_shape((1, 16, 25), (1, 16, 5, 5))
    (1, 16, 5, 5)
    """

    def given(self, sizes: Shape) -> View:
        """`View`."""
        return View(tuple(sizes))
