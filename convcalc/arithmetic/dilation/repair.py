"""Rates that close the holes of a dilated stack: the smallest changes, and the largest field.

Both rest on one fact (docs/dilation.md): a stack misses nothing if, in *some* order, no layer's rate passes 1 + S,
S being the reach of the layers before it. Strides stay as they are: layer j works in steps of `scale`, the product
of the strides before it, so its rate times `scale` is what must not pass 1 + S.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from convcalc.arithmetic.dilation.offsets import effective_rates, field, progressions, unbroken
from convcalc.errors import NoSolution

STEPS = 200_000
"""Layers looked at before the search for the smallest changes gives up."""
SHOWN = 3
"""Smallest changes kept, each of other layers."""
UNFINISHED = "too many ways to search: smaller changes than these may close the holes"
"""The remark where the search for the smallest changes gave up."""


@dataclass(frozen=True)
class Try:
    """Rates that leave no hole: how many of them are new, by how much in all, the field they give.

    `largest`: no rates for these kernel sizes and strides give a longer field without holes.

    >>> Try((1, 2, 7), receptive_field=21, changed=1, change=2, largest=False).receptive_field
    21
    """

    rates: tuple[int, ...]
    receptive_field: int
    changed: int
    change: int
    largest: bool


@dataclass(frozen=True)
class Layer:
    """A layer as the search sees it: its place, rate, the strides before it, and its taps beyond the first.

    >>> Layer(place=1, rate=3, scale=2, more=4).fitting(reach=9)
    5
    """

    place: int
    rate: int
    scale: int
    more: int

    def fitting(self, reach: int) -> int:
        """Return the largest rate that leaves no hole after 0..reach; 0 if none does."""
        return (reach + 1) // self.scale

    def after(self, reach: int, rate: int) -> int:
        """Return the end of the run 0..reach once this layer joins it with `rate`."""
        return reach + self.more * self.scale * rate


def layers_of(rates: Sequence[int], kernel_sizes: Sequence[int], strides: Sequence[int]) -> tuple[Layer, ...]:
    """Return the layers of a stack, without those of a single tap: they can neither make nor close a hole.

    >>> layers_of([1, 2], [3, 3], [2, 1])[1]
    Layer(place=1, rate=2, scale=2, more=2)
    """
    scales = effective_rates([1] * len(rates), strides)
    every = (Layer(place, rate, scales[place], kernel_sizes[place] - 1) for place, rate in enumerate(rates))
    return tuple(layer for layer in every if layer.more)


def largest_rates(layers: Iterable[Layer], limit: int) -> dict[int, int] | None:
    """Return the new rate at each place that makes the hole-free field largest, or None where it passes `limit`.

    In the order of the layers, each takes the largest rate that fits: 1, K, K², ... for one kernel size without
    strides. Raises NoSolution where a layer's strides alone are too much: then no rates close the holes.

    >>> largest_rates(layers_of([1, 1, 1], [3, 2, 3], [1, 1, 1]), limit=1000)
    {0: 1, 1: 3, 2: 6}
    """
    reach, chosen = 0, {}
    for layer in layers:
        if reach >= limit:
            return None
        if (rate := layer.fitting(reach)) < 1:
            raise NoSolution(
                f"no rates close the holes: layer {layer.place + 1} moves in steps of {layer.scale}, the strides "
                f"before it, and the layers before it read {reach + 1} in a row at most"
            )
        chosen[layer.place], reach = rate, layer.after(reach, rate)
    return chosen


def lowered_rates(layers: Iterable[Layer]) -> dict[int, int] | None:
    """Return the rates that break the rule, ascending, each lowered to what fits; None where that fails.

    >>> lowered_rates(layers_of([1, 2, 9], [3, 3, 3], [1, 1, 1]))
    {2: 7}
    """
    reach, lowered = 0, {}
    for layer in sorted(layers, key=lambda layer: layer.rate * layer.scale):
        rate = min(layer.rate, layer.fitting(reach))
        if rate < 1:
            return None
        if rate < layer.rate:
            lowered[layer.place] = rate
        reach = layer.after(reach, rate)
    return lowered


class _Spent(Exception):
    """The search has looked at as many layers as it may."""


@dataclass(frozen=True, order=True)
class _Found:
    change: int
    shortness: int  # minus the reach: of equal changes the longest field comes first
    rates: tuple[tuple[int, int], ...]


class _Search:
    """Depth first over what is kept and what changes.

    All kept layers that fit join at once, which only helps the rest. Of those to change, one is then next: where its
    own rate is too much, it takes the largest that fits (more costs less and reaches further); where its own rate
    fits, raising it is the only change that helps, and the last to change is raised by just what is missing.
    """

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take `steps` from what is left."""
        self.left -= steps
        if self.left < 0:
            raise _Spent

    def best(self, kept: Sequence[Layer], changed: Sequence[Layer], reach: int, spare: int) -> _Found | None:
        """Return the smallest change, at most `spare`, of all `changed` that lets the stack fill its field."""
        taken = 0
        while taken < len(kept) and kept[taken].rate <= kept[taken].fitting(reach):
            reach = kept[taken].after(reach, kept[taken].rate)
            taken += 1
        self.spend(taken + 1)
        kept = kept[taken:]
        if not changed:
            return None if kept else _Found(0, -reach, ())
        if kept and kept[0].rate * kept[0].scale > (reach + 1) * prod(layer.more + 1 for layer in changed):
            return None  # even all that change, at their largest, do not lead up to the next kept one
        best = None
        for at, layer in enumerate(changed):
            others = (*changed[:at], *changed[at + 1 :])
            for rate in self._choices(layer, kept, reach, last=not others):
                change = abs(rate - layer.rate)
                room = min(spare, best.change) if best else spare
                if change > room:
                    if rate > layer.rate and rate != layer.fitting(reach):
                        break
                    continue
                found = self.best(kept, others, layer.after(reach, rate), room - change)
                if found:
                    found = _Found(found.change + change, found.shortness, ((layer.place, rate), *found.rates))
                    best = min(best, found) if best else found
        return best

    def _choices(self, layer: Layer, kept: Sequence[Layer], reach: int, *, last: bool) -> Iterator[int]:
        top = layer.fitting(reach)
        if top <= layer.rate:
            if top:
                yield top
        elif last:
            self.spend(len(kept))
            yield min(top, _needed(layer, kept, reach))
        else:
            yield top  # if any raise helps, this one does: it bounds the others
            yield from range(layer.rate + 1, top)


