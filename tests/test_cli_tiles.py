"""`convcalc tiles`: the answer in words, the document, and what is refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from convcalc.cli import main


def ask(*arguments):
    return CliRunner().invoke(main, ["tiles", *arguments], prog_name="convcalc", catch_exceptions=False)


def test_the_number_of_tiles_comes_first():
    lines = ask("unet(padded=True)", "--tile", "512", "--image", "4000").stdout.splitlines()
    assert lines[0] == "tiles      12x12 = 144 of 512x512, every 320x320 rows; the last ends where the image does"
    assert lines[2] == "grid       tiles start at multiples of 16"


def test_without_an_image_tiles_are_not_counted():
    assert ask("unet", "--tile", "600").stdout.startswith("tiles      of 588x588, every 400x400 rows\n")


def test_the_document():
    found = json.loads(ask("conv 8 k3 p1 *2", "--input", "3xn", "--tile", "20", "--image", "50", "--json").stdout)
    assert (found["kind"], found["error"], found["count"]) == ("tiles", None, 3)
    (axis,) = found["axes"]
    assert (axis["grid"], axis["tile"], axis["trim"], axis["step"]) == (1, 20, [2, 2], 16)
    assert axis["starts"] == [0, 16, 30]
    assert axis["kept"] == [[0, 18], [2, 18], [4, 20]]
    assert found["memory"] == (8 + 8) * 20 * 4
    assert found["memory_whole"] == (8 + 8) * 50 * 4


def test_what_forbids_tiles_is_named_with_status_1():
    result = ask("resnet18")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: avgpool forbids exact tiles: ")
    result = ask("resnet18", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["kind"] == "no_solution"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unet", "--image", "1x2x3"], "--image takes numbers from 1 on, one or 2: 1x2x3"),
        (["unet", "--tile", "T"], "--tile takes numbers from 1 on, one or 2: T"),
        (["unett"], "did you mean unet?"),
        (["conv 4 k3"], "give one as --input 3xHxW"),
    ],
)
def test_status_2_where_the_question_cannot_be_read(arguments, message):
    result = ask(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
