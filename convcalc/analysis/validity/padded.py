"""Windows over maps that another layer padded: what the padding loses is no row of the network's own.

A convolution with padding=1 and one behind a `ZeroPad2d(1)` read the same. So the rows of padding at the end of a map
are kept, through all that works on each value alone, and a window over them is asked as if they were its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from convcalc.arithmetic.exactness import check_no_row_dropped
from convcalc.arithmetic.formulas import padding_pair
from convcalc.layers import Shape
from convcalc.layers.spatial import along
from convcalc.network.node import Node
from convcalc.sizes.conditions import Check
from convcalc.sizes.signs import most_of
from convcalc.sizes.size import Size

Sides: TypeAlias = tuple[tuple[Size, Size], ...]
"""The rows of padding before and after the rows of a map, along each spatial axis."""

Padding: TypeAlias = Mapping[str, Sides]
"""The same by the name of the map."""


def rows_of_padding(node: Node, shapes: tuple[Shape, ...], known: Padding) -> dict[str, Sides]:
    """Return what of `known`, the padding of the maps before, is known of a node's output.

    >>> from convcalc.layers import Pad
    >>> rows_of_padding(Node("pad", Pad(((1, 2),))), ((1, 3, 8),), {})
    {'pad': ((1, 2),)}
    """
    before = known.get(node.inputs[0]) if node.inputs else None
    own = node.layer.border(shapes[0]) if shapes else None
    if own is not None:
        earlier = before or ((0, 0),) * len(own)
        added = [
            tuple(most_of(a, 0) + b for a, b in zip(*pair, strict=True)) for pair in zip(own, earlier, strict=True)
        ]
        return {node.name: tuple((first, last) for first, last in added)}
    return {node.name: before} if node.layer.is_pointwise and before is not None else {}


def check_exact(node: Node, shapes: tuple[Shape, ...], known: Padding, check: Check) -> None:
    """Hand to `check` what must hold for a node to lose no row: as `Layer.check_exact`, padding of another included.

    >>> from convcalc.layers import Conv
    >>> from convcalc.sizes.conditions import enforce
    >>> check_exact(Node("conv", Conv(4, 3, stride=2)), ((1, 3, 18),), {"input": ((1, 1),)}, enforce)
    >>> check_exact(Node("conv", Conv(4, 3, stride=2)), ((1, 3, 18),), {}, enforce)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: 1 of 18 rows dropped: no window of 3 fits at the end with stride=2; use 17 or 19
    """
    layer = node.layer
    padding = known.get(node.inputs[0]) if node.inputs else None  # a constant reads nothing
    windows = () if padding is None else layer.windows(shapes[0])
    if padding is None or not windows:
        layer.check_exact(*shapes, check=check)
        return
    _, _, sizes = layer.split(shapes[0])

    def whole(axis: int, check: Check) -> None:
        n, (first, last) = sizes[axis], padding[axis]
        kernel, stride, own, dilation = windows[axis]
        if isinstance(own, str) and own.startswith("same"):
            return
        before, after = padding_pair(n, kernel, stride, own, dilation, check=check)
        if isinstance(first, int):  # else it counts with the rows: it says nothing of the end
            n, before = n - first, before + first
        check_no_row_dropped(n - last, kernel, stride, (before, after + last), dilation, check=check)

    if not layer.ceil_mode:
        along(len(sizes), check, whole)
