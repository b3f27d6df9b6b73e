"""Repairs of a call that is refused for the types of what it reads: other types, one tensor after another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among, with_tensor
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.kinds import Typed, typed
from convcalc.bridge.explain.reruns import Change

torch = need_torch()

_WORDS = {
    torch.float32: ".float()",
    torch.float64: ".double()",
    torch.int64: ".long()",
    torch.bool: ".bool()",
}
"""How a tensor is given another type; all others by `.to`."""


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
