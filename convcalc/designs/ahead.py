"""The least that must still be paid for a stack that has got somewhere, holes aside: what guides the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from convcalc.designs.space import Cost, Space
from convcalc.designs.wish import ORDER

Measure: TypeAlias = Callable[[Cost], int]
"""A cost as one number, of which less is better; of two layers together it is the sum."""

NEVER = 1 << 8192
"""More than anything costs: from there no stack gets to its end."""
_ROOM = 1 << 512
"""More than any cost of a kind."""


def in_order(minimize: str) -> Measure:
    """Return costs compared one after another, as digits of one number: first what is to be least.

    >>> measure = in_order("macs")
    >>> measure(Cost(9, 100, 5)) < measure(Cost(1, 101, 5)) < measure(Cost(2, 101, 5))
    True
    """
    first, second, third = map(Cost._fields.index, ORDER[minimize])
    return lambda cost: (cost[first] * _ROOM + cost[second]) * _ROOM + cost[third]


def work(space: Space) -> int:
    """Return how many steps `Ahead` takes, at most.

    >>> from convcalc.designs.wish import read_wish
    >>> work(Space(read_wish(201, 8)))
    3216
    """
    wish = space.wish
    steps = len(wish.kernel_size.values) * len(wish.strides.values) * len(wish.dilation.values)
    return (space.last + 1) * len(space.scales) * _length(space) * steps


def _length(space: Space) -> int:
    """The totals that are told apart: all that is longer than needed is one where the field has no end."""
    return space.wish.field.least if space.field.most is None else max(0, space.field.most)


class Ahead:
    """For each place, scale and reach the least that leads on to an end; exact but for holes.

    >>> from convcalc.designs.wish import read_wish
    >>> Ahead(Space(read_wish(201, 8)), lambda cost: cost.layers).least(0, 1, 0, 0)
    16
    """

    def __init__(self, space: Space, measure: Measure) -> None:
        self.space, self.measure, self.end = space, measure, _length(space) - 1
        self.table: dict[tuple[int, int], list[int]] = {}
        for place in range(space.last, -1, -1):
            for scale in reversed(space.scales):
                self.table[place, scale] = self._row(place, scale)

    def least(self, place: int, scale: int, shortest: int, longest: int) -> int:
        """Return the least still to be paid from a field of 1 + `shortest` to `longest` on; `NEVER` where no way is."""
        end = self.end
        if self.space.field.most is None:
            shortest, longest = min(shortest, end), min(longest, end)
        row = self.table[place, scale]
        return row[shortest] if shortest == longest <= end else min(row[shortest : longest + 1], default=NEVER)

    def _row(self, place: int, scale: int) -> list[int]:
        space, end = self.space, self.end
        row = [0 if space.is_end(place, scale, total, total) else NEVER for total in range(end + 1)]
        after = space.next(place)
        if after is None:
            return row
        open_ended = space.field.most is None
        steps: dict[tuple[int, int], int] = {}  # of the layers that lead the same way, the cheapest
        for choice in space.choices(scale):
            price = self.measure(space.cost(choice, place, scale, end))  # without padding the last is the cheapest
            for dilation in space.wish.dilation.values[: None if choice.kernel_size > 1 else 1]:
                key = scale * choice.stride, (choice.kernel_size - 1) * dilation * scale
                steps[key] = min(price, steps.get(key, NEVER))
        first = 0 if space.wish.holes else max(0, scale * space.wish.dilation.least - 1)  # or no layer ever joins
        if open_ended:
            first = min(first, end)  # where the row ends stands for all that is longer
        for (onward, gain), price in steps.items():
            if (after, onward) == (place, scale):
                continue
            ahead = self.table[after, onward]
            for total in range(first if gain else 0, end + 1):
                then = total + gain
                if then > end:
                    if not open_ended:
                        break
                    then = end
                if (found := ahead[then] + price) < row[total]:
                    row[total] = found
        onward_here = [(gain, price) for (onward, gain), price in steps.items() if (after, onward) == (place, scale)]
        self._close(row, onward_here, first, open_ended)
        return row

    def _close(self, row: list[int], steps: list[tuple[int, int]], first: int, open_ended: bool) -> None:
        """Take the steps that lead to the same row, the longest way first."""
        end = self.end
        for total in range(end - 1, first - 1, -1):
            best = row[total]
            for gain, price in steps:
                if gain and (total + gain <= end or open_ended):
                    best = min(best, row[min(total + gain, end)] + price)
            row[total] = best
