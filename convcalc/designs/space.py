"""The layers that a stack may be made of, what each adds, and what it costs where it stands."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import NamedTuple

from convcalc.designs.wish import Span, Wish
from convcalc.errors import Unreadable

MOST_SCALES = 1000
"""Products of strides that are kept apart at most."""


class Choice(NamedTuple):
    """One layer, but for its dilation."""

    kernel_size: int
    stride: int = 1


class Cost(NamedTuple):
    """What a layer costs, or a stack of them."""

    layers: int
    macs: int
    params: int


class Space:
    """The layers of a wish, by their strides, and their costs by place, by scale (the strides before) and reach.

    >>> from convcalc.designs.wish import read_wish
    >>> space = Space(read_wish(201, 8))
    >>> space.scales, space.choices(8), space.choices(4)
    ((1, 2, 4, 8), (Choice(kernel_size=3, stride=1),), (Choice(kernel_size=3, stride=1), \
Choice(kernel_size=3, stride=2)))
    """

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        room = None if wish.padded else min(wish.size)
        ends = [end for end in (wish.field.most, room) if end is not None]
        self.field = Span(wish.field.least, min(ends, default=None))
        """The fields that are wished and fit into the input: where all is padded, any fits."""
        self.last = max(len(wish.channels), wish.layers.least) if wish.layers.most is None else wish.layers.most
        """The place from which on all places are alike, or where the stack ends."""
        found, new = {1}, {1}
        while new:
            new = {scale * stride for scale in new for stride in wish.strides.values if self._leads_on(scale, stride)}
            new -= found
            found |= new
            if len(found) > MOST_SCALES:
                raise Unreadable(f"strides {wish.strides.text} have too many products: give a stride, or fewer of them")
        self.scales = tuple(sorted(found))
        self.choices = cache(self._choices)

    def _leads_on(self, scale: int, stride: int) -> bool:
        """Whether a stride may follow: it divides what is wished, or where any is, there is more than one row."""
        wished = self.wish.stride
        return wished % (scale * stride) == 0 if wished is not None else stride == 1 or scale < max(self.wish.size)

    def next(self, place: int) -> int | None:
        """The place after this one; None past the end of the longest stack."""
        if place < self.last:
            return place + 1
        return place if self.wish.layers.most is None else None

    def _choices(self, scale: int) -> tuple[Choice, ...]:
        strides = [stride for stride in self.wish.strides.values if self._leads_on(scale, stride)]
        return tuple(Choice(taps, stride) for taps in self.wish.kernel_size.values for stride in strides)

    def cost(self, choice: Choice, place: int, scale: int, total: int) -> Cost:
        """What a layer costs at `place`, behind strides of `scale`; with it the field is 1 + `total`."""
        channels = self.wish.channels
        outs = channels[min(place, len(channels) - 1)]
        ins = channels[min(place, len(channels)) - 1] if place else self.wish.in_channels
        weights = choice.kernel_size ** len(self.wish.size) * ins * outs
        lost = 0 if self.wish.padded else total
        positions = prod(-(-(size - lost) // (scale * choice.stride)) for size in self.wish.size)
        return Cost(1, weights * positions, weights + outs)

    def is_end(self, place: int, scale: int, shortest: int, longest: int) -> bool:
        """Whether a stack may end here whose field is from 1 + `shortest` to 1 + `longest`, holes aside."""
        wish = self.wish
        most = self.field.most
        return (
            place >= wish.layers.least
            and wish.stride in (None, scale)
            and wish.field.least <= longest + 1
            and (most is None or shortest + 1 <= most)
        )
