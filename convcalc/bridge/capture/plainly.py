"""Where a run with sizes that remember their formula does otherwise than one with plain numbers."""

from __future__ import annotations

from typing import Any

from convcalc.errors import ConvcalcError


def otherwise(run: Any, bare: Any) -> str:
    """Say where a run with sizes that remember differs from one with plain numbers; nothing where it does not."""
    for ours, plain in zip(run.journal.calls, bare.journal.calls, strict=False):
        if (ours.function, ours.shapes, _path(ours)) != (plain.function, plain.shapes, _path(plain)):
            return f"sizes that are plain numbers give {plain.function} at {plain.source}"
    first, second = run.raised, bare.raised
    if isinstance(first, ConvcalcError):  # a rule of ours, which knows more of sizes that remember
        return ""
    if len(run.journal.calls) != len(bare.journal.calls) or _named_error(first) != _named_error(second):
        error = first or second
        return "sizes are wanted as plain numbers" + (f": {type(error).__name__}: {error}" if error else "")
    return ""


def _path(call: Any) -> str:
    return "" if call.frame is None else str(call.frame.path)


def _named_error(error: BaseException | None) -> tuple[type, str] | None:
    return None if error is None else (type(error), str(error))
