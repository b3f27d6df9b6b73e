"""What an import costs, and that imports point downwards."""

import ast
import inspect
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import convcalc

ROOT = Path(convcalc.__file__).parent
HEAVY = {"torch", "sympy", "numpy", "rich", "PIL"}


def loaded(code):
    """The names of the modules that a fresh interpreter holds after `code`."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n' + ' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent), "PYTHONIOENCODING": "utf-8"},
        timeout=60,
    )
    return set(result.stdout.splitlines()[-1].split())


def heavy(code):
    return HEAVY & loaded(code)


# -- weight ------------------------------------------------------------------------------------------------------

RUN = "from convcalc.cli import main\nmain({arguments!r}.split(), standalone_mode=False)"


@pytest.mark.parametrize(
    "arguments",
    [
        "conv --n 28 --k 5 --p 2",
        "conv --n 28 --k 5 --p 2 --json",
        "conv --k 3 --s 2 --latex",
        "conv --n 28 --out 14 --solve k --solve s",
        "tconv --n 14 --k 4 --s 2 --p 1",
        "pool --n 24..30 --k 3 --ceil",
    ],
)
def test_arithmetic_imports_nothing_heavy(arguments):
    assert heavy(RUN.format(arguments=arguments)) == set()


def test_a_command_imports_no_other_command():
    modules = loaded(RUN.format(arguments="conv --n 28 --k 5 --p 2"))
    assert {name for name in modules if name.startswith("convcalc.cli.")} <= {
        "convcalc.cli.conv",
        "convcalc.cli.formula",
        "convcalc.cli.letters",
        "convcalc.cli.nothing",
        "convcalc.cli.options",
        "convcalc.cli.together",
    }


@pytest.mark.parametrize("name", ["numpy", "sympy"])
def test_the_check_of_weight_can_fail(name):
    assert name in heavy(f"import {name}\n" + RUN.format(arguments="conv --n 28 --k 5 --p 2"))


def test_importing_the_package_imports_none_of_its_rooms():
    ours = {name for name in loaded("import convcalc") if name.partition(".")[0] in {"convcalc", "click", *HEAVY}}
    assert ours == {"convcalc", "convcalc.version"}


def test_a_public_formula_imports_nothing_heavy():
    assert heavy("import convcalc as cc\ncc.conv_out(28, k=5), cc.solve_conv(n=5, k=3, out=1, solve='s')") == set()


# -- layering ----------------------------------------------------------------------------------------------------

TOWER = [
    "__main__",
    "cli",
    "export",
    "api",
    "designs",
    "bridge",
    "analysis",
    "zoo",
    "network",
    "layers",
    "footprints",
    "arithmetic",
    "render",
    "sizes",
    "shown",
    "errors",
    "version",
]
"""The rooms of the house, from the top down: each imports only rooms below it. docs/architecture.md draws it."""


def modules():
    """Every module but the package's own door, parsed, by its name without `convcalc.`."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}
    return {
        name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if name != "__init__"
    }


def imports(tree):
    """The full name of everything imported, inside functions too; what is for type checkers alone is left out."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are written in full"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from imports(child)


TREES = modules()
DOOR = "convcalc"


def files(tree):
    """The modules of convcalc that a module imports; the package's own door among them."""
    found = set()
    for name in imports(tree):
        head, _, inner = name.partition(".")
        if head == DOOR:
            found.add(next((part for part in (inner, inner.rpartition(".")[0]) if part in TREES), DOOR))
    return found


def room(module):
    return module.split(".")[0]


def climbs(module, tree):
    """The imports of a module that do not point downwards."""
    place = TOWER.index(room(module))
    return {other for other in files(tree) if other == DOOR or TOWER.index(room(other)) < place}


def circle(graph):
    """A circle in a graph of what imports what, or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_the_tower_names_every_room_and_nothing_else():
    there = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__"} == set(TOWER)


def test_every_folder_is_a_package():
    assert [path for path in ROOT.rglob("*.py") if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("module", sorted(TREES))
def test_imports_point_downwards(module):
    assert climbs(module, TREES[module]) == set()


def test_no_file_is_in_a_circle_of_imports():
    assert circle({module: files(tree) - {module} for module, tree in TREES.items()}) is None


def test_no_folder_inside_a_room_is_in_a_circle_of_imports():
    folders = {name for name, path in ((name, ROOT.joinpath(*name.split("."))) for name in TREES) if path.is_dir()}
    inside = {
        name: max((f for f in folders if f"{name}.".startswith(f"{f}.")), key=len, default=name) for name in TREES
    }
    graph = {}
    for module, tree in TREES.items():
        own = inside[module]
        if "." in own:  # files that stand beside folders are looked at one by one, by the test above
            graph.setdefault(own, set()).update(inside[f] for f in files(tree) if "." in inside.get(f, ""))
    assert graph
    assert circle({folder: others - {folder} for folder, others in graph.items()}) is None


def test_the_checks_of_direction_can_fail():
    source = """
if TYPE_CHECKING:
    from convcalc.api import inspect

def f():
    from convcalc.cli import main

from convcalc import __version__
from convcalc.sizes.expr import Expr
import convcalc.bridge.trace
"""
    tree = ast.parse(source)
    assert files(tree) == {"cli", DOOR, "sizes.expr", "bridge.trace"}
    assert climbs("analysis.fields", tree) == {"cli", DOOR, "bridge.trace"}
    assert climbs("api", tree) == {"cli", DOOR}
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) is not None
    assert circle({"a": {"b", "c"}, "b": {"c"}}) is None


def test_only_the_bridge_imports_torch():
    importers = {
        module for module, tree in TREES.items() if any(name.split(".")[0] == "torch" for name in imports(tree))
    }
    assert importers
    assert {room(module) for module in importers} == {"bridge"}


def test_no_module_has_the_name_of_a_public_function():
    public = {name for name in convcalc.__all__ if inspect.isroutine(getattr(convcalc, name))}
    assert "conv_out" in public
    assert public & {room(name) for name in TREES} == set()


def test_the_code_of_convcalc_is_known_where_the_bridge_asks_whose_a_line_is():
    lines = pytest.importorskip("convcalc.bridge.hearing.lines")
    assert Path(lines.OURS) == ROOT
