"""What a document holds where there is no answer: the keys that `render/schema.json` asks for, null or empty."""

from __future__ import annotations

from functools import cache
from typing import Any

_OWN = {"design unet": "unet", "design decoder": "decoder"}
"""The commands below another whose documents are of a kind of their own."""


@cache
def read_schema() -> dict[str, Any]:
    """Return the JSON Schema of every document.

    >>> read_schema()["properties"]["schema"]["const"]
    1
    """
    import json  # not needed for an answer
    from importlib.resources import files

    found: dict[str, Any] = json.loads((files("convcalc.render") / "schema.json").read_text(encoding="utf-8"))
    return found


def nothing_found(command: str) -> dict[str, Any]:
    """Return the record of a command whose question was refused before there was anything to say.

    >>> nothing_found("tiles")
    {'kind': 'tiles', 'axes': [], 'count': None, 'memory': None, 'memory_whole': None}
    >>> nothing_found("draw conv")
    {'kind': 'draw', 'file': None, 'bytes': None, 'title': None}
    """
    kind = _OWN.get(command, command.partition(" ")[0])
    return {**_nothing(read_schema()["$defs"]["conv" if kind == "pool" else kind]), "kind": kind}


def _nothing(definition: dict[str, Any]) -> dict[str, Any]:
    """The keys that a definition asks for, those of the one it is built on first."""
    below = _nothing(_target(definition)) if "$ref" in definition else {}
    return {**below, **{key: _empty(definition["properties"][key]) for key in definition["required"]}}


def _target(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = read_schema()["$defs"][definition["$ref"].rpartition("/")[2]]
    return found


def _empty(value: dict[str, Any]) -> Any:
    """Null where that may be, else what is empty."""
    types = _types(value)
    return None if not types or "null" in types else {"array": [], "object": {}, "string": ""}[types[0]]


def _types(value: dict[str, Any]) -> list[str]:
    if "$ref" in value:
        return _types(_target(value))
    if "anyOf" in value:
        return [name for one in value["anyOf"] for name in _types(one)]
    named = value.get("type", [])
    return [named] if isinstance(named, str) else list(named)
