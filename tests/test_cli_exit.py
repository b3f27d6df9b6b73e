"""How a command ends: a document with every "no", 130 for Ctrl-C, 141 for a closed pipe, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from convcalc.cli import COMMANDS, main
from convcalc.cli.nothing import nothing_found

RUN = [sys.executable, "-m", "convcalc"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["stack", "upsample"],
        ["stack", "conv k9", "--n", "1..3"],
        ["stack", "conv k9", "--n", "3"],
        ["pool", "--k", "9", "--n", "1..3"],
        ["conv", "--k", "9", "--n", "3"],
        ["tconv", "--k", "3", "--n", "5", "--op", "4"],
        ["conv", "--n", "5", "--k", "3", "--out", "99", "--solve", "s"],
        ["hdc", "1", "2", "9"],
        ["inspect", "lenet", "--input", "1x9x9"],
        ["inspect", "lenet", "--expect", "11"],
        ["field", "lenet", "--input", "1x9x9"],
        ["field", "lenet", "--input", "1x9x9x9"],
        ["sizes", "unet", "--input", "1x100xW"],
        ["sizes", "conv 4 k3", "--input", "n", "--batch", "none"],
        ["tiles", "resnet18"],
        ["emit", "mask", "conv 4 k3; groupnorm 2", "--input", "1xT"],
        ["compare", "lenet", "resnet18", "--input", "3x64x64"],
    ],
    ids=" ".join,
)
def test_every_no_has_a_whole_document(arguments):
    result = CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["error"]["message"]
    assert document["kind"] in (*COMMANDS, "changes")
    assert result.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_document_without_an_answer_has_the_keys_of_one(command):
    asked = {
        **{command: ["--n", "9", "--k", "3"] for command in ("conv", "tconv", "pool")},
        "stack": ["conv k3", "--n", "9"],
        "hdc": ["1", "2"],
        "zoo": ["lenet"],
        "compare": ["lenet", "lenet"],
        "draw": ["conv", "--n", "5", "--k", "3"],
        "design": ["--field", "9"],
        "emit": ["length", "unet", "--axis", "H"],
        "verify": ["layers", "--count", "1"],
    }.get(command, ["unet"])
    if command == "verify":
        pytest.importorskip("torch")
    answer = json.loads(CliRunner().invoke(main, [command, *asked, "--json"]).stdout)
    assert {"schema", "convcalc", "error", *nothing_found(command)} == answer.keys()
    assert nothing_found(command)["kind"] == answer["kind"]


@pytest.mark.parametrize("axes", range(1, 7))
def test_any_number_of_axes_has_names(axes):
    text = "x".join(["3", *map(str, range(4, 4 + axes))])
    for command in ("field", "inspect", "sizes"):
        result = CliRunner().invoke(main, [command, "relu", "--input", text], catch_exceptions=False)
        assert result.exit_code == 0, result.output


@pytest.mark.skipif(os.name == "nt", reason="signals and closed descriptors of POSIX")
@pytest.mark.parametrize("arguments", ["inspect unet", "conv --n 1..2000 --k 3", "-h", "hdc 1 2 9 --json"])
def test_a_reader_that_has_seen_enough_is_status_141_and_no_word(arguments):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*RUN, *arguments.split()], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(os.name == "nt", reason="signals and closed descriptors of POSIX")
@pytest.mark.parametrize("arguments", [["inspect", "lenet"], ["conv", "--n", "9", "--k", "3"], ["zoo", "--json"]])
def test_a_closed_output_is_one_sentence(arguments):
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'convcalc', *sys.argv[1:]])"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "cannot write the answer: standard output is closed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals and closed descriptors of POSIX")
def test_ctrl_c_is_status_130():
    code = (
        "import convcalc.cli, convcalc.cli.conv, os, signal\n"
        "def stop(*_): os.kill(os.getpid(), signal.SIGINT)\n"
        "convcalc.cli.conv.answer = stop\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what runs in the background ignores it
        "convcalc.cli.main(['conv', '--n', '9', '--k', '3'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "interrupted")
