"""Which loops over pieces do the same whatever the number of pieces, by what was recorded of their rounds.

Rounds of full pieces get tensors of the same shapes. Where nothing tells one from another (`syntax`, `effects`), each
does what the one before did; if what a round hands on has the shapes of what it was handed, so do all that follow. So
the shapes of the first rounds and of the last are those at any number of pieces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from convcalc.bridge.events import Call, Value
from convcalc.bridge.loops.ranges import Rounds, canonical
from convcalc.bridge.loops.walks import Heard, Walk
from convcalc.errors import Unknown
from convcalc.layers import Layer, Pieces, Shape
from convcalc.layers.merge import JoinedAll
from convcalc.layers.split import AnyEntries, AnyPieces
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


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


class AnyNumber:
    """The layers of a plan, given out while a module runs once more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.numbers: dict[int, Size] = {}
        """How many pieces each call gives, in the letters of the input."""

    def layer(self, number: int, layer: Layer, shapes: Sequence[Shape | None]) -> Layer:
        """Return what call `number` is for any number of pieces, given what it is and the shapes it reads, in letters.

        Raises `Unknown` where that has no formula.
        """
        cut = self.plan.cuts.get(number)
        if cut is not None:
            (shape,) = shapes
            if shape is None:
                raise Unknown(f"{layer.op} cuts an axis without a formula")
            self.numbers[number] = cut.number(shape)
            return cut
        if number in self.plan.joins and layer.joins:
            of, like = self.plan.joins[number]
            join: Any = layer
            return JoinedAll(join, like=like, more=self.numbers[of] - len(shapes))
        return layer

    def is_held(self, functions: Sequence[str]) -> bool:
        """Whether the run was the same, and what goes side by side has equally many pieces whatever the size."""
        return tuple(functions) == self.plan.functions and all(
            Expr.const(0) + self.numbers[first] == self.numbers[other]
            for first, *others in self.plan.together
            for other in others
        )


