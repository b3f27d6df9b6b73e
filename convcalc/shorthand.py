"""A stack of layers as one line of text, such as `conv 64 k4 s2 p1 *3; maxpool k2 s2`.

::

    stack   layer; layer; ...            each may be repeated: conv k3 p1 *3, (conv k3; maxpool 2) *2
    layer   op setting ...
    setting 64                           what the op is mostly about: out_channels, kernel_size, factor, size
            k3  k3x5  s2  p1  p1:2  psame  d2  op1  g4      kernel, stride, padding, dilation, output padding, groups
            k3s2p1                       several of these in one word
            ceil  nobias                 ceil_mode=True, bias=False
            kernel_size=3  mode=reflect  any hyper-parameter by its torch name

Nothing is evaluated.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from convcalc import layers
from convcalc.errors import Unreadable
from convcalc.expr import Expr
from convcalc.notation import read_number, read_padding, read_size

MOST_LAYERS = 10_000
DEEPEST = 100
"""The most parentheses inside one another."""


class _Op(NamedTuple):
    """An op of the shorthand: its class, and what a bare number means."""

    layer: type[layers.Layer]
    bare: str


OPS = {
    "conv": _Op(layers.Conv, "out_channels"),
    "tconv": _Op(layers.ConvTranspose, "out_channels"),
    "maxpool": _Op(layers.MaxPool, "kernel_size"),
    "avgpool": _Op(layers.AvgPool, "kernel_size"),
    "lppool": _Op(layers.LpPool, "kernel_size"),
    "adaptiveavgpool": _Op(layers.AdaptiveAvgPool, "output_size"),
    "adaptivemaxpool": _Op(layers.AdaptiveMaxPool, "output_size"),
    "upsample": _Op(layers.Upsample, "scale_factor"),
    "pixelshuffle": _Op(layers.PixelShuffle, "upscale_factor"),
    "pixelunshuffle": _Op(layers.PixelUnshuffle, "downscale_factor"),
    "pad": _Op(layers.Pad, "padding"),
    "crop": _Op(layers.Crop, "rows"),
}

LETTERS = {
    "k": "kernel_size",
    "s": "stride",
    "p": "padding",
    "d": "dilation",
    "op": "output_padding",
    "g": "groups",
}

_VALUE = r"[0-9]+(?:[:x×][0-9]+)*|same-upper|same-lower|same|valid|full|causal"


def read_stack(texts: str | Sequence[str]) -> tuple[layers.Layer, ...]:
    """Read a stack of layers from one or several texts.

    >>> for layer in read_stack("conv 64 k4 s2 p1 *2; maxpool k2 s2"): print(layer.op, layer.arguments())
    conv {'out_channels': 64, 'kernel_size': 4, 'stride': 2, 'padding': 1}
    conv {'out_channels': 64, 'kernel_size': 4, 'stride': 2, 'padding': 1}
    maxpool {'kernel_size': 2, 'stride': 2}
    """
    text = texts if isinstance(texts, str) else ";".join(texts)
    tokens = re.findall(r"[;()]|\*\s*[0-9]+|[^\s;()*]+|\*", text)
    reader = _Reader(tokens)
    found = tuple(reader.sequence(closing=False))
    if not found:
        raise Unreadable("an empty stack: write layers such as 'conv 64 k3 p1; maxpool 2'")
    return found


class _Reader:
    """A recursive-descent reader over tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.place += 1
        return token

    def sequence(self, *, closing: bool) -> list[layers.Layer]:
        found: list[layers.Layer] = []
        while True:
            while self.peek() == ";":
                self.take()
            if self.peek() == ")" and closing:
                self.take()
                return found
            if not self.peek():
                if closing:
                    raise Unreadable("a parenthesis is opened and not closed")
                return found
            found += self.repeated()
            if len(found) > MOST_LAYERS:
                raise Unreadable(f"a stack of more than {MOST_LAYERS} layers")

    def repeated(self) -> list[layers.Layer]:
        if self.peek() == "(":
            self.take()
            self.depth += 1
            if self.depth > DEEPEST:
                raise Unreadable(f"parentheses more than {DEEPEST} deep")
            found = self.sequence(closing=True)
            self.depth -= 1
        else:
            found = [_layer(list(self.words()))]
        while self.peek().startswith("*"):
            times = self.take()[1:].strip()
            if not times:
                raise Unreadable("* is followed by how often the layer stands: *3")
            count = read_number(times)
            if count * len(found) > MOST_LAYERS:
                raise Unreadable(f"a stack of more than {MOST_LAYERS} layers: *{count}")
            found = found * count
        return found

    def words(self) -> Iterator[str]:
        while self.peek() and not self.peek().startswith((";", "(", ")", "*")):
            yield self.take()
        if self.peek() == "(":
            raise Unreadable("a parenthesis opens a new layer: put ; before it")


