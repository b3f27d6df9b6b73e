"""What every layer is: hyper-parameters, and a pure function from an input shape to an output shape.

Shapes are channels-first and include the batch, as torch's do: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
A hyper-parameter is one value for all axes, or a tuple with one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias

from convcalc.axes import AXES, axis_names
from convcalc.conditions import Check, Reader, enforce
from convcalc.errors import BadShape, ConvcalcError
from convcalc.footprint import Footprint
from convcalc.sizes import Size

Shape: TypeAlias = tuple[Size, ...]
Ints: TypeAlias = Any  # int | tuple[int, ...], one entry per axis


@dataclass(frozen=True)
class Layer:
    """One operation on tensors.

    `axes` is the number of spatial axes; None takes it from the shape. It is needed for shapes without a
    batch, which torch accepts too.
    """

    op: ClassVar[str] = ""
    axes: int | None = field(default=None, kw_only=True)

    def out_shape(self, shape: Shape, *, check: Check = enforce) -> Shape:
        """Return the output shape; raises `convcalc.errors.Refused` where torch would refuse the input."""
        raise NotImplementedError

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """Hand to `check` what must hold for the input to be used in full: see `convcalc.exactness`.

        >>> from convcalc.conditions import Conditions
        >>> from convcalc.expr import Expr
        >>> from convcalc.layers import MaxPool
        >>> needs = Conditions()
        >>> MaxPool(2).check_exact((1, 3, Expr.symbol("n")), check=needs)
        >>> [str(value) for value in needs.open]
        ['2*(n//2) - n']
        """

    def footprints(self, shape: Shape) -> tuple[Footprint | None, ...]:
        """Return what each output reads on each spatial axis; None where that is no periodic map.

        >>> from convcalc.layers import Conv
        >>> Conv(8, 3, stride=2).footprints((1, 3, 32, 32))[0].receptive_field
        3
        """
        _, _, sizes = self.split(shape)
        return tuple(self.footprint(axis, sizes) for axis in range(len(sizes)))

    def footprint(self, axis: int, sizes: Shape) -> Footprint | None:
        """Return what each output reads along one axis of the spatial `sizes`."""
        raise NotImplementedError

    def params(self, shape: Shape) -> Size:
        """Return the number of parameters (elements) on an input of this shape; 0 unless the layer learns."""
        return 0

    def macs(self, shape: Shape) -> Size:
        """Return the multiply-accumulates on an input of this shape, bias additions not counted."""
        return 0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, list):
                object.__setattr__(self, entry.name, tuple(value))

    def arguments(self) -> dict[str, Any]:
        """Return the hyper-parameters that differ from their defaults, in torch's words.

        >>> from convcalc.layers import Conv
        >>> Conv(64, 3, padding=1).arguments()
        {'out_channels': 64, 'kernel_size': 3, 'padding': 1}
        """
        values = {entry.name: (getattr(self, entry.name), entry.default) for entry in fields(self)}
        return {name: value for name, (value, default) in values.items() if name != "axes" and value != default}

    def split(self, shape: Shape) -> tuple[Shape, Size, Shape]:
        """Return the batch (one size, or none), the channels and the spatial sizes of `shape`."""
        axes = len(shape) - 2 if self.axes is None else self.axes
        if axes not in AXES or len(shape) - axes not in (1, 2):
            wanted = [f"(N, C, {', '.join(axis_names(count))})" for count in ([self.axes] if self.axes else AXES)]
            got = f"({', '.join(map(str, shape))})"
            raise BadShape(f"{self.op} takes {' or '.join(wanted)}: got {got}, which has {len(shape)} axes")
        return shape[: len(shape) - axes - 1], shape[-axes - 1], shape[-axes:]


def along(axes: int, check: Check, size: Callable[[int, Check], Size]) -> Shape:
    """Return `size(axis, check)` for each axis; what is refused names its axis where there are several."""
    if axes == 1:
        return (size(0, check),)
    names = axis_names(axes)
    return tuple(size(axis, _named(f"axis {names[axis]}", check)) for axis in range(axes))


def _named(place: str, check: Check) -> Check:
    def check_here(value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        check(value, lambda at: error(at).at(place))

    return check_here


def product(values: Sequence[Size]) -> Size:
    """Return the product of sizes of any kind.

    >>> product((2, 3, 7))
    42
    """
    total: Size = 1
    for value in values:
        total = total * value
    return total


def must_equal(a: Size, b: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `a == b` to `check`, as two inequalities."""
    check(a - b, error)
    check(b - a, error)


def must_divide(divisor: Size, size: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `size % divisor == 0` to `check`."""
    check(-(size % divisor), error)
