"""A stack of layers as one line of text, such as `conv 64 k4 s2 p1 *3; maxpool k2 s2`.

::

    stack   layer; layer; ...            each may be repeated: conv k3 p1 *3, (conv k3; maxpool 2) *2
    layer   op setting ...
    setting 64                           what the op is mostly about: out_channels, kernel_size, factor, size
            k3  k3x5  s2  p1  p1:2  psame  d2  op1  g4      kernel, stride, padding, dilation, output padding, groups
            k3s2p1                       several of these in one word
            ceil  nobias                 ceil_mode=True, bias=False
            120  0.5  32                 of linear, dropout, groupnorm: out_features, p, num_groups
            kernel_size=3  mode=reflect  any hyper-parameter by its torch name

Nothing is evaluated.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from convcalc import layers
from convcalc.arithmetic.notation import read_number, read_padding, read_size
from convcalc.errors import Unreadable, brief, nearest
from convcalc.sizes.expr import Expr

MOST_LAYERS = 10_000
"""The most layers of a stack, repetitions written out."""
DEEPEST = 100
"""The most parentheses inside one another."""


class Word(NamedTuple):
    """An op of the shorthand: its class, and what is set already."""

    layer: type[layers.Layer]
    preset: tuple[tuple[str, Any], ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """The hyper-parameters that may be written, with their annotations."""
        return _settings_of(self)

    @property
    def needed(self) -> tuple[str, ...]:
        """The hyper-parameters without a default."""
        return _needed_by(self)

    @property
    def bare(self) -> str:
        """What a bare number means: the first hyper-parameter, but for two ops."""
        own = {"upsample": "scale_factor", "fold": "output_size"}
        return own.get(self.layer.op) or next(iter(self.settings), "")


@cache
def _settings_of(word: Word) -> dict[str, str]:
    own = {entry.name: str(entry.type) for entry in dataclasses.fields(word.layer) if entry.name != "axes"}
    return {name: kind for name, kind in own.items() if name not in dict(word.preset)}


@cache
def _needed_by(word: Word) -> tuple[str, ...]:
    return tuple(entry.name for entry in dataclasses.fields(word.layer) if entry.default is dataclasses.MISSING)


def _words(classes: str) -> dict[str, Word]:
    found = [getattr(layers, name) for name in classes.split()]
    return {layer.op: Word(layer) for layer in found}


OPS = {
    **_words("Conv ConvTranspose MaxPool AvgPool LpPool AdaptiveAvgPool AdaptiveMaxPool Upsample"),
    **_words("PixelShuffle PixelUnshuffle Pad Crop Unfold Fold"),
    **dict.fromkeys(("gap", "globalavgpool"), Word(layers.AdaptiveAvgPool, preset=(("output_size", 1),))),
    **_words("Flatten Linear BatchNorm GroupNorm InstanceNorm LayerNorm Dropout Softmax PReLU LeakyReLU ELU"),
    **_words("ReLU ReLU6 Sigmoid Tanh GELU SiLU Mish Softplus Hardswish Hardsigmoid Identity"),
}
"""Every layer that takes one input, by the word it is written with: its op."""

ALIASES = {"convtranspose": "tconv", "bn": "batchnorm", "zeropad": "pad", "fc": "linear", "swish": "silu"}
"""Other names of ops; torch's endings 1d, 2d, 3d and a leading nn. may stand too."""

MEANT = {
    **dict.fromkeys(("deconv", "upconv", "convt", "conv_transpose", "transposedconv", "convtransposed"), "tconv"),
    **dict.fromkeys(("max", "pool", "max_pool", "pooling", "mp"), "maxpool"),
    **dict.fromkeys(("avg", "avg_pool", "mean", "averagepool", "meanpool"), "avgpool"),
}
"""What people write for an op, each of which the message of an unknown one offers."""


LETTERS = {
    "k": "kernel_size",
    "s": "stride",
    "p": "padding",
    "d": "dilation",
    "op": "output_padding",
    "g": "groups",
}
"""What a letter before a number stands for."""

_VALUE = r"[0-9]+(?:[:x×][0-9]+)*|same-upper|same-lower|same|valid|full|causal"


def read_stack(texts: str | Sequence[str]) -> tuple[layers.Layer, ...]:
    """Read a stack of layers from one or several texts.

    >>> for layer in read_stack("conv 64 k4 s2 p1 *2; maxpool k2 s2"): print(layer.op, layer.arguments())
    conv {'out_channels': 64, 'kernel_size': 4, 'stride': 2, 'padding': 1}
    conv {'out_channels': 64, 'kernel_size': 4, 'stride': 2, 'padding': 1}
    maxpool {'kernel_size': 2, 'stride': 2}
    """
    given = [texts] if isinstance(texts, str) else texts
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise Unreadable(f"a stack is text, as 'conv 64 k3 p1; maxpool 2': got {brief(texts)}")
    text = ";".join(given)
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
            if self.peek() == ")":
                raise Unreadable("a parenthesis is closed and none is open")
            found = [_layer(list(self.words()))]
        while self.peek().startswith("*"):
            times = self.take()[1:].strip()
            if not times:
                raise Unreadable("* is followed by how often the layer stands: *3")
            count = read_number(times)
            if count < 1:
                raise Unreadable("a layer stands once at least: *1")
            if count * len(found) > MOST_LAYERS:
                raise Unreadable(f"a stack of more than {MOST_LAYERS} layers: *{count}")
            found = found * count
        return found

    def words(self) -> Iterator[str]:
        while self.peek() and not self.peek().startswith((";", "(", ")", "*")):
            yield self.take()
        if self.peek() == "(":
            raise Unreadable(
                "a parenthesis opens a new layer: put ; before it; what torch writes Conv2d(3, 64, 7, stride=2, "
                "padding=3) is conv 64 k7 s2 p3"
            )


