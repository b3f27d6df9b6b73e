"""Write docs/cli.md from the help of every command: python docs/generate_cli.py."""

from pathlib import Path

import click
from click.testing import CliRunner

from convcalc.cli import main

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

Written from the help of each command by `python docs/generate_cli.py`; a test keeps the two alike.

Exit status: **0** fine; **1** the question was read and the answer is no (torch would refuse, gridding, a mismatch,
no solution); **2** the question cannot be read (syntax, an unknown name, a missing file, extra or device), and then
nothing is printed on stdout. With `--json`, exit 1 still prints one whole document, with `error: {kind, message,
rule, fixes}`. Nothing that is typed is evaluated.

Values: `28`; `28x32` or `28×32`, one entry per axis; a name such as `H`, which stands for any size (the same name is
the same size: `NxN` is square); `24..40`, a range, one row each; padding `2`, `1:2` (before:after) or a name.

Completion: `_CONVCALC_COMPLETE=bash_source convcalc` prints what bash must source, `zsh_source` and `fish_source`
likewise:

```sh
eval "$(_CONVCALC_COMPLETE=bash_source convcalc)"
```
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    with click.Context(main) as context:
        for name in main.list_commands(context):
            parts += _command([name])
    return "\n".join(parts)


def _command(path: list[str]) -> list[str]:
    command: click.Command = main
    with click.Context(main) as context:
        for name in path:
            assert isinstance(command, click.Group)
            found = command.get_command(context, name)
            assert found is not None, name
            command = found
    text = CliRunner().invoke(main, [*path, "-h"], prog_name="convcalc", terminal_width=96).output
    parts = [f"## {' '.join(path)}\n\n```text\n{text.rstrip()}\n```\n"]
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                parts += _command([*path, name])
    return parts


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
