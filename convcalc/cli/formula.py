"""What `conv`, `tconv` and `pool` share: a formula asked forwards, for one size or for a range of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from convcalc.cli.letters import WORDS, Values, per_axis
from convcalc.cli.nothing import nothing_found
from convcalc.cli.options import (
    echo_answer,
    echo_json,
    refuse,
    text_style,
)
from convcalc.errors import ConvcalcError, Refused, Unreadable
from convcalc.render.words import across, number, plain
from convcalc.sizes.axes import each_axis
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import LATEX, PYTHON, Style


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
