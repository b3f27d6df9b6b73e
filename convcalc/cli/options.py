"""Options that commands share, how they print, and the JSON document around every answer."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import click

from convcalc.arithmetic import notation
from convcalc.cli.nothing import nothing_found
from convcalc.cli.together import check_given
from convcalc.errors import ConvcalcError, Refused, Unreadable
from convcalc.render.table import plain_table, print_table, terminal_width
from convcalc.render.words import document, error_lines
from convcalc.shown import fold
from convcalc.sizes.text import PRETTY, PYTHON, Style

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose refusals are one sentence and an exit status, never a traceback."""

    whole = False
    """Whether a refusal has its rule and the ways out on lines of their own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse them; what is given twice, or does not go together, is a usage error."""
        if not ctx.resilient_parsing:
            check_given(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it: `Unreadable` is a usage error (2), any other refusal an answer (1), with `--json` a document."""
        try:
            if sys.stdout is None:
                raise click.UsageError("cannot write the answer: standard output is closed", ctx)
            return super().invoke(ctx)
        except Unreadable as error:
            raise click.UsageError(error.message, ctx) from None
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has seen enough
                raise
            raise click.UsageError(f"cannot write the answer: {error.strerror}", ctx) from None
        except ConvcalcError as error:
            refuse(error, nothing_found(_command(ctx)) if ctx.params.get("as_json") else None, whole=self.whole)


def _command(ctx: click.Context) -> str:
    """The command that was asked, such as "verify layers": its name, after that of the group it stands in."""
    names = []
    while ctx.parent is not None:
        names.append(str(ctx.command.name))
        ctx = ctx.parent
    return " ".join(reversed(names))


class NetworkCommand(Command):
    """A command on a network, where a layer refuses."""

    whole = True


def refuse(error: ConvcalcError, record: Mapping[str, Any] | None, *, whole: bool = False) -> NoReturn:
    """Say why the answer is no, in a document around `record` where there is one, and end with status 1."""
    if record is None:
        click.echo("\n".join(error_lines(error) if whole else [f"Error: {error.message}"]), err=True)
    else:
        echo_json(record, error)
    sys.exit(1)


class Parsed(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on only
    """A parameter read by one of the functions of `convcalc.arithmetic.notation`."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text; what cannot be read is a usage error."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except Unreadable as error:
            self.fail(error.message, param, ctx)


def read_size_or_range(text: str) -> Any:
    """Read a size per axis, or a range.

    >>> read_size_or_range("3..5"), read_size_or_range("28x32")
    (range(3, 6), (28, 32))
    """
    found = notation.read_range(text)
    return notation.read_size(text) if found is None else found


SIZE = Parsed("size", read_size_or_range)
PADDING = Parsed("padding", notation.read_padding)
INTEGER = Parsed("integer", notation.read_number)


class Form(NamedTuple):
    """The form in which an answer is asked for: a document, the answer alone, its formula in LaTeX, or words."""

    as_json: bool = False
    quiet: bool = False
    ascii_only: bool = False
    latex: bool = False

    @property
    def style(self) -> Style:
        """How formulas are written."""
        return text_style(self.ascii_only)

    def answer(
        self,
        record: Callable[[], Mapping[str, Any]],
        words: Callable[[], None],
        alone: Callable[[], Iterable[str]] | None = None,
        error: ConvcalcError | None = None,
        *,
        latex: Callable[[], Iterable[str]] = tuple,
        why: Sequence[str] | None = None,
    ) -> None:
        """Give the answer in this form, what of it is asked for alone; with an `error` end with status 1.

        `why` is said on standard error, unless the document tells it: the lines of the error unless given.
        """
        lines = latex if self.latex else alone if self.quiet else None
        if self.as_json:
            echo_json(record(), error)
        elif lines is not None:
            for line in lines():
                click.echo(line)
        else:
            words()
        if error is not None:
            said = error_lines(error) if why is None else why
            if said and not self.as_json:
                click.echo("\n".join(said), err=True)
            sys.exit(1)

    def rows(self, kind: str, letter: str, values: range, row: Callable[[int], Row], rule: str = "") -> None:
        """Give a row for each number of a range; end with status 1 where all are refused."""
        if self.latex:
            raise Unreadable(f"--latex prints one formula: give a symbol such as --n {letter} instead of a range")
        rows = [row(value) for value in values]
        errors = [one.error for one in rows if one.error is not None]
        none = None
        if len(errors) == len(rows):
            none = Refused(f"every row is refused, the first as {errors[0].message}", rule=rule or errors[0].rule)
        self.answer(
            lambda: {"kind": kind, "rows": [{**one.record, "error": one.error and one.error.record()} for one in rows]},
            lambda: click.echo(
                "\n".join(f"{letter} {value} -> {one.text}" for value, one in zip(values, rows, strict=True))
            ),
            lambda: [one.out for one in rows],
            none,
            why=(),
        )


class Row(NamedTuple):
    """The answer for one number of a range: in a document, alone, in words, and why there is none."""

    record: Mapping[str, Any]
    out: str
    text: str
    error: ConvcalcError | None


def form_options(alone: str = "", *, latex: bool = False) -> Callable[[F], F]:
    """Add --json, -q where something stands `alone`, --latex and --ascii; the command gets them as `form`."""

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def formed(*, as_json: bool, ascii_only: bool, quiet: bool = False, latex: bool = False, **more: Any) -> Any:
            return command(form=Form(as_json, quiet, ascii_only, latex), **more)

        options = [
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
            *([click.option("-q", "--quiet", is_flag=True, help=alone)] if alone else []),
            *(
                [click.option("--latex", is_flag=True, help="Print the formula as LaTeX, and nothing else.")]
                if latex
                else []
            ),
            click.option(
                "--ascii", "ascii_only", is_flag=True, help="Plain ASCII, as where the terminal is not UTF-8."
            ),
        ]
        wrapped: Any = formed
        for option in reversed(options):
            wrapped = option(wrapped)
        found: F = wrapped
        return found

    return decorate


def text_style(ascii_only: bool) -> Style:
    """Return how formulas are written: as people do where the output takes it, else as Python does."""
    if ascii_only:
        return PYTHON
    try:
        "⌊·−⌋".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PYTHON
    return PRETTY


def echo_json(record: Mapping[str, Any], error: ConvcalcError | None = None) -> None:
    """Print one JSON document: schema, version, the record, and the error if the answer is no and it has none."""
    click.echo(document({**record, "error": record.get("error") or (error and error.record())}))


def bold(text: str) -> str:
    """Return `text` in bold for a terminal; as it is where NO_COLOR is set."""
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)


