"""What every layer is: hyper-parameters, and a pure function from an input shape to an output shape.

Shapes are channels-first and include the batch, as torch's do: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
A hyper-parameter is one value for all axes, or a tuple with one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any, Self, TypeAlias

from convcalc.errors import BadArgument, BadShape, ConvcalcError
from convcalc.footprints.field import Field
from convcalc.layers.door import ASKED_OF_SHAPES, of_shapes, read_setting, refuse_pasted
from convcalc.layers.traits import Traits
from convcalc.render.words import spelled
from convcalc.sizes.axes import AXES, axis_names
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, larger, smaller

Shape: TypeAlias = tuple[Size, ...]
Settings: TypeAlias = tuple[int, int, Any, int]
"""Kernel size, stride, padding as given and dilation on one axis."""
Ints: TypeAlias = Any  # int | tuple[int, ...], one entry per axis


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Traits):
    """One operation on tensors: on one, or on as many as `takes` says (fewest and most; None for any number).

    `axes` is the number of spatial axes; None takes it from the shape. It is needed for shapes without a
    batch, which torch accepts too. Every layer is a dataclass that is frozen, with `eq=False, repr=False`: it is
    compared, hashed and written as it says here, as writing that code anew for each class was half of the import.
    """

    axes: int | None = field(default=None, kw_only=True)

    def __init_subclass__(cls) -> None:
        """Name it, put the door before the methods that it defines, and keep its `repr` from being a dataclass's."""
        super().__init_subclass__()
        if "op" not in vars(cls) and not isinstance(cls.op, property):
            cls.op = cls.__name__.lower()
        for name in ASKED_OF_SHAPES:
            if name in vars(cls):
                setattr(cls, name, of_shapes(vars(cls)[name]))
        cls.__repr__ = Layer.__repr__  # type: ignore[method-assign]

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        """The layer as one would write it, without what is by default."""
        named = self.arguments()
        values = []
        for entry in fields(self):
            if entry.kw_only:
                continue
            if entry.name not in named:
                break
            values.append(named.pop(entry.name))
        return spelled(type(self).__name__, values, named if self.axes is None else {**named, "axes": self.axes})

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Refuse torch's positional arguments where they mean something else here, and write the line that is meant."""
        if values:
            refuse_pasted(cls, values, settings)
        return super().__new__(cls)

    @of_shapes
    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """Return the output shape; raises `convcalc.errors.Refused` where torch would refuse the input."""
        raise NotImplementedError

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """Return the shape of every output; where there are several, most layers give them one shape."""
        count: int = self.outputs
        return (self.out_shape(*shapes, check=check),) * count

    @property
    def depends_on_sizes(self) -> bool:
        """Whether a hyper-parameter is a formula in the sizes of a network's input, as a captured call may have it."""
        return any(map(_has_formula, vars(self).values()))

    def at(self, values: Mapping[str, Size]) -> Self:
        """Return the layer with values in the place of the symbols in its hyper-parameters.

        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import Upsample
        >>> Upsample(size=(2 * Expr.symbol("H"), 8)).at({"H": 5})
        Upsample(size=(10, 8))
        """
        return replace(self, **{name: _put(value, values) for name, value in vars(self).items() if _has_formula(value)})

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Return what the output reads of a network's input, given what each input of the layer reads of it."""
        return Field.unknown(len(fields[0].axes) if fields else 0)

    @of_shapes
    def params(self, *shapes: Shape) -> Size:
        """Return the number of parameters (elements) on inputs of these shapes; 0 unless the layer learns."""
        return 0

    @of_shapes
    def macs(self, *shapes: Shape) -> Size:
        """Return the multiply-accumulates on inputs of these shapes, bias additions not counted."""
        return 0

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)):  # type: ignore[arg-type]  # a class has a hash
            value = getattr(self, name)
            read = read_setting(kind, name, value)
            if read is not value:
                object.__setattr__(self, name, read)

    def arguments(self) -> dict[str, Any]:
        """Return the hyper-parameters that differ from their defaults, in torch's words.

        >>> from convcalc.layers import Conv
        >>> Conv(64, 3, padding=1).arguments()
        {'out_channels': 64, 'kernel_size': 3, 'padding': 1}
        """
        defaults = type(self)  # a dataclass keeps the default of a field under its name
        return {
            name: value
            for name, value in vars(self).items()
            if name != "axes" and value != getattr(defaults, name, MISSING)
        }

    def split(self, shape: Shape) -> tuple[Shape, Size, Shape]:
        """Return the batch (one size, or none), the channels and the spatial sizes of `shape`."""
        if not isinstance(shape, tuple | list):
            raise BadArgument(f"{self.op} takes a shape, as (N, C, H, W): got {shape!r}")
        axes = len(shape) - 2 if self.axes is None else self.axes
        if axes not in AXES or len(shape) - axes not in (1, 2):
            wanted = [
                f"(N, C, {', '.join(axis_names(count))})" for count in ([self.axes] if self.axes in AXES else AXES)
            ]
            raise BadShape(f"{self.op} takes {' or '.join(wanted)}: got {written(shape)}, which has {len(shape)} axes")
        return shape[: len(shape) - axes - 1], shape[-axes - 1], shape[-axes:]


