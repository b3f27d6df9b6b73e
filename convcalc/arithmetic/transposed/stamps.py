"""Which inputs meet in an output of a transposed convolution, on one axis, in both views; as pictures draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from convcalc.arithmetic.windows import counted

if TYPE_CHECKING:
    from convcalc.arithmetic.transposed.size import TransposedSize

Meeting = tuple[int, int]
"""(position, index of the weight)."""


@dataclass(frozen=True)
class Stamps:
    """One axis of a transposed convolution: each input puts its kernel on the output; or zeros are inserted instead.

    >>> from convcalc.arithmetic.transposed.size import transposed_size
    >>> axis = Stamps(transposed_size(3, 3, stride=2, padding=1))
    >>> axis.stamp(1), axis.meeting(1), axis.under(1), [axis.kind(place) for place in range(-1, 6)]
    ((1, 2, 3), [(1, 0), (0, 2)], [(0, 2), (1, 1), (2, 0)], ['pad', 'cell', 'zero', 'cell', 'zero', 'cell', 'pad'])
    """

    size: TransposedSize

    @property
    def first(self) -> int:
        """The first position that any stamp reaches; below 0 it is cut off."""
        return min(0, -int(self.size.padding[0]))

    @property
    def last(self) -> int:
        """The last position that a stamp reaches or that the output has."""
        return max(self.stamp(int(self.size.input_size) - 1)[-1], int(self.size.output_size) - 1)

    @property
    def zeros_first(self) -> int:
        """The first position of the input with zeros between, padding among them."""
        return min(0, -int(self.size.equivalent.padding[0]))

    @property
    def zeros_last(self) -> int:
        """The last position of the input with zeros between, padding among them."""
        same = self.size.equivalent
        return int(same.inserted) - 1 + max(0, int(same.padding[1]))

    def stamp(self, place: int) -> tuple[int, ...]:
        """Return the output positions that an input's stamp covers, one for each weight."""
        start = place * self.size.stride - self.size.padding[0]
        return tuple(int(start + tap * self.size.dilation) for tap in range(self.size.kernel_size))

    def meeting(self, output: int) -> list[Meeting]:
        """Return the inputs whose stamps meet in an output, each with the weight it has there."""
        size = self.size
        starts = ((output + size.padding[0] - tap * size.dilation, tap) for tap in range(size.kernel_size))
        found = ((start // size.stride, tap) for start, tap in starts if start % size.stride == 0)
        return [(int(place), tap) for place, tap in found if 0 <= place < size.input_size]

    def under(self, output: int) -> list[Meeting]:
        """Return the positions of the input with zeros between that lie under the flipped kernel, with its weights."""
        size, start = self.size, output - int(self.size.equivalent.padding[0])
        return [(start + int(u * size.dilation), size.kernel_size - 1 - u) for u in range(size.kernel_size)]

    def kind(self, position: int) -> str:
        """Return what a position is, zeros between: "cell" of the input, "zero", "pad", or "lost": cut off."""
        same = self.size.equivalent
        if not -same.padding[0] <= position < same.inserted + same.padding[1]:
            return "lost"
        if not 0 <= position < same.inserted:
            return "pad"
        return "zero" if position % self.size.stride else "cell"


@dataclass(frozen=True)
class StampNumbers:
    """An input 1, 2, 3, ... and a kernel 1, 2, 3, ..., row by row, and what comes out, in both views.

    >>> from convcalc.arithmetic.transposed.size import transposed_size
    >>> three = StampNumbers([Stamps(transposed_size(3, 3, stride=2, padding=1))])
    >>> [(three.stamped([place]), three.convolved([place])) for place in range(5)]
    [(2, 2), (5, 5), (4, 4), (9, 9), (6, 6)]
    """

    axes: Sequence[Stamps]

    def input(self, place: Sequence[int]) -> int:
        """Return the number at a place of the input."""
        return counted(place, [int(axis.size.input_size) for axis in self.axes])

    def between(self, place: Sequence[int]) -> int | None:
        """Return the number at a place of the input with zeros between; None where it is 0."""
        if any(axis.kind(position) != "cell" for axis, position in zip(self.axes, place, strict=True)):
            return None
        return self.input([at // int(axis.size.stride) for axis, at in zip(self.axes, place, strict=True)])

    def weight(self, tap: Sequence[int]) -> int:
        """Return a weight."""
        return counted(tap, [int(axis.size.kernel_size) for axis in self.axes])

    def stamped(self, output: Sequence[int]) -> int:
        """Return an output as the sum of the stamps that meet there."""
        meetings = product(*(axis.meeting(place) for axis, place in zip(self.axes, output, strict=True)))
        return sum(self.input([at for at, _ in met]) * self.weight([tap for _, tap in met]) for met in meetings)

    def convolved(self, output: Sequence[int]) -> int:
        """Return an output as the flipped kernel gives it on the input with zeros between."""
        unders = product(*(axis.under(place) for axis, place in zip(self.axes, output, strict=True)))
        terms = [(self.between([at for at, _ in met]), self.weight([tap for _, tap in met])) for met in unders]
        return sum(value * weight for value, weight in terms if value is not None)
