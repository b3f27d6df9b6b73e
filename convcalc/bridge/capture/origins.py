"""What a layer must know of where its inputs come from: the plane and the values of indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from convcalc.bridge.capture.laid import Symbolic, can_be_viewed, in_order, strides_of, unrelated
from convcalc.bridge.events import Value
from convcalc.layers import AdaptiveMaxPool, Layer, MaxPool, View
from convcalc.layers.indexing import Ends
from convcalc.layers.pick import TENSOR, Pick
from convcalc.layers.pool import MaxUnpool
from convcalc.sizes.expr import Expr

Reach = Callable[[Any, Value], Ends | None]
"""The ends of the values of a tensor, None where they are unknown."""


def informed(
    name: str, layer: Layer, tensors: tuple[Any, ...], inputs: tuple[Value, ...], symbolic: Symbolic, ends: Reach
) -> tuple[Layer, str | None]:
    """Return a layer with what its inputs tell it, and what they do not tell of other sizes."""
    match layer:
        case View() if name == "view":
            return layer, _viewed(layer, inputs[0], symbolic)
        case MaxUnpool():
            return _unpooled(layer, inputs[1], symbolic)
        case Pick():
            return _picked(layer, tensors, inputs, symbolic, ends)
    return _looked_up(layer, tensors, inputs, symbolic, ends)


def _viewed(layer: View, value: Value, symbolic: Symbolic) -> str | None:
    """What is not told of a view: whether it is one without a copy at other sizes."""
    shape = symbolic(value)
    if shape is None or not any(isinstance(size, Expr) for size in shape):
        return None
    strides = strides_of(value, symbolic)
    if strides == in_order(shape):
        return None
    if can_be_viewed(shape, unrelated(shape) if strides is None else strides, layer.out_shape(shape)):
        return None
    return "at which sizes a view of a part is refused is not known"


UNTOLD = "the values of an index made from sizes are not known"


def _reach(tensor: Any, value: Value, ends: Reach, table: Any) -> tuple[Ends | None, str | None]:
    """The ends of an index, and whether it matters that they are unknown: what an input points at is its own."""
    if value.call.live:
        return None, None
    found = ends(tensor, value)
    return found, UNTOLD if found is None and (value.call.sized or isinstance(table, Expr)) else None


def _looked_up(
    layer: Any, tensors: tuple[Any, ...], inputs: tuple[Value, ...], symbolic: Symbolic, ends: Reach
) -> tuple[Layer, str | None]:
    if layer.looks_up is None:
        return layer, None
    index, table = layer.looks_up
    shape = None if table is None else symbolic(inputs[table])
    reach, untold = _reach(tensors[index], inputs[index], ends, None if shape is None else shape[layer.dim])
    return (layer if reach is None else replace(layer, reach=reach)), untold


def _picked(
    layer: Pick, tensors: tuple[Any, ...], inputs: tuple[Value, ...], symbolic: Symbolic, ends: Reach
) -> tuple[Layer, str | None]:
    items = layer.items
    axes = [sum(one is not None for one in items[:place]) for place, item in enumerate(items) if item == TENSOR]
    shape = symbolic(inputs[0])
    found = [
        _reach(tensor, value, ends, None if shape is None else shape[axis])
        for tensor, value, axis in zip(tensors[1:], inputs[1:], axes, strict=True)
    ]
    untold = next((why for _, why in found if why is not None), None)
    return replace(layer, reaches=tuple(reach for reach, _ in found)), untold


def _unpooled(layer: MaxUnpool, indices: Value, symbolic: Symbolic) -> tuple[Layer, str | None]:
    call = indices.call
    if isinstance(call.layer, MaxPool | AdaptiveMaxPool) and indices.place == 1:
        pooled = symbolic(call.inputs[0])
        if pooled is not None:
            axes = len(pooled) - 2 if layer.axes is None else layer.axes
            return replace(layer, pooled=pooled[len(pooled) - axes :]), None
    return layer, "where the indices of an unpooling point is not known"
