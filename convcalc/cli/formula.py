"""What `conv`, `tconv` and `pool` share: a formula asked forwards, for one size or for a range of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import click

from convcalc.cli.nothing import nothing_found
from convcalc.cli.options import (
    PADDING,
    SIZE,
    axes_of,
    echo_answer,
    echo_json,
    output_options,
    refuse,
    text_style,
)
from convcalc.errors import ConvcalcError, Refused, Unreadable
from convcalc.render.words import across, number, plain
from convcalc.sizes.axes import each_axis
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import LATEX, PYTHON, Style

Values: TypeAlias = dict[str, Any]
"""One value per axis under the letter of each option; a range where one was given."""

OPTIONS = {
    "n": click.option("-n", "--n", "n", type=SIZE, help="Input size: 28, 28x32, N, 24..40. [default: the symbol n]"),
    "k": click.option(
        "-k", "--k", "--kernel-size", "k", type=SIZE, help="Kernel size; required, unless it is solved for."
    ),
    "s": click.option("-s", "--s", "--stride", "s", type=SIZE, help="Stride. [default: 1]"),
    "s of pool": click.option("-s", "--s", "--stride", "s", type=SIZE, help="Stride. [default: the kernel size]"),
    "p": click.option(
        "-p",
        "--p",
        "--padding",
        "p",
        type=PADDING,
        help="Padding of each side: 2, 1:2 (before:after), same, same-lower, valid, full, causal. [default: 0]",
    ),
    "p of tconv": click.option(
        "-p",
        "--p",
        "--padding",
        "p",
        type=PADDING,
        help="Rows cut off each side: 2, or 1:2 (before:after). [default: 0]",
    ),
    "p of pool": click.option(
        "-p",
        "--p",
        "--padding",
        "p",
        type=PADDING,
        help="Padding of each side, half a kernel at most: 2, 1:2 (before:after), "
        "same, same-lower, valid. [default: 0]",
    ),
    "d": click.option("-d", "--d", "--dilation", "d", type=SIZE, help="Dilation. [default: 1]"),
    "op": click.option("--op", "--output-padding", "op", type=SIZE, help="Output padding. [default: 0]"),
    "ceil": click.option("--ceil", "ceil_mode", is_flag=True, help="Round up, as torch's ceil_mode=True."),
}
LISTED, MOST_LISTED = 20, 100_000
"""How many solutions are listed, and the most that may be asked for."""

SOLVING = [
    click.option(
        "--total-padding", "total", type=SIZE, metavar="P", help="Padding of both sides together, instead of --p."
    ),
    click.option("--out", "out", type=SIZE, metavar="M", help="The output size wanted, with --solve."),
    click.option(
        "--solve", "solve", multiple=True, metavar="VAR", help="What to find, such as p or padding; repeatable."
    ),
    click.option("--limit", type=click.IntRange(1, MOST_LISTED), help=f"Solutions to list. [default: {LISTED}]"),
    click.option("--bound", "bounds", multiple=True, metavar="VAR=MAX", help="Widen the box of --solve, as k=63."),
]


WORDS = {
    "input_size": "n",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "output_padding": "op",
    "dilation": "d",
}
"""Torch's words for the letters, which --solve takes too."""