def _layer(words: list[str]) -> layers.Layer:
    if not words:
        raise Unreadable("a layer is missing: write an op such as conv, maxpool or upsample")
    name, *settings = words
    op = OPS.get(name.lower())
    if op is None:
        raise Unreadable(f"unknown op {name!r}{_like(name)}; use one of {', '.join(OPS)}")
    known = {entry.name for entry in dataclasses.fields(op.layer) if entry.name != "axes"}
    values: dict[str, Any] = {}
    for word in settings:
        for key, value in _settings(word, name, op):
            if key not in known:
                raise Unreadable(f"{name} has no {key}{_like(key, known)}: it takes {', '.join(sorted(known))}")
            if key in values:
                hint = f"; {name} takes one bare number, {key}, and the kernel as k3" if key == op.bare else ""
                raise Unreadable(f"{name} is given {key} twice: {' '.join(words)!r}{hint}")
            values[key] = value
    if op.bare == "out_channels":
        values.setdefault("out_channels", None)
    needed = [
        entry.name
        for entry in dataclasses.fields(op.layer)
        if entry.default is dataclasses.MISSING and entry.name not in values
    ]
    if needed:
        raise Unreadable(f"{name} needs {' and '.join(needed)}: {' '.join(words)!r}")
    return op.layer(**values)


def _settings(word: str, name: str, op: _Op) -> Iterator[tuple[str, Any]]:
    if word == "ceil":
        yield "ceil_mode", True
    elif word == "nobias":
        yield "bias", False
    elif "=" in word:
        key, _, text = word.partition("=")
        yield key, _value(key, text)
    elif re.fullmatch(r"-?[0-9].*", word):
        yield op.bare, _value(op.bare, word)
    elif re.fullmatch(rf"(?:(?:op|[kspdg])(?:{_VALUE}))+", word):
        for letter, text in re.findall(rf"(op|[kspdg])({_VALUE})", word):
            yield LETTERS[letter], _value(LETTERS[letter], text)
    else:
        raise Unreadable(f"{name} cannot read {word!r}: write 64, k3, k3x5, s2, p1, p1:2, psame, d2, op1, g4 or ceil")


def _value(key: str, text: str) -> Any:
    if key == "scale_factor":
        try:
            factors = tuple(float(entry) for entry in re.split(r"[x×]", text))
        except ValueError:
            raise Unreadable(f"{text!r} is no scale factor: write 2, 0.5 or 2x1.5") from None
        return _single(factors)
    if key in ("padding", "rows"):
        # torch's "same" is for stride 1 alone; here as in `convcalc conv` it is ceil(n/stride) at any stride
        return _single(tuple("same-upper" if side == "same" else _int(side) for side in read_padding(text)))
    if key in ("mode", "padding_mode"):
        return text
    if key in ("ceil_mode", "bias"):
        if text.lower() not in ("true", "false"):
            raise Unreadable(f"{key} is true or false: {text!r}")
        return text.lower() == "true"
    if key == "norm_type":
        return read_number(text)
    values = tuple(_int(value) for value in read_size(text))
    if key in ("out_channels", "groups", "in_channels", "upscale_factor", "downscale_factor") and len(values) > 1:
        raise Unreadable(f"{key} is one number: {text!r}; a kernel is written k{text}")
    return _single(values)


def _int(value: Any) -> Any:
    if isinstance(value, Expr):
        raise Unreadable(f"a stack takes numbers, not the symbol {value}")
    return tuple(map(_int, value)) if isinstance(value, tuple) else value


def _single(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 and not isinstance(values[0], tuple) else values


def _like(name: str, names: Any = OPS) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), list(names), 1)
    return f" (did you mean {near[0]}?)" if near else ""
