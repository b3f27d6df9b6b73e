"""Specs of what works value by value: activations, functions of one tensor, arithmetic of several."""

from __future__ import annotations

from typing import Any

from convcalc import layers
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, sizes, spec, spec_each, tensors
from convcalc.bridge.device import need_torch
from convcalc.layers import Add, Combine, Map, Moved, Mul, Pointwise, PReLU, Reduce, Source, Written

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

_UNARY = """
    abs absolute acos acosh angle asin asinh atan atanh bernoulli bitwise_not ceil celu clamp clamp_max
    clamp_min clip conj conj_physical cos cosh deg2rad digamma elu erf erfc erfinv exp exp2 expit expm1 fix
    floor frac hardshrink hardtanh isfinite isinf isnan isneginf isposinf lgamma log log10 log1p log2
    log_sigmoid logical_not logit logsigmoid nan_to_num neg negative positive rad2deg real imag reciprocal round
    rrelu rsqrt selu sgn sign signbit sin sinc sinh softshrink softsign sqrt square tan tanhshrink threshold
    trunc uniform dropout1d alpha_dropout feature_alpha_dropout feature_dropout dropout2d dropout3d fill zero
    exponential geometric log_normal cauchy random masked_fill fake_quantize_per_tensor_affine i0 polygamma tril
    triu poisson local_response_norm fill_diagonal gammaln multigammaln i0e i1 i1e ndtr ndtri log_ndtr erfcx
    entr bessel_j0 bessel_j1 isreal
"""
"""Functions of each value alone that have no layer of their own: one tensor in, the same shape out."""


_OF_MATRICES = """
    inverse matrix_exp matrix_power cholesky linalg.inv linalg.pinv linalg.cholesky linalg.matrix_exp
    linalg.matrix_power renorm cross linalg.cross linalg.householder_product
"""
"""Functions whose values depend on others of the same tensor; the shape is that of the first."""


def _activation(make: type[Pointwise]) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        return Spec(make(), (input,))

    return made


def _map(name: str) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        some = tensors(input, *args, *kwargs.values())
        return Spec(Combine(name) if len(some) > 1 else Map(name), some)

    return made


spec_each(_KNOWN, lambda name: _activation(_KNOWN[name]))
spec_each(_UNARY.split(), _map)


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


@spec("normal")
def normal(mean: Any, std: Any = 1.0, size: Any = None, **kwargs: Any) -> Spec:
    """Random values: of the shape of mean or deviation, or of a size."""
    some = tensors(mean, std)
    if not some:
        return Spec(Source("normal", sizes(size)), ())
    return Spec(Combine("normal") if len(some) > 1 else Map("normal"), some)


@spec("bucketize")
def bucketize(input: Any, boundaries: Any, *args: Any, **kwargs: Any) -> Spec:
    """The bucket of each value, or of one number."""
    return Spec(Map("bucketize"), (input,)) if is_tensor(input) else Spec(Reduce("bucketize"), (boundaries,))


def _matrix(name: str) -> Any:
    def made(input: Any, *args: Any, **kwargs: Any) -> Spec:
        return Spec(Written(name), tensors(input, *args, *kwargs.values()))

    return made


spec_each(_OF_MATRICES.split(), _matrix)


@spec("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(input: Any, groups: int) -> Spec:
    """Channels in another order."""
    return Spec(Moved("channel_shuffle", dims=(1,)), (input,))


_Tensor = need_torch().Tensor
add([_Tensor.real.__get__], _map("real"), "real")
add([_Tensor.imag.__get__], _map("imag"), "imag")


# -- several tensors -----------------------------------------------------------------------------------------------

_BINARY = """
    sub subtract div divide true_divide floor_divide remainder fmod pow float_power maximum minimum fmax fmin eq
    ne lt le gt ge greater greater_equal less less_equal not_equal logical_and logical_or logical_xor
    bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift atan2 arctan2 hypot lerp xlogy
    addcmul addcdiv copysign heaviside isclose logaddexp logaddexp2 nextafter rsub complex polar ldexp zeta
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __and__ __or__ __xor__ __rsub__ __rdiv__ __rtruediv__ __rpow__
    __rfloordiv__ __rmod__ __invert__ __radd__ __rmul__ __iand__ __ior__ __ixor__ __pow__ __ipow__ __idiv__
    __floordiv__ __mod__ __lshift__ __rshift__ gammainc gammaincc xlog1py
"""
"""Functions of values of the same place."""


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
spec_each(_BINARY.split(), _combine)


@spec("where")
def where(condition: Any, *args: Any, **kwargs: Any) -> Spec:
    """Values of one tensor or the other."""
    if not args and not kwargs:
        raise NotKnown("values decide how many places there are")
    some = tensors(condition, *args, *kwargs.values())
    return Spec(Combine("where"), some) if len(some) > 1 else Spec(Map("where"), some)
