"""The types of values that a call is refused for: which tensor has which, and what is to be said of that."""

from __future__ import annotations

from typing import Any, NamedTuple

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.failure import Failure, names_until
from convcalc.bridge.explain.operands import name_of_value
from convcalc.errors import BadArgument, labelled

torch = need_torch()


class Typed(NamedTuple):
    """One tensor that a call reads: what it is called, its type, its places among the call's tensors."""

    name: str
    kind: Any
    places: tuple[int, ...]
    is_weight: bool

    @property
    def word(self) -> str:
        """The type as torch writes it."""
        return str(self.kind).removeprefix("torch.")


def typed(failure: Failure) -> list[Typed]:
    """Return the tensors that the failing call reads, in order, each once."""
    given = list(tensors_among((failure.args, failure.kwargs)))
    names = names_until(failure.run, failure.values)
    labels = {id(value.call): operand.label for value, operand in zip(failure.values, failure.operands, strict=False)}
    found: dict[tuple[str, Any], Typed] = {}
    for place, tensor in enumerate(given):
        value = failure.journal.tensors.at(tensor)
        kind, path = failure.journal.tensors.kind(tensor)
        if value is not None and not path:
            name = labels.get(id(value.call)) or name_of_value(value, names)
        else:
            name = path or "a constant"
        key = name, tensor.dtype
        places = (*found[key].places, place) if key in found else (place,)
        found[key] = Typed(name, tensor.dtype, places, bool(kind))
    return list(found.values())


def refused_types(failure: Failure) -> BadArgument:
    """Return the sentence of a call that is refused for the types of what it reads."""
    some = typed(failure)
    kinds = list(dict.fromkeys(one.word for one in some))
    what = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]} together"
    weights = {one.word: f"{one.name} is {one.word}" for one in reversed(some) if one.is_weight}
    given = (*(f"{one.name} gives {one.word}" for one in some[:4] if not one.is_weight), *weights.values())
    text = " ".join(str(failure.error).split()).removesuffix(".")
    text = f"{text}." if len(text) <= 160 else f"{text[:157]}..."
    label = labelled(failure.place, failure.function if failure.layer is None else failure.layer.op)
    return BadArgument(
        f"{label} takes no {what}: {', '.join(given)}; torch says: {text}",
        rule="every call takes the types of what it reads",
        place=failure.place,
    )
