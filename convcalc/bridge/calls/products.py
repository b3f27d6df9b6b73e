"""Specs of what multiplies and adds: linear maps, products of matrices, attention, recurrent networks."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, plain, spec, tensors
from convcalc.layers import Attention, Einsum, Embedding, Linear, Matmul, MultiheadAttention, Recurrent


@spec("linear")
def linear(input: Any, weight: Any, bias: Any = None) -> Spec:
    """A linear map of the last axis by the weight (out_features, in_features)."""
    if weight.dim() != 2:
        raise NotKnown("linear by a vector")
    features, inner = weight.shape
    return Spec(Linear(features, in_features=inner, bias=bias is not None), (input,), (weight, bias))


@spec("matmul", "bmm", "mm", "mv", "dot", "__rmatmul__")
def matmul(a: Any, b: Any, **kwargs: Any) -> Spec:
    """The product of two."""
    return Spec(Matmul(), (a, b))


@spec("baddbmm", "addmm")
def addmm(input: Any, a: Any, b: Any, **kwargs: Any) -> Spec:
    """The product of two, added to a third."""
    return Spec(Matmul(), (a, b))


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
    )
    weights = (in_proj_weight, in_proj_bias, q_proj_weight, k_proj_weight, v_proj_weight)
    return Spec(layer, (query, key, value), (*weights, out_proj_weight, out_proj_bias))


@spec("embedding")
def embedding(input: Any, weight: Any, *args: Any, **kwargs: Any) -> Spec:
    """A row of the weight for each index."""
    count, features = weight.shape
    return Spec(Embedding(count, features), (input,), (weight,))


def _recurrent(kind: str) -> Any:
    def made(input: Any, hx: Any, weights: Any, *args: Any, **kwargs: Any) -> Spec:
        if len(args) != 6:
            raise NotKnown("a packed sequence")
        has_biases, layers, _, _, bidirectional, batch_first = args
        states = tuple(hx) if isinstance(hx, tuple | list) else (hx,)
        first, hidden = weights[0], weights[1]
        per_layer = (4 if has_biases else 2) + (1 if _projects(weights, has_biases) else 0)
        layer = Recurrent(
            kind,
            hidden.shape[0] // {"rnn": 1, "gru": 3, "lstm": 4}[kind],
            input_size=first.shape[1],
            num_layers=plain(layers),
            bias=bool(has_biases),
            batch_first=bool(batch_first),
            bidirectional=bool(bidirectional),
            proj_size=weights[per_layer - 1].shape[0] if _projects(weights, has_biases) else 0,
        )
        return Spec(layer, (input, *states), tuple(weights))

    return made


def _projects(weights: Any, has_biases: bool) -> bool:
    """Whether an LSTM projects its hidden state: then a fifth (third) weight of each layer does."""
    each = 4 if has_biases else 2
    return len(weights) % each != 0 or (
        (len(weights) > each and weights[1].shape[1] != weights[1].shape[0] // 4)
        and (
            weights[each].dim() == 2
            and weights[each].shape[1] == weights[1].shape[0] // 4
            and weights[each].shape[0] == weights[1].shape[1]
        )
    )


spec("lstm")(_recurrent("lstm"))
spec("gru")(_recurrent("gru"))
spec("rnn_tanh", "rnn_relu")(_recurrent("rnn"))
