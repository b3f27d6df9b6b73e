"""Specs of what multiplies and adds: linear maps, products of matrices, attention, embeddings."""

from __future__ import annotations

import string
from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, plain, size, spec, tensors
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


@spec("linear")
def linear(input: Any, weight: Any, bias: Any = None) -> Spec:
    """A linear map of the last axis by the weight (out_features, in_features)."""
    if weight.dim() != 2:
        raise NotKnown("linear by a vector")
    features, inner = weight.shape
    return Spec(Linear(features, in_features=inner, bias=bias is not None), (input,), (weight, bias))


@spec("matmul", "bmm", "mm", "mv", "dot", "vdot", "__rmatmul__", "linalg.matmul")
def matmul(a: Any, b: Any, **kwargs: Any) -> Spec:
    """The product of two."""
    return Spec(Matmul(), (a, b))


@spec("baddbmm", "addmm", "addmv")
def addmm(input: Any, a: Any, b: Any, **kwargs: Any) -> Spec:
    """The product of two, added to a third."""
    return Spec(AddMatmul(), (input, a, b))


@spec("linalg.multi_dot")
def multi_dot(some: Any, **kwargs: Any) -> Spec:
    """The product of many, in the cheapest order."""
    return Spec(MultiDot(), tuple(some))


@spec("chain_matmul")
def chain_matmul(*some: Any, **kwargs: Any) -> Spec:
    """The old name of `multi_dot`."""
    return Spec(MultiDot(), tuple(some))


@spec("outer", "ger")
def outer(input: Any, vec2: Any, **kwargs: Any) -> Spec:
    """All products of two vectors."""
    return Spec(Einsum("i,j->ij"), (input, vec2))


@spec("inner")
def inner(input: Any, other: Any, **kwargs: Any) -> Spec:
    """Products summed over both last axes; by a single value all are multiplied."""
    if not input.dim() or not other.dim():
        return Spec(Mul(), (input, other))
    return tensordot(input, other, ([-1], [-1]))


@spec("linalg.vecdot")
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Spec:
    """Products summed over one axis."""
    return Spec(Compare("vecdot", (plain(dim),)), (x, y))


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


@spec("kron")
def kron(input: Any, other: Any, **kwargs: Any) -> Spec:
    """Every value of one times the whole other."""
    return Spec(Kron(), (input, other))


@spec("cdist")
def cdist(x1: Any, x2: Any, *args: Any, **kwargs: Any) -> Spec:
    """The distances of all pairs of rows."""
    return Spec(Distances(), (x1, x2))


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


@spec("einsum")
def einsum(equation: Any, *operands: Any) -> Spec:
    """A sum of products by index."""
    if not isinstance(equation, str):
        raise NotKnown("einsum by numbers of axes")
    some = operands[0] if len(operands) == 1 and not is_tensor(operands[0]) else operands
    return Spec(Einsum(equation), tuple(some))


@spec("scaled_dot_product_attention")
def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *args: Any,
    **kwargs: Any,
) -> Spec:
    """Attention of heads."""
    layer = Attention(is_causal=bool(is_causal), enable_gqa=bool(kwargs.get("enable_gqa", False)))
    return Spec(layer, (query, key, value, *tensors(attn_mask)))


@spec("multi_head_attention_forward")
def multihead(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Spec:
    """Projections and attention in one call, which hides them."""
    if add_zero_attn or bias_k is not None or static_k is not None or static_v is not None:
        raise NotKnown("attention with keys added")
    layer = MultiheadAttention(
        plain(embed_dim_to_check),
        plain(num_heads),
        bias=in_proj_bias is not None,
        need_weights=bool(need_weights),
        average_attn_weights=bool(average_attn_weights),
        kdim=key.shape[-1] if k_proj_weight is None else k_proj_weight.shape[1],
        vdim=value.shape[-1] if v_proj_weight is None else v_proj_weight.shape[1],
    )
    weights = (in_proj_weight, in_proj_bias, q_proj_weight, k_proj_weight, v_proj_weight)
    read = (query, key, value, *tensors(attn_mask, key_padding_mask))
    return Spec(layer, read, (*weights, out_proj_weight, out_proj_bias))


@spec("embedding")
def embedding(input: Any, weight: Any, *args: Any, **kwargs: Any) -> Spec:
    """A row of the weight for each index."""
    count, features = weight.shape
    return Spec(Embedding(count, features), (input,), (weight,))


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: Any = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: Any = None,
) -> Spec:
    """The rows of each bag of indices as one; `torch.embedding_bag`, inside of it, gives more and is another."""
    count, features = weight.shape
    layer = EmbeddingBag(count, features, include_last_offset=bool(include_last_offset))
    return Spec(layer, (input, *tensors(offsets)), (weight,))


add([need_torch().nn.functional.embedding_bag], embedding_bag, "embedding_bag")


@spec("one_hot")
def one_hot(tensor: Any, num_classes: Any = -1) -> Spec:
    """A one at each index among zeros."""
    if num_classes == -1:
        raise NotKnown("values decide how many classes there are")
    return Spec(OneHot(size(num_classes)), (tensor,))
