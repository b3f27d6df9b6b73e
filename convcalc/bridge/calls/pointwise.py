"""Calls that work value by value: activations, functions of one tensor, arithmetic of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import layers
from convcalc.bridge.calls.arguments import among, call, sizes, tensors
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec, spec_each
from convcalc.bridge.device import need_torch
from convcalc.layers import Add, Combine, Map, Moved, Mul, PReLU, Reduce, Source, Written

# -- with a layer of their own -----------------------------------------------------------------------------------

for _layer in (
    *(layers.ReLU, layers.ReLU6, layers.Sigmoid, layers.Tanh, layers.GELU, layers.SiLU, layers.Mish),
    *(layers.Softplus, layers.Hardswish, layers.Hardsigmoid),
):  # what they are set to does not matter here
    call(_layer.__name__.lower(), _layer, "input | ...")
call("leaky_relu", layers.LeakyReLU, "input | negative_slope inplace")
call("dropout", layers.Dropout, "input | p ...")  # at evaluation too
call("glu", layers.GLU, "input | dim")
call("channel_shuffle native_channel_shuffle", Moved, "input | groups", function="channel_shuffle", dims=(1,))
spec("add", "__radd__")(among(Add(), Map("add")))
spec("mul", "multiply", "__rmul__")(among(Mul(), Map("mul")))


@spec("prelu")
def prelu(input: Any, weight: Any) -> Spec:
    """A learned slope."""
    return Spec(PReLU(weight.numel()), (input,), (weight,))


# -- by name -----------------------------------------------------------------------------------------------------

_VALUES = """
    abs absolute acos acosh angle asin asinh atan atanh bernoulli bitwise_not ceil celu clamp clamp_max
    clamp_min clip conj conj_physical cos cosh deg2rad digamma elu erf erfc erfinv exp exp2 expit expm1 fix
    floor frac hardshrink hardtanh isfinite isinf isnan isneginf isposinf lgamma log log10 log1p log2
    log_sigmoid logical_not logit logsigmoid nan_to_num neg negative positive rad2deg real imag reciprocal round
    rrelu rsqrt selu sgn sign signbit sin sinc sinh softshrink softsign sqrt square tan tanhshrink threshold
    trunc uniform dropout1d alpha_dropout feature_alpha_dropout feature_dropout dropout2d dropout3d fill zero
    exponential geometric log_normal cauchy random masked_fill fake_quantize_per_tensor_affine i0 polygamma tril
    triu poisson local_response_norm fill_diagonal gammaln multigammaln i0e i1 i1e ndtr ndtri log_ndtr erfcx
    entr bessel_j0 bessel_j1 isreal

    sub subtract div divide true_divide floor_divide remainder fmod pow float_power maximum minimum fmax fmin eq
    ne lt le gt ge greater greater_equal less less_equal not_equal logical_and logical_or logical_xor
    bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift atan2 arctan2 hypot lerp xlogy
    addcmul addcdiv copysign heaviside isclose logaddexp logaddexp2 nextafter rsub complex polar ldexp zeta
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __and__ __or__ __xor__ __rsub__ __rdiv__ __rtruediv__ __rpow__
    __rfloordiv__ __rmod__ __invert__ __radd__ __rmul__ __iand__ __ior__ __ixor__ __pow__ __ipow__ __idiv__
    __floordiv__ __mod__ __lshift__ __rshift__ gammainc gammaincc xlog1py
"""
"""Functions of each value alone, or of values of the same place, that have no layer of their own."""

_OF_MATRICES = """
    inverse matrix_exp matrix_power cholesky linalg.inv linalg.pinv linalg.cholesky linalg.matrix_exp
    linalg.matrix_power renorm cross linalg.cross linalg.householder_product
"""
"""Functions whose values depend on others of the same tensor; the shape is that of the first."""


def _by_value(name: str) -> Callable[..., Spec]:
    return among(Combine(name.strip("_")), Map(name.strip("_")))


spec_each(_VALUES.split(), _by_value)
spec_each(_OF_MATRICES.split(), lambda name: among(Written(name)))
for _part in ("real", "imag"):
    add([getattr(need_torch().Tensor, _part).__get__], _by_value(_part), _part)


@spec("normal")
def normal(mean: Any, std: Any = 1.0, size: Any = None, **kwargs: Any) -> Spec:
    """Random values: of the shape of mean or deviation, or of a size."""
    some = tensors(mean, std)
    return _by_value("normal")(*some) if some else Spec(Source("normal", sizes(size)), ())


@spec("bucketize")
def bucketize(input: Any, boundaries: Any, *args: Any, **kwargs: Any) -> Spec:
    """The bucket of each value, or of one number."""
    return Spec(Map("bucketize"), (input,)) if is_tensor(input) else Spec(Reduce("bucketize"), (boundaries,))


@spec("where")
def where(condition: Any, *args: Any, **kwargs: Any) -> Spec:
    """Values of one tensor or the other."""
    if not args and not kwargs:
        raise NotKnown("values decide how many places there are")
    return _by_value("where")(condition, *args, **kwargs)
