"""A windowed size as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcalc.arithmetic.formulas import extent
from convcalc.arithmetic.padding_text import in_torch
from convcalc.render.words import Line, across, labelled, needed, number, plain, stacked
from convcalc.sizes.axes import axis_names
from convcalc.sizes.size import is_symbolic
from convcalc.sizes.text import PRETTY, PYTHON, Style, grouped

if TYPE_CHECKING:
    from convcalc.arithmetic.window_size import WindowedSize


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
    named: dict[WindowedSize, list[str]] = {}
    for name, axis in zip(axis_names(len(sizes)), sizes, strict=True):
        named.setdefault(axis, []).append(name)
    parts = [f"axis {', '.join(names)}:\n{labelled(_lines(axis, style))}" for axis, names in named.items()]
    return "\n".join([f"{into} -> {out}", *parts, *([labelled(last)] if last else [])])


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


def _record(axis: WindowedSize) -> dict[str, Any]:
    unread = axis.unread
    return {
        "kind": axis.kind,
        "n": plain(axis.input_size),
        "k": plain(axis.kernel_size),
        "s": plain(axis.stride),
        "p": plain(axis.padding),
        "d": plain(axis.dilation),
        "output_padding": 0,
        "ceil_mode": axis.ceil_mode,
        "out": plain(axis.output_size),
        "formula": str(plain(axis.formula)),
        "working": working(axis, PYTHON),
        "unread": unread and {"tail": unread.tail, "tail_real": unread.tail_real, "gaps": unread.gaps},
        "back": {"output_padding": plain(axis.restoring)} if axis.kind == "conv" else None,
        "needs": [f"{plain(value)} >= 0" for value in axis.needs],
    }
