"""Arguments of torch as a layer takes them: sizes as formulas, axes as numbers; most calls are a line in a table.

A field of a layer says by its annotation what it takes, so a call needs but torch's order of the fields:

    call("topk", TopK, "input | k dim ...")

is `TopK(k, dim=dim)` on the tensor `input`, and what else `topk` takes does not matter. `dim:dims` is torch's name and
the field's, where they differ; `dim=-1` a default that is another than the field's; a star takes all that is left, as
in `x.flip(1, 2)`.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, spec, spec_each
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.sizeint import SizeInt
from convcalc.layers import Layer
from convcalc.sizes.size import Size


def size(value: Any) -> Size:
    """Return a number as a layer takes it: its formula, or the number; raises `NotKnown` where a formula is unknown."""
    if isinstance(value, SizeInt):
        if value.expr is None:
            raise NotKnown("a size without a formula")
        return value.expr
    if isinstance(value, SizeFloat):
        raise NotKnown("a factor that depends on sizes")
    if isinstance(value, bool) or not isinstance(value, int):
        if hasattr(value, "__index__") and not is_tensor(value):
            return int(value)
        raise NotKnown(f"a size that is a {type(value).__name__}")
    return value


def several(value: Any, more: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Return what stands for `f(1, 2)` and for `f((1, 2))`.

    >>> several(1, (2,)), several((1, 2)), several(3)
    ((1, 2), (1, 2), (3,))
    """
    return tuple(value) if isinstance(value, tuple | list) else (value, *more)


def sizes(values: Any) -> tuple[Size, ...]:
    """Return one number or more as `size`."""
    return tuple(map(size, several(values)))


def plain(value: Any) -> int:
    """Return a number that is no size, such as an axis."""
    if isinstance(value, SizeInt):
        raise NotKnown("a hyper-parameter that depends on sizes")
    return int(value)


def axes(dim: Any) -> tuple[int, ...]:
    """Return the axes that are meant, none for None."""
    return () if dim is None else tuple(map(plain, several(dim)))


def ints(value: Any) -> Any:
    """Return a hyper-parameter: one number where all entries are equal; a word, or None for none, as it is.

    >>> ints((3, 3)), ints([1, 2]), ints(4), ints((5,)), ints((None, 7)), ints("same"), ints([])
    (3, (1, 2), 4, 5, (None, 7), 'same', None)
    """
    if value is None or isinstance(value, str):
        return value
    entries = [None if entry is None else size(entry) for entry in several(value)]
    return tuple(entries) if any(entry != entries[0] for entry in entries) else next(iter(entries), None)


def tensors(*values: Any) -> tuple[Any, ...]:
    """Return the tensors among the values.

    >>> tensors(1, None)
    ()
    """
    return tuple(filter(is_tensor, values))


# -- a call as a line --------------------------------------------------------------------------------------------

_READERS: dict[str, Callable[[Any], Any]] = {
    "int": plain,
    "bool": bool,
    "Size": size,
    "Shape": sizes,
    "tuple[Size, ...]": sizes,
    "tuple[int, ...]": axes,
    "tuple[int, ...] | None": lambda dim: axes(dim) or None,
    "Ints": ints,
    "Any": ints,
}
"""How a field of a layer is read, by its annotation; all others are taken as they are."""

_WORD = re.compile(r"(\*?)(\w+):?(\w*)=?(\S*)")


def by_name(order: str) -> Callable[..., dict[str, Any]]:
    """Return what gives the arguments of a call by name, in torch's order; it raises `TypeError` for any others.

    >>> by_name("input dim=-1 keepdim=False")(8, keepdim=True)
    {'dim': -1, 'keepdim': True, 'input': 8}
    """
    loose = order.endswith("...")
    words = [_WORD.fullmatch(word) for word in order.removesuffix("...").split() if word != "|"]
    found = [word.groups() for word in words if word is not None]
    names = [name for _, name, _, _ in found]
    defaults = {name: literal_eval(default) for _, name, _, default in found if default}
    rest = len(names) - 1 if found[-1][0] else None

    def given(*args: Any, **kwargs: Any) -> dict[str, Any]:
        if rest is not None and len(args) > rest:
            args = (*args[:rest], several(args[rest], args[rest + 1 :]))
        if not loose and (len(args) > len(names) or not kwargs.keys() <= set(names)):
            raise TypeError("other arguments than are known")
        return {**defaults, **dict(zip(names, args, strict=False)), **kwargs}

    return given


def _reader(kind: str) -> Callable[[Any], Any]:
    """How a field of an annotation is read; None stays None where it may be."""
    wanted, _, none = kind.partition(" | ")
    reader = _READERS.get(kind) or _READERS.get(wanted, lambda value: value)
    return (lambda value: None if value is None else reader(value)) if none else reader


def called(layer: type[Layer], order: str, on: int | None = None, **fixed: Any) -> Callable[..., Spec]:
    """Return the spec of a call that is a layer of its arguments; before the bar in `order` stand the tensors it reads.

    Where it is `on` so many spatial axes, the layer is told them for inputs without a batch.

    >>> from convcalc.layers.reduce import TopK
    >>> import torch
    >>> called(TopK, "input | k dim ...")(torch.zeros(2, 9), 3, 1).layer.arguments()
    {'k': 3, 'dim': 1}
    """
    read, _, settings = order.partition("|")
    given, reads = by_name(order), read.split()
    kinds = {entry.name: str(entry.type) for entry in fields(layer)}
    readers = {}
    for _, name, field, _ in _WORD.findall(settings):
        if (field := field or name) in kinds and field not in fixed:
            readers[name] = field, _reader(kinds[field])

    def made(*args: Any, **kwargs: Any) -> Spec:
        found = given(*args, **kwargs)
        inputs = tuple(found[name] for name in reads)
        chosen = dict(fixed)
        for name, (field, reader) in readers.items():
            if name in found:
                chosen[field] = reader(found[name])
        if on is not None and inputs[0].dim() == on + 1:
            chosen["axes"] = on
        return Spec(layer(**chosen), inputs)

    return made


def call(names: str, layer: type[Layer], order: str, on: int | None = None, **fixed: Any) -> None:
    """Register the calls of these names as a layer: see `called`. A layer of a `function` is that of the name."""
    for name in names.split():
        spec(name)(_as(layer, order, on, fixed)(name))


def each(names: str, layer: type[Layer], order: str, **fixed: Any) -> None:
    """Register as `call` the names that this torch has, and that have no spec under another name."""
    spec_each(names.split(), _as(layer, order, None, fixed))


def _as(layer: type[Layer], order: str, on: int | None, fixed: dict[str, Any]) -> Callable[[str], Any]:
    named = "function" not in fixed and any(entry.name == "function" for entry in fields(layer))

    def make(name: str) -> Callable[..., Spec]:
        own = {"function": name.rpartition(".")[2].strip("_")} if named else {}
        return called(layer, order, on, **own, **fixed)

    return make


def arranged(order: str, made: Callable[[Any], Spec]) -> Callable[..., Spec]:
    """Return the spec of a call whose arguments are handed to `made` by name, as attributes: see `by_name`."""
    given = by_name(order)
    return lambda *args, **kwargs: made(SimpleNamespace(**given(*args, **kwargs)))


def among(many: Layer, one: Layer | None = None) -> Callable[..., Spec]:
    """Return the spec of a call on all tensors among its arguments: the layer `many`, or `one` where it is but one."""

    def made(*args: Any, **kwargs: Any) -> Spec:
        some = tensors(*args, *kwargs.values())
        return Spec(many if one is None or len(some) > 1 else one, some)

    return made
