"""No arguments at all give a traceback: every run ends with 0, 1 or 2, and with what that status promises."""

import json

from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convcalc.cli import main

COMMANDS = ["conv", "tconv", "pool"]
LONG = "9" * 1001

small = st.integers(0, 40).map(str)
number = st.one_of(
    small, small, st.integers(-5, 3).map(str), st.sampled_from(["10" * 20, str(2**63), "-1", "0", "1", "9" * 900, LONG])
)
name = st.sampled_from(["n", "k", "N", "H", "W", "s", "min", "max", "n_", "if", "None", "_", "lambda", "eval"])
value = st.one_of(number, number, name)
axes = st.lists(value, min_size=2, max_size=4).map("x".join)
span = st.tuples(st.integers(-1, 12), st.integers(0, 12)).map(lambda ends: f"{ends[0]}..{ends[0] + ends[1]}")
pair = st.tuples(value, value).map(":".join)
padding = st.one_of(
    value,
    pair,
    axes,
    st.sampled_from(["same", "SAME", "same-lower", "valid", "full", "causal", "sane", "1:2x3:4", ":"]),
)
strange = st.sampled_from(["", " ", "28,32", "２８", "28×32", "x", "..", "3..", "1e3", "28.0", "-", "--", "\x00", "\n", "💥", "n+1"])  # fmt: skip  # noqa: E501
size = st.one_of(value, value, axes, span, strange)

WITH_VALUE = {
    **dict.fromkeys(["-n", "--n", "-k", "--k", "--kernel-size", "-s", "--stride", "-d", "--dilation"], size),
    **dict.fromkeys(["-p", "--p", "--padding"], st.one_of(padding, strange)),
    **dict.fromkeys(["--op", "--output-padding"], size),
    "--total-padding": size,
    "--out": size,
    "--solve": st.sampled_from(["n", "k", "s", "p", "d", "op", "q", ""]),
    "--limit": st.sampled_from(["1", "3", "0", "-1", "100001", "many"]),
    "--bound": st.sampled_from(
        ["k=5", "d=2", "s=1", "p=0", "n=3", "k=", "=", "k", "k=-3", f"k={LONG}", "s=10000000000"]
    ),
    "--kind": st.sampled_from(["max", "avg", "lp", "mean"]),
}
FLAGS = ["--json", "-q", "--quiet", "--latex", "--ascii", "--ceil", "--matrix", "--show", "-h", "--what"]


@st.composite
def structured(draw):
    """Arguments that mostly make sense: a kernel size, then options in any order, perhaps repeated."""
    arguments = ["--k", draw(st.one_of(small, size))] if draw(st.integers(0, 9)) else []
    for option in draw(st.lists(st.sampled_from([*WITH_VALUE, *FLAGS]), max_size=6)):
        arguments.append(option)
        if option in WITH_VALUE:
            arguments.append(draw(WITH_VALUE[option]))
    return arguments


@st.composite
def backwards(draw):
    """A question with --solve whose unknowns are mostly left out."""
    sought = draw(st.lists(st.sampled_from(["n", "k", "s", "p", "d"]), min_size=1, max_size=3, unique=True))
    arguments = ["--out", draw(st.one_of(small, axes))]
    for letter in sought:
        arguments += ["--solve", letter]
    for letter in sorted({"n", "k", "s", "p", "d"} - set(sought)):
        if letter in "nk" or draw(st.booleans()):
            entry = padding if letter == "p" else st.one_of(small, number, axes)
            arguments += [f"--{letter}", draw(entry)]
    bounds = [("k", "k=6"), ("d", "d=2")] if len(sought) > 1 else []
    for letter, bound in bounds:
        arguments += ["--bound", bound] if letter in sought else []
    return [*arguments, *draw(st.lists(st.sampled_from(FLAGS), max_size=2))]


wild = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from([*WITH_VALUE, *FLAGS]), size, padding, st.sampled_from(COMMANDS)),
    max_size=8,
)


def check(command, arguments):
    result = CliRunner().invoke(main, [command, *arguments], catch_exceptions=False)
    assert result.exit_code in (0, 1, 2), (arguments, result.output)
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        assert result.stdout == ""
        assert "Error: " in result.stderr
    elif "-h" in arguments:
        return
    elif "--json" in arguments:
        document = json.loads(result.stdout)
        assert document["schema"] == 1
        assert (document["error"] is None) == (result.exit_code == 0)
        assert result.stderr == ""
    elif result.exit_code == 0:
        assert result.stdout.strip()
    else:  # a range prints a row for each refusal
        assert "Error: " in result.stderr or any(".." in argument for argument in arguments)
    if "--ascii" in arguments and result.exit_code == 0:
        assert result.stdout.isascii()


@settings(max_examples=600)
@given(st.sampled_from(COMMANDS), structured())
@example("conv", ["--k", "3", "--p", "H:1", "--out", "3", "--solve", "n"])
@example("conv", ["--n", "5", "--k", "1" + "0" * 30, "--out", "3", "--solve", "s", "--solve", "p"])
@example("conv", ["--k", "3", "-n", "2..4", "--json", "-q"])
@example("pool", ["--n", "9", "--k", "3", "--d", "2", "--p", "same", "--ceil"])
@example("tconv", ["--n", "9" * 1000, "--k", "9" * 1000, "--s", "9" * 1000, "--json"])
def test_structured_arguments(command, arguments):
    check(command, arguments)


@settings(max_examples=250)
@given(st.sampled_from(COMMANDS), backwards())
def test_backward_arguments(command, arguments):
    check(command, arguments)


@settings(max_examples=300)
@given(
    st.one_of(st.sampled_from(COMMANDS), st.text(min_size=1, max_size=5).filter(lambda t: t not in ("stack", "hdc"))),
    wild,
)
def test_wild_arguments(command, arguments):
    check(command, arguments)
