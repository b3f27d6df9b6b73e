"""Loops over `range(h // 4)`: how many rounds there are is a branch, and the number of a round a symbol of its own.

While a module runs, `range` of sizes gives numbers that know their round (`SizeInt` of a symbol). In formulas of the
letters they are what they are in that round. Where a round uses them for slices and places of tensors alone, or in
comparisons that come out alike, the loop may treat its rounds alike: see `alike`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from convcalc.bridge.events import taken_at
from convcalc.bridge.hearing.joins import Joins
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.sizeint import SizeInt, sized
from convcalc.bridge.hearing.watch import Watch
from convcalc.bridge.loops.numbers import Numbers, plain_range
from convcalc.errors import Unknown
from convcalc.layers import Index, Layer, Narrow, Slice
from convcalc.layers.indexing import Back
from convcalc.layers.rounds import Entries, InEachRound, InLastRound, Window
from convcalc.sizes.branch import Branch
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

if TYPE_CHECKING:
    from convcalc.bridge.loops.alike import AnyNumber
    from convcalc.bridge.loops.walks import Heard

MARK = "__round"
"""What the name of each symbol of a round starts with, and no letter of an axis."""


@dataclass(eq=False)
class Rounds:
    """A `range` of sizes: as the piece that a loop goes over, one entry a round."""

    number: int
    """Below -1, to tell it from those of calls and inputs."""
    real: range
    total: Size | None
    """How many rounds there are, in letters; None where that has no formula that is known at all sizes."""
    start: Size
    step: Size
    layer = None

    @property
    def count(self) -> int:
        """How many rounds there are in this run."""
        return len(self.real)

    @property
    def shapes(self) -> tuple[tuple[()], ...]:
        """One for each entry."""
        return ((),) * self.count


@dataclass(eq=False)
class Round:
    """One round of a loop over a range: its place in the range, and what its number was compared with."""

    rounds: Rounds
    place: int
    is_first: bool
    is_now: bool = True
    compared: list[Branch] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The symbol of its place."""
        return f"{MARK}{-self.rounds.number}_{self.place}"


class Ranges:
    """The ranges of sizes of one run, and the rounds of their loops by symbol."""

    def __init__(
        self, watch: Watch, sizes: Mapping[str, int], heard: Heard, joins: Joins, any_number: AnyNumber | None
    ) -> None:
        self.watch, self.heard, self.joins, self.any_number = watch, heard, joins, any_number
        self.sizes = sizes
        """What the letters are in this run."""
        self.planned: Mapping[int, bool] = {} if any_number is None else any_number.plan.ranges
        """In a run for any number: the ranges that are, and whether their first round is apart."""
        self.all: list[Rounds] = []
        self.rounds: dict[str, Round] = {}
        self.shown = False
        """Whether numbers show the symbols of their rounds."""

    # -- a range is made and gone over --------------------------------------------------------------------------

    def make(self, *args: Any) -> Any:
        """Return what stands for `range(*args)`, whose number of entries is kept as a branch."""
        watch = self.watch
        real = plain_range(*[value.plain if isinstance(value, SizeInt) else value for value in args])
        ends: list[Any] = [formula(value) for value in ([0, *args, 1] if len(args) == 1 else [*args, 1])]
        start, stop, step = ends[:3]
        if watch.muted or watch.over or None in (start, stop, step) or (isinstance(step, Expr) and real.step < 0):
            watch.lose("a size used as an index")
            return real
        if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
            return real
        sign = 1 if real.step > 0 else -1
        reach, each, count = sign * (stop - start), sign * step, len(real)
        total = (reach + each - 1) // each if isinstance(each, int) else None
        made = Rounds(-2 - len(self.all), real, total, start, step)
        self.all.append(made)
        if self.any_number is not None and total is not None and made.number in self.planned:
            watch.branch(total, ">=", 2, outcome=True)
            self.any_number.numbers[made.number] = total
        else:
            if isinstance(each, Expr):
                watch.branch(each, ">=", 1, outcome=True)
            if count:
                watch.branch(reach, ">", each * (count - 1), outcome=True)
            watch.branch(reach, "<=", each * count, outcome=True)
        return Numbers(self, made)

    def entry(self, made: Rounds, place: int) -> Any:
        """Return the number of an entry as a plain one, or with its formula in the letters."""
        value = made.start + made.step * place
        return sized(made.real[place], value, self.watch) if isinstance(value, Expr) else made.real[place]

    def begin(self, made: Rounds, place: int, *, is_first: bool) -> tuple[Any, Round]:
        """Return the number of the round that begins, with the symbol of its place."""
        round_ = Round(made, place, is_first)
        self.rounds[round_.symbol] = round_
        value = made.start + made.step * Expr.symbol(round_.symbol)
        return SizeInt(made.real[place], value, self.watch), round_

    # -- numbers of rounds in formulas -----------------------------------------------------------------------------

    def of(self, *some: Any) -> list[Round]:
        """Return the rounds whose numbers are in formulas."""
        names = {name for value in some if isinstance(value, Expr) for name in value.symbols if name.startswith(MARK)}
        return [self.rounds[name] for name in sorted(names)]

    def spoil(self, some: list[Round]) -> None:
        """Keep that rounds are told apart by their numbers."""
        self.heard.spoiled.update(one.rounds.number for one in some)

    def put(self, value: Any) -> Any:
        """Return a formula in the letters alone, by the places that rounds have in this run."""
        return taken_at(value, {one.symbol: one.place for one in self.of(value)})

    def told(self, value: Expr) -> Any:
        """Return a formula in the letters for whoever may do anything with it."""
        if not self.watch.muted:
            self.spoil(self.of(value))
        return self.put(value)

    def compare(self, left: Any, relation: str, right: Any, outcome: bool, line: str | None) -> None:
        """Keep a comparison of the number of a round, and what it says of the letters; no ways meet after it."""
        found = self.of(left, right)
        taken = Branch.taken(left, relation, right, outcome)
        if left is None or right is None or len(found) > 1 or not found[0].is_now:
            self.spoil(found)
            self._keep(replace(taken, left=self.put(left), right=self.put(right), source=line))
            return
        (one,) = found
        rise = right - left
        if taken.relation == "!=":  # which of the two, so that it holds between two rounds where it does in both
            less = taken_at(rise, {**self.sizes, one.symbol: one.place})
            taken = Branch(left, "<" if less > 0 else ">", right)
        one.compared.append(canonical(taken, one.symbol))
        if not is_linear(rise, one.symbol):
            self.spoil(found)
        for end in self.ends(one):
            values = {one.symbol: end}
            self._keep(replace(taken, left=taken_at(left, values), right=taken_at(right, values), source=line))

    def _keep(self, branch: Branch) -> None:
        numbers = isinstance(branch.left, int) and isinstance(branch.right, int)
        if not branch.is_everywhere and not numbers:
            self.watch.path.setdefault(branch)
            self.joins.firm.setdefault(branch)

    def ends(self, one: Round) -> tuple[Size, ...]:
        """The places that a round stands for in this run: the first of them and the last."""
        number = one.rounds.number
        if number not in self.planned:
            return (one.place,)
        total = one.rounds.total
        assert total is not None  # noqa: S101 -- planned
        if one.place == one.rounds.count - 1:
            return (total - 1,)
        if one.is_first and self.planned[number]:
            return (0,)
        return (1 if self.planned[number] else 0, total - 2)

    # -- calls ---------------------------------------------------------------------------------------------------

    def among(self, value: Any) -> list[Round]:
        """Return the rounds whose numbers are among arguments."""
        return self.of(*_formulas(value))

    def settled(self, value: Any) -> Any:
        """Return an argument with the number of a round in letters."""
        if type(value) is slice:
            return slice(*map(self.settled, (value.start, value.stop, value.step)))
        if type(value) is SizeInt and self.of(value.raw):
            return sized(value.plain, Expr.const(0) + self.put(value.raw), self.watch)
        return value

    def for_any_number(self, raw: Layer) -> Layer | None:
        """Return what stands for a call in its round, whatever the number of rounds; None where it is the call."""
        found = self.of(*_formulas(vars(raw)))
        if len(found) != 1 or found[0].rounds.number not in self.planned or not isinstance(raw, Index):
            return None
        (one,) = found
        ends = self.ends(one)
        if len(ends) > 1:
            return _in_each(raw, one.symbol, ends)
        return InLastRound(taken_at(raw.items, {one.symbol: ends[0]}), strict=isinstance(raw, Narrow))


