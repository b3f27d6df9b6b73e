"""Specs of what works over axes: sums and means, norms, running sums, order, comparisons of whole tensors."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, plain, size, spec, spec_each, tensors
from convcalc.layers import Combine, Compare, Cumulative, Reduce
from convcalc.layers.losses import CrossEntropy, Pairwise
from convcalc.layers.opaque import Remade
from convcalc.layers.reduce import Draw, Sort, TopK


def _dims(dim: Any) -> tuple[int, ...] | None:
    """The axes that are meant; None for all, as torch has it for none."""
    some = dim if isinstance(dim, tuple | list) else () if dim is None else (dim,)
    return tuple(map(plain, some)) or None


# -- one value for many ------------------------------------------------------------------------------------------


def _reduce(name: str) -> Any:
    def made(input: Any, dim: Any = None, keepdim: bool = False, *args: Any, **kwargs: Any) -> Spec:
        return Spec(Reduce(name, _dims(dim), keepdim=bool(keepdim)), (input,))

    return made


_SUMS = """
    sum mean prod amax amin all any argmax argmin logsumexp nansum nanmean count_nonzero
"""

spec_each(_SUMS.split(), _reduce)


def _extreme(name: str) -> Any:
    """`max`: of all values; along an axis, with their places; of two tensors."""

    def made(input: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
        other = kwargs.get("other", dim)
        if is_tensor(other):
            return Spec(Combine(name), (input, other))
        return Spec(Reduce(name, _dims(dim), keepdim=bool(keepdim), count=1 if dim is None else 2), (input,))

    return made


spec_each(["max", "min", "median", "nanmedian"], _extreme)


@spec("mode")
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Spec:
    """The most frequent value along an axis, and its place."""
    return Spec(Reduce("mode", _dims(dim), keepdim=bool(keepdim), count=2), (input,))


@spec("kthvalue")
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Spec:
    """The k-th smallest value along an axis, and its place."""
    return Spec(Reduce("kthvalue", _dims(dim), keepdim=bool(keepdim), count=2), (input,))


@spec("aminmax")
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Spec:
    """The least value and the greatest."""
    return Spec(Reduce("aminmax", _dims(dim), keepdim=bool(keepdim), count=2), (input,))


def _spread(name: str) -> Any:
    """`std(input, dim, unbiased, keepdim)`, or `std(input, unbiased)`."""

    def made(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
        dims = None if isinstance(dim, bool) else _dims(dim)
        return Spec(Reduce(name, dims, keepdim=bool(keepdim), count=1 + name.endswith("mean")), (input,))

    return made


spec_each(["std", "var", "std_mean", "var_mean"], _spread)


def _norm(name: str) -> Any:
    """`norm(input, p, dim, keepdim)`."""

    def made(input: Any, p: Any = None, dim: Any = None, keepdim: bool = False, *args: Any, **kwargs: Any) -> Spec:
        return Spec(Reduce(name.rpartition(".")[2], _dims(dim), keepdim=bool(keepdim)), (input,))

    return made


spec_each(["norm", "linalg.norm", "linalg.vector_norm"], _norm)


@spec("linalg.matrix_norm")
def matrix_norm(input: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, **kwargs: Any) -> Spec:
    """The norm of each matrix."""
    return Spec(Reduce("matrix_norm", _dims(dim), keepdim=bool(keepdim)), (input,))


@spec("det", "logdet", "linalg.det", "linalg.matrix_rank", "linalg.cond")
def determinant(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """One number for each matrix."""
    return Spec(Reduce("det", (-2, -1)), (input,))


@spec("trace")
def trace(input: Any) -> Spec:
    """The sum of the diagonal of a matrix."""
    return Spec(Reduce("trace", None), (input,))


@spec("quantile", "nanquantile")
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
    """A quantile of all values, or along an axis."""
    if is_tensor(q):
        raise NotKnown("several quantiles")
    return Spec(Reduce("quantile", _dims(dim), keepdim=bool(keepdim)), (input,))


@spec("histc")
def histc(input: Any, bins: Any = 100, *args: Any, **kwargs: Any) -> Spec:
    """How many values fall into each bin."""
    return Spec(Remade("histc", (size(bins),)), (input,))


# -- along an axis -----------------------------------------------------------------------------------------------


def _cumulative(name: str) -> Any:
    def made(input: Any, dim: Any, *args: Any, **kwargs: Any) -> Spec:
        return Spec(Cumulative(name, plain(dim), count=2 if name in ("cummax", "cummin") else 1), (input,))

    return made


spec_each(["cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"], _cumulative)


def _sorted(name: str) -> Any:
    def made(input: Any, dim: Any = -1, descending: Any = False, stable: Any = False) -> Spec:
        if isinstance(dim, bool):  # sort(input, stable, dim, descending)
            dim = descending if not isinstance(descending, bool) else -1
        return Spec(Sort(name, dim=plain(dim)), (input,))

    return made


spec_each(["sort", "argsort"], _sorted)


@spec("topk")
def topk(input: Any, k: Any, dim: int = -1, *args: Any, **kwargs: Any) -> Spec:
    """The largest values along an axis, and their places."""
    return Spec(TopK(size(k), dim=plain(dim)), (input,))


@spec("multinomial")
def multinomial(input: Any, num_samples: Any, *args: Any, **kwargs: Any) -> Spec:
    """Places of the last axis, drawn from each row."""
    return Spec(Draw(size(num_samples)), (input,))


# -- two tensors -------------------------------------------------------------------------------------------------


@spec("cosine_similarity")
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Spec:
    """The angle between vectors along an axis."""
    return Spec(Compare("cosine_similarity", (plain(dim),)), (x1, x2))


@spec("pairwise_distance")
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Spec:
    """The distance of vectors along the last axis."""
    return Spec(Compare("pairwise_distance", (-1,), keepdim=bool(keepdim)), (x1, x2))


@spec("dist")
def dist(input: Any, other: Any, p: float = 2) -> Spec:
    """The norm of a difference."""
    return Spec(Compare("dist"), (input, other))


def _loss(name: str) -> Any:
    def made(input: Any, target: Any, *args: Any, reduction: str = "mean", **kwargs: Any) -> Spec:
        if not all(value is None or is_tensor(value) for value in args):
            raise NotKnown("a reduction by position")
        some = tensors(input, target, *args, kwargs.get("weight"), kwargs.get("pos_weight"))
        kind = Pairwise if name.startswith("binary") else Compare
        if reduction == "none":
            kind(name).out_shape(*(tuple(tensor.shape) for tensor in some))
            return Spec(Combine(name), some)
        return Spec(kind(name), some)

    return made


_LOSSES = """
    mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    poisson_nll_loss soft_margin_loss
"""

spec_each(_LOSSES.split(), _loss)


def _classes(name: str) -> Any:
    def made(input: Any, target: Any, weight: Any = None, *args: Any, reduction: str = "mean", **kwargs: Any) -> Spec:
        if any(value is not None for value in args):
            raise NotKnown("a reduction by position")
        likely = name == "cross_entropy" and target.is_floating_point()
        layer = CrossEntropy(probabilities=likely, reduced=reduction != "none")
        return Spec(layer, tensors(input, target, weight))

    return made


spec_each(["cross_entropy", "nll_loss"], _classes)
