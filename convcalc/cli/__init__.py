"""The command line: parse, call, render. Commands are imported when they are asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from convcalc.errors import nearest
from convcalc.version import __version__

COMMANDS = {
    "conv": ("conv", "The output size of a convolution, and why."),
    "tconv": ("tconv", "The output size of a transposed convolution, and why."),
    "pool": ("pool", "The output size of a pooling, floor or ceil, and why."),
    "stack": ("stack", "Layers one after another: every size, and one formula for all."),
    "hdc": ("dilation", "Whether a stack of dilated convolutions misses inputs, and the repair."),
    "design": ("design", "Stacks of convolutions that meet a wish: receptive field, stride, cost."),
    "zoo": ("zoo", "The networks convcalc knows, with sizes, costs and sources."),
    "inspect": ("inspect", "Every layer of a network: shape, parameters, MACs, receptive field."),
    "sizes": ("sizes", "Which input sizes a network accepts, all of them."),
    "field": ("field", "What each output of a network reads of its input."),
    "compare": ("compare", "Two networks side by side: cost, receptive field, sizes, layers."),
    "tiles": ("tiles", "How to run a network on an image in tiles, exactly."),
    "emit": ("emit", "Lengths and masks as a file of Python, to keep."),
    "draw": ("draw", "Pictures of windows, coverage, fields, sizes, tiles, networks."),
    "verify": ("verify", "Check convcalc against real torch layers and networks."),
}
"""Every command: the module under `convcalc.cli` it lives in, and its line of help, in the order of need."""


INTERRUPTED = 130
CLOSED_PIPE = 141
"""128 and the number of the signal, as shells have it."""


class Commands(click.Group):
    """The group of all commands; `convcalc -h` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"convcalc.cli.{module}"), cmd_name)
        return command

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line; ended by Ctrl-C with status 130, by a reader that has seen enough with 141."""
        alone, extra["standalone_mode"] = extra.get("standalone_mode", True), False
        if not alone:
            return super().main(*args, **extra)
        out = sys.stdout
        try:
            status = super().main(*args, **extra)
        except click.Abort:
            click.echo("interrupted", err=True)
            status = INTERRUPTED
        except click.ClickException as error:
            error.show()
            status = error.exit_code
        except SystemExit as end:
            status = end.code if sys.stdout is out else CLOSED_PIPE  # click puts another in the place of a closed pipe
        sys.exit(status)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command asked for; a misspelt one is answered with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            hint = f"did you mean {near}?" if near else f"use one of {', '.join(COMMANDS)}."
            raise click.UsageError(f"no command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 fine; 1 the answer is no; 2 the question cannot be read; 130 interrupted; 141 closed pipe. "
    "'convcalc COMMAND -h' shows examples.",
)
@click.version_option(__version__, prog_name="convcalc")
def main() -> None:
    """Convolution arithmetic: what size comes out, what must go in, and why.

    \b
      convcalc conv --n 28 --k 5 --p 2
      convcalc tconv --n 14 --k 4 --s 2 --p 1
      convcalc conv --n 224 --k 7 --s 2 --out 112 --solve p
      convcalc stack "conv 64 k7 s2 p3; maxpool k3 s2 p1" --n 224
      convcalc inspect resnet18 --depth 1
    """
    sys.set_int_max_str_digits(0)  # products of long numbers are longer; what is typed is bounded by notation
