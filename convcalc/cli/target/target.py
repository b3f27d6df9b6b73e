"""What a command works on, from one text: a network of the zoo, a stack, or a network in Python code.

::

    resnet18                     a network of the zoo
    resnet18(classes=10)         the same with arguments
    "conv 64 k4 s2; relu"        a stack, as `convcalc stack` reads it
    net.py:net                   a name in a file
    pkg.mod:net                  a name in a module that can be imported from the working directory
    net.py:make(10, depth=3)     what a function or class of yours returns; arguments are literals
    torchvision.models:resnet18  what a model library has

Nothing is evaluated; Python code that is named is loaded, which runs it (see `convcalc.cli.target.python`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from convcalc import zoo
from convcalc.analysis.chain import chained
from convcalc.cli.target.naming import names_no_network
from convcalc.cli.target.python import load_python
from convcalc.errors import ConvcalcError, Unreadable, nearest
from convcalc.network.graph import Graph
from convcalc.network.stack import OPS, read_stack

T = TypeVar("T")

_FORMS = "write a zoo network, a stack such as 'conv 64 k3; relu', or net.py:name"


_WEIGHTS = ("pt", "pth", "ckpt", "safetensors", "bin", "pkl", "pickle", "onnx", "h5", "npz", "tar")
"""What files of weights are called."""


def load_target(text: str, *, values: bool = False) -> Any:
    """Return the graph that a text means, or the `torch.nn.Module` in Python code, with `values` of weights or without.

    Raises `Unreadable`, in one sentence, whatever is wrong: an unknown name, a missing file, an exception in it.

    >>> load_target("lenet(classes=7)"), load_target("conv 64 k4 s2 p1 *3; relu")
    (Graph(lenet: 12 nodes: input -> fc3), Graph(4 nodes: input -> relu1))
    >>> load_target("lnet")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: no network 'lnet' in the zoo; did you mean lenet?
    """
    text = text.strip()
    if not text or "\0" in text:
        raise Unreadable(f"{text!r} is no target: {_FORMS}")
    place, asked = _split(text)
    _check_file(place)
    if asked is not None and (place.endswith(".py") or re.fullmatch(r"[\w.]+", place)):
        return load_python(place, asked, values=values)
    if re.fullmatch(r"\S+\.py", text):
        raise Unreadable(names_no_network(text))
    if re.fullmatch(r"\S+\.json", text):
        raise Unreadable(f"{text!r} is a saved report: convcalc compare takes it")
    dotted = re.fullmatch(r"([A-Za-z_]\w*(?:\.\w+)*)\.(\w+(?:\(.*\))?)", text)
    if dotted and "nn" not in dotted[1].split("."):
        file = Path(*dotted[1].split(".")).with_suffix(".py")
        raise Unreadable(f"{text!r} is no target: did you mean {file if file.is_file() else dotted[1]}:{dotted[2]}?")
    word = re.match(r"(\w+)\s*(\(|$)", text)
    if word and word[1] not in OPS:
        return _from_zoo(word[1], text)
    return _stack(text)


def _check_file(place: str) -> None:
    """Refuse files of weights: nothing is loaded from them."""
    if place.lower().rpartition(".")[2] in _WEIGHTS and re.fullmatch(r"\S+\.\w+", place):
        raise Unreadable(
            f"{place!r} is a file of weights, and is not loaded (a pickle runs code, weights alone are no network): "
            f"name the Python code that builds the network, as net.py:Net"
        )


def _from_zoo(name: str, text: str) -> Graph:
    if name not in zoo.MODELS:
        near = nearest(name.lower(), [*zoo.MODELS, *OPS])
        hint = f"did you mean {near}?" if near else f"it has {', '.join(zoo.MODELS)}; or {_FORMS}"
        raise Unreadable(f"no network {name!r} in the zoo; {hint}")
    return _readable(lambda: zoo.load(text))


def _stack(text: str) -> Graph:
    return _readable(lambda: chained(read_stack(text)))


def _readable(make: Callable[[], T]) -> T:
    """A refused argument of a target is a target that cannot be read."""
    try:
        return make()
    except ConvcalcError as error:
        raise Unreadable(error.message, rule=error.rule, fixes=error.fixes) from None


def _split(text: str) -> tuple[str, str | None]:
    """What stands before and after the last colon outside parentheses and quotes; None where there is none."""
    depth, quote, found = 0, "", None
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and depth:  # names of files and folders may have quotes
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == ":" and depth == 0:
            found = place
    return (text, None) if found is None else (text[:found], text[found + 1 :])
