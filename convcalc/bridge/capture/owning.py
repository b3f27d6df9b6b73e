"""Which call a parameter counts for: the first that uses it, as it is or in weights that are computed from it.

Under weight or spectral normalization, or any parametrization, the weights of a layer are computed anew in each run,
from parameters alone. They count for the layer, and what computes them is no row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from convcalc.bridge.events import Call, Value, shapes_of
from convcalc.errors import ConvcalcError
from convcalc.layers import Layer, Shape


def count(
    call: Call, weights: Sequence[Any], kind_of: Callable[[Any], tuple[str, str]], owners: dict[str, Call]
) -> None:
    """Let a call own the parameters among `weights` that no earlier one owns; else it shares those of their owner."""
    fresh = []
    for tensor in weights:
        if tensor is None:
            continue
        kind, path = kind_of(tensor)
        owner = owners.setdefault(path, call) if kind == "parameter" else None
        if owner is call:
            fresh.append((path, tensor))
        elif owner is not None and call.shares is None:
            call.shares = owner
    call.weights = tuple(dict(fresh).items())
    if call.weights:
        call.shares = None


def fold(call: Call, computed: Sequence[Value], owners: dict[str, Call]) -> None:
    """Let a call own what its computed weights are made from, and count what making them multiplies."""
    for maker in _makers(computed):
        if maker.weights:
            owners.update({path: call for path, _ in maker.weights})
            call.weights += maker.weights
            maker.weights = ()
        owner = maker.shares or (owners.get(maker.label or "") if maker.layer and maker.layer.is_source else None)
        if owner is not None and owner is not call and call.shares is None:
            call.shares = owner
        if not maker.folded:
            maker.folded = True
            call.made += _made(maker)
    if call.weights:
        call.shares = None


def _makers(values: Sequence[Value]) -> Iterator[Call]:
    """The calls that lead to some values, none of which reads the network's input."""
    seen, waiting = set[int](), [value.call for value in values]
    while waiting:
        call = waiting.pop()
        if id(call) not in seen:
            seen.add(id(call))
            yield call
            waiting += [value.call for value in call.inputs if not value.call.live]


def macs_of(layer: Layer | None, shapes: Sequence[Shape]) -> int | None:
    """Return the multiply-accumulates of a layer; None where they are not known.

    >>> from convcalc.layers import Linear
    >>> macs_of(Linear(10), [(2, 3)]), macs_of(None, [])
    (60, None)
    """
    try:
        return None if layer is None else int(layer.macs(*shapes))
    except (ConvcalcError, TypeError):
        return None


def _made(call: Call) -> int:
    """What a product of matrices multiplies; nothing of one with a vector, such as in power iteration."""
    shapes = shapes_of(call.inputs)
    is_vector = call.layer is not None and call.layer.is_known and any(len(shape) < 2 for shape in shapes)
    return 0 if is_vector else macs_of(call.layer, shapes) or 0
