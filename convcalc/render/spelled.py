"""A value as the call that makes it, cut where it would fill a screen: the `repr` of layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_ROOM = 400
"""So many characters are written at most, beside the first argument."""


def spelled(name: str, values: Iterable[Any], named: Mapping[str, Any]) -> str:
    """Return the call of `name` with these arguments; those that find no room are counted.

    >>> spelled("Conv", [64, 3], {"stride": 2})
    'Conv(64, 3, stride=2)'
    >>> spelled("Sequential", [1, 2, "a" * 400, 3], {})
    'Sequential(1, 2, ... 2 more)'
    """
    words = [*map(repr, values), *(f"{key}={value!r}" for key, value in named.items())]
    written: list[str] = []
    for word in words:
        if sum(map(len, written)) + len(word) > _ROOM:
            written.append(f"... {len(words) - len(written)} more" if written else f"{word[:_ROOM]}...")
            break
        written.append(word)
    return f"{name}({', '.join(written)})"
