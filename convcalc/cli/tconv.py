"""`convcalc tconv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from convcalc.arithmetic.transposed.size import transposed_size
from convcalc.arithmetic.transposed.text import (
    render_three_ways,
    render_transposed,
    transposed_record,
    transposed_working,
)
from convcalc.cli.formula import Question, answer
from convcalc.cli.letters import formula_options
from convcalc.cli.options import Command, Form
from convcalc.errors import Refused, Unreadable
from convcalc.sizes.text import Style


@click.command(cls=Command, short_help="The output size of a transposed convolution, and why.")
@formula_options("n", "k", "s", "p of tconv", "op", "d")
@click.option("--show", is_flag=True, help="Draw a small case in numbers, and the three ways to its size.")
@click.option("--matrix", is_flag=True, help="As --show, with the matrices W and its transpose.")
def tconv(show: bool, matrix: bool, form: Form, **options: Any) -> None:
    """The output size of a transposed convolution: (n - 1)s - 2p + d(k - 1) + op + 1.

    \b
      convcalc tconv --n 14 --k 4 --s 2 --p 1
      convcalc tconv --k 3 --s 2 --out 8 --solve n
      convcalc tconv --n 7 --k 3 --s 2 --p 1 --out 14 --solve op
      convcalc tconv --n 3 --k 2 --s 2 --p 1 --show
      convcalc tconv --n 2x2 --k 2 --matrix
    """
    question = Question(
        kind="tconv",
        explain=lambda v: transposed_size(
            v["n"], v["k"], stride=v["s"], padding=v["p"], output_padding=v["op"], dilation=v["d"]
        ),
        render=render_transposed,
        working=transposed_working,
        record=transposed_record,
    )
    if show or matrix:
        ranged = [name for name, value in options.items() if isinstance(value, range)]
        if ranged:
            raise Unreadable(
                f"--{'show' if show else 'matrix'} draws one case, and {ranged[0]} is a range: give a number"
            )
        question = _shown(question, matrix)
    answer(question, options, form)


def _shown(question: Question, matrix: bool) -> Question:
    """The question with a worked example in its answer."""
    from convcalc.arithmetic.transposed.example import example_record, render_example, worked_example

    def render(sizes: Sequence[Any], *, style: Style) -> str:
        parts = [question.render(sizes, style=style), render_three_ways(sizes, style=style)]
        try:
            parts.append(render_example(worked_example(sizes), matrix=matrix, style=style))
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
