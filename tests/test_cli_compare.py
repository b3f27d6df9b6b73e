"""`convcalc compare` as a user meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from convcalc.cli import main

TWO, ONE = "conv k3 p1 nobias *2", "conv k5 p2 nobias"


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["compare", *arguments], prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result.output


def test_two_3x3_against_one_5x5():
    lines = run(TWO, ONE, "--input", "CxHxW").splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:8]}
    assert rows["params"] == ["18C^2", "25C^2", "+7C^2", "1.39x"]
    assert rows["MACs"] == ["18C^2·H·W", "25C^2·H·W", "+7C^2·H·W", "1.39x"]
    assert rows["receptive"] == ["field", "5", "5"]
    assert rows["output"] == ["CxHxW", "CxHxW"]


def test_ascii_is_python():
    text = run(TWO, ONE, "--input", "CxHxW", "--ascii", "-q")
    assert text.isascii()
    assert "18*C**2*H*W" in text


def test_quiet_leaves_the_layers_out():
    long, short = run("lenet", "lenet(modern=True)"), run("lenet", "lenet(modern=True)", "-q")
    assert long.startswith(short.rstrip())
    assert len(short.splitlines()) == 9
    assert "conv1" in long
    assert "conv1" not in short


def test_signs_say_how_layers_relate():
    lines = run("conv 8 k3; maxpool 2", "conv 8 k3; maxpool 3; upsample 2", "--input", "3x10x10").splitlines()
    rows = lines[lines.index("") + 2 :]
    assert ["=" in rows[0], "|" in rows[1], ">" in rows[2]] == [True] * 3


def test_a_difference_below_zero_and_a_large_ratio():
    lines = run("resnet18(classes=10)", "lenet", "-q").splitlines()
    (params,) = (line for line in lines if line.startswith("params"))
    assert params.split()[1:4] == ["11,181,642", "61,706", "−11,119,936"]
    assert "ratio" in lines[0]
    (params,) = (line for line in run("lenet", "resnet18(classes=10)", "-q").splitlines() if line.startswith("params"))
    assert params.split()[-1] == "181x"  # 11,181,642 / 61,706 = 181.2


def test_differences_are_no_failure_and_the_document_is_whole():
    document = json.loads(run("vgg11", "nin(in_channels=3)", "--input", "3x224x224", "--json"))
    assert (document["schema"], document["error"]) == (1, None)
    assert document["a"]["model"] == "vgg11"
    assert document["totals"]["params"]["a"] == 132_863_336  # torchvision's vgg11
    assert {"a", "b", "same"} == set(document["layers"][0])


def test_a_refused_input_is_the_answer_no():
    text = run("lenet", "conv k40", "--input", "1x28x28", status=1)
    assert text.startswith("Error: B: conv1: axis H: kernel does not fit: it spans 40")
    document = json.loads(run("lenet", "conv k40", "--input", "1x28x28", "--json", status=1))
    assert document["error"]["kind"] == "kernel_does_not_fit"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lenet", "lenett"), "no network 'lenett' in the zoo; did you mean lenet?"),
        (("lenet", "conv 8 k3"), "conv 8 k3 has no input of its own: give one as --input 3xHxW"),
        (("lenet", "conv 8 k3 z"), "conv cannot read 'z'"),
        (("lenet", "nin", "--input", "3,,224"), "'3,,224' is no size"),
        (("lenet",), "Missing argument 'B'"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(arguments, sentence):
    assert sentence in run(*arguments, status=2)
