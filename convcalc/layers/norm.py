"""Normalization: what is scaled by statistics, and over which axes those are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.axis import SELF_AND_ALL
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import identity
from convcalc.layers.activation import Pointwise
from convcalc.layers.base import Ints, Shape, must_be_channels, must_equal, must_group, product, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size

_STATISTICS = SELF_AND_ALL
"""What is scaled by statistics reads itself, and everything that they are of."""


class _Affine(Pointwise):
    """What learns a weight and a bias for each channel."""

    affine: bool

    def params(self, shape: Shape, /) -> Size:
        """2*C: a weight and a bias for each channel; 0 without `affine`."""
        return 2 * shape[1] if self.affine else 0


@dataclass(frozen=True, eq=False, repr=False)
class BatchNorm(_Affine):
    """Batch normalization (torch's `BatchNorm1d`, `2d`, `3d`): pointwise at evaluation, by stored statistics.

    `num_features` is the input's channels unless given. In `training` the statistics are those of the batch, so that
    every output reads everything.

    >>> BatchNorm().out_shape((1, 64, 56, 56)), BatchNorm().params((1, 64, 56, 56))
    ((1, 64, 56, 56), 128)
    """

    num_features: int | None = None
    _: KW_ONLY
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    training: bool = False

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input; in training everything but other channels, beside it."""
        wide = [axis for axis in range(len(output)) if axis != 1] if self.training else []
        return fields[0].over(output, dict.fromkeys(wide, _STATISTICS), output)

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself: (N, C) or (N, C, ...)."""
        _check_rank(self.op, shape, 2)
        must_be_channels("num_features", self.num_features, shape[1], check)
        return shape

    def levels(self, channels: Size) -> str:
        """Of the batch."""
        return "batch"


class _SpatialNorm(_Affine):
    """What takes statistics over all spatial axes at evaluation too: every output reads everything."""

    def channels_read(self, channels: Size) -> Footprint | None:
        """Return what each output channel reads of the input's channels, which may carry positions after a view."""
        return identity()

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything, beside the field of the input."""
        reads = dict.fromkeys(range(2, len(output)), _STATISTICS)
        return fields[0].over(output, {1: self.channels_read(output[1]), **reads}, output)


@dataclass(frozen=True, eq=False, repr=False)
class GroupNorm(_SpatialNorm):
    """Group normalization (torch's `GroupNorm`; Y. Wu and K. He, arXiv:1803.08494): statistics of a group over space.

    `num_channels` is the input's channels unless given.

    >>> GroupNorm(32).out_shape((1, 64, 8, 8)), GroupNorm(32).params((1, 64, 8, 8))
    ((1, 64, 8, 8), 128)
    """

    num_groups: int
    num_channels: int | None = None
    _: KW_ONLY
    eps: float = 1e-5
    affine: bool = True

    def channels_read(self, channels: Size) -> Footprint | None:
        """All of them, where they are one group; those of its group are not followed."""
        return _STATISTICS if self.num_groups == 1 else None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself; num_groups must divide the channels, and a group have two values or more."""
        _check_rank(self.op, shape, 2)
        at_least(1, check, num_groups=self.num_groups)
        must_be_channels("num_channels", self.num_channels, shape[1], check)
        channels, groups = shape[1], self.num_groups
        must_group("num_groups", groups, "num_channels", channels, check)
        _check_several(shape[0] * (channels // groups) * product(shape[2:]), "a group", check)
        return shape

    def levels(self, channels: Size) -> str:
        """Of each sample, where a group is one channel."""
        return "sample" if self.num_groups == channels else ""


@dataclass(frozen=True, eq=False, repr=False)
class InstanceNorm(_SpatialNorm):
    """Instance normalization (torch's `InstanceNorm1d`, `2d`, `3d`): statistics of each channel over space.

    `num_features` is the input's channels unless given.

    >>> InstanceNorm().params((1, 64, 8, 8)), InstanceNorm(affine=True).params((1, 64, 8, 8))
    (0, 128)
    """

    num_features: int | None = None
    _: KW_ONLY
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = False
    track_running_stats: bool = False

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself, (N, C, ...), with two positions or more to take statistics of."""
        _check_rank(self.op, shape, 3)
        must_be_channels("num_features", self.num_features, shape[1], check)
        if not self.track_running_stats:
            _check_several(product(shape[2:]), "a channel", check)
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything, beside the field of the input; by stored statistics, if it has them, that field alone."""
        return fields[0] if self.track_running_stats else super().through(fields, shapes, output)

    def levels(self, channels: Size) -> str:
        """Of each sample."""
        return "sample"


@dataclass(frozen=True, eq=False, repr=False)
class LayerNorm(Pointwise):
    """Layer normalization (torch's `LayerNorm`): statistics over the last axes, whose sizes are `normalized_shape`.

    >>> LayerNorm((8, 8)).out_shape((1, 64, 8, 8)), LayerNorm((8, 8)).params((1, 64, 8, 8))
    ((1, 64, 8, 8), 128)
    """

    memory: ClassVar[str] = "ordered"
    normalized_shape: Ints
    _: KW_ONLY
    eps: float = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    @property
    def sizes(self) -> tuple[int, ...]:
        """normalized_shape as a tuple."""
        return self.normalized_shape if isinstance(self.normalized_shape, tuple) else (self.normalized_shape,)

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself, which must end with normalized_shape."""
        sizes = self.sizes
        if not sizes:
            raise BadArgument("normalized_shape needs one size or more: ()")
        _check_rank(self.op, shape, len(sizes))
        last = shape[-len(sizes) :]
        for size, wanted in zip(last, sizes, strict=True):
            must_equal(
                size,
                wanted,
                check,
                lambda at: BadShape(
                    f"normalized_shape is {written(sizes)} but the input ends with {written(last, at)}",
                    rule="the last axes equal normalized_shape",
                ),
            )
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along the axes it normalizes over, beside the field of the input."""
        wide = range(len(output) - len(self.sizes), len(output))
        return fields[0].over(output, dict.fromkeys(wide, _STATISTICS), output)

    def params(self, shape: Shape, /) -> Size:
        """A weight and, with `bias`, a bias for each place of normalized_shape; 0 without `elementwise_affine`."""
        return product(self.sizes) * (1 + self.bias) if self.elementwise_affine else 0


def _check_rank(op: str, shape: Shape, least: int) -> None:
    if len(shape) < least:
        raise BadShape(f"{op} takes a shape of {least} axes or more: got {written(shape)}")


def _check_several(values: Size, whose: str, check: Check) -> None:
    """Torch refuses statistics of a single value."""
    check(
        values - 2,
        lambda at: BadShape(
            f"the statistics of {whose} need 2 values or more: got {at(values)}", rule="more than one value"
        ),
    )
