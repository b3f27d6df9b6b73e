"""The inputs of a run: what they are named, which type they have, and the tensors on meta that stand for them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.analysis.validity.ties import read_off
from convcalc.bridge.capture.arguments import mapped, named_tensors, tensors_among
from convcalc.bridge.device import need_torch
from convcalc.errors import BadShape
from convcalc.layers import Shape
from convcalc.network.letters import with_letters
from convcalc.sizes.expr import Expr

LIMIT = 2**63
"""torch counts sizes, elements and bytes below it."""

Given = tuple[Sequence[Any], Mapping[str, Any]]
"""The arguments of `forward`."""


def blank_input(shape: Sequence[int], kind: Any) -> Any:
    """Return a tensor of this shape and type on meta; raises `BadShape` where torch cannot count its bytes.

    >>> import torch
    >>> blank_input((1, 3, 8), torch.float32).shape
    torch.Size([1, 3, 8])
    >>> blank_input((1, 2**61), torch.float32)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: an input of 1x2305843009213693952 takes 9223372036854775808 bytes: torch counts to 2**63
    """
    taken = math.prod(max(1, size) for size in shape) * kind.itemsize  # torch multiplies the others, beside a 0 as well
    if taken >= LIMIT:
        raise BadShape(
            f"an input of {'x'.join(map(str, shape))} takes {taken} bytes: torch counts to 2**63",
            rule="bytes of an input < 2**63",
        )
    return need_torch().empty(tuple(shape), dtype=kind, device="meta")


def dtype_of(module: Any) -> Any:
    """Return the type that the inputs of a module have unless it is given: that of its first weights with a point."""
    torch = need_torch()
    kinds = [value.dtype for value in module.parameters() if value.is_floating_point() or value.is_complex()]
    kinds.sort(key=lambda kind: kind.is_complex)  # weights of a spectrum are no sign of inputs that are complex
    return next(iter(kinds), torch.get_default_dtype())


def named(given: Given, module: Any) -> list[tuple[str, Any]]:
    """Return every tensor among the arguments of `forward`, under a name that no part of the module has.

    >>> torch = need_torch()
    >>> [name for name, _ in named(([torch.ones(1)], {"mask": torch.ones(1)}), torch.nn.ReLU())]
    ['input', 'mask']
    """
    args, kwargs = given
    parts = {path for path, _ in module.named_modules()}
    arguments = [*zip(_argument_names(module, len(args)), args, strict=True), *kwargs.items()]
    return [
        pair for name, value in arguments for pair in named_tensors(value, f"{name}_input" if name in parts else name)
    ]


def lettered(
    shapes: Mapping[str, Shape], placed: Sequence[Shape] | None, named: Sequence[Mapping[int, Expr]]
) -> dict[str, Shape]:
    """Return the shapes of inputs with letters: those `placed` where they fit, and those `named` on their axes.

    >>> lettered({"x": (1, 3, 8, 8)}, None, [{1: Expr.symbol("C")}])
    {'x': (1, C, H, W)}
    """
    fits = placed is not None and read_off(placed, list(shapes.values())) is not None
    letters = dict(zip(shapes, placed or (), strict=True)) if fits else with_letters(shapes)
    for name, first in zip(letters, named, strict=False):
        taken = set(map(str, first.values()))  # a letter of the user's is no other axis'
        letters[name] = tuple(
            first.get(axis, number if str(size) in taken else size)
            for axis, (size, number) in enumerate(zip(letters[name], shapes[name], strict=True))
        )
    return letters


def _argument_names(module: Any, count: int) -> list[str]:
    """What forward calls its first arguments."""
    try:
        known = [
            entry.name
            for entry in inspect.signature(module.forward).parameters.values()
            if entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        known = []
    known = ["input" if name == "_" else name for name in known]
    return [*known, *(f"input_{place + 1}" for place in range(len(known), count))][:count]


def with_tensors(given: Given, tensors: Sequence[Any]) -> Given:
    """Return arguments with these tensors in the place of theirs, in order.

    >>> a, b = need_torch().ones(1), need_torch().ones(2)
    >>> with_tensors(([a, 3], {}), [b])
    ([tensor([1., 1.]), 3], {})
    """
    left, torch = iter(tensors), need_torch()
    changed: Given = mapped(given, lambda one: next(left) if isinstance(one, torch.Tensor) else one)
    return changed


def given_at(given: Given, shapes: Sequence[Shape]) -> Given:
    """Return the arguments of a run with its tensors at other shapes, on meta; their types stay."""
    pairs = zip(tensors_among(given), shapes, strict=True)
    return with_tensors(given, [one if one.shape == shape else blank_input(shape, one.dtype) for one, shape in pairs])
