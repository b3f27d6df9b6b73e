"""Write the pictures of all pages anew, each from the command that stands on its page: python docs/draw_pictures.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from convcalc.cli import main

HERE = Path(__file__).parent


def commands() -> list[str]:
    """Every command of a page that writes a picture."""
    pages = [HERE.parent / "README.md", *sorted(HERE.glob("*.md"))]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    return [found[1] for line in lines if (found := re.match(r"\$ (convcalc draw .* -o pictures/\S+)$", line))]


def draw_all(where: Path = HERE) -> list[str]:
    """Run every command in the folder of the pages and return what each prints."""
    (where / "pictures").mkdir(exist_ok=True)
    said = []
    for line in commands():
        *arguments, name = shlex.split(line)[1:]
        result = CliRunner().invoke(main, [*arguments, str(where / name)], prog_name="convcalc", catch_exceptions=False)
        if result.exit_code:
            raise SystemExit(f"{line}: {result.output}")
        said.append(result.output.rstrip())
    return said


if __name__ == "__main__":
    print(*draw_all(), sep="\n")
