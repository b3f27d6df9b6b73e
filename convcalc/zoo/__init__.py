"""The classic networks, written with blocks; no torch.

>>> lenet()
Graph(lenet: 12 nodes: input -> fc3)
>>> load("resnet18(classes=10)").example
((1, 3, 224, 224),)
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from convcalc.errors import Unreadable, nearest
from convcalc.network.graph import Graph
from convcalc.zoo.alexnet import alexnet, alexnet_torchvision
from convcalc.zoo.densenet import densenet, densenet121, densenet169, densenet201
from convcalc.zoo.googlenet import googlenet
from convcalc.zoo.lenet import lenet
from convcalc.zoo.nin import nin
from convcalc.zoo.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from convcalc.zoo.unet import unet, unet3d
from convcalc.zoo.vgg import vgg11, vgg13, vgg16, vgg19


class Model(NamedTuple):
    """A network of the zoo: what builds it, and where it comes from."""

    build: Callable[..., Graph]
    source: str


_LENET = "LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11), 1998"
_ALEXNET = "as taught; after Krizhevsky, Sutskever, Hinton, NIPS 2012"
_ALEXNET_2 = "Krizhevsky, arXiv:1404.5997; torchvision"
_VGG = "Simonyan, Zisserman, arXiv:1409.1556"
_NIN = "Lin, Chen, Yan, arXiv:1312.4400"
_GOOGLENET = "as taught; after Szegedy et al., arXiv:1409.4842"
_RESNET = "He, Zhang, Ren, Sun, arXiv:1512.03385"
_DENSENET = "Huang, Liu, van der Maaten, Weinberger, arXiv:1608.06993"
_UNET = "Ronneberger, Fischer, Brox, arXiv:1505.04597"
_UNET3D = "Çiçek, Abdulkadir, Lienkamp, Brox, Ronneberger, arXiv:1606.06650"

MODELS = {
    "lenet": Model(lenet, _LENET),
    "alexnet": Model(alexnet, _ALEXNET),
    "alexnet_torchvision": Model(alexnet_torchvision, _ALEXNET_2),
    "vgg11": Model(vgg11, _VGG),
    "vgg13": Model(vgg13, _VGG),
    "vgg16": Model(vgg16, _VGG),
    "vgg19": Model(vgg19, _VGG),
    "nin": Model(nin, _NIN),
    "googlenet": Model(googlenet, _GOOGLENET),
    "resnet18": Model(resnet18, _RESNET),
    "resnet34": Model(resnet34, _RESNET),
    "resnet50": Model(resnet50, _RESNET),
    "resnet101": Model(resnet101, _RESNET),
    "resnet152": Model(resnet152, _RESNET),
    "densenet": Model(densenet, _DENSENET),
    "densenet121": Model(densenet121, _DENSENET),
    "densenet169": Model(densenet169, _DENSENET),
    "densenet201": Model(densenet201, _DENSENET),
    "unet": Model(unet, _UNET),
    "unet3d": Model(unet3d, _UNET3D),
}
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
    name, values, settings = _read(text)
    if name not in MODELS:
        near = nearest(name.lower(), MODELS)
        hint = f"did you mean {near}?" if near else f"use one of {', '.join(MODELS)}"
        raise Unreadable(f"no network {name!r} in the zoo; {hint}")
    build = MODELS[name].build
    signature = inspect.signature(build)
    try:
        bound = signature.bind(*values, **settings)
    except TypeError as error:
        takes = ", ".join(f"{word.name}={word.default!r}" for word in signature.parameters.values())
        raise Unreadable(f"{name} takes ({takes}): {error}") from None
    for argument, value in bound.arguments.items():
        _check_kind(name, argument, value, signature.parameters[argument].default)
    return build(*values, **settings)


def _read(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """The name, positional and keyword arguments of `name` or `name(literals)`."""
    try:
        match ast.parse(text.strip(), mode="eval").body:
            case ast.Name(id=name):
                return name, [], {}
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if all(word.arg for word in keywords):
                return name, [ast.literal_eval(arg) for arg in args], _settings(keywords)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    raise Unreadable(f"{text!r} is no network: write a name, or a call with literals such as resnet18(classes=10)")


def _settings(keywords: list[ast.keyword]) -> dict[str, Any]:
    return {word.arg or "": ast.literal_eval(word.value) for word in keywords}


def _check_kind(name: str, argument: str, value: Any, default: Any) -> None:
    """An argument is of its default's kind, and a number positive."""
    kind = type(default)
    fits = type(value) is kind and (kind is not int or value > 0)
    if kind is tuple:
        fits = isinstance(value, tuple | list) and all(type(entry) is int and entry > 0 for entry in value)
    if not fits:
        words = {int: "an integer >= 1", bool: "True or False", str: "a text", tuple: "integers >= 1"}
        raise Unreadable(f"{name}: {argument} is {words[kind]}: {value!r}")