def formula_options(*letters: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of a formula: sizes by their letter, solving, and how to print."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command = output_options(command)
        for option in reversed([*(OPTIONS[letter] for letter in letters), *SOLVING]):
            command = option(command)
        return command

    return decorate


class Question(NamedTuple):
    """A formula as a command asks it: one axis explained, and how all of them are shown."""

    kind: str
    explain: Callable[[Values], Any]
    render: Callable[..., str]
    working: Callable[[Any, Style], str]
    record: Callable[[Sequence[Any]], dict[str, Any]]
    check: Callable[[Sequence[Values]], None] = lambda axes: None

    def explained(self, axes: Sequence[Values]) -> list[Any]:
        """Explain each axis; a refusal names its axis where there are several."""
        self.check(axes)
        return list(each_axis(self.explain, [(values,) for values in axes]))


def answer(question: Question, options: dict[str, Any]) -> None:
    """Answer the question for the options of its command: forwards, for a range, or backwards."""
    values = _values(question.kind, options)
    if options["solve"]:
        from convcalc.cli.backwards import solve

        return solve(question.kind, options, values)
    if options["out"] is not None:
        raise Unreadable("--out says what to solve for: add --solve p, say")
    if options["limit"] is not None or options["bounds"]:
        name = "--bound" if options["bounds"] else "--limit"
        raise Unreadable(f"{name} is of what --solve finds: add --out 112 --solve p, say")
    ranged = [name for name, value in values.items() if isinstance(value, range)]
    if len(ranged) > 1:
        raise Unreadable(f"one range at a time: {' and '.join(ranged)} are both ranges")
    if ranged:
        return _rows(question, ranged[0], values, options)
    axes = per_axis(values)
    try:
        sizes = question.explained(axes)
    except ConvcalcError as error:
        refuse(error, _refused(question.kind, axes, options) if options["as_json"] else None)
    if options["as_json"]:
        echo_json(question.record(sizes))
    elif options["quiet"]:
        click.echo(across([axis.output_size for axis in sizes], PYTHON))
    elif options["latex"]:
        symbolic = any(isinstance(axis.output_size, Expr) for axis in sizes)
        click.echo("\n".join(number(axis.output_size if symbolic else axis.formula, LATEX) for axis in sizes))
    else:
        echo_answer(question.render(sizes, style=text_style(options["ascii_only"])))
    return None


def _values(kind: str, options: dict[str, Any]) -> Values:
    """The value of each letter, with what is not given; None for what is sought."""
    values: Values = {name: options[name] for name in ("n", "k", "s", "p", "op", "d") if name in options}
    if options["total"] is not None:
        if values["p"] is not None:
            raise Unreadable("--p is the padding of each side and --total-padding that of both: give one")
        values["p"] = _halves(options["total"])
    options["solve"] = [WORDS.get(name.replace("-", "_"), name) for name in options["solve"]]
    sought = set(options["solve"])
    unknown = sought - set(values)
    if unknown:
        raise Unreadable(f"--solve takes {', '.join(values)}: {', '.join(sorted(unknown))} is none of them")
    defaults: Values = {"n": (Expr.symbol("n"),), "s": (1,), "p": (0,), "op": (0,), "d": (1,)}
    if sought:
        if options["latex"]:
            raise Unreadable("--latex prints a formula, and --solve finds numbers: leave one out")
        given = [name for name in sought if values[name] is not None]
        if given:
            raise Unreadable(f"--solve {given[0]} seeks what --{given[0]} gives: leave one out")
        return values
    if values["k"] is None:
        raise Unreadable("the kernel size is needed: --k 3, or --k k for the formula")
    if kind == "pool":
        defaults["s"] = values["k"]
    filled: Values = {name: defaults[name] if value is None else value for name, value in values.items()}
    return filled


def _halves(total: Any) -> tuple[Any, ...]:
    if isinstance(total, range):
        raise Unreadable("--total-padding takes no range: use --p for one")
    return tuple((side // 2, side - side // 2) for side in total)


def per_axis(values: Values) -> list[Values]:
    """Return the values of each axis."""
    axes = axes_of(values)
    return [
        {name: value[axis] if len(value) > 1 else value[0] for name, value in values.items()} for axis in range(axes)
    ]


def _refused(kind: str, axes: Sequence[Values], options: dict[str, Any]) -> dict[str, Any]:
    """The JSON record of a question that was read and refused."""
    sides = [{"op": 0, **values, "p": _sides(values["p"])} for values in axes]
    columns = {name: [plain(values[name]) for values in sides] for name in sides[0]}
    record = {name: column[0] if len(column) == 1 else column for name, column in columns.items()}
    given = {name: record[name] for name in ("n", "k", "s", "p", "d")}
    return {
        **nothing_found(kind),
        **given,
        "output_padding": record["op"],
        "ceil_mode": options.get("ceil_mode", False),
    }


def _sides(padding: Any) -> Any:
    """A number of rows as (before, after); a name stays."""
    return padding if isinstance(padding, tuple | str) else (padding, padding)


def _rows(question: Question, ranged: str, values: Values, options: dict[str, Any]) -> None:
    if options["latex"]:
        raise Unreadable("--latex prints one formula: give a symbol such as --n n instead of a range")
    style = text_style(options["ascii_only"])
    records: list[dict[str, Any]] = []
    errors: list[ConvcalcError] = []
    for value in values[ranged]:
        axes = per_axis({**values, ranged: (value,)})
        sizes = None
        try:
            sizes = question.explained(axes)
        except ConvcalcError as error:
            errors.append(error)
        if options["as_json"]:
            refused = {} if sizes else {**_refused(question.kind, axes, options), "error": errors[-1].record()}
            records.append({**question.record(sizes), "error": None} if sizes else refused)
            continue
        out = across([axis.output_size for axis in sizes], PYTHON) if sizes else "-"
        if options["quiet"]:
            click.echo(out)
        else:
            why = ", ".join(question.working(axis, style) for axis in sizes) if sizes else errors[-1].message
            click.echo(f"{ranged} {value} -> {out:<6} {why}")
    none = None
    if len(errors) == len(values[ranged]):
        none = Refused(f"every row is refused, the first as {errors[0].message}", rule=errors[0].rule)
    if options["as_json"]:
        echo_json({"kind": question.kind, "rows": records}, none)
    if none:
        sys.exit(1)
