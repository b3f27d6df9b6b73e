"""`convcalc pool`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from convcalc.arithmetic.window_size import pool_size, render_windowed, windowed_record, working
from convcalc.cli.formula import Question, answer
from convcalc.cli.letters import Values, formula_options
from convcalc.cli.options import Command, Form
from convcalc.errors import Refused, Unreadable
from convcalc.sizes.conditions import enforce
from convcalc.sizes.expr import Expr


@click.command(cls=Command, short_help="The output size of a pooling, floor or ceil, and why.")
@formula_options("n", "k", "s of pool", "p of pool", "d", "ceil")
@click.option(
    "--kind", type=click.Choice(["max", "avg", "lp"]), default="max", show_default=True, help="Which pooling."
)
def pool(kind: str, ceil_mode: bool, form: Form, **options: Any) -> None:
    """The output size of a pooling; --ceil rounds up exactly as torch does.

    \b
      convcalc pool --n 54 --k 3 --s 2
      convcalc pool --n 54 --k 3 --s 2 --ceil
      convcalc pool --k 3 --s 2 --ceil --out 27 --solve n
    """
    question = Question(
        kind="pool",
        explain=lambda v: pool_size(
            v["n"], v["k"], stride=v["s"], padding=v["p"], dilation=v["d"], ceil_mode=ceil_mode
        ),
        render=partial(render_windowed, pooling=kind),
        working=working,
        record=windowed_record,
        check=lambda axes: _check_kind(kind, axes),
    )
    for letter in "dp" if kind == "lp" else "d" if kind == "avg" else "":
        if options["solve"] and (options[letter] is not None or letter in options["solve"]):
            raise Unreadable(f"{kind} pooling has no {letter}: leave it out to solve")
    answer(question, {**options, "ceil_mode": ceil_mode}, form)


def _check_kind(kind: str, axes: Sequence[Values]) -> None:
    """What average and Lp pooling refuse beyond max pooling."""
    if kind != "max" and any(v["d"] != 1 for v in axes):
        raise Refused(f"{kind} pooling has no dilation; only max pooling does", rule="dilation == 1")
    if kind == "lp" and any(v["p"] not in (0, (0, 0), "valid") for v in axes):
        raise Refused("lp pooling has no padding; pad before it", rule="padding == 0")
    if kind != "max" and len(axes) == 3 and not any(isinstance(v[name], Expr) for v in axes for name in "nk"):
        from convcalc.layers import AvgPool

        AvgPool(tuple(v["k"] for v in axes)).check_3d((1, 1, *(v["n"] for v in axes)), enforce)
