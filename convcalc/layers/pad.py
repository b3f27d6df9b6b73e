"""Padding and cropping, 1-D to 3-D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from convcalc.arithmetic.exactness import check_symmetric_crop
from convcalc.arithmetic.formulas import at_least
from convcalc.arithmetic.resizing import both_sides, crop_out, pad_out
from convcalc.errors import BadShape, NoOutput
from convcalc.footprints import stencils
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import pad
from convcalc.layers.base import Layer, Shape, named, written
from convcalc.layers.spatial import Spatial, along, check_any_channels
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, smaller


@dataclass(frozen=True, eq=False, repr=False)
class Pad(Spatial):
    """Padding by a number of rows, one per axis, or (before, after) pairs per axis; a negative side crops.

    `mode` is "constant", "reflect", "replicate" or "circular" (torch's `ConstantPad2d`, `ReflectionPad2d`, ...).

    >>> Pad([(0, 1), (2, 2)]).out_shape((1, 3, 5, 5))
    (1, 3, 6, 9)
    """

    outside: ClassVar[str] = named("mode")
    keeps_rows: ClassVar[bool] = True
    padding: Any
    _: KW_ONLY
    mode: str = "constant"

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, n + before + after, ...)."""
        batch, channels, sizes = self.split(shape)
        sides = per_axis("padding", self.padding, len(sizes))
        outs = along(
            len(sizes), check, lambda axis, check: pad_out(sizes[axis], sides[axis], self.mode, least=0, check=check)
        )
        if self.mode in ("reflect", "replicate"):
            check_any_channels(channels, check)
            # each axis may be cropped to nothing, but not all of them
            check(
                sum(outs) - 1,
                lambda at: NoOutput(f"output would be {'x'.join(str(at(out)) for out in outs)}: crop less"),
            )
        return (*batch, channels, *outs)

    def border(self, shape: Shape) -> tuple[tuple[Size, Size], ...]:
        """The rows before and after, for each axis."""
        return tuple(map(both_sides, per_axis("padding", self.padding, len(self.split(shape)[2]))))

    def cut_axes(self) -> tuple[int, ...]:
        """Those with a formula on a side."""
        sides = enumerate(self.padding if isinstance(self.padding, tuple) else ())
        return tuple(axis for axis, side in sides if any(isinstance(rows, Expr) for rows in both_sides(side)))

    def cut(self, shape: Shape, axis: int) -> tuple[Size, Size, Size]:
        """What is cut is padding below 0."""
        before, after = both_sides(self.padding[axis])
        return shape[len(shape) - len(self.padding) + axis], -before, -after

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """A shift, unknown by a formula; values that padding repeats are not followed."""
        before, _ = both_sides(per_axis("padding", self.padding, len(sizes))[axis])
        return stencils.pad(before, self.mode) if isinstance(before, int) else None


@dataclass(frozen=True, eq=False, repr=False)
class Crop(Spatial):
    """Cropping by a number of rows, one per axis, or (before, after) pairs per axis.

    >>> Crop(4).out_shape((1, 64, 64, 64))
    (1, 64, 56, 56)
    """

    keeps_rows: ClassVar[bool] = True
    rows: Any

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, n - before - after, ...)."""
        batch, channels, sizes = self.split(shape)
        sides = per_axis("rows", self.rows, len(sizes))
        return (
            *batch,
            channels,
            *along(len(sizes), check, lambda axis, check: crop_out(sizes[axis], sides[axis], check=check)),
        )

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """A shift; unknown by a formula."""
        before, _ = both_sides(per_axis("rows", self.rows, len(sizes))[axis])
        return stencils.crop(before) if isinstance(before, int) else None


@dataclass(frozen=True, eq=False, repr=False)
class PadAxes(Layer):
    """Padding of the last axes, whatever they mean: (before, after) `sides` for each, in order; negative ones crop.

    >>> PadAxes(((0, 1), (0, 2), (0, 0))).out_shape((1, 55, 54, 96))
    (1, 56, 56, 96)
    """

    op: ClassVar[str] = "pad"
    memory: ClassVar[str] = "kept"
    outside: ClassVar[str] = named("mode")
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


@dataclass(frozen=True, eq=False, repr=False)
class _Align(Layer):
    """What takes a map and another whose spatial sizes the first is given."""

    keeps_rows: ClassVar[bool] = True
    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The first shape, with the spatial sizes of the second."""
        shape, like = shapes
        if len(shape) != len(like):
            raise BadShape(f"{self.op} takes shapes with equally many axes: got {written(shape)} and {written(like)}")
        batch, channels, sizes = self.split(shape)
        _, _, wanted = self.split(like)
        return (*batch, channels, *along(len(sizes), check, lambda i, check: self.size(sizes[i], wanted[i], check)))

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """Every crop is symmetric: `convcalc.arithmetic.exactness.check_symmetric_crop` on each axis."""
        (_, _, sizes), (_, _, wanted) = map(self.split, shapes)

        def centred(axis: int, check: Check) -> None:
            check_symmetric_crop(sizes[axis], smaller(sizes[axis], wanted[axis]), check=check)

        along(min(len(sizes), len(wanted)), check, centred)

    def size(self, n: Size, wanted: Size, check: Check) -> Size:
        """Return the size `wanted`, if `n` can be given it."""
        raise NotImplementedError

    def before(self, n: Size, wanted: Size) -> Size:
        """Return how many rows are cut before it."""
        raise NotImplementedError

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the first, moved by what is cut or put before it; unknown while symbols leave that open."""
        (_, _, sizes), (_, _, wanted) = map(self.split, shapes)
        first = len(shapes[0]) - len(sizes)
        reads = {first + axis: _moved(self.before(*pair)) for axis, pair in enumerate(zip(sizes, wanted, strict=True))}
        return fields[0].over(shapes[0], reads, output)


class CropTo(_Align):
    """The centre of a map, as large as another: (n - m)//2 rows are cut before, the rest after.

    The copy-and-crop of U-Net (O. Ronneberger, P. Fischer, T. Brox, arXiv:1505.04597).

    >>> CropTo().out_shape((1, 512, 64, 64), (1, 512, 56, 56))
    (1, 512, 56, 56)
    """

    def size(self, n: Size, wanted: Size, check: Check) -> Size:
        """`wanted`, which must not be larger than n."""
        at_least(1, check, n=wanted)
        check(
            n - wanted,
            lambda at: BadShape(
                f"a crop to {at(wanted)} needs at least as much: got {at(n)}; pad instead", rule="size >= cropped size"
            ),
        )
        return wanted

    def before(self, n: Size, wanted: Size) -> Size:
        """Half of what is cut, rounded down."""
        return (n - wanted) // 2


class PadTo(_Align):
    """A map with zeros around it, as large as another: (m - n)//2 rows before, the rest after.

    A map that is larger is cropped by the same rule, as torch's `pad` does with negative rows.

    >>> PadTo().out_shape((1, 512, 27, 28), (1, 256, 28, 28))
    (1, 512, 28, 28)
    """

    def size(self, n: Size, wanted: Size, check: Check) -> Size:
        """`wanted`."""
        at_least(1, check, n=wanted)
        return wanted

    def before(self, n: Size, wanted: Size) -> Size:
        """Less than none: half of what is put around it, rounded down."""
        return -((wanted - n) // 2)


def _moved(rows: Size) -> Footprint | None:
    if isinstance(rows, Expr) and rows.is_constant:
        rows = rows.constant
    return stencils.crop(rows) if isinstance(rows, int) else None
