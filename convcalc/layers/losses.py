"""Losses whose target must have a shape of its own: class by class, or exactly that of the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, must_equal, written
from convcalc.layers.reduce import Compare, Reduce
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


def _itself(size: Size) -> Size:
    return size


@dataclass(frozen=True)
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
        each = (*shape[:place], *shape[place + 1 :])
        self._agree(target, shape if self.probabilities else each, shapes, check)
        for one in weight:
            self._agree(one, (shape[place],), shapes, check)
        return () if self.reduced else each

    def _agree(self, given: Shape, wanted: Shape, shapes: Sequence[Shape], check: Check) -> None:
        def error(at: Reader = _itself) -> BadShape:
            what, got = (written(tuple(map(at, shape))) for shape in (wanted, given))
            return BadShape(
                f"{self.op} of {written(tuple(map(at, shapes[0])))} takes a "
                f"{'weight' if given is not shapes[1] else 'target'} {what}: got {got}",
                rule="targets (N, ...) for predictions (N, C, ...)",
            )

        if len(given) != len(wanted):
            raise error()
        for have, want in zip(given, wanted, strict=True):
            must_equal(have, want, check, error)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """All of the predictions, where one number comes out; else unknown."""
        if not self.reduced:
            return Field.unknown(len(fields[0].axes))
        return Reduce(self.op, None).through(fields[:1], shapes[:1], output)


@dataclass(frozen=True)
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

        def error(at: Reader = _itself) -> BadShape:
            want, got = (written(tuple(map(at, shape))) for shape in (first, second))
            return BadShape(f"{self.op} takes a target of the shape {want}: got {got}", rule="target as the input")

        if len(first) != len(second):
            raise error()
        for have, want in zip(second, first, strict=True):
            must_equal(have, want, check, error)
        return super().out_shape(*shapes, check=check)
