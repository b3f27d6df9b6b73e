"""What every layer is: hyper-parameters, and a pure function from an input shape to an output shape.

Shapes are channels-first and include the batch, as torch's do: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
Hyper-parameters become one entry per axis at the door; a single entry stands for every axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias

from convcalc.conditions import Check, Reader, enforce
from convcalc.errors import BadArgument, BadShape, ConvcalcError
from convcalc.sizes import Size, exact

Shape: TypeAlias = tuple[Size, ...]
Ints: TypeAlias = Any  # int | Sequence[int] at the door, tuple[int, ...] inside
Sides: TypeAlias = tuple[Size, Size]
"""Padding (before, after) on one axis."""

AXES = {1: "L", 2: "HW", 3: "DHW"}
"""The letters of the spatial axes, by their number."""


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

    def params(self, shape: Shape) -> Size:
        """Return the number of parameters (elements) on an input of this shape; 0 unless the layer learns."""
        return 0

    def macs(self, shape: Shape) -> Size:
        """Return the multiply-accumulates on an input of this shape, bias additions not counted."""
        return 0

    def arguments(self) -> dict[str, Any]:
        """Return the hyper-parameters that differ from their defaults, in torch's words.

        >>> from convcalc.layers import Conv
        >>> Conv(64, 3, padding=1).arguments()
        {'out_channels': 64, 'kernel_size': 3, 'padding': 1}
        """
        shown = {}
        for entry in fields(self):
            value = _short(getattr(self, entry.name))
            if entry.name != "axes" and value != entry.default:
                shown[entry.name] = value
        return shown

    def split(self, shape: Shape) -> tuple[Shape, Size, Shape]:
        """Return the batch (one size, or none), the channels and the spatial sizes of `shape`."""
        axes = len(shape) - 2 if self.axes is None else self.axes
        if axes not in AXES or len(shape) - axes not in (1, 2):
            wanted = [f"(N, C, {', '.join(AXES[count])})" for count in ([self.axes] if self.axes else AXES)]
            raise BadShape(f"{self.op} takes {' or '.join(wanted)}: got {_dims(shape)}, which has {len(shape)} axes")
        return shape[: len(shape) - axes - 1], shape[-axes - 1], shape[-axes:]

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _dims(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"


def _short(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    value = tuple(entry[0] if isinstance(entry, tuple) and entry[0] == entry[1] else entry for entry in value)
    return value[0] if all(entry == value[0] for entry in value) else value


def per_axis(name: str, value: Ints) -> tuple[int, ...]:
    """Return an int, or a sequence of one int per axis, as a tuple: the door.

    >>> per_axis("stride", 2), per_axis("stride", [2, 1])
    ((2,), (2, 1))
    """
    entries = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    if not entries:
        raise BadArgument(f"{name} needs at least one entry")
    return exact(" ".join([name] * len(entries)), *entries)


def padding_per_axis(value: Any) -> tuple[Sides, ...] | str:
    """Return padding as a pair (before, after) per axis, or as its name.

    >>> padding_per_axis(1), padding_per_axis((1, 2)), padding_per_axis([(0, 1), 2]), padding_per_axis("same")
    (((1, 1),), ((1, 1), (2, 2)), ((0, 1), (2, 2)), 'same')
    """
    if isinstance(value, str):
        return value
    sides = []
    for entry in value if isinstance(value, Sequence) else (value,):
        pair = tuple(entry) if isinstance(entry, Sequence) and not isinstance(entry, str) else (entry, entry)
        if len(pair) != 2:
            raise BadArgument(f"padding on one axis is a number or a pair (before, after): {entry!r}")
        before, after = exact("padding padding", *pair)
        sides.append((before, after))
    return tuple(sides)


def spread(name: str, entries: Sequence[Any] | str, axes: int) -> Sequence[Any]:
    """Return one entry per axis: a single one stands for all.

    >>> spread("stride", (2,), 3)
    (2, 2, 2)
    """
    if isinstance(entries, str):
        return (entries,) * axes
    if len(entries) == 1:
        return (entries[0],) * axes
    if len(entries) != axes:
        raise BadArgument(f"{name} has {len(entries)} entries for {axes} spatial axes: {tuple(entries)}")
    return entries


def along(axes: int, check: Check, size: Callable[[int, Check], Size]) -> Shape:
    """Return `size(axis, check)` for each axis; what is refused names its axis where there are several."""
    if axes == 1:
        return (size(0, check),)
    return tuple(size(axis, _named(f"axis {AXES[axes][axis]}", check)) for axis in range(axes))


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
