"""An answered axis as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.arithmetic import Answer
from convcalc.expr import Expr
from convcalc.exprtext import PYTHON, Style, grouped, write
from convcalc.formulas import extent
from convcalc.sizes import Size

Line = tuple[str, str]
"""A label and what it labels."""


def number(value: Size, style: Style) -> str:
    """Return a size as text in `style`.

    >>> number(28, PYTHON), number(Expr.symbol("n") // 2, PYTHON)
    ('28', 'n//2')
    """
    return write(value, style) if isinstance(value, Expr) else str(value)


def across(values: Sequence[Size], style: Style) -> str:
    """Return one size per axis as `28x32`.

    >>> across([28, 32], PYTHON)
    '28x32'
    """
    texts = [number(value, style) for value in values]
    return texts[0] if len(texts) == 1 else "x".join(map(grouped, texts))


def working(answer: Answer, style: Style) -> str:
    """Return the formula of the answer with its numbers put in.

    >>> from convcalc.arithmetic import explain_conv
    >>> working(explain_conv(28, k=5, p=2), PYTHON)
    '(28 + 2*2 - 5)//1 + 1'
    """
    times, minus = style.times, style.minus
    n, k, s, d, op = (
        grouped(number(value, style)) for value in (answer.n, answer.k, answer.s, answer.d, answer.output_padding)
    )
    before, after = (grouped(number(side, style)) for side in answer.p)
    both = f"2{times}{before}" if before == after else f"{before} + {after}"
    if answer.kind == "tconv":
        spread = f"({k} {minus} 1)" if answer.d == 1 else f"{d}{times}({k} {minus} 1)"
        return f"({n} {minus} 1){times}{s} {minus} {both if before == after else f'({both})'} + {spread} + {op} + 1"
    if answer.same and isinstance(answer.out, Expr):
        return style.floor(f"{n} + {s} {minus} 1", s)
    span = k if answer.d == 1 else f"({d}{times}({k} {minus} 1) + 1)"
    if answer.ceil_mode:
        least = f"min({before}, {before} + {after} + {s} {minus} {span})"
        return style.floor(f"{n} + {s} {minus} 1 + {least}", s)
    return f"{style.floor(f'{n} + {both} {minus} {span}', s)} + 1"


def answer_lines(answer: Answer, style: Style) -> list[Line]:
    """Return the answer for people: result first, then what is read, and the way back."""
    lines = [_result(answer, style)]
    if answer.kind == "tconv" and not isinstance(answer.p[0], Expr):
        lines.append(("same as", _equivalent(answer, style)))
    lines.append(("read", _read(answer)))
    lines.append(("back", _back(answer, style)))
    lines.append(("needs", ", ".join(_inequality(value, style) for value in answer.needs if not _is_plain(value))))
    return lines[:1] + [(label, text) for label, text in lines[1:] if text]


def _result(answer: Answer, style: Style) -> Line:
    out = number(answer.out, style)
    worked = working(answer, style)
    if isinstance(answer.out, Expr) and not answer.out.is_constant:
        return f"{number(answer.n, style)} -> {out}", "" if worked == out else worked
    return f"{number(answer.n, style)} -> {out}", f"{worked} = {out}        any n: {write(answer.formula, style)}"


def _equivalent(answer: Answer, style: Style) -> str:
    """The ordinary convolution that a transposed one is: zeros between, padding d(k - 1) - p, flipped kernel."""
    zeros = answer.s - 1
    spread = (answer.n - 1) * answer.s + 1
    before = extent(answer.k, answer.d) - 1 - answer.p[0]
    after = extent(answer.k, answer.d) - 1 - answer.p[1] + answer.output_padding
    name, width, padded, out = (number(v, style) for v in (zeros, spread, spread + before + after, answer.out))
    sides = f"{number(before, style)} + {grouped(number(after, style))}"
    word = "crop" if isinstance(before, int) and isinstance(after, int) and before <= 0 and after < 0 else "pad"
    if word == "crop":
        sides = f"{-before} + {-after}"
    dilation = "" if answer.d == 1 else f", dilation {number(answer.d, style)}"
    return (
        f"{name} zero{'' if name == '1' else 's'} between: {width}; {word} {sides}: {padded}; "
        f"conv with the flipped k{number(answer.k, style)}{dilation}, stride 1: {out}"
    )


def _read(answer: Answer) -> str:
    """What the windows leave out, and how they lie to each other."""
    unread = answer.unread
    if unread is None:
        return ""
    parts: list[str] = []
    if unread.gaps:
        parts.append(f"all but {_rows(unread.gaps, 'padded ' if any(answer.p) else '')} between the taps")
    if unread.tail_real:
        parts.append(
            f"the last {_rows(unread.tail_real, 'input ')} never: {answer.n - unread.tail_real} gives the same output"
        )
    elif unread.tail:
        parts.append(f"every input row; {_rows(unread.tail, 'padding ')} at the end unread")
    if not parts:
        parts.append("every row")
    overlap = extent(answer.k, answer.d) - answer.s
    if answer.out > 1 and answer.d == 1 and overlap >= 0:
        parts.append(f"windows overlap by {overlap}" if overlap else "windows touch")
    return "; ".join(parts)


def _rows(count: int, kind: str) -> str:
    return f"{count} {kind}row{'' if count == 1 else 's'}"


def _back(answer: Answer, style: Style) -> str:
    back = answer.back
    if back is None or (answer.same and isinstance(answer.p[0], Expr)):
        return ""
    first, last = back.sizes
    n, out = number(answer.n, style), number(answer.out, style)
    if back.kind == "tconv":
        op = back.output_padding
        if isinstance(op, Expr) and not op.is_constant:
            left = answer.n + sum(answer.p) - extent(answer.k, answer.d)
            op = f"{grouped(number(left, style))} mod {number(answer.s, style)}"
            return f"{_command(back.kind, answer, 0, style)}, output_padding {op}   ({out} -> {n})"
        return f"{_command(back.kind, answer, int(op), style)}   ({out} -> {n})"
    text = f"{_command(back.kind, answer, 0, style)}   "
    if isinstance(first, Expr) or isinstance(last, Expr):
        return f"{text}{number(first, style)} to {number(last, style)} -> {n}. Shape comes back, values do not."
    if back.output_padding > last - first:
        return (
            f"{text}does not lead back from {out}: output_padding {back.output_padding} is not less than the "
            f"stride {number(answer.s, style)}"
        )
    lowest = max(1, first)
    if lowest == last:
        text += f"{last} -> {n}. "
    else:
        text += f"{lowest} or {last} -> {n}; " if last == lowest + 1 else f"{lowest}..{last} -> {n}; "
        others = "1" if last == first + 1 else f"1..{last - first}"
        reached = f"{last}" if last == first + 1 else f"{first + 1}..{last}"
        text += f"output_padding={others} gives {reached}. "
    return f"{text}Shape comes back, values do not."


def _command(kind: str, answer: Answer, output_padding: int, style: Style) -> str:
    """The command line of the way back."""
    before, after = (number(side, style) for side in answer.p)
    parts = [kind, f"--k {number(answer.k, style)}"]
    if answer.s != 1:
        parts.append(f"--s {number(answer.s, style)}")
    if answer.p != (0, 0):
        parts.append(f"--p {before}" if before == after else f"--p {before}:{after}")
    if answer.d != 1:
        parts.append(f"--d {number(answer.d, style)}")
    if output_padding:
        parts.append(f"--op {output_padding}")
    return " ".join(parts)


def _is_plain(value: Expr) -> bool:
    """Whether `value` >= 0 only says that a single letter is 0 or 1 at least."""
    return (
        all(len(product) == 1 for product in value.terms if product)
        and len(value.terms) <= 2
        and value.constant
        in (
            0,
            -1,
        )
    )


def _inequality(value: Expr, style: Style) -> str:
    """`value` >= 0 with what is subtracted moved to the other side."""
    more = Expr({product: factor for product, factor in value.terms.items() if factor > 0})
    less = Expr({product: -factor for product, factor in value.terms.items() if factor < 0})
    return f"{write(more, style)} >= {write(less, style)}"


# -- JSON ----------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return `value` for JSON: an expression as its Python text, a pair as a list.

    >>> plain(((Expr.symbol("n") + 1) // 2, 3))
    ['(n + 1)//2', 3]
    """
    if isinstance(value, Expr):
        return value.constant if value.is_constant else value.text
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return value


def answer_record(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the JSON record of one answer per axis: values for one axis, lists of them for several."""
    records = [_record(answer) for answer in answers]
    if len(records) == 1:
        return records[0]
    shared = ("kind", "ceil_mode")
    return {key: records[0][key] if key in shared else [record[key] for record in records] for key in records[0]}


def _record(answer: Answer) -> dict[str, Any]:
    unread, back = answer.unread, answer.back
    return {
        "kind": answer.kind,
        "n": plain(answer.n),
        "k": plain(answer.k),
        "s": plain(answer.s),
        "p": plain(answer.p),
        "d": plain(answer.d),
        "output_padding": plain(answer.output_padding),
        "ceil_mode": answer.ceil_mode,
        "out": plain(answer.out),
        "formula": answer.formula.text,
        "working": working(answer, PYTHON),
        "unread": unread and {"tail": unread.tail, "tail_real": unread.tail_real, "gaps": unread.gaps},
        "back": back and {"kind": back.kind, "output_padding": plain(back.output_padding), "sizes": plain(back.sizes)},
        "needs": [f"{value.text} >= 0" for value in answer.needs],
    }
