"""`convcalc zoo`: the networks convcalc knows."""

from __future__ import annotations

import sys

import click

from convcalc.analysis.catalogue import list_networks
from convcalc.analysis.catalogue_text import SPARE, network_lines, zoo_columns, zoo_record
from convcalc.cli.options import Command, echo_json, text_style
from convcalc.render.table import plain_table
from convcalc.render.terminal import print_table


@click.command(cls=Command, short_help="The networks convcalc knows, with sizes, costs and sources.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print the names alone.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, as where the terminal is not UTF-8.")
def zoo(name: str | None, as_json: bool, quiet: bool, ascii_only: bool) -> None:
    """The classic networks, or one of them with its arguments.

    \b
      convcalc zoo
      convcalc zoo resnet50
      convcalc zoo "resnet50(classes=10)"
      convcalc inspect "resnet50(stride_on='1x1', classes=10)" --depth 1
    \b
    Sizes and costs are at each network's own input; the receptive field is that of the last layer
    that sees only a part of it.
    """
    networks = list_networks(None if name is None else [name])
    style = text_style(ascii_only)
    if as_json:
        echo_json(zoo_record(networks))
    elif quiet:
        click.echo("\n".join(network.name for network in networks))
    elif name:
        click.echo("\n".join(network_lines(networks[0], style)))
    else:
        columns, rows = zoo_columns(networks, style)
        if sys.stdout.isatty():
            print_table(columns, rows, spare=SPARE)
        else:
            click.echo(plain_table(columns, rows))