def _layer(words: list[str]) -> layers.Layer:
    if not words:
        raise Unreadable("a layer is missing: write an op such as conv, maxpool or upsample")
    name, *settings = words
    plain = re.sub(r"[123]d$", "", name.lower().removeprefix("torch.").removeprefix("nn."))
    op = OPS.get(ALIASES.get(plain, plain))
    if op is None:
        raise Unreadable(f"unknown op {name!r}{_like(name) or '; use one of ' + ', '.join(OPS)}")
    known = op.settings
    values: dict[str, Any] = {}
    for word in settings:
        for key, text in _settings(word, name, op):
            if key not in known:
                takes = f"it takes {', '.join(sorted(known))}" if known else "it takes no settings"
                raise Unreadable(f"{name} has no {key}{_like(key, known)}: {takes}")
            if key in values:
                hint = f"; {name} takes one bare number, {key}, and the kernel as k3" if key == op.bare else ""
                raise Unreadable(f"{name} is given {key} twice: {' '.join(words)!r}{hint}")
            values[key] = text if isinstance(text, bool) else _value(key, known[key], text)
    values |= dict(op.preset)
    if op.bare == "out_channels":
        values.setdefault("out_channels", None)
    if needed := [name for name in op.needed if name not in values]:
        raise Unreadable(f"{name} needs {' and '.join(needed)}: {' '.join(words)!r}")
    return op.layer(**values)


def _settings(word: str, name: str, op: Word) -> Iterator[tuple[str, str | bool]]:
    """Yield each setting of a word, by its torch name, with its text."""
    if word == "ceil":
        yield "ceil_mode", True
    elif word == "nobias":
        yield "bias", False
    elif "=" in word:
        key, _, text = word.partition("=")
        yield key, text
    elif re.fullmatch(r"-?[0-9.].*", word):
        if not op.bare:
            raise Unreadable(f"{name} takes no number: {word!r}")
        yield op.bare, word
    elif re.fullmatch(rf"(?:(?:op|[kspdg])(?:{_VALUE}))+", word):
        for letter, text in re.findall(rf"(op|[kspdg])({_VALUE})", word):
            yield LETTERS[letter], text
    else:
        raise Unreadable(f"{name} cannot read {word!r}: write 64, k3, k3x5, s2, p1, p1:2, psame, d2, op1, g4 or ceil")


def _value(key: str, kind: str, text: str) -> Any:
    """The value of a hyper-parameter, as its annotation has it."""
    if key == "scale_factor":
        try:
            factors = tuple(float(entry) for entry in re.split(r"[x×]", text))
        except ValueError:
            raise Unreadable(f"{text!r} is no scale factor: write 2, 0.5 or 2x1.5") from None
        return _single(factors)
    if key in ("padding", "rows"):
        # torch's "same" is for stride 1 alone; here as in `convcalc conv` it is ceil(n/stride) at any stride
        return _single(tuple("same-upper" if side == "same" else _int(side, key) for side in read_padding(text)))
    if key == "norm_type":
        return read_number(text)
    kind = kind.removesuffix(" | None")
    if kind == "str":
        return text
    if kind == "float":
        if not re.fullmatch(r"-?[0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?", text):
            raise Unreadable(f"{key} is a number such as 0.5: {text!r}")
        return float(text)
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise Unreadable(f"{key} is true or false: {text!r}")
        return text.lower() == "true"
    values = tuple(_int(value, key) for value in read_size(text))
    if kind == "int" and len(values) > 1:
        hint = f"; a kernel is written k{text}" if key == "out_channels" else ""
        raise Unreadable(f"{key} is one number: {text!r}{hint}")
    return _single(values)


def _int(value: Any, key: str) -> Any:
    if isinstance(value, Expr):
        raise Unreadable(f"{key} takes numbers in a stack, not the symbol {value}")
    return tuple(_int(entry, key) for entry in value) if isinstance(value, tuple) else value


def _single(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 and not isinstance(values[0], tuple) else values


def _like(name: str, names: Any = OPS) -> str:
    meant = MEANT.get(re.sub(r"[123]d$", "", name.lower()))
    near = meant if meant in names else nearest(name.lower(), names)
    return f" (did you mean {near}?)" if near else ""
