"""What a failing call read: who gave it, how its size came about, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.bridge.events import Call, Value
from convcalc.errors import Operand
from convcalc.layers import Flatten, Shape, View, Written
from convcalc.layers.activation import Pointwise
from convcalc.layers.base import product


def operands_of(values: Sequence[Value], names: Mapping[int, str], journal: Any) -> tuple[Operand, ...]:
    """Return each value as an operand."""
    return tuple(_operand(value, names, journal) for value in values)


def _operand(value: Value, names: Mapping[int, str], journal: Any) -> Operand:
    maker = maker_of(value)
    from_ = "" if maker is value.call else name_of_value(Value(maker, 0, 0), names)
    return Operand(
        name_of_value(value, names),
        tuple(map(int, shape_of(value))),
        _letters(value, journal),
        factors=_factors(value),
        origin=from_,
        op="" if value.call.layer is None else value.call.layer.op,
    )


def shape_of(value: Value) -> Shape:
    """Return the shape of a value."""
    return value.call.shapes[value.place]


def name_of_value(value: Value, names: Mapping[int, str]) -> str:
    """Return what a value is called in the graph."""
    name = names.get(id(value.call)) or value.call.label or value.call.function
    return name if value.place == 0 else f"{name}[{value.place}]"


def _letters(value: Value, journal: Any) -> tuple[str, ...] | None:
    known = journal.symbolic(value)
    return None if known is None else tuple(map(str, known))


def maker_of(value: Value) -> Call:
    """Return the call that gave a value its shape: back over those that change each value alone."""
    call = value.call
    while call.inputs and isinstance(call.layer, Pointwise | Written):
        call = call.inputs[0].call
    return call


def ancestors(value: Value) -> list[Call]:
    """Return the calls on the way to a value, back along what each reads first, nearest first."""
    found, call = [value.call], value.call
    while call.inputs:
        call = call.inputs[0].call
        found.append(call)
    return found


def flattened(value: Value) -> tuple[Call, Shape] | None:
    """Return the call that flattened a value's last axis, and the sizes that it flattened; None where none did.

    Walks back over calls that keep the last size.
    """
    for call in ancestors(value):
        if not call.inputs:
            return None
        before, after = shape_of(call.inputs[0]), call.shapes[0]
        if isinstance(call.layer, Flatten | View) and len(before) > len(after) and len(after) == 2:
            some = before[1:]
            return (call, some) if product(some) == shape_of(value)[-1] else None
        if not after or before[-1:] != after[-1:] or len(before) != len(after):
            return None
    return None


def _factors(value: Value) -> str:
    """How the last size was multiplied, as in "8192 = 32·16·16"."""
    found = flattened(value)
    return "" if found is None else f"{shape_of(value)[-1]} = {'·'.join(map(str, found[1]))}"
