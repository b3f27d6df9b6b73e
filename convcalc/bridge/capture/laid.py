"""How values lie in memory, in letters: where `view` is refused is told by strides, not by shapes.

Slices, pieces, turns and repeats leave values where they are. What else makes a tensor lays it out anew, but mostly
with the axes in the order that its input has them in memory: a sum or a convolution of a permuted tensor is permuted
too, and how is not followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from convcalc.bridge.events import Call, Value
from convcalc.layers import Shape
from convcalc.layers.base import product
from convcalc.sizes.branch import Branch
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

Symbolic = Callable[[Value], Shape | None]
"""The shape of a value in letters, None where it is unknown."""

VIEWS = ("viewed", "turned")
"""The layers that leave values where they are, by `Layer.memory`."""


def in_order(shape: Shape) -> Shape:
    """Return the strides of values that lie one after another.

    >>> in_order((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(product(shape[axis + 1 :]) for axis in range(len(shape)))


def unrelated(shape: Shape) -> Shape:
    """Return letters for strides that are not followed: no axis is seen to lie behind another.

    >>> can_be_viewed((6, 4), unrelated((6, 4)), (2, 3, 4)), can_be_viewed((6, 4), unrelated((6, 4)), (24,))
    (True, False)
    """
    return tuple(Expr.symbol(f"stride_{axis}") for axis in range(len(shape)))


def strides_of(value: Value, symbolic: Symbolic) -> Shape | None:
    """Return the strides of a value in letters; None where they are not followed."""
    call, shape = value.call, symbolic(value)
    if shape is None:
        return None
    layer = call.layer
    if layer is None or layer.memory not in VIEWS:
        return None if _is_turned(call, symbolic) else in_order(shape)
    before, old = strides_of(call.inputs[0], symbolic), symbolic(call.inputs[0])
    return None if before is None or old is None else layer.strides(before, old, shape)


def read_in_order(call: Call) -> None:
    """Note that what a call reads was laid out in order before it, by `contiguous`."""
    if call.layer is None or call.layer.memory not in (*VIEWS, "mixed"):
        call.turned = False


def _is_turned(call: Call, symbolic: Symbolic) -> bool:
    """Whether the axes of what a call gives may be in another order in memory; found once for each call before it."""
    waiting = [call]
    while waiting:
        one = waiting[-1]
        before = [value.call for value in one.inputs if value.call.turned is None]
        if one.turned is None and not before:
            one.turned = _turns(one, symbolic)
        if one.turned is None:
            waiting += before
        else:
            waiting.pop()
    return bool(call.turned)


def _turns(call: Call, symbolic: Symbolic) -> bool:
    before = any(value.call.turned for value in call.inputs)
    match "ordered" if call.layer is None else call.layer.memory:
        case "ordered":
            return False
        case "mixed":
            return True
        case "turned":
            value = Value(call, 0, 0)
            shape = symbolic(value)
            return shape is None or strides_of(value, symbolic) != in_order(shape)
        case "flat":
            strides, old = strides_of(call.inputs[0], symbolic), symbolic(call.inputs[0])
            shape = symbolic(Value(call, 0, 0))
            if strides is None or old is None or shape is None:
                return True
            return strides != in_order(old) and can_be_viewed(old, strides, shape)
        case "joined":
            return before and all(_may_be_channels_last(value, symbolic) for value in call.inputs)
        case _:
            return before


def _may_be_channels_last(value: Value, symbolic: Symbolic) -> bool:
    """Whether torch may take a tensor for one in the order (N, ..., C): what it joins of others, it lays out in order.

    Each axis must lie behind the whole of the one that comes before it in memory: channels, then the last, and so on.
    """
    shape, strides = symbolic(value), strides_of(value, symbolic)
    if shape is None or len(shape) not in (4, 5):
        return shape is None
    if strides is None:
        return True
    order = (1, *range(len(shape) - 1, 1, -1), 0)
    return not any(_is_more(strides[one] * shape[one], strides[other]) for one, other in pairwise(order))


def _is_more(one: Size, other: Size) -> bool:
    """Whether a value is seen to be more than another where it is not 0: an axis of none is in no order."""
    if isinstance(one, Expr) and isinstance(other, int) and math.gcd(*one.terms.values()) > other:
        return True
    return Branch(one, ">", other).is_everywhere


def can_be_viewed(shape: Shape, strides: Shape, wanted: Shape) -> bool:
    """Whether values with these strides are seen to be viewed under a shape of as many values, without a copy.

    Axes that lie behind each other are one run of memory; each run must be cut into some of the wanted axes. Where
    this is seen of all runs but one, what is left is as many values as that one.

    >>> can_be_viewed((2, 3, 4), (12, 4, 1), (6, 4)), can_be_viewed((2, 3), (1, 2), (6,))
    (True, False)
    >>> can_be_viewed((2, 3, 2), (12, 4, 1), (2, 3, 1, 2))
    True
    """
    runs: list[Size] = []
    last: Size | None = None  # the stride that an axis before must have to be of the run
    for size, step in reversed([pair for pair in zip(shape, strides, strict=True) if pair[0] != 1]):
        if last is not None and step == last:
            runs[-1] = runs[-1] * size
        else:
            runs.append(size)
        last = step * size
    places = [size for size in wanted if size != 1]
    runs.reverse()
    for _ in ("from the end", "from the start"):
        while runs and (cut := _cut(runs[-1], places)) is not None:
            runs, places = runs[:-1], cut
        runs, places = runs[::-1], places[::-1]
    return len(runs) <= 1


def _cut(run: Size, places: Sequence[Size]) -> list[Size] | None:
    """The places that are left where the last ones are a run; None where these are not seen to be it."""
    have: Size = 1
    for count in range(len(places), 0, -1):
        have = have * places[count - 1]
        if have == run:
            return list(places[: count - 1])
    return None
