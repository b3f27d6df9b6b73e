"""Calls on meta that torch works out in Python there, one operation after another: made at once.

Only where the outcome is beyond doubt: floats of one type laid out in order, weights of the one shape that fits, no
gradients and no statistics to keep. All else, and every refusal, is torch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.bridge.device import need_torch

torch = need_torch()


def at_once(func: Any, args: Any, kwargs: Any) -> Any:
    """Return what a call gives on meta; None for what torch is to be asked.

    >>> image, one = torch.empty(1, 3, 8, 8, device="meta"), torch.empty(3, device="meta")
    >>> with torch.no_grad():
    ...     at_once(torch.nn.functional.batch_norm, (image, one, one), {}).shape
    ...     at_once(torch.nn.functional.batch_norm, (image, one, one), {"training": True}) is None
    torch.Size([1, 3, 8, 8])
    True
    """
    made = _AT_ONCE.get(func)
    return None if made is None or torch.is_grad_enabled() else made(*args, **kwargs)


def _batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: Any = False,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> Any:
    if training is not False or running_mean is None or running_var is None or not eps >= 0:
        return None
    some = [tensor for tensor in (running_mean, running_var, weight, bias) if tensor is not None]
    return _like(x) if _is_plain(x, some) and x.dim() > 1 and _are(some, x.shape[1:2]) else None


def _layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5) -> Any:
    some = [tensor for tensor in (weight, bias) if tensor is not None]
    if not isinstance(normalized_shape, tuple | list | torch.Size) or not normalized_shape or not _is_plain(x, some):
        return None
    shape = tuple(normalized_shape)
    return _like(x) if tuple(x.shape[-len(shape) :]) == shape and _are(some, shape) else None


def _linear(input: Any, weight: Any, bias: Any = None) -> Any:  # noqa: A002 -- torch's word
    some = [tensor for tensor in (weight, bias) if tensor is not None]
    if not _is_plain(input, some) or input.dim() < 2 or weight.dim() != 2 or weight.shape[1] != input.shape[-1]:
        return None
    rows = tuple(weight.shape[:1])
    return _like(input, rows) if rows != (0,) and _are(some[1:], rows) else None


def _gelu(input: Any, approximate: Any = "none") -> Any:  # noqa: A002 -- torch's word
    return _like(input) if approximate in ("none", "tanh") and _is_plain(input, []) else None


def _relu(input: Any, inplace: Any = False) -> Any:  # noqa: A002 -- torch's word
    return _like(input) if inplace is False and _is_plain(input, []) else None


def _leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: Any = False) -> Any:  # noqa: A002 -- torch's word
    return _relu(input, inplace) if type(negative_slope) in (int, float) else None


def _elu(input: Any, alpha: Any = 1.0, inplace: Any = False) -> Any:  # noqa: A002 -- torch's word
    return _relu(input, inplace) if type(alpha) in (int, float) else None


def _is_plain(x: Any, some: Sequence[Any]) -> bool:
    """Whether these are floats of one type on meta, and some."""
    return (
        type(x) is torch.Tensor
        and x.is_floating_point()
        and x.numel() > 0
        and all(tensor.device.type == "meta" and tensor.dtype == x.dtype for tensor in (x, *some))
    )


def _like(x: Any, last: tuple[int, ...] = ()) -> Any:
    """Another of the same layout, where that is in order to the last stride; `last` in place of its last size."""
    out = torch.empty(x.shape, dtype=x.dtype, device="meta")
    if out.stride() != x.stride():
        return None
    return torch.empty((*x.shape[:-1], *last), dtype=x.dtype, device="meta") if last else out


def _are(some: Sequence[Any], shape: Sequence[int]) -> bool:
    return all(tuple(tensor.shape) == tuple(shape) for tensor in some)


functional = torch.nn.functional
_AT_ONCE: dict[Any, Any] = {
    functional.batch_norm: _batch_norm,
    functional.layer_norm: _layer_norm,
    functional.linear: _linear,
    functional.gelu: _gelu,
    functional.relu: _relu,
    functional.relu6: _relu,
    functional.hardswish: _relu,
    functional.leaky_relu: _leaky_relu,
    functional.elu: _elu,
}
