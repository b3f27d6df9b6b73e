"""Write docs/json.md from the JSON Schema of the documents: python docs/generate_json.py."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from convcalc import errors
from convcalc.cli import main

PAGE = Path(__file__).with_name("json.md")
EXAMPLE = "conv --n 28 --k 5 --p 2 --json"
HEAD = """# JSON

Written from `convcalc/render/schema.json` by `python docs/generate_json.py`; a test keeps the two alike.

Every command takes `--json` and prints one document. What cannot be read (exit status 2) prints no document.

Values: for one axis a number, for several a list with one per axis. A symbolic value is a Python expression as text,
such as `"(n + 1)//2"`. A rational that is not whole is its exact text, such as `"-1/4"`. What is unknown is null.

The JSON Schema (draft 2020-12) of all documents is in the package, and allows no key that is not listed here:

```pycon
>>> import json
>>> from importlib.resources import files
>>> schema = json.loads((files("convcalc.render") / "schema.json").read_text(encoding="utf-8"))
>>> schema["properties"]["schema"]
{'const': 1, 'description': 'the version of this schema'}
```

"""
WORDS = {
    "integer": "number",
    "number": "number",
    "string": "text",
    "boolean": "true, false",
    "array": "list",
    "object": "object",
    "null": "null",
}


def page() -> str:
    """Return the text of the page."""
    schema = json.loads((files("convcalc.render") / "schema.json").read_text(encoding="utf-8"))
    shown = CliRunner().invoke(main, EXAMPLE.split()).stdout
    parts = [
        f"{HEAD}## Every document\n\n{_table(schema, schema['$defs'])}",
        f"```console\n$ convcalc {EXAMPLE}\n{shown}```\n",
        *_sections(schema["$defs"]),
        f"## Kinds of errors\n\n{_kinds(schema['$defs']['error'])}",
    ]
    return "\n".join(parts)


def _sections(definitions: dict[str, Any]) -> Iterator[str]:
    for one in definitions.values():
        if "title" in one:
            words = [one["description"]] if "description" in one else []
            if "$ref" in one:
                below = definitions[one["$ref"].rpartition("/")[2]]["title"]
                words.append(f"The keys of {_link(below)}, and:")
            yield "\n".join([f"## {one['title']}\n", *(f"{line}\n" for line in words), _table(one, definitions)])


def _table(one: dict[str, Any], definitions: dict[str, Any]) -> str:
    optional = set(one["properties"]) - set(one["required"]) if "oneOf" not in one else set()
    rows = []
    for key, value in one["properties"].items():
        what = value["description"] + (" (not always there)" if key in optional else "")
        rows.append(f"| `{key}` | {', '.join(_types(value, definitions))} | {what} |")
    return "\n".join(["| key | type | value |", "| --- | --- | --- |", *rows, ""])


def _types(value: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """What a value may be, in words."""
    if "$ref" in value:
        found = definitions[value["$ref"].rpartition("/")[2]]
        return [_link(found["title"])] if "title" in found else _types(found, definitions)
    if "anyOf" in value:
        return list(dict.fromkeys(name for one in value["anyOf"] for name in _types(one, definitions)))
    if "const" in value or "enum" in value:
        return [f"`{json.dumps(one)}`" for one in value.get("enum", [value.get("const")])]
    inside = re.findall(r"#/\$defs/(\w+)", json.dumps(value))  # of a list or an object
    link = [_link(definitions[name]["title"]) for name in inside if "title" in definitions[name]]
    names = [value["type"]] if isinstance(value["type"], str) else value["type"]
    words = [WORDS[name] for name in names]
    return [f"{word} of {link[0]}" if link and word in ("list", "object") else word for word in words]


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _kinds(error: dict[str, Any]) -> str:
    """The kinds of errors, each with the first line of its class."""
    classes = [errors.ConvcalcError, *(one for one in vars(errors).values() if isinstance(one, type))]
    known = {one.kind: one for one in reversed(classes) if issubclass(one, errors.ConvcalcError)}
    own = {one.kind: one for one in known.values() if "kind" in vars(one)}
    rows = [f"| `{kind}` | {own[kind].__doc__.splitlines()[0]} |" for kind in error["properties"]["kind"]["enum"]]
    return "\n".join(["| kind | what |", "| --- | --- |", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
