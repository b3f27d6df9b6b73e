"""Notes on the windows of one layer: what they drop, never reach, or hang over.

A way out is offered where the windows with it, counted anew, leave no such note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from itertools import chain
from typing import Any

from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis, counted
from convcalc.analysis.notes.ways import Way, edits, in_words
from convcalc.analysis.notes.window import Window, settings_of, windows
from convcalc.arithmetic.formulas import extent
from convcalc.arithmetic.resizing import both_sides
from convcalc.network.node import Node

Settings = Mapping[str, Any]

_TRIED = 64
"""So many values of a setting are tried to each side."""


def of_windows(say: Callable[[Node, Window], Sentence | None]) -> Callable[[Facts], Iterator[Remark]]:
    """Make a rule of what is said of the windows of a node on one axis."""

    @wraps(say)
    def rule(facts: Facts) -> Iterator[Remark]:
        for node in facts.nodes:
            own = windows(node, facts)
            yield from by_axis(node, [None if window is None else say(node, window) for window in own])

    return rule


def _way(node: Node, says: str, *changes: Settings) -> Way:
    return Way(says, tuple((in_words(change), edits(node.name, **change)) for change in changes))


def _input(node: Node, says: str, *sizes: int) -> Way:
    """Other sizes of what the node reads."""
    return Way(says, tuple((str(size), edits(node.inputs[0], size=size)) for size in sizes))


def _few(values: range) -> list[int]:
    """The first and the last of many values to try."""
    return [*values] if len(values) <= 2 * _TRIED else [*values[:_TRIED], *values[-_TRIED:]]


def _first(
    found: Iterable[tuple[Window, Settings] | None], helps: Callable[[Window], bool]
) -> tuple[Window, Settings] | None:
    return next((one for one in found if one is not None and helps(one[0])), None)


# -- rows dropped by a stride --------------------------------------------------------------------------------------


def dropped_rows(facts: Facts) -> Iterator[Remark]:
    """Real rows that a stride passes over, unless a layer beside this one reads them from the same map.

    The 1x1 convolution of stride 2 in a residual shortcut drops every other row, which the body reads: no note.
    """
    for node in facts.nodes:
        own = windows(node, facts)
        readers = facts.readers[node.inputs[0]] if own else ()
        beside = [  # what unites or aligns the map with another is no reader of it: a skip
            windows(other, facts) for other in readers if other.name != node.name and other.layer.takes == (1, 1)
        ]
        missed = (
            None if window is None or any(_reads_all(other, axis) for other in beside) else _dropped(node, window)
            for axis, window in enumerate(own)
        )
        yield from by_axis(node, list(missed))


def _reads_all(found: tuple[Window | None, ...], axis: int) -> bool:
    """Whether windows read every row of an axis, or there are none: what has none reads every value."""
    window = found[axis] if axis < len(found) else None
    return not found or (window is not None and not any(window.dropped))


def _drops_none(window: Window) -> bool:
    return window.stride == 1 or not any(window.dropped)


def _dropped(node: Node, window: Window) -> Sentence | None:
    if _drops_none(window):
        return None
    tail, gaps = window.dropped
    n, k, s, (before, after), d = window.size, window.kernel_size, window.stride, window.padding, window.dilation
    missed = f"{counted(tail + gaps, n, 'rows')} never read"
    if gaps or window.extent < s:
        dilated = f" and dilation {d}" if d > 1 else ""
        return f"{missed}: windows of kernel_size {k}{dilated} are {s} apart", tuple(_gapless(node, window))
    rest = window.unread.tail
    padded = " + ".join(str(part) for part in (n, before, after) if part)
    last = f"{missed}: the last window ends {rest} before the {'padded end' if after else 'end'}"
    worked = "" if window.ceil_mode else f", ({padded} - {window.extent}) % {s} = {rest}"
    return f"{last}{worked}", (*_other_inputs(node, window), *_wider(node, window))


def _gapless(node: Node, window: Window) -> Iterator[Way]:
    """The nearest settings of which each alone leaves no row unread."""
    k, s, d = window.kernel_size, window.stride, window.dilation
    tried = (
        (window.keeping(dilation=rate) for rate in _few(range(d - 1, 0, -1))),
        (window.keeping(kernel_size=size) for size in _few(range(k + 1, k + s + 1))),
        (window.keeping(stride=step) for step in _few(range(s - 1, 0, -1))),
    )
    found = [one[1] for one in (_first(some, _drops_none) for some in tried) if one is not None]
    if found:
        yield _way(node, "{} leaves no gap between windows", *found)


def _other_inputs(node: Node, window: Window) -> Iterator[Way]:
    """The nearest sizes, smaller and larger, of which every row is read, whoever put it there."""
    window = replace(window, after=0)
    reach = window.stride * max(1, window.dilation)
    n = window.size
    sides = (_few(range(n - 1, max(0, n - 1 - reach), -1)), _few(range(n + 1, n + 1 + reach)))
    near = (
        _first(((new, {}) if (new := window.changed(size=n)) else None for n in side), _drops_none) for side in sides
    )
    sizes = [found[0].size for found in near if found is not None]
    if sizes:
        yield _input(node, "an input of {} here drops none", *sizes)


def _wider(node: Node, window: Window) -> Iterator[Way]:
    """What makes room for one more window: ceil mode of a pooling, or the least padding that does."""
    before, after = window.padding
    reads = f"reads {'it' if sum(window.dropped) == 1 else 'them'}"
    if window.pools:
        new = window.changed(ceil_mode=True)
        if new is not None and _drops_none(new):
            yield _way(node, f"{{}} {reads} (output {new.output})", {"ceil_mode": True})
    elif before == after:
        paddings = _few(range(before + 1, before + window.stride + 1))
        found = _first(((new, {}) if (new := window.changed(padding=p)) else None for p in paddings), _drops_none)
        if found is not None:
            padding = found[0].padding[0]
            text = f"{{}} reads them all (output {found[0].output})"
            yield _way(node, text, {"padding": padding})


# -- padding never read --------------------------------------------------------------------------------------------


@of_windows
def unread_padding(node: Node, window: Window) -> Sentence | None:
    """Padding of which less gives as many outputs.

    One row unread at stride 2, as in every ResNet on even sizes, is no such case: with less on both sides an output
    would be lost.
    """
    (before, after), tail = window.padding, window.unread.tail
    symmetric = before == after
    if not min(after, tail):
        return None
    pairs = ((p, p) if symmetric else (before, p) for p in _few(range(after)))
    new = next((new for p in pairs if (new := window.changed(padding=p)) and new.output == window.output), None)
    if new is None:
        return None
    pair = new.padding
    less = f"padding={pair[0]}" if symmetric else f"padding {pair[0]} before and {pair[1]} after"
    change = edits(node.name, padding=pair[0] if symmetric else pair)
    worked = f"({window.size} + {before} + {after} - {window.extent}) % {window.stride} = {tail}"
    return (
        f"of the padding after the map, {after}, {min(after, tail)} is never read"
        f"{'' if window.ceil_mode else f': {worked}'}",
        (Way(f"{{}} gives as many outputs, {window.output}", ((less, change),)),),
    )


# -- kernels and maps ----------------------------------------------------------------------------------------------


@of_windows
def dilation_past_map(node: Node, window: Window) -> Sentence | None:
    """A dilation not below the size of the map: no window reads two real values.

    Source: L.-C. Chen et al., "Rethinking atrous convolution for semantic image segmentation", arXiv:1706.05587.
    """
    if not _degenerate(window):
        return None
    n, d = window.size, window.dilation
    rates = _few(range((n - 1) // (window.kernel_size - 1), 0, -1))
    whole = _first((window.keeping(dilation=rate) for rate in rates), lambda new: new.lies_inside)
    ways = [*_as_one_tap(node, window)]
    if whole is not None:
        ways.append(_way(node, "{} lets a window lie inside the map", whole[1]))
    sizes = _few(range(d + 1, d + 1 + window.stride * window.kernel_size))
    larger = next((size for size in sizes if (new := window.changed(size=size)) and new.reads_two), None)
    if larger is not None:
        ways.append(_input(node, "an input of {} or more here lets it read two", larger))
    message = f"dilation {d} on a map of {n}: no window reads two real values{_acting(window)}"
    return message, tuple(ways)


def _degenerate(window: Window) -> bool:
    return window.kernel_size > 1 and window.dilation > 1 and window.dilation >= window.size


@of_windows
def kernel_past_map(node: Node, window: Window) -> Sentence | None:
    """A kernel that fits only because the map is padded."""
    n, k, d = window.size, window.kernel_size, window.dilation
    if window.extent <= n or _degenerate(window):
        return None
    ways = [*_as_one_tap(node, window)]
    if not ways:
        odd_from_even = k % 2 and not n % 2 and d == 1  # an odd kernel stays odd
        sizes = ((n - 1) // d + 1 - odd_from_even, (n - 1) // d + 1)
        rates = _few(range((n - 1) // (k - 1), 0, -1)) if d > 1 else []
        tried = chain(
            (window.keeping(dilation=rate) for rate in rates),
            (window.keeping(kernel_size=size) for size in sizes if size),
        )
        fits = _first(tried, lambda new: new.extent <= n)
        ways += [] if fits is None else [_way(node, "{} fits", fits[1])]
    larger = next((size for size in range(window.extent, window.extent + k) if window.changed(size=size)), None)
    if larger is not None:
        ways.append(_input(node, "an input of {} or more here", larger))
    over = f"the kernel spans {window.extent} and the map is {n}: every window hangs over the border"
    return f"{over}{_acting(window)}", tuple(ways)


def _acting(window: Window) -> str:
    return ", it acts as kernel_size 1" if len(window.useful) == 1 else ""


def _as_one_tap(node: Node, window: Window) -> Iterator[Way]:
    """A kernel of size 1 in place of one of which one tap alone meets a row: the same values with that tap's weight.

    Not of an average, which counts the padding, and only where each window has its row.
    """
    if window.op not in ("conv", "maxpool") or len(window.useful) != 1:
        return
    before, after = window.padding
    (tap,) = window.useful
    padding = before - window.dilation * tap
    new = window.changed(kernel_size=1, padding=padding) if before == after and padding >= 0 else None
    if new is not None and new.output == window.output:
        stride = {"stride": window.stride} if window.pools and window.stride == window.kernel_size else {}
        settings = {"kernel_size": 1, "padding": padding, **stride}
        yield _way(node, "{} does the same", settings)


def even_kernel(facts: Facts) -> Iterator[Remark]:
    """A kernel of even extent at stride 1 with the same padding on both sides, for sizes of any kind."""
    for node in facts.nodes:
        if own := settings_of(node, facts):
            yield from by_axis(node, [_even_kernel(node, *entry) for entry in own])


def _even_kernel(node: Node, k: int, s: int, p: Any, d: int) -> Sentence | None:
    spans = int(extent(k, d))
    if spans % 2 or s != 1 or isinstance(p, str):
        return None
    before, after = both_sides(p)
    if before != after or before <= 0:
        return None
    change = 2 * before - spans + 1
    pools = node.layer.op != "conv"
    sizes = [(size, d * (size - 1) // 2) for size in (k - 1, k + 1)]
    options = [
        (f"kernel_size={size} with padding={padding}", edits(node.name, kernel_size=size, padding=padding))
        for size, padding in sizes
        if not pools or 2 * padding <= size
    ]
    if not pools:  # torch's poolings pad both sides alike
        pair = ((spans - 1) // 2, spans // 2)
        options.append((f"padding='same', {pair[0]} before and {pair[1]} after,", edits(node.name, padding=pair)))
    return (
        f"the kernel spans {spans}, padding {before} + {before}: the output is {abs(change)} "
        f"{'larger' if change > 0 else 'smaller'}, and lies half a row beside the input",
        (Way("{} keeps the size", tuple(options)),) if options else (),
    )