def _in_each(raw: Index, symbol: str, ends: tuple[Size, ...]) -> InEachRound:
    """What an index is in every round between two; raises `Unknown` where its shape is not the same in all."""

    def at_ends(value: Any) -> tuple[Size, ...]:
        if not is_linear(value, symbol):
            raise Unknown("a place that does not rise by as much each round")
        return tuple(taken_at(value, {symbol: end}) for end in ends)

    items: list[Any] = []
    for item in raw.items:
        if all(symbol not in one.symbols for one in _formulas((item,))):
            items.append(item)
        elif isinstance(item, Slice):
            start, stop = 0 if item.start is None else item.start, item.stop
            if isinstance(start, Back) or isinstance(stop, Back) or stop is None:
                raise Unknown("a slice whose ends are counted from two ends")
            length = taken_at(stop - start, {})
            rows = length if item.step == 1 else (length + item.step - 1) // item.step
            if any(symbol in one.symbols for one in _formulas((rows,))) or (isinstance(rows, int) and rows < 1):
                raise Unknown("a slice that is not as long in each round")
            items.append(Window(rows, at_ends(start), at_ends(stop)))
        elif isinstance(item, Back):
            items.append(Entries(at_ends(item.rows), back=True))
        else:
            items.append(Entries(at_ends(item)))
    return InEachRound(tuple(items), strict=isinstance(raw, Narrow))


def _formulas(value: Any) -> Iterator[Expr]:
    match value:
        case Expr():
            yield value
        case tuple() | list() | dict():
            for one in value.values() if isinstance(value, dict) else value:
                yield from _formulas(one)
        case slice():
            yield from _formulas((value.start, value.stop, value.step))
        case _ if type(value) is SizeInt and value.raw is not None:
            yield value.raw


def canonical(value: Any, own: str) -> Any:
    """Return a branch or a layer whose round is called as every round of its loop, and other rounds by their places."""
    names = {name for one in _formulas(vars(value)) for name in one.symbols if name.startswith(MARK)}
    called = {name: Expr.symbol(MARK if name == own else f"{MARK}_{name.rpartition('_')[2]}") for name in names}
    if isinstance(value, Branch):
        return Branch(taken_at(value.left, called), value.relation, taken_at(value.right, called))
    return value.op, taken_at(tuple(vars(value).items()), called)


def is_linear(value: Any, symbol: str) -> bool:
    """Return whether a value rises by as much from one round to the next.

    >>> j, n = Expr.symbol("j"), Expr.symbol("n")
    >>> is_linear(4 * j + n // 2, "j"), is_linear(j // 2, "j")
    (True, False)
    """
    if not isinstance(value, Expr):
        return True
    rise = taken_at(value, {symbol: Expr.symbol(symbol) + 1}) - value
    return symbol not in rise.symbols
