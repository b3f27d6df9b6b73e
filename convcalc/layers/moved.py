"""Entries at other places of the same axes: rolled, reversed, padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import identity, pad, taps
from convcalc.layers.base import Layer, Shape, axis_of, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


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
        return replace(taps([-shift]), wraps=True) if shift else identity()


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
        reads = {axis: pad(one, self.mode) if isinstance(one, int) else None for axis, one in before.items()}
        return fields[0].over(shape, reads, output)
