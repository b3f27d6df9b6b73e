"""Notes on the windows of one layer: what they drop, never reach, or hang over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis, counted
from convcalc.axes import per_axis
from convcalc.formulas import conv_out, extent, padding_pair, pool_out
from convcalc.graph import Node
from convcalc.layers import AvgPool, Conv, LpPool, MaxPool, Pad
from convcalc.resizing import both_sides
from convcalc.window_size import Unread, unread

WINDOWED = (Conv, MaxPool, AvgPool, LpPool)


@dataclass(frozen=True)
class Window:
    """The windows of one layer on one axis; `after` rows at the end of the map were put there by a padding layer."""

    size: int
    kernel_size: int
    stride: int
    padding: tuple[int, int]
    dilation: int
    output: int
    pools: bool
    after: int = 0

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
    def useful_taps(self) -> int:
        """The taps that read a real row in some window."""
        return sum(map(self._meets_a_row, range(self.kernel_size)))

    def _meets_a_row(self, tap: int) -> bool:
        shift = self.dilation * tap - self.padding[0]
        first = max(0, -(shift // self.stride))
        return first < self.output and shift + self.stride * first < self.size


def windows(node: Node, facts: Facts) -> tuple[Window | None, ...]:
    """Return the windows of a node on each axis: none of another layer, None on an axis whose size is a symbol.

    >>> from convcalc.graph import Graph
    >>> facts = Facts(Graph([Node("pool", MaxPool(3, stride=2))]), {"input": (1, 8, 54), "pool": (1, 8, 26)}, {})
    >>> [window.dropped for window in windows(facts.nodes[0], facts)]
    [(1, 0)]
    """
    layer: Any = node.layer
    if not isinstance(layer, WINDOWED):
        return ()
    sizes, outs = facts.sizes(node.inputs[0]), facts.sizes(node.name)
    settings = zip(sizes, outs, _settings(layer, len(sizes)), _put_after(node, facts), strict=True)
    return tuple(_window(size, out, entry, isinstance(layer, Conv), after) for size, out, entry, after in settings)


def _put_after(node: Node, facts: Facts) -> list[int]:
    """The rows at the end of each axis of the input that a padding layer put there."""
    axes = len(facts.sizes(node.inputs[0]))
    producer = facts.producer(node.inputs[0])
    if producer is None or not isinstance(producer.layer, Pad):
        return [0] * axes
    sides = per_axis("padding", producer.layer.padding, axes)
    return [max(0, both_sides(side)[1]) for side in sides]


def _settings(layer: Any, axes: int) -> list[tuple[int, int, Any, int]]:
    """Kernel size, stride, padding as given, dilation, for each axis."""
    kernel = per_axis("kernel_size", layer.kernel_size, axes)
    stride = kernel if layer.stride is None else per_axis("stride", layer.stride, axes)
    padding = per_axis("padding", getattr(layer, "padding", 0), axes)
    return list(zip(kernel, stride, padding, per_axis("dilation", getattr(layer, "dilation", 1), axes), strict=True))


def _window(size: Any, out: Any, settings: tuple[int, int, Any, int], convolves: bool, put: int) -> Window | None:
    if not (isinstance(size, int) and isinstance(out, int) and size and out):
        return None
    k, s, p, d = settings
    before, after = padding_pair(size, k, s, p, d)
    if before < 0 or after < 0:  # padding modes that crop
        return None
    return Window(size, k, s, (before, after), d, out, pools=not convolves, after=put)


def _each(facts: Facts, say: Callable[[Window], Sentence | None]) -> Iterator[Remark]:
    for node in facts.nodes:
        yield from by_axis(node, [None if window is None else say(window) for window in windows(node, facts)])


# -- rows dropped by a stride --------------------------------------------------------------------------------------


def dropped_rows(facts: Facts) -> Iterator[Remark]:
    """Real rows that a stride passes over, unless a layer beside this one reads them from the same map.

    The 1x1 convolution of stride 2 in a residual shortcut drops every other row, which the body reads: no note.
    """
    for node in facts.nodes:
        if own := windows(node, facts):
            beside = [windows(other, facts) for other in _beside(node, facts)]
            missed = (
                None if window is None or any(_reads_all(other, axis) for other in beside) else _dropped(window)
                for axis, window in enumerate(own)
            )
            yield from by_axis(node, list(missed))


def _beside(node: Node, facts: Facts) -> list[Node]:
    """The other layers that read the same map, save those that unite or align it with another: a skip is no reader."""
    readers = facts.readers[node.inputs[0]]
    return [other for other in readers if other.name != node.name and other.layer.takes == (1, 1)]


def _reads_all(found: tuple[Window | None, ...], axis: int) -> bool:
    if not found:  # no windows: it reads every value
        return True
    window = found[axis] if axis < len(found) else None
    return window is not None and not any(window.dropped)


def _dropped(window: Window) -> Sentence | None:
    tail, gaps = window.dropped
    if window.stride == 1 or not tail + gaps:
        return None
    n, k, s, (before, after), d = window.size, window.kernel_size, window.stride, window.padding, window.dilation
    missed = f"{counted(tail + gaps, n, 'rows')} never read"
    if gaps or window.extent < s:
        dilated = f" and dilation {d}" if d > 1 else ""
        way = "dilation=1, or stride=1" if d > 1 else f"kernel_size={s} or stride={k}"
        return f"{missed}: windows of kernel_size {k}{dilated} are {s} apart", f"{way} leaves no gap between windows"
    rest = window.unread.tail
    padded = " + ".join(str(part) for part in (n, before, after) if part)
    ways = [f"an input of {n - tail} or {n + s - rest} here drops none", *_wider(window)]
    end = "padded end" if after else "end"
    return (
        f"{missed}: the last window ends {rest} before the {end}, ({padded} - {window.extent}) % {s} = {rest}",
        "; ".join(ways),
    )


def _wider(window: Window) -> Iterator[str]:
    """What makes room for one more window: ceil mode of a pooling, or the least padding that does."""
    n, k, s, (before, after), d = window.size, window.kernel_size, window.stride, window.padding, window.dilation
    if window.pools:
        out = pool_out(n, k, s, (before, after), d, True)
        if unread(n, k, s, (before, after), d, out).tail_real == 0:
            yield f"ceil_mode=True reads {'it' if window.unread.tail == 1 else 'them'} (output {out})"
    elif before == after:
        for wider in range(before + 1, before + s + 1):
            out = conv_out(n, k, s, wider, d)
            if unread(n, k, s, (wider, wider), d, out).tail_real == 0:
                yield f"padding={wider} reads them all (output {out})"
                return


# -- padding never read --------------------------------------------------------------------------------------------


def unread_padding(facts: Facts) -> Iterator[Remark]:
    """Padding of which less gives as many outputs.

    One row unread at stride 2, as in every ResNet on even sizes, is no such case: with less on both sides an output
    would be lost.
    """
    yield from _each(facts, _unread_padding)


def _unread_padding(window: Window) -> Sentence | None:
    (before, after), tail = window.padding, window.unread.tail
    less = min(after, tail // 2) if before == after else min(after, tail)
    if not less:
        return None
    symmetric = before == after
    padding = f"padding={before - less}" if symmetric else f"padding {before} before and {after - less} after"
    return (
        f"of the padding after the map, {after}, {min(after, tail)} is never read: "
        f"({window.size} + {before} + {after} - {window.extent}) % {window.stride} = {tail}",
        f"{padding} gives the same output, {window.output}",
    )


# -- kernels and maps ----------------------------------------------------------------------------------------------


def dilation_past_map(facts: Facts) -> Iterator[Remark]:
    """A dilation not below the size of the map: no window reads two real values.

    Source: L.-C. Chen et al., "Rethinking atrous convolution for semantic image segmentation", arXiv:1706.05587.
    """
    yield from _each(facts, _dilation_past_map)


def _dilation_past_map(window: Window) -> Sentence | None:
    if not _degenerate(window):
        return None
    same, ways = _as_one_tap(window)
    fitting = (window.size - 1) // (window.kernel_size - 1)
    if fitting:
        ways.append(f"dilation={fitting} at most lets a window lie inside the map")
    ways.append(f"an input of {window.dilation + 1} or more here lets it read two")
    message = f"dilation {window.dilation} on a map of {window.size}: no window reads two real values{same}"
    return message, "; ".join(ways)


def _degenerate(window: Window) -> bool:
    return window.kernel_size > 1 and window.dilation > 1 and window.dilation >= window.size


def kernel_past_map(facts: Facts) -> Iterator[Remark]:
    """A kernel that fits only because the map is padded."""
    yield from _each(facts, _kernel_past_map)


def _kernel_past_map(window: Window) -> Sentence | None:
    if window.extent <= window.size or _degenerate(window):
        return None
    same, ways = _as_one_tap(window)
    if not same and window.dilation > 1:
        ways.append(f"dilation={(window.size - 1) // (window.kernel_size - 1)} fits")
    elif not same:
        odd_from_even = window.kernel_size % 2 and not window.size % 2  # an odd kernel stays odd
        ways.append(f"kernel_size={window.size - odd_from_even} fits")
    ways.append(f"an input of {window.extent} or more here")
    message = f"the kernel spans {window.extent} and the map is {window.size}: every window hangs over the border{same}"
    return message, "; ".join(ways)


def _as_one_tap(window: Window) -> tuple[str, list[str]]:
    if window.useful_taps > 1:
        return "", []
    return ", it acts as kernel_size 1", ["kernel_size=1 does the same"]


def even_kernel(facts: Facts) -> Iterator[Remark]:
    """A kernel of even extent at stride 1 with the same padding on both sides, for sizes of any kind."""
    for node in facts.nodes:
        if isinstance(node.layer, WINDOWED):
            settings = _settings(node.layer, len(facts.sizes(node.name)))
            yield from by_axis(node, [_even_kernel(*entry) for entry in settings])


def _even_kernel(k: int, s: int, p: Any, d: int) -> Sentence | None:
    before, after = p if isinstance(p, tuple) else (p, p)
    spans = int(extent(k, d))
    if spans % 2 or s != 1 or isinstance(p, str) or before != after or before <= 0:
        return None
    change = 2 * before - spans + 1
    return (
        f"the kernel spans {spans}, padding {before} + {before}: the output is {abs(change)} "
        f"{'larger' if change > 0 else 'smaller'}, and lies half a row beside the input",
        f"kernel_size={k - 1} with padding={d * (k - 2) // 2}, kernel_size={k + 1} with padding={d * k // 2}, "
        f"or padding ({(spans - 1) // 2}, {spans // 2}) keep the size",
    )
