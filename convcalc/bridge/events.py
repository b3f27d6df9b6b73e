"""What was recorded: values, the calls that gave them, the runs of modules that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from convcalc.errors import ConvcalcError
from convcalc.layers import Layer, Opaque, Shape
from convcalc.layers.base import written
from convcalc.network.shapes import is_too_long
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


@dataclass(eq=False, slots=True)
class Value:
    """One tensor as it came out of a call: output `place` of it. `version` counts what was written into it."""

    call: Call
    place: int
    version: int


@dataclass(eq=False, slots=True)
class Frame:
    """One run of a module's forward: where it stands, and whether another module ran inside."""

    path: str
    module: Any
    nested: bool = False
    calls: int = 0


@dataclass(eq=False, slots=True)
class Call:
    """One call: what, where, on which values, with which shapes."""

    function: str
    frame: Frame | None
    layer: Layer | None
    inputs: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    source: str | None = None
    weights: tuple[tuple[str, Any], ...] = ()
    """The parameters that it is the first to use."""
    shares: Call | None = None
    made: int = 0
    """The multiply-accumulates that make its weights."""
    folded: bool = False
    """Whether it makes weights, and counts for the call that has them."""
    live: bool = True
    """Whether it depends on the network's input."""
    valued: bool = False
    """Whether its values are known although they depend on the input: those of a small example are."""
    sized: bool = False
    """Whether its values depend on sizes of the input, such as those of `arange(h)`."""
    chance: bool = False
    """Whether its values are random."""
    late: bool = False
    """Whether a size had lost its formula before."""
    number: int = -1
    """How many calls were made before."""
    symbolic: tuple[Shape | None, ...] | None = None
    """The shapes in letters; None until they are asked for."""
    turned: bool | None = None
    """Whether the axes may be in another order in memory; None until it is asked for."""
    label: str | None = None
    raw: Layer | None = None
    """The layer with the symbols of the rounds that it stands in, if any."""


@dataclass(slots=True)
class Failed:
    """The call at which the run ended: its function, arguments and exception, and what it would have been."""

    function: str
    error: BaseException
    frame: Frame | None
    source: str | None
    layer: Layer | None
    inputs: tuple[Value, ...]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    raw: Any = None
    of_types: bool = False
    """Whether it is refused for the types of what it reads."""


def work_out(call: Call, numbers: Mapping[str, int]) -> str | None:
    """Work out the shapes of a call in letters, and hold them to those that torch gave at these `numbers`.

    Where they are others, nothing but what was measured is known of the call; returns what was found, as a sentence.
    """
    call.symbolic = in_letters(call)
    for shape, seen in zip(call.symbolic, call.shapes, strict=True):
        if shape is None or shape is seen or taken_at(shape, numbers) == seen:
            continue
        assert call.layer is not None  # noqa: S101 -- only inputs have none, and these are not worked out
        call.symbolic = (None,) * len(call.shapes)
        why = f"its formula {written(shape)} is not the {written(seen)} that torch gave"
        call.layer = Opaque(call.layer.op, shapes=call.shapes, seen=shapes_of(call.inputs), why=why)
        return f"{call.layer.op}: {why}; it is withheld"
    return None


def taken_at(value: Any, values: Mapping[str, Size]) -> Any:
    """Return formulas, in tuples too, with values in the place of some of their symbols; what is constant as a number.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> taken_at((1, 3, H // 2, W - H), {"H": 8})
    (1, 3, 4, W - 8)
    """
    if isinstance(value, tuple):
        entries = [taken_at(entry, values) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
    if not isinstance(value, Expr):
        return value
    found = value(**{name: values[name] if name in values else Expr.symbol(name) for name in value.symbols})
    return found.constant if isinstance(found, Expr) and found.is_constant else found


def in_letters(call: Call) -> tuple[Shape | None, ...]:
    """Return the shapes that a call gave in the letters of the input, None where one is unknown."""
    shapes = [value.call.symbolic[value.place] if value.call.symbolic else None for value in call.inputs]
    unknown: tuple[Shape | None, ...] = (None,) * len(call.shapes)
    if call.layer is None or any(shape is None for shape in shapes):
        return unknown
    try:
        return tuple(map(_letters, given(call.layer, tuple(shape for shape in shapes if shape is not None))))
    except ConvcalcError:
        return unknown


@lru_cache(maxsize=4096)
def given(layer: Layer, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return what a layer gives; kept, as most are called more than once, and a model at every run the same.

    >>> from convcalc.layers import MaxPool
    >>> given(MaxPool(2), ((1, 3, 8, Expr.symbol("W")),))
    ((1, 3, 4, W//2),)
    """
    return layer.out_shapes(*shapes)


def _letters(shape: Shape) -> Shape | None:
    """A shape with plain numbers where its formulas are; None where one is too long to tell anything."""
    if is_too_long(shape):
        return None
    return tuple(size.constant if isinstance(size, Expr) and size.is_constant else size for size in shape)


def shapes_of(inputs: Iterable[Value]) -> tuple[Shape, ...]:
    """Return the shapes that were measured of values."""
    return tuple(value.call.shapes[value.place] for value in inputs)
