"""`convcalc stack`: layers one after another."""

from __future__ import annotations

import sys
from typing import Any

import click

from convcalc.analysis.chain import Chain, run_chain
from convcalc.analysis.chain_text import stack_columns, stack_latex, stack_record, stack_summary
from convcalc.cli.options import (
    SIZE,
    Command,
    axes_of,
    bold,
    echo_json,
    echo_table,
    output_options,
    text_style,
)
from convcalc.errors import Refused, Unreadable
from convcalc.layers import Layer
from convcalc.network.shapes import spatial_sizes
from convcalc.network.stack import read_stack
from convcalc.render.words import across
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import LATEX, PYTHON, Style


@click.command(cls=Command, short_help="Layers one after another: every size, and one formula for all.")
@click.argument("layers", nargs=-1, required=True)
@click.option("-n", "--n", "n", type=SIZE, help="Input size: 224, 224x320, N, 24..40. [default: the symbol L]")
@click.option("-c", "--channels", type=click.IntRange(min=1), help="Input channels; adds parameters and MACs.")
@output_options
def stack(layers: tuple[str, ...], n: Any, channels: int | None, **options: Any) -> None:
    """Every size on the way through LAYERS, and one formula for the whole.

    \b
      convcalc stack "conv 64 k7 s2 p3; maxpool k3 s2 p1" --n 224
      convcalc stack "conv 64 k4 s2 p1 *3" "conv 512 k4 p1; conv 1 k4 p1" --n 256 -c 3
      convcalc stack "(conv k3 p1; conv k3 p1; maxpool 2) *3" --n 28x32
    \b
    A layer is an op and its settings: 64 (channels, size or factor), k3, k3x5, s2, p1, p1:2,
    psame, d2, op1, g4, ceil, nobias, or any hyper-parameter by its torch name, as
    padding_mode=reflect. *3 repeats a layer or a parenthesis. Ops: conv, tconv, maxpool, avgpool,
    lppool, adaptiveavgpool, adaptivemaxpool, gap, upsample, pixelshuffle, pixelunshuffle, pad, crop,
    unfold, fold, flatten, linear, batchnorm, groupnorm, instancenorm, layernorm, dropout, softmax
    and the activations of torch, as relu.
    """
    read = read_stack(layers)
    given = (Expr.symbol("L"),) if n is None else n
    if isinstance(given, range):
        return _rows(read, given, channels, options)
    axes_of({"n": given})
    chain = run_chain(read, (1, Expr.symbol("C") if channels is None else channels, *given))
    style = text_style(options["ascii_only"])
    if options["as_json"]:
        echo_json(stack_record(chain), chain.error)
    elif options["quiet"]:
        if chain.output is not None:
            click.echo(across(spatial_sizes(chain.output), PYTHON))
    elif options["latex"]:
        _echo_latex(chain)
    else:
        _echo(chain, style, channels is not None)
    return _end(chain, options)


def _echo_latex(chain: Chain) -> None:
    if chain.formula is not None:
        click.echo("\n".join(stack_latex(chain, LATEX)))
    elif chain.error is None:
        raise Refused("the stack has no formula: a layer rounds sizes in floating point; leave out --latex for numbers")


def _echo(chain: Chain, style: Style, channels: bool) -> None:
    if chain.steps:
        echo_table(*stack_columns(chain, style, channels), ("offset", "covered", "any size", "stride"))
    for line in stack_summary(chain, style, channels):
        click.echo(bold(line))


def _end(chain: Chain, options: dict[str, Any]) -> None:
    if chain.error is not None:
        if not options["as_json"]:
            click.echo(f"Error: {chain.error.message}", err=True)
        sys.exit(1)


def _rows(layers: tuple[Layer, ...], given: range, channels: int | None, options: dict[str, Any]) -> None:
    """One row for each input size of a range."""
    if options["latex"]:
        raise Unreadable("--latex prints one formula: give a symbol such as --n L instead of a range")
    chains = [run_chain(layers, (1, Expr.symbol("C") if channels is None else channels, size)) for size in given]
    none = None
    if all(chain.error for chain in chains):
        none = Refused(f"every row is refused, the first as {chains[0].error}", rule="some size runs")
    if options["as_json"]:
        rows = [
            {"L": chain.input[2], **stack_record(chain), "error": chain.error and chain.error.record()}
            for chain in chains
        ]
        echo_json({"kind": "stack", "rows": rows}, none)
    else:
        for size, chain in zip(given, chains, strict=True):
            out = "-" if chain.output is None else across(spatial_sizes(chain.output), PYTHON)
            why = f" {chain.error.message}" if chain.error else ""
            click.echo(out if options["quiet"] else f"L {size} -> {out}{why}")
    if none:
        sys.exit(1)
