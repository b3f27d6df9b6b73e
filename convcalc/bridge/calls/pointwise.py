"""Specs of what works value by value, or over axes: activations, arithmetic, norms, reductions."""

from __future__ import annotations

from typing import Any

from convcalc import layers
from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, plain, spec, spec_each, tensors
from convcalc.layers import (
    Add,
    BatchNorm,
    Combine,
    Cumulative,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Map,
    Mul,
    Pointwise,
    PReLU,
    Reduce,
    Softmax,
)

# -- one tensor --------------------------------------------------------------------------------------------------

_KNOWN = {
    "relu": layers.ReLU,
    "relu6": layers.ReLU6,
    "sigmoid": layers.Sigmoid,
    "tanh": layers.Tanh,
    "gelu": layers.GELU,
    "silu": layers.SiLU,
    "mish": layers.Mish,
    "softplus": layers.Softplus,
    "hardswish": layers.Hardswish,
    "hardsigmoid": layers.Hardsigmoid,
}
"""Activations with a layer of their own; what they are set to does not matter here."""

_UNARY = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "angle",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bernoulli",
    "bitwise_not",
    "ceil",
    "celu",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "conj",
    "conj_physical",
    "cos",
    "cosh",
    "deg2rad",
    "digamma",
    "elu",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expit",
    "expm1",
    "fix",
    "floor",
    "frac",
    "hardshrink",
    "hardtanh",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_sigmoid",
    "logical_not",
    "logit",
    "logsigmoid",
    "nan_to_num",
    "neg",
    "negative",
    "normal",
    "positive",
    "rad2deg",
    "real",
    "imag",
    "reciprocal",
    "round",
    "rrelu",
    "rsqrt",
    "selu",
    "sgn",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "softshrink",
    "softsign",
    "sqrt",
    "square",
    "tan",
    "tanhshrink",
    "threshold",
    "trunc",
    "uniform",
    "dropout1d",
    "alpha_dropout",
    "feature_alpha_dropout",
    "feature_dropout",
    "dropout2d",
    "dropout3d",
    "fill",
    "zero",
    "exponential",
    "geometric",
    "log_normal",
    "cauchy",
    "random",
    "masked_fill",
    "fake_quantize_per_tensor_affine",
    "i0",
    "local_response_norm",
    "polygamma",
    "tril",
    "triu",
]
"""Functions of each value alone that have no layer of their own: one tensor in, the same shape out."""


def _activation(make: type[Pointwise]) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        return Spec(make(), (input,))

    return made


def _map(name: str) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        some = tensors(input, *args, *kwargs.values())
        if len(some) > 1:
            return Spec(Combine(name), some)
        return Spec(Map(name), (input,))

    return made


spec_each(_KNOWN, lambda name: _activation(_KNOWN[name]))
spec_each(_UNARY, _map)


@spec("leaky_relu")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Spec:
    """`LeakyReLU`."""
    return Spec(layers.LeakyReLU(negative_slope), (input,))


@spec("dropout")
def dropout(input: Any, p: float = 0.5, *args: Any, **kwargs: Any) -> Spec:
    """`Dropout`, at evaluation too."""
    return Spec(layers.Dropout(p), (input,))


@spec("prelu")
def prelu(input: Any, weight: Any) -> Spec:
    """A learned slope."""
    return Spec(PReLU(weight.numel()), (input,), (weight,))


@spec("glu")
def glu(input: Any, dim: int = -1) -> Spec:
    """Half of the channels gate the other half."""
    return Spec(layers.GLU(dim), (input,))


# -- several tensors -----------------------------------------------------------------------------------------------