def plan_of(heard: Heard, calls: Sequence[Call], ends: Iterable[Value]) -> Plan | None:
    """Return what stands for any number of pieces in a run that gave the values `ends`; None where nothing does."""
    if not heard.cut and not heard.walks:
        return None
    readers: Readers = defaultdict(list)
    for value, reader in (*((value, call) for call in calls for value in call.inputs), *((end, None) for end in ends)):
        readers[value.call.number].append((value, reader))
    some = heard.cut | {walk.call.number: walk.call for walk in heard.walks}
    good = {number: call for number, call in some.items() if number not in heard.spoiled and _is_fixed(call)}
    loops = [_Rounds(walks, calls, readers, heard.shape_of_value) for walks in _side_by_side(heard.walks)]
    while True:
        ended = [one for one in loops if one.are_alike and all(walk.call.number in good for walk in one.walks)]
        rest = {number: call for number, call in good.items() if _is_all_alike(call, readers, loops, ended)}
        if rest == good:
            break
        good = rest
    if not good:
        return None
    handing = {walk.call.number for one in ended if one.hands_on for walk in one.walks}
    apart = {walk.call.number for one in ended if one.is_first_apart for walk in one.walks if not walk.is_backwards}
    cuts = {number: call for number, call in good.items() if isinstance(call, Call)}
    direct = {reader.number: (call.number, 0) for call in cuts.values() for reader in _direct_joins(call, readers)}
    return Plan(
        cuts={number: _any(call.layer, 2 if number in handing else 1) for number, call in cuts.items()},
        joins={number: (of, like) for one in ended for number, of, like in one.joins} | direct,
        together=tuple(tuple(walk.call.number for walk in one.walks) for one in ended if len(one.walks) > 1),
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


Readers: TypeAlias = dict[int, list[tuple[Value, Call | None]]]
"""The values of each call that are read, by its number, and what reads them; None for the outputs of the network."""


def _side_by_side(walks: Sequence[Walk]) -> list[list[Walk]]:
    """Walks side by side in one loop, together."""
    groups: list[list[Walk]] = []
    for walk in walks:
        last = groups[-1] if groups else []
        if last and (last[0].loop, last[0].asked_by) == (walk.loop, walk.asked_by) and len(last) < walk.loop.width:
            last.append(walk)
        else:
            groups.append([walk])
    return groups


def _direct_joins(call: Call | Rounds, readers: Readers) -> list[Call]:
    """The calls that join the pieces as they are, all of them in order."""
    found = {id(reader): reader for _, reader in readers[call.number] if reader is not None}
    pieces = [(call, place) for place in range(len(call.shapes))]
    return [
        reader
        for reader in found.values()
        if reader.layer is not None
        and reader.layer.joins
        and [(value.call, value.place) for value in reader.inputs] == pieces
    ]


def _is_all_alike(call: Call | Rounds, readers: Readers, loops: Sequence[_Rounds], ended: Sequence[_Rounds]) -> bool:
    """Whether every loop over the pieces of a call is among the `ended`, and nothing else reads them but joins."""
    own = [(one, walk) for one in loops for walk in one.walks if walk.call is call]
    joins = [id(reader) for reader in _direct_joins(call, readers)]
    return all(one in ended for one, _ in own) and all(
        reader is not None and (id(reader) in joins or any(one.reads_its_own(walk, value, reader) for one, walk in own))
        for value, reader in readers[call.number]
    )


class _Rounds:
    """The rounds of one loop, which goes over the pieces of `walks` side by side."""

    def __init__(
        self, walks: Sequence[Walk], calls: Sequence[Call], readers: Readers, shape_of: Callable[[Value], Shape | None]
    ) -> None:
        self.walks, self.calls, self.readers, self.shape_of = walks, calls, readers, shape_of
        self.count = len(walks[0].starts)
        self.joins: list[tuple[int, int, int]] = []
        """The number of a call that joins results, of the call that cuts, and which input is like further ones."""
        self.hands_on = self.is_first_apart = False
        self.are_alike = self._are_complete() and self._are_alike() and self._results_are_joined()

    def _are_complete(self) -> bool:
        """Whether the loop went over all pieces, and nothing that ran keeps anything."""
        first = self.walks[0]
        return (
            len(self.walks) == first.loop.width
            and first.end is not None
            and all(
                walk.starts == first.starts and not walk.keeps and self.count == len(walk.call.shapes)
                for walk in self.walks
            )
        )

    def _are_alike(self) -> bool:
        """Whether each full round does what the one before did, on shapes alike."""
        first = self.walks[0]
        assert first.end is not None  # noqa: S101 -- complete; in a `zip` the first to end ends all
        self.ranges = list(pairwise([*first.starts, first.end]))
        self.bodies = [[call for call in self.calls[a:b] if not _is_outside(call)] for a, b in self.ranges]
        self._add_sums(first.end)
        self.round_of = {id(call): (n, place) for n, body in enumerate(self.bodies) for place, call in enumerate(body)}
        marks = [[self._mark(call, number) for call in body] for number, body in enumerate(self.bodies)]
        handed = first.handed
        if any(None in round_ for round_ in marks) or None in handed:
            return False
        numbered = [walk for walk in self.walks if walk.rounds]
        asked = [[branch for walk in numbered for branch in walk.rounds[n].compared] for n in range(self.count)]
        told = list(zip(marks, asked, strict=True))
        from_before = any(mark.from_before for round_ in marks for mark in round_ if mark is not None)
        self.hands_on = bool(first.loop.carried) or from_before
        full = [number for number in range(self.count) if not any(_is_last(walk, number) for walk in self.walks)]
        self.is_first_apart = self.hands_on or bool(numbered and len(full) > 1 and told[full[0]] != told[full[1]])
        self.steady = [number for number in full if number >= 1] if self.is_first_apart else full
        if not self.steady or any(told[number] != told[self.steady[0]] for number in self.steady):
            return False
        if from_before and self.count < 3:  # what `sum` hands on is not named: two rounds show it
            return False
        at_starts = [*handed[1 : self.count], handed[self.steady[-1] + 1]]
        return not self.hands_on or all(some == handed[1] for some in at_starts)

    def _add_sums(self, end: int) -> None:
        """Where a list of results is summed, each addition belongs to the round of its result."""
        results = {id(call): n for n, body in enumerate(self.bodies) for call in body}
        chain: list[Call] = []
        for number, call in enumerate(self.calls[end : end + self.count]):
            own = [results[id(value.call)] for value in call.inputs if id(value.call) in results]
            others = [value.call for value in call.inputs if id(value.call) not in results]
            if call.function not in ("add", "radd") or own != [number] or others != chain[-1:]:
                return
            chain.append(call)
        if len(chain) == self.count:
            for body, call in zip(self.bodies, chain, strict=True):
                body.append(call)

    def _mark(self, call: Call, number: int) -> _Mark | None:
        """What a call is in its round; None where it reads what is far."""
        read: list[tuple[Any, ...]] = []
        for value in call.inputs:
            round_, place = self.round_of.get(id(value.call), (None, 0))
            cut = next((n for n, walk in enumerate(self.walks) if walk.call is value.call), None)
            if cut is not None and self.walks[cut].round_of(value.place) == number:
                read.append(("piece", cut))
            elif cut is not None:
                return None
            elif round_ is None:
                read.append(("outside", value.call.number, value.place))
            elif round_ == number:
                read.append(("round", place, value.place))
            elif round_ == number - 1 and (shape := self.shape_of(value)) is not None:
                read.append(("before", value.place, shape))
            else:
                return None
        own = next((walk.rounds[number].symbol for walk in self.walks if walk.rounds), "")
        layer = call.layer if call.raw is None else canonical(call.raw, own)
        return _Mark(call.function, layer, tuple(read), call.shapes)

    def _results_are_joined(self) -> bool:
        """Whether what is made in rounds is read in them, by joins of all rounds, or is of the last."""
        joins: dict[int, int] = {}
        for number, call in ((number, call) for number, body in enumerate(self.bodies) for call in body):
            for _, reader in self.readers[call.number]:
                like = None if reader is None else self._like(reader)
                if reader is not None and like is not None:
                    joins[reader.number] = like
                elif (reader is None or id(reader) not in self.round_of) and number != self.count - 1:
                    return False
        self.joins = [(number, self.walks[0].call.number, like) for number, like in joins.items()]
        return True

    def _like(self, reader: Call) -> int | None:
        """Which input of a call that joins one result of each round, in order, is like those of further rounds."""
        if id(reader) in self.round_of or reader.layer is None or not reader.layer.joins:
            return None
        places = [self.round_of.get(id(value.call), (None, 0)) for value in reader.inputs]
        if [round_ for round_, _ in places] != list(range(self.count)):
            return None
        steady = {(places[n][1], reader.inputs[n].place) for n in self.steady}
        return self.steady[0] if len(steady) == 1 else None

    def reads_its_own(self, walk: Walk, value: Value, reader: Call) -> bool:
        """Whether a call stands in the round of the piece that it reads."""
        begin, end = self.ranges[walk.round_of(value.place)]
        return begin <= reader.number < end


class _Mark(NamedTuple):
    """What a call is in its round, the same for the same call of another."""

    function: str
    layer: Any
    read: tuple[tuple[Any, ...], ...]
    shapes: tuple[Shape, ...]

    @property
    def from_before(self) -> bool:
        """Whether it reads what the round before made."""
        return any(kind == "before" for kind, *_ in self.read)


def _is_outside(call: Call) -> bool:
    """Whether this is a parameter or buffer, which is met where it is first read."""
    return call.label is not None and not call.inputs and call.layer is not None and call.layer.is_source


def _is_last(walk: Walk, number: int) -> bool:
    """Whether the piece of a round is the last, of what is left."""
    last = walk.round_of(len(walk.starts) - 1)
    return number == last and (isinstance(walk.call.layer, Pieces) or bool(walk.rounds))