def _needed(layer: Layer, kept: Iterable[Layer], reach: int) -> int:
    need = layer.rate
    for one in kept:
        short = one.rate * one.scale - 1 - reach
        need = max(need, -(-short // (layer.more * layer.scale)))
        reach = one.after(reach, one.rate)
    return need


def smallest_changes(layers: Sequence[Layer], steps: int = STEPS) -> tuple[tuple[dict[int, int], ...], bool]:
    """Return new rates at some places, smallest change first, and whether the search ran to its end.

    Smallest: fewest rates changed, then least change in all, then longest field. One answer for each set of layers
    whose change alone suffices, the best `SHOWN` of them. A search cut short returns what it had found.

    >>> smallest_changes(layers_of([1, 2, 9], [3, 3, 3], [1, 1, 1]))
    (({1: 3}, {2: 7}), True)
    """
    search, ascending = _Search(steps), sorted(layers, key=lambda layer: layer.rate * layer.scale)
    ways = prod(layer.more + 1 for layer in layers)  # no field without holes is longer
    spare = sum(layer.rate for layer in layers) + ways * len(layers)  # so no change costs more
    found: list[_Found] = []
    try:
        for number in range(1, len(layers) + 1):
            for changed in combinations(ascending, number):
                search.spend(len(layers))
                kept = [layer for layer in ascending if layer not in changed]
                one = search.best(kept, changed, 0, found[-1].change if len(found) == SHOWN else spare)
                found = sorted([*found, one])[:SHOWN] if one else found
            if found:
                break
    except _Spent:
        return tuple(dict(one.rates) for one in found), False
    return tuple(dict(one.rates) for one in found), True


def repairs(
    rates: Sequence[int], kernel_sizes: Sequence[int], strides: Sequence[int], limit: int
) -> tuple[tuple[Try, ...], str]:
    """Return the tries, smallest change first, largest field last if it is none of them; and a remark or "".

    Every try has passed the exact rule. Fields past `limit` are not offered.

    >>> tries, remark = repairs([1, 2, 9], [3, 3, 3], [1, 1, 1], limit=10**9)
    >>> [(one.rates, one.receptive_field, one.largest) for one in tries], remark
    ([((1, 3, 9), 27, True), ((1, 2, 7), 21, False)], '')
    """
    layers = layers_of(rates, kernel_sizes, strides)
    try:
        largest = largest_rates(layers, limit)
    except NoSolution as error:
        return (), error.message
    changes, finished = smallest_changes(layers)
    lowered = None if finished else lowered_rates(layers)
    offers = dict.fromkeys(_with(rates, new) for new in (*changes, lowered, largest) if new)
    longest = _field(_with(rates, largest), kernel_sizes, strides) if largest else None
    tries = []
    for new in offers:
        moves = [abs(one - old) for one, old in zip(new, rates, strict=True) if one != old]
        reads = _field(new, kernel_sizes, strides)
        tries.append(Try(new, reads, len(moves), sum(moves), largest=reads == longest))
    return tuple(tries), "" if finished else UNFINISHED


def _with(rates: Sequence[int], new: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(new.get(place, rate) for place, rate in enumerate(rates))


def _field(rates: Sequence[int], kernel_sizes: Sequence[int], strides: Sequence[int]) -> int:
    stack = progressions(effective_rates(rates, strides), kernel_sizes)
    if unbroken(stack)[1] is not None:
        raise AssertionError(f"rates {rates} leave holes")  # the exact rule re-checks every offer
    return field(stack)
