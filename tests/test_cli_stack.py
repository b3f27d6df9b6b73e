"""`convcalc stack` as a user meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc.cli import main

RESNET_STEM = "conv 64 k7 s2 p3; maxpool k3 s2 p1"


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["stack", *arguments], prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result.output


def document(*arguments: str, status: int = 0) -> dict:
    result = CliRunner().invoke(main, ["stack", *arguments, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_one_record_a_line_away_from_a_terminal():
    lines = run(RESNET_STEM, "--n", "224").splitlines()
    assert [line.split()[0] for line in lines] == ["layer", "conv1", "maxpool1", "224"]
    assert lines[-1] == "224 -> 56   any L: ⌊(L + 3)/4⌋"


def test_layers_come_in_one_argument_or_in_several():
    assert run(RESNET_STEM, "--n", "64") == run(*RESNET_STEM.split("; "), "--n", "64")


def test_two_axes_have_their_own_letters():
    assert run("conv 8 k3x5 p1x0", "--n", "28x32").splitlines()[-1] == "28x32 -> 28x28   any size: Hx(W − 4)"


def test_a_symbol_answers_for_every_size_and_says_what_it_needs():
    lines = run("conv k5; maxpool 2; conv k3", "--ascii").splitlines()
    assert lines[-2:] == ["L -> L//2 - 4", "needs L >= 6, L//2 >= 5"]


SAME = ["conv k3 s2 psame", "conv k5 s3 psame d2; conv k1 s2 psame; maxpool k3 s2 psame; conv k3 p1", "tconv k4 s2 p1"]


@pytest.mark.parametrize("texts", SAME)
def test_padding_that_depends_on_a_size_leaves_the_offset_open_alone(texts):
    def told(n, *keys):
        return [[layer[key] for key in keys] for layer in document(texts, "--n", n)["layers"]]

    keys = "receptive_field", "stride", "covered", "global"
    assert all(told("n", *keys) == told(str(n), *keys) for n in (61, 62, 63, 64))
    assert (told("n", "offset") == told("61", "offset")) == ("psame" not in texts)


def test_a_shift_that_decides_what_is_read_leaves_the_field_open():
    down = [cc.Conv(4, k, stride=2, padding="same-upper") for k in (3, 5)]
    block = cc.Residual(cc.Conv(4, 3, padding=1))
    for net, field in [
        (cc.Sequential(down[0], block), 7),
        (cc.Sequential(cc.ConvTranspose(4, 4, stride=3), down[0]), None),
        (cc.Branches(down[0], down[1]), None),
    ]:
        assert cc.inspect(net, (1, 4, "n")).layers[-1].receptive_field == (field,)


def test_the_record_has_the_keys_of_inspect():
    record = document(RESNET_STEM, "--n", "224", "-c", "3")
    assert record["schema"] == 1
    assert (record["kind"], record["out"], record["formula"], record["error"]) == ("stack", 56, "(L + 3)//4", None)
    conv, pool = record["layers"]
    assert " ".join(conv) == (
        "name op args inputs output outputs symbolic params shared macs receptive_field stride offset covered global"
    )
    assert conv["args"] == {"out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3}
    assert (conv["output"], conv["symbolic"]) == ([1, 64, 112], ["1", "64", "(L + 1)//2"])
    assert (conv["params"], conv["macs"]) == (7 * 3 * 64 + 64, 112 * 64 * 7 * 3)
    assert (pool["inputs"], pool["receptive_field"], pool["stride"], pool["covered"]) == (["conv1"], 11, 4, 11)


def test_fractions_are_exact_texts():
    (layer,) = document("tconv 8 k4 s2 p1", "--n", "8")["layers"]
    assert (layer["stride"], layer["offset"]) == ("1/2", "-1/4")


def test_covered_is_a_column_where_something_is_missed():
    assert "covered" in run("conv k3 d2 *2", "--n", "32")
    assert "covered" not in run("conv k3 *2", "--n", "32")


def test_a_refusal_comes_after_the_rows_before_it():
    text = run("conv k3; maxpool 2; conv k9", "--n", "12", status=1)
    assert [line.split()[0] for line in text.splitlines()[:3]] == ["layer", "conv1", "maxpool1"]
    assert text.splitlines()[-1].startswith("Error: conv2: kernel does not fit")
    record = document("conv k3; maxpool 2; conv k9", "--n", "12", status=1)
    assert (len(record["layers"]), record["out"], record["error"]["kind"]) == (2, None, "kernel_does_not_fit")


def test_a_range_has_one_row_each():
    assert run("conv k9; maxpool 2", "--n", "9..11", "-q").splitlines() == ["-", "1", "1"]
    rows = document("conv k9", "--n", "8..10")["rows"]
    assert [(row["L"], row["out"]) for row in rows] == [(8, None), (9, 1), (10, 2)]
    assert rows[0]["error"]["kind"] == "kernel_does_not_fit"


def test_quiet_and_latex_print_the_answer_alone():
    assert run(RESNET_STEM, "--n", "224x320", "-q") == "56x80\n"
    assert run(RESNET_STEM, "--latex") == "\\left\\lfloor \\frac{L + 3}{4} \\right\\rfloor\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "an empty stack: write layers such as 'conv 64 k3 p1; maxpool 2'"),
        ("conf 64 k3", "unknown op 'conf' (did you mean conv?)"),
        ("conv 64", "conv needs kernel_size: 'conv 64'"),
        ("conv 64 3 1", "conv takes one bare number, out_channels, and the kernel as k3"),
        ("conv 64 k3 z9", "conv cannot read 'z9'"),
        ("(conv k3", "a parenthesis is opened and not closed"),
        ("conv k3 *99999", "a stack of more than 10000 layers"),
        ("maxpool 2 g4", "maxpool has no groups"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text, sentence):
    result = CliRunner().invoke(main, ["stack", text, "--n", "9"])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("conv k3 padding_mode=mirror",), "Error: conv1: unknown padding_mode 'mirror': use one of zeros, reflect,"),
        (("conv k99", "--latex"), "Error: conv1: kernel does not fit: it spans 99"),
        (("upsample 0.7", "--latex"), "Error: the stack has no formula: a layer rounds sizes in floating point;"),
    ],
)
def test_what_is_refused_is_one_sentence_and_nothing_else(arguments, sentence):
    result = CliRunner().invoke(main, ["stack", *arguments, "--n", "9"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(sentence)


def test_a_stack_that_flattens_the_batch_too_is_shown():
    result = CliRunner().invoke(main, ["stack", "flatten 0; relu", "--n", "9"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.count("\n") >= 3
