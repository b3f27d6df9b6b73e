"""Functions by name: on each value, on values of the same place, over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.stencils import everything, everything_before
from convcalc.layers.activation import Pointwise
from convcalc.layers.base import Layer, Shape, axis_of, must_agree, named, replaced, written
from convcalc.layers.merge import Combine
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Reduce(Layer):
    """A function over axes `dims`, such as `mean` or `amax`; over all where that is None.

    >>> Reduce("mean", (2, 3)).out_shape((1, 512, 7, 7)), Reduce("sum", (-1,), keepdim=True).out_shape((1, 8, 5))
    ((1, 512), (1, 8, 1))
    """

    op: ClassVar[str] = named("function")
    outputs: ClassVar[int] = named("count")
    function: str
    dims: tuple[int, ...] | None = None
    _: KW_ONLY
    keepdim: bool = False
    count: int = 1
    """How many tensors come out, as the values and indices of `max`."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The other sizes; 1 in the place of those reduced with `keepdim`."""
        reduced = self._reduced(shape)
        if self.keepdim:
            return tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
        return tuple(size for axis, size in enumerate(shape) if axis not in reduced)

    def _reduced(self, shape: Shape) -> set[int]:
        if self.dims is None:
            return set(range(len(shape)))
        return {axis_of(self.op, "dim", dim, shape) for dim in self.dims} if shape else set()

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along the axes that are reduced."""
        (field,), (shape,) = fields, shapes
        reduced = self._reduced(shape)
        kept = tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
        return field.over(shape, dict.fromkeys(reduced, everything()), kept).viewed(kept, output)


@dataclass(frozen=True, eq=False, repr=False)
class Compare(Combine):
    """One number for all pairs of values along axes `dims`, or for all where that is None: `cosine_similarity`, losses.

    >>> Compare("cosine_similarity", (1,)).out_shape((8, 64, 5), (8, 64, 5)), Compare("mse_loss").out_shape((8,), (8,))
    ((8, 5), ())
    """

    dims: tuple[int, ...] | None = None
    _: KW_ONLY
    keepdim: bool = False

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape without these axes; 1 in their place with `keepdim`."""
        common = super().out_shape(*shapes, check=check)
        return Reduce(self.function, self.dims, keepdim=self.keepdim).out_shape(common, check=check)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """As a combination that is reduced."""
        common = super().out_shape(*shapes)
        field = super().through(fields, shapes, common)
        return Reduce(self.function, self.dims, keepdim=self.keepdim).through([field], [common], output)


@dataclass(frozen=True, eq=False, repr=False)
class Cumulative(Pointwise):
    """A running function along axis `dim`, such as `cumsum`: position j reads all up to j.

    >>> Cumulative("cumsum", -1).out_shape((1, 8, 100))
    (1, 8, 100)
    """

    op: ClassVar[str] = named("function")
    memory: ClassVar[str] = "ordered"
    outputs: ClassVar[int] = named("count")
    function: str
    dim: int
    _: KW_ONLY
    count: int = 1
    """How many tensors come out, as the values and indices of `cummax`."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything up to each place of the axis."""
        return fields[0].over(output, {axis_of(self.op, "dim", self.dim, output): everything_before()}, output)


