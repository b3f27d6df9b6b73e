"""Ops in words: the layers that only captured models have read like what they do."""

from __future__ import annotations

import pytest

from convcalc.layers import Chunk, Index, Moved, PadAxes, Slice, Split, Stack, Unbind
from convcalc.layers.activation import Map
from convcalc.layers.attention import Attention, MultiheadAttention
from convcalc.layers.constant import Source
from convcalc.layers.embedding import Embedding
from convcalc.layers.expand import Expand, Repeat
from convcalc.layers.matmul import Einsum, Linear, Matmul
from convcalc.layers.merge import Combine, Concat
from convcalc.layers.opaque import Opaque
from convcalc.layers.permute import Permute
from convcalc.layers.recurrent import Recurrent
from convcalc.layers.reduce import Cumulative, Reduce
from convcalc.layers.reshape import Squeeze, Unflatten, Unsqueeze, View
from convcalc.network.ops import op_words
from convcalc.sizes.expr import Expr

H = Expr.symbol("H")


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (View((1, 768, 196)), "view 1x768x196"),
        (View((1, -1, H // 2)), "view 1x-1x(H//2)"),
        (Permute((0, 2, 1)), "permute 0 2 1"),
        (Squeeze(), "squeeze"),
        (Squeeze((2, 3)), "squeeze 2 3"),
        (Unsqueeze(-1), "unsqueeze -1"),
        (Expand((1, -1, -1)), "expand 1x-1x-1"),
        (Repeat((1, 2)), "repeat 1x2"),
        (Unflatten(1, (2, -1)), "unflatten 1 2x-1"),
        (Index((Slice(), Slice(1))), "index [:, 1:]"),
        (Index((Slice(), 0, None, Slice(None, -1, 2))), "index [:, 0, None, :-1:2]"),
        (Moved("roll", dims=(1, 2), shifts=(3, -3)), "roll by 3 -3 over 1 2"),
        (Moved("flip", dims=(2,)), "flip over 2"),
        (PadAxes(((0, 0), (1, 2))), "pad 0:0x1:2"),
        (PadAxes(((0, 0), (1, 2)), mode="reflect"), "pad 0:0x1:2 mode=reflect"),
        (Chunk(2, dim=1), "chunk 2 over 1"),
        (Split((3, 5), dim=1), "split 3 5 over 1"),
        (Unbind(3, dim=2), "unbind over 2"),
        (Stack(2), "stack over 2"),
        (Concat(), "concat"),
        (Concat(2), "concat over 2"),
        (Reduce("mean", (2, 3)), "mean over 2 3"),
        (Reduce("amax", (1,), keepdim=True), "amax over 1 keepdim"),
        (Reduce("sum"), "sum"),
        (Cumulative("cumsum", -1), "cumsum over -1"),
        (Map("exp"), "exp"),
        (Combine("div"), "div"),
        (Matmul(), "matmul"),
        (Einsum("bqd,bkd->bqk"), "einsum bqd,bkd->bqk"),
        (Attention(is_causal=True), "attention causal"),
        (MultiheadAttention(768, 12, need_weights=False), "multihead 768 heads=12"),
        (MultiheadAttention(768, 12, batch_first=True), "multihead 768 heads=12 batch_first"),
        (Recurrent("lstm", 64, input_size=32), "lstm 64"),
        (Recurrent("gru", 64, num_layers=2, bidirectional=True, bias=False), "gru 64 layers=2 nobias bidirectional"),
        (Embedding(1000, 64), "embedding 1000 64"),
        (Source("parameter", (1, 768)), "parameter"),
        (Source("buffer", (1, 768)), "buffer"),
        (Source("zeros", (1, 768)), "zeros 1x768"),
        (Opaque("nms", shapes=((1,),), seen=()), "nms (opaque)"),
        (Linear(10, in_features=5), "linear 10"),
    ],
)
def test_an_op_in_words(layer, words):
    assert op_words(layer.op, layer.arguments()) == words
