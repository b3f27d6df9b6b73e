"""`convcalc hdc` and the drawings of `convcalc tconv` as a user meets them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from convcalc.cli import main


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, arguments, prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["1", "2", "3"], "yes"),
        (["1", "2", "9"], "no"),
        (["2", "3"], "no"),  # two holes, though M_2 = 3 <= 3 and no common factor
        (["2", "3", "--criterion", "paper"], "yes"),
        (["1", "3", "1"], "yes"),
        (["1", "3", "1", "--criterion", "paper"], "no"),  # M_2 = 5
        (["3", "--criterion", "paper"], "no"),  # one rate has no M_2
        (["1", "2", "9", "--k", "4"], "yes"),
        (["1", "1", "--s", "3"], "yes"),  # field 9: 1 + 2 + 2*3, three taps of a stride of three
    ],
)
def test_the_exit_status_follows_the_criterion(arguments, answer):
    assert run("hdc", *arguments, "-q", status=0 if answer == "yes" else 1) == f"{answer}\n"


def test_the_record_has_the_contract_s_keys():
    record = json.loads(run("hdc", "1", "2", "9", "--json", status=1))
    assert list(record)[:3] == ["schema", "convcalc", "kind"]
    keys = "rates k M m2_ok gcd paper_ok exact_ok receptive_field covered holes hole_count tries"
    assert " ".join(list(record)[3:15]) == keys
    assert (record["M"], record["receptive_field"], record["covered"]) == ([3, 5, 9], 25, 21)
    assert record["holes"] == [7, 8, 16, 17]
    assert record["error"]["fixes"] == ["1 3 9", "1 2 7"]


def test_ascii_is_ascii():
    assert run("hdc", "1", "2", "9", "--ascii", status=1).isascii()
    assert run("tconv", "--n", "3", "--k", "3", "--s", "2", "--matrix", "--ascii").isascii()


def test_unequal_kernels_and_strides_are_repeated_options():
    text = run("hdc", "1", "2", "5", "--k", "3", "--k", "3", "--k", "5", "--s", "1", "--s", "2", "--s", "1", status=1)
    assert text.startswith("rates 1 2 5, K 3 3 5, stride 1 2 1: receptive field 47, ")  # 1 + 2*1 + 2*2 + 4*10
    result = CliRunner().invoke(main, ["hdc", "1", "2", "5", "--k", "3", "--k", "3"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--k is given once for all, or once for each of 3 rates: 2 times" in result.stderr


@pytest.mark.parametrize("arguments", [["1", "two"], ["1.5"], [], ["1", "2", "--k", "x"], ["1", "--criterion", "mine"]])
def test_what_cannot_be_read_exits_with_2_and_prints_nothing(arguments):
    result = CliRunner().invoke(main, ["hdc", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_drawing_too_large_keeps_the_answer():
    text = run("tconv", "--n", "200", "--k", "2", "--s", "2", "--show")
    assert text.startswith("200 -> 400 ")
    assert "no drawing: too large to draw" in text
    assert json.loads(run("tconv", "--n", "200", "--k", "2", "--s", "2", "--show", "--json"))["example"] is None


def test_a_drawing_shows_every_stage_and_both_matrices():
    lines = run("tconv", "--n", "3", "--k", "2", "--s", "2", "--p", "1", "--matrix").splitlines()
    shown = {line[:17].strip(): line[17:] for line in lines if line[:17].strip()}
    assert shown["input"] == "1 2 3"
    assert shown["zeros between"] == "1 0 2 0 3"
    assert (shown["kernel"], shown["flipped"]) == ("1 2", "2 1")
    assert shown["output"] == "2 2 4 3"  # stamps 1 2, 2 4, 3 6 side by side, one row cut at each end
    assert {"W (3x4)", "Wᵀ (4x3)"} <= set(shown)
