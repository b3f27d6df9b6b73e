"""Every example on every page, and in the README, is true."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from convcalc.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def console_blocks() -> list[tuple[str, str, Path]]:
    """Every console block as (page:line, text, page)."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found.append((f"{page.name}:{text[: block.start()].count(chr(10)) + 1}", block[1], page))
    return found


def files(page: Path) -> dict[str, str]:
    """The files that a page shows: Python blocks whose first line is their name, as "# net.py"."""
    blocks = re.findall(
        r"^```python\n(# (\w+\.py)\n.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return {name: text for text, name in blocks}


def runs(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def run(command: str) -> tuple[str, int]:
    """What `command` prints, both streams, and its exit status; `> file` keeps what it prints."""
    name, *arguments = shlex.split(command, comments=True)
    assert name == "convcalc", command
    arguments, _, kept = (*" ".join(map(shlex.quote, arguments)).partition(" '>' "),)
    result = CliRunner().invoke(main, shlex.split(arguments), prog_name="convcalc")
    if kept:
        Path(kept).write_text(result.stdout, encoding="utf-8")
        return result.stderr, result.exit_code
    return result.output, result.exit_code


@pytest.mark.parametrize(("place", "block", "page"), console_blocks(), ids=[place for place, _, _ in console_blocks()])
def test_commands_print_what_the_page_shows(place, block, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in files(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert runs(block), f"{place}: no command"
    (tmp_path / "pictures").mkdir()
    for command, shown in runs(block):
        output, status = run(command)
        expected = int((re.search(r"# exits with (\d)", command) or [0, 0])[1])
        assert [line.rstrip() for line in output.splitlines()] == [line.rstrip() for line in shown.splitlines()]
        assert status == expected, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_are_true(page):
    blocks = re.findall(r"^```(?:pycon|python)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert found.failed == 0


def test_a_wrong_example_would_be_caught():
    (command, shown), *_ = runs("$ convcalc conv --n 28 --k 5 -q\n25\n")
    assert run(command)[0] != shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_has_its_command_above_it(page):
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"^!\[[^\]]+\]\((pictures/[\w.]+)\)$", text, re.MULTILINE)
    assert shown == re.findall(r"^\$ convcalc draw .* -o (pictures/\S+)$", text, re.MULTILINE)


def test_the_command_line_page_is_the_help():
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.PAGE.read_text(encoding="utf-8") == generate.page(), "run: python docs/generate_cli.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_only_public_names_are_used(page):
    used = re.findall(r"(?:from|import) convcalc\.([\w.]+)", page.read_text(encoding="utf-8"))
    assert {name for name in used if name not in ("layers", "zoo")} == set()
