"""`convcalc inspect`: every layer of a network on an input."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from convcalc.analysis.expectation import unexpected
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.rows import fold_blocks, select_ops
from convcalc.analysis.report.text import SPARE, report_columns, report_summary, shape_text
from convcalc.cli.network import SHAPE, Asked, open_target, target_options
from convcalc.cli.options import NetworkCommand, bold, text_style
from convcalc.cli.target.python import reported
from convcalc.errors import ConvcalcError, Unreadable, nearest
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.render.table import plain_table
from convcalc.render.terminal import print_table
from convcalc.render.words import error_lines
from convcalc.sizes.text import PYTHON


def read_report(asked: Asked) -> tuple[Graph, Report]:
    """Return the graph of a target and its report on the shapes asked for; raises `Unreadable`."""
    graph, given, dtype = open_target(asked)
    with reported(f"inspecting {asked.target}", Path.cwd(), ConvcalcError):  # a layer may be code of the user
        return graph, inspect_graph(graph, given, dtype=dtype)


@click.command(cls=NetworkCommand, short_help="Every layer of a network: shape, parameters, MACs, receptive field.")
@target_options
@click.option("--depth", type=click.IntRange(min=1), help="Sum blocks: one row for the first D steps of a path.")
@click.option("--only", multiple=True, metavar="OP", help="Only the rows of an op, as conv; repeatable.")
@click.option("--all", "every", is_flag=True, help="Also the rows that only make constants.")
@click.option("--source", is_flag=True, help="Where each call is written, as net.py:9.")
@click.option("--expect", "expected", type=SHAPE, multiple=True, help="The output that must come: 512x7x7, 1000.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print the output shape alone.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, as where the terminal is not UTF-8.")
def inspect(
    asked: Asked,
    depth: int | None,
    only: tuple[str, ...],
    every: bool,
    source: bool,
    expected: tuple[Shape, ...],
    as_json: bool,
    quiet: bool,
    ascii_only: bool,
) -> None:
    """Shape, formula, parameters, MACs, receptive field and stride of every layer of TARGET.

    \b
      convcalc inspect lenet
      convcalc inspect "resnet18(classes=10)" --input 3x64x64 --depth 1
      convcalc inspect "conv 64 k4 s2 p1 *3; gap; flatten; linear 10" --input 3xHxW
      convcalc inspect net.py:Net --input 3x224x224 --only conv
      convcalc inspect "net.py:Net(classes=7)" --input 3x224x224 --depth 2 --expect 7
    \b
    TARGET is a network of the zoo (convcalc zoo lists them); a stack as convcalc stack reads it; or in
    Python code a torch module, or a graph or block of convcalc: net.py:name, pkg.mod:name, a model
    library's torchvision.models:resnet18, or a call with literals, "net.py:make(10, depth=3)".
    Naming Python code imports it, which runs it, as pytest would. What is called then: functions and
    classes of your own, classes of torch.nn.Module, and functions that make a model of torchvision,
    timm, segmentation_models_pytorch or MONAI. Nothing else is, and no checkpoint is loaded.
    A torch module runs on meta, a few times: nothing is computed, and no memory taken.
    Shapes are shown without the batch. Exit status 1 where a layer refuses its input, or an output
    is not what --expect says, behind the batch that went in.
    """
    _, report = read_report(asked)
    if report.error is None and expected:
        whole = [tuple(shape) if asked.batch is None else (asked.batch, *shape) for shape in expected]
        given = next(iter(report.inputs.values()), ())
        report = replace(report, error=unexpected(report.outputs, whole, given, whole=asked.batch is None))
    if depth is not None:
        report = fold_blocks(report, depth)
    if only:
        _check_ops(only, report)
        report = select_ops(report, only)
    if as_json:
        click.echo(report.to_json())
    elif quiet:
        for shape in report.outputs.values():
            click.echo(shape_text(shape, PYTHON))
    else:
        _echo(report, every, source, ascii_only)
    if report.error is not None:
        if not as_json:
            click.echo("\n".join(error_lines(report.error)), err=True)
        sys.exit(1)


def _check_ops(only: tuple[str, ...], report: Report) -> None:
    from convcalc.network.stack import OPS

    known = sorted({row.op for row in report.layers})
    for op in only:
        if op not in known and op not in OPS:
            near = nearest(op, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise Unreadable(f"no op {op!r}; {hint}")


def _echo(report: Report, every: bool, source: bool, ascii_only: bool) -> None:
    style = text_style(ascii_only)
    if report.layers or report.failed:
        columns, rows = report_columns(report, style, every=every, source=source)
        if sys.stdout.isatty():
            print_table(columns, rows, spare=SPARE)
        else:
            click.echo(plain_table(columns, rows))
    first, *others = report_summary(report, style, every=every)
    click.echo(bold(first))
    for line in others:
        click.echo(line)
