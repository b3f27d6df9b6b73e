"""Specs of what divides by statistics: batch, group, layer and instance normalization; softmax; weights made so."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, add, plain, spec
from convcalc.bridge.device import need_torch
from convcalc.layers import BatchNorm, Combine, GroupNorm, InstanceNorm, LayerNorm, Reduce, Softmax


def batch_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
    *args: Any,
) -> Spec:
    """Batch normalization; in training its statistics are those of the batch."""
    features = next((len(values) for values in (running_mean, weight, bias) if values is not None), None)
    layer = BatchNorm(features, affine=weight is not None, eps=eps, training=bool(training))
    return Spec(layer, (input,), (weight, bias))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    *args: Any,
    **kwargs: Any,
) -> Spec:
    """Instance normalization; with stored statistics where those of the input are not used."""
    features = next((len(values) for values in (running_mean, weight, bias) if values is not None), None)
    layer = InstanceNorm(features, affine=weight is not None, track_running_stats=not use_input_stats)
    return Spec(layer, (input,), (weight, bias))


def _weights_first(function: Any) -> Any:
    """The order of `torch.batch_norm`; that of `torch.nn.functional.batch_norm` has the statistics first."""

    def made(
        input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, *args: Any, **kwargs: Any
    ) -> Spec:
        spec: Spec = function(input, running_mean, running_var, weight, bias, *args, **kwargs)
        return spec

    return made


_torch = need_torch()
for _function in (batch_norm, instance_norm):
    add([getattr(_torch.nn.functional, _function.__name__)], _function, _function.__name__)
    add([getattr(_torch, _function.__name__)], _weights_first(_function), _function.__name__)


@spec("group_norm")
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, *args: Any, **kwargs: Any) -> Spec:
    """Group normalization."""
    channels = None if weight is None else len(weight)
    return Spec(GroupNorm(plain(num_groups), channels, affine=weight is not None), (input,), (weight, bias))


@spec("layer_norm")
def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, *args: Any, **kwargs: Any
) -> Spec:
    """Layer normalization over the last axes."""
    wanted = tuple(map(plain, normalized_shape))
    layer = LayerNorm(wanted, elementwise_affine=weight is not None, bias=bias is not None)
    return Spec(layer, (input,), (weight, bias))


@spec("rms_norm")
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Spec:
    """Layer normalization without the mean and the bias."""
    wanted = tuple(map(plain, normalized_shape))
    return Spec(LayerNorm(wanted, elementwise_affine=weight is not None, bias=False), (input,), (weight,))


@spec("normalize")
def normalize(input: Any, p: float = 2.0, dim: int = 1, *args: Any, **kwargs: Any) -> Spec:
    """Division by a norm over one axis: as far as positions go, like softmax."""
    return Spec(Softmax(dim=plain(dim)), (input,))


@spec("softmax", "log_softmax", "softmin")
def softmax(input: Any, dim: Any = None, *args: Any, **kwargs: Any) -> Spec:
    """Softmax along an axis; without one torch takes the second, of 0, 1 or 3 axes the first."""
    if dim is None:
        dim = 0 if input.dim() in (0, 1, 3) else 1
    return Spec(Softmax(dim=plain(dim)), (input,))


@spec("gumbel_softmax")
def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Spec:
    """Softmax with noise."""
    return Spec(Softmax(dim=plain(dim)), (logits,))


@spec("_weight_norm")
def weight_norm(v: Any, g: Any, dim: int = 0) -> Spec:
    """A weight made of its direction and its length."""
    return Spec(Combine("weight_norm"), (v, g))


@spec("_weight_norm_interface")
def weight_norm_interface(v: Any, g: Any, dim: int = 0) -> Spec:
    """As `weight_norm`, and the norms of the direction."""
    raise NotKnown("a weight and its norms")


@spec("norm_except_dim")
def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Spec:
    """The norm over all axes but one."""
    kept = plain(dim) % v.dim()
    if plain(dim) == -1:
        return Spec(Reduce("norm", None), (v,))
    return Spec(Reduce("norm", tuple(axis for axis in range(v.dim()) if axis != kept), keepdim=True), (v,))
