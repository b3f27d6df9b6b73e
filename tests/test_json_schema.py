"""Every document of every command is one that `convcalc/render/schema.json` describes, key for key."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from test_docs import ROOT, console_blocks, files, runs

from convcalc import errors
from convcalc.cli import COMMANDS, main
from convcalc.cli.nothing import nothing_found, read_schema

VALIDATOR = Draft202012Validator(read_schema())
SLOW = ("verify", "zoo --json")
"""Checked below at a size of their own."""


def signature(value):
    """What a schema can tell of a value: its keys and types."""
    match value:
        case dict():
            return tuple((key, signature(entry)) for key, entry in value.items())
        case list():
            return ("list", *dict.fromkeys(map(signature, value)))
        case _:
            return value if value is None else type(value).__name__


def one_of_each(value):
    """The value with one entry of each kind in its lists: what is long is long because entries are alike."""
    match value:
        case dict():
            return {key: one_of_each(entry) for key, entry in value.items()}
        case [int() | str(), int() | str()]:
            return value  # a pair
        case list():
            return list({signature(entry): one_of_each(entry) for entry in value}.values())
        case _:
            return value


def wrong(document):
    """What the schema has against a document, or None."""
    found = best_match(VALIDATOR.iter_errors(one_of_each(document)))
    return found and (list(found.absolute_path), found.message[:400])


def ask(arguments):
    """Run a command with --json and return its document, which must be one of the schema."""
    result = CliRunner().invoke(main, [*arguments, "--json"], prog_name="convcalc")
    assert result.exit_code in (0, 1), (arguments, result.output)
    document = json.loads(result.stdout)
    assert (document["error"] is None) == (result.exit_code == 0), arguments
    assert wrong(document) is None, arguments
    return document


def as_json(command):
    """The arguments of a command as it is written, without those that print something else; a file it writes."""
    arguments = shlex.split(command, comments=True)[1:]
    kept = arguments[-1] if ">" in arguments else None
    arguments = arguments[: arguments.index(">")] if kept else arguments
    return [one for one in arguments if one not in ("--json", "-q", "--latex")], kept


def help_examples():
    """The examples in the help of every command."""
    found = []
    below = [f"design {name}" for name in ("patchgan", "tcn", "frontend", "unet", "decoder")]
    below += [f"draw {name}" for name in main.get_command(None, "draw").commands]
    for command in [*COMMANDS, *below, "verify layers", "verify transposed", "verify TARGET"]:
        text = CliRunner().invoke(main, [*command.split(), "-h"], prog_name="convcalc").output
        found += [line for line in re.findall(r"^ +(convcalc .*)$", text, re.MULTILINE) if "net.py" not in line]
    return sorted({line.replace("--json", "").strip() for line in found if "old.json" not in line})


def test_the_schema_is_one():
    Draft202012Validator.check_schema(read_schema())


@pytest.mark.parametrize("page", sorted({page for _, _, page in console_blocks()}), ids=lambda page: page.name)
def test_every_command_of_the_pages_prints_a_document_of_the_schema(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for name, text in files(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    seen = []
    for _, block, shown_on in console_blocks():
        for command, _ in runs(block) if shown_on == page else ():
            arguments, kept = as_json(command)
            if "# exits with 2" in command or arguments in seen or " ".join([*arguments, "--json"]).startswith(SLOW):
                continue
            seen.append(arguments)
            document = ask(arguments)
            if kept:
                Path(kept).write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("line", help_examples())
def test_every_example_of_the_help_prints_a_document_of_the_schema(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, _ = as_json(line)
    if arguments[0] == "verify":
        pytest.importorskip("torch")
        own = {"--device", "--count", "--seed", "--workers", "--only"}
        pairs = zip(arguments, ["", *arguments], strict=False)
        arguments = [one for one, before in pairs if not {one, before} & own]
        arguments += ["--count", "3"] if arguments[1] in ("layers", "transposed") else ["--only", "nodes"]
    if arguments == ["zoo"]:
        arguments = ["zoo", "nin"]
    ask(arguments)


NOES = [
    "conv --k 9 --n 3",
    "conv --k 9 --n 3x9 --p same --s 2",
    "conv --k 4 --n 9 --s 2 --p same",
    "tconv --k 3 --n 5 --op 4",
    "pool --k 9 --n 1..3",
    "pool --k 4 --n 1..9 --p 1",
    "tconv --k 2 --n n --s s --show",
    "conv --n 5 --k 3 --out 99 --solve s",
    "conv --n 9 --k 3 --out 3x9 --solve s",
    "conv --n 9 --out 3 --solve s --solve k --bound k=5",
    "stack upsample",
    "stack 'conv k9' --n 1..3",
    "stack 'conv 4 k3; gap; flatten; linear 10' --n 1..5",
    "hdc 1 2 9",
    "hdc 1 1 --k 3 --k 5 --criterion paper",
    "hdc --field 200",
    "design --field 200 --stride 8",
    "design --field 9 --stride 2 --pareto --holes --dilation ..3",
    "design patchgan --field 71",
    "design frontend --rate 11025 --hop 20ms --field 25ms",
    "design decoder 'conv 8 k3; upsample 2' --input 3x9",
    "zoo lenet",
    "inspect lenet --input 1x9x9",
    "inspect lenet --expect 11",
    "inspect 'pad 1; conv 8 k2 padding_mode=reflect; upsample 2; conv 8 k4' --input 3xHx9",
    "inspect resnet18 --depth 1 --only conv",
    "field 'conv k3 d4; conv k3 s2' --input 3x40xW",
    "field lenet --input 1x9x9x9",
    "field unet --cell 0x194",
    "sizes 'conv 8 k3 s2; maxpool k2 s2; flatten; linear 10 in_features=256' --input 3xNxM",
    "sizes 'conv 4 k3' --input n --batch none",
    "sizes 'upsample 1.5; conv k3' --input 3xH --near 350",
    "tiles resnet18",
    "emit length 'conv 8 k3 s2' --input 1xT",
    "emit mask 'conv 8 k3; groupnorm 2' --input 1xT",
    "tiles 'conv 8 k3 s2 p1; tconv 8 k3 p1 s2' --input 3xHxW --tile 64 --image 100",
    "compare lenet 'conv 4 k3; gap' --input 1xHxW",
    "compare lenet resnet18 --input 3x64x64",
]


@pytest.mark.parametrize("line", NOES)
def test_answers_of_every_form_are_documents_of_the_schema(line):
    ask(shlex.split(line))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_document_without_an_answer_is_one_of_the_schema(command):
    error = errors.BadShape("no").record()
    assert wrong({"schema": 1, "convcalc": "0", **nothing_found(command), "error": error}) is None


def broken(value, path=()):
    """The value with a key too many, or without one of its keys, at every place but the maps from names of the user."""
    if isinstance(value, dict):
        free = path and path[-1] in ("args", "inputs", "outputs", "known", "bounds", "kinds", "totals", "example")
        if not free and not (path and path[-1] in ("runs", "exact", "unknown", "solutions", "window")):
            yield path, {**value, "forgotten": 1}
            for key in value.keys() - {"source", "place", "window"}:
                yield (*path, key), {name: entry for name, entry in value.items() if name != key}
        for key, entry in value.items():
            for place, other in broken(entry, (*path, key)):
                yield place, {**value, key: other}
    elif isinstance(value, list) and value:
        for place, other in broken(value[0], path):
            yield place, [other, *value[1:]]


@pytest.mark.parametrize(
    "line",
    [
        "conv --n 28 --k 5",
        "tconv --n 4 --k 3 --s 2",
        "conv --n 9 --k 3 --out 3x3 --solve s",
        "pool --k 4 --n 1..2",
        "stack 'conv 4 k3' --n 3",
        "hdc 1 2 9",
        "design --field 9 --stride 2 --limit 1",
        "design unet --size 9 --levels 1",
        "design decoder 'conv 8 k3 pcausal' --input 3x9",
        "zoo lenet",
        "inspect 'pad 1; conv 8 k2' --input 3xHx9",
        "field 'conv 8 k3' --input 3x9 --cell 1",
        "sizes 'conv 8 k3 s2' --input 3xH --near 9",
        "tiles 'conv 8 k3' --input 3xH --tile 9 --image 20",
        "compare 'conv 8 k3' 'conv 8 k5' --input 3x9",
    ],
)
def test_the_schema_notices_a_key_too_many_or_too_few(line):
    document = one_of_each(ask(shlex.split(line)))
    tried = list(broken(copy.deepcopy(document)))
    assert len(tried) > 10
    for place, other in tried:
        assert not VALIDATOR.is_valid(other), place


def test_the_kinds_of_errors_are_those_of_the_classes():
    known = {one.kind for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "kind")}
    listed = read_schema()["$defs"]["error"]["properties"]["kind"]["enum"]
    assert {*listed} == known - {errors.Unreadable.kind}  # that prints no document


def test_the_page_is_the_schema():
    spec = importlib.util.spec_from_file_location("generate_json", ROOT / "docs" / "generate_json.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.PAGE.read_text(encoding="utf-8") == generate.page(), "run: python docs/generate_json.py"
