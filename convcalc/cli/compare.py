"""`convcalc compare`: two networks side by side."""

from __future__ import annotations

import sys

import click

from convcalc.analysis.comparison import Comparison, compare_reports
from convcalc.analysis.comparison_text import SPARE, compare_tables
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.rows import fold_blocks
from convcalc.cli.changes import compare_saved
from convcalc.cli.network import Asked, run_options
from convcalc.cli.opened import read_report
from convcalc.cli.options import Form, NetworkCommand, echo_table, form_options
from convcalc.cli.target.saved import is_saved
from convcalc.render.terminal import terminal_width


@click.command(cls=NetworkCommand, short_help="Two networks side by side: cost, receptive field, sizes, layers.")
@click.argument("a")
@click.argument("b")
@run_options
@click.option("--depth", type=click.IntRange(min=1), help="Sum blocks: one row for the first D steps of a path.")
@form_options(alone="Print the totals alone, without the layers.")
def compare(a: str, b: str, asked: Asked, form: Form, depth: int | None) -> None:
    """What A and B cost, see and give, the difference (B - A) and the ratio (B / A), layer by layer.

    \b
      convcalc compare vgg16 resnet18
      convcalc compare vgg11 "nin(in_channels=3)" --input 3x224x224 -q
      convcalc compare "conv k3 p1 nobias *2" "conv k5 p2 nobias" --input CxHxW
      convcalc compare net.py:Small net.py:Large --input 3x224x224 --depth 1
      convcalc inspect net.py:Net --input 3x224x224 --json > old.json
      convcalc compare old.json net.py:Net
    \b
    A and B are targets as of convcalc inspect. A letter stands for any size or number of channels.
    Between the layers: = alike, | of one kind but not alike, < in A alone, > in B alone.
    Where A or B is a saved report, a file NAME.json, the answer is what changed from A to B: shapes,
    sizes, receptive fields, cost; a target is then inspected on the inputs of the report. Exit
    status 1 where anything did, or where a network refuses its input.
    """
    if is_saved(a) or is_saved(b):
        return compare_saved(a, b, asked, form, depth)
    found = compare_reports(*(_folded(read_report(asked._replace(target=text))[1], depth) for text in (a, b)))
    return form.answer(lambda: {"kind": "compare", **found.to_dict()}, lambda: _echo(found, form))


def _folded(report: Report, depth: int | None) -> Report:
    return report if depth is None else fold_blocks(report, depth)


def _echo(found: Comparison, form: Form) -> None:
    width = terminal_width() if sys.stdout.isatty() else None
    for place, table in enumerate(compare_tables(found, form.style, width, layers=not form.quiet)):
        if place and width is None:
            click.echo()
        echo_table(*table, SPARE)
