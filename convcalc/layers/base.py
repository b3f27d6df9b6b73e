"""What every layer is: hyper-parameters, and a pure function from an input shape to an output shape.

Shapes are channels-first and include the batch, as torch's do: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
A hyper-parameter is one value for all axes, or a tuple with one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Self, TypeAlias

from convcalc.errors import BadArgument, BadShape, ConvcalcError
from convcalc.footprints.field import Field
from convcalc.layers.door import ASKED_OF_SHAPES, of_shapes
from convcalc.layers.pasted import refuse_pasted
from convcalc.layers.settings import read_setting
from convcalc.render.spelled import spelled
from convcalc.sizes.axes import AXES, axis_names
from convcalc.sizes.branch import Branch
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, larger, smaller

Shape: TypeAlias = tuple[Size, ...]
Settings: TypeAlias = tuple[int, int, Any, int]
"""Kernel size, stride, padding as given and dilation on one axis."""
Ints: TypeAlias = Any  # int | tuple[int, ...], one entry per axis


@dataclass(frozen=True)
class Layer:
    """One operation on tensors: on one, or on as many as `takes` says (fewest and most; None for any number).

    `axes` is the number of spatial axes; None takes it from the shape. It is needed for shapes without a
    batch, which torch accepts too.
    """

    op: ClassVar[str] = ""
    takes: ClassVar[tuple[int, int | None]] = (1, 1)
    torch_order: ClassVar[tuple[str, ...]] = ()
    """What torch's class takes by position, where that is more or other than ours."""
    outputs: ClassVar[Any] = 1
    """How many tensors come out; a property where that depends on hyper-parameters."""
    unread: ClassVar[Any] = 0
    """How many of its last inputs matter by their shapes alone; their values are not read."""
    is_known: ClassVar[bool] = True
    """Whether it has a rule; without, its shapes were measured at one size."""
    is_source: ClassVar[bool] = False
    """Whether it stands for a tensor that no call computes: a parameter, a buffer, a constant."""
    reads_values: ClassVar[bool] = True
    """Whether what comes out depends on the values of its inputs, and not on their shapes alone."""
    hides: ClassVar[Any] = False
    """Whether it may read the network's input where none of its own inputs does."""
    outside: ClassVar[Any] = "zeros"
    """What it takes for rows outside of a map, in the words of torch's padding modes; "around", its other end."""
    keeps_rows: ClassVar[bool] = False
    """Whether rows stay in their order, whatever their number: windows, resizing, padding, crops."""
    is_pointwise: ClassVar[bool] = False
    """Whether it keeps the shape, place by place."""
    shares_out: ClassVar[Any] = False
    """Whether it cuts an axis into as many windows as there are outputs, as adaptive pooling does."""
    ceil_mode = False
    """Whether a last window that is not full counts."""
    memory: ClassVar[Any] = "ordered"
    """How its values lie in memory: anew, one after another ("ordered") or in the order of its input ("kept"; "joined",
    where its inputs agree); where they were ("viewed"; "turned", on other axes); "flat", viewed where they can be, else
    ordered; "mixed", in any order. See `strides`."""
    looks_up: ClassVar[tuple[int, int | None] | None] = None
    """Which input holds indices, and which they count in along `dim`; none where that is a table of its own."""
    joins: ClassVar[bool] = False
    """Whether it puts its inputs one after another."""
    is_walked: ClassVar[bool] = False
    """Whether a loop over what it gives may treat all alike: see `any_number`."""
    ways: ClassVar[int] = 0
    """In how many ways the number of its outputs may come about that only a run shows."""
    scaled: ClassVar[Any] = None
    """What it multiplies sizes by in floating point, one for all axes or one for each."""
    sized: ClassVar[frozenset[str]] = frozenset(
        {"sizes", "size", "counts", "sides", "padding", "output_size", "shifts", "items", "scale_factor", "kernel_size"}
        | {"stride", "chunks", "upscale_factor", "downscale_factor"}
    )
    """The hyper-parameters that a size may hide in which lost its formula."""
    axes: int | None = field(default=None, kw_only=True)

    def __init_subclass__(cls) -> None:
        """Put the door before the methods that a layer defines, and keep its `repr` from being a dataclass's."""
        super().__init_subclass__()
        for name in ASKED_OF_SHAPES:
            if name in vars(cls):
                setattr(cls, name, of_shapes(vars(cls)[name]))
        cls.__repr__ = Layer.__repr__  # type: ignore[method-assign]

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

    @property
    def is_counted(self) -> bool:
        """Whether `macs` are all that it does."""
        return True

    @property
    def is_held(self) -> bool:
        """Whether it only reads what the module holds, a parameter or a buffer: no value is computed."""
        return False

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

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """Return what must hold for the layer to be this one, as a branch of the model does; for most nothing.

        It may give as many tensors, or as many axes, at some sizes alone.

        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import Unbind
        >>> [str(branch) for branch in Unbind(3).path((Expr.symbol("n"), 8))]
        ['n == 3']
        """
        return ()

    def windows(self, shape: Shape) -> Sequence[Settings]:
        """Return the settings of its windows on each spatial axis; none where it takes no windows.

        >>> from convcalc.layers import Conv
        >>> Conv(8, 3, padding=(1, 0)).windows((1, 3, 8, 8))
        [(3, 1, 1, 1), (3, 1, 0, 1)]
        """
        return ()

    def border(self, shape: Shape) -> tuple[tuple[Size, Size], ...] | None:
        """Return the rows that it puts before and after a map on each spatial axis; None where it is no padding.

        >>> from convcalc.layers import Pad
        >>> Pad(((1, 2), 3)).border((1, 3, 8, 8))
        ((1, 2), (3, 3))
        """
        return None

    def adds_bias(self, output: Shape) -> bool:
        """Whether it adds a value that is the same all over a channel."""
        return False

    def levels(self, channels: Size) -> str:
        """Whether it takes the mean away: of a channel in the "batch" or in each "sample"; "" where it does not."""
        return ""

    def wants_whole(self, axes: int) -> bool:
        """Whether torch wants its kernel no longer than the map, padded or not."""
        return False

    def regroups(self, shapes: Sequence[Shape], output: Shape) -> bool:
        """Whether rows are put elsewhere: into windows of attention, patches, every other row."""
        return not self.keeps_rows and bool(shapes) and output[2:] not in [shape[2:] for shape in shapes]

    def any_number(self, fewest: int) -> Layer | None:
        """Return what gives as many tensors as there are, `fewest` or more; None where they are not alike."""
        return None

    def cut_axes(self) -> tuple[int, ...]:
        """Return the axes that it cuts to a size that depends on the input's: as to the size of a skip.

        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import Pad
        >>> Pad(((0, -Expr.symbol("n") // 4), 0)).cut_axes()
        (0,)
        """
        return ()

    def cut(self, shape: Shape, axis: int) -> tuple[Size, Size, Size]:
        """Return the size of one of `cut_axes`, and how many rows are cut before and after."""
        raise NotImplementedError

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Return how far apart neighbours of the output lie in memory, from those of the input, where it is a view.

        >>> from convcalc.layers import Permute
        >>> Permute((0, 2, 1)).strides((12, 4, 1), (2, 3, 4), (2, 4, 3))
        (12, 1, 4)
        """
        raise NotImplementedError

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """Hand to `check` what must hold for the input to be used in full: see `convcalc.arithmetic.exactness`.

        >>> from convcalc.sizes.conditions import Conditions
        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import MaxPool
        >>> needs = Conditions()
        >>> MaxPool(2).check_exact((1, 3, Expr.symbol("n")), check=needs)
        >>> [str(value) for value in needs.open]
        ['2*(n//2) - n']
        """

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


def written(shape: Shape) -> str:
    """Return a shape as text.

    >>> written((1, 3, 224, 224))
    '(1, 3, 224, 224)'
    """
    return f"({', '.join(map(str, shape))})"


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


def must_equal_or_be_one(a: Size, b: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `a == b or a == 1` to `check`."""
    check(-smaller(larger(a - b, b - a), larger(a - 1, 1 - a)), error)


def must_divide(divisor: Size, size: Size, check: Check, error: Callable[[Reader], ConvcalcError]) -> None:
    """Hand `size % divisor == 0` to `check`."""
    check(-(size % divisor), error)