def echo_answer(text: str) -> None:
    """Print an answer, its first line in bold where the terminal has it."""
    if sys.stdout.isatty():  # a terminal would cut words
        text = "\n".join(fold(text.splitlines(), terminal_width()))
    first, _, rest = text.partition("\n")
    click.echo(bold(first) + ("\n" + rest if rest else ""))


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = ()) -> None:
    """Print a table: on a terminal one that fits it, without the first `spare` columns if need be, else records."""
    if sys.stdout.isatty():
        print_table(columns, rows, spare)
    else:
        click.echo(plain_table(columns, rows))


def axes_of(entries: Mapping[str, Any]) -> int:
    """Return the number of axes that the values have between them; ranges and single values fit any.

    >>> axes_of({"n": (28, 32), "k": (3,), "s": range(1, 3)})
    2
    """
    counts = {name: len(value) for name, value in entries.items() if isinstance(value, tuple) and len(value) > 1}
    if len(set(counts.values())) > 1:
        raise Unreadable(f"as many axes everywhere: {', '.join(f'{name} has {n}' for name, n in counts.items())}")
    axes = max(counts.values(), default=1)
    if axes > 3:
        raise Unreadable(f"1 to 3 axes: got {axes}")
    return axes


def write_page(page: str, file: str) -> None:
    """Write a page to a file, and say so on standard error."""
    try:
        Path(file).write_text(page, encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"cannot write {file}: {error.strerror or error}") from None
    click.echo(f"{file}: {len(page.encode()):,} bytes", err=True)
