"""An op and its hyper-parameters in a few words, for tables: what a stack can hold as it is written there.

::

    conv 64 k3 s2 p1      view 1x768x196      permute 0 2 1      index [:, 1:, None]
    mean over 2 3         roll by 3 3 over 1 2      lstm 64 layers=2 batch_first      parameter
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from convcalc.layers import Layer
from convcalc.layers.indexing import Slice
from convcalc.network.stack import LETTERS, OPS

if TYPE_CHECKING:
    from convcalc.network.node import Node

_CHECKED = {"in_channels", "in_features", "input_size", "num_features", "num_channels"}
"""What only checks the input, or repeats the op's name."""


def op_words(op: str, arguments: Mapping[str, Any]) -> str:
    """Return an op and its hyper-parameters, without those that only check the input.

    >>> op_words("conv", {"out_channels": 64, "kernel_size": 3, "in_channels": 3})
    'conv 64 k3'
    >>> op_words("mean", {"function": "mean", "dims": (2, 3), "keepdim": True})
    'mean over 2 3 keepdim'
    >>> op_words("index", {"items": (Slice(), Slice(1), None, 0)}), op_words("index", {"items": (Slice(step=2),)})
    ('index [:, 1:, None, 0]', 'index [::2]')
    """
    if op == "block":
        return f"block of {arguments['nodes']}"
    kept = {name: value for name, value in arguments.items() if name not in _CHECKED}
    if op in _STACKED and "sides" not in kept:
        return written_op(op, kept)
    own = _OWN.get(op, {})
    if op in ("roll", "flip"):  # how far before where
        kept = dict(sorted(kept.items(), key=lambda item: item[0] == "dims"))
    words = (own.get(name, _WORDS.get(name, _setting(name)))(value) for name, value in kept.items())
    return " ".join([op, *filter(None, words)])


_STACKED = {entry.layer.op for entry in OPS.values()} - {"block"}


def _setting(name: str) -> Callable[[Any], str]:
    """`name=value`; the name alone of what is True."""
    return lambda value: name if value is True else f"{name}={_across(value) if isinstance(value, tuple) else value}"


def _nothing(value: Any) -> str:
    return ""


def _across(values: Any) -> str:
    """Sizes as `1x3x8`, a formula in parentheses."""
    texts = [str(value).replace(" ", "") for value in values]
    return "x".join(text if text.lstrip("-").isalnum() else f"({text})" for text in texts)


def _spaced(values: Any) -> str:
    return " ".join(map(str, values))


def _over(dims: Any) -> str:
    if dims is None or dims == ():
        return ""
    return f"over {_spaced(dims) if isinstance(dims, tuple) else dims}"


def _items(items: tuple[Any, ...]) -> str:
    return f"[{', '.join(_slice(item) if isinstance(item, Slice) else str(item) for item in items)}]"


def _slice(item: Slice) -> str:
    start, stop = ("" if end is None else str(end) for end in (item.start, item.stop))
    return f"{start}:{stop}" + (f":{item.step}" if item.step != 1 else "")


_WORDS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(
        (
            "function",
            "kind",
            "count",
            "gone",
            "empty",
            "pooled",
            "reach",
            "reaches",
            "wraps",
            "reduced",
            "need_weights",
            "average_attn_weights",
        ),
        _nothing,
    ),
    **dict.fromkeys(("sizes", "counts"), lambda value: _across(value) if value is not None else ""),
    **dict.fromkeys(("dims", "dim"), _over),
    **dict.fromkeys(("equation", "hidden_size", "embed_dim", "embedding_dim", "num_embeddings", "chunks"), str),
    "items": _items,
    "sides": lambda sides: "x".join(f"{before}:{after}" for before, after in sides),
    "shifts": lambda value: f"by {_spaced(value)}" if value else "",
    "num_heads": lambda value: f"heads={value}",
    "num_layers": lambda value: f"layers={value}",
    "is_causal": lambda value: "causal" if value else "",
    "bias": lambda value: "" if value else "nobias",
    "opaque": lambda why: "(opaque)",
}
"""How a hyper-parameter is written, by its name."""

_OWN: Mapping[str, Mapping[str, Callable[[Any], str]]] = {
    "permute": {"dims": _spaced},
    "squeeze": {"dims": lambda value: "" if value is None else _spaced(value)},
    "unsqueeze": {"dim": str},
    "unflatten": {"dim": str},
    "split": {"sizes": _spaced},
    "parameter": {"sizes": _nothing},
    "buffer": {"sizes": _nothing},
}
"""The same, where an op has its own way."""


_LETTER_OF = {name: letter for letter, name in LETTERS.items()}


BARE = {op.layer.op: op.bare for op in OPS.values() if op.bare and op.bare not in _LETTER_OF}
"""What a bare number means to each op; a kernel is always written k3."""


def shorthand(layer: Layer) -> str:
    """Return a layer as a stack is written.

    >>> from convcalc.network.stack import read_stack
    >>> shorthand(read_stack("conv 64 k4 s2 p1:2")[0]), shorthand(read_stack("maxpool 2 ceil")[0])
    ('conv 64 k4 s2 p1:2', 'maxpool k2 ceil')
    """
    return written_op(layer.op, layer.arguments())


def written_op(op: str, arguments: Mapping[str, Any]) -> str:
    """Return an op and its hyper-parameters as the shorthand has them.

    >>> written_op("linear", {"out_features": 10, "bias": False})
    'linear 10 nobias'
    """
    words = [op]
    for name, value in arguments.items():
        if value is None or name == "in_channels":  # a check on the input, not a setting of the op
            continue
        text = _entry(value)
        if name == BARE.get(op):
            words.insert(1, text)
        elif value is True and name == "ceil_mode":
            words.append("ceil")
        elif value is False and name == "bias":
            words.append("nobias")
        else:
            words.append(f"{_LETTER_OF[name]}{text}" if name in _LETTER_OF else f"{name}={text}")
    return " ".join(words)


def _entry(value: Any) -> str:
    if not isinstance(value, tuple):
        return "same" if value == "same-upper" else f"{value:g}" if isinstance(value, float) else str(value)
    return "x".join(":".join(map(str, entry)) if isinstance(entry, tuple) else _entry(entry) for entry in value)


def node_line(node: Node) -> str:
    """Return a node of a graph: what it is, and what it takes.

    >>> from convcalc.network.node import Node
    >>> from convcalc.layers import Conv
    >>> node_line(Node("conv1", Conv(8, 3, stride=2)))
    'conv1: conv 8 k3 s2 of input'
    """
    words = op_words(node.layer.op, node.layer.arguments())
    return f"{node.name}: {words} of {', '.join(node.inputs)}"
