"""What changed between two reports as a table."""

from __future__ import annotations

import json
from typing import Any

from convcalc.analysis.changes import Changes

LONGEST = 60
"""So many letters of a value are shown."""

LABELS = {"symbolic": "any size", "macs": "MACs", "receptive_field": "receptive field", "global": "reads all"}


def change_columns(changes: Changes) -> tuple[list[str], list[list[str]]]:
    """Return the headings and a row for each change; shapes are with the batch.

    >>> from convcalc.analysis.changes import Change
    >>> change_columns(Changes((Change("fc", "output", [1, 10], [1, 12]), Change("fc", "params", 850, 1020)), ()))[1]
    [['fc', 'output', '1x10', '1x12'], ['fc', 'params', '850', '1,020']]
    """
    rows = [
        [_clean(one.layer) or "-", LABELS.get(one.what, one.what), value_text(one.before), value_text(one.after)]
        for one in changes.found
    ]
    return ["layer", "what", "before", "after"], rows


def change_summary(changes: Changes, a: str, b: str) -> str:
    """Return how much changed, in one line.

    >>> change_summary(Changes((), (("conv", "stem"),)), "old.json", "lenet")
    'old.json -> lenet: shapes, sizes, receptive fields and cost are the same (1 layer has another name)'
    """
    count, renamed = len(changes.found), len(changes.renamed)
    said = (
        f"{count} change{'s' if count > 1 else ''}"
        if count
        else "shapes, sizes, receptive fields and cost are the same"
    )
    names = "1 layer has another name" if renamed == 1 else f"{renamed} layers have other names"
    return f"{_clean(a)} -> {_clean(b)}: {said}{f' ({names})' if renamed else ''}"


def value_text(value: Any) -> str:
    """Return a JSON value as a table has it: `1x64x56x56`, 1,024, - for nothing.

    >>> value_text([1, 64, "H//2"]), value_text(None), value_text(True), value_text({"a": 1})
    ('1x64x(H//2)', '-', 'yes', '{"a": 1}')
    """
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _short(f"{value:,}")
    if isinstance(value, str):
        return _clean(value)
    if _is_shape(value):
        return _short("x".join(map(_size, value)))
    if isinstance(value, list) and all(map(_is_shape, value)):
        return _short(", ".join("x".join(map(_size, shape)) for shape in value))
    return _short(_clean(json.dumps(value)))


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(size is None or isinstance(size, int | str) for size in value)


def _size(size: Any) -> str:
    if size is None:
        return "-"
    text = _clean(str(size))
    return f"({text})" if isinstance(size, str) and not text.isidentifier() else text


def _clean(text: str) -> str:
    """Text without what moves a cursor, and no longer than is shown."""
    return _short("".join(letter if letter.isprintable() else "?" for letter in text))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
