"""`convcalc verify`: convcalc against real torch layers and networks, on this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from convcalc.api import ANSWERS
from convcalc.bridge.device import need_device, need_torch
from convcalc.cli.network import Asked, target_options
from convcalc.cli.opened import open_target
from convcalc.cli.options import Command, Form, NetworkCommand, echo_answer
from convcalc.errors import ConvcalcError, Disagreement, Unreadable

if TYPE_CHECKING:
    from convcalc.bridge.verify.network.subject import Subject
    from convcalc.bridge.verify.report import VerifyReport

F = TypeVar("F", bound=Callable[..., Any])
Progress = Callable[[int, int], object]

TARGET = "TARGET"
"""What stands for any network among the commands below `verify`."""


class _Checks(click.Group):
    """The commands below `verify`; what is none of them is a network."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command asked for; of a network, which the command is told too, that of all."""
        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        return "", self.commands[TARGET], args


class _Target(NetworkCommand):
    """The command on a network, which stands where other commands have their name."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of `verify` itself."""
        return super().make_context("verify", args, parent and parent.parent, **extra)


@click.group(cls=_Checks, short_help="Check convcalc against real torch layers and networks.")
def verify() -> None:
    """Check convcalc against real torch layers, by random cases on a device of this machine; or against a network.

    \b
      convcalc verify layers
      convcalc verify layers --device cuda --count 100000 --seed 7 --workers 8
      convcalc verify layers --shapes-only
      convcalc verify transposed --count 500 --json
      convcalc verify resnet18
      convcalc verify net.py:Net --input 3x64x64 --device cuda
    \b
    The exit status is the answer alone, so there is no -q; the report is ASCII, so there is no --ascii.
    Interrupted, it prints what was checked.
    """


def _options(command: F) -> F:
    """Add --device, --seed, --workers and --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option(
            "--workers",
            default=1,
            type=click.IntRange(min=1),
            show_default=True,
            help="Processes; the cases and counts are the same.",
        ),
        click.option("--seed", default=0, show_default=True, help="Draws the same cases again."),
        click.option(
            "--device",
            default="auto",
            type=click.Choice(["auto", "cpu", "cuda"]),
            show_default=True,
            help="Where torch computes; auto is cuda where there is one.",
        ),
    ):
        command = option(command)
    return command


def _count(default: int) -> Callable[[F], F]:
    return click.option("--count", default=default, type=click.IntRange(min=1), show_default=True, help="Cases.")


@verify.command(cls=Command, short_help="Output shapes and refusals of every layer.")
@_options
@_count(10_000)
@click.option("--shapes-only", is_flag=True, help="Only legal layers, on torch's meta device: nothing is computed.")
def layers(as_json: bool, **asked: Any) -> None:
    """Build random layers, legal and not, run them, and compare shapes and refusals.

    \b
      convcalc verify layers
      convcalc verify layers --count 100000 --seed 7 --workers 2 --json
      convcalc verify layers --shapes-only
    """
    need_torch()
    from convcalc.bridge.verify.layers import verify_layers

    _run(partial(verify_layers, **asked), as_json)


@verify.command(cls=Command, short_help="Values and gradients of transposed convolutions.")
@_options
@_count(200)
def transposed(as_json: bool, **asked: Any) -> None:
    """Compute random transposed convolutions in every view convcalc has, and compare values and gradients.

    \b
      convcalc verify transposed
      convcalc verify transposed --device cuda --count 1000
    """
    need_torch()
    from convcalc.bridge.verify.transposed import verify_transposed

    _run(partial(verify_transposed, **asked), as_json)


@verify.command(TARGET, cls=_Target, short_help="A network: shapes, MACs, footprints, legal sizes, tiles.")
@target_options
@click.option("--only", metavar="CASE", help="One case, as a mismatch names it.")
@_options
def network(asked: Asked, device: str, seed: int, workers: int, only: str | None, as_json: bool) -> None:
    """Hold what convcalc says of TARGET against TARGET itself, run by torch.

    \b
      convcalc verify resnet18
      convcalc verify "conv 8 k3 s2 p1; conv 8 k3 p1" --input 3x64x64 --device cpu
      convcalc verify net.py:Net --input 3x64x64 --workers 2 --json
      convcalc verify unet --only "sizes 188x190"
    \b
    shapes, MACs: of every node, against one forward with values and torch's own counter.
    footprints: what outputs read, at borders too, against gradients.
    legal sizes: each axis alone over two periods, and 200 drawn pairs, far ones on meta.
    tiles: an image in tiles, whose outputs are put together, against the image whole.
    What cannot be checked is counted as unchecked, with the reason.
    A mismatch comes with the line that tries it again, and the exit status is 1.
    TARGET and --input as in convcalc inspect.
    """
    need_torch()
    from convcalc.bridge.verify.network.run import verify_network

    opens = partial(open_subject, asked, str(need_device(device)), seed)
    _run(partial(verify_network, opens, only=only, workers=workers), as_json)


def open_subject(asked: Asked, device: str, seed: int) -> Subject:
    """Return what is verified of a target; each worker opens it anew."""
    from convcalc.bridge.verify.network.subject import Subject

    torch, place = need_torch(), need_device(device)
    torch.manual_seed(seed)
    graph, shapes, _, module = open_target(asked, values=True)
    line = partial(again, asked, place.type, seed)
    dtype = None if asked.dtype is None else getattr(torch, asked.dtype)
    try:
        net = graph if module is None else module
        named = partial(Subject, net, graph, shapes, ANSWERS, place, line, name=asked.target)
        return named(seed=seed, dtype=dtype, train=asked.train)
    except ConvcalcError as error:
        raise Unreadable(error.message) from None


def again(asked: Asked, device: str, seed: int, case: str) -> str:
    """Return the command line that verifies one case of a target.

    >>> print(again(Asked("net.py:Net", ((3, 8, 8),), batch=None), "cpu", 0, "sizes 7x8"))
    convcalc verify net.py:Net --input 3x8x8 --batch none --device cpu --seed 0 --only 'sizes 7x8'
    """
    options: list[tuple[str, object]] = []
    for shape in asked.inputs:
        sizes = ((str(size), asked.sizes.get(str(size))) for size in shape)
        options.append(("--input", "x".join(name if size is None else f"{name}={size}" for name, size in sizes)))
    if asked.batch != 1:
        options.append(("--batch", "none" if asked.batch is None else asked.batch))
    if asked.dtype is not None:
        options.append(("--dtype", asked.dtype))
    options += [("--assume", f"{place}={str(way).lower()}") for place, way in asked.assume.items()]
    options += [("--device", device), ("--seed", seed), ("--only", case)]
    words = [asked.target, *["--train"] * asked.train, *(str(word) for option in options for word in option)]
    return f"convcalc verify {shlex.join(words)}"


def _run(verify: Callable[..., VerifyReport], as_json: bool) -> None:
    """Verify, with a bar on standard error where that is a terminal; print the report; exit 1 on a mismatch."""
    from convcalc.bridge.verify.text import render_report, report_record

    if sys.stderr.isatty():
        with click.progressbar(length=0, label="cases", file=sys.stderr) as bar:

            def progress(done: int, count: int) -> None:
                bar.length = count
                bar.update(1)

            report = verify(progress=progress)
    else:
        report = verify()
    count = report.checked + report.refused
    error = (
        None if report.ok else Disagreement(f"convcalc and torch differ in {len(report.mismatches)} of {count} cases")
    )
    try:
        Form(as_json).answer(
            lambda: report_record(report), lambda: echo_answer(render_report(report)), error=error, why=()
        )
    finally:
        if report.interrupted:
            raise click.Abort
