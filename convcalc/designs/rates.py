"""Dilations for layers that stand: which fields they can give without holes, and the smallest that give one.

Layers of one scale (the strides before them) and one kernel size form a group. Rates are given out in ascending order:
a layer of rate r joins where all of 0..r - 1 is read, and K taps carry the reach (K - 1)r further (docs/dilation.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from convcalc.designs.wish import Span

Group: TypeAlias = tuple[int, int]
"""The scale of some layers, and their taps beyond the first."""
Groups: TypeAlias = Mapping[Group, int]
"""How many layers are in each group."""
Table: TypeAlias = dict[tuple[int, ...], int]
"""For the layers of each group that are left: the totals read so far, bit i of i."""


def totals(groups: Groups, dilation: Span, most: int, *, holes: bool = False) -> int:
    """Return the lengths, less 1, of all fields that the layers can give without holes up to `most`: bit i of i.

    >>> bin(totals({(1, 2): 2}, Span(1, 3), most=100))
    '0b101010000'
    """
    table: Table = {tuple(groups.values()): 1}
    for *_, after in _tables(groups, dilation, most, holes=holes):
        table = after
    return table.get((0,) * len(groups), 0)


def _tables(groups: Groups, dilation: Span, most: int, *, holes: bool) -> Iterator[tuple[int, int, int, Table, Table]]:
    """Yield each rate, ascending, the place of its group, the taps beyond the first, the tables before and after."""
    names = list(groups)
    table: Table = {tuple(groups.values()): 1}
    top = dilation.values[-1]
    steps = sorted((scale * rate, at) for at, (scale, _) in enumerate(names) for rate in dilation.values)
    for rate, at in steps:
        scale, more = names[at]
        unread = 0 if holes else (1 << rate - 1) - 1
        after: Table = {}
        for left, bits in table.items():
            if rate < scale * top or not left[at]:
                after[left] = after.get(left, 0) | bits
            for used in range(1, left[at] + 1):
                bits = (bits & ~unread) << rate * more & (1 << most + 1) - 1
                if not bits:
                    break
                fewer = (*left[:at], left[at] - used, *left[at + 1 :])
                after[fewer] = after.get(fewer, 0) | bits
        yield rate, at, more, table, after
        table = after


def smallest_rates(
    groups: Groups, dilation: Span, field: Span, *, holes: bool = False
) -> dict[Group, list[int]] | None:
    """Return the dilations of each group, ascending, with which the field is one of `field`; None where none are.

    The largest of them is the least possible; of the fields that are left the shortest is taken.

    >>> smallest_rates({(1, 2): 3}, Span(1, 32), Span(21, 21))
    {(1, 2): [1, 3, 6]}
    """
    low, high = dilation.least, dilation.values[-1]
    longest = high * sum(scale * more * count for (scale, more), count in groups.items())
    most = longest if field.most is None else min(longest, field.most - 1)

    def wanted(top: int) -> int:
        found = totals(groups, Span(dilation.least, top), most, holes=holes)
        return found >> field.least - 1 << field.least - 1

    if not wanted(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wanted(middle) else (middle + 1, high)
    found = wanted(low)
    return _given_out(groups, Span(dilation.least, low), (found & -found).bit_length() - 1, holes=holes)


def _given_out(groups: Groups, dilation: Span, total: int, *, holes: bool) -> dict[Group, list[int]]:
    """The dilations that lead to `total`, read off the tables from the last to the first; few layers at large rates."""
    names = list(groups)
    found: dict[Group, list[int]] = {group: [] for group in names}
    left = (0,) * len(names)
    for rate, at, more, before, _ in reversed(list(_tables(groups, dilation, total, holes=holes))):
        for used in range(groups[names[at]] - left[at] + 1):
            more_left = (*left[:at], left[at] + used, *left[at + 1 :])
            start = total - used * rate * more
            enough = holes or not used or start >= rate - 1
            if start >= 0 and enough and before.get(more_left, 0) >> start & 1:
                total, left = start, more_left
                found[names[at]][:0] = [rate // names[at][0]] * used
                break
    return found
