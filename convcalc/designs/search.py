"""The search: stacks grow layer by layer, the most promising first, so that the first to end are the best.

What a layer costs depends on its kernel and on where it stands, not on its dilation (unless nothing is padded, and then
there is one dilation). So the stacks that grow are without dilations, and those that end are given the smallest with
which they meet the wish, if there are any. What matters of a partial stack for the rest of it is its state; the ways to
one state are alike but for what was paid.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from convcalc.designs.ahead import NEVER, Ahead, Measure, in_order, work
from convcalc.designs.rates import Group, smallest_rates
from convcalc.designs.space import Choice, Space
from convcalc.designs.wish import Wish

STEPS = 200_000
"""Partial stacks looked at before the search gives up and says so."""
MOST_WORK = 20_000_000
"""Steps of `Ahead` past which it gives up at once."""

Made: TypeAlias = tuple[tuple[Group, int], ...]
"""How many layers of each group there are."""
Kinds: TypeAlias = tuple[tuple[tuple[int, Choice], int], ...]
"""How many layers of each kind there are at each scale: stacks of the same differ in order alone."""


class Layer(NamedTuple):
    """One convolution of a stack."""

    kernel_size: int
    stride: int
    dilation: int


Stack: TypeAlias = tuple[Layer, ...]


class State(NamedTuple):
    """What matters of a partial stack for the rest of it; `made` is empty where one dilation is all there is."""

    place: int = 0
    scale: int = 1
    shortest: int = 0
    longest: int = 0
    """The least and the largest total that dilations can give, holes aside: the length of the field less 1."""
    made: Made = ()


class Label(NamedTuple):
    """A way to a state: what was paid, the layers in any order, the last of them, and the way before it."""

    state: State
    paid: tuple[int, ...]
    kinds: Kinds = ()
    choice: Choice | None = None
    before: Label | None = None

    def choices(self) -> tuple[Choice, ...]:
        """Return the layers, first to last."""
        found, label = [], self
        while label.before is not None and label.choice is not None:
            found.append(label.choice)
            label = label.before
        return tuple(reversed(found))


@dataclass(frozen=True)
class Found:
    """The stacks that were found, best first, and whether the search ran to its end."""

    stacks: tuple[Stack, ...]
    complete: bool


class _Search:
    def __init__(self, wish: Wish, measures: Sequence[Measure], steps: int) -> None:
        self.wish, self.space, self.left = wish, Space(wish), steps
        self.ahead = [Ahead(self.space, measure) for measure in measures]
        self.dilated = len(wish.dilation.values) > 1
        self.rates = cache(self._rates)

    def stacks(self, is_wanted: Callable[[Label, tuple[int, ...]], bool]) -> Iterator[tuple[Label, Stack]]:
        """Yield the stacks that meet the wish, cheapest first; a partial one that `is_wanted` no more is left."""
        order = count()
        start = Label(State(), (0,) * len(self.ahead))
        queue = [(self._least(start), 0, next(order), start)]
        while queue and self.left >= 0:
            least, _, _, label = heapq.heappop(queue)
            if least[0] >= NEVER or not is_wanted(label, least):
                continue
            if (stack := self._ended(label)) is not None:
                yield label, stack
            for after in self._after(label):
                self.left -= 1
                if (least := self._least(after))[0] < NEVER:
                    heapq.heappush(queue, (least, -after.state.shortest, next(order), after))

    def _after(self, label: Label) -> Iterator[Label]:
        """Yield a partial stack with one layer more, each that may do."""
        state, space, wish = label.state, self.space, self.wish
        place = space.next(state.place)
        if place is None:
            return
        for choice in space.choices(state.scale):
            more, scale = choice.kernel_size - 1, state.scale * choice.stride
            shortest = state.shortest + more * state.scale * wish.dilation.least
            longest = state.longest + more * state.scale * wish.dilation.values[-1]
            if not more and (place, scale) == (state.place, state.scale):
                continue  # of layers that do nothing as many as are wished, and no more
            if more and not wish.holes and state.scale * wish.dilation.least > state.longest + 1:
                continue  # its rate, and that of all after it, passes what is read before
            made = one_more(state.made, (state.scale, more)) if more and self.dilated else state.made
            kinds = one_more(label.kinds, (state.scale, choice))
            cost = space.cost(choice, state.place, state.scale, shortest)
            paid = tuple(paid + ahead.measure(cost) for paid, ahead in zip(label.paid, self.ahead, strict=True))
            yield Label(State(place, scale, shortest, longest, made), paid, kinds, choice, label)

    def _least(self, label: Label) -> tuple[int, ...]:
        """The least that any stack costs that begins so."""
        place, scale, shortest, longest, _ = label.state
        return tuple(
            paid + ahead.least(place, scale, shortest, longest)
            for paid, ahead in zip(label.paid, self.ahead, strict=True)
        )

    def _ended(self, label: Label) -> Stack | None:
        """The stack with its dilations, if it meets the wish as it is."""
        state, least = label.state, self.wish.dilation.least
        if not label.before or not self.space.is_end(state.place, state.scale, state.shortest, state.longest):
            return None
        if not self.dilated:
            return tuple(Layer(*choice, least) for choice in label.choices())
        found = self.rates(state.made)
        if found is None:
            return None
        scale, layers = 1, []
        left = {group: iter(rates) for group, rates in found.items()}
        for choice in label.choices():
            group = scale, choice.kernel_size - 1
            layers.append(Layer(*choice, next(left[group]) if choice.kernel_size > 1 else least))
            scale *= choice.stride
        return tuple(layers)

    def _rates(self, made: Made) -> dict[Group, list[int]] | None:
        return smallest_rates(dict(made), self.wish.dilation, self.wish.field, holes=self.wish.holes)


def one_more(counts: tuple[tuple[Any, int], ...], thing: Any) -> tuple[tuple[Any, int], ...]:
    """Return counts with one thing more, in order.

    >>> one_more((("a", 2), ("c", 1)), "b")
    (('a', 2), ('b', 1), ('c', 1))
    """
    counted = dict(counts)
    counted[thing] = counted.get(thing, 0) + 1
    return tuple(sorted(counted.items()))


def best_stacks(wish: Wish, limit: int, steps: int = STEPS) -> Found:
    """Return the best stacks that meet a wish, at most `limit`.

    Of stacks that cost the same and differ in dilations, or in the order of layers, alone there is one.

    >>> from convcalc.designs.wish import read_wish
    >>> [[(layer.kernel_size, layer.stride) for layer in stack] for stack in best_stacks(read_wish(7, 2), 2).stacks]
    [[(3, 2), (3, 1)], [(3, 1), (3, 1), (3, 2)]]
    """
    if work(Space(wish)) > MOST_WORK:
        return Found((), complete=False)
    search = _Search(wish, [in_order(wish.minimize)], steps)
    seen: dict[State, list[int]] = {}
    alike: set[tuple[State, tuple[int, ...], Kinds]] = set()

    def is_wanted(label: Label, least: tuple[int, ...]) -> bool:
        if (way := (label.state, label.paid, label.kinds)) in alike:
            return False
        alike.add(way)
        cheaper = bisect_right(known := seen.setdefault(label.state, []), label.paid[0])
        known.insert(cheaper, label.paid[0])
        return cheaper < limit

    stacks = []
    for _, stack in search.stacks(is_wanted):
        stacks.append(stack)
        if len(stacks) == limit:
            return Found(tuple(stacks), complete=True)
    return Found(tuple(stacks), complete=search.left >= 0)


def front_of_stacks(wish: Wish, steps: int = STEPS) -> Found:
    """Return a stack for each of the costs (layers, parameters, MACs) that no other stack betters.

    >>> from convcalc.designs.wish import read_wish
    >>> [len(stack) for stack in front_of_stacks(read_wish(9, 2, in_channels=64)).stacks]
    [3]
    """
    measures: list[Measure] = [lambda cost: cost.layers, lambda cost: cost.params, lambda cost: cost.macs]
    if work(Space(wish)) > MOST_WORK:
        return Found((), complete=False)
    search = _Search(wish, measures, steps)
    front: list[tuple[int, ...]] = []
    seen: dict[State, list[tuple[int, ...]]] = {}

    def is_wanted(label: Label, least: tuple[int, ...]) -> bool:
        known = seen.setdefault(label.state, [])
        if any(_is_no_worse(one, label.paid) for one in known) or any(_is_no_worse(one, least) for one in front):
            return False
        known.append(label.paid)
        return True

    stacks = []
    for label, stack in search.stacks(is_wanted):
        front.append(label.paid)
        stacks.append(stack)
    return Found(tuple(stacks), complete=search.left >= 0)


def _is_no_worse(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))
