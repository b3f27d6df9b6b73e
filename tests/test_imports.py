"""What an import costs, and that imports point downwards."""

import ast
import inspect
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import convcalc

ROOT = Path(convcalc.__file__).parent
HEAVY = {"torch", "sympy", "numpy", "rich", "matplotlib"}


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
        "convcalc.cli.nothing",
        "convcalc.cli.options",
        "convcalc.cli.together",
    }


@pytest.mark.parametrize("name", ["numpy", "sympy"])
def test_the_check_of_weight_can_fail(name):
    assert name in heavy(f"import {name}\n" + RUN.format(arguments="conv --n 28 --k 5 --p 2"))


def test_importing_the_package_imports_none_of_its_rooms():
    ours = {name for name in loaded("import convcalc") if name.partition(".")[0] in {"convcalc", "click", *HEAVY}}
    assert ours == {"convcalc"}


def test_a_public_formula_imports_nothing_heavy():
    assert heavy("import convcalc as cc\ncc.conv_out(28, k=5), cc.solve_conv(n=5, k=3, out=1, solve='s')") == set()


# -- layering ----------------------------------------------------------------------------------------------------

ORDER = [
    *(
        "explanation",
        "shown",
        "errors",
        "axes expr",
        "exprdivide exprsum exprtext",
        "sizes",
        "expreval",
        "quasiaffine",
        "branch",
        "join",
        "conditions",
        "formulas",
        "resizing",
    ),
    *(
        "solve_problem",
        "solve_near",
        "solve",
        "checkerboard tapsets",
        "window_size transpose_size",
        "footprint",
        "stencils",
        "product reads",
    ),
    *(
        "layers.settings layers.door input_size spelled",
        "layers.base",
        "layers.*",
        "layers",
        "notation",
        "shorthand",
        "chain",
        "graph",
        "blocks",
        "analysis",
        "zoo",
        "bridge",
        "render",
        "cli",
    ),
]
"""From the ground up: a room imports only rooms before it; those of one entry do not know each other."""

PACKAGES = ("analysis", "zoo", "bridge", "render", "cli")
"""Their own modules may know each other, as long as no cycle arises."""

LAZY_UPWARDS = {
    ("expr", "exprdivide"),
    ("expr", "exprsum"),
    ("expr", "exprtext"),
    ("expr", "expreval"),
    ("shown", "render.shown"),
    ("analysis.inspection", "bridge.trace"),
}
"""Inside functions: an expression knows its texts, takes values through the door of sizes; a result shows itself."""


def rank(module):
    """The place of a room in the order; None for one that the order does not name."""
    for place, entry in enumerate(ORDER):
        for name in entry.split():
            inside = name in PACKAGES and module.startswith(f"{name}.")
            among = name.endswith(".*") and module.startswith(name[:-1]) and module not in ORDER
            if module == name or inside or among:
                return place
    return None


def modules():
    """Every module but the package's own door, parsed, by its name without `convcalc.`."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}
    return {
        name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if name not in ("__init__", "__main__")
    }


def imports(tree):
    """Every import of a module as (its name, whether it stands inside a function)."""

    def visit(node, lazy):
        for child in ast.iter_child_nodes(node):
            deeper = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.Import):
                yield from ((alias.name, lazy) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                for alias in child.names:
                    yield f"{child.module}.{alias.name}", lazy
            yield from visit(child, deeper)

    return visit(tree, False)


TREES = modules()
NAMES = set(TREES)


def rooms(tree):
    """The rooms of convcalc that a module imports, as (room, lazy)."""
    for name, lazy in imports(tree):
        inner = name.removeprefix("convcalc.")
        if name == inner:
            continue
        room = inner if inner in NAMES else inner.rpartition(".")[0]
        if room in NAMES:
            yield room, lazy


def test_every_room_named_in_the_order_is_there():
    named = {name.removesuffix(".*") for entry in ORDER for name in entry.split()}
    assert named <= NAMES


@pytest.mark.parametrize("module", sorted(NAMES))
def test_imports_point_downwards(module):
    tree = TREES[module]
    place = rank(module)
    for room, lazy in rooms(tree):
        below = rank(room)
        if place is None or below is None or (lazy and (module, room) in LAZY_UPWARDS):
            continue
        together = below == place and ORDER[place] in ("layers.*", *PACKAGES)
        assert below < place or together, f"{module} imports {room}"


def test_no_room_outside_imports_a_face():
    for module, tree in TREES.items():
        for room, lazy in rooms(tree):
            if room.split(".")[0] == "cli":
                assert module.split(".")[0] == "cli", f"{module} imports {room}"
            if room.split(".")[0] == "render" and not (lazy and (module, room) in LAZY_UPWARDS):
                assert module.split(".")[0] in ("render", "cli"), f"{module} imports {room}"


def test_imports_have_no_cycle():
    graph = {module: {room for room, lazy in rooms(tree) if not lazy} - {module} for module, tree in TREES.items()}
    assert set(TopologicalSorter(graph).static_order()) >= NAMES


def test_the_check_of_direction_can_fail():
    tree = ast.parse(
        "def f():\n    from convcalc.cli import main\nfrom convcalc import layers\nimport convcalc.arithmetic.solving.solutions"
    )
    assert set(rooms(tree)) == {("cli", True), ("layers", False), ("solve", False)}
    assert rank("formulas") < rank("layers.pool") < rank("layers") < rank("cli") == rank("cli.options")


def test_only_the_bridge_imports_torch():
    importers = {
        module for module, tree in TREES.items() if any(name.split(".")[0] == "torch" for name, _ in imports(tree))
    }
    assert importers
    assert {module.split(".")[0] for module in importers} == {"bridge"}


def test_no_module_has_the_name_of_a_public_function():
    public = {name for name in convcalc.__all__ if inspect.isroutine(getattr(convcalc, name))}
    assert "conv_out" in public
    assert public & {name.split(".")[0] for name in NAMES} == set()
    for module in ("formulas", "resizing", "solve", "window_size", "shorthand", "notation", "chain", "reads"):
        room = __import__(f"convcalc.{module}", fromlist=["*"])
        functions = {name for name, value in vars(room).items() if inspect.isfunction(value) and name[0] != "_"}
        assert functions & {name.split(".")[0] for name in NAMES} == set()
