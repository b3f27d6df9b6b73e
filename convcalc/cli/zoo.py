"""`convcalc zoo`: the networks convcalc knows."""

from __future__ import annotations

from collections.abc import Sequence

import click

from convcalc.analysis.catalogue import SPARE, Network, list_networks, network_lines, zoo_columns, zoo_record
from convcalc.cli.options import Command, Form, echo_table, form_options


@click.command(cls=Command, short_help="The networks convcalc knows, with sizes, costs and sources.")
@click.argument("name", required=False)
@form_options(alone="Print the names alone.")
def zoo(form: Form, name: str | None) -> None:
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
    form.answer(
        lambda: zoo_record(networks),
        lambda: _echo(networks, form, one=bool(name)),
        lambda: [network.name for network in networks],
    )


def _echo(networks: Sequence[Network], form: Form, *, one: bool) -> None:
    if one:
        click.echo("\n".join(network_lines(networks[0], form.style)))
    else:
        echo_table(*zoo_columns(networks, form.style), SPARE)
