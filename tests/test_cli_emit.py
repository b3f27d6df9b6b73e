"""`convcalc emit`: the file, the document, --check, and what is refused."""

import json

import pytest
from click.testing import CliRunner

from convcalc.cli import main

FRONT = "conv 8 k10 s5; conv 8 k3 s2 *4; conv 8 k2 s2 *2"


def ask(*arguments):
    return CliRunner().invoke(main, ["emit", *arguments], prog_name="convcalc", catch_exceptions=False)


def test_the_source_is_printed_and_its_command_stands_in_it():
    lines = ask("length", FRONT, "--input", "1xT").stdout.splitlines()
    assert lines[0].startswith("# Written by convcalc ")
    assert lines[3] == f"# command  convcalc emit length '{FRONT}' --input 1xT"
    assert "# formula  (T - 80)//320" in lines
    assert "import torch" in lines
    assert "import numpy as np" in ask("length", FRONT, "--input", "1xT", "--numpy").stdout


def test_a_file_is_written_and_checked(tmp_path):
    file = str(tmp_path / "lengths.py")
    result = ask("length", FRONT, "--input", "1xT", "-o", file)
    assert (result.exit_code, result.stdout) == (0, f"{file}: length along T, (T - 80)//320, T >= 400\n")
    result = ask("length", FRONT, "--input", "1xT", "--check", file)
    assert (result.exit_code, result.stdout) == (0, f"{file} fits: (T - 80)//320, T >= 400\n")
    result = ask("length", "conv 8 k10 s5", "--input", "1xT", "--check", file)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "formula: the file has (T - 80)//320, the model gives (T - 5)//5",
        "legal: the file has T >= 400, the model gives T >= 10",
    ]
    assert result.stderr.startswith(f"Error: {file} does not fit the model any more\n")


def test_the_document(tmp_path):
    found = json.loads(ask("mask", FRONT, "--input", "1xT", "--json").stdout)
    assert [found[key] for key in ("kind", "code", "target", "axis")] == ["emit", "mask", FRONT, "T"]
    assert (found["formula"], found["legal"], found["file"], found["changes"]) == (
        "(T - 80)//320",
        "T >= 400",
        None,
        [],
    )
    assert "def frames_unchanged(lengths, total):" in found["source"]
    (tmp_path / "masks.py").write_text(found["source"], encoding="utf-8")
    result = ask("mask", f"{FRONT}; relu; conv 8 k1", "--input", "1xT", "--check", str(tmp_path / "masks.py"), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["error"]["kind"], len(found["changes"])) == (1, "no_solution", 1)
    assert found["changes"][0].startswith("walk: ")


def test_the_formula_alone():
    assert ask("length", FRONT, "--input", "1xT", "-q").stdout == "(T - 80)//320\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["mask", "conv 8 k3; groupnorm 2", "--input", "1xT"], 1, "groupnorm1 forbids an exact mask: "),
        (["length", "conv 8 k3", "--input", "1xHxW"], 1, "code is along one axis, and H, W are free"),
        (["mask", "conv 8 k3", "--input", "1xT", "--numpy"], 2, "--numpy goes with length"),
        (["tiles", "conv 8 k3", "--input", "1xT"], 2, "'tiles' is not one of"),
        (["mask", "conv 8 k3", "--input", "1xT", "--check", "nowhere.py"], 2, "cannot read nowhere.py"),
        (["mask", "conv 8 k3", "--input", "1xT", "--check", __file__], 2, "this is no file that convcalc wrote"),
        (["mask", "conv 8 k3", "--input", "1xT", "-o", "no/where.py"], 2, "cannot write no/where.py"),
        (["mask", "conv 8 k3", "--input", "1xT", "-o", "a", "--check", "b"], 2, "--check only reads a file"),
    ],
)
def test_what_is_refused(arguments, status, message):
    result = ask(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr
