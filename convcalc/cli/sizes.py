"""`convcalc sizes`: which input sizes a network accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.analysis.validity.text import sizes_text
from convcalc.cli.network import SHAPE, Asked, target_options
from convcalc.cli.opened import guarded, read_sizes
from convcalc.cli.options import Form, NetworkCommand, echo_answer, form_options
from convcalc.errors import BadArgument, BadShape, NoSolution, Unreadable
from convcalc.sizes.axes import per_axis


@click.command(cls=NetworkCommand, short_help="Which input sizes a network accepts, all of them.")
@target_options
@click.option("--near", type=SHAPE, help="The legal sizes nearest to these, as 350 or 350x400. [the sizes of --input]")
@click.option("--all", "everything", is_flag=True, help="Every class of sizes that is out, not the few that say most.")
@form_options(alone="Print the sizes that run alone, a box a line.")
def sizes(asked: Asked, form: Form, near: tuple[Any, ...] | None, everything: bool) -> None:
    """The input sizes at which TARGET runs, and those at which it also loses nothing.

    \b
      convcalc sizes unet
      convcalc sizes unet --near 350
      convcalc sizes lenet --input 1xHxW --near 32
      convcalc sizes "conv 8 k3 s2; maxpool k2 s2" --input 3xNxN
    \b
    runs: no layer refuses. loses no rows: also no window drops a row and every crop is symmetric;
    rows that a stride longer than its kernel always skips are not dropped ones.
    near: the legal sizes around those of --near, or of --input where it gives numbers.
    proved: for every size there is; observed: as far as was tried, which is said; not known: the
    other sizes, which may run or not. --near tries one of them.
    A model whose code compares sizes is captured again for each way it goes, until all are known.
    excluded: classes of sizes that are out, the first layer that refuses each, and why; --all of them.
    --input with names asks for those sizes (the same name is the same size); with numbers alone, or
    without it, for all spatial sizes. TARGET as in convcalc inspect.
    Exit status 1 where no size is legal.
    """
    graph, shapes, typed = read_sizes(asked)
    with guarded(asked.target, "walking"):
        legal = valid_sizes(graph, shapes)
    about = _near(near, typed, legal.axes)
    about = about if legal.runs else None
    form.answer(
        lambda: {"kind": "sizes", **legal.record(about)},
        lambda: echo_answer(sizes_text(legal, about, form.style, everything=everything)),
        lambda: legal.runs.lines() if legal.runs else (),
        None if legal.runs else _nothing(legal),
    )


def _near(near: tuple[Any, ...] | None, typed: dict[str, int], axes: Sequence[str]) -> tuple[int, ...] | None:
    """The sizes to look around: those given, else those typed for the input, one for each axis."""
    if near is None:
        return tuple(typed[axis] for axis in axes) if set(axes) <= typed.keys() else None
    if not all(isinstance(size, int) for size in near):
        raise Unreadable("--near takes numbers, as 350 or 350x400")
    try:
        return per_axis("--near", near if len(near) > 1 else near[0], len(axes))
    except (BadArgument, BadShape) as error:
        raise Unreadable(f"{error.message} ({', '.join(axes)})") from None


def _nothing(legal: Legal) -> NoSolution:
    """The refusal where no size runs, or none is known to: a reason for all sizes, else the last for some."""
    runs = [one for one in legal.reasons if one.kind == "runs"]
    last = next(iter([one for one in runs if one.sizes is None][-1:] or runs[-1:]), None)
    why = "" if last is None else f": {last.node + ': ' if last.node else ''}{last.sentence}"
    verb = f"is known to run (tried: {legal.observed})" if legal.unknown else "runs"
    return NoSolution(f"no size of {', '.join(legal.axes)} {verb}{why}", rule="some size runs")
