"""Where the windows of one axis lie among its positions, as pictures draw them; and numbers to fill them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.arithmetic.window_size import WindowedSize


@dataclass(frozen=True)
class Windows:
    """The windows of one axis; the positions from 0 to n - 1 are rows, those before and after are padding.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> axis = Windows(conv_size(5, 3, stride=2, padding=1))
    >>> axis.first, axis.last, axis.taps(0), axis.kind(-1), axis.kind(4)
    (-1, 5, (-1, 0, 1), 'pad', 'cell')
    """

    size: WindowedSize

    @property
    def first(self) -> int:
        """The first position, of the padding where there is some."""
        return -int(self.size.padding[0])

    @property
    def last(self) -> int:
        """The last position: of the padding, or of a window that ceil mode lets hang over."""
        size = self.size
        return max(int(size.input_size + size.padding[1]) - 1, self.taps(int(size.output_size) - 1)[-1])

    def taps(self, output: int) -> tuple[int, ...]:
        """Return the positions an output reads, padding among them."""
        start = output * self.size.stride - self.size.padding[0]
        return tuple(int(start + tap * self.size.dilation) for tap in range(self.size.kernel_size))

    def reads(self, position: int) -> bool:
        """Whether any output reads a position."""
        size = self.size
        starts = (position + size.padding[0] - tap * size.dilation for tap in range(size.kernel_size))
        return any(start % size.stride == 0 and 0 <= start // size.stride < size.output_size for start in starts)

    def kind(self, position: int) -> str:
        """Return what a position is: "cell" of the input, "lost" where nothing reads it, "pad", or past it "zero"."""
        size = self.size
        if 0 <= position < size.input_size:
            return "cell" if self.reads(position) else "lost"
        return "pad" if position < size.input_size + size.padding[1] else "zero"

    def listed(self, output: int) -> str:
        """Return the positions an output reads, in words.

        >>> from convcalc.arithmetic.window_size import conv_size
        >>> Windows(conv_size(5, 3, padding=1)).listed(0), Windows(conv_size(50, 20)).listed(3)
        ('-1, 0, 1', '3, 4, ..., 22')
        """
        taps = self.taps(output)
        return ", ".join(map(str, taps)) if len(taps) <= 9 else f"{taps[0]}, {taps[1]}, ..., {taps[-1]}"

    def outside(self, output: int) -> int:
        """Return how many of the positions an output reads are none of the input's.

        >>> from convcalc.arithmetic.window_size import conv_size
        >>> Windows(conv_size(5, 3, padding=1)).outside(0)
        1
        """
        return sum(not 0 <= tap < self.size.input_size for tap in self.taps(output))


@dataclass(frozen=True)
class Numbers:
    """An input 1, 2, 3, ... and a kernel 1, 2, 3, ..., row by row, and what comes out; of a pooling the largest.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> three = Numbers([Windows(conv_size(5, 3))])
    >>> three.input([2]), three.weight([2]), [three.output([place]) for place in range(3)]
    (3, 3, [14, 20, 26])
    """

    axes: Sequence[Windows]

    def input(self, place: Sequence[int]) -> int | None:
        """Return the number at a place of the input; None outside."""
        sizes = [int(axis.size.input_size) for axis in self.axes]
        inside = all(0 <= position < size for position, size in zip(place, sizes, strict=True))
        return counted(place, sizes) if inside else None

    def weight(self, tap: Sequence[int]) -> int:
        """Return the weight of a tap."""
        return counted(tap, [int(axis.size.kernel_size) for axis in self.axes])

    def output(self, place: Sequence[int]) -> int:
        """Return the number that an output is."""
        reads = product(*(enumerate(axis.taps(where)) for axis, where in zip(self.axes, place, strict=True)))
        terms = {tuple(tap for tap, _ in taps): self.input([position for _, position in taps]) for taps in reads}
        if self.axes[0].size.kind == "pool":
            return max(value for value in terms.values() if value is not None)
        return sum(value * self.weight(tap) for tap, value in terms.items() if value is not None)


def counted(place: Sequence[int], sizes: Sequence[int]) -> int:
    """Return the number of a place where places are counted row by row, from 1 on.

    >>> counted((1, 0), (2, 3))
    4
    """
    number = 0
    for position, size in zip(place, sizes, strict=True):
        number = number * size + position
    return number + 1
