"""Shapes on their way through a network, node after node, and every condition that a node puts on its sizes.

Of windows over maps that another layer padded, what the padding loses is no row of the network's own: a convolution
with padding=1 and one behind a `ZeroPad2d(1)` read the same. So the rows of padding at the end of a map are kept,
through all that works on each value alone, and a window over them is asked as if they were its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from convcalc.analysis.validity.conditions import Collector, Condition
from convcalc.analysis.validity.exporting import Inner
from convcalc.arithmetic.exactness import check_even_cut, check_no_row_dropped
from convcalc.arithmetic.formulas import padding_pair
from convcalc.errors import ConvcalcError
from convcalc.layers import Layer, Shape
from convcalc.layers.spatial import along
from convcalc.network.node import Node
from convcalc.network.shapes import node_shapes
from convcalc.sizes.conditions import Check, named
from convcalc.sizes.signs import most_of
from convcalc.sizes.size import Size

Sides: TypeAlias = tuple[tuple[Size, Size], ...]
"""The rows of padding before and after the rows of a map, along each spatial axis."""


class Walk:
    """One propagation: conditions go to `check`, what an exporter looks at to `inner`, shapes are kept as `known`.

    >>> from convcalc.layers import Conv
    >>> from convcalc.sizes.expr import Expr
    >>> walk = Walk({"input": (1, 3, Expr.symbol("n"))}, Collector())
    >>> walk.through(Node("conv", Conv(4, 3, stride=2)))
    >>> walk.known["conv"], [(one.kind, str(one.value)) for one in walk.check.conditions]
    ((1, 4, (n + 1)//2 - 1), [('exact', 'n - 2*(n//2) - 1'), ('runs', 'n - 1'), ('runs', 'n - 3')])
    """

    def __init__(self, shapes: Mapping[str, Shape], check: Collector, inner: Inner | None = None) -> None:
        self.known, self.check, self.inner = dict(shapes), check, inner
        self._padding: dict[str, Sides] = {}
        self._starts: dict[str, int] = {}
        """How many conditions there were before each node."""

    def through(
        self,
        node: Node,
        out_shapes: Callable[[Node, Mapping[str, Shape], Check], dict[str, Shape]] = node_shapes,
        cut_axes: Sequence[int] = (),
    ) -> None:
        """Take shapes through a node, which cuts `cut_axes` to sizes that depend on the input's."""
        inputs = tuple(self.known[name] for name in node.inputs)
        padding = self._padding.get(node.inputs[0]) if inputs else None  # a constant reads nothing
        exact = named(node.name, self.check.exact)
        self._starts[node.name] = len(self.check.conditions)
        try:
            check_exact(node.layer, inputs, padding, exact)
            if inputs and (left := rows_of_padding(node.layer, inputs[0], padding)) is not None:
                self._padding[node.name] = left
            for axis in cut_axes:
                check_even_cut(*node.layer.cut(inputs[0], axis), check=exact)
        except ConvcalcError as error:
            raise error.at(node.name) from None
        self.known |= out_shapes(node, self.known, self.check)
        if self.inner is not None:
            self.inner.note(node.layer, inputs, [self.known[name] for name in node.outputs])

    def conditions_up_to(self, name: str) -> tuple[list[Condition], list[Condition]]:
        """Return the conditions of all nodes before one, and its own; none where it was not reached."""
        starts = pairwise((*self._starts.values(), len(self.check.conditions)))
        start, end = dict(zip(self._starts, starts, strict=True)).get(name, (0, 0))
        return self.check.conditions[:start], self.check.conditions[start:end]


def rows_of_padding(layer: Layer, shape: Shape, before: Sides | None = None) -> Sides | None:
    """Return the padding of what a layer makes of a map with the padding `before`; None where it is not known.

    >>> from convcalc.layers import Pad, ReLU
    >>> rows_of_padding(Pad(((1, 2),)), (1, 3, 8), ((1, 1),)), rows_of_padding(ReLU(), (1, 3, 8), ((1, 1),))
    (((2, 3),), ((1, 1),))
    """
    own = layer.border(shape)
    if own is None:
        return before if layer.is_pointwise else None
    earlier = before or ((0, 0),) * len(own)
    return tuple(
        (most_of(first, 0) + old_first, most_of(last, 0) + old_last)
        for (first, last), (old_first, old_last) in zip(own, earlier, strict=True)
    )


def check_exact(layer: Layer, shapes: tuple[Shape, ...], padding: Sides | None, check: Check) -> None:
    """Hand to `check` what must hold for a layer to lose no row: its own `check_exact`, over a padded map as well.

    >>> from convcalc.layers import Conv
    >>> from convcalc.sizes.conditions import enforce
    >>> check_exact(Conv(4, 3, stride=2), ((1, 3, 18),), ((1, 1),), enforce)
    >>> check_exact(Conv(4, 3, stride=2), ((1, 3, 18),), None, enforce)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: 1 of 18 rows dropped: no window of 3 fits at the end with stride=2; use 17 or 19
    """
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
