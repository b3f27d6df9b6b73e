"""The classic picture of a convolution or a pooling: the kernel on its input, and the output it gives there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from convcalc.arithmetic.groups_picture import groups_strip
from convcalc.arithmetic.window_size import WindowedSize, conv_size, working
from convcalc.arithmetic.windows import Numbers, Windows
from convcalc.errors import BadArgument, BadShape
from convcalc.render.cells import Panel, line
from convcalc.render.picture import HEAD, MARGIN, Picture, fitted, legend
from convcalc.render.svg import path, text
from convcalc.sizes.size import is_symbolic
from convcalc.sizes.text import PRETTY

if TYPE_CHECKING:
    from convcalc.arithmetic.transposed.size import TransposedSize

Sized: TypeAlias = "WindowedSize | TransposedSize"

FRAMES = 1024
"""So many steps an animation has at the most, and so many taps a kernel."""
TAPS = 2**16
"""So many taps are drawn in all steps together."""


def window_picture(
    sizes: Sequence[WindowedSize],
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
    channels: tuple[int, int] | None = None,
    groups: int = 1,
) -> Picture:
    """Draw a convolution or pooling on one axis or two: what the output at `at` reads, or every output in turn.

    `values` writes numbers: input 1, 2, 3, ..., kernel 1, 2, 3, ..., and what comes out; of a pooling the largest.
    With `channels` (into, out) a strip below shows which of them are read, in `groups`.
    Raises `BadShape` for symbols and more than two axes, `BadArgument` for an output that does not exist.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> print(window_picture([conv_size(5, 3, padding=1)], at=[0]))
    conv 5 -> 5: k3 s1 p1
    output 0 reads -1, 0, 1; 1 of 3 outside
    """
    place = output_drawn(sizes, at)
    drawn = _Drawn(sizes, place, values)
    steps = steps_drawn(sizes, drawn.output if animate else [place])
    frames = tuple(tuple(drawn.frame(step)) for step in steps)
    about = "every output in turn" if animate else drawn.said(place)
    strip, right, bottom = (
        ([], 0.0, 0.0) if channels is None else groups_strip(channels, groups, MARGIN, drawn.height + 4)
    )
    return Picture(
        title=drawn.title,
        description=about,
        width=max(drawn.width, right + MARGIN),
        height=max(drawn.height, bottom + 20),
        marks=(*drawn.still(), *strip),
        frames=frames,
    )


def output_drawn(sizes: Sequence[Sized], at: Sequence[int] | None) -> tuple[int, int]:
    """Return the output to draw as (row, column), the first unless one is given; refuse what has no picture.

    >>> output_drawn([conv_size(5, 1)], [3]), output_drawn([conv_size(5, 1)] * 2, None)
    ((0, 3), (0, 0))
    """
    outputs, kernels = [size.output_size for size in sizes], [size.kernel_size for size in sizes]
    settings = [value for size in sizes for value in (size.input_size, size.stride, size.dilation, *size.padding)]
    if any(map(is_symbolic, [*outputs, *kernels, *settings])):
        raise BadShape("a picture needs numbers, not letters: use --n 8, say")
    if len(outputs) > 2:
        raise BadShape(f"a picture has one axis or two, not {len(outputs)}: use --n 8x8, say")
    place = tuple(at) if at is not None else (0,) * len(outputs)
    if len(place) != len(outputs):
        raise BadArgument(f"the output {'x'.join(map(str, place))} has {len(place)} places for {len(outputs)} axes")
    for where, size in zip(place, outputs, strict=True):
        if not 0 <= where < size:
            raise BadArgument(f"there is no output {where}: they are 0 to {size - 1}")
    _few(prod(map(int, kernels)), "taps", "kernel")
    return (0, *place)[-2], place[-1]


def steps_drawn(sizes: Sequence[Sized], outputs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the outputs that are drawn in turn, unless they are more than anyone looks at."""
    steps = list(outputs)
    _few(len(steps), "steps", "input")
    _few(len(steps) * prod(int(size.kernel_size) for size in sizes), "taps in all steps", "kernel", TAPS)
    return steps


def _few(count: int, things: str, of: str, most: int = FRAMES) -> None:
    if count > most:
        raise BadShape(f"{count:,} {things} are too many to draw, at most {most:,}: use a smaller {of}")


def settings(sizes: Sequence[WindowedSize]) -> str:
    """Return the hyper-parameters in one line.

    >>> from convcalc.arithmetic.window_size import pool_size
    >>> settings([pool_size(5, 2, ceil_mode=True)] * 2)
    'k2 s2 p0 ceil'
    """
    pads = [f"{before}" if before == after else f"{before}:{after}" for before, after in (s.padding for s in sizes)]
    rates = each([size.dilation for size in sizes])
    parts = [f"k{each([s.kernel_size for s in sizes])}", f"s{each([s.stride for s in sizes])}", f"p{each(pads)}"]
    return " ".join([*parts, *([f"d{rates}"] if rates != "1" else []), *(["ceil"] if sizes[0].ceil_mode else [])])


def each(values: Sequence[object]) -> str:
    """Return one value per axis, once where they agree.

    >>> each([3, 3]), each([3, 5])
    ('3', '3x5')
    """
    texts = list(map(str, values))
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


