"""Nothing that is typed is dropped in silence: an option given twice, or that does not go with others, is refused."""

from __future__ import annotations

import json
import shlex

import click
import pytest
from click.testing import CliRunner

from convcalc.cli import COMMANDS, main
from convcalc.cli.options import Command
from convcalc.cli.together import spelling


def command_of(path):
    found = main
    for name in path:
        found = found.get_command(click.Context(found), name)
    return found


RUNNABLE = [
    *((name,) for name in COMMANDS if name not in ("verify", "draw")),
    ("verify", "layers"),
    ("verify", "transposed"),
    *(("draw", name) for name in command_of(["draw"]).commands),
]


def run(*arguments):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def refused(*arguments):
    """The sentence of a usage error, which prints nothing else."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), (arguments, result.output)
    return result.stderr.partition("Error: ")[2]


def one_value(option):
    """A text that an option takes."""
    match option.type:
        case click.Choice(choices=choices):
            return next(iter(choices))
        case _:
            return {"--at": "conv1", "--device": "cpu"}.get(spelling(option), "3")


CASES = [
    (path, option)
    for path in RUNNABLE
    for option in command_of(path).params
    if isinstance(option, click.Option) and not (option.is_flag or option.multiple)
]


@pytest.mark.parametrize(("path", "option"), CASES, ids=lambda case: case if isinstance(case, str) else None)
def test_an_option_given_twice_is_a_sentence(path, option):
    twice = [option.opts[0], one_value(option), option.opts[-1], one_value(option)]
    rest = {"hdc": ["1"], "stack": ["conv k3"], "compare": ["lenet", "nin"]}.get(path[-1], ["lenet"])
    takes = any(isinstance(param, click.Argument) for param in command_of(path).params)
    said = refused(*path, *(rest if takes else []), *twice)
    assert said == f"{spelling(option)} is given 2 times and taken once: leave out the others\n"


def test_every_command_is_held_to_it():
    assert all(isinstance(command_of(path), Command) for path in RUNNABLE)
    assert len(CASES) > 30


def test_what_is_declared_repeatable_is_repeated():
    assert run("hdc", "1", "2", "--k", "3", "--k", "5", "-q").stdout == "yes\n"
    assert run("conv", "--n", "9", "--k", "3", "-q", "-q").stdout == "7\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("conv --k 3 --n 5 --k 5", "--k is given 2 times and taken once"),
        ("conv --n 3..5 --k 3 --latex", "--latex prints one formula: give a symbol such as --n n instead of a range"),
        ("conv --k 3 --json --latex", "--json and --latex do not go together"),
        ("conv --k 3 --json -q", "--json and -q do not go together"),
        ("stack 'conv k3' -q --latex", "-q and --latex do not go together"),
        ("tconv --k 3 --n 3..5 --show", "--show draws one case, and n is a range"),
        ("tconv --k 3 --n 3 --s 1..2 --matrix", "--matrix draws one case, and s is a range"),
        ("tconv --k 3 --n 3 --show -q", "--show and -q do not go together"),
        ("tconv --k 3 --n 3 --matrix --latex", "--matrix and --latex do not go together"),
        ("tconv --k 3 --out 8 --solve n --show", "--show and --solve do not go together"),
        ("conv --k 3 --limit 5", "--limit is of what --solve finds"),
        ("conv --k 3 --bound k=5", "--bound is of what --solve finds"),
        ("conv --n 9 --out 3 --solve k --bound k=5", "--bound is for several unknowns"),
        ("conv --n 9 --out 3 --solve k --solve s --bound d=5", "--bound d is for an unknown: d is not sought"),
        ("conv --n 9 --out 3 --solve k --solve s --bound k=5 --bound k=6", "--bound k is given twice"),
        ("inspect lenet -q --depth 1", "-q and --depth do not go together"),
        ("inspect lenet --only conv -q", "-q and --only do not go together"),
        ("inspect lenet --assume net.py:9=true", "--assume is for torch modules"),
        ("inspect lenet --assume a=true --assume a=false", "--assume is given twice, and a is true and false"),
        ("inspect lenet --input 1xH=28xW --input 1xH=32xW", "--input is given twice, and H is 28 and 32"),
        ("sizes unet -q --all", "-q and --all do not go together"),
        ("compare lenet nin -q --json", "--json and -q do not go together"),
        ("compare a.json b.json --input 3x9x9", "both are saved reports"),
        ("compare a.json lenet --batch 8", "--batch goes with --input here"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(line, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(run("inspect", "lenet", "--json").stdout, encoding="utf-8")
    assert sentence in refused(*shlex.split(line))


def test_help_comes_before_that():
    assert run("conv", "--k", "3", "--k", "5", "-h").exit_code == 0


def test_what_a_drawing_is_in_json_is_its_numbers():
    document = json.loads(run("tconv", "--n", "3", "--k", "2", "--show", "--json").stdout)
    assert document["example"]["input"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("sizes 'conv 4 k3; maxpool k2 s2' --input 3xHxW", "H >= 4, W >= 4\n"),
        ("tiles 'conv 8 k3' --input 3xHxW --tile 64x32", "64x32\n"),
        ("zoo lenet", "lenet\n"),
    ],
)
def test_the_answer_alone(line, answer):
    assert run(*shlex.split(line), "-q").stdout == answer


def test_a_no_alone_prints_nothing_on_stdout():
    result = run("sizes", "conv 4 k3; flatten; linear 2 in_features=7", "--input", "3xHxH", "-q")
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("path", RUNNABLE, ids=" ".join)
def test_quiet_and_ascii_are_everywhere_or_the_help_says_why_not(path):
    help_text = " ".join(run(path[0], "-h").stdout.split())
    for name in ("-q", "--ascii"):
        known = any(name in param.opts for param in command_of(path).params)
        assert known or f"no {name}" in help_text, (path, name)


def test_paddings_that_a_pooling_is_offered_are_taken():
    text = " ".join(run("pool", "-h").stdout.split())
    offered = text.partition("1:2 (before:after), ")[2].partition(".")[0].split(", ")
    assert offered == ["same", "same-lower", "valid"]
    for name in offered:
        assert run("pool", "--n", "9", "--k", "3", "--s", "1", "--p", name).exit_code == 0


def test_every_dtype_is_in_the_help():
    text = run("inspect", "-h").stdout
    for option in command_of(("inspect",)).params:
        if option.name == "dtype":
            assert all(name in " ".join(text.split()) for name in option.type.choices)
