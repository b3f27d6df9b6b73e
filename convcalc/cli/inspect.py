"""`convcalc inspect`: every layer of a network on an input."""

from __future__ import annotations

from dataclasses import replace

import click

from convcalc.analysis.expectation import unexpected
from convcalc.analysis.report.layer import shape_text
from convcalc.analysis.report.page import page_of
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.rows import fold_blocks, select_ops
from convcalc.analysis.report.text import SPARE, report_columns, report_summary
from convcalc.cli.network import SHAPE, Asked, target_options
from convcalc.cli.opened import read_report
from convcalc.cli.options import Form, NetworkCommand, bold, echo_table, form_options, write_page
from convcalc.errors import Unreadable, nearest
from convcalc.layers.base import Shape
from convcalc.network.stack import OPS
from convcalc.sizes.text import PYTHON


@click.command(cls=NetworkCommand, short_help="Every layer of a network: shape, parameters, MACs, receptive field.")
@target_options
@click.option("--depth", type=click.IntRange(min=1), help="Sum blocks: one row for the first D steps of a path.")
@click.option("--only", multiple=True, metavar="OP", help="Only the rows of an op, as conv; repeatable.")
@click.option("--all", "every", is_flag=True, help="Also the rows that only make constants.")
@click.option("--source", is_flag=True, help="Where each call is written, as net.py:9.")
@click.option("--expect", "expected", type=SHAPE, multiple=True, help="The output that must come: 512x7x7, 1000.")
@click.option("--html", metavar="FILE", help="Also write it as a page, in which sizes can be typed and dragged.")
@form_options(alone="Print the output shape alone.")
def inspect(
    asked: Asked,
    form: Form,
    depth: int | None,
    only: tuple[str, ...],
    every: bool,
    source: bool,
    expected: tuple[Shape, ...],
    html: str | None,
) -> None:
    """Shape, formula, parameters, MACs, receptive field and stride of every layer of TARGET.

    \b
      convcalc inspect lenet
      convcalc inspect "resnet18(classes=10)" --input 3x64x64 --depth 1
      convcalc inspect "conv 64 k4 s2 p1 *3; gap; flatten; linear 10" --input 3xHxW
      convcalc inspect net.py:Net --input 3x224x224 --only conv
      convcalc inspect "net.py:Net(classes=7)" --input 3x224x224 --depth 2 --expect 7
      convcalc inspect unet --html unet.html
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
    graph, report = read_report(asked)
    if report.error is None and expected:
        whole = [tuple(shape) if asked.batch is None else (asked.batch, *shape) for shape in expected]
        given = next(iter(report.inputs.values()), ())
        report = replace(report, error=unexpected(report.outputs, whole, given, whole=asked.batch is None))
    if html is not None:
        write_page(page_of(graph, report), html)
    if depth is not None:
        report = fold_blocks(report, depth)
    if only:
        _check_ops(only, report)
        report = select_ops(report, only)
    form.answer(
        report.to_dict,
        lambda: _echo(report, form, every, source),
        lambda: [shape_text(shape, PYTHON) for shape in report.outputs.values()],
        report.error,
    )


def _check_ops(only: tuple[str, ...], report: Report) -> None:
    known = sorted({row.op for row in report.layers})
    for op in only:
        if op not in known and op not in OPS:
            near = nearest(op, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise Unreadable(f"no op {op!r}; {hint}")


def _echo(report: Report, form: Form, every: bool, source: bool) -> None:
    if report.layers or report.failed:
        echo_table(*report_columns(report, form.style, every=every, source=source), SPARE)
    first, *others = report_summary(report, form.style, every=every)
    click.echo("\n".join([bold(first), *others]))
