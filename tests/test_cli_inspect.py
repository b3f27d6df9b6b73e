"""`convcalc inspect`, `field` and `zoo` as a user meets them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.cli import main
from convcalc.zoo import MODELS


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, arguments, prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result.output


def document(*arguments: str, status: int = 0) -> dict:
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


# -- inspect -------------------------------------------------------------------------------------------------------


def test_the_document_has_the_keys_of_the_contract():
    record = document("inspect", "lenet")
    keys = "schema convcalc kind model input output params macs flops uncounted opaque path needs error notes "
    keys += "remarks layers "
    keys += "inputs outputs trainable unused memory"
    assert " ".join(record) == keys
    assert (record["schema"], record["model"], record["error"]) == (1, "lenet", None)
    assert (record["input"], record["output"]) == ([1, 1, 28, 28], [1, 10])
    assert (record["params"], record["macs"], record["flops"]) == (61_706, 416_520, 833_040)
    assert " ".join(record["layers"][0]) == (
        "name op args inputs output outputs symbolic params shared macs receptive_field stride offset covered global "
        "trainable constant counted"
    )
    assert record["layers"][5]["symbolic"] == [1, 16, "H//4 - 2", "W//4 - 2"]


def test_the_library_prints_what_the_command_prints():
    report = cc.inspect(cc.zoo.lenet())
    assert run("inspect", "lenet") == f"{report}\n"
    assert run("inspect", "lenet", "--json") == report.to_json() + "\n"
    assert report._repr_html_().partition("</iframe>")[2].count("<tr>") == len(report.layers) + 2


def test_an_input_is_channels_and_sizes_and_the_batch_is_put_before_it():
    assert run("inspect", "lenet", "--input", "1x31x28", "-q") == "10\n"
    assert document("inspect", "lenet", "--batch", "8")["output"] == [8, 10]
    assert document("inspect", "lenet", "-i", "1x28x28", "--batch", "8")["macs"] == 8 * 416_520
    assert document("inspect", "lenet", "-i", "2x1x28x28", "--batch", "none")["output"] == [2, 10]
    assert document("inspect", "relu", "-i", "3x8", "--batch", "N")["output"] == ["N", 3, 8]


def test_symbols_answer_for_every_size():
    record = document("inspect", "conv 8 k3 s2; maxpool 2", "--input", "3xHxW")
    assert record["output"] == [1, 8, "(H + 3)//4 - 1", "(W + 3)//4 - 1"]
    assert record["needs"][1] == "H - 3 >= 0"
    assert "needs H >= 3" in run("inspect", "conv 8 k3 s2; maxpool 2", "--input", "3xHxW", "--ascii")


def test_a_refusal_comes_after_the_rows_before_it_with_its_rule_and_ways_out():
    text = run("inspect", "lenet", "--input", "1x64x64", status=1).splitlines()
    assert [line.split()[0] for line in text[:10]] == (
        ["layer", "conv1", "act1", "pool1", "conv2", "act2", "pool2", "flatten", "fc1", "total"]
    )
    assert text[8].split() == ["fc1", "linear", "120", "FAILS"]
    assert text[-3:] == [
        "Error: fc1: in_features=400 but the last axis of (1, 3136) is 3136",
        "rule   the last axis equals in_features",
        "fix    in_features=3136",
    ]
    record = document("inspect", "lenet", "--input", "1x64x64", status=1)
    assert (len(record["layers"]), record["output"], record["error"]["kind"]) == (7, None, "bad_shape")


def test_depth_sums_blocks():
    rows = document("inspect", "resnet18", "--depth", "1")["layers"]
    assert [row["name"] for row in rows] == (
        ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "flatten", "fc"]
    )
    whole = document("inspect", "resnet18")
    for key in ("params", "macs"):
        inside = [row[key] for row in whole["layers"] if row["name"].startswith("layer2.")]
        assert rows[5][key] == sum(inside)
    assert (rows[5]["inputs"], rows[5]["output"], rows[5]["args"]) == (["layer1"], [1, 128, 28, 28], {"nodes": 16})
    last = next(row for row in whole["layers"] if row["name"] == "layer2.1.relu")
    assert rows[5]["receptive_field"] == last["receptive_field"] == [99, 99]


def test_depth_shows_the_block_that_fails_in_full():
    rows = document("inspect", "vgg16", "--input", "3x16x16", "--depth", "1", status=1)
    assert rows["error"]["message"].startswith("block5.pool: ")
    assert [row["name"] for row in rows["layers"]][3:6] == ["block4", "block5.conv1", "block5.relu1"]


def test_only_keeps_the_rows_of_an_op_and_totals_are_theirs():
    record = document("inspect", "lenet", "--only", "conv", "--only", "linear")
    assert {row["op"] for row in record["layers"]} == {"conv", "linear"}
    assert record["params"] == sum(row["params"] for row in record["layers"]) == 61_706
    assert record["remarks"] == ["5 of 12 rows: conv, linear; all rows have 61706 parameters and 416520 MACs"]
    assert len(document("inspect", "lenet", "--only", "gelu")["layers"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["relu"], "relu has no input of its own: give one as --input 3xHxW, or in numbers 3x224x224"),
        (["lenet", "-i", "1x28x28", "-i", "1x28x28"], "lenet has 1 input, input: give --input once for each"),
        (["lenet", "-i", "1x-28x28"], "a size must be >= 0: -28"),
        (["lenet", "-i", "1;28;28"], "'1;28;28' is no size"),
        (["lenet", "-i", "1x28x28", "--batch", "2x2"], "a batch is one size: '2x2'"),
        (["lenet", "--batch", "none"], "--batch none goes with --input"),
        (["lenet", "--only", "cnv"], "no op 'cnv'; did you mean conv?"),
        (["lenet", "--depth", "0"], "0 is not in the range x>=1"),
        (["lnet"], "did you mean lenet?"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_status_2(arguments, sentence):
    result = CliRunner().invoke(main, ["inspect", *arguments, "--json"])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


# -- field ---------------------------------------------------------------------------------------------------------


def test_field_has_a_row_for_every_layer_or_one_an_axis():
    assert len(run("field", "resnet18").splitlines()) == 69 + 2
    lines = run("field", "resnet18", "--at", "layer4").splitlines()
    assert lines[0] == "layer4.1.relu: 512x7x7 of 3x224x224"
    assert lines[2].split() == ["H", "435", "32", "0", "435", "0", "217", "217", "no"]
    (row,) = document("field", "conv k3; conv k3 d2; conv k3 d9", "-i", "3x64", "--at", "conv3")["layers"]
    assert (row["holes"], row["hole_count"], row["receptive_field"]) == ([7, 8, 16, 17], 4, 25)


def test_a_cell_has_its_window_clipped_to_the_input():
    record = document("field", "resnet18", "--at", "layer4", "--cell", "3x0")
    assert record["window"][0] == {
        "axis": "H",
        "cell": 3,
        "pattern": [-121, 313],
        "input": [0, 223],
        "read": 224,
        "padding": [121, 90],
    }
    assert record["window"][1]["pattern"] == [-217, 217]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["lenet", "--at", "pool3"], 2, "no node 'pool3'; did you mean 'pool"),
        (["lenet", "--at", "pool2", "--cell", "5x0"], 1, "pool2 has no position 5x0: its positions are 0x0 to 4x4"),
        (["lenet", "--at", "pool2", "--cell", "1"], 1, "pool2 has no position 1"),
        (["lenet", "--cell", "1x1"], 1, "fc3 gives (1, 10), which has no position on the axes of the input"),
        (["lenet", "-i", "1xHxW", "--at", "pool1", "--cell", "1x1"], 2, "--cell takes numbers"),
        (["lenet", "-i", "1x64x64", "--at", "fc2"], 1, "fc1: in_features=400"),
        (["lenet", "-i", "1x64x64", "--at", "fc2", "--cell", "1x1"], 1, "fc1: in_features=400"),
    ],
)
def test_a_field_that_is_none_is_one_sentence(arguments, status, sentence):
    result = CliRunner().invoke(main, ["field", *arguments])
    assert result.exit_code == status
    assert sentence in result.stderr
    again = CliRunner().invoke(main, ["field", *arguments, "--json"])
    assert bool(again.stdout) == (status == 1)


# -- zoo -----------------------------------------------------------------------------------------------------------


def test_zoo_lists_every_network_or_one_with_its_arguments():
    assert [line.split()[0] for line in run("zoo").splitlines()] == ["network", *MODELS]
    lines = run("zoo", "resnet50").splitlines()
    assert lines[0].startswith("resnet50(in_channels=3, classes=1000, stride_on='3x3'")
    record = document("zoo", "vgg16")["networks"][0]
    assert (record["params"], record["receptive_field"], record["stride"]) == (138_357_544, [212, 212], [32, 32])
    assert "did you mean vgg16?" in run("zoo", "vgg61", status=2) + run("zoo", "vg16", status=2)


# -- everywhere ----------------------------------------------------------------------------------------------------


def on_a_terminal(arguments, columns=80):
    """The lines that a command writes on a terminal of so many columns."""
    head, tail = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "convcalc", *arguments]
    process = subprocess.Popen(command, stdout=tail, stderr=tail, env=environment)
    os.close(tail)
    shown = b""
    while True:
        try:
            more = os.read(head, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        shown += more
    os.close(head)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode().replace("\r", "")).splitlines()


def test_two_networks_stand_one_below_the_other_where_a_terminal_is_narrow():
    lines = on_a_terminal(["compare", "densenet121", "resnet50"])
    assert max(map(len, lines)) <= 80
    words = {word for line in lines for word in line.split()}
    names = {row.name for name in ("densenet121", "resnet50") for row in cc.inspect(cc.zoo.load(name)).layers}
    assert names <= words


def test_legal_sizes_cut_no_word_on_a_terminal():
    arguments = ["sizes", "unet", "--near", "64"]
    narrow, wide = on_a_terminal(arguments), on_a_terminal(arguments, 1000)
    assert max(map(len, narrow)) <= 80
    assert " ".join(narrow).split() == " ".join(wide).split()


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["inspect", "resnet18"], {"layer", "op", "output", "params", "MACs"}),
        (["field", "resnet18"], {"layer", "receptive", "field", "stride", "holes"}),
        (["zoo"], {"network", "input", "params", "MACs", "receptive", "field"}),
    ],
)
def test_tables_fit_a_terminal_of_80_columns(arguments, kept):
    lines = on_a_terminal(arguments)
    end = next(place for place, line in enumerate(lines) if "80 columns are too few for" in line)
    assert max(map(len, lines[: end + 1])) <= 80
    assert kept <= set((lines[0] + " " + lines[1]).split())


TYPED = """
lenet resnet18 ( ) classes=10 conv k3 64 s2 p1 p1:2 *3 ; : , 0.5 -1 relu flatten linear gap net.py os : system ('x')
. maxpool softmax dim=-1 groupnorm 2 layernorm unfold fold 8x8 upsample 0.7 pixelshuffle x 9999999999 adaptiveavgpool
crop pad 1:2 reflect padding_mode=circular ' " [ ] \\ é 3xHxW
"""
WORDS = st.sampled_from(TYPED.split())
SIZES = st.sampled_from(["3x16x16", "1x8", "3xHxW", "0x5x5", "2x2x2x2", "10", "3x1x1", "4x9999999999x3", "HxHxH"])


@settings(max_examples=150)
@given(st.lists(WORDS, max_size=8).map(" ".join), SIZES, st.sampled_from(["inspect", "field"]), st.booleans())
def test_no_target_gives_a_traceback(text, size, command, as_json):
    result = CliRunner().invoke(main, [command, text, "--input", size, *["--json"] * as_json])
    assert result.exit_code in (0, 1, 2), (text, size)
    assert result.exception is None or isinstance(result.exception, SystemExit), (text, size)
    assert "Traceback" not in result.output
    if as_json and result.exit_code < 2:
        assert json.loads(result.stdout)["schema"] == 1


LAYERS = st.sampled_from(
    [
        *("conv 4 k3 p1", "conv 4 k3 s2 p1", "conv 4 k5 p2 padding_mode=reflect", "conv k3 p1 padding_mode=circular"),
        *("maxpool 2", "maxpool k3 s2 p1 ceil", "relu", "batchnorm", "groupnorm 1", "gap", "flatten", "linear 3"),
        *("upsample 2 mode=bilinear", "upsample 0.7", "tconv 4 k4 s2 p1", "adaptiveavgpool 3", "softmax 1", "pad 2"),
        *("flatten 2", "unfold 2", "dropout 0.1", "layernorm 8", "instancenorm", "pixelshuffle 2", "crop 1"),
    ]
)


@settings(max_examples=150)
@given(st.lists(LAYERS, min_size=1, max_size=6), st.integers(1, 20), st.integers(1, 20), st.integers(0, 19))
def test_no_stack_gives_a_traceback(texts, height, width, cell):
    text, size = "; ".join(texts), f"4x{height}x{width}"
    for arguments in (["inspect", text], ["field", text], ["field", text, "--cell", f"{cell}x0"], ["stack", text]):
        option = ["--n", f"{height}x{width}", "-c", "4"] if arguments[0] == "stack" else ["--input", size]
        result = CliRunner().invoke(main, [*arguments, *option])
        assert result.exit_code in (0, 1), (arguments, result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), (arguments, size)


@pytest.mark.parametrize("text", ["3,224,224", "(3, 224, 224)", "3 224 224", "[3, 224, 224]", "3, 224, 224,"])
def test_a_shape_as_python_writes_it_is_read_and_said(text):
    result = CliRunner().invoke(main, ["inspect", "conv 8 k3", "--input", text, "-q"])
    assert result.exit_code == 0
    assert result.stderr == f"{text!r} is read as 3x224x224\n"
    assert result.stdout == CliRunner().invoke(main, ["inspect", "conv 8 k3", "--input", "3x224x224", "-q"]).stdout
