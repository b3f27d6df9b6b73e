"""Values that no input gives: parameters read as they are, buffers, what functions such as `zeros` make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

from convcalc.errors import BadShape
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape, product, written
from convcalc.layers.indexing import Ends, check_reach
from convcalc.layers.reduce import Map
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class Source(Layer):
    """A tensor of `sizes` that reads nothing: a "parameter", a "buffer", or what the function `kind` makes.

    >>> Source("parameter", (1, 197, 768)).out_shape(), Source("parameter", (1, 197, 768)).params()
    ((1, 197, 768), 151296)
    """

    takes: ClassVar[tuple[int, int | None]] = (0, 0)
    kind: str
    sizes: Shape

    @property
    def op(self) -> str:  # type: ignore[override]
        """The kind."""
        return self.kind

    @property
    def is_held(self) -> bool:
        """Whether it is a parameter or a buffer, which take no more memory for being read."""
        return self.kind in ("parameter", "buffer")

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The sizes."""
        return self.sizes

    def params(self, *shapes: Shape) -> Size:
        """All values of a parameter; none of anything else."""
        return product(self.sizes) if self.kind == "parameter" else 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Nothing of the input."""
        return Field.nothing(0)


@dataclass(frozen=True)
class Fresh(Map):
    """New values in the shape of the input, of which nothing else is read: `zeros_like`, or of other `sizes`.

    >>> Fresh("zeros_like").out_shape((1, 8, 5)), Fresh("new_zeros", sizes=(4, 2)).out_shape((1, 8, 5))
    ((1, 8, 5), (4, 2))
    """

    _: KW_ONLY
    sizes: Shape | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the input, or the sizes."""
        return shape if self.sizes is None else self.sizes

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Nothing of the input."""
        return Field.nothing(len(fields[0].axes))


@dataclass(frozen=True)
class Embedding(Layer):
    """A vector of `embedding_dim` values for each index, of `num_embeddings` (torch's `Embedding`).

    >>> Embedding(1000, 64).out_shape((1, 12)), Embedding(1000, 64).params((1, 12))
    ((1, 12, 64), 64000)
    """

    op: ClassVar[str] = "embedding"
    num_embeddings: int
    embedding_dim: int
    reach: Ends | None = field(default=None, kw_only=True)
    """From where to where the indices go, where that is known."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the indices, and embedding_dim."""
        check_reach(self.reach, self.num_embeddings, check, wraps=False)
        return (*shape, self.embedding_dim)

    def params(self, shape: Shape, /) -> Size:
        """num_embeddings * embedding_dim."""
        return self.num_embeddings * self.embedding_dim

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the indices."""
        one = (*shapes[0], 1)
        return fields[0].viewed(shapes[0], one).served(one, output)


@dataclass(frozen=True)
class EmbeddingBag(Embedding):
    """The sum, mean or maximum of the vectors of each bag of indices (torch's `EmbeddingBag`).

    Bags are the rows of a matrix of indices; or parts of a vector of them, each from one of the `offsets` on, a second
    input, the last of which may be the end (`include_last_offset`).

    >>> EmbeddingBag(1000, 64).out_shape((8, 12)), EmbeddingBag(1000, 64).out_shape((40,), (8,))
    ((8, 64), (8, 64))
    """

    op: ClassVar[str] = "embeddingbag"
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

    def params(self, *shapes: Shape) -> Size:
        """num_embeddings * embedding_dim."""
        return self.num_embeddings * self.embedding_dim

    def macs(self, *shapes: Shape) -> Size:
        """None: vectors are added."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: bags are not followed."""
        return Field.unknown(len(fields[0].axes))


@dataclass(frozen=True)
class OneHot(Layer):
    """A vector of `num_classes` zeros for each index, with a one at it (torch's `one_hot`).

    >>> OneHot(10).out_shape((8, 3))
    (8, 3, 10)
    """

    op: ClassVar[str] = "onehot"
    num_classes: Size
    _: KW_ONLY
    reach: Ends | None = None
    """From where to where the indices go, where that is known."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the indices, and num_classes."""
        check_reach(self.reach, self.num_classes, check, wraps=False)
        return (*shape, self.num_classes)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """The field of the indices."""
        one = (*shapes[0], 1)
        return fields[0].viewed(shapes[0], one).served(one, output)
