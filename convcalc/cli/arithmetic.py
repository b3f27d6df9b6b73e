"""`convcalc conv`, `tconv` and `pool`: one formula, forwards and backwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import click

from convcalc.axes import axis_names, each_axis
from convcalc.cli.options import (
    INTEGER,
    PADDING,
    SIZE,
    Command,
    axes_of,
    echo_answer,
    echo_json,
    error_record,
    output_options,
    text_style,
)
from convcalc.conditions import enforce
from convcalc.errors import ConvcalcError, Refused, Unreadable
from convcalc.expr import Expr
from convcalc.exprtext import LATEX, PYTHON, Style
from convcalc.render.transpose import render_three_ways, render_transposed, transposed_record
from convcalc.render.window import render_windowed, windowed_record
from convcalc.render.words import across, number, plain
from convcalc.transpose_size import transposed_size
from convcalc.window_size import conv_size, pool_size

Values = dict[str, Any]
"""One value per axis under the letter of each option; a range where one was given."""


def _arithmetic(*letters: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of a formula: sizes by their letter, solving, and how to print."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command = output_options(command)
        for option in reversed([*(_OPTIONS[letter] for letter in letters), *_SOLVING]):
            command = option(command)
        return command

    return decorate


_OPTIONS = {
    "n": click.option("-n", "--n", "n", type=SIZE, help="Input size: 28, 28x32, N, 24..40. [default: the symbol n]"),
    "k": click.option("-k", "--k", "--kernel-size", "k", type=SIZE, help="Kernel size."),
    "s": click.option("-s", "--s", "--stride", "s", type=SIZE, help="Stride. [default: 1; of a pooling: k]"),
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
    "d": click.option("-d", "--d", "--dilation", "d", type=SIZE, help="Dilation. [default: 1]"),
    "op": click.option("--op", "--output-padding", "op", type=SIZE, help="Output padding. [default: 0]"),
    "ceil": click.option("--ceil", "ceil_mode", is_flag=True, help="Round up, as torch's ceil_mode=True."),
}
_SOLVING = [
    click.option(
        "--total-padding", "total", type=SIZE, metavar="P", help="Padding of both sides together, instead of --p."
    ),
    click.option("--out", "out", type=SIZE, metavar="M", help="The output size wanted, with --solve."),
    click.option("--solve", "solve", multiple=True, metavar="VAR", help="Find n, k, s, p, d or op; repeatable."),
    click.option("--limit", default=20, type=click.IntRange(1, 100_000), show_default=True, help="Solutions to list."),
    click.option("--bound", "bounds", multiple=True, metavar="VAR=MAX", help="Widen the box of --solve, as k=63."),
]


@click.command(cls=Command, short_help="The output size of a convolution, and why.")
@_arithmetic("n", "k", "s", "p", "d")
def conv(**options: Any) -> None:
    r"""The output size of a convolution: (n + 2p - d(k - 1) - 1)//s + 1.

    \b
      convcalc conv --n 28 --k 5 --p 2
      convcalc conv --n 224x200 --k 7 --s 2 --p same
      convcalc conv --n n --k 3 --s 2 --p 1
      convcalc conv --n 24..40 --k 3 --s 2 --json
      convcalc conv --n 224 --k 7 --s 2 --out 112 --solve p
      convcalc conv --n 224 --out 112 --solve k --solve s --solve p
    """
    question = _Question(
        kind="conv",
        explain=lambda v: conv_size(v["n"], v["k"], stride=v["s"], padding=v["p"], dilation=v["d"]),
        render=render_windowed,
        record=windowed_record,
    )
    _run(question, options)


@click.command(cls=Command, short_help="The output size of a transposed convolution, and why.")
@_arithmetic("n", "k", "s", "p of tconv", "op", "d")
@click.option("--show", is_flag=True, help="Draw a small case in numbers, and the three ways to its size.")
@click.option("--matrix", is_flag=True, help="As --show, with the matrices W and its transpose.")
def tconv(show: bool, matrix: bool, **options: Any) -> None:
    r"""The output size of a transposed convolution: (n - 1)s - 2p + d(k - 1) + op + 1.

    \b
      convcalc tconv --n 14 --k 4 --s 2 --p 1
      convcalc tconv --k 3 --s 2 --out 8 --solve n
      convcalc tconv --n 7 --k 3 --s 2 --p 1 --out 14 --solve op
      convcalc tconv --n 3 --k 2 --s 2 --p 1 --show
      convcalc tconv --n 2x2 --k 2 --matrix
    """
    question = _Question(
        kind="tconv",
        explain=lambda v: transposed_size(
            v["n"], v["k"], stride=v["s"], padding=v["p"], output_padding=v["op"], dilation=v["d"]
        ),
        render=render_transposed,
        record=transposed_record,
    )
    if show or matrix:
        question = _shown(question, matrix)
    _run(question, options)


def _shown(question: _Question, matrix: bool) -> _Question:
    """The question with a worked example in its answer."""
    from convcalc.render.transpose_example import example_record, render_example
    from convcalc.transpose_example import worked_example

    def render(sizes: Sequence[Any], *, style: Style) -> str:
        parts = [question.render(sizes, style=style), render_three_ways(sizes, style=style)]
        try:
            parts.append(render_example(worked_example(sizes), matrix=matrix, ascii=style is PYTHON))
        except Refused as error:  # the sizes are an answer even where they cannot be drawn
            parts.append(f"no drawing: {error}")
        return "\n\n".join(parts)

    def record(sizes: Sequence[Any]) -> dict[str, Any]:
        try:
            example = example_record(worked_example(sizes))
        except Refused:
            example = None
        return {**question.record(sizes), "example": example}

    return question._replace(render=render, record=record)


@click.command(cls=Command, short_help="The output size of a pooling, floor or ceil, and why.")
@_arithmetic("n", "k", "s", "p", "d", "ceil")
@click.option(
    "--kind", type=click.Choice(["max", "avg", "lp"]), default="max", show_default=True, help="Which pooling."
)
def pool(kind: str, ceil_mode: bool, **options: Any) -> None:
    r"""The output size of a pooling; --ceil rounds up exactly as torch does.

    \b
      convcalc pool --n 54 --k 3 --s 2
      convcalc pool --n 54 --k 3 --s 2 --ceil
      convcalc pool --k 3 --s 2 --ceil --out 27 --solve n
    """
    question = _Question(
        kind="pool",
        explain=lambda v: pool_size(
            v["n"], v["k"], stride=v["s"], padding=v["p"], dilation=v["d"], ceil_mode=ceil_mode
        ),
        render=render_windowed,
        record=windowed_record,
        check=lambda axes: _check_kind(kind, axes),
    )
    for letter in "dp" if kind == "lp" else "d" if kind == "avg" else "":
        if options["solve"] and (options[letter] is not None or letter in options["solve"]):
            raise Unreadable(f"{kind} pooling has no {letter}: leave it out to solve")
    _run(question, {**options, "ceil_mode": ceil_mode})


def _check_kind(kind: str, axes: Sequence[Values]) -> None:
    """What average and Lp pooling refuse beyond max pooling."""
    if kind != "max" and any(v["d"] != 1 for v in axes):
        raise Refused(f"{kind} pooling has no dilation; only max pooling does", rule="dilation == 1")
    if kind == "lp" and any(v["p"] not in (0, (0, 0), "valid") for v in axes):
        raise Refused("lp pooling has no padding; pad before it", rule="padding == 0")
    if kind != "max" and len(axes) == 3 and not any(isinstance(v[name], Expr) for v in axes for name in "nk"):
        from convcalc.layers import AvgPool

        AvgPool(tuple(v["k"] for v in axes)).check_3d((1, 1, *(v["n"] for v in axes)), enforce)


# -- one run -------------------------------------------------------------------------------------------------------


class _Question(NamedTuple):
    """A formula as a command asks it: one axis explained, and how all of them are shown."""

    kind: str
    explain: Callable[[Values], Any]
    render: Callable[..., str]
    record: Callable[[Sequence[Any]], dict[str, Any]]
    check: Callable[[Sequence[Values]], None] = lambda axes: None

    def answer(self, axes: Sequence[Values]) -> list[Any]:
        """Explain each axis; a refusal names its axis where there are several."""
        self.check(axes)
        return list(each_axis(self.explain, [(values,) for values in axes]))


def _run(question: _Question, options: dict[str, Any]) -> None:
    values = _values(question.kind, options)
    if options["solve"]:
        return _solve(question.kind, options, values)
    if options["out"] is not None:
        raise Unreadable("--out says what to solve for: add --solve p, say")
    ranged = [name for name, value in values.items() if isinstance(value, range)]
    if len(ranged) > 1:
        raise Unreadable(f"one range at a time: {' and '.join(ranged)} are both ranges")
    if ranged:
        return _rows(question, ranged[0], values, options)
    axes = _per_axis(values)
    try:
        sizes = question.answer(axes)
    except ConvcalcError as error:
        _refuse(options, _refused(question.kind, axes, options), error)
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


def _refuse(options: dict[str, Any], record: dict[str, Any], error: ConvcalcError) -> NoReturn:
    """Print the answer "no", as a sentence or a document, and exit with 1."""
    if options["as_json"]:
        echo_json(record, error)
    else:
        click.echo(f"Error: {error.message}", err=True)
    sys.exit(1)


def _values(kind: str, options: dict[str, Any]) -> Values:
    """The value of each letter, with what is not given; None for what is sought."""
    values: Values = {name: options[name] for name in ("n", "k", "s", "p", "op", "d") if name in options}
    if options["total"] is not None:
        if values["p"] is not None:
            raise Unreadable("--p is the padding of each side and --total-padding that of both: give one")
        values["p"] = _halves(options["total"])
    sought = set(options["solve"])
    unknown = sought - set(values)
    if unknown:
        raise Unreadable(f"--solve takes {', '.join(values)}: {', '.join(sorted(unknown))} is none of them")
    defaults: Values = {"n": (Expr.symbol("n"),), "s": (1,), "p": (0,), "op": (0,), "d": (1,)}
    if sought:
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


def _per_axis(values: Values) -> list[Values]:
    axes = axes_of(values)
    return [
        {name: value[axis] if len(value) > 1 else value[0] for name, value in values.items()} for axis in range(axes)
    ]


def _refused(kind: str, axes: Sequence[Values], options: dict[str, Any]) -> dict[str, Any]:
    """The JSON record of a question that was read and refused."""
    sides = [{"op": 0, **values, "p": _sides(values["p"])} for values in axes]
    columns = {name: [plain(values[name]) for values in sides] for name in sides[0]}
    record = {name: column[0] if len(column) == 1 else column for name, column in columns.items()}
    return {
        "kind": kind,
        "n": record["n"],
        "k": record["k"],
        "s": record["s"],
        "p": record["p"],
        "d": record["d"],
        "output_padding": record["op"],
        "ceil_mode": options.get("ceil_mode", False),
        "out": None,
        "formula": None,
        "working": None,
        "unread": None,
        "back": None,
        "needs": [],
    }


def _sides(padding: Any) -> Any:
    """A number of rows as (before, after); a name stays."""
    return padding if isinstance(padding, tuple | str) else (padding, padding)


# -- a range: one row each -----------------------------------------------------------------------------------------


def _rows(question: _Question, ranged: str, values: Values, options: dict[str, Any]) -> None:
    if options["latex"]:
        raise Unreadable("--latex prints one formula: give a symbol such as --n n instead of a range")
    records = []
    for value in values[ranged]:
        axes = _per_axis({**values, ranged: (value,)})
        try:
            sizes = question.answer(axes)
            record = {**question.record(sizes), "error": None}
            out = across([axis.output_size for axis in sizes], PYTHON)
            why = ", ".join(record["working"] if len(sizes) > 1 else [record["working"]])
        except ConvcalcError as error:
            record = {**_refused(question.kind, axes, options), "error": error_record(error)}
            out, why = "-", error.message
        records.append(record)
        if options["quiet"]:
            click.echo(out)
        elif not options["as_json"]:
            click.echo(f"{ranged} {value} -> {out:<6} {why}")
    if options["as_json"]:
        echo_json({"kind": question.kind, "rows": records})
    if all(record["error"] for record in records):
        sys.exit(1)


# -- backwards -----------------------------------------------------------------------------------------------------


def _solve(kind: str, options: dict[str, Any], values: Values) -> None:
    """Answer --solve, axis by axis."""
    from convcalc.render.solutions import solution_lines, solution_record
    from convcalc.solve import solve_conv, solve_conv_transpose, solve_pool

    if options["out"] is None:
        raise Unreadable("--solve needs the output size wanted: --out 112")
    given = {name: value for name, value in {**values, "out": options["out"]}.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, range) or any(isinstance(entry, Expr) for entry in value):
            raise Unreadable(f"--solve takes numbers: {name} is a range or a symbol")
    solver: Any = {"conv": solve_conv, "tconv": solve_conv_transpose, "pool": solve_pool}[kind]
    extra = {"ceil_mode": options["ceil_mode"]} if kind == "pool" else {}
    common = {"solve": options["solve"], "limit": options["limit"], "bounds": _bounds(options["bounds"]), **extra}
    axes = _per_axis(given)
    found = []
    for place, axis in enumerate(axes):
        try:
            found.append(solver(**axis, **common))
        except ConvcalcError as error:
            error = error.at(f"axis {axis_names(len(axes))[place]}") if len(axes) > 1 else error
            _refuse(options, {"kind": kind, **_none_found(sorted(set(options["solve"])), axis)}, error)
    if options["as_json"]:
        records = [solution_record(solutions) for solutions in found]
        echo_json(records[0] if len(records) == 1 else {"kind": kind, "axes": records})
        return
    for place, solutions in enumerate(found):
        if len(found) > 1 and not options["quiet"]:
            click.echo(f"axis {axis_names(len(found))[place]}:")
        click.echo("\n".join(_quiet(solutions) if options["quiet"] else solution_lines(solutions)))


def _none_found(unknowns: Sequence[str], known: Values) -> dict[str, Any]:
    shown = {name: plain(value) for name, value in known.items() if name != "out"}
    return {
        "known": shown,
        "out": known["out"],
        "unknowns": list(unknowns),
        "solutions": [],
        "intervals": [],
        "count": 0,
        "complete": True,
        "bounds": {},
    }


def _quiet(solutions: Any) -> Iterator[str]:
    for lo, hi in solutions.intervals:
        yield str(lo) if lo == hi else f"{lo}..{'' if hi is None else hi}"
    if not solutions.intervals:
        for solution in solutions.solutions:
            yield " ".join(f"{name}={value}" for name, value in solution.items())


def _bounds(texts: Sequence[str]) -> dict[str, int]:
    bounds = {}
    for text in texts:
        name, _, most = text.partition("=")
        bounds[name] = INTEGER.convert(most, None, None)
    return bounds
