"""The output size of a convolution or pooling on one axis, with every number on the way.

The output, the formula for any input, what is never read, the way back. Sizes are ints or expressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from convcalc.arithmetic.formulas import Padding, conv_out, extent, padding_pair, pool_out
from convcalc.arithmetic.padding_text import in_torch
from convcalc.render.words import Line, across, labelled, needed, number, plain, stacked
from convcalc.shown import Shown
from convcalc.sizes.axes import axis_names
from convcalc.sizes.conditions import Conditions, any_size
from convcalc.sizes.size import Size, flag, is_symbolic, renamed, single
from convcalc.sizes.text import PRETTY, PYTHON, Style, grouped

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """The positions of the padded input that no window reads."""

    tail: int
    """After the last position read."""
    tail_real: int
    """Those of the tail that are input, not padding."""
    gaps: int
    """Between the first position read and the last."""


@dataclass(frozen=True, kw_only=True, repr=False)
class WindowedSize(Shown):
    """A convolution or pooling on one axis: what goes in, what comes out, and why.

    >>> down = conv_size(224, 7, stride=2, padding=3)
    >>> down.output_size, str(down.formula), down.unread.tail, down.restoring
    (112, '(n + 1)//2', 1, 1)
    """

    kind: str
    """"conv" or "pool"."""
    input_size: Size
    kernel_size: Size
    stride: Size
    padding: tuple[Size, Size]
    """(before, after)."""
    same: bool
    """Whether the padding was given as a "same" name, so that it depends on the input size."""
    dilation: Size
    ceil_mode: bool
    output_size: Size
    formula: Size
    """The output size for any input size n."""
    unread: Unread | None
    """None where symbols leave it open."""
    restoring: Size
    """The remainder of the division: the output_padding with which the transposed convolution of the same
    hyper-parameters gives the input size again."""
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""

    def __str__(self) -> str:
        return windowed_text(self)


@renamed(input_size="n")
def conv_size(
    n: Size, kernel_size: Size, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> WindowedSize:
    """Return the output size of a convolution on one axis of n rows, o = (n + p0 + p1 - e)//s + 1, explained.

    `padding` is a number for each side, a pair (before, after) or a name. Raises as `formulas.conv_out`.

    >>> conv_size(28, 5, padding=2).output_size
    28
    """
    return _windowed(
        "conv",
        lambda n, check: conv_out(n, kernel_size, stride, padding, dilation, check=check),
        (n, kernel_size, stride, padding, dilation),
    )


@renamed(input_size="n")
def pool_size(
    n: Size,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> WindowedSize:
    """Return the output size of a pooling on one axis of n rows, explained; the stride is kernel_size unless given.

    Raises as `formulas.pool_out`.

    >>> pool_size(54, 3, stride=2, ceil_mode=True).output_size
    27
    """
    step = kernel_size if stride is None else stride
    return _windowed(
        "pool",
        lambda n, check: pool_out(n, kernel_size, step, padding, dilation, ceil_mode, check=check),
        (n, kernel_size, step, padding, dilation),
        ceil_mode,
    )


def _windowed(
    kind: str,
    out_of: Callable[[Size, Conditions], Size],
    settings: tuple[Size, Size, Size, Padding, Size],
    ceil_mode: bool = False,
) -> WindowedSize:
    *sizes, p, d = settings
    n, k, s, d = single("n kernel_size stride dilation", *sizes, d)
    needs = Conditions()
    out = out_of(n, needs)
    before, after = padding_pair(n, k, s, p, d, check=Conditions())
    pair = before, after = single("padding padding", before, after)
    symbolic = any(map(is_symbolic, (n, k, s, *pair, d)))
    return WindowedSize(
        kind=kind,
        input_size=n,
        kernel_size=k,
        stride=s,
        padding=pair,
        same=isinstance(p, str) and p.startswith("same"),
        dilation=d,
        ceil_mode=flag("ceil_mode", ceil_mode),
        output_size=out,
        formula=out_of(any_size(n, k, s, *pair, d), Conditions()),
        unread=None if symbolic else unread(n, k, s, pair, d, out),
        restoring=(n + pair[0] + pair[1] - extent(k, d)) % s,
        needs=tuple(needs.open),
    )


def unread(n: int, k: int, s: int, p: tuple[int, int], d: int, o: int) -> Unread:
    """Count the padded positions that none of the o windows reads; letters as in `convcalc.arithmetic.formulas`.

    Tap i of window t reads st + di. With s' = s/gcd(s, d) and d' = d/gcd(s, d), two taps meet where they are
    (d', -s') apart, so the distinct positions are the pairs (t, i) with none at (t - d', i + s'):
    ok - (o - d')+ (k - s')+, where x+ = max(0, x). In ceil mode the last window alone may reach past the end.

    >>> unread(224, k=7, s=2, p=(3, 3), d=1, o=112)
    Unread(tail=1, tail_real=0, gaps=0)
    >>> unread(8, k=2, s=3, p=(0, 0), d=1, o=3)
    Unread(tail=0, tail_real=0, gaps=2)
    """
    size = n + p[0] + p[1]
    start = (o - 1) * s
    inside = min(k, (size - 1 - start) // d + 1)
    last = start + d * (inside - 1)
    if o > 1:
        last = max(last, start - s + extent(k, d) - 1)
    g = math.gcd(s, d)
    read = o * k - max(0, o - d // g) * max(0, k - s // g) - (k - inside)
    tail = size - 1 - last
    return Unread(tail=tail, tail_real=min(n, max(0, tail - p[1])), gaps=last + 1 - read)


def render_windowed(sizes: Sequence[WindowedSize], *, style: Style = PRETTY, pooling: str = "max") -> str:
    """Return the answer for people, one part per axis, axes that agree once; `pooling` is which, of a pooling.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> print(render_windowed([conv_size(28, 5, padding=2)]))
    28 -> 28   ⌊(28 + 2·2 − 5)/1⌋ + 1 = 28        any n: n
    read       every row; windows overlap by 4
    back       tconv --k 5 --p 2   (28 -> 28)
    """
    torch = in_torch(sizes, pooling)
    last: list[Line] = [("torch", torch)] if torch else []
    if len(sizes) == 1:
        return labelled([*_lines(sizes[0], style), *last])
    into, out = (across([getattr(axis, name) for axis in sizes], style) for name in ("input_size", "output_size"))
    parts = [f"axis {names}:\n{labelled(_lines(axis, style))}" for names, axis in alike(sizes)]
    return "\n".join([f"{into} -> {out}", *parts, *([labelled(last)] if last else [])])


def alike(sizes: Sequence[T]) -> list[tuple[str, T]]:
    """Gather the axes that have the same numbers.

    >>> alike([28, 28]), alike([28, 14])
    ([('H, W', 28)], [('H', 28), ('W', 14)])
    """
    named: dict[T, list[str]] = {}
    for name, axis in zip(axis_names(len(sizes)), sizes, strict=True):
        named.setdefault(axis, []).append(name)
    return [(", ".join(names), axis) for axis, names in named.items()]


def windowed_text(axis: WindowedSize) -> str:
    """Return the answer for one axis."""
    return render_windowed([axis])


def working(axis: WindowedSize, style: Style) -> str:
    """Return the formula with its numbers put in.

    >>> from convcalc.arithmetic.window_size import conv_size, pool_size
    >>> working(conv_size(28, 5, padding=2), PYTHON)
    '(28 + 2*2 - 5)//1 + 1'
    >>> working(pool_size(53, 2, stride=2, padding=1, ceil_mode=True), PYTHON)
    '-(-(53 + 2*1 - 2)//2) + 1 - 1'
    """
    minus = style.minus
    n, k, s, d, before, after = (
        grouped(number(value, style))
        for value in (axis.input_size, axis.kernel_size, axis.stride, axis.dilation, *axis.padding)
    )
    if axis.same and is_symbolic(axis.padding[0]):
        return style.floor(f"{n} + {s} {minus} 1", s)
    span = k if axis.dilation == 1 else f"({d}{style.times}({k} {minus} 1) + 1)"
    both = f"2{style.times}{before}" if before == after else f"{before} + {after}"
    inside = f"{n} + {both} {minus} {span}"
    if axis.ceil_mode and not is_symbolic(axis.output_size):
        past = _past(axis)
        return f"{style.ceil(inside, s)} + 1" + (f" {minus} {past}" if past else "")
    if axis.ceil_mode:
        least = f"min({before}, {before} + {after} + {s} {minus} {span})"
        return style.floor(f"{n} + {s} {minus} 1 + {least}", s)
    return f"{style.floor(inside, s)} + 1"


def _past(axis: WindowedSize) -> int:
    """How many windows of a rounded-up size would start past the input, and are not counted."""
    before, after = axis.padding
    room = axis.input_size + before + after - extent(axis.kernel_size, axis.dilation)
    rounded, starting = (-(-rows // axis.stride) for rows in (room + axis.stride, axis.input_size + before))
    return int(max(0, rounded - starting))


def _lines(axis: WindowedSize, style: Style) -> list[Line]:
    into, out = number(axis.input_size, style), number(axis.output_size, style)
    worked = working(axis, style)
    if not is_symbolic(axis.output_size):
        worked += f" = {out}        any n: {number(axis.formula, style)}"
    lines = [
        ("", _rounded(axis)),
        ("read", _read(axis)),
        ("back", _back(axis, style)),
        ("needs", needed(axis.needs, style)),
    ]
    return [(f"{into} -> {out}", "" if worked == out else worked), *(line for line in lines if line[1])]


def _rounded(axis: WindowedSize) -> str:
    """Why a rounded-up size is one less."""
    if not axis.ceil_mode or is_symbolic(axis.output_size) or not (past := _past(axis)):
        return ""
    return f"minus {past}: the last window would start past the input"


def _read(axis: WindowedSize) -> str:
    """What the windows leave out, and how they lie to each other."""
    unread = axis.unread
    if unread is None:
        return ""
    parts: list[str] = []
    if unread.gaps:
        kind = "padded rows" if any(axis.padding) else "rows"
        parts.append(f"never {unread.gaps} of the {kind} between the taps")
    if unread.tail_real:
        enough = axis.input_size - unread.tail_real
        alike = enough >= 1 and axis.formula(n=enough) == axis.output_size  # rounding up, fewer rows may give less
        more = f": {enough} gives the same output" if alike else ""
        parts.append(f"never the last {_rows(unread.tail_real, 'input')}{more}")
    elif unread.tail:
        parts.append(f"every input row; never the last {_rows(unread.tail, 'padding')}")
    overlap = extent(axis.kernel_size, axis.dilation) - axis.stride
    if axis.output_size > 1 and axis.dilation == 1 and overlap >= 0:
        parts = [*(parts or ["every row"]), f"windows overlap by {overlap}" if overlap else "windows touch"]
    return "; ".join(parts or ["every row"])


def _rows(count: int, kind: str) -> str:
    return f"{kind} row" if count == 1 else f"{count} {kind} rows"


def _back(axis: WindowedSize, style: Style) -> str:
    """The command that takes the output size back to the input size."""
    if axis.kind != "conv":
        return ""
    if axis.same and is_symbolic(axis.padding[0]):
        return "a tconv whose padding depends on n, as here: give --n a number to see it"
    before, after = (number(side, style) for side in axis.padding)
    flags = [
        ("--k", number(axis.kernel_size, style), ""),
        ("--s", number(axis.stride, style), "1"),
        ("--p", before if before == after else f"{before}:{after}", "0"),
        ("--d", number(axis.dilation, style), "1"),
    ]
    command = "".join(f" {flag} {value}" for flag, value, default in flags if value != default)
    into, out = number(axis.input_size, style), number(axis.output_size, style)
    if is_symbolic(axis.restoring) and not axis.restoring.is_constant:
        left = axis.input_size + sum(axis.padding) - extent(axis.kernel_size, axis.dilation)
        rest = f"{grouped(number(left, style))} mod {number(axis.stride, style)}"
        return f"tconv{command}, output_padding {rest}   ({out} -> {into})"
    extra = int(axis.restoring)
    return f"tconv{command}{f' --op {extra}' if extra else ''}   ({out} -> {into})"


def windowed_record(sizes: Sequence[WindowedSize]) -> dict[str, Any]:
    """Return the JSON record: a value for one axis, a list for several.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> record = windowed_record([conv_size(28, 5, padding=2)])
    >>> record["out"], record["formula"], record["unread"]
    (28, 'n', {'tail': 0, 'tail_real': 0, 'gaps': 0})
    """
    return stacked([_record(axis) for axis in sizes], shared=("kind", "ceil_mode"))


def axis_record(axis: Any, kind: str, work: str, output_padding: Size = 0, ceil_mode: bool = False) -> dict[str, Any]:
    """Return what the record of every size on one axis begins with."""
    return {
        "kind": kind,
        "n": plain(axis.input_size),
        "k": plain(axis.kernel_size),
        "s": plain(axis.stride),
        "p": plain(axis.padding),
        "d": plain(axis.dilation),
        "output_padding": plain(output_padding),
        "ceil_mode": ceil_mode,
        "out": plain(axis.output_size),
        "formula": str(plain(axis.formula)),
        "working": work,
    }


def _record(axis: WindowedSize) -> dict[str, Any]:
    unread = axis.unread
    return {
        **axis_record(axis, axis.kind, working(axis, PYTHON), ceil_mode=axis.ceil_mode),
        "unread": unread and {"tail": unread.tail, "tail_real": unread.tail_real, "gaps": unread.gaps},
        "back": {"output_padding": plain(axis.restoring)} if axis.kind == "conv" else None,
        "needs": [f"{plain(value)} >= 0" for value in axis.needs],
    }
