"""Calls that multiply and add: linear maps, products of matrices, attention, embeddings."""

from __future__ import annotations

import string
from typing import Any

from convcalc.bridge.calls.arguments import arranged, call, plain, size, tensors
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec
from convcalc.bridge.device import need_torch
from convcalc.layers import (
    Attention,
    Compare,
    Einsum,
    Embedding,
    EmbeddingBag,
    Linear,
    Matmul,
    Mul,
    MultiheadAttention,
    OneHot,
)
from convcalc.layers.products import AddMatmul, Bilinear, ConvTBC, Distances, Kron, MultiDot

call("matmul bmm mm mv dot vdot __rmatmul__ linalg.matmul", Matmul, "a b | ...")
call("baddbmm addmm addmv", AddMatmul, "input a b | ...")
call("outer ger", Einsum, "input vec2 | ...", equation="i,j->ij")
call("linalg.vecdot", Compare, "x y | dim:dims=-1")
call("kron", Kron, "input other | ...")
call("cdist", Distances, "x1 x2 | ...")


@spec("linear")
def linear(input: Any, weight: Any, bias: Any = None) -> Spec:
    """A linear map of the last axis by the weight (out_features, in_features)."""
    if weight.dim() != 2:
        raise NotKnown("linear by a vector")
    features, inner = weight.shape
    return Spec(Linear(features, in_features=inner, bias=bias is not None), (input,), (weight, bias))


@spec("linalg.multi_dot")
def multi_dot(some: Any, **kwargs: Any) -> Spec:
    """The product of many, in the cheapest order."""
    return Spec(MultiDot(), tuple(some))


@spec("chain_matmul")
def chain_matmul(*some: Any, **kwargs: Any) -> Spec:
    """The old name of `multi_dot`."""
    return multi_dot(some)


@spec("inner")
def inner(input: Any, other: Any, **kwargs: Any) -> Spec:
    """Products summed over both last axes; by a single value all are multiplied."""
    if not input.dim() or not other.dim():
        return Spec(Mul(), (input, other))
    return tensordot(input, other, ([-1], [-1]))


@spec("tensordot")
def tensordot(a: Any, b: Any, dims: Any = 2, **kwargs: Any) -> Spec:
    """Products summed over axes of both."""
    if is_tensor(dims):
        raise NotKnown("tensordot by a tensor of axes")
    if isinstance(dims, int):
        count = plain(dims)
        dims = (range(a.dim() - count, a.dim()), range(count))
    first, second = ([plain(dim) % tensor.dim() for dim in some] for some, tensor in zip(dims, (a, b), strict=True))
    letters = string.ascii_letters
    left = letters[: a.dim()]
    right = list(letters[a.dim() : a.dim() + b.dim()])
    for mine, theirs in zip(first, second, strict=True):
        right[theirs] = left[mine]
    kept = [letter for axis, letter in enumerate(left) if axis not in first]
    kept += [letter for axis, letter in enumerate(right) if axis not in second]
    return Spec(Einsum(f"{left},{''.join(right)}->{''.join(kept)}"), (a, b))


@spec("einsum")
def einsum(equation: Any, *operands: Any) -> Spec:
    """A sum of products by index."""
    if not isinstance(equation, str):
        raise NotKnown("einsum by numbers of axes")
    some = operands[0] if len(operands) == 1 and not is_tensor(operands[0]) else operands
    return Spec(Einsum(equation), tuple(some))


@spec("bilinear")
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Spec:
    """A linear map of all products of two features, by the weight (out, in1, in2)."""
    out, first, second = weight.shape
    layer = Bilinear(out, in1_features=first, in2_features=second, bias=bias is not None)
    return Spec(layer, (input1, input2), (weight, bias))


@spec("conv_tbc")
def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Spec:
    """A convolution of (T, N, C) by the weight (kernel_size, C_in, C_out)."""
    kernel, inner, out = weight.shape
    return Spec(ConvTBC(out, kernel, in_channels=inner, padding=plain(pad)), (input,), (weight, bias))


# -- attention ---------------------------------------------------------------------------------------------------


def _attention(given: Any) -> Spec:
    """Attention of heads."""
    layer = Attention(is_causal=bool(given.is_causal), enable_gqa=bool(given.enable_gqa))
    return Spec(layer, (given.query, given.key, given.value, *tensors(given.attn_mask)))


spec("scaled_dot_product_attention")(
    arranged("query key value attn_mask=None dropout_p=0.0 is_causal=False scale=None enable_gqa=False", _attention)
)


def _multihead(given: Any) -> Spec:
    """Projections and attention in one call, which hides them."""
    if given.add_zero_attn or any(one is not None for one in (given.bias_k, given.static_k, given.static_v)):
        raise NotKnown("attention with keys added")
    layer = MultiheadAttention(
        plain(given.embed_dim_to_check),
        plain(given.num_heads),
        bias=given.in_proj_bias is not None,
        need_weights=bool(given.need_weights),
        average_attn_weights=bool(given.average_attn_weights),
        kdim=given.key.shape[-1] if given.k_proj_weight is None else given.k_proj_weight.shape[1],
        vdim=given.value.shape[-1] if given.v_proj_weight is None else given.v_proj_weight.shape[1],
    )
    projections = (given.in_proj_weight, given.in_proj_bias, given.q_proj_weight, given.k_proj_weight)
    weights = (*projections, given.v_proj_weight, given.out_proj_weight, given.out_proj_bias)
    read = (given.query, given.key, given.value, *tensors(given.attn_mask, given.key_padding_mask))
    return Spec(layer, read, weights)


_MULTIHEAD = """
    query key value embed_dim_to_check num_heads in_proj_weight in_proj_bias bias_k bias_v add_zero_attn dropout_p
    out_proj_weight out_proj_bias training=True key_padding_mask=None need_weights=True attn_mask=None
    use_separate_proj_weight=False q_proj_weight=None k_proj_weight=None v_proj_weight=None static_k=None static_v=None
    average_attn_weights=True is_causal=False
"""
spec("multi_head_attention_forward")(arranged(_MULTIHEAD, _multihead))


# -- tables ------------------------------------------------------------------------------------------------------


@spec("embedding")
def embedding(input: Any, weight: Any, *args: Any, **kwargs: Any) -> Spec:
    """A row of the weight for each index."""
    return Spec(Embedding(*weight.shape), (input,), (weight,))


def _embedding_bag(given: Any) -> Spec:
    """The rows of each bag of indices as one; `torch.embedding_bag`, inside of it, gives more and is another."""
    layer = EmbeddingBag(*given.weight.shape, include_last_offset=bool(given.include_last_offset))
    return Spec(layer, (given.input, *tensors(given.offsets)), (given.weight,))


_BAG = """
    input weight offsets=None max_norm=None norm_type=2 scale_grad_by_freq=False mode='mean' sparse=False
    per_sample_weights=None include_last_offset=False padding_idx=None
"""
add([need_torch().nn.functional.embedding_bag], arranged(_BAG, _embedding_bag), "embedding_bag")


@spec("one_hot")
def one_hot(tensor: Any, num_classes: Any = -1) -> Spec:
    """A one at each index among zeros."""
    if num_classes == -1:
        raise NotKnown("values decide how many classes there are")
    return Spec(OneHot(size(num_classes)), (tensor,))
