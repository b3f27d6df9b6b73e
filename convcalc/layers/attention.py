"""Attention: every query reads every key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.conditions import Check, enforce
from convcalc.errors import BadShape
from convcalc.field import Field
from convcalc.layers.base import Layer, Shape, must_equal, product, written
from convcalc.layers.matmul import Matmul
from convcalc.sizes import Size


class _Attends(Layer):
    """What reads all positions of its keys and values."""

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: axes of tokens are not followed."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class Attention(_Attends):
    """softmax(q kᵀ) v (torch's `scaled_dot_product_attention`).

    Queries are (..., L, E), keys (..., S, E), values (..., S, V).

    >>> qkv = [(1, 12, 197, 64)] * 3
    >>> Attention().out_shape(*qkv), Attention().macs(*qkv)
    ((1, 12, 197, 64), 59610624)
    """

    op: ClassVar[str] = "attention"
    takes: ClassVar[tuple[int, int | None]] = (3, 4)
    _: KW_ONLY
    is_causal: bool = False
    enable_gqa: bool = False
    """Whether fewer heads of keys and values serve several heads of queries."""

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(..., L, V)."""
        q, k, v, *_ = shapes
        if min(map(len, (q, k, v))) < 2:
            raise BadShape(
                f"attention takes (..., L, E), (..., S, E) and (..., S, V): got {written(q)} and {written(k)}"
            )
        k, v = self._heads(q, k), self._heads(q, v)
        scores = Matmul().out_shape(q, (*k[:-2], k[-1], k[-2]), check=check)
        for mask in shapes[3:]:
            self._check_mask(mask, scores, check)
        return Matmul().out_shape(scores, v, check=check)

    def _check_mask(self, mask: Shape, scores: Shape, check: Check) -> None:
        """A mask must expand to the scores (..., L, S)."""
        if len(mask) > len(scores):
            raise BadShape(f"attention of scores {written(scores)} takes no mask of more axes: got {written(mask)}")
        for size, wanted in zip(mask[::-1], scores[::-1], strict=False):
            if not (isinstance(size, int) and size == 1):
                must_equal(
                    size,
                    wanted,
                    check,
                    lambda at: BadShape(
                        f"the mask {written(tuple(map(at, mask)))} does not fit the scores "
                        f"{written(tuple(map(at, scores)))}",
                        rule="a mask expands to (..., L, S)",
                    ),
                )

    def _heads(self, q: Shape, k: Shape) -> Shape:
        return (*k[:-3], q[-3], *k[-2:]) if self.enable_gqa and len(q) > 2 and len(k) > 2 else k

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """L * S * (E + V) in each head: both products, whether `is_causal` or not."""
        q, k, v, *_ = shapes
        return product(q[:-1]) * k[-2] * (q[-1] + v[-1])


@dataclass(frozen=True)
class MultiheadAttention(_Attends):
    """Projections, attention in `num_heads` heads, projection (torch's `MultiheadAttention`).

    Queries (L, N, E), keys (S, N, K) and values (S, N, V); with `batch_first` N comes first; without batch, no N.
    The outputs are (L, N, E) and the weights (N, L, S), unless `need_weights` is False.

    >>> attention = MultiheadAttention(192, 3, need_weights=False)
    >>> attention.out_shape(*[(197, 1, 192)] * 3), attention.macs(*[(197, 1, 192)] * 3)
    ((197, 1, 192), 43951488)
    """

    op: ClassVar[str] = "multihead"
    takes: ClassVar[tuple[int, int | None]] = (3, None)
    embed_dim: int
    num_heads: int
    _: KW_ONLY
    bias: bool = True
    batch_first: bool = False
    need_weights: bool = True
    average_attn_weights: bool = True

    @property
    def outputs(self) -> int:
        """One, or two with the weights."""
        return 2 if self.need_weights else 1

    def out_shape(self, q: Shape, /, *more: Shape, check: Check = enforce) -> Shape:
        """The shape of the queries."""
        return self.out_shapes(q, *more, check=check)[0]

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape of the queries, and that of the weights."""
        q, k, *_ = shapes
        must_equal(
            q[-1],
            self.embed_dim,
            check,
            lambda at: BadShape(
                f"embed_dim={self.embed_dim} but the queries {written(q)} have {at(q[-1])}",
                rule="the last axis of the queries equals embed_dim",
            ),
        )
        if not self.need_weights:
            return (q,)
        batch, length, source = self._sizes(q, k)
        heads = () if self.average_attn_weights else (self.num_heads,)
        return q, (*batch, *heads, length, source)

    def _sizes(self, q: Shape, k: Shape) -> tuple[Shape, Size, Size]:
        if len(q) == 2:
            return (), q[0], k[0]
        return (q[:1], q[1], k[1]) if self.batch_first else (q[1:2], q[0], k[0])

    def params(self, *shapes: Shape) -> Size:
        """Four projections, and their biases."""
        _, k, v, *_ = shapes
        size = self.embed_dim
        return size * (2 * size + k[-1] + v[-1]) + (4 * size if self.bias else 0)

    def macs(self, *shapes: Shape) -> Size:
        """The projections of queries, keys, values and output, and both products of attention."""
        q, k, v, *_ = shapes
        batch, length, source = self._sizes(q, k)
        size = self.embed_dim
        projections = length * size * 2 * size + source * (k[-1] + v[-1]) * size
        return product(batch) * (projections + 2 * length * source * size)
