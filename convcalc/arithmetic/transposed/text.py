"""The size of a transposed convolution as text: its summary and the three ways to it; and as a JSON record.

Every function takes results of `convcalc.arithmetic.transposed.size`, one an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcalc.arithmetic.window_size import alike, axis_record
from convcalc.render.words import Line, across, labelled, needed, number, plain, stacked
from convcalc.sizes.size import Size, is_symbolic
from convcalc.sizes.text import PRETTY, PYTHON, Style, grouped

if TYPE_CHECKING:
    from convcalc.arithmetic.transposed.checkerboard import Overlap
    from convcalc.arithmetic.transposed.size import TransposedSize

PHASES = 16
"""The summary writes the counts of this many phases; beyond, the least and the most must do."""
RECORDED_PHASES = 1000
"""The record has the counts of this many phases at most."""

SHOWN = 8
"""So many phases of an overlap are written."""


def render_transposed(sizes: Sequence[TransposedSize], *, style: Style = PRETTY) -> str:
    """Return the summary: sizes, the equivalent convolution, the overlap, the way back; axes that agree, once.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> print(render_transposed(transposed_sizes([14], 4, stride=2, padding=1)))
    14 -> 28   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28        any n: 2n
    same as    1 zero between: 27; pad 2 + 2: 31; conv with the flipped k4, stride 1: 28
    overlap    2 2 by phase: even, as 2 divides 4
    back       conv --k 4 --s 2 --p 1   28 or 29 -> 14; output_padding=1 gives 29. Shape comes back, values do not.
    """
    if len(sizes) == 1:
        return labelled(_Axis(sizes[0], style).summary())
    into, out = (across([getattr(axis, name) for axis in sizes], style) for name in ("input_size", "output_size"))
    parts = [f"axis {names}:\n{labelled(_Axis(axis, style).summary())}" for names, axis in alike(sizes)]
    return "\n".join([f"{into} -> {out}", *parts])


def transposed_text(axis: TransposedSize) -> str:
    """Return the summary of one axis."""
    return render_transposed([axis])


def render_three_ways(sizes: Sequence[TransposedSize], *, style: Style = PRETTY) -> str:
    """Return the size computed directly, via the equivalent convolution, and by inverting the forward formula.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> print(render_three_ways(transposed_sizes([14], 4, stride=2, padding=1)))
    directly   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28
    as a conv  ⌊(27 + 2 + 2 − 4)/1⌋ + 1 = 28
    inverted   ⌊(o + 2·1 − 4)/2⌋ + 1 = 14: o = (14 − 1)·2 + 4 − 2·1 + r = 28 + r, 0 <= r < 2
               exact: r = 0 is the output_padding, so o = 28
    """
    parts = [(names, labelled(_Axis(axis, style).three_ways())) for names, axis in alike(sizes)]
    return "\n".join(f"axis {names}:\n{text}" if len(sizes) > 1 else text for names, text in parts)


def transposed_working(axis: TransposedSize, style: Style) -> str:
    """Return the formula with its numbers put in.

    >>> from convcalc.arithmetic.transposed.size import transposed_size
    >>> transposed_working(transposed_size(14, 4, stride=2, padding=1), PYTHON)
    '(14 - 1)*2 - 2*1 + (4 - 1) + 0 + 1'
    """
    return _Axis(axis, style).working()


# -- records -----------------------------------------------------------------------------------------------------


def transposed_record(sizes: Sequence[TransposedSize]) -> dict[str, Any]:
    """Return the JSON record of a transposed convolution: a number for one axis, a list for several.

    Symbolic sizes are Python expression strings; what symbols leave open is None. `overlap` has the counts of
    the first `RECORDED_PHASES` phases.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> record = transposed_record(transposed_sizes([14], 4, stride=2, padding=1))
    >>> record["out"], record["formula"], record["p"], record["overlap"]["even"], record["back"]
    (28, '2*n', [1, 1], True, {'least': 28, 'most': 29, 'remainder': 0, 'out': 14, 'exact': True})
    """
    return stacked([_axis_record(axis) for axis in sizes], shared=("kind", "ceil_mode", "unread"))


def _axis_record(axis: TransposedSize) -> dict[str, Any]:
    same, back, meet = axis.equivalent, axis.inversion, axis.overlap
    return {
        **axis_record(axis, "tconv", transposed_working(axis, PYTHON), axis.output_padding),
        "unread": None,
        "equivalent": {
            "zeros": plain(same.zeros),
            "inserted": plain(same.inserted),
            "p": plain(same.padding),
            "padded": plain(same.padded),
            "k": plain(same.kernel_size),
            "s": 1,
            "d": plain(same.dilation),
            "out": plain(same.output_size),
        },
        "overlap": None
        if meet is None
        else {
            "counts": [meet.count(phase) for phase in range(min(meet.stride, RECORDED_PHASES))],
            "fewest": meet.fewest,
            "most": meet.most,
            "even": meet.even,
            "reason": meet.reason,
            "remedy": meet.remedy or None,
        },
        "back": {
            "least": plain(back.least),
            "most": plain(back.most),
            "remainder": plain(back.remainder),
            "out": plain(back.back),
            "exact": back.exact,
        },
        "needs": [f"{plain(value)} >= 0" for value in axis.needs],
    }


# -- lines of one axis -------------------------------------------------------------------------------------------


class _Axis:
    """One axis in words: its numbers as texts of one style, letters as in `convcalc.arithmetic.formulas`."""

    def __init__(self, axis: TransposedSize, style: Style) -> None:
        self.axis, self.style = axis, style
        self.minus, self.times = style.minus, style.times
        self.n, self.k, self.s, self.d, self.op, self.out = (
            self.group(value)
            for value in (
                axis.input_size,
                axis.kernel_size,
                axis.stride,
                axis.dilation,
                axis.output_padding,
                axis.output_size,
            )
        )

    def text(self, value: Size) -> str:
        return number(value, self.style)

    def group(self, value: Size) -> str:
        """The value where a product may follow."""
        return grouped(self.text(value)) if is_symbolic(value) else str(value)

    def summary(self) -> list[Line]:
        into, out = self.text(self.axis.input_size), self.text(self.axis.output_size)
        formula = "" if is_symbolic(self.axis.input_size) else f"        any n: {self.text(self.axis.formula)}"
        result = "" if is_symbolic(self.axis.output_size) else f" = {out}"
        return [
            (f"{into} -> {out}", f"{self.working()}{result}{formula}"),
            ("same as", self.same_as()),
            ("overlap", self.overlap()),
            ("back", self.back()),
            *([("needs", needs)] if (needs := needed(self.axis.needs, self.style)) else []),
        ]

    def three_ways(self) -> list[Line]:
        same, back, span = self.axis.equivalent, self.axis.inversion, self.span()
        padded = f"{self.text(same.inserted)}{self.added(same.padding)} {self.minus} {span}"
        inner = f"o{self.padding('+')} {self.minus} {span}"
        solved = f"({self.n} {self.minus} 1){self.times}{self.s} + {span}{self.padding(self.minus)}"
        return [
            ("directly", f"{self.working()} = {self.text(self.axis.output_size)}"),
            ("as a conv", f"{self.style.floor(padded, '1')} + 1 = {self.text(same.output_size)}"),
            (
                "inverted",
                f"{self.style.floor(inner, self.s)} + 1 = {self.text(self.axis.input_size)}: "
                f"o = {solved} + r = {self.text(back.least)} + r, 0 <= r < {self.s}",
            ),
            ("", self.exactness()),
        ]

    def exactness(self) -> str:
        back = self.axis.inversion
        if back.exact is None:
            return "exact where r = output_padding, so output_padding < stride"
        if back.exact:
            return f"exact: r = {self.text(back.remainder)} is the output_padding, so o = {self.text(back.output_size)}"
        return (
            f"not exact: output_padding={self.op} >= stride={self.s}; "
            f"the convolution turns {self.out} into {self.text(back.back)}"
        )

    def working(self) -> str:
        taps = f"({self.k} {self.minus} 1)"
        reach = taps if self.axis.dilation == 1 else f"{self.d}{self.times}{taps}"
        start = f"({self.n} {self.minus} 1){self.times}{self.s}"
        return f"{start}{self.padding(self.minus)} + {reach} + {self.op} + 1"

    def padding(self, sign: str) -> str:
        before, after = self.axis.padding
        both = [f"2{self.times}{self.group(before)}"] if before == after else [self.group(before), self.group(after)]
        return "".join(f" {sign} {side}" for side in both)

    def added(self, padding: tuple[Size, Size]) -> str:
        """The padding of the equivalent convolution as summands; a negative side is subtracted."""
        crops = (not is_symbolic(side) and side < 0 for side in padding)
        return "".join(
            f" {self.minus} {-side}" if crop else f" + {self.group(side)}"
            for side, crop in zip(padding, crops, strict=True)
        )

    def span(self) -> str:
        if self.axis.dilation == 1:
            return self.k
        return f"({self.d}{self.times}({self.k} {self.minus} 1) + 1)"

    def same_as(self) -> str:
        same = self.axis.equivalent
        zeros = "no zeros" if same.zeros == 0 else "1 zero" if same.zeros == 1 else f"{self.text(same.zeros)} zeros"
        kernel = "kernel" if is_symbolic(same.kernel_size) else f"k{same.kernel_size}"
        dilation = "" if same.dilation == 1 else f", dilation {self.d}"
        return (
            f"{zeros} between: {self.text(same.inserted)}; {self.sides(*same.padding)}: {self.text(same.padded)}; "
            f"conv with the flipped {kernel}{dilation}, stride 1: {self.text(same.output_size)}"
        )

    def sides(self, before: Size, after: Size) -> str:
        """Say what is padded; negative sides crop."""
        if is_symbolic(before) or is_symbolic(after) or min(before, after) >= 0:
            return f"pad {self.group(before)} + {self.group(after)}"
        if max(before, after) <= 0:
            return f"crop {-before} + {-after}"
        named = ((before, "before"), (after, "after"))
        return ", ".join(f"{'crop' if side < 0 else 'pad'} {abs(side)} {where}" for side, where in named)

    def overlap(self) -> str:
        meet = self.axis.overlap
        if meet is None:
            return "even where gcd(stride, dilation) = 1 and stride divides kernel_size"
        counts = " ".join(str(meet.count(phase)) for phase in range(min(meet.stride, PHASES)))
        more = f" ... ({meet.fewest} to {meet.most})" if meet.stride > PHASES else ""
        if meet.even:
            return f"{counts}{more} by phase: even, as {meet.reason}"
        return f"{counts}{more} by phase: uneven, as {meet.reason}; {meet.remedy}"

    def back(self) -> str:
        back, command = self.axis.inversion, self.forward_command()
        into, out = self.text(self.axis.input_size), self.text(self.axis.output_size)
        if back.exact is False:
            reached = self.text(back.back)
            return f"{command}   {out} -> {reached}, not {into}: output_padding={self.op} >= stride={self.s}."
        least, most = self.text(back.least), self.text(back.most)
        if is_symbolic(back.most):
            reach = least if self.axis.stride == 1 else f"{least} to {most}"
            return f"{command}   {reach} -> {into}. Shape comes back, values do not."
        first, last = back.sizes[0], back.sizes[-1]
        joined = f"{first} to {last}" if last - first > 1 else f"{first} or {last}" if first < last else f"{first}"
        others = {size: None for size in (first, last) if size != self.axis.output_size}
        gives = " and ".join(f"output_padding={size - back.least} gives {size}" for size in others)
        return f"{command}   {joined} -> {into}{'; ' if gives else ''}{gives}. Shape comes back, values do not."

    def forward_command(self) -> str:
        before, after = map(self.text, self.axis.padding)
        flags = [("--s", self.s, "1"), ("--p", before if before == after else f"{before}:{after}", "0")]
        said = "".join(
            f" {flag} {value}" for flag, value, default in [*flags, ("--d", self.d, "1")] if value != default
        )
        return f"conv --k {self.k}{said}"


def overlap_line(meet: Overlap) -> str:
    """Return how many taps meet at each phase.

    >>> from convcalc.arithmetic.transposed.checkerboard import overlap
    >>> overlap_line(overlap(4, stride=2))
    'taps by phase 2 2: even, as 2 divides 4'
    """
    counts = " ".join(str(meet.count(phase)) for phase in range(min(meet.stride, SHOWN)))
    more = " ..." if meet.stride > SHOWN else ""
    remedy = f"; {meet.remedy}" if meet.remedy else ""
    return f"taps by phase {counts}{more}: {'even' if meet.even else 'uneven'}, as {meet.reason}{remedy}"
