"""A network in Python code: `net.py:name`, `pkg.mod:name`, `net.py:make(10, depth=3)`, `torchvision.models:resnet18`.

Loading Python code runs it, as pytest would. What stands after the colon is parsed, never evaluated: a name, or one
call with literals. A name that means a function or class is called too, without arguments. What may be called is said
in `convcalc.cli.target.permission`.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module, invalidate_caches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from convcalc.cli.target.permission import PRIVATE, a_kind, call, check_callable, check_import, is_network, is_own, near
from convcalc.errors import Unreadable
from convcalc.layers import Layer
from convcalc.network.blocks import Block, as_graph
from convcalc.network.graph import Graph
from convcalc.zoo import read_call


def load_python(place: str, asked: str, *, values: bool = False) -> Any:
    """Return the graph or `torch.nn.Module` that `asked` means in the file or module `place`; raises `Unreadable`.

    A module is built without memory for its weights where that is possible, unless their `values` are needed.

    >>> load_python("convcalc.zoo", "lenet(modern=True)")
    Graph(lenet: 12 nodes: input -> fc3)
    >>> load_python("os", "system('x')")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: os:system('x') would call code of os, which is not in the working directory: only \
functions and classes of your own, classes of torch.nn.Module and functions that make a model of torchvision, timm, \
segmentation_models_pytorch, monai are called; if that is what you want, write 'import os' and 'def net(): return \
os.system('x')' into a file of yours, net.py, and name net.py:net
    """
    text = f"{place}:{asked}"
    wanted = read_call(asked)
    if wanted is None:
        raise Unreadable(
            f"cannot read {asked!r} in {text!r}: after the colon stands a name, or one call with literals, as "
            "make(10, depth=3)"
        )
    file = Path(place) if place.endswith(".py") else None
    if file is None and not all(part.isidentifier() for part in place.split(".")):
        raise Unreadable(f"{place!r} is no name of a module: write pkg.mod:name, or net.py:name")
    folder = Path.cwd() if file is None else file.resolve().parent
    if file is None:
        check_import(text, place.partition(".")[0], folder)
    with _importable(folder):
        module = _module(place, folder) if file is None else _file(file)
        found = _attribute(text, place, module, wanted.name.split("."))
        if wanted.called or inspect.isfunction(found) or inspect.isclass(found):
            check_callable(text, found, folder)
            with reported(f"calling {text}", folder, Unreadable):
                own = is_own(found, folder)
                found = call(text, found, wanted.values, wanted.settings, own=own, filled=values)
        if is_network(found) and not isinstance(found, type):
            return found
        if not isinstance(found, Graph | Block | Layer):
            raise Unreadable(_wrong(text, found))
        with reported(f"wiring {text}", folder):
            return as_graph(found, name=text)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Have `folder` first on the path of imports."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _file(file: Path) -> ModuleType:
    _check_file(file)
    name = f"{PRIVATE}{file.resolve()}".replace(".", " ")  # a dot would make it part of a package
    spec = spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise Unreadable(f"{str(file)!r} is no Python file")
    module = sys.modules[name] = module_from_spec(spec)  # dataclasses look their module up
    with reported(f"loading {file}", file.resolve().parent):
        spec.loader.exec_module(module)
    return module


def _check_file(file: Path) -> None:
    try:
        if file.is_file():
            return
        hint = near(file.name, [other.name for other in file.parent.glob("*.py")])
    except OSError:  # a name too long, a folder that may not be read
        hint = ""
    raise Unreadable(f"no file {str(file)!r}{hint}")


def _module(name: str, folder: Path) -> ModuleType:
    try:
        with reported(f"loading {name}", folder, ModuleNotFoundError):
            return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            hint = near(missing, [file.stem for file in folder.glob("*.py")])
            raise Unreadable(f"no module {missing!r} here or installed{hint}") from None
        raise Unreadable(f"loading {name} fails: no module {missing!r}{near(missing, [])}") from None


def _attribute(text: str, place: str, module: ModuleType, names: Iterable[str]) -> Any:
    found: Any = module
    for name in names:
        with reported(f"loading {text}", Path()):
            known = [other for other in dir(found) if not other.startswith("_")]
            missing = not hasattr(found, name)
        if missing:
            raise Unreadable(f"{place} has no {name!r}{near(name, known)}")
        found = getattr(found, name)
    return found


@contextmanager
def reported(doing: str, folder: Path, *let_pass: type[Exception]) -> Iterator[None]:
    """Turn what code of others raises while `doing` into `Unreadable`, with its last line of a file in `folder`.

    What it prints goes to standard error.

    >>> with reported("loading net.py", Path("models")):
    ...     {}["fc"]
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: loading net.py fails: KeyError: 'fc'
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except let_pass:
        raise
    except (Exception, SystemExit) as error:
        raise Unreadable(f"{doing} fails{_line(error, folder)}: {_sentence(error)}") from None


def _line(error: BaseException, folder: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f" at {Path(error.filename).name}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _sentence(error: BaseException) -> str:
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # a message that cannot be made
        message = ""
    said = f"{type(error).__name__}: {' '.join(message.split())}" if message else type(error).__name__
    return said + (near(error.name, []) if isinstance(error, ModuleNotFoundError) and error.name else "")


def _wrong(text: str, found: Any) -> str:
    return f"{text} is {a_kind(found)}, no torch module, and no graph, block or layer of convcalc"
