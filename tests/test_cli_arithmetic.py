"""`convcalc conv`, `tconv` and `pool` as a user and a script meet them."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import sympy
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, pool_out
from convcalc.cli import main
from convcalc.errors import ConvcalcError

HOME = Path(convcalc.__file__).parents[1]


def run(line, status=0):
    result = CliRunner().invoke(main, shlex.split(line), prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result


def text(line):
    result = run(line)
    assert result.stderr == ""
    return result.stdout


def document(line, status=0):
    result = run(f"{line} --json", status)
    assert result.stderr == ""
    return json.loads(result.stdout)


# -- the design's samples ----------------------------------------------------------------------------------------


def test_the_sample_of_a_convolution():
    assert text("conv --n 28 --k 5 --p 2") == (
        "28 -> 28   ⌊(28 + 2·2 − 5)/1⌋ + 1 = 28        any n: n\n"
        "read       every row; windows overlap by 4\n"
        "back       tconv --k 5 --p 2   (28 -> 28)\n"
    )


def test_the_sample_of_a_transposed_convolution():
    assert text("tconv --n 14 --k 4 --s 2 --p 1") == (
        "14 -> 28   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28        any n: 2n\n"
        "same as    1 zero between: 27; pad 2 + 2: 31; conv with the flipped k4, stride 1: 28\n"
        "overlap    2 2 by phase: even, as 2 divides 4\n"
        "back       conv --k 4 --s 2 --p 1   28 or 29 -> 14; output_padding=1 gives 29. "
        "Shape comes back, values do not.\n"
    )


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("conv --n 28 --k 5 --p 2", "28"),
        ("conv -n 28 -k 5 -p 2", "28"),
        ("conv --n 28 --kernel-size 5 --padding 2 --stride 2 --dilation 1", "14"),
        ("conv --n 224 --k 7 --s 2 --p same", "112"),
        ("conv --n 28x32 --k 5", "24x28"),
        ("conv --n 28×32 --k 5x3", "24x30"),
        ("conv --n 9x9x9 --k 3 --p 1x0x1", "9x7x9"),
        ("conv --n 28 --k 5 --p 1:2", "27"),
        ("conv --n 28 --k 5 --total-padding 3", "27"),
        ("conv --n 5 --k 3 --p full", "7"),
        ("conv --k 3 --s 2 --p 1", "(n + 1)//2"),
        ("conv --n N --k 3 --s 2 --p 1", "(N + 1)//2"),
        ("conv --n HxW --k 3", "(H - 2)x(W - 2)"),
        ("conv --n n --k k", "-k + n + 1"),
        ("tconv --n 3 --k 3 --s 2 --p 1 --op 1", "6"),
        ("pool --n 54 --k 3 --s 2", "26"),
        ("pool --n 54 --k 3 --s 2 --ceil", "27"),
        ("pool --n 28 --k 2", "14"),
        ("pool --n 9 --k 3 --kind lp", "3"),
        ("conv --n 1000000000000000000000000000000 --k 3 --s 2 --p 1", "5" + "0" * 29),
    ],
)
def test_quiet_prints_the_answer_alone(line, answer):
    if "k k" in line:  # the order of terms is the expression's own
        assert sympy.sympify(text(f"{line} -q")) == sympy.sympify(answer)
        return
    assert text(f"{line} -q") == text(f"{line} --quiet") == f"{answer}\n"


# -- exit status and streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("conv", "the kernel size is needed: --k 3, or --k k for the formula"),
        ("conv --n 28,32 --k 3", "'28,32' is no size: write 28, 28x32 (one entry per axis), or a name such as H"),
        ("conv --n '' --k 3", "'' is no size: write 28, 28x32 (one entry per axis), or a name such as H"),
        ("conv --n 28x32 --k 3x3x3", "as many axes everywhere: n has 2, k has 3"),
        ("conv --n 1x1x1x1 --k 1", "1 to 3 axes: got 4"),
        ("conv --k 3 --p sane", "'sane' is no padding: write 2, 1:2 (before:after)"),
        ("conv --k 3 --p 1 --total-padding 2", "--p is the padding of each side and --total-padding that of both:"),
        ("conv --n 3..5 --k 1..3", "one range at a time: n and k are both ranges"),
        ("conv --n 28 --k 3 --out 5", "--out says what to solve for: add --solve p, say"),
        ("conv --n 28 --k 3 --solve p", "--solve needs the output size wanted: --out 112"),
        ("conv --k 3 --out 5 --solve q", "--solve takes n, k, s, p, d: q is none of them"),
        ("conv --n H --k 3 --out 5 --solve p", "--solve takes numbers: n is a range or a symbol"),
        ("conv --k 3 --p H:1 --out 5 --solve n", "--solve takes numbers: p is a range or a symbol"),
        ("pool --n 8 --k 2 --kind avg --d 2 --out 4 --solve s", "avg pooling has no d: leave it out to solve"),
        ("convo --n 28 --k 3", "no command 'convo': did you mean conv?"),
        ("conv --k 3 --op 1", "No such option '--op'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_exits_with_2_and_prints_nothing_on_stdout(line, sentence):
    for more in ("", " --json", " -q"):
        result = run(line + more, status=2)
        assert result.stdout == ""
        assert sentence in result.stderr


REFUSALS = [
    ("conv --n 6 --k 5 --p 1 --d 2", "kernel_does_not_fit"),
    ("conv --n 0 --k 3", "bad_argument"),
    ("conv --n -5 --k 3", "bad_argument"),
    ("tconv --n 1 --k 2 --p 2", "no_output"),
    ("tconv --n 3 --k 3 --p same", "bad_argument"),
    ("pool --n 6 --k 3 --p 2", "bad_argument"),
    ("pool --n 6 --k 3 --d 2 --kind avg", "refused"),
    ("pool --n 6 --k 3 --p 1 --kind lp", "refused"),
    ("pool --n 2x6x6 --k 3 --p 1 --kind avg", "kernel_does_not_fit"),
    ("tconv --k 3 --s 2 --out 8 --solve n", "no_solution"),
    ("conv --n 5 --k 3 --out 0 --solve s", "bad_argument"),
    ("conv --n 1..2 --k 3", "refused"),
]


@pytest.mark.parametrize(("line", "kind"), REFUSALS)
def test_a_refusal_exits_with_1_and_with_json_is_one_whole_document(line, kind):
    result = run(line, status=1)
    if ".." not in line:  # a range has a row for each
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
    answer = document(line, status=1)
    assert answer["error"]["kind"] == kind
    assert set(answer["error"]) == {"kind", "message", "rule", "fixes"}
    assert answer["error"]["message"]
    assert answer.get("out", None) is None or "--solve" in line
    if ".." not in line:
        assert result.stderr == f"Error: {answer['error']['message']}\n"


CONTRACT = ["kind", "n", "k", "s", "p", "d", "output_padding", "ceil_mode", "out", "formula", "working", "unread"]


@pytest.mark.parametrize(
    "line",
    ["conv --n 28 --k 5 --p 2", "tconv --n 3 --k 3", "pool --n 9 --k 3", "conv --k k", "conv --n 5x6 --k 3"]
    + [line for line, _ in REFUSALS if "--solve" not in line and ".." not in line],
)
def test_json_has_the_keys_of_the_contract_in_its_order(line):
    result = run(f"{line} --json", status=1 if line in dict(REFUSALS) else 0)
    answer = json.loads(result.stdout)
    assert list(answer)[: 2 + len(CONTRACT)] == ["schema", "convcalc", *CONTRACT]
    assert answer["schema"] == 1
    assert answer["convcalc"] == convcalc.__version__
    assert list(answer)[-1] == "error"
    extras = {"equivalent", "overlap", "back", "needs"}
    assert set(answer) <= {"schema", "convcalc", "error", *CONTRACT, *extras}


def test_json_of_one_axis_has_numbers_and_of_several_lists():
    one = document("conv --n 28 --k 5 --p 2")
    assert {name: one[name] for name in ("n", "k", "s", "p", "d", "out", "formula")} == {
        "n": 28, "k": 5, "s": 1, "p": [2, 2], "d": 1, "out": 28, "formula": "n"
    }  # fmt: skip
    assert one["unread"] == {"tail": 0, "tail_real": 0, "gaps": 0}
    assert eval(one["working"]) == 28
    two = document("conv --n 28x32 --k 5 --p 1:2")
    assert two["n"] == [28, 32]
    assert two["p"] == [[1, 2], [1, 2]]
    assert two["out"] == [27, 31]
    assert two["kind"] == "conv"
    refused = document("conv --n 2 --k 5", status=1)
    assert refused["p"] == [0, 0]


def test_json_writes_symbols_as_python_and_the_unknown_as_null():
    answer = document("conv --k 3 --s 2 --p 1")
    assert answer["out"] == answer["formula"] == "(n + 1)//2"
    assert answer["unread"] is None
    assert answer["needs"] == ["n - 1 >= 0"]
    assert eval(answer["working"], {}, {"n": 7}) == eval(answer["out"], {}, {"n": 7}) == 4


def test_json_of_a_range_has_rows():
    answer = document("conv --n 2..5 --k 3 --s 2")
    assert list(answer) == ["schema", "convcalc", "kind", "rows", "error"]
    assert [row["n"] for row in answer["rows"]] == [2, 3, 4, 5]
    assert [row["out"] for row in answer["rows"]] == [None, 1, 1, 2]
    assert [row["error"] and row["error"]["kind"] for row in answer["rows"]] == [
        "kernel_does_not_fit",
        None,
        None,
        None,
    ]
    assert set(answer["rows"][0]) == set(answer["rows"][1])


def test_a_range_has_one_row_each_of_any_letter():
    assert text("conv --n 24..26 --k 3 --s 2").splitlines() == [
        "n 24 -> 11     ⌊(24 + 2·0 − 3)/2⌋ + 1",
        "n 25 -> 12     ⌊(25 + 2·0 − 3)/2⌋ + 1",
        "n 26 -> 12     ⌊(26 + 2·0 − 3)/2⌋ + 1",
    ]
    assert text("conv --n 9 --k 3..5 -q") == "7\n6\n5\n"
    rows = run("conv --n 2..3 --k 3").stdout.splitlines()
    assert rows[0].startswith("n 2 -> -      kernel does not fit: it spans 3")
    assert text("conv --n 28x30 --s 1..2 --k 3 -q") == "26x28\n13x14\n"


def test_axes_that_agree_are_explained_once():
    answer = text("conv --n 28x28 --k 5")
    assert answer.splitlines()[:2] == ["28x28 -> 24x24", "axis H, W:"]
    assert [line for line in text("conv --n 28x30 --k 5").splitlines() if line.startswith("axis")] == [
        "axis H:",
        "axis W:",
    ]
    result = run("conv --n 28x3x28 --k 5", status=1)
    assert result.stderr.startswith("Error: axis H: kernel does not fit")


# -- backwards ---------------------------------------------------------------------------------------------------

SOLVED = ["kind", "known", "out", "unknowns", "solutions", "intervals", "count", "complete", "bounds"]


def test_solving_for_one_unknown():
    assert text("conv --n 224 --k 7 --s 2 --out 112 --solve p") == "p = 3   gives out 112 for n=224 k=7 s=2 d=1\n"
    assert text("conv --n 5 --k 3 --out 1 --solve s -q") == "3..\n"
    assert text("pool --k 3 --s 2 --ceil --out 27 --solve n -q") == "54..55\n"
    assert text("conv --n 224x200 --k 7 --s 2 --out 112x100 --solve p -q") == "3\n3\n"


def test_solving_for_several_unknowns_states_the_box():
    lines = text("conv --n 28 --out 28 --solve k --solve p").splitlines()
    assert lines[:3] == ["k=1 p=0", "k=3 p=1", "k=5 p=2"]
    assert lines[-1] == "all 14 with k <= min(n, 31), p < extent; each gives out 28 for n=28 s=1 d=1"


def test_json_of_solutions_has_the_keys_of_the_contract():
    answer = document("conv --n 5 --k 3 --out 1 --solve s --limit 2")
    assert list(answer) == ["schema", "convcalc", *SOLVED, "error"]
    assert answer["solutions"] == [{"s": 3}, {"s": 4}]
    assert answer["intervals"] == [[3, None]]
    assert answer["count"] is None
    assert answer["complete"] is True
    assert answer["bounds"] == {}
    refused = document("tconv --k 3 --s 2 --out 8 --solve n", status=1)
    assert list(refused) == ["schema", "convcalc", *SOLVED, "error"]
    assert refused["error"]["fixes"] == ["n=3", "n=4", "op=1 n=3"]
    several = document("conv --n 28 --out 14 --solve k --solve s --solve p --bound k=4 --limit 1")
    assert several["bounds"] == {"k": "k <= min(n, 4)", "s": "s <= k", "p": "p < extent"}
    assert len(several["solutions"]) == 1 < several["count"]
    assert several["complete"] is False


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 3), st.integers(1, 12))
@settings(max_examples=40)
def test_quiet_solutions_are_solutions(n, k, s, out):
    result = CliRunner().invoke(main, shlex.split(f"conv --n {n} --k {k} --s {s} --out {out} --solve p -q"))
    if result.exit_code == 1:
        return
    first, _, last = result.stdout.strip().partition("..")
    for p in {int(first), int(last or first)}:
        assert text(f"conv --n {n} --k {k} --s {s} --p {p} -q") == f"{out}\n"


# -- the command that leads back ---------------------------------------------------------------------------------


@given(
    st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 4), st.integers(0, 4), st.integers(1, 3)
)
@settings(max_examples=60)
def test_the_way_back_is_a_command_that_leads_back(n, k, s, before, after, d):
    try:
        out = conv_out(n, k, s, (before, after), d)
    except ConvcalcError:
        return
    answer = text(f"conv --n {n} --k {k} --s {s} --p {before}:{after} --d {d}")
    command = re.search(rf"^back       (tconv .*)   \({out} -> {n}\)$", answer, re.MULTILINE)[1]
    assert text(f"{command} --n {out} -q") == f"{n}\n"


# -- formulas and letters ----------------------------------------------------------------------------------------


def test_latex_prints_the_formula_alone():
    assert text("conv --n 28 --k 3 --s 2 --p 1 --latex") == "\\left\\lfloor \\frac{n + 1}{2} \\right\\rfloor\n"
    assert text("tconv --n H --k 2 --s 2 --latex") == "2 H\n"
    assert text("conv --n HxW --k 3 --latex") == "H - 2\nW - 2\n"


ASCII = [
    "conv --n 28 --k 5 --p 2", "conv --k 3 --s 2 --p 1", "conv --n 28x30 --k 3 --p same", "conv --n 2 --k 3",
    "tconv --n 14 --k 4 --s 2 --p 1", "tconv --n n --k k", "tconv --n 3 --k 3 --s 2 --d 2",
    "pool --n 54 --k 3 --s 2 --ceil", "conv --n 24..26 --k 3", "conv --n 28 --out 14 --solve k --solve s",
    "tconv --k 3 --s 2 --out 8 --solve n", "conv --n 28×30 --k 3", "conv --n ２８ --k 3", "conv -h", "tconv -h",
    "pool -h", "-h", "--version",
]  # fmt: skip


@pytest.mark.parametrize("line", ASCII)
def test_ascii_is_ascii(line):
    result = CliRunner().invoke(main, [*shlex.split(line), *([] if "h" in line[-1] or "--v" in line else ["--ascii"])])
    assert result.stdout.isascii()


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": str(HOME), **environment},
        timeout=60,
    )


@pytest.mark.parametrize(
    "line",
    [
        *("conv --n 28 --k 5 --p 2", "tconv --n 14 --k 4 --s 2", "conv --n 28×30 --k 3"),
        *("conv --n ２８ --k 3", "conv --n 2 --k 3 --json", "conv -h"),
    ],
)
@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "latin-1", "cp1252", "utf-8"])
def test_no_encoding_of_the_terminal_is_a_crash(line, encoding):
    result = python("-m", "convcalc", *shlex.split(line), PYTHONIOENCODING=encoding)
    assert result.returncode in (0, 1, 2)
    assert "Traceback" not in result.stderr


def test_away_from_a_terminal_there_is_no_colour_and_head_may_close_the_pipe():
    result = python("-m", "convcalc", "conv", "--n", "28", "--k", "5")
    assert "\x1b" not in result.stdout
    head = subprocess.run(
        f"{shlex.quote(sys.executable)} -m convcalc conv --n 1..20000 --k 1 --ascii | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        timeout=60,
    )
    assert head.stdout == "n 1 -> 1      (1 + 2*0 - 1)//1 + 1\n"
    assert "Traceback" not in head.stderr


# -- against the formulas ----------------------------------------------------------------------------------------


@given(
    st.sampled_from([("conv", conv_out), ("tconv", conv_transpose_out), ("pool", pool_out)]),
    *[st.integers(0, 20), st.integers(0, 6), st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)],
)
@settings(max_examples=150)
def test_the_command_answers_and_refuses_as_the_formula(which, n, k, s, p, d):
    command, formula = which
    line = f"{command} --n {n} --k {k} --s {s} --p {p} --d {d} --json"
    result = CliRunner().invoke(main, shlex.split(line), catch_exceptions=False)
    answer = json.loads(result.stdout)
    try:
        expected = formula(n, k=k, s=s, p=p, d=d)
    except ConvcalcError as error:
        expected, kind = None, error.kind
    else:
        kind = None
    assert answer["out"] == expected
    assert (answer["error"] and answer["error"]["kind"]) == kind
    assert result.exit_code == (kind is not None)
    if expected:
        assert eval(answer["formula"], {}, {"n": n}) == eval(answer["working"]) == expected


@pytest.mark.parametrize("padding", ["0", "1:2", "same", "same-lower", "valid", "full", "causal", "p"])
@pytest.mark.parametrize("size", ["9", "n"])
def test_the_way_back_is_always_said(size, padding):
    result = CliRunner().invoke(main, ["conv", "--n", size, "--k", "3", "--s", "2", "--p", padding])
    assert sum(line.startswith("back  ") for line in result.stdout.splitlines()) == 1
