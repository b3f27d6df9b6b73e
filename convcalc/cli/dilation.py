"""`convcalc hdc`: dilation sequences by the published rule and by the exact one."""

from __future__ import annotations

import sys

import click

from convcalc.arithmetic.dilation.reaching import reaching_rates
from convcalc.arithmetic.dilation.stack import HDC
from convcalc.arithmetic.dilation.stack import hdc as judge
from convcalc.arithmetic.dilation.text import hdc_text
from convcalc.cli.options import INTEGER, Command, Form, echo_answer, form_options
from convcalc.designs.wish import MOST_LAYERS, Span, read_span
from convcalc.errors import NoSolution, Unreadable
from convcalc.render.table import terminal_width
from convcalc.sizes.text import PYTHON


@click.command(cls=Command, short_help="Whether a stack of dilated convolutions misses inputs, and the repair.")
@click.argument("rates", nargs=-1, type=INTEGER)
@click.option(
    "-k", "--k", "--kernel-size", "k", multiple=True, type=INTEGER, help="Kernel size; repeat for one a layer. [3]"
)
@click.option("-s", "--s", "--stride", "s", multiple=True, type=INTEGER, help="Stride; repeat for one a layer. [1]")
@click.option(
    "--criterion",
    type=click.Choice(["exact", "paper"]),
    default="exact",
    show_default=True,
    help="Whose verdict the exit status follows.",
)
@click.option("--field", type=INTEGER, help="Instead of RATES: find some without holes that have this receptive field.")
@click.option("--layers", help="With --field: how many layers, as 4 or ..6. [default: the fewest]")
@form_options(alone="Print yes or no alone; with --field the rates.")
def hdc(
    form: Form,
    rates: tuple[int, ...],
    k: tuple[int, ...],
    s: tuple[int, ...],
    criterion: str,
    field: int | None,
    layers: str | None,
) -> None:
    """Whether dilated convolutions at RATES, one after another, read every input of their receptive field.

    \b
      convcalc hdc 1 2 3
      convcalc hdc 1 2 9
      convcalc hdc 2 4 8 --k 5 --json
      convcalc hdc 1 2 5 --k 3 --k 3 --k 5 --s 1 --s 2 --s 1
      convcalc hdc --field 201
    \b
    The published rule (Wang et al., WACV 2018): M_2 <= K and no common factor. The exact rule:
    every input of the receptive field is read. Exit status 1 where the verdict is no.
    With --field: the fewest rates without holes, and of these those whose largest is least.
    """
    if (field is None) != bool(rates):
        raise Unreadable("give rates, or the receptive field that they shall have as --field 201, and not both")
    if field is None and layers is not None:
        raise Unreadable("--layers goes with --field: how many rates are sought")
    if field is not None:
        rates = _reaching(field, k, s, layers)
    for name, values in (("--k", k), ("--s", s)):
        if len(values) not in (0, 1, len(rates)):
            raise Unreadable(
                f"{name} is given once for all, or once for each of {len(rates)} rates: {len(values)} times"
            )
    found = judge(rates, kernel_size=k or 3, stride=s or 1)
    verdict = found.exact_ok if criterion == "exact" else found.paper_ok
    error = None if verdict else NoSolution(_why(criterion, verdict), rule=_RULES[criterion], fixes=_fixes(found.tries))
    form.answer(
        lambda: {"kind": "hdc", **found.to_dict(), "s": list(found.stride), "criterion": criterion},
        lambda: _echo(found, form, criterion if verdict is None else "", sought=field is not None),
        lambda: [("yes" if verdict else "no") if field is None else " ".join(map(str, rates))],
        error,
        why=(),
    )


def _reaching(field: int, k: tuple[int, ...], s: tuple[int, ...], layers: str | None) -> tuple[int, ...]:
    """The rates that have a field."""
    if len(k) > 1 or s:
        raise Unreadable("--field takes one --k and no --s: its rates are of one kernel size, without strides")
    wanted = Span(1, None) if layers is None else read_span("layers", layers, MOST_LAYERS, ends=False)
    if field < 1 or (k and k[0] < 2):
        raise Unreadable(f"--field is at least 1 and --k at least 2: got {field}{f' and {k[0]}' if k else ''}")
    return reaching_rates(field, k[0] if k else 3, wanted.least, wanted.most)


def _echo(found: HDC, form: Form, unknown: str, *, sought: bool) -> None:
    width = terminal_width() if sys.stdout.isatty() else None
    echo_answer(hdc_text(found, width, ascii=form.style is PYTHON))
    if sought and len(found.rates) > 1:
        fewer, taps, largest = len(found.rates) - 1, found.kernel_size[0], max(found.rates)
        most = (
            f"{fewer} layer{'s' * (fewer > 1)} read{'s' * (fewer == 1)} at most {taps**fewer} without holes; "
            * bool(fewer)
        )
        click.echo(f"least      {most}of {fewer + 1}, none with this field has a largest rate below {largest}")
    if unknown:
        click.echo(f"Error: {_why(unknown, None)}", err=True)


_RULES = {
    "exact": "in ascending order, no rate exceeds 1 + the reach of those before it",
    "paper": "M_2 <= K and no common factor",
}


def _why(criterion: str, verdict: bool | None) -> str:
    if verdict is None:
        return "the published rule does not apply: it takes two or more layers of one kernel size"
    return "the stack misses inputs of its field" if criterion == "exact" else "the published rule rejects the rates"


def _fixes(tries: tuple[object, ...]) -> list[str]:
    return [" ".join(map(str, getattr(one, "rates", ()))) for one in tries]
