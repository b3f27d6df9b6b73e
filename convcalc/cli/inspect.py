"""`convcalc inspect`: every layer of a network on an input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from convcalc.analysis.report import Report, inspect_graph
from convcalc.analysis.rows import fold_blocks, select_ops
from convcalc.cli.options import Command, Parsed, bold, text_style
from convcalc.cli.python_target import reported
from convcalc.cli.target import load_target
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.exprtext import PYTHON
from convcalc.graph import Graph
from convcalc.layers.base import Shape
from convcalc.notation import read_size
from convcalc.render.report import SPARE, error_lines, report_columns, report_summary, shape_text
from convcalc.render.table import plain_table, print_table

F = TypeVar("F", bound=Callable[..., Any])

SHAPE = Parsed("shape", read_size)


def read_batch(text: str) -> Any:
    """Read a batch size, or None where the shape is to have it.

    >>> read_batch("8"), str(read_batch("N")), read_batch("none")
    (8, 'N', None)
    """
    if text.lower() == "none":
        return None
    found = read_size(text)
    if len(found) > 1:
        raise Unreadable(f"a batch is one size: {text!r}")
    return found[0]


def target_options(command: F) -> F:
    """Add TARGET, --input and --batch."""
    for option in (
        click.option(
            "--batch",
            type=Parsed("batch", read_batch),
            default="1",
            show_default=True,
            help="The batch; none where --input gives it too.",
        ),
        click.option(
            "-i",
            "--input",
            "inputs",
            type=SHAPE,
            multiple=True,
            help="Channels and sizes: 3x224x224, 3xHxW. Repeat for several inputs. [default: the network's own]",
        ),
        click.argument("target"),
    ):
        command = option(command)
    return command


def read_report(target: str, inputs: tuple[Shape, ...], batch: Any) -> tuple[Graph, Report]:
    """Return the graph of a target and its report on the shapes asked for; raises `Unreadable`."""
    graph = load_target(target)
    without = inputs or [shape[1:] for shape in graph.example or ()]
    if batch is None and not inputs:
        raise Unreadable("--batch none goes with --input, which then gives the batch too: --input 8x3x224x224")
    shapes = [shape if batch is None else (batch, *shape) for shape in without]
    if not shapes:
        raise Unreadable(f"{target} has no input of its own: give one as --input 3x224x224")
    if len(shapes) != len(graph.inputs):
        raise Unreadable(
            f"{target} has {len(graph.inputs)} inputs, {', '.join(graph.inputs)}: give --input once for each, "
            f"in this order (got {len(shapes)})"
        )
    try:
        given = graph.shapes_of(shapes)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None
    with reported(f"inspecting {target}", Path.cwd(), ConvcalcError):  # a layer may be code of the user
        return graph, inspect_graph(graph, given)


@click.command(cls=Command, short_help="Every layer of a network: shape, parameters, MACs, field.")
@target_options
@click.option("--depth", type=click.IntRange(min=1), help="Sum blocks: one row for the first D steps of a path.")
@click.option("--only", multiple=True, metavar="OP", help="Only the rows of an op, as conv; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print the output shape alone.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, as where the terminal is not UTF-8.")
def inspect(
    target: str,
    inputs: tuple[Shape, ...],
    batch: Any,
    depth: int | None,
    only: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    ascii_only: bool,
) -> None:
    """Shape, formula, parameters, MACs, receptive field and stride of every layer of TARGET.

    \b
      convcalc inspect lenet
      convcalc inspect "resnet18(classes=10)" --input 3x64x64 --depth 1
      convcalc inspect "conv 64 k4 s2 p1 *3; gap; flatten; linear 10" --input 3xHxW
      convcalc inspect net.py:net --input 3x224x224 --only conv
    \b
    TARGET is a network of the zoo (convcalc zoo lists them), a stack as convcalc stack reads it, or
    a graph or block in Python code: net.py:name, pkg.mod:name, or a call of a function or class of
    yours with literals, "net.py:make(10, depth=3)". Loading Python code runs it, as pytest would.
    Shapes are shown without the batch. Exit status 1 where a layer refuses its input.
    """
    _, report = read_report(target, inputs, batch)
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
        _echo(report, ascii_only)
    if report.error is not None:
        if not as_json:
            click.echo("\n".join(error_lines(report.error)), err=True)
        sys.exit(1)


def _check_ops(only: tuple[str, ...], report: Report) -> None:
    import difflib

    from convcalc.shorthand import OPS

    known = sorted({row.op for row in report.layers})
    for op in only:
        if op not in known and op not in OPS:
            near = difflib.get_close_matches(op, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise Unreadable(f"no op {op!r}; {hint}")


def _echo(report: Report, ascii_only: bool) -> None:
    style = text_style(ascii_only)
    if report.layers:  # a first layer that refuses its input leaves no rows to show
        columns, rows = report_columns(report, style)
        if sys.stdout.isatty():
            print_table(columns, rows, spare=SPARE)
        else:
            click.echo(plain_table(columns, rows))
    first, *others = report_summary(report, style)
    click.echo(bold(first))
    for line in others:
        click.echo(line)
