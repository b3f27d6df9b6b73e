"""Write docs/cli.md from the help of every command: python docs/generate_cli.py."""

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from convcalc.cli import main

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

Written from the help of each command by `python docs/generate_cli.py`; a test keeps the two alike.

Exit status: **0** fine; **1** the question was read and the answer is no (torch would refuse, gridding, a mismatch,
no solution); **2** the question cannot be read (syntax, an unknown name, a missing file, extra or device), and then
nothing is printed on stdout; **130** interrupted by Ctrl-C; **141** the reader has closed the pipe. With
`--json`, exit 1 still prints one whole document, with `error: {kind, message, rule, fixes}`. Nothing that is typed is
evaluated.

Values: `28`; `28x32` or `28×32`, one entry per axis; a name such as `H`, which stands for any size (the same name is
the same size: `NxN` is square); `24..40`, a range, one row each; padding `2`, `1:2` (before:after) or a name.
Nothing is dropped in silence: an option that takes one value and is given twice, or that does not go together with
another, as `--json` with `-q`, is a question that cannot be read.

Completion: `_CONVCALC_COMPLETE=bash_source convcalc` prints what bash must source, `zsh_source` and `fish_source`
likewise:

```sh
eval "$(_CONVCALC_COMPLETE=bash_source convcalc)"
```
"""


def page() -> str:
    """Return the text of the page."""
    return "\n".join([HEAD, *_below(main, [])])


def _below(group: click.Group, path: list[str]) -> Iterator[str]:
    """Yield the help of every command of a group, and of those below it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        text = CliRunner().invoke(main, [*path, name, "-h"], prog_name="convcalc", terminal_width=96).output
        yield f"## {' '.join([*path, name])}\n\n```text\n{text.rstrip()}\n```\n"
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _below(command, [*path, name])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
