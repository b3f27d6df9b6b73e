"""`convcalc stack`: layers one after another."""

from __future__ import annotations

from typing import Any

import click

from convcalc.analysis.chain import Chain, run_chain, stack_columns, stack_record, stack_summary
from convcalc.cli.options import SIZE, Command, Form, Row, axes_of, bold, echo_table, form_options
from convcalc.errors import Refused
from convcalc.network.shapes import spatial_sizes
from convcalc.network.stack import read_stack
from convcalc.render.words import across
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import LATEX, PYTHON, write


@click.command(cls=Command, short_help="Layers one after another: every size, and one formula for all.")
@click.argument("layers", nargs=-1, required=True)
@click.option("-n", "--n", "n", type=SIZE, help="Input size: 224, 224x320, N, 24..40. [default: the symbol L]")
@click.option("-c", "--channels", type=click.IntRange(min=1), help="Input channels; adds parameters and MACs.")
@form_options(alone="Print the answer alone.", latex=True)
def stack(layers: tuple[str, ...], form: Form, n: Any, channels: int | None) -> None:
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
    known = Expr.symbol("C") if channels is None else channels
    if isinstance(given, range):
        return form.rows("stack", "L", given, lambda size: _row(run_chain(read, (1, known, size))), "some size runs")
    axes_of({"n": given})
    chain = run_chain(read, (1, known, *given))
    return form.answer(
        lambda: stack_record(chain),
        lambda: _echo(chain, form, channels is not None),
        lambda: [] if chain.output is None else [_out(chain)],
        chain.error,
        latex=lambda: _latex(chain),
        why=[f"Error: {chain.error.message}"] if chain.error else (),
    )


def _latex(chain: Chain) -> list[str]:
    """The formula of each axis."""
    if chain.formula is None and chain.error is None:
        raise Refused("the stack has no formula: a layer rounds sizes in floating point; leave out --latex for numbers")
    return [write(Expr.const(0) + size, LATEX) for size in chain.formula or ()]


def _echo(chain: Chain, form: Form, channels: bool) -> None:
    if chain.steps:
        echo_table(*stack_columns(chain, form.style, channels), ("offset", "covered", "any size", "stride"))
    for line in stack_summary(chain, form.style, channels):
        click.echo(bold(line))


def _out(chain: Chain) -> str:
    return "-" if chain.output is None else across(spatial_sizes(chain.output), PYTHON)


def _row(chain: Chain) -> Row:
    """The row for one input size of a range."""
    out, error = _out(chain), chain.error
    text = f"{out} {error.message}" if error else out
    return Row({"L": chain.input[2], **stack_record(chain)}, out, text, error)
