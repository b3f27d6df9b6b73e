"""Write docs/limits.md from the constants of the package and the words below each: python docs/generate_limits.py."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import convcalc

PAGE = Path(__file__).with_name("limits.md")
PACKAGE = Path(convcalc.__file__).parent
HEAD = """# Limits

Where convcalc stops looking, lists no more, or says that it does not know, written from the constants in its code by
`python docs/generate_limits.py`; a test keeps the two alike. Beyond a limit an answer is refused in a sentence, said to
be observed and not proved, or called unknown; it is never guessed. Sizes themselves have no limit but the digits of a
number, and what torch can hold.
"""
ROOMS = {
    "": "Arithmetic, footprints, stacks",
    "analysis": "Networks",
    "bridge": "Torch modules",
    "cli": "Command line",
    "render": "What is shown",
}
NO_LIMITS = ("INTERRUPTED", "CLOSED_PIPE", "ROUNDING", "_SAFE")
"""Exit statuses, a tolerance, and where one way of computing gives way to another as exact."""


class Limit(NamedTuple):
    """A constant: the module it is in, its name, and the text below it."""

    module: str
    name: str
    text: str

    @property
    def value(self) -> str:
        """The number, as a power where it is one of note."""
        number = getattr(import_module(self.module), self.name)
        for base in (10, 2):
            power = 0
            while isinstance(number, int) and base**power < number:
                power += 1
            if number >= 10**12 * (base == 10) + 2**16 * (base == 2) and base**power == number:
                return f"{base}^{power}"
        return f"{number:,}"


def limits() -> Iterator[Limit]:
    """Yield every constant of the package that is a number, but for the pixels of pictures."""
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(PACKAGE.parent).with_suffix("")
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for one, after in zip(body, [*body[1:], None], strict=True):
            text = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                text = " ".join(str(after.value.value).split())
            for name in _numbers(one):
                if name not in NO_LIMITS and not text.startswith("Pixels"):
                    yield Limit(".".join(path.parts).removesuffix(".__init__"), name, text)


def _numbers(one: ast.stmt) -> list[str]:
    """The names in capitals that a statement gives a number, or several."""
    if not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Name | ast.Tuple):
        return []
    targets = one.targets[0].elts if isinstance(one.targets[0], ast.Tuple) else [one.targets[0]]
    values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
    names = [target.id for target in targets if isinstance(target, ast.Name) and target.id.strip("_").isupper()]
    return names if len(names) == len(values) and all(map(_is_number, values)) else []


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value is not True


def page() -> str:
    """Return the text of the page."""
    found = list(limits())
    parts = [HEAD]
    for room, title in ROOMS.items():
        rows = [
            f"| {one.value} | {one.text} | `{one.module.removeprefix('convcalc.')}.{one.name}` |"
            for one in found
            if (one.module.split(".")[1] if one.module.split(".")[1] in ROOMS else "") == room
        ]
        parts.append("\n".join([f"## {title}\n", "| limit | of what | where |", "| ---: | --- | --- |", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
