"""The classic networks, written with blocks; no torch.

>>> lenet()
Graph(lenet: 12 nodes: input -> fc3)
>>> load("resnet18(classes=10)").example
((1, 3, 224, 224),)
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from convcalc.errors import Unreadable, nearest
from convcalc.network.graph import Graph
from convcalc.zoo.densenet import densenet, densenet121, densenet169, densenet201
from convcalc.zoo.googlenet import googlenet
from convcalc.zoo.plain import alexnet, alexnet_torchvision, lenet, nin, vgg11, vgg13, vgg16, vgg19
from convcalc.zoo.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from convcalc.zoo.unet import unet, unet3d


class Model(NamedTuple):
    """A network of the zoo: what builds it, and where it comes from."""

    build: Callable[..., Graph]
    source: str


_BUILDERS: dict[str, list[Callable[..., Graph]]] = {
    "LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11), 1998": [lenet],
    "as taught; after Krizhevsky, Sutskever, Hinton, NIPS 2012": [alexnet],
    "Krizhevsky, arXiv:1404.5997; torchvision": [alexnet_torchvision],
    "Simonyan, Zisserman, arXiv:1409.1556": [vgg11, vgg13, vgg16, vgg19],
    "Lin, Chen, Yan, arXiv:1312.4400": [nin],
    "as taught; after Szegedy et al., arXiv:1409.4842": [googlenet],
    "He, Zhang, Ren, Sun, arXiv:1512.03385": [resnet18, resnet34, resnet50, resnet101, resnet152],
    "Huang, Liu, van der Maaten, Weinberger, arXiv:1608.06993": [densenet, densenet121, densenet169, densenet201],
    "Ronneberger, Fischer, Brox, arXiv:1505.04597": [unet],
    "Çiçek, Abdulkadir, Lienkamp, Brox, Ronneberger, arXiv:1606.06650": [unet3d],
}

MODELS = {build.__name__: Model(build, source) for source, builds in _BUILDERS.items() for build in builds}
"""Every network by name, oldest first."""


def load(text: str) -> Graph:
    """Return the network that a name or a call with literal arguments means; nothing is evaluated.

    Raises `Unreadable` for an unknown name, with the nearest, and for arguments the network does not take.

    >>> load("unet"), load("lenet(modern=True)")["pool1"].layer.op
    (Graph(unet: 53 nodes: input -> out), 'maxpool')
    >>> load("resnet8")
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: no network 'resnet8' in the zoo; did you mean resnet18?
    """
    call = read_call(text)
    if call is None or "." in call.name:
        raise Unreadable(f"{text!r} is no network: write a name, or a call with literals such as resnet18(classes=10)")
    name = call.name
    if name not in MODELS:
        near = nearest(name.lower(), MODELS)
        hint = f"did you mean {near}?" if near else f"use one of {', '.join(MODELS)}"
        raise Unreadable(f"no network {name!r} in the zoo; {hint}")
    build = MODELS[name].build
    signature = inspect.signature(build)
    try:
        bound = signature.bind(*call.values, **call.settings)
    except TypeError as error:
        takes = ", ".join(f"{word.name}={word.default!r}" for word in signature.parameters.values())
        raise Unreadable(f"{name} takes ({takes}): {error}") from None
    for argument, value in bound.arguments.items():
        _check_kind(name, argument, value, signature.parameters[argument].default)
    return build(*call.values, **call.settings)


class Call(NamedTuple):
    """A dotted name, and the arguments of a call where it is `called`."""

    name: str
    called: bool = False
    values: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = {}


def read_call(text: str) -> Call | None:
    """Read a dotted name, or a call of one with literals; None where it is neither. Nothing is evaluated.

    >>> read_call("models.make(10, depth=3)"), read_call("1 + 1")
    (Call(name='models.make', called=True, values=(10,), settings={'depth': 3}), None)
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
        made, keywords = (node.func, node.keywords) if isinstance(node, ast.Call) else (node, [])
        if not re.fullmatch(r"\w+(\.\w+)*", ast.unparse(made)) or not isinstance(made, ast.Name | ast.Attribute):
            return None
        if not isinstance(node, ast.Call):
            return Call(ast.unparse(made))
        if all(word.arg for word in keywords):
            settings = {word.arg or "": ast.literal_eval(word.value) for word in keywords}
            return Call(ast.unparse(made), True, tuple(map(ast.literal_eval, node.args)), settings)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    return None


def _check_kind(name: str, argument: str, value: Any, default: Any) -> None:
    """An argument is of its default's kind, and a number positive."""
    kind = type(default)
    fits = type(value) is kind and (kind is not int or value > 0)
    if kind is tuple:
        fits = isinstance(value, tuple | list) and all(type(entry) is int and entry > 0 for entry in value)
    if not fits:
        words = {int: "an integer >= 1", bool: "True or False", str: "a text", tuple: "integers >= 1"}
        raise Unreadable(f"{name}: {argument} is {words[kind]}: {value!r}")
