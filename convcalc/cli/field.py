"""`convcalc field`: what each output of a network reads of its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from convcalc.analysis.cell import AxisWindow, find_window
from convcalc.analysis.field_text import SPARE, axis_rows, field_record, field_rows, layer_notes, window_rows
from convcalc.analysis.report.layer import LayerReport, shape_text
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.text import shapes_text
from convcalc.cli.network import SHAPE, Asked, target_options
from convcalc.cli.opened import guarded, read_report
from convcalc.cli.options import Form, NetworkCommand, echo_table, form_options
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.network.graph import Graph


@click.command(cls=NetworkCommand, short_help="What each output of a network reads of its input.")
@target_options
@click.option("--at", metavar="LAYER", help="One layer, or the last of a block, instead of all.")
@click.option("--cell", type=SHAPE, help="Which inputs this output position reads, as 3x7. [of the last layer]")
@form_options()
def field(asked: Asked, form: Form, at: str | None, cell: tuple[Any, ...] | None) -> None:
    """What the outputs of every layer of TARGET read of its (first) input.

    \b
      convcalc field lenet
      convcalc field resnet18 --at layer4
      convcalc field unet --cell 0x194
      convcalc field "conv 8 k3; conv 8 k3 d2; conv 8 k3 d9" --input 3x64 --at conv3
    \b
    field: inputs from the first that is read to the last; stride: how far they move from one output
    to the next; offset: the input coordinate of output 0's centre; covered: how many of the field
    are read, and holes how many are not; before, after: how far the reads reach from the output's
    own place; global: whether everything is read too (the rest is then the local part).
    --cell walks back from one position: window is what it reads of an input without end, input what
    it reads of this one, borders included, and padding what of the window lies outside.
    TARGET as in convcalc inspect. There is no -q: what is read is several numbers, which --json has.
    """
    graph, report = read_report(asked)
    name = None if at is None and cell is None else _node(graph, at)
    layers = [row for row in report.layers if name in (None, row.name)]
    windows, error = None, report.error
    if cell is not None and layers:
        windows, error = _windows(graph, str(name), cell, report)
    form.answer(
        lambda: field_record(report, layers, windows),
        lambda: _echo(report, form, name, layers, windows),
        error=error,
    )


def _node(graph: Graph, at: str | None) -> str:
    """The name of a node, or of the last in a block."""
    try:
        return graph.last_in(at)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None


def _windows(
    graph: Graph, name: str, cell: Sequence[Any], report: Report
) -> tuple[tuple[AxisWindow, ...] | None, ConvcalcError | None]:
    if not all(isinstance(size, int) for shape in (cell, *report.inputs.values()) for size in shape):
        raise Unreadable("--cell takes numbers, for the position and for --input: symbols leave the window open")
    try:
        with guarded(name, "following"):
            return find_window(graph, name, cell, report.inputs), None
    except Unreadable:
        raise
    except ConvcalcError as error:
        return None, error


def _echo(
    report: Report,
    form: Form,
    name: str | None,
    layers: Sequence[LayerReport],
    windows: Sequence[AxisWindow] | None,
) -> None:
    inputs = shapes_text(report.inputs, form.style)
    if name is None:
        echo_table(*field_rows(layers, form.style), SPARE)
        click.echo(f"{inputs} -> {shapes_text(report.outputs, form.style) or 'fails'}")
    elif layers:
        click.echo(f"{name}: {shape_text(layers[0].output, form.style)} of {inputs}")
        echo_table(*axis_rows(layers[0]), SPARE)
        for line in layer_notes(layers[0]):
            click.echo(line)
        if windows is not None:
            echo_table(*window_rows(windows), SPARE)
