"""What a Python file has to name, read without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from convcalc.render.words import listed

SHOWN = 12
"""So many names are listed; the rest are counted."""


def names_no_network(file: str) -> str:
    """Return the sentence for a file that is named with nothing in it: the modules it has, or that it is no file.

    >>> names_no_network("none.py")
    "'none.py' names a file and nothing in it: write none.py:name"
    """
    found = modules_of(file)
    if not found:
        return f"{file!r} names a file and nothing in it: write {file}:name"
    return f"{file!r} names a file and nothing in it; it has {listed([f'{file}:{name}' for name in found], SHOWN)}"


def modules_of(file: str) -> list[str]:
    """Return the classes of a file that are torch modules by what they derive from, else what else it could mean.

    That is its functions, and names that a call is given to.
    """
    try:
        body = ast.parse(Path(file).read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return []
    classes = {entry.name: entry for entry in body if isinstance(entry, ast.ClassDef)}

    def is_module(name: str, seen: frozenset[str] = frozenset()) -> bool:
        bases = [ast.unparse(base).rpartition(".")[2] for base in classes[name].bases]
        kin = [base for base in bases if base in classes and base not in seen]
        return "Module" in bases or any(is_module(base, seen | {name}) for base in kin)

    modules = [name for name in classes if is_module(name)]
    others = [entry.name for entry in body if isinstance(entry, ast.FunctionDef)]
    for entry in body:
        if isinstance(entry, ast.Assign) and isinstance(entry.value, ast.Call):
            others += [target.id for target in entry.targets if isinstance(target, ast.Name)]
    return modules or [name for name in others if not name.startswith("_")]
