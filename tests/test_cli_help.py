"""The help: every command is listed once, and every example in it stands on its own line and runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from convcalc.cli import COMMANDS, main


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command, groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*path, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def help_of(*path: str) -> str:
    result = CliRunner().invoke(main, [*path, "-h"], prog_name="convcalc", terminal_width=96)
    assert result.exit_code == 0
    return result.output


def examples() -> list[str]:
    texts = [help_of(), *(help_of(*path) for path in commands())]
    return [line.strip() for text in texts for line in text.splitlines() if line.startswith("    convcalc ")]


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_help_is_laid_out_as_written(path):
    text = help_of(*path)
    assert "\\b" not in text
    assert all(line.count("convcalc ") <= 1 for line in text.splitlines() if line.startswith("    "))


@pytest.mark.parametrize("example", sorted({line for line in examples() if "verify" not in line and ".py" not in line}))
def test_every_example_runs(example, tmp_path, monkeypatch):  # but verify, thousands of layers long, and a user's files
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, shlex.split(example)[1:], prog_name="convcalc", catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    assert result.output


def test_every_command_but_the_root_has_examples():
    for path in commands():
        assert "    convcalc " in help_of(*path), path


def test_the_list_says_what_each_command_says_of_itself():
    context = click.Context(main)
    for name, (_, line) in COMMANDS.items():
        assert main.get_command(context, name).get_short_help_str(200) == line