@cache
def _kinds(cls: type[Layer]) -> tuple[tuple[str, str], ...]:
    """Each hyper-parameter of a class, and how it is annotated."""
    return tuple(
        (entry.name, entry.type if isinstance(entry.type, str) else getattr(entry.type, "__name__", ""))
        for entry in fields(cls)
        if entry.init
    )


def _has_formula(value: Any) -> bool:
    return isinstance(value, Expr) or (isinstance(value, tuple) and any(map(_has_formula, value)))


def _put(value: Any, values: Mapping[str, Size]) -> Any:
    if isinstance(value, tuple):
        entries = [_put(entry, values) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
    return value(**{name: values[name] for name in value.symbols}) if isinstance(value, Expr) else value


def named(field: str) -> Any:
    """Return an attribute that is another: an `op` that is the name of a function, as many `outputs` as a count says.

    >>> from convcalc.layers import Map
    >>> Map("exp").op
    'exp'
    """
    return property(attrgetter(field))


def read_through(layer: Layer, before: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
    """Return the field of a layer's output, given the fields of its inputs; unknown where it has no short period.

    >>> from convcalc.layers import Conv
    >>> read_through(Conv(4, 3), [Field.start(1)], [(1, 3, 8)], (1, 4, 6)).axes[0].receptive_field
    3
    """
    if not any(field.reads_anything for field in before):
        return Field.nothing(len(before[0].axes))
    try:
        return layer.through(before, shapes, output)
    except ConvcalcError:
        return Field.unknown(len(before[0].axes))


def written(shape: Shape, at: Reader = str) -> str:
    """Return a shape as text, each size as it stands where a condition failed, if `at` reads it there.

    >>> written((1, 3, 224, 224))
    '(1, 3, 224, 224)'
    """
    return f"({', '.join(str(at(size)) for size in shape)})"


def replaced(shape: Shape, axis: int, *sizes: Size) -> Shape:
    """Return a shape with `sizes` in the place of that of an axis.

    >>> replaced((1, 64, 7), 1, 8, 8), replaced((1, 64, 7), 1)
    ((1, 8, 8, 7), (1, 7))
    """
    return (*shape[:axis], *sizes, *shape[axis + 1 :])


def named_axis(axis: int, rank: int) -> str:
    """Return the name of an axis of a shape (N, C, ...).

    >>> named_axis(1, 4), named_axis(3, 4)
    ('axis C', 'axis W')
    """
    names = ("N", "C", *axis_names(rank - 2)) if rank - 2 in (0, *AXES) else tuple(map(str, range(rank)))
    return f"axis {names[axis]}"


def axis_of(op: str, name: str, dim: int, shape: Shape) -> int:
    """Return the axis that `dim`, counted from the end if negative, means in `shape`.

    >>> axis_of("flatten", "end_dim", -1, (1, 16, 5, 5))
    3
    """
    if not -len(shape) <= dim < len(shape):
        raise BadArgument(f"{op}: {name}={dim} but the shape {written(shape)} has {len(shape)} axes")
    return dim % len(shape)


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


def must_be_channels(name: str, wanted: Size | None, channels: Size, check: Check) -> None:
    """Hand to `check` that there are as many channels as hyper-parameter `name` says, if it says so."""
    if wanted is not None:
        must_equal(
            channels,
            wanted,
            check,
            lambda at: BadShape(
                f"{name}={wanted} but the input has {at(channels)} channels",
                rule=f"input channels == {name}",
                fixes=[f"{name}={at(channels)}"],
            ),
        )


def must_end_with(name: str, wanted: Size | None, shape: Shape, check: Check) -> None:
    """Hand to `check` that the last axis has the size that hyper-parameter `name` says, if it says so."""
    if wanted is not None:
        must_equal(
            shape[-1],
            wanted,
            check,
            lambda at: BadShape(
                f"{name}={wanted} but the last axis of {written(shape, at)} is {at(shape[-1])}",
                rule=f"the last axis equals {name}",
                fixes=[f"{name}={at(shape[-1])}"],
            ),
        )


def must_agree(shape: Shape, wanted: Shape, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand to `check` that two shapes are one; raise at once where they have not as many axes."""
    if len(shape) != len(wanted):
        raise error(lambda size: size)
    for have, want in zip(shape, wanted, strict=True):
        must_equal(have, want, check, error)


def must_equal_or_be_one(a: Size, b: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `a == b or a == 1` to `check`."""
    check(-smaller(larger(a - b, b - a), larger(a - 1, 1 - a)), error)


def must_divide(divisor: Size, size: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `size % divisor == 0` to `check`."""
    check(-(size % divisor), error)


def must_group(name: str, groups: int, counted: str, count: Size, check: Check) -> None:
    """Hand to `check` that hyper-parameter `name` divides a count of channels."""
    must_divide(
        groups,
        count,
        check,
        lambda at: BadShape(f"`{name}`={groups} must divide `{counted}`={at(count)}", rule=f"{counted} % {name} == 0"),
    )
