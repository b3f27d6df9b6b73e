"""Arguments pasted from torch: what its classes take by position means something else here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from convcalc.errors import BadArgument


def refuse_pasted(cls: Any, values: tuple[Any, ...], settings: Mapping[str, Any]) -> None:
    """Refuse more by position than the layer takes so, or a word twice, and write the line that is meant.

    >>> from convcalc.layers import ReLU
    >>> ReLU(True)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: ReLU takes nothing by position, all else by keyword: ReLU(True)
    """
    ours = [entry.name for entry in fields(cls) if entry.init and not entry.kw_only]
    if len(values) > len(ours) or any(name in settings for name in ours[: len(values)]):
        raise _pasted(cls, ours, values, settings)


def _pasted(cls: Any, ours: list[str], values: tuple[Any, ...], settings: Mapping[str, Any]) -> BadArgument:
    """The refusal of `cls(*values, **settings)`, with the same layer in our words where torch's order tells it."""
    name = cls.__name__
    takes = f"takes {' and '.join(ours)} by position" if ours else "takes nothing by position"
    given = ", ".join([*map(repr, values), *(f"{key}={value!r}" for key, value in settings.items())])
    message = f"{name} {takes}, all else by keyword: {name}({given})"
    if not cls.torch_order or len(values) > len(cls.torch_order):
        return BadArgument(message, rule=f"{name} {takes}")
    words = {**dict(zip(cls.torch_order, values, strict=False)), **settings}
    inferred = [word for word in ("in_channels", "in_features") if words.pop(word, None) is not None]
    why = f"{inferred[0]} is inferred, so " if inferred else ""
    known = {entry.name for entry in fields(cls)}
    line = [repr(words.pop(word)) for word in ours if word in words]
    line += [f"{word}={value!r}" for word, value in words.items() if word in known]
    fix = f"{name}({', '.join(line)})"
    return BadArgument(f"{message}; {why}in torch's order that is {fix} here", rule=f"{name} {takes}", fixes=[fix])
