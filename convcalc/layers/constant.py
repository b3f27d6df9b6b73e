"""Values that no input gives: parameters read as they are, buffers, what functions such as `zeros` make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.footprints.field import Field
from convcalc.layers.activation import Map
from convcalc.layers.base import Layer, Shape, named, product
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Source(Layer):
    """A tensor of `sizes` that reads nothing: a "parameter", a "buffer", or what the function `kind` makes.

    >>> Source("parameter", (1, 197, 768)).out_shape(), Source("parameter", (1, 197, 768)).params()
    ((1, 197, 768), 151296)
    """

    op: ClassVar[str] = named("kind")
    takes: ClassVar[tuple[int, int | None]] = (0, 0)
    is_source: ClassVar[bool] = True
    kind: str
    sizes: Shape

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

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Nothing of the input."""
        return Field.nothing(0)


@dataclass(frozen=True, eq=False, repr=False)
class Fresh(Map):
    """New values in the shape of the input, of which nothing else is read: `zeros_like`, or of other `sizes`.

    >>> Fresh("zeros_like").out_shape((1, 8, 5)), Fresh("new_zeros", sizes=(4, 2)).out_shape((1, 8, 5))
    ((1, 8, 5), (4, 2))
    """

    reads_values: ClassVar[bool] = False
    _: KW_ONLY
    sizes: Shape | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The shape of the input, or the sizes."""
        return shape if self.sizes is None else self.sizes

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Nothing of the input."""
        return Field.nothing(len(fields[0].axes))
