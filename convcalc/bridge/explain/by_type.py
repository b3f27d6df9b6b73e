"""Calls that are refused for the types of what they read: what is said, and repairs by other types."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from convcalc.bridge.capture.arguments import tensors_among, with_tensor
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.failure import Failure
from convcalc.bridge.explain.operands import name_of_value
from convcalc.bridge.explain.reruns import Change
from convcalc.errors import BadArgument, ConvcalcError

torch = need_torch()

_WORDS = {
    torch.float32: ".float()",
    torch.float64: ".double()",
    torch.int64: ".long()",
    torch.bool: ".bool()",
}
"""How a tensor is given another type; all others by `.to`."""


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
    names = failure.run.drawn(failure.values).names
    labels = {id(value.call): operand.label for value, operand in zip(failure.values, failure.operands, strict=False)}
    found: dict[tuple[str, Any], Typed] = {}
    for place, tensor in enumerate(given):
        value = failure.journal.tensors.at(tensor)
        kind, path = failure.journal.tensors.kind(tensor)
        given_by = None if value is None or path else labels.get(id(value.call)) or name_of_value(value, names)
        key = name, _ = given_by or path or "a constant", tensor.dtype
        places = (*found[key].places, place) if key in found else (place,)
        found[key] = Typed(name, tensor.dtype, places, bool(kind))
    return list(found.values())


def refused_types(failure: Failure) -> ConvcalcError:
    """Return the sentence of a call that is refused for the types of what it reads."""
    some = typed(failure)
    kinds = list(dict.fromkeys(one.word for one in some))
    what = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]} together"
    weights = {one.word: f"{one.name} is {one.word}" for one in reversed(some) if one.is_weight}
    given = (*(f"{one.name} gives {one.word}" for one in some[:4] if not one.is_weight), *weights.values())
    text = " ".join(str(failure.error).split()).removesuffix(".")
    text = f"{text}." if len(text) <= 160 else f"{text[:157]}..."
    rule = "every call takes the types of what it reads"
    return failure.says(f"takes no {what}: {', '.join(given)}; torch says: {text}", rule, BadArgument)


def by_type(bench: Bench) -> Iterator[Repair]:
    """Yield what gives the failing call types that it takes: the tensors of the model, then its weights."""
    failure = bench.failure
    if bench.site is None or not failure.of_types:
        return
    some = typed(failure)
    given = [one for one in some if not one.is_weight]
    yield from _turned_mask(bench, given)
    floats = [one.kind for one in some if one.kind.is_floating_point or one.kind.is_complex]
    weights = [one.kind for one in some if one.is_weight]
    for kind in dict.fromkeys((*weights, *floats, torch.float32, torch.int64, torch.bool)):
        different = [one for one in given if one.kind != kind]
        for one in different:
            yield _given(bench, [one], kind)
        if len(different) > 1:
            yield _given(bench, different, kind)
    if torch.float64 in weights and failure.path:
        module = failure.module
        yield Repair(f"{failure.path}.float()", Change(modules={failure.path: lambda: copy.deepcopy(module).float()}))


def _given(bench: Bench, some: Sequence[Typed], kind: Any) -> Repair:
    places = [place for one in some for place in one.places]
    what = " and ".join(f"{one.name}{_word(one.kind, kind)}" for one in some)
    return Repair(f"{what} before {bench.failure.place}", _changed(bench, places, lambda x: _as(x, kind)), alone=True)


def _word(before: Any, kind: Any) -> str:
    size = ".abs()" if before.is_complex and not kind.is_complex else ""
    return size if size and kind == before.to_real() else f"{size}{_WORDS.get(kind, f'.to({kind})')}"


def _as(tensor: Any, kind: Any) -> Any:
    """A tensor in another type; a complex one by its size."""
    return (tensor.abs() if tensor.is_complex() and not kind.is_complex else tensor).to(kind)


def _turned_mask(bench: Bench, given: Sequence[Typed]) -> Iterator[Repair]:
    """`~mask` for `1 - mask`."""
    failure = bench.failure
    ones = [arg for arg in failure.args if isinstance(arg, int)]
    if failure.function == "rsub" and ones == [1] and [one.kind for one in given] == [torch.bool]:
        assert bench.site is not None  # noqa: S101 -- asked before
        change = Change(
            functions={bench.site: torch.logical_not}, calls={bench.site: lambda args, kwargs: (args[:1], {})}
        )
        yield Repair(f"~{given[0].name} in place of 1 - {given[0].name}", change, alone=True)


def _changed(bench: Bench, places: Sequence[int], change: Callable[[Any], Any]) -> Change:
    """The failing call with the tensors of these places changed."""

    def altered(args: Any, kwargs: Any) -> Any:
        value = (args, kwargs)
        for place in places:
            value = with_tensor(value, place, change(list(tensors_among(value))[place]))
        return value

    assert bench.site is not None  # noqa: S101 -- asked before
    return Change(calls={bench.site: altered})
