# ruff: noqa: A002 -- `ascii` says what it does, and nobody needs the builtin here
"""The size of a transposed convolution as text: its summary and the three ways to it; and as a JSON record.

Every function takes results of `convcalc.transpose_size`, one an axis. With `ascii`, nothing but ASCII is
written: * for ·, - for −, floor(...) for ⌊...⌋.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from convcalc.axes import axis_names
from convcalc.checkerboard import Overlap
from convcalc.expr import Expr
from convcalc.exprtext import grouped
from convcalc.sizes import is_symbolic
from convcalc.transpose_size import EquivalentConv, TransposedSize

PHASES = 16
"""The summary writes the counts of this many phases; beyond, the least and the most must do."""
RECORDED_PHASES = 1000
"""The record has the counts of this many phases at most."""

_ASCII = str.maketrans({"·": "*", "−": "-", "⌊": "floor(", "⌋": ")"})


def render_transposed(sizes: Sequence[TransposedSize], *, ascii: bool = False) -> str:
    """Return the summary: sizes, the equivalent convolution, the overlap, the way back; axes that agree, once.

    >>> from convcalc.transpose_size import transposed_sizes
    >>> print(render_transposed(transposed_sizes([14], 4, stride=2, padding=1)))
    14 -> 28   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28        any n: 2n
    same as    1 zero between: 27; pad 2 + 2: 31; conv with the flipped k4, stride 1: 28
    overlap    2 2 by phase: even, as 2 divides 4
    back       conv --k 4 --s 2 --p 1   28 or 29 -> 14; output_padding=1 gives 29. Shape comes back, values do not.
    """
    if len(sizes) == 1:
        return _plain("\n".join(_summary(sizes[0])), ascii)
    into, out = (_crossed(getattr(axis, name) for axis in sizes) for name in ("input_size", "output_size"))
    lines = [f"{into} -> {out}"]
    for names, axis in _alike(sizes):
        lines += [f"axis {names}", *(f"  {line}" for line in _summary(axis))]
    return _plain("\n".join(lines), ascii)


def render_three_ways(sizes: Sequence[TransposedSize], *, ascii: bool = False) -> str:
    """Return the size computed directly, via the equivalent convolution, and by inverting the forward formula.

    >>> from convcalc.transpose_size import transposed_sizes
    >>> print(render_three_ways(transposed_sizes([14], 4, stride=2, padding=1)))
    directly   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28
    as a conv  ⌊(27 + 2 + 2 − 4)/1⌋ + 1 = 28
    inverted   ⌊(o + 2·1 − 4)/2⌋ + 1 = 14: o = (14 − 1)·2 + 4 − 2·1 + r = 28 + r, 0 <= r < 2
               exact: r = 0 is the output_padding, so o = 28
    """
    lines: list[str] = []
    for names, axis in _alike(sizes):
        lines += [f"axis {names}"] if len(sizes) > 1 else []
        lines += [f"{'  ' if len(sizes) > 1 else ''}{line}" for line in _three_ways(axis)]
    return _plain("\n".join(lines), ascii)


# -- records -----------------------------------------------------------------------------------------------------


def transposed_record(sizes: Sequence[TransposedSize]) -> dict[str, Any]:
    """Return the JSON record of a transposed convolution: a number for one axis, a list for several.

    Symbolic sizes are Python expression strings; what symbols leave open is None. `overlap` has the counts of
    the first `RECORDED_PHASES` phases.

    >>> from convcalc.transpose_size import transposed_sizes
    >>> record = transposed_record(transposed_sizes([14], 4, stride=2, padding=1))
    >>> record["out"], record["formula"], record["p"], record["overlap"]["even"], record["back"]
    (28, '2*n', [1, 1], True, {'least': 28, 'most': 29, 'remainder': 0, 'out': 14, 'exact': True})
    """
    records = [_axis_record(axis) for axis in sizes]
    if len(records) == 1:
        return {"kind": "tconv", **records[0]}
    return {"kind": "tconv", **{key: [record[key] for record in records] for key in records[0]}}


def _axis_record(axis: TransposedSize) -> dict[str, Any]:
    same, back, meet = axis.equivalent, axis.inversion, axis.overlap
    return {
        "n": _value(axis.input_size),
        "k": _value(axis.kernel_size),
        "s": _value(axis.stride),
        "p": [_value(side) for side in axis.padding],
        "d": _value(axis.dilation),
        "output_padding": _value(axis.output_padding),
        "out": _value(axis.output_size),
        "formula": str(axis.formula),
        "working": _plain(_working(axis), ascii=True),
        "equivalent": {
            "zeros": _value(same.zeros),
            "inserted": _value(same.inserted),
            "p": [_value(side) for side in same.padding],
            "padded": _value(same.padded),
            "k": _value(same.kernel_size),
            "s": 1,
            "d": _value(same.dilation),
            "out": _value(same.output_size),
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
            "least": _value(back.least),
            "most": _value(back.most),
            "remainder": _value(back.remainder),
            "out": _value(back.back),
            "exact": back.exact,
        },
    }


def _value(size: Any) -> int | str:
    return str(size) if is_symbolic(size) else int(size)


# -- lines of one axis -------------------------------------------------------------------------------------------


def _summary(axis: TransposedSize) -> list[str]:
    any_input = "" if is_symbolic(axis.input_size) else f"        any n: {_text(axis.formula)}"
    return [
        f"{f'{_text(axis.input_size)} -> {_text(axis.output_size)}':<8}   {_working(axis)}{any_input}",
        f"same as    {_same_as(axis.equivalent)}",
        f"overlap    {_overlap(axis.overlap)}",
        f"back       {_back(axis)}",
    ]


def _three_ways(axis: TransposedSize) -> list[str]:
    same, back = axis.equivalent, axis.inversion
    stride, span = _text(axis.stride), _extent(axis)
    solved = f"({_group(axis.input_size)} − 1)·{_group(axis.stride)} + {span}{_padding(axis, '−')}"
    return [
        f"directly   {_working(axis)}",
        f"as a conv  ⌊({_text(same.inserted)}{_added(same.padding)} − {span})/1⌋ + 1 = {_text(same.output_size)}",
        f"inverted   ⌊(o{_padding(axis, '+')} − {span})/{_group(axis.stride)}⌋ + 1 = {_text(axis.input_size)}: "
        f"o = {solved} + r = {_text(back.least)} + r, 0 <= r < {stride}",
        f"           {_exactness(axis)}",
    ]


def _exactness(axis: TransposedSize) -> str:
    back = axis.inversion
    if back.exact is None:
        return "exact where r = output_padding, so output_padding < stride"
    if back.exact:
        return f"exact: r = {_text(back.remainder)} is the output_padding, so o = {_text(back.output_size)}"
    return (
        f"not exact: output_padding={_text(axis.output_padding)} >= stride={_text(axis.stride)}; "
        f"the convolution turns {_text(axis.output_size)} into {_text(back.back)}"
    )


def _working(axis: TransposedSize) -> str:
    taps = f"({_group(axis.kernel_size)} − 1)"
    reach = taps if axis.dilation == 1 else f"{_group(axis.dilation)}·{taps}"
    return (
        f"({_group(axis.input_size)} − 1)·{_group(axis.stride)}{_padding(axis, '−')} + {reach} "
        f"+ {_group(axis.output_padding)} + 1 = {_text(axis.output_size)}"
    )


def _padding(axis: TransposedSize, sign: str) -> str:
    before, after = axis.padding
    return f" {sign} 2·{_group(before)}" if before == after else f" {sign} {_group(before)} {sign} {_group(after)}"


def _added(padding: tuple[Any, Any]) -> str:
    return "".join(f" − {-side}" if not is_symbolic(side) and side < 0 else f" + {_group(side)}" for side in padding)


def _extent(axis: TransposedSize) -> str:
    if axis.dilation == 1:
        return _group(axis.kernel_size)
    return f"({_group(axis.dilation)}·({_group(axis.kernel_size)} − 1) + 1)"


def _same_as(same: EquivalentConv) -> str:
    zeros = "no zeros" if same.zeros == 0 else "1 zero" if same.zeros == 1 else f"{_text(same.zeros)} zeros"
    kernel = "kernel" if is_symbolic(same.kernel_size) else f"k{same.kernel_size}"
    dilation = "" if same.dilation == 1 else f", dilation {_text(same.dilation)}"
    return (
        f"{zeros} between: {_text(same.inserted)}; {_sides(*same.padding)}: {_text(same.padded)}; "
        f"conv with the flipped {kernel}{dilation}, stride 1: {_text(same.output_size)}"
    )


def _sides(before: Any, after: Any) -> str:
    """Say what is padded; negative sides crop."""
    if is_symbolic(before) or is_symbolic(after) or min(before, after) >= 0:
        return f"pad {_group(before)} + {_group(after)}"
    if max(before, after) <= 0:
        return f"crop {-before} + {-after}"
    return ", ".join(
        f"{'crop' if side < 0 else 'pad'} {abs(side)} {where}" for side, where in ((before, "before"), (after, "after"))
    )


def _overlap(meet: Overlap | None) -> str:
    if meet is None:
        return "even where gcd(stride, dilation) = 1 and stride divides kernel_size"
    counts = " ".join(str(meet.count(phase)) for phase in range(min(meet.stride, PHASES)))
    more = f" ... ({meet.fewest} to {meet.most})" if meet.stride > PHASES else ""
    if meet.even:
        return f"{counts}{more} by phase: even, as {meet.reason}"
    return f"{counts}{more} by phase: uneven, as {meet.reason}; {meet.remedy}"


def _back(axis: TransposedSize) -> str:
    back = axis.inversion
    command, into, out = _forward_command(axis), _text(axis.input_size), _text(axis.output_size)
    if back.exact is False:
        padding, stride = _text(axis.output_padding), _text(axis.stride)
        return f"{command}   {out} -> {_text(back.back)}, not {into}: output_padding={padding} >= stride={stride}."
    if is_symbolic(back.most):
        reach = _text(back.least) if axis.stride == 1 else f"{_text(back.least)} to {_text(back.most)}"
        return f"{command}   {reach} -> {into}. Shape comes back, values do not."
    first, last = back.sizes[0], back.sizes[-1]
    joined = f"{first} to {last}" if last - first > 1 else f"{first} or {last}" if first < last else f"{first}"
    others = {size: None for size in (first, last) if size != axis.output_size}
    gives = " and ".join(f"output_padding={size - back.least} gives {size}" for size in others)
    return f"{command}   {joined} -> {into}{'; ' if gives else ''}{gives}. Shape comes back, values do not."


def _forward_command(axis: TransposedSize) -> str:
    before, after = axis.padding
    padding = _text(before) if before == after else f"{_text(before)}:{_text(after)}"
    flags = [("--s", _text(axis.stride), "1"), ("--p", padding, "0"), ("--d", _text(axis.dilation), "1")]
    said = "".join(f" {flag} {value}" for flag, value, default in flags if value != default)
    return f"conv --k {_text(axis.kernel_size)}{said}"


# -- words -------------------------------------------------------------------------------------------------------


def _alike(sizes: Sequence[TransposedSize]) -> list[tuple[str, TransposedSize]]:
    """Gather the axes that have the same numbers: ("H, W", size)."""
    named: dict[TransposedSize, list[str]] = {}
    for name, axis in zip(axis_names(len(sizes)), sizes, strict=True):
        named.setdefault(axis, []).append(name)
    return [(", ".join(names), axis) for axis, names in named.items()]


def _crossed(values: Iterable[Any]) -> str:
    return "x".join(_group(value) for value in values)


def _text(value: Any) -> str:
    return value.pretty() if isinstance(value, Expr) else str(value)


def _group(value: Any) -> str:
    return grouped(_text(value)) if is_symbolic(value) else str(value)


def _plain(text: str, ascii: bool) -> str:
    return text.translate(_ASCII) if ascii else text
