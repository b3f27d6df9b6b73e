"""`convcalc verify`: convcalc against real torch layers, on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from convcalc.bridge.verify.report import VerifyReport
from convcalc.bridge.verify.text import render_report, report_record
from convcalc.cli.options import Command, Form, echo_answer
from convcalc.errors import Disagreement

F = TypeVar("F", bound=Callable[..., Any])
Verify = Callable[[Callable[[int, int], object]], VerifyReport]


@click.group(short_help="Check convcalc against real torch layers.")
def verify() -> None:
    """Check convcalc against real torch layers, by random cases on a device of this machine.

    \b
      convcalc verify layers
      convcalc verify layers --device cuda --count 100000 --seed 7
      convcalc verify layers --shapes-only
      convcalc verify transposed --count 500 --json
    \b
    The exit status is the answer alone, so there is no -q; the report is ASCII, so there is no --ascii.
    """


def _options(count: int) -> Callable[[F], F]:
    """Add --device, --count, --seed and --json."""

    def decorate(command: F) -> F:
        for option in (
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
            click.option("--seed", default=0, show_default=True, help="Draws the same cases again."),
            click.option("--count", default=count, type=click.IntRange(min=1), show_default=True, help="Cases."),
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

    return decorate


@verify.command(cls=Command, short_help="Output shapes and refusals of every layer.")
@_options(count=10_000)
@click.option("--shapes-only", is_flag=True, help="Only legal layers, on torch's meta device: nothing is computed.")
def layers(device: str, count: int, seed: int, shapes_only: bool, as_json: bool) -> None:
    """Build random layers, legal and not, run them, and compare shapes and refusals.

    \b
      convcalc verify layers
      convcalc verify layers --count 100000 --seed 7 --json
      convcalc verify layers --shapes-only
    """
    from convcalc.bridge.verify.layers import verify_layers

    _run(
        lambda progress: verify_layers(device, count, seed, shapes_only=shapes_only, progress=progress), count, as_json
    )


@verify.command(cls=Command, short_help="Values and gradients of transposed convolutions.")
@_options(count=200)
def transposed(device: str, count: int, seed: int, as_json: bool) -> None:
    """Compute random transposed convolutions in every view convcalc has, and compare values and gradients.

    \b
      convcalc verify transposed
      convcalc verify transposed --device cuda --count 1000
    """
    from convcalc.bridge.verify.transposed import verify_transposed

    _run(lambda progress: verify_transposed(device, count, seed, progress), count, as_json)


def _run(verify: Verify, count: int, as_json: bool) -> None:
    """Verify, with a bar on standard error where that is a terminal; print the report; exit 1 on a mismatch."""
    if sys.stderr.isatty():
        with click.progressbar(length=count, label="cases", file=sys.stderr) as bar:
            report = verify(lambda done, count: bar.update(1))
    else:
        report = verify(lambda done, count: None)
    count = report.checked + report.refused
    error = (
        None if report.ok else Disagreement(f"convcalc and torch differ in {len(report.mismatches)} of {count} cases")
    )
    form = Form(as_json)
    form.answer(lambda: report_record(report), lambda: echo_answer(render_report(report)), error=error, why=())
