"""What changed between two reports of `inspect`, as JSON has them: shapes, sizes, fields and cost, layer by layer."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

TOTALS = ("input", "output", "params", "trainable", "macs", "opaque")
"""What of the whole network is compared."""

KEYS = ("output", "outputs", "symbolic", "params", "trainable", "macs", "receptive_field", "stride", "global")
"""What of each layer is compared: its names in JSON."""


_SAID = ("outputs", "symbolic")
"""What often only repeats the output."""


@dataclass(frozen=True)
class Change:
    """One difference: of a layer, or of the whole network where that is empty; None stands for what is not there."""

    layer: str
    what: str
    before: Any
    after: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        return dict(vars(self))


@dataclass(frozen=True)
class Changes:
    """All differences, and which layers are the same under another name, which is none."""

    found: tuple[Change, ...]
    renamed: tuple[tuple[str, str], ...]


def find_changes(old: Record, new: Record) -> Changes:
    """Return what changed from one report to another; layers are paired by name, the others where they are alike.

    Rows that only make constants, names, hyper-parameters and notes are not compared, nor what only one of them has.

    >>> conv = {"name": "conv", "output": [1, 8, 7, 7], "params": 224}
    >>> old = {"params": 224, "layers": [conv]}
    >>> find_changes(old, {"params": 80, "layers": [{**conv, "params": 80}]}).found
    (Change(layer='', what='params', before=224, after=80), Change(layer='conv', what='params', before=224, after=80))
    >>> find_changes(old, {"params": 224, "layers": [{**conv, "name": "stem"}]})
    Changes(found=(), renamed=(('conv', 'stem'),))
    """
    before, after = ({row["name"]: row for row in _rows(report)} for report in (old, new))
    gone = [row for name, row in before.items() if name not in after]
    come = [row for name, row in after.items() if name not in before]
    renamed = _renamed(gone, come)
    pairs = dict(renamed)
    kept = set(pairs.values())
    found = [
        *_differences("", old, new, TOTALS),
        *_differences("", {"error": _message(old)}, {"error": _message(new)}, ("error",)),
        *(change for name, row in before.items() if name in after for change in _differences(name, row, after[name])),
        *(Change(row["name"], "layer", row.get("output"), None) for row in gone if row["name"] not in pairs),
        *(Change(row["name"], "layer", None, row.get("output")) for row in come if row["name"] not in kept),
    ]
    return Changes(tuple(found), tuple(renamed))


def _rows(report: Record) -> list[Record]:
    return [row for row in report["layers"] if not row.get("constant") or row.get("params") or row.get("macs")]


def _differences(layer: str, old: Record, new: Record, keys: Sequence[str] = KEYS) -> Iterator[Change]:
    for key in keys:
        if key in old and key in new and old[key] != new[key]:
            if key in _SAID and all(row[key] in (row.get("output"), [row.get("output")]) for row in (old, new)):
                continue  # said of the output
            yield Change(layer, key, old[key], new[key])


def _message(report: Record) -> Any:
    error = report.get("error")
    return error.get("message") if isinstance(error, Mapping) else None


def _renamed(gone: Sequence[Record], come: Sequence[Record]) -> list[tuple[str, str]]:
    """Layers of different names that are alike in all that is compared, in order."""
    keys = [[_alike(row) for row in side] for side in (gone, come)]
    matcher = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    return [
        (gone[i + place]["name"], come[j + place]["name"])
        for i, j, length in matcher.get_matching_blocks()
        for place in range(length)
    ]


def _alike(row: Record) -> str:
    return repr([row.get(key) for key in ("op", *KEYS)])


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
