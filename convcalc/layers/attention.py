"""Attention: every query reads every key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field, unite
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.stencils import everything, everything_before, identity
from convcalc.layers.base import Layer, Shape, must_equal, product, written
from convcalc.layers.matmul import Matmul
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Attention(Layer):
    """softmax(q kᵀ) v (torch's `scaled_dot_product_attention`).

    Queries are (..., L, E), keys (..., S, E), values (..., S, V).

    >>> qkv = [(1, 12, 197, 64)] * 3
    >>> Attention().out_shape(*qkv), Attention().macs(*qkv)
    ((1, 12, 197, 64), 59610624)
    """

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
                        f"the mask {written(mask, at)} does not fit the scores {written(scores, at)}",
                        rule="a mask expands to (..., L, S)",
                    ),
                )

    def _heads(self, q: Shape, k: Shape) -> Shape:
        return (*k[:-3], q[-3], *k[-2:]) if self.enable_gqa and len(q) > 2 and len(k) > 2 else k

    def macs(self, *shapes: Shape) -> Size:
        """L * S * (E + V) in each head: both products, whether `is_causal` or not."""
        q, k, v, *_ = shapes
        return product(q[:-1]) * k[-2] * (q[-1] + v[-1])

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The queries at their own places; all keys and values, or with `is_causal` those up to there."""
        keys, rows = (everything_before(), output[-2]) if self.is_causal else (everything(), 1)
        some = []
        for role, field, shape in zip(("q", "k", "v", "mask"), fields, shapes, strict=False):
            last = len(shape) - 1
            reads: dict[int, Footprint | None] = {} if role == "v" else {last: everything()}
            kept = [*shape[:-1], shape[-1] if role == "v" else 1]
            if role in "kv":
                reads[last - 1], kept[-2] = keys, rows
                if self.enable_gqa and len(shape) > 2 and shape[-3] != output[-3]:
                    reads[last - 2], kept[-3] = None, output[-3]
            some.append(field.over(shape, reads, tuple(kept)).served(tuple(kept), output))
        return unite(some, output)


@dataclass(frozen=True, eq=False, repr=False)
class MultiheadAttention(Layer):
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
    kdim: int | None = None
    vdim: int | None = None
    """The features of keys and values: those that come unless given."""

    @property
    def outputs(self) -> int:
        """One, or two with the weights."""
        return 2 if self.need_weights else 1

    def out_shape(self, q: Shape, /, *more: Shape, check: Check = enforce) -> Shape:
        """The shape of the queries."""
        return self.out_shapes(q, *more, check=check)[0]

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shape of the queries, and that of the weights."""
        q, k, v, *_ = shapes
        self._check_features("embed_dim", self.embed_dim, "queries", q, check)
        self._check_features("kdim", self.kdim, "keys", k, check)
        self._check_features("vdim", self.vdim, "values", v, check)
        self._check_lengths(q, k, v, check)
        if not self.need_weights:
            return (q,)
        batch, length, source = self._sizes(q, k)
        heads = () if self.average_attn_weights else (self.num_heads,)
        return q, (*batch, *heads, length, source)

    def _check_features(self, word: str, wanted: int | None, what: str, shape: Shape, check: Check) -> None:
        if wanted is not None:
            must_equal(
                shape[-1],
                wanted,
                check,
                lambda at: BadShape(
                    f"{word}={wanted} but the {what} {written(shape, at)} have {at(shape[-1])}",
                    rule=f"the last axis of the {what} equals {word}",
                ),
            )

    def _check_lengths(self, q: Shape, k: Shape, v: Shape, check: Check) -> None:
        """As many keys as values, in as many batches as there are queries."""
        batch = 0 if self.batch_first else 1
        pairs = [("keys and values", a, b) for a, b in zip(k[:-1], v[:-1], strict=True)]
        pairs += [("batches of queries and keys", q[batch], k[batch])] if len(q) == len(k) == 3 else []
        for what, a, b in pairs:
            must_equal(a, b, check, _unequal(what, a, b))

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

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The queries at their own places, and all keys and values; of the weights, where they look alike, unknown."""
        attended, *weights = self.out_shapes(*shapes)
        if any(field.reads_anything for field in fields[3:]) or weights == [attended]:
            return Field.unknown(len(fields[0].axes))
        if output != attended:
            return self._weighed(fields, shapes, output)
        tokens = self._tokens(attended)
        some = []
        for role, field, shape in zip("qkv", fields, shapes, strict=False):
            summed = {len(shape) - 1} if role == "q" else {len(shape) - 1, tokens}
            kept = tuple(1 if axis in summed else size for axis, size in enumerate(shape))
            some.append(field.over(shape, dict.fromkeys(summed, everything()), kept).served(kept, output))
        return unite(some, output)

    def _tokens(self, shape: Shape) -> int:
        """The axis of tokens."""
        return 1 if self.batch_first and len(shape) == 3 else 0

    def _weighed(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The weights (N, L, S) or (N, heads, L, S): queries along L; keys along S, all of them as they are weighed."""
        some = []
        for field, shape, at in zip(fields[:2], shapes[:2], (-2, -1), strict=True):
            last, tokens = len(shape) - 1, self._tokens(shape)
            one = (*shape[:-1], 1)
            read = field.over(shape, {last: everything()}, one)
            places: list[int | None] = [0, 0, None] if len(shape) == 3 else [0, None]
            places[tokens] = len(output) + at
            kept = [1] * len(output)
            for axis, place in enumerate(places):
                if place is not None:
                    kept[place] = shape[axis]
            some.append(read.moved(one, places, tuple(kept)).served(tuple(kept), output))
        weighed = {len(output) - 1: identity() | everything()}
        return unite(some, output).over(output, weighed, output)


def _unequal(what: str, a: Size, b: Size) -> Callable[[Reader], BadShape]:
    return lambda at: BadShape(f"as many {what} are needed: {at(a)} and {at(b)}")