_BINARY = [
    "sub",
    "subtract",
    "div",
    "divide",
    "true_divide",
    "floor_divide",
    "remainder",
    "fmod",
    "pow",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "atan2",
    "arctan2",
    "hypot",
    "where",
    "lerp",
    "xlogy",
    "addcmul",
    "addcdiv",
    "copysign",
    "heaviside",
    "isclose",
    "logaddexp",
    "logaddexp2",
    "nextafter",
    "rsub",
    "complex",
    "polar",
    "ldexp",
    "zeta",
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__and__",
    "__or__",
    "__xor__",
    "__rsub__",
    "__rdiv__",
    "__rtruediv__",
    "__rpow__",
    "__rfloordiv__",
    "__rmod__",
    "__invert__",
    "__radd__",
    "__rmul__",
    "__iand__",
    "__ior__",
    "__ixor__",
    "__pow__",
    "__ipow__",
    "__idiv__",
    "__floordiv__",
    "__mod__",
    "__lshift__",
    "__rshift__",
]


def _combine(name: str) -> Any:
    def made(*args: Any, **kwargs: Any) -> Spec:
        some = tensors(*args, *kwargs.values())
        return Spec(Combine(name.strip("_")), some) if len(some) > 1 else Spec(Map(name.strip("_")), some)

    return made


def _sum(make: type[Add] | type[Mul], name: str) -> Any:
    def made(*args: Any, **kwargs: Any) -> Spec:
        some = tensors(*args, *kwargs.values())
        return Spec(make(), some) if len(some) > 1 else Spec(Map(name), some)

    return made


spec("add", "__radd__")(_sum(Add, "add"))
spec("mul", "multiply", "__rmul__")(_sum(Mul, "mul"))
spec_each(_BINARY, _combine)


# -- normalization -------------------------------------------------------------------------------------------------


@spec("batch_norm")
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
    if isinstance(running_mean, bool):
        raise NotKnown("batch_norm in an older order")
    features = next((len(values) for values in (running_mean, weight, bias) if values is not None), None)
    layer = BatchNorm(features, affine=weight is not None, eps=eps, training=bool(training))
    return Spec(layer, (input,), (weight, bias))


@spec("instance_norm")
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Spec:
    """Instance normalization."""
    features = next((len(values) for values in (running_mean, weight, bias) if values is not None), None)
    return Spec(InstanceNorm(features, affine=weight is not None), (input,), (weight, bias))


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


# -- over axes -----------------------------------------------------------------------------------------------------


@spec("softmax", "log_softmax", "softmin", "gumbel_softmax")
def softmax(input: Any, dim: Any = None, *args: Any, **kwargs: Any) -> Spec:
    """Softmax along an axis."""
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise NotKnown("softmax without an axis")
    return Spec(Softmax(dim=plain(dim)), (input,))


_REDUCTIONS = [
    "sum",
    "mean",
    "prod",
    "amax",
    "amin",
    "all",
    "any",
    "argmax",
    "argmin",
    "logsumexp",
    "std",
    "var",
    "norm",
    "median",
    "nansum",
    "nanmean",
    "max",
    "min",
    "std_mean",
    "var_mean",
    "count_nonzero",
    "nanmedian",
    "mode",
    "aminmax",
]


def _reduce(name: str) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        if name in ("max", "min") and ((args and is_tensor(args[0])) or is_tensor(kwargs.get("other"))):
            return Spec(Combine(name), tensors(input, *args, *kwargs.values()))
        rest = list(args)
        if name in ("norm", "logsumexp") and rest and name == "norm":
            rest.pop(0)  # its p
        dim = kwargs.get("dim", rest.pop(0) if rest and not isinstance(rest[0], bool) else None)
        keepdim = kwargs.get("keepdim", next((value for value in reversed(rest) if isinstance(value, bool)), False))
        dims = None if dim is None or dim == () else tuple(map(plain, dim if isinstance(dim, tuple | list) else (dim,)))
        both = (name in ("max", "min", "median", "nanmedian", "mode") and dims is not None) or name in (
            "std_mean",
            "var_mean",
            "aminmax",
        )
        return Spec(Reduce(name, dims, keepdim=bool(keepdim), count=2 if both else 1), (input,))

    return made


spec_each(_REDUCTIONS, _reduce)


@spec("cumsum", "cumprod", "logcumsumexp")
def cumulative(input: Any, dim: Any, *args: Any, **kwargs: Any) -> Spec:
    """A running sum or product."""
    return Spec(Cumulative("cumsum", plain(dim)), (input,))
