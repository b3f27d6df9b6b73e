"""The windows of one layer on one axis: what they read, what they drop, and the same layer with other settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from convcalc.analysis.notes.base import Facts
from convcalc.arithmetic.formulas import conv_out, extent, padding_pair, pool_out
from convcalc.arithmetic.window_size import Unread, unread
from convcalc.errors import Refused
from convcalc.layers import Layer
from convcalc.layers.base import Settings
from convcalc.network.node import Node
from convcalc.sizes.size import Size, is_symbolic

_AROUND = 8
"""So many paddings to each side are tried for one that keeps a size."""


@dataclass(frozen=True)
class Window:
    """The windows of one layer on one axis; `after` rows at the end of the map were put there by a padding layer."""

    op: str
    """"conv", "maxpool", "avgpool" or "lppool"."""
    size: int
    kernel_size: int
    stride: int
    padding: tuple[int, int]
    dilation: int
    output: int
    ceil_mode: bool = False
    after: int = 0
    unpadded: bool = False
    """Whether torch wants the kernel no longer than the map without padding."""

    @property
    def pools(self) -> bool:
        """Whether it is a pooling."""
        return self.op != "conv"

    @property
    def extent(self) -> int:
        """The rows from the first tap to the last."""
        return int(extent(self.kernel_size, self.dilation))

    @property
    def unread(self) -> Unread:
        """What no window reads of the padded map."""
        return unread(self.size, self.kernel_size, self.stride, self.padding, self.dilation, self.output)

    def reads(self, position: int) -> bool:
        """Whether a window reads this position of the padded map."""
        starts = (position - self.dilation * tap for tap in range(self.kernel_size))
        return any(start % self.stride == 0 and 0 <= start // self.stride < self.output for start in starts)

    @property
    def dropped(self) -> tuple[int, int]:
        """The real rows that no window reads: after the last window, and between windows."""
        before, after = self.padding
        missed = self.unread
        end = before + self.size
        last = end + after - 1 - missed.tail
        padded = [position for position in (*range(before), *range(end, end + after)) if position <= last]
        gaps = missed.gaps - sum(not self.reads(position) for position in padded)
        return max(0, missed.tail_real - self.after), gaps

    @property
    def useful(self) -> list[int]:
        """The taps that read a real row in some window."""
        return [tap for tap in range(self.kernel_size) if self._meets_a_row(tap)]

    def _meets_a_row(self, tap: int) -> bool:
        shift = self.dilation * tap - self.padding[0]
        first = max(0, -(shift // self.stride))
        return first < self.output and shift + self.stride * first < self.size

    @property
    def lies_inside(self) -> bool:
        """Whether some window lies in the map, with all its taps."""
        place = -(-self.padding[0] // self.stride)
        return place < self.output and place * self.stride - self.padding[0] + self.extent <= self.size

    @property
    def reads_two(self) -> bool:
        """Whether some window reads two real rows."""
        shifts = (self.dilation * tap - self.padding[0] for tap in range(self.kernel_size - 1))
        firsts = ((max(0, -(shift // self.stride)), shift) for shift in shifts)
        return any(
            first < self.output and first * self.stride + shift + self.dilation < self.size for first, shift in firsts
        )

    # -- with other settings -------------------------------------------------------------------------------------

    def changed(self, **settings: Any) -> Window | None:
        """Return the windows with other settings, or on a map of another `size`; None where torch would refuse.

        >>> pool = Window("maxpool", 54, 3, 2, (0, 0), 1, 26)
        >>> pool.changed(size=55).output, pool.changed(ceil_mode=True).output, pool.changed(size=2)
        (27, 27, None)
        """
        if isinstance(settings.get("padding"), int):
            settings["padding"] = (settings["padding"],) * 2
        new = replace(self, **settings)
        n, k, s, p, d = new.size, new.kernel_size, new.stride, new.padding, new.dilation
        averages = self.op in ("avgpool", "lppool")
        if (averages and d > 1) or (self.op == "lppool" and any(p)) or (new.unpadded and n < k):
            return None
        try:
            out = pool_out(n, k, s, p, d, new.ceil_mode) if self.pools else conv_out(n, k, s, p, d)
        except Refused:
            return None
        return replace(new, output=out)

    def keeping(self, **settings: Any) -> tuple[Window, dict[str, Any]] | None:
        """Return the windows with other settings, and these with the padding that keeps the output size.

        The padding nearest to the present one, the same on both sides; as it is where none keeps the size. None where
        torch would refuse it. A stride that was the kernel's is named, as torch would change it too.

        >>> Window("conv", 3, 5, 1, (2, 2), 1, 3).keeping(kernel_size=3)[1]
        {'kernel_size': 3, 'padding': 1}
        """
        before, after = self.padding
        named = dict(settings)
        if self.pools and "kernel_size" in settings and "stride" not in settings and self.stride == self.kernel_size:
            named["stride"] = self.stride
        for padding in self._paddings(replace(self, **settings)) if before == after else ():
            new = self.changed(**settings, padding=padding)
            if new is not None and new.output == self.output:
                return new, (named if padding == before else {**named, "padding": padding})
        new = self.changed(**settings)
        return None if new is None else (new, named)

    def _paddings(self, new: Window) -> list[int]:
        """Paddings that may give the present output size with other settings, the nearest to the present first."""
        before, short = self.padding[0], (self.output - 1) * new.stride + new.extent - new.size
        centre = max(0, short // 2, min(before, (short + new.stride) // 2))
        around = {before, *range(max(0, centre - _AROUND), centre + _AROUND)}
        return sorted(around, key=lambda padding: (abs(padding - before), padding))


def windows(node: Node, facts: Facts) -> tuple[Window | None, ...]:
    """Return the windows of a node on each axis: none of another layer, None on an axis whose size is a symbol.

    >>> from convcalc.layers import MaxPool
    >>> from convcalc.network.graph import Graph
    >>> facts = Facts(Graph([Node("pool", MaxPool(3, stride=2))]), {"input": (1, 8, 54), "pool": (1, 8, 26)}, {})
    >>> [window.dropped for window in windows(facts.nodes[0], facts)]
    [(1, 0)]
    """
    own = settings_of(node, facts)
    if not own:
        return ()
    sizes = facts.sizes(node.inputs[0])
    axes = zip(sizes, facts.sizes(node.name), own, _put_after(node, facts), strict=True)
    whole = node.layer.wants_whole(len(sizes))
    return tuple(_window(node.layer, *axis, whole) for axis in axes)


def settings_of(node: Node, facts: Facts) -> Sequence[Settings]:
    """Return kernel size, stride, padding as given and dilation of a node's windows, an axis each; none of formulas."""
    if not node.inputs:
        return ()
    own = node.layer.windows(facts.shapes[node.inputs[0]])
    if any(is_symbolic(value) for k, s, _, d in own for value in (k, s, d)):
        return ()
    return own[len(own) - len(facts.sizes(node.name)) :] if own else ()


def _put_after(node: Node, facts: Facts) -> list[Size]:
    """The rows at the end of each axis of the input that a padding layer put there."""
    axes = len(facts.sizes(node.inputs[0]))
    producer = facts.producer(node.inputs[0])
    border = producer.layer.border(facts.shapes[producer.inputs[0]]) if producer and producer.inputs else None
    return [0] * axes if border is None else [after for _, after in border[len(border) - axes :]]


def _window(layer: Layer, size: Any, out: Any, settings: Settings, put: Size, unpadded: bool) -> Window | None:
    if not (isinstance(size, int) and isinstance(out, int) and isinstance(put, int) and size and out):
        return None
    k, s, p, d = settings
    before, after = padding_pair(size, k, s, p, d)
    if before < 0 or after < 0:  # padding modes that crop
        return None
    ceil = layer.ceil_mode
    return Window(layer.op, size, k, s, (before, after), d, out, ceil_mode=ceil, after=max(0, put), unpadded=unpadded)
