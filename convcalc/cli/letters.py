"""The letters of a formula as options: `--n`, `--k`, `--s`, and what is sought of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import click

from convcalc.cli.options import PADDING, SIZE, Parsed, axes_of, form_options

Values: TypeAlias = dict[str, Any]
"""One value per axis under the letter of each option; a range where one was given."""

LISTED, MOST_LISTED = 20, 100_000
"""How many solutions are listed, and the most that may be asked for."""

WORDS = {
    "input_size": "n",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "output_padding": "op",
    "dilation": "d",
}
"""Torch's words for the letters, which --solve takes too."""


def _letter(letter: str, word: str, help: str, kind: Parsed = SIZE) -> Callable[[Any], Any]:  # noqa: A002
    """An option by its letter, as -k and --k, and by its word."""
    names = [f"-{letter}"] * (len(letter) == 1) + [f"--{letter}"] + [f"--{word}"] * bool(word)
    return click.option(*names, letter, type=kind, help=help)


OPTIONS = {
    "n": _letter("n", "", "Input size: 28, 28x32, N, 24..40. [default: the symbol n]"),
    "k": _letter("k", "kernel-size", "Kernel size; required, unless it is solved for."),
    "s": _letter("s", "stride", "Stride. [default: 1]"),
    "s of pool": _letter("s", "stride", "Stride. [default: the kernel size]"),
    "p": _letter(
        "p",
        "padding",
        "Padding of each side: 2, 1:2 (before:after), same, same-lower, valid, full, causal. [default: 0]",
        PADDING,
    ),
    "p of tconv": _letter("p", "padding", "Rows cut off each side: 2, or 1:2 (before:after). [default: 0]", PADDING),
    "p of pool": _letter(
        "p",
        "padding",
        "Padding of each side, half a kernel at most: 2, 1:2 (before:after), same, same-lower, valid. [default: 0]",
        PADDING,
    ),
    "d": _letter("d", "dilation", "Dilation. [default: 1]"),
    "op": _letter("op", "output-padding", "Output padding. [default: 0]"),
    "ceil": click.option("--ceil", "ceil_mode", is_flag=True, help="Round up, as torch's ceil_mode=True."),
}

SOLVING = [
    click.option(
        "--total-padding", "total", type=SIZE, metavar="P", help="Padding of both sides together, instead of --p."
    ),
    click.option("--out", "out", type=SIZE, metavar="M", help="The output size wanted, with --solve."),
    click.option(
        "--solve", "solve", multiple=True, metavar="VAR", help="What to find, such as p or padding; repeatable."
    ),
    click.option("--limit", type=click.IntRange(1, MOST_LISTED), help=f"Solutions to list. [default: {LISTED}]"),
    click.option("--bound", "bounds", multiple=True, metavar="VAR=MAX", help="Widen the box of --solve, as k=63."),
]


def formula_options(*letters: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of a formula: sizes by their letter, solving, and how to print."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command = form_options(alone="Print the answer alone.", latex=True)(command)
        for option in reversed([*(OPTIONS[letter] for letter in letters), *SOLVING]):
            command = option(command)
        return command

    return decorate


def per_axis(values: Values) -> list[Values]:
    """Return the values of each axis."""
    axes = axes_of(values)
    return [
        {name: value[axis] if len(value) > 1 else value[0] for name, value in values.items()} for axis in range(axes)
    ]
