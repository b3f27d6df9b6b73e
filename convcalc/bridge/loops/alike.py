"""Which loops over pieces do the same whatever the number of pieces, by what was recorded of their rounds.

Rounds of full pieces get tensors of the same shapes. Where nothing tells one from another (`syntax`, `effects`), each
does what the one before did; if what a round hands on has the shapes of what it was handed, so do all that follow. So
the shapes of the first rounds and of the last are those at any number of pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.bridge.events import Call, Value
from convcalc.bridge.loops.ranges import Rounds, canonical
from convcalc.bridge.loops.walks import Heard, Walk
from convcalc.layers import Layer, Pieces
from convcalc.layers.split import AnyEntries, AnyPieces


@dataclass(frozen=True)
class Plan:
    """What stands for any number of pieces: the layers of calls that cut, by number; what joins, and like which input.

    `together` are calls whose pieces are gone over side by side: there must be equally many.
    """

    cuts: dict[int, AnyPieces | AnyEntries]
    joins: dict[int, tuple[int, int]]
    together: tuple[tuple[int, ...], ...]
    functions: tuple[str, ...]
    """The calls of the run, which must be the same when it is run again."""
    ranges: Mapping[int, bool]
    """The ranges of sizes that loops go over, and whether their first round is apart."""


def plan_of(heard: Heard, calls: Sequence[Call], ends: Iterable[Value]) -> Plan | None:
    """Return what stands for any number of pieces in a run that gave the values `ends`; None where nothing does."""
    if not heard.cut and not heard.walks:
        return None
    readers = _readers(calls, ends)
    groups = _groups(heard.walks)
    some = heard.cut | {walk.call.number: walk.call for walk in heard.walks}
    good = {number: call for number, call in some.items() if number not in heard.spoiled and _is_fixed(call)}
    loops = {id(group): _Rounds(group, calls, readers, heard) for group in groups}
    while True:
        ended = [group for group in groups if _is_good(group, good) and loops[id(group)].are_alike]
        rest = {n: call for n, call in good.items() if _is_all_alike(call, readers, groups, ended)}
        if rest == good:
            break
        good = rest
    if not good:
        return None
    handing = {walk.call.number for group in ended if loops[id(group)].hands_on for walk in group}
    joins = {number: (of, like) for group in ended for number, of, like in loops[id(group)].joins}
    cuts = {number: call for number, call in good.items() if isinstance(call, Call)}
    for call in cuts.values():
        joins |= {reader.number: (call.number, 0) for reader in _direct_joins(call, readers)}
    apart = {
        walk.call.number
        for group in ended
        if loops[id(group)].is_first_apart
        for walk in group
        if not walk.is_backwards
    }
    return Plan(
        cuts={number: _any(call.layer, 2 if number in handing else 1) for number, call in cuts.items()},
        joins=joins,
        together=tuple(tuple(walk.call.number for walk in group) for group in ended if len(group) > 1),
        functions=tuple(call.function for call in calls),
        ranges={number: number in apart for number, call in good.items() if isinstance(call, Rounds)},
    )


def _any(layer: Layer | None, fewest: int) -> Any:
    return None if layer is None else layer.any_number(fewest)


def _is_fixed(call: Call | Rounds) -> bool:
    """Whether full pieces are of one shape whatever the size, and there is one."""
    if isinstance(call, Rounds):
        return call.total is not None and call.count > 1
    return _any(call.layer, 1) is not None


Reader = tuple[Call | None, int]
"""A call that reads a value, and as which input; None for the outputs of the network."""


def _readers(calls: Sequence[Call], ends: Iterable[Value]) -> dict[int, list[tuple[Value, Reader]]]:
    """What reads each call, by its number."""
    found: dict[int, list[tuple[Value, Reader]]] = {}
    for call in calls:
        for place, value in enumerate(call.inputs):
            found.setdefault(value.call.number, []).append((value, (call, place)))
    for place, value in enumerate(ends):
        found.setdefault(value.call.number, []).append((value, (None, place)))
    return found


def _groups(walks: Sequence[Walk]) -> list[list[Walk]]:
    """Walks side by side in one loop, together."""
    groups: list[list[Walk]] = []
    for walk in walks:
        last = groups[-1] if groups else None
        open_ = last is not None and walk.loop is not None and len(last) < walk.loop.width
        if open_ and last is not None and last[0].loop == walk.loop and last[0].asked_at[0] == walk.asked_at[0]:
            last.append(walk)
        else:
            groups.append([walk])
    return groups


def _is_good(group: Sequence[Walk], good: Mapping[int, Call | Rounds]) -> bool:
    return all(walk.call.number in good for walk in group)


def _direct_joins(call: Call | Rounds, readers: dict[int, list[tuple[Value, Reader]]]) -> list[Call]:
    """The calls that join the pieces as they are, all of them in order."""
    found = {id(reader): reader for _, (reader, _) in readers.get(call.number, ()) if reader is not None}
    return [
        reader
        for reader in found.values()
        if reader.layer is not None
        and reader.layer.joins
        and [(value.call, value.place) for value in reader.inputs] == [(call, n) for n in range(len(call.shapes))]
    ]


def _is_all_alike(
    call: Call | Rounds,
    readers: dict[int, list[tuple[Value, Reader]]],
    groups: Sequence[list[Walk]],
    ended: Sequence[list[Walk]],
) -> bool:
    """Whether every loop over the pieces of a call is among the `ended`, and nothing else reads them but joins."""
    if any(walk.call is call for group in groups if group not in ended for walk in group):
        return False
    own = [walk for group in ended for walk in group if walk.call is call]
    joins = _direct_joins(call, readers)
    for value, (reader, _) in readers.get(call.number, ()):
        if reader is None:
            return False
        if not any(reader is join for join in joins) and not any(_reads_its_own(walk, value, reader) for walk in own):
            return False
    return True


def _reads_its_own(walk: Walk, value: Value, reader: Call) -> bool:
    """Whether a call stands in the round of the piece that it reads."""
    count = len(walk.starts)
    round_ = count - 1 - value.place if walk.is_backwards else value.place
    ends = [*walk.starts[1:], walk.end if walk.end is not None else walk.starts[-1]]
    return round_ < count and walk.starts[round_] <= reader.number < max(ends[round_], walk.starts[round_])


class _Rounds:
    """The rounds of one loop."""

    def __init__(
        self,
        group: Sequence[Walk],
        calls: Sequence[Call],
        readers: dict[int, list[tuple[Value, Reader]]],
        heard: Heard,
    ) -> None:
        self.group, self.calls, self.readers, self.heard = group, calls, readers, heard
        self.joins: list[tuple[int, int, int]] = []
        """The number of a call that joins results, of the call that cuts, and which input is like further ones."""
        self.hands_on = self.is_first_apart = False
        self.bodies: list[list[Call]] = []
        self.are_alike = self._are_complete() and self._are_alike()

    def _are_complete(self) -> bool:
        """Whether the loop went over all pieces, is known, and nothing that ran keeps anything."""
        first, loop = self.group[0], self.group[0].loop
        ends = [walk.end for walk in self.group if walk.end is not None]
        if loop is None or len(self.group) != loop.width or not ends or first.end is None:
            return False
        for walk in self.group:
            walk.end = first.end  # in a `zip` the first to end ends all
        self.count = len(first.starts)
        return all(
            walk.starts == first.starts and not walk.keeps and self.count == len(walk.call.shapes)
            for walk in self.group
        )

    def _are_alike(self) -> bool:
        first = self.group[0]
        assert first.end is not None  # noqa: S101 -- complete
        self.ranges = list(zip(first.starts, [*first.starts[1:], first.end], strict=True))
        self.bodies = [[call for call in self.calls[a:b] if not _is_outside(call)] for a, b in self.ranges]
        self._add_sums(first.end)
        self.round_of = {id(call): (n, place) for n, body in enumerate(self.bodies) for place, call in enumerate(body)}
        marks = [[self._mark(call, number) for call in body] for number, body in enumerate(self.bodies)]
        if any(None in round_ for round_ in marks):
            return False
        asked = [
            [branch for walk in self.group if walk.rounds for branch in walk.rounds[number].compared]
            for number in range(self.count)
        ]
        handed = first.handed
        if None in handed:
            return False
        carried = first.loop is not None and first.loop.carried
        from_before = any(mark[3] for round_ in marks for mark in round_ if mark is not None)
        self.hands_on = bool(carried) or from_before
        full = [number for number in range(self.count) if not any(_is_last(walk, number) for walk in self.group)]
        told = [(marks[number], asked[number]) for number in range(self.count)]
        is_numbered = any(walk.rounds for walk in self.group)
        self.is_first_apart = self.hands_on or (is_numbered and len(full) > 1 and told[full[0]] != told[full[1]])
        self.steady = [number for number in full if number >= 1] if self.is_first_apart else full
        if not self.steady or any(told[number] != told[self.steady[0]] for number in self.steady):
            return False
        if self.hands_on:
            at_starts = [*handed[1 : self.count], handed[self.steady[-1] + 1]]
            if any(some != handed[1] for some in at_starts):
                return False
            if from_before and self.count < 3:  # what `sum` hands on is not named: two rounds show it
                return False
        return self._results_are_joined()

    def _add_sums(self, end: int) -> None:
        """Where a list of results is summed, each addition belongs to the round of its result."""
        results, number = {id(call): n for n, body in enumerate(self.bodies) for call in body}, end
        chain: list[Call] = []
        while number < len(self.calls) and len(chain) < self.count:
            call = self.calls[number]
            own = [results.get(id(value.call)) for value in call.inputs if id(value.call) in results]
            before = [value for value in call.inputs if chain and value.call is chain[-1]]
            if call.function not in ("add", "radd") or own != [len(chain)]:
                return
            if len(call.inputs) != 1 + len(before) or bool(before) != bool(chain):
                return
            chain.append(call)
            number += 1
        if len(chain) == self.count:
            for body, call in zip(self.bodies, chain, strict=True):
                body.append(call)

    def _mark(self, call: Call, number: int) -> tuple[Any, ...] | None:
        """What a call is in its round, the same for the same call of another round; None where it reads what is far."""
        read: list[Any] = []
        from_before = False
        for value in call.inputs:
            known = self.round_of.get(id(value.call))
            walk = next((walk for walk in self.group if walk.call is value.call), None)
            if walk is not None:
                place = self.count - 1 - value.place if walk.is_backwards else value.place
                if place != number:
                    return None
                read.append(("piece", self.group.index(walk)))
            elif known is None:
                read.append(("outside", value.call.number, value.place))
            elif known[0] == number:
                read.append(("round", known[1], value.place))
            elif known[0] == number - 1:
                shape = self.heard.shape_of_value(value)
                if shape is None:
                    return None
                from_before = True
                read.append(("before", value.place, shape))
            else:
                return None
        own = next((walk.rounds[number].symbol for walk in self.group if walk.rounds), "")
        layer = call.layer if call.raw is None else canonical(call.raw, own)
        return call.function, layer, tuple(read), from_before, call.shapes

    def _results_are_joined(self) -> bool:
        """Whether what is made in rounds is read in them, by joins of all rounds, or is of the last."""
        joins: dict[int, int] = {}
        for number, body in enumerate(self.bodies):
            for call in body:
                for _, (reader, _) in self.readers.get(call.number, ()):
                    if reader is not None and id(reader) in self.round_of:
                        continue
                    if reader is not None and self._like(reader) is not None:
                        joins[reader.number] = self._like(reader) or 0
                    elif number != self.count - 1:
                        return False
        self.joins = [(number, self.group[0].call.number, like) for number, like in joins.items()]
        return True

    def _like(self, reader: Call) -> int | None:
        """Which input of a call that joins one result of each round, in order, is like those of further rounds."""
        if reader.layer is None or not reader.layer.joins:
            return None
        places = [self.round_of.get(id(value.call)) for value in reader.inputs]
        if [place and place[0] for place in places] != list(range(self.count)):
            return None
        steady = {(places[n], reader.inputs[n].place)[1:] + (places[n] or (0, 0))[1:] for n in self.steady}
        return self.steady[0] if len(steady) == 1 else None


def _is_outside(call: Call) -> bool:
    """Whether this is a parameter or buffer, which is met where it is first read."""
    return call.label is not None and not call.inputs and call.layer is not None and call.layer.is_source


def _is_last(walk: Walk, number: int) -> bool:
    """Whether the piece of a round is the last, of what is left."""
    return (isinstance(walk.call.layer, Pieces) or bool(walk.rounds)) and number == (
        0 if walk.is_backwards else len(walk.starts) - 1
    )
