"""What a Python target may call, and how it is called.

Naming a module imports it, which runs its code: nothing can be said of it before. What is *called* is less:

- functions and classes of your own, which stand in the working directory or beside the file; those of convcalc;
- classes of networks, which are subclasses of `torch.nn.Module`, wherever they are written;
- functions of a short list that make a model, as `torchvision.models:resnet18` and `timm:create_model('resnet50')`:
  `convcalc.cli.target.constructors`.

So `os:system('x')` is refused before `os` is imported, as all of the standard library is, and `torch:load('x')`,
`monai.bundle:run('x')`, `numpy:load('x')` before they are called.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from convcalc.cli.target.constructors import CONSTRUCTORS, is_constructor
from convcalc.errors import Unreadable, nearest

PRIVATE = "convcalc target "
"""How files that are targets are called among the modules: never as a module that is something else."""


def check_import(text: str, package: str, folder: Path) -> None:
    """Refuse the standard library, and what is not there, before anything is imported; `folder` comes first."""
    if package == "convcalc":
        return
    builtin = package in sys.builtin_module_names
    if not builtin and PathFinder.find_spec(package, [str(folder)]) is not None:
        return
    if builtin or package in sys.stdlib_module_names:
        raise Unreadable(_foreign(text, package))
    if package not in sys.modules and PathFinder.find_spec(package) is None:
        known = near(package, [file.stem for file in folder.glob("*.py")])
        raise Unreadable(f"no module {package!r} here or installed{known}")


def check_callable(text: str, found: Any, folder: Path) -> None:
    """Refuse what is neither a function or class of your own, nor a class of networks or a constructor of models."""
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        raise Unreadable(f"{text} calls {a_kind(found)}, which is no function or class: leave the parentheses out")
    if is_own(found, folder) or is_network(found):
        return
    if inspect.isfunction(found) and is_constructor(found):
        return
    raise Unreadable(_foreign(text, str(found.__module__)))


def is_own(found: Any, folder: Path) -> bool:
    """Whether a function or class is written in `folder`, or in convcalc."""
    name = str(found.__module__)
    home = sys.modules.get(name if name.startswith(PRIVATE) else name.partition(".")[0])
    return home is not None and (home.__name__ == "convcalc" or folder.resolve() == _folder_of(home))


def is_network(found: Any) -> bool:
    """Whether this is a module of torch, or a class of them; False as long as nobody has imported torch.

    >>> is_network(int)
    False
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    return isinstance(found, torch.nn.Module) or (inspect.isclass(found) and issubclass(found, torch.nn.Module))


def call(
    text: str, found: Any, values: Sequence[Any], settings: Mapping[str, Any], *, own: bool, filled: bool = False
) -> Any:
    """Return what a call gives; networks of torch are built without memory for their weights where that is possible.

    Where they are to be `filled`, with weights as they begin.

    While code that is not your `own` runs, torch loads no checkpoint: that would unpickle what it downloads.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return found(*values, **settings)
    device = nullcontext() if filled else torch.device("meta")
    with _nothing_loaded("" if own else text):
        try:
            with device:
                return found(*values, **settings)
        except Unreadable:
            raise
        except Exception:  # it needs values while it is built; what is really wrong comes up again
            return found(*values, **settings)


_LOADERS = (
    ("torch", "load"),
    ("torch.serialization", "load"),
    ("torch.hub", "get_dir"),
    ("torch.hub", "download_url_to_file"),
    ("socket", "getaddrinfo"),
)
"""The ways to a checkpoint: files that are unpickled, the folder of torch.hub, whatever is fetched from elsewhere."""


@contextmanager
def _nothing_loaded(text: str) -> Iterator[None]:
    """Refuse checkpoints for a while, if `text` is to be blamed."""

    def refuse(*values: Any, **settings: Any) -> Any:
        raise Unreadable(
            f"{text} would load a checkpoint, and checkpoints are not loaded: leave the weights out, as weights=None, "
            f"weights_backbone=None, encoder_weights=None or pretrained=False; shapes and costs are the same"
        )

    homes = [] if not text else [(sys.modules[module], name) for module, name in _LOADERS if module in sys.modules]
    before = [(home, name, getattr(home, name)) for home, name in homes]
    try:
        for home, name in homes:
            setattr(home, name, refuse)
        yield
    finally:
        for home, name, loader in before:
            setattr(home, name, loader)


def _folder_of(module: ModuleType) -> Path | None:
    """The folder that a module, or the folder of a package, stands in."""
    for place in [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]:
        return None if place is None else Path(place).resolve().parent
    return None


def _foreign(text: str, module: str) -> str:
    place = text.partition("(")[0].rpartition(":")[0]
    asked = text[len(place) + 1 :]
    made = asked if asked.endswith(")") else f"{asked}()"
    if place.endswith(".py"):
        way = f"write 'def net(): return {made}' into {Path(place).name} and name {Path(place).name}:net"
    else:
        lines = f"'import {place}' and 'def net(): return {place}.{made}'"
        way = f"write {lines} into a file of yours, net.py, and name net.py:net"
    return (
        f"{text} would call code of {module}, which is not in the working directory: only functions and classes of "
        f"your own, classes of torch.nn.Module and functions that make a model of {', '.join(CONSTRUCTORS)} are "
        f"called; if that is what you want, {way}"
    )


def a_kind(found: Any) -> str:
    """Return what something is, with its article.

    >>> a_kind(3), a_kind("text")
    ('an int', 'a str')
    """
    name = type(found).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def near(name: str, names: Iterable[str]) -> str:
    """Return the nearest of some names as a question, or nothing; of torch, how it is installed.

    >>> near("nett", ["net", "main"])
    '; did you mean net?'
    """
    if name.partition(".")[0] == "torch":
        return "; pip install 'convcalc[torch]'"
    close = nearest(name, names)
    return f"; did you mean {close}?" if close else ""
