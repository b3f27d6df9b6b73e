"""What works on each value alone: activations, dropout, softmax; named as in `torch.nn`.

Classes that add no hyper-parameter inherit all that makes them values, and need no decorator of their own, which
would cost half a millisecond of import each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.axis import SELF_AND_ALL
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, axis_of, must_divide, must_equal, named, replaced
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Pointwise(Layer):
    """What keeps the shape and reads position j for output j, on tensors of any rank.

    >>> ReLU().out_shape((1, 6, 28, 28)), Sigmoid().out_shape((1, 120))
    ((1, 6, 28, 28), (1, 120))
    """

    memory: ClassVar[str] = "kept"
    is_pointwise: ClassVar[bool] = True

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself."""
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input."""
        return fields[0]


class Identity(Pointwise):
    """Nothing at all (torch's `Identity`)."""


class ReLU(Pointwise):
    """max(0, x)."""


class ReLU6(Pointwise):
    """min(max(0, x), 6)."""


@dataclass(frozen=True, eq=False, repr=False)
class LeakyReLU(Pointwise):
    """max(0, x) + negative_slope * min(0, x)."""

    negative_slope: float = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class ELU(Pointwise):
    """x, or alpha * (exp(x) - 1) below 0."""

    alpha: float = 1.0


class Sigmoid(Pointwise):
    """1/(1 + exp(-x))."""


class Tanh(Pointwise):
    """tanh(x)."""


class GELU(Pointwise):
    """x * Phi(x), Phi the normal distribution function."""


class SiLU(Pointwise):
    """x * sigmoid(x), also called swish."""


class Mish(Pointwise):
    """x * tanh(softplus(x))."""


class Softplus(Pointwise):
    """log(1 + exp(x))."""


class Hardswish(Pointwise):
    """x * min(max(0, x + 3), 6)/6."""


class Hardsigmoid(Pointwise):
    """min(max(0, x + 3), 6)/6."""


@dataclass(frozen=True, eq=False, repr=False)
class Dropout(Pointwise):
    """Each value zeroed with probability `p` in training; nothing at evaluation."""

    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.p, int | float) and not 0 <= self.p <= 1:
            raise BadArgument(f"p is a probability, from 0 to 1: {self.p}")


@dataclass(frozen=True, eq=False, repr=False)
class PReLU(Pointwise):
    """`LeakyReLU` with a learned slope: one for all channels, or `num_parameters` for as many channels.

    >>> PReLU(8).params((1, 8, 5, 5))
    8
    """

    num_parameters: int = 1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself; the channels must number num_parameters unless that is 1."""
        if self.num_parameters != 1:
            channels = shape[1] if len(shape) > 1 else 1
            must_equal(
                channels,
                self.num_parameters,
                check,
                lambda at: BadShape(
                    f"num_parameters={self.num_parameters} but the input has {at(channels)} channels",
                    rule="num_parameters == 1 or input channels == num_parameters",
                    fixes=[f"num_parameters={at(channels)}", "num_parameters=1"],
                ),
            )
        return shape

    def params(self, shape: Shape, /) -> Size:
        """num_parameters."""
        return self.num_parameters


@dataclass(frozen=True, eq=False, repr=False)
class Softmax(Pointwise):
    """exp(x) over its sum along axis `dim`; over a spatial axis every output reads that whole axis.

    >>> Softmax(dim=1).out_shape((1, 10))
    (1, 10)
    """

    memory: ClassVar[str] = "ordered"
    _: KW_ONLY
    dim: int = 1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape itself, which must have the axis."""
        axis_of("softmax", "dim", self.dim, shape)
        return shape

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input, and everything along `dim`."""
        axis = axis_of("softmax", "dim", self.dim, output)
        return fields[0].over(output, {axis: SELF_AND_ALL}, output)


@dataclass(frozen=True, eq=False, repr=False)
class GLU(Layer):
    """a * sigmoid(b), where a and b are the halves of axis `dim` (torch's `GLU`).

    >>> GLU(1).out_shape((1, 64, 100))
    (1, 32, 100)
    """

    memory: ClassVar[str] = "kept"
    dim: int = -1

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """Half of that axis, which must be even."""
        axis = axis_of("glu", "dim", self.dim, shape)
        must_divide(
            2,
            shape[axis],
            check,
            lambda at: BadShape(f"glu halves axis {axis}, which is {at(shape[axis])}: an odd size"),
        )
        return replaced(shape, axis, shape[axis] // 2)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the input; unknown on axes that carry positions along the one that is halved."""
        return fields[0].over(shapes[0], {axis_of("glu", "dim", self.dim, output): None}, output)


@dataclass(frozen=True, eq=False, repr=False)
class Map(Pointwise):
    """A function of each value alone, such as `exp` or a comparison with a number.

    >>> Map("exp").op, Map("exp").out_shape((1, 8, 5))
    ('exp', (1, 8, 5))
    """

    op: ClassVar[str] = named("function")
    function: str
