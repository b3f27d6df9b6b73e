"""`--solve`: the formulas of `conv`, `tconv` and `pool` asked backwards, axis by axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from convcalc.arithmetic.solving.solutions import (
    Solutions,
    solution_lines,
    solution_record,
    solve_conv,
    solve_conv_transpose,
    solve_pool,
)
from convcalc.cli.letters import LISTED, Values, per_axis
from convcalc.cli.options import INTEGER, Form, refuse
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.render.words import plain
from convcalc.sizes.axes import axis_names
from convcalc.sizes.expr import Expr


def solve(kind: str, options: dict[str, Any], values: Values, form: Form) -> None:
    """Print the solutions of `--out M --solve VAR`."""
    if options["out"] is None:
        raise Unreadable("--solve needs the output size wanted: --out 112")
    given = {name: value for name, value in {**values, "out": options["out"]}.items() if value is not None}
    for name, value in given.items():
        sides = [side for entry in value for side in (entry if isinstance(entry, tuple) else (entry,))]
        if isinstance(value, range) or any(isinstance(side, Expr) for side in sides):
            raise Unreadable(f"--solve takes numbers: {name} is a range or a symbol")
    solver: Any = {"conv": solve_conv, "tconv": solve_conv_transpose, "pool": solve_pool}[kind]
    extra = {"ceil_mode": options["ceil_mode"]} if kind == "pool" else {}
    common = {
        "solve": options["solve"],
        "limit": options["limit"] or LISTED,
        "bounds": _bounds(options["bounds"], options["solve"]),
        **extra,
    }
    axes = per_axis(given)
    found = []
    for place, axis in enumerate(axes):
        try:
            found.append(solver(**axis, **common))
        except ConvcalcError as error:
            error = error.at(f"axis {axis_names(len(axes))[place]}") if len(axes) > 1 else error
            record = {"kind": kind, **_none_found(sorted(set(options["solve"])), axis)}
            refuse(error, record if form.as_json else None)
    records = [solution_record(solutions) for solutions in found]
    names = [f"axis {name}:" if len(found) > 1 else "" for name in axis_names(len(found))]
    form.answer(
        lambda: records[0] if len(records) == 1 else {"kind": kind, "axes": records},
        lambda: click.echo(
            "\n".join(
                line
                for name, solutions in zip(names, found, strict=True)
                for line in (*filter(None, [name]), *solution_lines(solutions))
            )
        ),
        lambda: [line for solutions in found for line in _quiet(solutions)],
    )


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


def _quiet(solutions: Solutions) -> Iterator[str]:
    for lo, hi in solutions.intervals:
        yield str(lo) if lo == hi else f"{lo}..{'' if hi is None else hi}"
    if not solutions.intervals:
        for solution in solutions.solutions:
            yield " ".join(f"{name}={value}" for name, value in solution.items())


def _bounds(texts: Sequence[str], sought: Sequence[str]) -> dict[str, int]:
    bounds: dict[str, int] = {}
    if texts and len(set(sought)) == 1:
        raise Unreadable("--bound is for several unknowns: of one all solutions are found")
    for text in texts:
        name, _, most = text.partition("=")
        if name not in ("k", "s", "d", "p"):
            raise Unreadable(f"--bound takes k, s, d or p, as k=63: {text!r}")
        if name in bounds or name not in sought:
            why = "is given twice" if name in bounds else f"is for an unknown: {name} is not sought"
            raise Unreadable(f"--bound {name} {why}")
        bounds[name] = INTEGER.convert(most, None, None)
    return bounds
