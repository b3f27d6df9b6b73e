"""What `conv`, `tconv` and `pool` share: a formula asked forwards, for one size or for a range of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from convcalc.cli.letters import WORDS, Values, per_axis
from convcalc.cli.nothing import nothing_found
from convcalc.cli.options import Form, Row, echo_answer, refuse
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.render.words import across, number, plain, single
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


def answer(question: Question, options: dict[str, Any], form: Form) -> None:
    """Answer the question for the options of its command: forwards, for a range, or backwards."""
    values = _values(question.kind, options, form)
    if options["solve"]:
        from convcalc.cli.backwards import solve

        return solve(question.kind, options, values, form)
    if options["out"] is not None:
        raise Unreadable("--out says what to solve for: add --solve p, say")
    if options["limit"] is not None or options["bounds"]:
        name = "--bound" if options["bounds"] else "--limit"
        raise Unreadable(f"{name} is of what --solve finds: add --out 112 --solve p, say")
    ranged = [name for name, value in values.items() if isinstance(value, range)]
    if len(ranged) > 1:
        raise Unreadable(f"one range at a time: {' and '.join(ranged)} are both ranges")
    ceil_mode = options.get("ceil_mode", False)
    if ranged:
        (name,) = ranged
        return form.rows(
            question.kind,
            name,
            values[name],
            lambda value: _row(question, per_axis({**values, name: (value,)}), form.style, ceil_mode),
        )
    axes = per_axis(values)
    try:
        sizes = question.explained(axes)
    except ConvcalcError as error:
        refuse(error, _refused(question.kind, axes, ceil_mode) if form.as_json else None)
    symbolic = any(isinstance(axis.output_size, Expr) for axis in sizes)
    return form.answer(
        lambda: question.record(sizes),
        lambda: echo_answer(question.render(sizes, style=form.style)),
        lambda: [_out(sizes)],
        latex=lambda: [number(axis.output_size if symbolic else axis.formula, LATEX) for axis in sizes],
    )


def _out(sizes: Sequence[Any]) -> str:
    return across([axis.output_size for axis in sizes], PYTHON)


def _row(question: Question, axes: Sequence[Values], style: Style, ceil_mode: bool) -> Row:
    """The row for one number of a range."""
    try:
        sizes = question.explained(axes)
    except ConvcalcError as error:
        return Row(_refused(question.kind, axes, ceil_mode), "-", f"{'-':<6} {error.message}", error)
    why = ", ".join(question.working(axis, style) for axis in sizes)
    return Row(question.record(sizes), _out(sizes), f"{_out(sizes):<6} {why}", None)


def _values(kind: str, options: dict[str, Any], form: Form) -> Values:
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
        if form.latex:
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


def _refused(kind: str, axes: Sequence[Values], ceil_mode: bool) -> dict[str, Any]:
    """The JSON record of a question that was read and refused."""
    sides = [{"op": 0, **values, "p": _sides(values["p"])} for values in axes]
    given = {name: single([plain(values[name]) for values in sides]) for name in ("n", "k", "s", "p", "d", "op")}
    more = {"output_padding": given.pop("op"), "ceil_mode": ceil_mode}
    return {**nothing_found(kind), **given, **more}


def _sides(padding: Any) -> Any:
    """A number of rows as (before, after); a name stays."""
    return padding if isinstance(padding, tuple | str) else (padding, padding)
