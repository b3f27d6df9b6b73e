"""What a device makes and `meta` refuses: the shape is known all the same, by rule or from other types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.bridge.calls.registry import Spec
from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.capture.trial import as_other_types
from convcalc.bridge.device import need_torch
from convcalc.errors import ConvcalcError
from convcalc.layers import Shape

torch = need_torch()


def made_elsewhere(
    func: Any,
    args: Any,
    kwargs: Any,
    error: Exception,
    found: Spec | ConvcalcError | None,
    shapes: tuple[Shape, ...],
    numbers: Mapping[str, int],
) -> Any:
    """Return what a call gives that meta refused with `error`, on inputs of these `shapes`; None where nothing tells.

    >>> choice, x = (torch.empty(2, 3, dtype=kind, device="meta") for kind in (torch.uint8, torch.float32))
    >>> said = RuntimeError("expected predicate to be bool, got torch.uint8")
    >>> made_elsewhere(torch.where, (choice, x, x), {}, said, None, (), {}).shape
    torch.Size([2, 3])
    """
    if func is torch.istft and isinstance(found, Spec):
        return _by_rule(found, shapes, numbers)
    return as_other_types(func, args, kwargs, error)


def _by_rule(found: Spec, shapes: tuple[Shape, ...], numbers: Mapping[str, int]) -> Any:
    """What an inverse transform gives, of which torch looks at the window's values before."""
    layer = found.layer.at(numbers) if found.layer.depends_on_sizes else found.layer
    try:
        given = layer.out_shapes(*shapes)
    except ConvcalcError:
        return None
    real = torch.empty((), dtype=next(tensors_among(found.inputs)).dtype, device="meta").real.dtype
    return torch.empty(given[0], dtype=real, device="meta")
