"""A report that `convcalc inspect --json` printed, read from its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from convcalc.arithmetic.notation import read_number
from convcalc.errors import Unreadable

LARGEST = 64 * 1024**2
"""The most bytes of a report: ResNet-152's is a quarter of one MiB."""


def is_saved(text: str) -> bool:
    """Whether a target is the file of a report.

    >>> is_saved("old.json"), is_saved("lenet")
    (True, False)
    """
    return text.strip().lower().endswith(".json")


def read_saved(text: str) -> dict[str, Any]:
    """Return the document in a file; raises `Unreadable`, in one sentence, where it is no report.

    >>> read_saved("nowhere.json")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: no file 'nowhere.json'
    """
    file = Path(text.strip())
    try:
        if not file.is_file():
            raise Unreadable(f"no file {text!r}")
        if file.stat().st_size > LARGEST:
            raise Unreadable(f"{text!r} has more than {LARGEST // 1024**2} MiB: that is no report")
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Unreadable(f"cannot read {text!r}: {type(error).__name__}") from None
    try:
        document = json.loads(content, parse_int=read_number, parse_constant=_refuse)
    except (ValueError, RecursionError, Unreadable) as error:
        why = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error).partition(":")[0]
        raise Unreadable(f"{text!r} is no JSON document: {why}") from None
    _check(text, document)
    return dict(document)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check(text: str, document: Any) -> None:
    """Refuse what has not the shape of a report: the parts that are read are of the kind they should be."""
    if not isinstance(document, dict) or "schema" not in document:
        raise Unreadable(f"{text!r} is no report: convcalc inspect TARGET --json prints one")
    if document["schema"] != 1:
        raise Unreadable(f"{text!r} has a schema other than 1: it is of another version of convcalc")
    layers = document.get("layers")
    rows = layers if isinstance(layers, list) else [None]
    names = [row.get("name") if isinstance(row, dict) else None for row in rows]
    if not all(isinstance(name, str) for name in names) or "params" not in document:
        raise Unreadable(f"{text!r} is no report of inspect: it has no layers with names")
    if len(set(names)) != len(names):
        raise Unreadable(f"{text!r} is no report of inspect: two layers have one name")


def saved_inputs(text: str, document: dict[str, Any]) -> tuple[tuple[int | str, ...], ...]:
    """Return the input shapes of a report, batch included; raises `Unreadable` where they are none."""
    inputs = document.get("inputs")
    shapes = list(inputs.values()) if isinstance(inputs, dict) else []
    good = all(isinstance(shape, list) and all(_is_size(size) for size in shape) for shape in shapes)
    if not shapes or not good:
        raise Unreadable(f"{text!r} does not say its inputs: give them as --input")
    return tuple(map(tuple, shapes))


def _is_size(size: Any) -> bool:
    return (isinstance(size, int) and not isinstance(size, bool)) or (isinstance(size, str) and size.isidentifier())
