"""`convcalc compare`: two networks side by side, or what changed from one saved report to another."""

from __future__ import annotations

import sys

import click

from convcalc.analysis.changes import Changes, change_columns, change_summary, find_changes
from convcalc.analysis.comparison import Comparison, compare_reports
from convcalc.analysis.comparison_page import comparison_page
from convcalc.analysis.comparison_text import SPARE, compare_tables
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.rows import fold_blocks
from convcalc.cli.network import Asked, run_options
from convcalc.cli.opened import read_report
from convcalc.cli.options import Form, NetworkCommand, bold, echo_table, form_options, write_page
from convcalc.cli.target.saved import is_saved, read_saved, saved_inputs
from convcalc.errors import Refused, Unreadable
from convcalc.render.table import terminal_width


@click.command(cls=NetworkCommand, short_help="Two networks side by side: cost, receptive field, sizes, layers.")
@click.argument("a")
@click.argument("b")
@run_options
@click.option("--depth", type=click.IntRange(min=1), help="Sum blocks: one row for the first D steps of a path.")
@click.option("--html", metavar="FILE", help="Also write it as a page, in which sizes can be typed and dragged.")
@form_options(alone="Print the totals alone, without the layers.")
def compare(a: str, b: str, asked: Asked, form: Form, depth: int | None, html: str | None) -> None:
    """What A and B cost, see and give, the difference (B - A) and the ratio (B / A), layer by layer.

    \b
      convcalc compare vgg16 resnet18
      convcalc compare vgg11 "nin(in_channels=3)" --input 3x224x224 -q
      convcalc compare "conv k3 p1 nobias *2" "conv k5 p2 nobias" --input CxHxW
      convcalc compare net.py:Small net.py:Large --input 3x224x224 --depth 1
      convcalc compare vgg16 resnet18 --html both.html
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
        if html is not None:
            raise Unreadable("--html is for two targets: a saved report has no formulas to work with")
        return _compare_saved(a, b, asked, form, depth)
    (first, left), (second, right) = (read_report(asked._replace(target=text)) for text in (a, b))
    if html is not None:
        write_page(comparison_page(compare_reports(left, right), (first, second)), html)
    found = compare_reports(_folded(left, depth), _folded(right, depth))
    return form.answer(lambda: {"kind": "compare", **found.to_dict()}, lambda: _echo(found, form))


def _folded(report: Report, depth: int | None) -> Report:
    return report if depth is None else fold_blocks(report, depth)


def _echo(found: Comparison, form: Form) -> None:
    width = terminal_width() if sys.stdout.isatty() else None
    for place, table in enumerate(compare_tables(found, form.style, width, layers=not form.quiet)):
        if place and width is None:
            click.echo()
        echo_table(*table, SPARE)


def _compare_saved(a: str, b: str, asked: Asked, form: Form, depth: int | None) -> None:
    """Say what changed from A to B, at least one of them saved; ends with status 1 where anything did."""
    if depth is not None:
        raise Unreadable("--depth is for two targets: a saved report has the rows it was saved with")
    saved = {text: read_saved(text) for text in (a, b) if is_saved(text)}
    if all(map(is_saved, (a, b))) and asked != Asked(""):
        raise Unreadable("--input, --batch, --dtype, --train and --assume are for targets: both are saved reports")
    if asked.batch != 1 and not asked.inputs:
        raise Unreadable("--batch goes with --input here: the shapes of a saved report have the batch")
    if len(saved) == 1 and not asked.inputs and a != b:
        ((text, document),) = saved.items()
        asked = asked._replace(inputs=saved_inputs(text, document), batch=None)
    records = [
        saved[text] if text in saved else read_report(asked._replace(target=text))[1].to_dict() for text in (a, b)
    ]
    found = find_changes(*records)
    count = len(found.found)
    error = Refused(f"{count} change{'s' if count > 1 else ''} from {a} to {b}") if count else None
    failure = records[1].get("error")
    if failure:  # what does not run is not as it should be, though nothing changed
        error = Refused(f"{b} fails: {failure.get('message') if isinstance(failure, dict) else failure}")
    record = {
        "kind": "changes",
        "a": a,
        "b": b,
        "changes": [change.to_dict() for change in found.found],
        "renamed": [list(pair) for pair in found.renamed],
    }
    form.answer(lambda: record, lambda: _echo_changes(found, a, b, form), error=error, why=() if found.found else None)


def _echo_changes(found: Changes, a: str, b: str, form: Form) -> None:
    click.echo(bold(change_summary(found, a, b)))
    if not form.quiet and found.found:
        echo_table(*change_columns(found))
