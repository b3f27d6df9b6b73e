"""Rows of a table: embeddings and one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Shape, written
from convcalc.layers.indexing import Ends, check_reach
from convcalc.layers.reshape import Widened
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Embedding(Widened):
    """A vector of `embedding_dim` values for each index, of `num_embeddings` (torch's `Embedding`).

    >>> Embedding(1000, 64).out_shape((1, 12)), Embedding(1000, 64).params((1, 12))
    ((1, 12, 64), 64000)
    """

    looks_up: ClassVar[tuple[int, int | None] | None] = (0, None)
    num_embeddings: int
    embedding_dim: int
    reach: Ends | None = field(default=None, kw_only=True)
    """From where to where the indices go, where that is known."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the indices, and embedding_dim."""
        check_reach(self.reach, self.num_embeddings, check, wraps=False)
        return (*shape, self.embedding_dim)

    def params(self, *shapes: Shape) -> Size:
        """num_embeddings * embedding_dim."""
        return self.num_embeddings * self.embedding_dim


@dataclass(frozen=True, eq=False, repr=False)
class EmbeddingBag(Embedding):
    """The sum, mean or maximum of the vectors of each bag of indices (torch's `EmbeddingBag`).

    Bags are the rows of a matrix of indices; or parts of a vector of them, each from one of the `offsets` on, a second
    input, the last of which may be the end (`include_last_offset`).

    >>> EmbeddingBag(1000, 64).out_shape((8, 12)), EmbeddingBag(1000, 64).out_shape((40,), (8,))
    ((8, 64), (8, 64))
    """

    looks_up: ClassVar[tuple[int, int | None] | None] = None
    takes: ClassVar[tuple[int, int | None]] = (1, 2)
    _: KW_ONLY
    include_last_offset: bool = False

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(bags, embedding_dim)."""
        shape, *offsets = shapes
        if len(shape) != (1 if offsets else 2):
            raise BadShape(f"embeddingbag takes (N, L), or (L,) and offsets: got {written(shape)}")
        bags = offsets[0][0] - self.include_last_offset if offsets else shape[0]
        return (bags, self.embedding_dim)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: bags are not followed."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True, eq=False, repr=False)
class OneHot(Widened):
    """A vector of `num_classes` zeros for each index, with a one at it (torch's `one_hot`).

    >>> OneHot(10).out_shape((8, 3))
    (8, 3, 10)
    """

    looks_up: ClassVar[tuple[int, int | None] | None] = (0, None)
    num_classes: Size
    _: KW_ONLY
    reach: Ends | None = None
    """From where to where the indices go, where that is known."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the indices, and num_classes."""
        check_reach(self.reach, self.num_classes, check, wraps=False)
        return (*shape, self.num_classes)