class _Drawn:
    """The two panels and what stands in them; a single axis is drawn as a grid of one row."""

    def __init__(self, sizes: Sequence[WindowedSize], place: tuple[int, int], values: bool) -> None:
        self.sizes, self.flat = sizes, len(sizes) == 1
        into, out = ("x".join(str(getattr(s, name)) for s in sizes) for name in ("input_size", "output_size"))
        self.title = f"{sizes[0].kind} {into} -> {out}: {settings(sizes)}"
        self.axes = [Windows(size) for size in ([conv_size(1, 1)] * (2 - len(sizes)) + list(sizes))]
        self.values = Numbers(self.axes[-len(sizes) :]) if values else None
        outs = [int(axis.size.output_size) for axis in self.axes]
        longest = len(str(self._result(outs[0] - 1, outs[1] - 1)))
        cell = fitted(max(axis.last - axis.first + 1 for axis in self.axes), longest)
        near = [axis.taps(where) for axis, where in zip(self.axes, place, strict=True)]
        rows, columns = (line(axis.first, axis.last, cell, taps) for axis, taps in zip(self.axes, near, strict=True))
        high, wide = (line(0, size - 1, cell, [where]) for size, where in zip(outs, place, strict=True))
        left = MARGIN if self.flat else MARGIN + 14
        tall = max(rows.length, high.length)
        if self.flat:
            self.input = Panel(rows, columns, cell, left, HEAD)
            middle = left + max(0.0, (columns.length - wide.length) / 2)
            self.output = Panel(high, wide, cell, middle, HEAD + cell * 4)
            bottom = self.output.bottom + 16
        else:
            self.input = Panel(rows, columns, cell, left, HEAD + (tall - rows.length) / 2)
            right = self.input.right + max(60.0, cell * 2)
            self.output = Panel(high, wide, cell, right, HEAD + (tall - high.length) / 2)
            bottom = HEAD + tall + 6
        self.caption, self.width = bottom + 18, max(self.input.right, self.output.right, 420) + MARGIN
        self.height = self.caption + 58

    def _kind(self, row: int, column: int) -> str:
        kinds = [axis.kind(at) for axis, at in zip(self.axes, (row, column), strict=True)]
        return next((kind for kind in ("zero", "pad", "lost") if kind in kinds), "cell")

    def _given(self, row: int, column: int) -> str:
        number = self.values and self.values.input([column] if self.flat else [row, column])
        return "" if number is None else str(number)

    def _result(self, row: int, column: int) -> str:
        return str(self.values.output([column] if self.flat else [row, column])) if self.values else ""

    def _product(self, place: tuple[int, int], tap: tuple[int, int]) -> str:
        """What stands in a cell under the kernel: the number times its weight; of a pooling the number."""
        given = self._given(*place)
        if not self.values or not given or self.sizes[0].kind == "pool":
            return given
        return f"{given}·{self.values.weight(tap[1:] if self.flat else tap)}"

    def said(self, output: tuple[int, int]) -> str:
        """What an output reads, in words."""
        axes = list(zip(self.axes, output, strict=True))
        rows, columns = (axis.listed(place) for axis, place in axes)
        whole = prod(int(axis.size.kernel_size) for axis in self.axes)
        inside = prod(int(axis.size.kernel_size) - axis.outside(place) for axis, place in axes)
        more = f"; {whole - inside} of {whole} outside" if inside < whole else ""
        if self.flat:
            return f"output {output[1]} reads {columns}{more}"
        return f"output {output[0]}x{output[1]} reads rows {rows} and columns {columns}{more}"

    def still(self) -> list[str]:
        """What stays: cells, their numbers, what the colours mean, and the formula."""
        kinds = {self._kind(*place) for place in self.input}
        names = {"tap": "kernel", "now": "output", "cell": "input", "pad": "padding", "zero": "past the padding"}
        meant = {kind: words for kind, words in names.items() if kind in kinds or kind in ("tap", "now")}
        meant |= {"lost": "never read"} if "lost" in kinds else {}
        texts = [working(size, PRETTY) for size in self.sizes]
        worked = texts[0] if len(set(texts)) == 1 else f"rows {texts[0]}; columns {texts[1]}"
        return [
            text("word", MARGIN, 24, self.title, size=14),
            *self.input.cells(self._kind, self._given),
            *self.output.cells(lambda row, column: "out", self._result),
            *self.input.numbers(),
            *self.output.numbers(below=self.flat),
            *legend(meant, MARGIN, self.caption + 12),
            text("faint", MARGIN, self.caption + 44, worked, size=11),
        ]

    def frame(self, output: tuple[int, int]) -> list[str]:
        """The kernel where one output has it, that output, and what it reads."""
        taps = product(*(enumerate(axis.taps(at)) for axis, at in zip(self.axes, output, strict=True)))
        read = {(row, column): (i, j) for (i, row), (j, column) in taps if (row, column) in self.input}
        marks = self._rays(list(read), output)
        for place, tap in read.items():
            marks += self.input.mark(place, "tap", self._product(place, tap), "on")
        marks += self.output.mark(output, "now", self._result(*output), "on")
        words = self.said(output)
        return [*marks, text("word", MARGIN, self.caption, words, size=min(12.0, (self.width - 40) / len(words) / 0.6))]

    def _rays(self, read: Sequence[tuple[int, int]], output: tuple[int, int]) -> list[str]:
        """Lines from each tap to the output; of a grid from the kernel's corners alone."""
        cell = self.input.cell
        if not read:  # all of it lies in the gap
            return []
        if self.flat:
            end = self.output.middle(output)[0], self.output.y
            return [path("ray", [(self.input.middle(place)[0], self.input.bottom), end]) for place in read]
        x, top = self.output.corner(output)
        right = self.input.corner(max(read))[0] + cell
        ends = [(self.input.corner(min(read))[1], top), (self.input.corner(max(read))[1] + cell, top + cell)]
        return [path("ray", [(right, start), (x, end)]) for start, end in ends]
