"""What is written about a transposed convolution: the numbers stand in the text, and the text is true."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcalc.arithmetic.transposed.example import example_record, render_example, worked_example
from convcalc.arithmetic.transposed.size import transposed_sizes
from convcalc.arithmetic.transposed.text import render_three_ways, render_transposed, transposed_record
from convcalc.errors import NoOutput
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import PYTHON


@st.composite
def sizes(draw, most_axes=2, largest=30):
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    axes = draw(st.integers(1, most_axes))
    s, d = numbers(1, 5), numbers(1, 3)
    settings = {
        "stride": s,
        "dilation": d,
        "padding": tuple(zip(numbers(0, 4), numbers(0, 4), strict=True)),
        "output_padding": tuple(draw(st.integers(0, max(a, b) - 1)) for a, b in zip(s, d, strict=True)),
    }
    try:
        return transposed_sizes(numbers(1, largest), numbers(1, 5), **settings)
    except NoOutput:
        assume(False)


def value(text):
    """What an arithmetic text of ours is worth."""
    assert re.fullmatch(r"[\d\s()*+/-]+", text), text
    return eval(text)


def test_the_summary_of_the_design():
    assert render_transposed(transposed_sizes([14], 4, stride=2, padding=1)).splitlines() == [
        "14 -> 28   (14 − 1)·2 − 2·1 + (4 − 1) + 0 + 1 = 28        any n: 2n",
        "same as    1 zero between: 27; pad 2 + 2: 31; conv with the flipped k4, stride 1: 28",
        "overlap    2 2 by phase: even, as 2 divides 4",
        "back       conv --k 4 --s 2 --p 1   28 or 29 -> 14; output_padding=1 gives 29. "
        "Shape comes back, values do not.",
    ]


@given(sizes())
def test_every_working_is_a_true_equation(axes):
    for line in render_three_ways(axes, style=PYTHON).splitlines():
        if match := re.search(r"directly   (.*) = (.*)$", line):
            assert value(match[1]) == int(match[2])
        if match := re.search(r"as a conv  (.*) \+ 1 = (.*)$", line):
            assert value(match[1]) + 1 == int(match[2])
        if match := re.search(r"\(o(.*)\)//(\d+) \+ 1 = (\d+): o = (.*) \+ r = (\d+) \+ r, 0 <= r < (\d+)", line):
            least = int(match[5])
            assert value(match[4]) == least
            assert match[2] == match[6]
            for r in range(int(match[6])):  # each of these sizes goes forward to n
                assert value(f"({least + r}{match[1]})//{match[2]} + 1") == int(match[3])


@given(sizes())
def test_the_numbers_of_the_equivalent_convolution_add_up(axes):
    for line in render_transposed(axes).splitlines():
        if "same as" not in line:
            continue
        inserted, padded, out = map(int, re.findall(r": (\d+)", line))
        pads = re.search(r"; (.*): \d+; conv", line)[1]
        sign = -1 if pads.startswith("crop") else 1
        if plain := re.fullmatch(r"(?:pad|crop) (\d+) \+ (\d+)", pads):
            change = sign * (int(plain[1]) + int(plain[2]))
        else:
            change = sum(int(n) * (-1 if kind == "crop" else 1) for kind, n in re.findall(r"(pad|crop) (\d+)", pads))
        kernel_size = int(re.search(r"flipped k(\d+)", line)[1])
        dilation = int((re.search(r"dilation (\d+)", line) or [0, 1])[1])
        assert inserted + change == padded
        assert padded - dilation * (kernel_size - 1) == out


@given(sizes(most_axes=3))
def test_ascii_is_ascii_and_names_every_axis(axes):
    for text in (render_transposed(axes, style=PYTHON), render_three_ways(axes, style=PYTHON)):
        assert text.isascii()
        named = [name for line in re.findall(r"^axis (.*):$", text, re.MULTILINE) for name in line.split(", ")]
        assert sorted(named) == (sorted({2: "HW", 3: "DHW"}[len(axes)]) if len(axes) > 1 else [])


@pytest.mark.parametrize(
    ("sizes", "line"),
    [
        (transposed_sizes([4], 3, stride=3, padding=3, output_padding=2), "crop 1 before, pad 1 after: 10; conv"),
        (
            transposed_sizes([9], 3, padding=3),
            "same as    no zeros between: 9; crop 1 + 1: 7; conv with the flipped k3",
        ),
        (
            transposed_sizes([5], 3, stride=3, dilation=2),
            "2 zeros between: 13; pad 4 + 4: 21; conv with the flipped k3, d",
        ),
        (
            transposed_sizes([5], 3, stride=2),
            "uneven, as 2 does not divide 3; use kernel_size 2 or 4, or upsample by 2",
        ),
        (transposed_sizes([5], 5, stride=3), "2 2 1 by phase: uneven, as 3 does not divide 5; use kernel_size 6 or 3"),
        (transposed_sizes([5], 2, stride=2, dilation=2), "2 0 by phase: uneven, as stride 2 and dilation 2 share"),
        (transposed_sizes([5], 2, stride=2, dilation=2), "use dilation 1, or upsample by 2 and convolve"),
        (transposed_sizes([5], 4, stride=2, dilation=3), "even, as 2 divides 4 and shares no factor with dilation 3"),
        (transposed_sizes([5], 1, stride=20), "0 ... (0 to 1) by phase: uneven"),
        (transposed_sizes([5], 3), "back       conv --k 3   7 -> 5. Shape comes back, values do not."),
        (transposed_sizes([5], 3, stride=3), "conv --k 3 --s 3   15 to 17 -> 5; output_padding=2 gives 17."),
        (transposed_sizes([5], 3, stride=2, padding=((0, 1),)), "conv --k 3 --s 2 --p 0:1   10 or 11 -> 5"),
        (transposed_sizes([4], 2, dilation=3, output_padding=2), "9 -> 6, not 4: output_padding=2 >= stride=1."),
        (transposed_sizes([Expr.symbol("n")], 4, stride=2), "back       conv --k 4 --s 2   2n + 2 to 2n + 3 -> n."),
        (transposed_sizes([Expr.symbol("n")], 4), "n -> n + 3   (n − 1)·1 − 2·0 + (4 − 1) + 0 + 1\n"),
        (transposed_sizes([14, 7], 4, stride=2), "14x7 -> 30x16\naxis H:\n14 -> 30"),
        (transposed_sizes([7, 7], 4, stride=2), "7x7 -> 16x16\naxis H, W:\n7 -> 16"),
    ],
)
def test_cases_are_worded(sizes, line):
    assert line in render_transposed(sizes)


def test_sizes_of_any_magnitude_are_worded():
    huge = 10**30
    text = render_transposed(transposed_sizes([2], huge, stride=huge))
    assert text.startswith(f"2 -> {2 * huge}   ")
    assert f"1 1 ... (1 to 1) by phase: even, as {huge} divides {huge}" in text
    assert f"{2 * huge} to {3 * huge - 1} -> 2; output_padding={huge - 1} gives {3 * huge - 1}." in text


def test_the_third_way_says_when_it_is_not_exact():
    text = render_three_ways(transposed_sizes([4], 2, dilation=3, output_padding=2))
    assert "not exact: output_padding=2 >= stride=1; the convolution turns 9 into 6" in text
    n, op = Expr.symbol("n"), Expr.symbol("op")
    text = render_three_ways(transposed_sizes([n], 2, stride=Expr.symbol("s"), output_padding=op))
    assert "exact where r = output_padding, so output_padding < stride" in text


# -- the drawing -------------------------------------------------------------------------------------------------


def read_drawing(text):
    """The stages of a drawing without blank lines between tables: name -> rows of ints."""
    stages, name = {}, ""
    for line in text.splitlines():
        name = line[:16].strip() or name
        stages.setdefault(name, []).append([0 if n == "." else int(n) for n in line[16:].split()])
    return stages


def test_a_small_case_is_drawn_in_numbers():
    case = worked_example(transposed_sizes([3], 2, stride=2, padding=1))
    assert render_example(case, matrix=True).splitlines() == [
        "input            1 2 3",
        "zeros between    1 0 2 0 3",
        "padded           1 0 2 0 3",
        "kernel           1 2",
        "flipped          2 1",
        "output           2 2 4 3",
        "W (3x4)          2 . . .",
        "                 . 1 2 .",
        "                 . . . 1",
        "Wᵀ (4x3)         2 . .",
        "                 . 1 .",
        "                 . 2 .",
        "                 . . 1",
    ]


@given(sizes(largest=4))
def test_the_drawing_computes_its_own_output(axes):
    assume(all(axis.equivalent.padded <= 64 for axis in axes))
    case = worked_example(axes)
    drawn = read_drawing(render_example(case, matrix=case.matrix is not None, style=PYTHON))
    assert drawn["output"] == (case.output.tolist() if len(axes) > 1 else [case.output.tolist()])
    if case.matrix is None:
        return
    rows, columns = case.matrix_shape
    forward, transposed = drawn[f"W ({rows}x{columns})"], drawn[f"W^T ({columns}x{rows})"]
    assert [list(column) for column in zip(*forward, strict=True)] == transposed
    flat = [n for row in drawn["input"] for n in row]
    assert [sum(w * x for w, x in zip(row, flat, strict=True)) for row in transposed] == [
        n for row in drawn["output"] for n in row
    ]


def test_three_axes_are_drawn_as_tables_one_after_another():
    text = render_example(worked_example(transposed_sizes([2, 1, 2], 1)))
    assert text.startswith("input            1 2\n\n                 3 4\nzeros between")


def test_cropping_is_called_cropping():
    assert "\ncropped " in render_example(worked_example(transposed_sizes([5], 1, padding=1)))


def test_a_matrix_that_nobody_reads_becomes_a_sentence():
    text = render_example(worked_example(transposed_sizes([9, 9], 3)), matrix=True)
    assert text.splitlines()[-1] == "W is 81x121: too large to read; use a smaller input"


# -- records -----------------------------------------------------------------------------------------------------


@given(sizes(most_axes=3))
def test_records_are_json_and_agree_with_the_text(axes):
    record = json.loads(json.dumps(transposed_record(axes)))
    several = len(axes) > 1
    assert record["out"] == ([axis.output_size for axis in axes] if several else axes[0].output_size)
    working = record["working"] if several else [record["working"]]
    for text, axis in zip(working, axes, strict=True):
        assert value(text) == axis.output_size


def test_records_of_symbols_are_python_expressions():
    n, s = Expr.symbol("n"), Expr.symbol("s")
    record = transposed_record(transposed_sizes([n], 4, stride=s, padding=1))
    assert record["out"] == record["formula"] == record["equivalent"]["out"] == "n*s - s + 2"
    assert record["overlap"] is None
    assert eval(record["equivalent"]["padded"], {"n": 14, "s": 2}) == 31


def test_the_example_as_a_record():
    case = worked_example(transposed_sizes([3], 2, stride=2, padding=1))
    assert json.loads(json.dumps(example_record(case))) == {
        "input": [1, 2, 3],
        "inserted": [1, 0, 2, 0, 3],
        "padded": [1, 0, 2, 0, 3],
        "kernel": [1, 2],
        "flipped": [2, 1],
        "output": [2, 2, 4, 3],
        "matrix_shape": [3, 4],
        "matrix": [[2, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 1]],
    }


def test_rendering_a_size_needs_no_numpy():
    probe = (
        "import sys, convcalc.arithmetic.transposed.text; "
        "print(sorted({'numpy', 'sympy', 'rich', 'click'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout == "[]\n"