@dataclass(frozen=True, eq=False, repr=False)
class Sort(Layer):
    """The values along axis `dim` in order, and their places (torch's `sort`); `argsort` has the places alone.

    >>> Sort().out_shapes((1, 100)), Sort("argsort", dim=1).out_shapes((1, 100, 4))
    (((1, 100), (1, 100)), ((1, 100, 4),))
    """

    op: ClassVar[str] = named("function")
    function: str = "sort"
    _: KW_ONLY
    dim: int = -1

    @property
    def outputs(self) -> int:
        """Values and places; one of them where the function gives one."""
        return 2 if self.function == "sort" else 1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself, which must have the axis."""
        if shape:
            axis_of(self.op, "dim", self.dim, shape)
        return shape


@dataclass(frozen=True, eq=False, repr=False)
class TopK(Layer):
    """The `k` largest values along axis `dim`, and their places (torch's `topk`).

    >>> TopK(300, dim=1).out_shapes((1, 8400, 80))
    ((1, 300, 80), (1, 300, 80))
    """

    outputs: ClassVar[int] = 2
    k: Size
    _: KW_ONLY
    dim: int = -1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape with k on the axis, which must have as many."""
        dim = axis_of("topk", "dim", self.dim, shape)
        check(
            shape[dim] - self.k,
            lambda at: BadShape(f"topk of {at(self.k)} needs as many on axis {dim} of {written(shape, at)}"),
        )
        return replaced(shape, dim, self.k)


@dataclass(frozen=True, eq=False, repr=False)
class Draw(Layer):
    """`num_samples` places of the last axis for each row (torch's `multinomial`).

    >>> Draw(3).out_shape((8, 100))
    (8, 3)
    """

    op: ClassVar[str] = "multinomial"
    num_samples: Size

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The rows, and num_samples."""
        if len(shape) not in (1, 2):
            raise BadShape(f"multinomial takes (N, M) or (M,): got {written(shape)}")
        return (*shape[:-1], self.num_samples)


@dataclass(frozen=True, eq=False, repr=False)
class CrossEntropy(Layer):
    """One number for predictions (N, C, ...) and targets (N, ...), or one for each target if not `reduced`.

    The targets are classes (torch's `nll_loss`, `cross_entropy`), or of the predictions' shape where they are
    `probabilities`; a third input is a weight for each class.

    >>> CrossEntropy().out_shape((2, 5, 8, 8), (2, 8, 8)), CrossEntropy(reduced=False).out_shape((2, 5), (2,))
    ((), (2,))
    >>> CrossEntropy().out_shape((2, 5, 8, 8), (2, 7, 8))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: cross_entropy of (2, 5, 8, 8) takes a target (2, 8, 8): got (2, 7, 8)
    """

    op: ClassVar[str] = "cross_entropy"
    takes: ClassVar[tuple[int, int | None]] = (2, 3)
    _: KW_ONLY
    probabilities: bool = False
    reduced: bool = True

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """Nothing but one number; the shape of the targets where they are not reduced."""
        shape, target, *weight = shapes
        if not shape:
            raise BadShape("cross_entropy takes (N, C, ...) or (C,): got a single number")
        place = min(1, len(shape) - 1)
        each = replaced(shape, place)
        self._agree(target, shape if self.probabilities else each, shapes, check)
        for one in weight:
            self._agree(one, (shape[place],), shapes, check)
        return () if self.reduced else each

    def _agree(self, given: Shape, wanted: Shape, shapes: Sequence[Shape], check: Check) -> None:
        def error(at: Reader) -> BadShape:
            what, got = (written(shape, at) for shape in (wanted, given))
            return BadShape(
                f"{self.op} of {written(shapes[0], at)} takes a "
                f"{'weight' if given is not shapes[1] else 'target'} {what}: got {got}",
                rule="targets (N, ...) for predictions (N, C, ...)",
            )

        must_agree(given, wanted, check, error)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """All of the predictions, where one number comes out; else unknown."""
        if not self.reduced:
            return Field.unknown(len(fields[0].axes))
        return Reduce(self.op, None).through(fields[:1], shapes[:1], output)


@dataclass(frozen=True, eq=False, repr=False)
class Pairwise(Compare):
    """As `Compare` of values that must be as many on each axis: nothing is repeated (torch's `binary_cross_entropy`).

    >>> Pairwise("binary_cross_entropy").out_shape((8, 1), (8,))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: binary_cross_entropy takes a target of the shape (8, 1): got (8)
    """

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """As `Compare`; the first two shapes are one."""
        first, second = shapes[:2]

        def error(at: Reader) -> BadShape:
            want, got = (written(shape, at) for shape in (first, second))
            return BadShape(f"{self.op} takes a target of the shape {want}: got {got}", rule="target as the input")

        must_agree(second, first, check, error)
        return super().out_shape(*shapes, check=check)
