"""A transposed convolution drawn in both views: stamps that meet, and zeros between under the flipped kernel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from convcalc.arithmetic.transposed.size import TransposedSize, transposed_size
from convcalc.arithmetic.transposed.stamps import StampNumbers, Stamps
from convcalc.arithmetic.transposed.text import transposed_working
from convcalc.arithmetic.window_picture import each, output_drawn, steps_drawn
from convcalc.render.cells import Panel, line
from convcalc.render.picture import HEAD, MARGIN, Picture, fitted, legend
from convcalc.render.svg import path, rect, text
from convcalc.sizes.text import PRETTY

STAMPS = 12
"""So many stamps of one axis are drawn below each other; of more, those at both ends."""


def transposed_picture(
    sizes: Sequence[TransposedSize], *, at: Sequence[int] | None = None, animate: bool = False, values: bool = False
) -> Picture:
    """Draw a transposed convolution on one axis or two, at one output or at every one in turn.

    Above, each input puts its stamp, the kernel, on the output, and what meets is summed. Below, the same as a
    convolution of stride 1: zeros between, and the kernel flipped, as the names of its weights show. `values` writes
    numbers, the same in both. Raises as `window_picture`.

    >>> print(transposed_picture([transposed_size(3, 3, stride=2, padding=1)], at=[1]))
    tconv 3 -> 5: k3 s2 p1
    output 1: the stamps of inputs 0, 1 meet
    """
    place = output_drawn(sizes, at)
    drawn = _Drawn(sizes, place, values)
    steps = steps_drawn(sizes, drawn.output if animate else [place])
    return Picture(
        title=drawn.title,
        description="every output in turn" if animate else drawn.said(place),
        width=drawn.width,
        height=drawn.height,
        marks=tuple(drawn.still()),
        frames=tuple(tuple(drawn.frame(step)) for step in steps),
    )


def _settings(sizes: Sequence[TransposedSize]) -> str:
    pads = [f"{before}" if before == after else f"{before}:{after}" for before, after in (s.padding for s in sizes)]
    rates, more = each([size.dilation for size in sizes]), each([size.output_padding for size in sizes])
    parts = [f"k{each([s.kernel_size for s in sizes])}", f"s{each([s.stride for s in sizes])}", f"p{each(pads)}"]
    return " ".join([*parts, *([f"op{more}"] if more != "0" else []), *([f"d{rates}"] if rates != "1" else [])])


class _Drawn:
    """The panels of both views; a single axis is drawn as grids of one row."""

    def __init__(self, sizes: Sequence[TransposedSize], place: tuple[int, int], values: bool) -> None:
        self.sizes, self.flat = sizes, len(sizes) == 1
        into, out = ("x".join(str(getattr(s, name)) for s in sizes) for name in ("input_size", "output_size"))
        self.title = f"tconv {into} -> {out}: {_settings(sizes)}"
        self.axes = [Stamps(size) for size in ([transposed_size(1, 1)] * (2 - len(sizes)) + list(sizes))]
        self.values = StampNumbers(self.axes[-len(sizes) :]) if values else None
        outs = [int(axis.size.output_size) for axis in self.axes]
        spans = [axis.zeros_last - axis.zeros_first + 1 for axis in self.axes]
        longest = max(len(str(self.values.stamped([o - 1 for o in outs[-len(sizes) :]]))), 4) if self.values else 2
        cell = fitted(max(spans), longest)
        left = MARGIN if self.flat else MARGIN + 14
        zeros = [
            line(axis.zeros_first, axis.zeros_last, cell, [met[0] for met in axis.under(where)])
            for axis, where in zip(self.axes, place, strict=True)
        ]
        canvas = [line(axis.first, axis.last, cell, [where]) for axis, where in zip(self.axes, place, strict=True)]
        result = [line(0, size - 1, cell, [where]) for size, where in zip(outs, place, strict=True)]
        inputs = [
            line(0, int(axis.size.input_size) - 1, cell, [met[0] for met in axis.meeting(where)])
            for axis, where in zip(self.axes, place, strict=True)
        ]
        if self.flat:
            stamped = int(self.axes[1].size.input_size)
            self.stamped = list(range(min(stamped, STAMPS)))
            if stamped > STAMPS:
                self.stamped = [*range(STAMPS // 2), *range(stamped - STAMPS // 2, stamped)]
            self.input = Panel(inputs[0], inputs[1], cell, left, HEAD + 16)
            top = self.input.bottom + 14
            self.canvas = Panel(line(0, len(self.stamped), cell), canvas[1], cell, left, top)
            self.output = Panel(
                line(0, 0, cell), result[1], cell, left + canvas[1].places[0], self.canvas.bottom - cell
            )
            second = self.output.bottom + 54
            self.zeros = Panel(zeros[0], zeros[1], cell, left, second)
            self.again = Panel(line(0, 0, cell), result[1], cell, left, self.zeros.bottom + cell * 2.4)
            bottom = self.again.bottom + 16
        else:
            self.stamped = []
            self.input = Panel(inputs[0], inputs[1], cell, left, HEAD + 16)
            gap = max(60.0, cell * 2)
            self.canvas = Panel(canvas[0], canvas[1], cell, self.input.right + gap, HEAD + 16)
            corner = self.canvas.x + canvas[1].places[0], self.canvas.y + canvas[0].places[0]
            self.output = Panel(result[0], result[1], cell, *corner)
            second = max(self.input.bottom, self.canvas.bottom) + 52
            self.zeros = Panel(zeros[0], zeros[1], cell, left, second)
            self.again = Panel(result[0], result[1], cell, self.zeros.right + gap, second)
            bottom = max(self.zeros.bottom, self.again.bottom) + 6
        self.second, self.caption = second, bottom + 18
        panels = (self.input, self.canvas, self.output, self.zeros, self.again)
        self.width = max(540, *(panel.right for panel in panels)) + MARGIN
        self.height = self.caption + 58

    def _own(self, place: Sequence[int]) -> Sequence[int]:
        """A place in the axes that there are."""
        return place[1:] if self.flat else place

    def _weight(self, tap: Sequence[int]) -> str:
        """The name of a weight."""
        own = self._own(tap)
        return f"w{','.join(map(str, own)) if max(own) > 9 else ''.join(map(str, own))}"

    def _between(self, row: int, column: int) -> str:
        """What stands at a place of the input with zeros between."""
        kinds = [axis.kind(at) for axis, at in zip(self.axes, (row, column), strict=True)]
        if "zero" in kinds and set(kinds) <= {"zero", "cell"}:
            return "0"
        value = self.values and set(kinds) == {"cell"} and self.values.between(self._own((row, column)))
        return str(value) if value else ""

    def _kind(self, row: int, column: int) -> str:
        kinds = [axis.kind(at) for axis, at in zip(self.axes, (row, column), strict=True)]
        return next((kind for kind in ("lost", "pad", "zero") if kind in kinds), "cell")

    def _times(self, value: int | None, tap: Sequence[int]) -> str:
        """What stands in a cell that a weight meets."""
        if not self.values:
            return self._weight(tap)
        return "" if value is None else f"{value}·{self.values.weight(self._own(tap))}"

    def _input(self, row: int, column: int) -> str:
        return str(self.values.input(self._own((row, column)))) if self.values else ""

    def _stamped(self, row: int, column: int) -> str:
        return str(self.values.stamped(self._own((row, column)))) if self.values else ""

    def _convolved(self, row: int, column: int) -> str:
        return str(self.values.convolved(self._own((row, column)))) if self.values else ""

    def said(self, output: tuple[int, int]) -> str:
        """What meets in an output, in words."""
        met = [[str(at) for at, _ in sorted(axis.meeting(o))] for axis, o in zip(self.axes, output, strict=True)]
        name = "x".join(map(str, self._own(output)))
        if not all(met):
            return f"output {name}: no stamp reaches it, it is the bias alone"
        if self.flat:
            if len(met[1]) == 1:
                return f"output {name}: only the stamp of input {met[1][0]} falls there"
            return f"output {name}: the stamps of inputs {', '.join(met[1])} meet"
        return f"output {name}: the stamps of inputs in rows {', '.join(met[0])} and columns {', '.join(met[1])} meet"

    def still(self) -> list[str]:
        """What stays of both views."""
        kinds = {self._kind(*place) for place in self.zeros}
        meant = {"tap": "kernel", "now": "output", "cell": "input"}
        meant |= {"zero": "zero between"} if "zero" in kinds else {}
        meant |= {"pad": "padding"} if "pad" in kinds else {}
        meant |= {"lost": "cut off"} if "lost" in kinds or self._cut else {}
        pads = each([":".join(map(str, size.equivalent.padding)) for size in self.sizes])
        zeros = each([size.equivalent.zeros for size in self.sizes])
        twin = f"the same: {zeros} zero{'s' * (zeros != '1')} between, padding {pads}, kernel flipped, stride 1"
        worked = each([transposed_working(size, PRETTY) for size in self.sizes]).replace("x(", "; (")
        return [
            text("word", MARGIN, 24, self.title, size=14),
            text("faint", MARGIN, HEAD - 8, "each input puts its stamp, the kernel, on the output", size=11),
            text("faint", MARGIN, self.second - 24, twin, size=11),
            *self.input.cells(lambda row, column: "cell", self._input),
            *self.input.numbers(),
            *(self._stamps() if self.flat else self._canvas()),
            *self.output.cells(lambda row, column: "out", self._stamped),
            *self.zeros.cells(self._kind, self._between),
            *self.again.cells(lambda row, column: "out", self._convolved),
            *self.again.numbers(below=self.flat),
            *(self.output.numbers(below=True) if self.flat else self.canvas.numbers()),
            *legend(meant, MARGIN, self.caption + 12),
            text("faint", MARGIN, self.caption + 44, worked, size=11),
        ]

    @property
    def _cut(self) -> bool:
        return any(axis.first < 0 or axis.last >= axis.size.output_size for axis in self.axes)

    def _stamps(self) -> list[str]:
        """The stamps of one axis below each other, each where it falls."""
        marks = []
        for row, place in enumerate(self.stamped):
            for tap, position in enumerate(self.axes[1].stamp(place)):
                if (row, position) in self.canvas:
                    words = self._times(self.values.input([place]) if self.values else None, (0, tap))
                    inside = 0 <= position < self.axes[1].size.output_size
                    marks += self.canvas.mark((row, position), "cell" if inside else "lost", words)
            if row and place != self.stamped[row - 1] + 1:
                marks.append(text("faint", self.canvas.x - 12, self.canvas.y + self.canvas.rows.places[row], "⋮"))
        return marks

    def _canvas(self) -> list[str]:
        """Of two axes all positions that stamps reach; those cut off are crossed out."""
        outs = [axis.size.output_size for axis in self.axes]
        cut = [place for place in self.canvas if not all(0 <= at < out for at, out in zip(place, outs, strict=True))]
        return [mark for place in cut for mark in self.canvas.mark(place, "lost")]

    def frame(self, output: tuple[int, int]) -> list[str]:
        """Both views of one output."""
        return [
            *self._met(output),
            *self._under(output),
            *self.output.mark(output, "now", self._stamped(*output), "on"),
            *self.again.mark(output, "now", self._convolved(*output), "on"),
            text("word", MARGIN, self.caption, self.said(output), size=12),
        ]

    def _met(self, output: tuple[int, int]) -> list[str]:
        """The inputs whose stamps meet in an output, and the stamps."""
        marks = []
        for (row, i), (column, j) in product(*(axis.meeting(at) for axis, at in zip(self.axes, output, strict=True))):
            if (row, column) in self.input:
                value = self.values.input(self._own((row, column))) if self.values else None
                marks += self.input.mark((row, column), "tap", self._times(value, (i, j)), "on")
                if self.flat and column in self.stamped and (0, output[1]) in self.output:
                    spot = self.stamped.index(column), output[1]
                    marks += self.canvas.mark(spot, "tap", self._times(value, (i, j)), "on")
                if not self.flat:
                    marks.append(self._hull([self.axes[0].stamp(row), self.axes[1].stamp(column)]))
        return marks

    def _hull(self, stamp: Sequence[Sequence[int]]) -> str:
        """The outline of a stamp on the output, where it is drawn."""
        ends = [
            [position for position in positions if position in axis.places]
            for positions, axis in zip(stamp, (self.canvas.rows, self.canvas.columns), strict=True)
        ]
        if not all(ends):
            return ""
        x, y = self.canvas.corner((ends[0][0], ends[1][0]))
        right, bottom = self.canvas.corner((ends[0][-1], ends[1][-1]))
        return rect("hull", x, y, right + self.canvas.cell - x, bottom + self.canvas.cell - y)

    def _under(self, output: tuple[int, int]) -> list[str]:
        """The flipped kernel on the input with zeros between, and rays to what it gives."""
        unders = product(*(axis.under(at) for axis, at in zip(self.axes, output, strict=True)))
        met = {(row, column): (i, j) for (row, i), (column, j) in unders if (row, column) in self.zeros}
        marks = []
        for place, tap in met.items():
            value = self.values.between(self._own(place)) if self.values else None
            words = self._times(value, tap) or ("0" if self.values else "")
            marks += self.zeros.mark(place, "tap", words, "on")
        if not met:
            return marks
        cell = self.zeros.cell
        if self.flat:
            end = self.again.middle(output)[0], self.again.y
            return [*(path("ray", [(self.zeros.middle(at)[0], self.zeros.bottom), end]) for at in met), *marks]
        x, top = self.again.corner(output)
        right = self.zeros.corner(max(met))[0] + cell
        corners = [(self.zeros.corner(min(met))[1], top), (self.zeros.corner(max(met))[1] + cell, top + cell)]
        return [*(path("ray", [(right, start), (x, end)]) for start, end in corners), *marks]
