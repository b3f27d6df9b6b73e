"""`convcalc conv`."""

from __future__ import annotations

from typing import Any

import click

from convcalc.arithmetic.window_size import conv_size, render_windowed, windowed_record, working
from convcalc.cli.formula import Question, answer
from convcalc.cli.letters import formula_options
from convcalc.cli.options import Command, Form


@click.command(cls=Command, short_help="The output size of a convolution, and why.")
@formula_options("n", "k", "s", "p", "d")
def conv(form: Form, **options: Any) -> None:
    """The output size of a convolution: (n + 2p - d(k - 1) - 1)//s + 1.

    \b
      convcalc conv --n 28 --k 5 --p 2
      convcalc conv --n 224x200 --k 7 --s 2 --p same
      convcalc conv --n n --k 3 --s 2 --p 1
      convcalc conv --n 24..40 --k 3 --s 2 --json
      convcalc conv --n 224 --k 7 --s 2 --out 112 --solve p
      convcalc conv --n 224 --out 112 --solve k --solve s --solve p
    """
    question = Question(
        kind="conv",
        explain=lambda v: conv_size(v["n"], v["k"], stride=v["s"], padding=v["p"], dilation=v["d"]),
        render=render_windowed,
        working=working,
        record=windowed_record,
    )
    answer(question, options, form)
