"""Values in the order of their size: `sort`, `argsort`, `topk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


class _Ordered(Layer):
    """What may take any value along one axis."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: values decide which come out where."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Sort(_Ordered):
    """The values along axis `dim` in order, and their places (torch's `sort`); `argsort` has the places alone.

    >>> Sort().out_shapes((1, 100)), Sort("argsort", dim=1).out_shapes((1, 100, 4))
    (((1, 100), (1, 100)), ((1, 100, 4),))
    """

    function: str = "sort"
    _: KW_ONLY
    dim: int = -1

    @property
    def op(self) -> str:  # type: ignore[override]
        """The name of the function."""
        return self.function

    @property
    def outputs(self) -> int:
        """Values and places; one of them where the function gives one."""
        return 2 if self.function == "sort" else 1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself, which must have the axis."""
        if shape:
            axis_of(self.op, "dim", self.dim, shape)
        return shape

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape, as often as tensors come out."""
        return (self.out_shape(*shapes, check=check),) * self.outputs


@dataclass(frozen=True)
class TopK(_Ordered):
    """The `k` largest values along axis `dim`, and their places (torch's `topk`).

    >>> TopK(300, dim=1).out_shapes((1, 8400, 80))
    ((1, 300, 80), (1, 300, 80))
    """

    op: ClassVar[str] = "topk"
    outputs: ClassVar[int] = 2
    k: Size
    _: KW_ONLY
    dim: int = -1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape with k on the axis, which must have as many."""
        dim = axis_of("topk", "dim", self.dim, shape)
        check(
            shape[dim] - self.k,
            lambda at: BadShape(
                f"topk of {at(self.k)} needs as many on axis {dim} of {written(tuple(map(at, shape)))}"
            ),
        )
        return (*shape[:dim], self.k, *shape[dim + 1 :])

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Twice that."""
        return (self.out_shape(*shapes, check=check),) * 2


@dataclass(frozen=True)
class Draw(_Ordered):
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
