"""Calls that divide by statistics: batch, group, layer and instance normalization; softmax; weights made so."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import arranged, axes, call, plain
from convcalc.bridge.calls.registry import NotKnown, Spec, add, spec
from convcalc.bridge.device import need_torch
from convcalc.layers import BatchNorm, Combine, GroupNorm, InstanceNorm, LayerNorm, Reduce, Softmax

call("_weight_norm", Combine, "v g | dim", function="weight_norm")
call("normalize", Softmax, "input | p dim=1 ...")  # as far as positions go
call("gumbel_softmax", Softmax, "logits | tau hard eps dim=-1")


def _batch_norm(given: Any) -> Spec:
    """In training its statistics are those of the batch."""
    layer = BatchNorm(_features(given), affine=given.weight is not None, eps=given.eps, training=bool(given.training))
    return Spec(layer, (given.input,), (given.weight, given.bias))


def _instance_norm(given: Any) -> Spec:
    """With stored statistics where those of the input are not used."""
    stored = not given.use_input_stats
    layer = InstanceNorm(_features(given), affine=given.weight is not None, track_running_stats=stored)
    return Spec(layer, (given.input,), (given.weight, given.bias))


def _features(given: Any) -> int | None:
    return next((len(values) for values in (given.running_mean, given.weight, given.bias) if values is not None), None)


_STATISTICS, _WEIGHTS = "running_mean=None running_var=None", "weight=None bias=None"
_torch = need_torch()
for _home, _first in ((_torch.nn.functional, f"{_STATISTICS} {_WEIGHTS}"), (_torch, f"{_WEIGHTS} {_STATISTICS}")):
    _order = f"input {_first} training=False momentum=0.1 eps=1e-5 ..."
    add([_home.batch_norm], arranged(_order, _batch_norm), "batch_norm")
    add([_home.instance_norm], arranged(f"input {_first} use_input_stats=True ...", _instance_norm), "instance_norm")


@spec("group_norm")
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, *args: Any, **kwargs: Any) -> Spec:
    """Group normalization."""
    channels = None if weight is None else len(weight)
    return Spec(GroupNorm(plain(num_groups), channels, affine=weight is not None), (input,), (weight, bias))


@spec("layer_norm")
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, *eps: Any, **more: Any) -> Spec:
    """Layer normalization over the last axes."""
    layer = LayerNorm(axes(normalized_shape), elementwise_affine=weight is not None, bias=bias is not None)
    return Spec(layer, (input,), (weight, bias))


@spec("rms_norm")
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Spec:
    """Layer normalization without the mean and the bias."""
    return layer_norm(input, normalized_shape, weight)


@spec("softmax", "log_softmax", "softmin")
def softmax(input: Any, dim: Any = None, *args: Any, **kwargs: Any) -> Spec:
    """Softmax along an axis; without one torch takes the second, of 0, 1 or 3 axes the first."""
    if dim is None:
        dim = 0 if input.dim() in (0, 1, 3) else 1
    return Spec(Softmax(dim=plain(dim)), (input,))


@spec("_weight_norm_interface")
def weight_norm_interface(v: Any, g: Any, dim: int = 0) -> Spec:
    """As `weight_norm`, and the norms of the direction."""
    raise NotKnown("a weight and its norms")


@spec("norm_except_dim")
def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Spec:
    """The norm over all axes but one."""
    if plain(dim) == -1:
        return Spec(Reduce("norm", None), (v,))
    kept = plain(dim) % v.dim()
    return Spec(Reduce("norm", tuple(axis for axis in range(v.dim()) if axis != kept), keepdim=True), (v,))
