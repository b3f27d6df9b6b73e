"""Options that were given twice, or that do not go together: nothing that is typed is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import click


class Apart(NamedTuple):
    """Parameters of which one is given, each at most with none of `others`, and why."""

    one: str
    others: tuple[str, ...]
    why: str


APART = (
    Apart("as_json", ("quiet", "latex"), "give one form of the answer"),
    Apart("quiet", ("latex",), "give one form of the answer"),
    Apart("quiet", ("depth", "only", "every", "everything", "source", "near"), "-q prints the answer alone"),
    Apart("pareto", ("minimize", "limit"), "--pareto lists all that nothing betters"),
    Apart("show", ("quiet", "latex", "solve"), "--show draws the answer to one question forwards"),
    Apart("checked", ("file",), "--check only reads a file"),
    Apart("matrix", ("quiet", "latex", "solve"), "--matrix draws the answer to one question forwards"),
)
"""What does not go together, by the names of parameters."""


def check_given(command: click.Command, ctx: click.Context, arguments: Sequence[str]) -> None:
    """Refuse what is given twice and taken once, and what does not go together, as a usage error.

    A flag may be repeated: it says the same again.
    """
    _, _, order = command.make_parser(ctx).parse_args(list(arguments))
    given = [param for param in order if isinstance(param, click.Option)]
    names = {param.name: param for param in reversed(given)}
    if any(name in ctx.help_option_names for param in given for name in param.opts):
        return
    for param, times in Counter(given).items():
        if times > 1 and not (param.multiple or param.is_flag or param.count):
            raise click.UsageError(
                f"{spelling(param)} is given {times} times and taken once: leave out the others", ctx
            )
    for apart in APART:
        others = [names[name] for name in apart.others if name in names]
        if apart.one in names and others:
            both = " and ".join(map(spelling, (names[apart.one], others[0])))
            raise click.UsageError(f"{both} do not go together: {apart.why}", ctx)


def spelling(option: click.Parameter) -> str:
    """Return how an option is written: -q, else its first long name.

    >>> spelling(click.Option(["-k", "--k", "--kernel-size", "k"]))
    '--k'
    """
    return (
        "-q" if "-q" in option.opts else next((name for name in option.opts if name.startswith("--")), option.opts[0])
    )
