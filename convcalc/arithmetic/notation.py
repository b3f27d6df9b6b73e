"""What a user types: values with one entry per axis, paddings, ranges. Nothing is ever evaluated.

::

    28   28x32   28×32   H   3xNxN        a size, one entry per axis; the same symbol is the same size
    2    1:2     1:2x0   same             a padding: each side, before:after, or a name
    24..40                                a range, both ends included
"""

from __future__ import annotations

import keyword
import re
from typing import TypeAlias

from convcalc.arithmetic.formulas import PADDING_NAMES
from convcalc.errors import Unreadable
from convcalc.sizes.expr import Expr

Value: TypeAlias = int | Expr
Padded: TypeAlias = Value | tuple[Value, Value] | str

LONGEST = 1000
"""The most digits a number may have: past that, a slip of the keyboard."""


def read_size(text: str) -> tuple[Value, ...]:
    """Read a size with one entry per axis.

    >>> read_size("28x32"), [str(value) for value in read_size("3xNxN")]
    ((28, 32), ['3', 'N', 'N'])
    >>> read_size("28,32")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: '28,32' is no size: write 28, 28x32 (one entry per axis), or a name such as H
    """
    return tuple(_value(entry, text) for entry in _axes(text))


def read_padding(text: str) -> tuple[Padded, ...]:
    """Read a padding with one entry per axis: a number of rows each side, before:after, or a name.

    >>> read_padding("2"), read_padding("1:2x0"), read_padding("same")
    ((2,), ((1, 2), 0), ('same',))
    """
    if text.lower() in PADDING_NAMES:
        return (text.lower(),)
    if not re.search(r"[0-9]", text) and ":" not in text and len(text) > 2:
        raise Unreadable(f"{text!r} is no padding: write {_EXAMPLES['padding']}")
    entries: list[Padded] = []
    for entry in _axes(text):
        sides = entry.split(":")
        if len(sides) > 2:
            raise Unreadable(f"{entry!r} is no padding: one axis has two sides, before:after")
        values = tuple(_value(side, text, "padding") for side in sides)
        entries.append(values[0] if len(values) == 1 else (values[0], values[1]))
    return tuple(entries)


def read_range(text: str) -> range | None:
    """Read `24..40`, both ends included; None where the text is no range.

    >>> list(read_range("3..5")), read_range("28")
    ([3, 4, 5], None)
    """
    if ".." not in text:
        return None
    found = re.fullmatch(r"([0-9]+)\.\.([0-9]+)", text)
    if not found:
        raise Unreadable(f"{text!r} is no range: write 24..40, first and last")
    first, last = (read_number(end) for end in found.groups())
    if last < first:
        raise Unreadable(f"{text!r} is empty: the first end, {first}, is past the last, {last}")
    if last - first >= 100_000:
        raise Unreadable(f"{text!r} has {last - first + 1} rows: at most 100000; use a symbol for the general answer")
    return range(first, last + 1)


def _axes(text: str) -> list[str]:
    return re.split(r"[xX×]", text.strip())


def _value(entry: str, text: str, kind: str = "size") -> Value:
    if re.fullmatch(r"-?[0-9]+", entry):
        return read_number(entry)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", entry) and not keyword.iskeyword(entry):
        return Expr.symbol(entry)
    if not entry and len(_axes(text)) > 1:
        raise Unreadable(f"{text!r} has an empty entry: x stands between the entries of axes, as in 28x32")
    raise Unreadable(f"{text!r} is no {kind}: write {_EXAMPLES[kind]}")


_EXAMPLES = {
    "size": "28, 28x32 (one entry per axis), or a name such as H",
    "padding": f"2, 1:2 (before:after), 2x1 (one entry per axis), or {', '.join(PADDING_NAMES)}",
}


def read_number(text: str) -> int:
    """Read an integer.

    >>> read_number("28")
    28
    """
    if not re.fullmatch(r"-?[0-9]+", text):
        several = "; separate several with spaces" if re.fullmatch(r"[0-9]+([,;/ ]+[0-9]+)+,?", text) else ""
        raise Unreadable(f"{text!r} is no integer{several}")
    if len(text) > LONGEST:
        raise Unreadable(f"a number of {len(text)} digits: at most {LONGEST}")
    return int(text)
