"""Calls that work over axes: sums and means, norms, running sums, order, comparisons of whole tensors."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import axes, call, each, plain, size, tensors
from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, spec, spec_each
from convcalc.layers import Combine, Compare, Cumulative, Reduce
from convcalc.layers.opaque import Remade
from convcalc.layers.reduce import CrossEntropy, Draw, Pairwise, Sort, TopK

# -- one value for many ------------------------------------------------------------------------------------------

_SUMS = """
    sum mean prod amax amin all any argmax argmin logsumexp nansum nanmean count_nonzero
"""

each(_SUMS, Reduce, "input | dim:dims keepdim ...")
each("norm linalg.norm linalg.vector_norm", Reduce, "input | p dim:dims keepdim ...")
call("linalg.matrix_norm", Reduce, "input | ord dim:dims=(-2,-1) keepdim ...")
call("det logdet linalg.det linalg.matrix_rank linalg.cond", Reduce, "input | ...", function="det", dims=(-2, -1))
call("trace", Reduce, "input |")
call("mode", Reduce, "input | dim:dims=-1 keepdim", count=2)
call("kthvalue", Reduce, "input | k dim:dims=-1 keepdim", count=2)
call("aminmax", Reduce, "input | dim:dims keepdim", count=2)


def _extreme(name: str) -> Any:
    """`max`: of all values; along an axis, with their places; of two tensors."""

    def made(input: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
        other = kwargs.get("other", dim)
        if is_tensor(other):
            return Spec(Combine(name), (input, other))
        count = 1 if dim is None else 2
        return Spec(Reduce(name, axes(dim) or None, keepdim=bool(keepdim), count=count), (input,))

    return made


spec_each(["max", "min", "median", "nanmedian"], _extreme)


def _spread(name: str) -> Any:
    """`std(input, dim, unbiased, keepdim)`, or `std(input, unbiased)`."""

    def made(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
        dims = None if isinstance(dim, bool) else axes(dim) or None
        return Spec(Reduce(name, dims, keepdim=bool(keepdim), count=1 + name.endswith("mean")), (input,))

    return made


spec_each(["std", "var", "std_mean", "var_mean"], _spread)


@spec("quantile", "nanquantile")
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Spec:
    """A quantile of all values, or along an axis."""
    if is_tensor(q):
        raise NotKnown("several quantiles")
    return Spec(Reduce("quantile", axes(dim) or None, keepdim=bool(keepdim)), (input,))


@spec("histc")
def histc(input: Any, bins: Any = 100, *args: Any, **kwargs: Any) -> Spec:
    """How many values fall into each bin."""
    return Spec(Remade("histc", (size(bins),)), (input,))


# -- along an axis -----------------------------------------------------------------------------------------------

call("cumsum cumprod logcumsumexp", Cumulative, "input | dim ...")
call("cummax cummin", Cumulative, "input | dim ...", count=2)
call("topk", TopK, "input | k dim ...")
call("multinomial", Draw, "input | num_samples ...")


def _sorted(name: str) -> Any:
    def made(input: Any, dim: Any = -1, descending: Any = False, stable: Any = False) -> Spec:
        if isinstance(dim, bool):  # sort(input, stable, dim, descending)
            dim = descending if not isinstance(descending, bool) else -1
        return Spec(Sort(name, dim=plain(dim)), (input,))

    return made


spec_each(["sort", "argsort"], _sorted)


# -- two tensors -------------------------------------------------------------------------------------------------

call("cosine_similarity", Compare, "x1 x2 | dim:dims=1 eps")
call("pairwise_distance", Compare, "x1 x2 | p eps keepdim", dims=(-1,))
call("dist", Compare, "input other | p")


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
        return Spec(CrossEntropy(probabilities=likely, reduced=reduction != "none"), tensors(input, target, weight))

    return made


spec_each(["cross_entropy", "nll_loss"], _classes)
