"""`convcalc compare` of a saved report: what changed."""

from __future__ import annotations

import click

from convcalc.analysis.changes import Changes, find_changes
from convcalc.analysis.changes_text import change_columns, change_summary
from convcalc.cli.network import Asked
from convcalc.cli.opened import read_report
from convcalc.cli.options import Form, bold, echo_table
from convcalc.cli.target.saved import is_saved, read_saved, saved_inputs
from convcalc.errors import Refused, Unreadable


def compare_saved(a: str, b: str, asked: Asked, form: Form, depth: int | None) -> None:
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
    form.answer(lambda: record, lambda: _echo(found, a, b, form), error=error, told=bool(found.found))


def _echo(found: Changes, a: str, b: str, form: Form) -> None:
    click.echo(bold(change_summary(found, a, b)))
    if not form.quiet and found.found:
        echo_table(*change_columns(found))
