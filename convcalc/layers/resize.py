"""Other sizes: upsampling, interpolation, pixel shuffle, and values at the places of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.arithmetic.resizing import interpolate_out, pixel_shuffle_out, pixel_unshuffle_out
from convcalc.errors import BadArgument, BadShape
from convcalc.footprints import stencils
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Layer, Shape, must_divide, must_equal, named, written
from convcalc.layers.pool import average_needs_channels
from convcalc.layers.spatial import Spatial, along, check_any_channels
from convcalc.sizes.axes import per_axis
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size, is_symbolic

MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
"""The modes of interpolation and the numbers of spatial axes each takes."""


@dataclass(frozen=True, eq=False, repr=False)
class Upsample(Spatial):
    """Interpolation (torch's `Upsample`) to a `size`, or by a `scale_factor`, one entry per axis.

    >>> Upsample(scale_factor=2).out_shape((1, 8, 7, 7)), Upsample(size=(4, 9), mode="bilinear").out_shape((1, 8, 7, 7))
    ((1, 8, 14, 14), (1, 8, 4, 9))
    """

    is_followed: ClassVar[bool] = True
    outside: ClassVar[str] = "replicate"
    keeps_rows: ClassVar[bool] = True
    scaled: ClassVar[Any] = named("scale_factor")
    _: KW_ONLY
    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool = False
    """Whether the first and last values keep their places; the scale then depends on the size."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.size is None) == (self.scale_factor is None):
            raise BadArgument("upsample takes a size or a scale_factor, and not both")
        if self.mode not in MODES:
            raise BadArgument(f"unknown mode {self.mode!r}: use one of {', '.join(MODES)}")

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C, o, ...) with o = `convcalc.arithmetic.resizing.interpolate_out` on each axis."""
        batch, channels, sizes = self.split(shape)
        if not batch:
            raise BadShape(f"upsample needs a batch axis: got {len(shape)} axes")
        axes = len(sizes)
        if axes not in MODES[self.mode]:
            counts = " or ".join(map(str, MODES[self.mode]))
            raise BadShape(f"mode {self.mode!r} takes {counts} spatial axes: got {axes}")
        wanted = per_axis("size", self.size, axes)
        factor = per_axis("scale_factor", self.scale_factor, axes)
        least = 0 if self.mode == "area" else 1

        def size(axis: int, check: Check) -> Size:
            return interpolate_out(sizes[axis], wanted[axis], factor[axis], least=least, check=check)

        outs = along(axes, check, size)
        if self.mode != "area" or average_needs_channels(outs):  # "area" is torch's adaptive average pooling
            check_any_channels(channels, check)
        return (*batch, channels, *outs)

    @property
    def shares_out(self) -> bool:
        """Whether it is adaptive pooling: torch's "area"."""
        return self.mode == "area"

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """The reads of a fixed scale; None for "area" and align_corners, and for a `size` on a symbol."""
        kind = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(self.mode, self.mode)
        if kind == "area" or self.align_corners:
            return None
        if self.scale_factor is not None:
            return stencils.resize(per_axis("scale_factor", self.scale_factor, len(sizes))[axis], kind)
        if is_symbolic(sizes[axis]):
            return None
        return stencils.resize(Fraction(per_axis("size", self.size, len(sizes))[axis], sizes[axis]), kind)


class _Shuffled(Spatial):
    """What has channels and positions change places."""

    memory: ClassVar[str] = "ordered"

    def channels_read(self, channels: Size) -> Footprint | None:
        """Not followed."""
        return None


@dataclass(frozen=True, eq=False, repr=False)
class PixelShuffle(_Shuffled):
    """(N, C*r*r, H, W) -> (N, C, H*r, W*r) with r = `upscale_factor` (torch's `PixelShuffle`).

    >>> PixelShuffle(2).out_shape((1, 12, 5, 6))
    (1, 3, 10, 12)
    """

    upscale_factor: int

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C/r**2, H*r, W*r); r**2 must divide the channels."""
        batch, channels, sizes = self.split(shape)
        r = self.upscale_factor
        at_least(1, check, upscale_factor=r)
        _two_axes(self.op, len(sizes))
        must_divide(
            r * r,
            channels,
            check,
            lambda at: BadShape(
                f"upscale_factor**2 = {r * r} must divide the channels: got {at(channels)}",
                rule="channels % upscale_factor**2 == 0",
            ),
        )
        sizes = along(2, check, lambda axis, check: pixel_shuffle_out(sizes[axis], r, check=check))
        return (*batch, channels // (r * r), *sizes)

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """r neighbours read one input."""
        factor = self.upscale_factor
        return None if is_symbolic(factor) else stencils.pixel_shuffle(factor)


@dataclass(frozen=True, eq=False, repr=False)
class PixelUnshuffle(_Shuffled):
    """(N, C, H*r, W*r) -> (N, C*r*r, H, W) with r = `downscale_factor` (torch's `PixelUnshuffle`).

    >>> PixelUnshuffle(2).out_shape((1, 3, 10, 12))
    (1, 12, 5, 6)
    """

    downscale_factor: int

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """(N, C*r**2, H/r, W/r); r must divide both sizes."""
        batch, channels, sizes = self.split(shape)
        r = self.downscale_factor
        _two_axes(self.op, len(sizes))
        sizes = along(2, check, lambda axis, check: pixel_unshuffle_out(sizes[axis], r, check=check))
        return (*batch, channels * r * r, *sizes)

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """An output reads r neighbours."""
        factor = self.downscale_factor
        return None if is_symbolic(factor) else stencils.pixel_unshuffle(factor)


def _two_axes(op: str, axes: int) -> None:
    if axes != 2:
        raise BadShape(f"{op} takes 2 spatial axes: got {axes}")


@dataclass(frozen=True, eq=False, repr=False)
class AffineGrid(Layer):
    """Where an affine map (N, axes, axes + 1) takes each position of an image of `sizes` (torch's `affine_grid`).

    >>> AffineGrid((1, 3, 8, 9)).out_shape((1, 2, 3))
    (1, 8, 9, 2)
    """

    sizes: Shape

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(N, *sizes, axes)."""
        axes = len(self.sizes) - 2
        if len(shape) != 3 or shape[1:] != (axes, axes + 1):
            raise BadShape(f"affinegrid to {written(self.sizes)} takes (N, {axes}, {axes + 1}): got {written(shape)}")
        return (self.sizes[0], *self.sizes[2:], axes)


@dataclass(frozen=True, eq=False, repr=False)
class GridSample(Layer):
    """Values of an input (N, C, ...) at the places of a grid (N, *sizes, axes) (torch's `grid_sample`).

    >>> GridSample().out_shape((1, 64, 32, 32), (1, 8, 9, 2))
    (1, 64, 8, 9)
    """

    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(N, C, *sizes of the grid)."""
        shape, grid = shapes
        if len(shape) != len(grid):
            raise BadShape(f"gridsample takes an input and a grid of as many axes: got {len(shape)} and {len(grid)}")

        def error(at: Reader) -> BadShape:
            got = " and ".join(written(one, at) for one in shapes)
            return BadShape(
                f"gridsample takes a grid (N, *sizes, {len(shape) - 2}) for (N, C, ...): got {got}",
                rule="a coordinate for each axis, a grid for each sample",
            )

        must_equal(shape[0], grid[0], check, error)
        must_equal(grid[-1], len(shape) - 2, check, error)
        return (*shape[:2], *grid[1:-1])

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything: the grid may point anywhere."""
        return replace(Field.everything(len(fields[0].axes)), exact=False)
