"""`convcalc sizes`: the answer in words, the document, and every way to ask wrongly."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from convcalc.cli import main
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.sizes.text import PRETTY, PYTHON
from convcalc.sizes.words import set_text


def ask(*arguments):
    return CliRunner().invoke(main, ["sizes", *arguments], prog_name="convcalc", catch_exceptions=False)


def document(*arguments):
    result = ask(*arguments, "--json")
    return json.loads(result.stdout), result.exit_code


def test_the_answer_comes_first():
    result = ask("unet")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:4] == [
        "runs           H >= 188; W the same",
        "loses no rows  H ≡ 12 mod 16, H >= 188: 188, 204, 220, 236, ...; W the same",
        "proved         for every size",
        'export         H: 16*Dim("h", min=11) + 12, W: 16*Dim("w", min=11) + 12',
    ]


def test_ascii_is_ascii():
    assert ask("unet", "--ascii").stdout.isascii()
    assert "loses no rows  H % 16 == 12, H >= 188" in ask("unet", "--ascii").stdout


def test_what_is_near_and_why_it_is_not_the_size_itself():
    text = ask("unet", "--near", "350").stdout
    assert (
        "near           350x350 runs; loses no rows: 348x348, 348x364, 364x348, 364x364\n               pool2: axis H:"
        in text
    )
    text = ask("lenet", "--near", "32").stdout
    assert (
        "near           32x32 does not run; runs: 31x31, 15x108, 108x15; loses no rows: 28x28, 12x108, 108x12\n" in text
    )
    assert "               fc1: in_features=400 but the last axis of (1, 576) is 576\n" in text


def test_nothing_is_near_a_size_that_nobody_typed():
    assert "near" not in ask("unet").stdout
    assert document("unet")[0]["near"] is None
    assert "near           572x572 loses no rows\n" in ask("unet", "--input", "1x572x572").stdout


def test_numbers_in_the_input_are_an_example_and_names_are_the_question():
    assert "near           100x120 does not run; runs: 188x188" in ask("unet", "--input", "1x100x120").stdout
    found, _ = document("lenet", "--input", "1xNxN")
    assert found["axes"] == ["N"]
    assert found["runs"] == [{"N": {"modulus": 1, "residues": [], "minimum": 0, "finite": [28, 29, 30, 31]}}]
    found, _ = document("lenet", "--input", "1x12xW")
    assert found["runs"][0]["W"]["finite"] == [108, 109, 110, 111]


def classes(text):
    """The classes of sizes that are out, each with its node, what else is said of it, and the reason above it."""
    rows = text.splitlines()
    found, reason = [], ""
    for row in rows[rows.index("excluded") + 1 :]:
        if row.startswith("  "):
            sizes, node, *more = re.split(r"\s{2,}", row.strip())
            found.append((sizes, node, "".join(more), reason))
        else:
            reason = row
    return found


def test_every_class_that_is_out_has_a_layer_and_a_sentence():
    found = classes(ask("conv 8 k3; maxpool k2 s2", "--input", "3xn").stdout)
    assert [one[:2] for one in found] == [
        ("n is 0", "conv1"),
        ("n in 1, 2", "conv1"),
        ("n is 3", "maxpool1"),
        ("n odd, n >= 5", "maxpool1"),
    ]
    assert found[-1][2:] == (
        "n = 5",
        "loses rows: 1 of 3 rows dropped: no window of 2 fits at the end with stride=2; use 2 or 4",
    )
    assert all("axis" not in "".join(one) for one in found)


def test_a_reason_of_many_classes_stands_once():
    text = ask("unet(padded=True)", "--all").stdout
    found = classes(text)
    reasons = list(dict.fromkeys(reason for *_, reason in found))
    assert [text.splitlines().count(reason) for reason in reasons] == [1] * len(reasons)
    rows = [(more, reason) for *_, more, reason in found if reason.startswith("loses rows")]
    assert {reason for _, reason in rows} == {"loses rows: no window of 2 fits at the end with stride=2"}
    assert [more for more, _ in rows] == [
        f"H = {16 + 2**i}: 1 of {16 // 2**i + 1} rows dropped; use {16 // 2**i} or {16 // 2**i + 2}" for i in range(4)
    ]


def test_the_document_has_the_keys_of_the_contract():
    found, status = document("unet", "--near", "350x572")
    assert status == 0
    assert set(found) == {
        *("schema", "convcalc", "kind", "error"),
        *("axes", "runs", "exact", "unknown", "proved", "up_to", "window", "tried", "lost", "assumed"),
        *("inputs", "near", "reasons"),
    }
    assert (found["schema"], found["kind"], found["error"]) == (1, "sizes", None)
    assert found["axes"] == ["H", "W"]
    assert found["exact"] == [
        {axis: {"modulus": 16, "residues": [12], "minimum": 188, "finite": []} for axis in ("H", "W")}
    ]
    assert found["near"] == {"runs": [[350, 572]], "exact": [[348, 572], [364, 572]]}
    assert found["proved"] is True
    assert found["window"] is None
    assert {"kind", "node", "sentence", "axes", "sizes", "example"} == set(found["reasons"][0])


def test_many_classes_are_summed_up_unless_all_are_asked_for():
    short, every = ask("unet").stdout, ask("unet", "--all").stdout
    left = [one for one in classes(every) if one[:2] not in [shown[:2] for shown in classes(short)]]
    assert short.splitlines()[-1] == f"{len(left)} classes more: --all"
    assert "more: --all" not in every
    assert all("loses rows" not in reason for *_, reason in left)  # what matters at large sizes is shown
    assert "H in 172..187" in short  # and what refuses the largest of the small


def test_sizes_of_a_torch_module_are_found_also_where_it_does_not_run(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "net.py").write_text(
        "import torch\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        assert x.shape[-1] % 8 == 0, 'not by 8'\n        return x\n"
    )
    result = ask(f"{tmp_path}/net.py:Net", "--input", "3x20x20")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "runs           H >= 1, W a multiple of 8, W >= 8"
    assert "proved         for every size" in lines
    assert any("not by 8" in line and "net.py:5" in line for line in lines)


def test_what_is_not_proved_is_called_observed(tmp_path):
    (tmp_path / "net.py").write_text("import convcalc as cc\nnet = cc.Upsample(scale_factor=0.7)\n")
    lines = ask(f"{tmp_path}/net.py:net", "--input", "3xn").stdout.splitlines()
    assert lines[2:4] == ["observed       for n < 4096; not proved beyond", "not known      n >= 4096"]


@pytest.mark.parametrize(("near", "said"), [("5000", "5000 loses no rows"), ("1", "1 does not run; runs: 2")])
def test_a_size_of_which_nothing_is_known_is_tried_where_it_is_asked_for(tmp_path, near, said):
    (tmp_path / "net.py").write_text("import convcalc as cc\nnet = cc.Upsample(scale_factor=0.7)\n")
    target = f"{tmp_path}/net.py:net"
    assert f"near           {said}" in ask(target, "--input", "3xn", "--near", near).stdout
    found, status = document(target, "--input", "3xn")
    assert status == 0
    assert found["unknown"] == [{"n": {"modulus": 1, "residues": [0], "minimum": 4096, "finite": []}}]


def test_no_size_that_is_known_to_run_is_not_no_size_that_runs(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        if int(x.shape[-1] ** 0.5) < 40:\n            raise ValueError('too few')\n        return x\n"
    )
    pytest.importorskip("torch")
    result = ask(f"{tmp_path}/net.py:Net", "--input", "1x1x100", "--near", "2000")
    assert "Error: no size of" not in result.stderr or "is known to run" in result.stderr
    assert "does not run" not in result.stdout


def test_sizes_that_are_given_may_leave_nothing_exact():
    text = ask("lenet", "--input", "1xHx30", "--near", "28").stdout
    assert text.startswith("runs           H in 28..31\nloses no rows  at no size\n")
    assert "near           28 runs; loses no rows: at no size\n" in text
    reason = "loses rows: no window of 2 fits at the end with stride=2"
    assert classes(text)[-1] == ("every H", "pool2", "axis W: 1 of 11 rows dropped; use 10 or 12", reason)


def test_status_1_where_nothing_runs():
    result = ask("unet", "--input", "1x100xW")
    assert result.exit_code == 1
    assert result.stdout.startswith("runs           at no size\nloses no rows  at no size\n")
    assert result.stderr.startswith("Error: no size of W runs: ")
    assert "kernel does not fit" in result.stderr
    found, status = document("unet", "--input", "1x100xW")
    assert status == 1
    assert (found["runs"], found["error"]["kind"]) == ([], "no_solution")


def test_status_1_where_the_rank_is_wrong():
    result = ask("conv 4 k3", "--input", "n", "--batch", "none")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: conv1: conv takes (N, C, L) or (N, C, H, W) or (N, C, D, H, W): got (n),")
    found, status = document("conv 4 k3", "--input", "n", "--batch", "none")
    assert status == 1
    assert (found["runs"], found["error"]["kind"]) == ([], "bad_shape")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unett"], "no network 'unett' in the zoo; did you mean unet?"),
        (["conv 8 k3"], "conv 8 k3 has no input of its own: give one as --input 3xHxW"),
        (["unet", "-i", "1xHxW", "-i", "1xHxW"], "unet has 1 input, input: give --input once for each"),
        (["unet", "--near", "1x2x3"], "--near"),
        (["unet", "--near", "H"], "--near takes numbers, as 350 or 350x400"),
        (["linear 10", "--input", "400"], "the input has no spatial axis: (1, 400)"),
        (["nothere.py:net"], "nothere.py"),
    ],
)
def test_status_2_where_the_question_cannot_be_read(arguments, message):
    result = ask(*arguments, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("sizes", "text", "plain"),
    [
        (every(), "every n", "every n"),
        (every(5), "n >= 5", "n >= 5"),
        (SizeSet(), "no n", "no n"),
        (only([28, 29, 30, 31]), "n in 28..31", "n in 28..31"),
        (SizeSet(2, (0,), 2), "n even, n >= 2", "n even, n >= 2"),
        (SizeSet(4, (1, 3), 7), "n odd, n >= 7", "n odd, n >= 7"),
        (SizeSet(8, (1, 2), 9), "n ≡ 1 or 2 mod 8, n >= 9", "n % 8 in 1, 2, n >= 9"),
        (SizeSet(8, (3,), 11, (5,)), "n is 5; or n ≡ 3 mod 8, n >= 11", "n is 5; or n % 8 == 3, n >= 11"),
    ],
)
def test_sets_in_words(sizes, text, plain):
    assert set_text(sizes, "n", PRETTY) == text
    assert set_text(sizes, "n", PYTHON) == plain
