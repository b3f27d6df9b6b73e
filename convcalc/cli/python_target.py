"""A graph, block or layer in Python code: `net.py:name`, `pkg.mod:name`, `net.py:make(10, depth=3)`.

Loading Python code runs it, as pytest would. What stands after the colon is parsed, never evaluated: a name, or one
call with literals. A name that means a function or class is called too, without arguments. Only functions and classes
written in the working directory (or beside the file, or in convcalc itself) are called, so that `os:system('x')` is
refused before `os` is looked at, and `torch.hub:load('x')` before torch is imported.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module, invalidate_caches
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from convcalc.blocks import Block, as_graph
from convcalc.errors import Unreadable
from convcalc.graph import Graph
from convcalc.layers import Layer

_PRIVATE = "convcalc target "
"""How files that are targets are called among the modules: never as a module that is something else."""


class _Asked(NamedTuple):
    """What stands after the colon: a dotted name, and the arguments of a call, if it is one."""

    names: tuple[str, ...]
    call: tuple[list[Any], dict[str, Any]] | None


def load_python(place: str, asked: str) -> Graph:
    """Return the graph that `asked` means in the file or module `place`; raises `Unreadable`.

    >>> load_python("convcalc.zoo", "lenet(modern=True)")
    Graph(lenet: 12 nodes: input -> fc3)
    >>> load_python("os", "system('x')")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: os:system('x') would call code of os, which is not in the working directory: only \
functions and classes of your own are called; put the result in a file of yours and name that, as net.py:net
    """
    text = f"{place}:{asked}"
    wanted = _read(text, asked)
    file = Path(place) if place.endswith(".py") else None
    if file is None and not all(part.isidentifier() for part in place.split(".")):
        raise Unreadable(f"{place!r} is no name of a module: write pkg.mod:name, or net.py:name")
    folder = Path.cwd() if file is None else file.resolve().parent
    if wanted.call is not None and file is None:
        _check_home(text, place.partition(".")[0], folder)
    with _importable(folder):
        module = _module(place, folder) if file is None else _file(file)
        found = _attribute(text, place, module, wanted.names)
        if wanted.call is not None or inspect.isfunction(found) or inspect.isclass(found):
            _check_callable(text, found, folder)
            values, settings = wanted.call or ([], {})
            with reported(f"calling {text}", folder):
                found = found(*values, **settings)
        if not isinstance(found, Graph | Block | Layer):
            raise Unreadable(_wrong(text, found))
        with reported(f"wiring {text}", folder):
            return as_graph(found, name=text)


def _read(text: str, asked: str) -> _Asked:
    """Parse a dotted name or a call with literals."""
    try:
        body = ast.parse(asked.strip(), mode="eval").body
        if not isinstance(body, ast.Call):
            return _Asked(_dotted(body), None)
        if all(word.arg for word in body.keywords):
            settings = {word.arg or "": ast.literal_eval(word.value) for word in body.keywords}
            return _Asked(_dotted(body.func), ([ast.literal_eval(value) for value in body.args], settings))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    raise Unreadable(
        f"cannot read {asked!r} in {text!r}: after the colon stands a name, or one call with literals, as "
        "make(10, depth=3)"
    )


def _dotted(node: ast.expr) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=value, attr=name):
            return (*_dotted(value), name)
        case _:
            raise ValueError("no dotted name")


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Have `folder` first on the path of imports, and what loading prints on standard error."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    invalidate_caches()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


def _file(file: Path) -> ModuleType:
    _check_file(file)
    name = f"{_PRIVATE}{file.resolve()}".replace(".", " ")  # a dot would make it part of a package
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
        near = _near(file.name, [other.name for other in file.parent.glob("*.py")])
    except OSError:  # a name too long, a folder that may not be read
        near = ""
    raise Unreadable(f"no file {str(file)!r}{near}")


def _module(name: str, folder: Path) -> ModuleType:
    try:
        with reported(f"loading {name}", folder, ModuleNotFoundError):
            return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            near = _near(missing, [file.stem for file in folder.glob("*.py")])
            raise Unreadable(f"no module {missing!r} here or installed{near}") from None
        raise Unreadable(f"loading {name} fails: no module {missing!r}") from None


def _attribute(text: str, place: str, module: ModuleType, names: Iterable[str]) -> Any:
    found: Any = module
    for name in names:
        with reported(f"loading {text}", Path()):
            known = [other for other in dir(found) if not other.startswith("_")]
            missing = not hasattr(found, name)
        if missing:
            raise Unreadable(f"{place} has no {name!r}{_near(name, known)}")
        found = getattr(found, name)
    return found


@contextmanager
def reported(doing: str, folder: Path, *let_pass: type[Exception]) -> Iterator[None]:
    """Turn what code of others raises while `doing` into `Unreadable`, with its last line of a file in `folder`.

    >>> with reported("loading net.py", Path("models")):
    ...     {}["fc"]
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: loading net.py fails: KeyError: 'fc'
    """
    try:
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
    return f"{type(error).__name__}: {' '.join(message.split())}" if message else type(error).__name__


# -- what may be called, and what comes out ------------------------------------------------------------------------


def _check_home(text: str, package: str, folder: Path) -> None:
    """Before anything is imported for a call: the module stands in the working directory, or is convcalc."""
    if package == "convcalc":
        return
    spec = PathFinder.find_spec(package, [str(folder)])
    if spec is None or package in sys.builtin_module_names:
        if package not in sys.modules and PathFinder.find_spec(package) is None:
            near = _near(package, [file.stem for file in folder.glob("*.py")])
            raise Unreadable(f"no module {package!r} here or installed{near}")
        raise Unreadable(_foreign(text, package))


def _check_callable(text: str, found: Any, folder: Path) -> None:
    """A call reaches only functions and classes written in `folder` or in convcalc."""
    if _is_torch(found):
        raise Unreadable(_wrong(text, found))
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        raise Unreadable(f"{text} calls {_a(found)}, which is no function or class: leave the parentheses out")
    name = str(found.__module__)
    home = sys.modules.get(name if name.startswith(_PRIVATE) else name.partition(".")[0])
    if home is None or (home.__name__ != "convcalc" and folder.resolve() != _folder_of(home)):
        raise Unreadable(_foreign(text, name))


def _folder_of(module: ModuleType) -> Path | None:
    """The folder that a module, or the folder of a package, stands in."""
    for place in [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]:
        return None if place is None else Path(place).resolve().parent
    return None


def _foreign(text: str, module: str) -> str:
    return (
        f"{text} would call code of {module}, which is not in the working directory: only functions and classes of "
        f"your own are called; put the result in a file of yours and name that, as net.py:net"
    )


def _wrong(text: str, found: Any) -> str:
    if _is_torch(found):
        return f"{text} is a torch module: this version inspects convcalc graphs, blocks, stacks and zoo networks"
    return f"{text} is {_a(found)}, no graph, block or layer of convcalc"


def _is_torch(found: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    return isinstance(found, torch.nn.Module) or (inspect.isclass(found) and issubclass(found, torch.nn.Module))


def _a(found: Any) -> str:
    name = type(found).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""
