"""A tensor in the shape of another, and several in one shape: `view_as`, `expand_as`, `broadcast_tensors`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from convcalc.footprints.field import Field
from convcalc.layers.base import Layer, Shape
from convcalc.layers.merge import Elementwise
from convcalc.layers.reshape import Expand, View
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


class _Like(Layer):
    """What takes a tensor and another, whose shape alone matters."""

    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def given(self, sizes: Shape) -> Layer:
        """Return the layer that does the same where the shape is written down."""
        raise NotImplementedError

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The shape of the second, which must fit the first."""
        shape, like = shapes
        return self.given(like).out_shape(shape, check=check)

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """As where the shape is written down: the second is not read."""
        return self.given(output).through(fields[:1], shapes[:1], output)


class ViewAs(_Like):
    """The same values under the shape of another tensor (torch's `view_as`, `reshape_as`).

    >>> ViewAs().out_shape((1, 16, 25), (1, 16, 5, 5))
    (1, 16, 5, 5)
    """

    op: ClassVar[str] = "viewas"

    def given(self, sizes: Shape) -> View:
        """`View`."""
        return View(tuple(sizes))


class ExpandAs(_Like):
    """Axes of size 1 repeated to the shape of another tensor (torch's `expand_as`).

    >>> ExpandAs().out_shape((1, 64, 1, 1), (1, 64, 28, 28))
    (1, 64, 28, 28)
    """

    op: ClassVar[str] = "expandas"

    def given(self, sizes: Shape) -> Expand:
        """`Expand`."""
        return Expand(tuple(sizes))


class _Common(Elementwise):
    op: ClassVar[str] = "broadcast"


@dataclass(frozen=True)
class Broadcast(Layer):
    """`count` tensors, each expanded to the shape they have in common (torch's `broadcast_tensors`).

    >>> Broadcast(2).out_shapes((1, 8, 1), (5,))
    ((1, 8, 5), (1, 8, 5))
    """

    op: ClassVar[str] = "broadcast"
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    count: int

    @property
    def outputs(self) -> int:
        """The count."""
        return self.count

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The common shape."""
        return _Common().out_shape(*shapes, check=check)

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The common shape, for each."""
        return (self.out_shape(*shapes, check=check),) * self.count

    def params(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def macs(self, *shapes: Shape) -> Size:
        """None."""
        return 0

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Unknown: which of them an output was is not said here."""
        return fields[0] if len(fields) == 1 else Field.unknown(len(fields[0].axes))
