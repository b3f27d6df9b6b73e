"""`convcalc compare`: two networks side by side."""

from __future__ import annotations

import sys
from typing import Any

import click

from convcalc.analysis.comparison import Comparison
from convcalc.analysis.comparison import compare as compare_nets
from convcalc.analysis.report import Report
from convcalc.cli.options import Command, Parsed, echo_json, text_style
from convcalc.cli.target import load_target
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.notation import read_size
from convcalc.render.compare import layer_columns, total_columns
from convcalc.render.table import plain_table, print_table

SHAPE = Parsed("shape", read_size)


@click.command(cls=Command, short_help="Two networks side by side: cost, field, sizes, layer by layer.")
@click.argument("a")
@click.argument("b")
@click.option("--input", "shape", type=SHAPE, help="One example, such as 3x224x224 or CxHxW. [default: each its own]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print the totals alone, without the layers.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, as where the terminal is not UTF-8.")
def compare(a: str, b: str, shape: Any, as_json: bool, quiet: bool, ascii_only: bool) -> None:
    """What A and B cost, see and give, the difference (B - A) and the ratio (B / A), layer by layer.

    \b
      convcalc compare vgg16 resnet18
      convcalc compare vgg11 "nin(in_channels=3)" --input 3x224x224 -q
      convcalc compare "conv k3 p1 nobias *2" "conv k5 p2 nobias" --input CxHxW
    \b
    A and B are names of networks, such as lenet, calls such as "resnet18(classes=10)", or stacks
    as of convcalc stack. A letter stands for any size or number of channels. Between the layers:
    = alike, | of one kind but not alike, < in A alone, > in B alone.
    """
    nets = load_target(a), load_target(b)
    for text, net in zip((a, b), nets, strict=True):
        if shape is None and net.example is None:
            raise Unreadable(f"{text!r} has no input of its own: give one, such as --input 3x224x224 or --input CxHxW")
    try:
        found = compare_nets(*nets, None if shape is None else (1, *shape))
    except ConvcalcError as error:
        if as_json:
            echo_json({"a": None, "b": None, "totals": None, "layers": []}, error)
        else:
            click.echo(f"Error: {error.message}", err=True)
        sys.exit(1)
    if as_json:
        echo_json(found.to_dict())
    else:
        _echo(found, ascii_only, quiet)


def _name(report: Report, letter: str) -> str:
    """The name of a network where it is short, as a column needs it."""
    return report.model if 0 < len(report.model) <= 24 and " " not in report.model else letter


def _echo(found: Comparison, ascii_only: bool, quiet: bool) -> None:
    names = _name(found.a, "A"), _name(found.b, "B")
    style = text_style(ascii_only)
    tables = [total_columns(found, names, style), *([] if quiet else [layer_columns(found, names, style)])]
    if sys.stdout.isatty():
        for columns, rows in tables:
            print_table(columns, rows)
    else:
        click.echo("\n\n".join(plain_table(columns, rows) for columns, rows in tables))
