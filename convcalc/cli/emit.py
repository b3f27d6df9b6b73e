"""`convcalc emit`: answers as files of Python, to keep beside the model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from convcalc.cli.network import Asked, target_options
from convcalc.cli.opened import guarded, read_sizes
from convcalc.cli.options import Form, NetworkCommand, form_options
from convcalc.errors import ConvcalcError, NoSolution, Unreadable
from convcalc.export.code.emit import KINDS, Emitted
from convcalc.export.code.emit import emit as emit_code
from convcalc.layers.base import Shape


@click.command(cls=NetworkCommand, short_help="Lengths and masks as a file of Python, to keep.")
@click.argument("code", type=click.Choice(list(KINDS)), metavar="length|mask")
@target_options
@click.option("--axis", metavar="LETTER", help="Along which axis, where several sizes are letters.")
@click.option("--numpy", is_flag=True, help="length: NumPy arrays of lengths, and no torch.")
@click.option("-o", "--output", "file", metavar="FILE", help="Where to. [printed]")
@click.option("--check", "checked", metavar="FILE", help="Whether a file still fits TARGET; nothing of it is run.")
@form_options(alone="Print the formula alone.")
def emit(
    asked: Asked, form: Form, code: str, axis: str | None, numpy: bool, file: str | None, checked: str | None
) -> None:
    """Code that answers for TARGET along one axis, without convcalc: plain Python, torch the only import.

    \b
      convcalc emit length "conv 512 k10 s5; conv 512 k3 s2 *4" --input 1xT -o lengths.py
      convcalc emit mask net.py:Encoder --input 80xT -o masks.py
      convcalc emit length net.py:Encoder --input 1xTx80 --axis T --numpy
      convcalc emit mask net.py:Encoder --input 80xT --check masks.py
    \b
    length: output_length(n) of numbers and of tensors of lengths, SMALLEST, input_lengths(m).
    mask: besides, of a batch padded with zeros, frames_that_exist(lengths, total) and
    frames_unchanged(lengths, total): those that are as if each sequence had been run alone.
    The file runs a self-test by itself: python FILE. Its first lines say what it was made from.
    --check reads these, and ends with status 1 where the model has other answers: for CI.
    What has no exact code (attention, norms over the axis) is named, with status 1.
    TARGET and --input as in convcalc sizes; the axis has a letter for its size.
    """
    if numpy and code != "length":
        raise Unreadable(f"--numpy goes with length: a {code} is of tensors")
    graph, shapes, _ = read_sizes(asked)
    command = _command(asked, code, axis, file, numpy=numpy)
    given: list[Shape] = list(shapes.values())
    with guarded(asked.target, "walking"):
        found = emit_code(graph, code, given, axis=axis, numpy=numpy, command=command, network=asked.target)
    changes = () if checked is None else found.changes(_read(checked))
    if file is not None:
        _save(found, file)
    form.answer(
        lambda: {"kind": "emit", **found.record(), "file": file or checked, "changes": list(changes)},
        lambda: click.echo(_text(found, file, checked) if not changes else "\n".join(changes)),
        lambda: [found.formula],
        _changed(str(checked)) if changes else None,
    )


def _text(found: Emitted, file: str | None, checked: str | None) -> str:
    if checked is not None:
        return f"{checked} fits: {found.formula}, {found.legal}"
    if file is not None:
        return f"{file}: {found.kind} along {found.axis}, {found.formula}, {found.legal}"
    return str(found)


def _changed(file: str) -> ConvcalcError:
    return NoSolution(
        f"{file} does not fit the model any more", rule="the file says what the model does", fixes=["emit it again"]
    )


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is no text'}") from None


def _save(found: Emitted, file: str) -> None:
    try:
        found.save(file)
    except OSError as error:
        raise Unreadable(f"cannot write {file}: {error.strerror}") from None


def _command(asked: Asked, code: str, axis: str | None, file: str | None, *, numpy: bool) -> str:
    """The command line that makes the file again."""

    def typed(size: Any) -> str:
        return f"{size}={asked.sizes[str(size)]}" if str(size) in asked.sizes else str(size)

    words = ["convcalc", "emit", code, asked.target]
    for shape in asked.inputs:
        words += ["--input", "x".join(map(typed, shape))]
    words += [] if asked.batch == 1 else ["--batch", str(asked.batch).lower()]
    words += [] if asked.dtype is None else ["--dtype", asked.dtype]
    words += ["--train"] if asked.train else []
    for place, way in asked.assume.items():
        words += ["--assume", f"{place}={str(way).lower()}"]
    words += [] if axis is None else ["--axis", axis]
    words += ["--numpy"] if numpy else []
    words += [] if file is None else ["-o", file]
    return shlex.join(words)
