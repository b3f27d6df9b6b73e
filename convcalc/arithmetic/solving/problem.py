"""A formula with what is known and what is sought: one unknown as an interval, several in a box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, TypeAlias

from convcalc.arithmetic.formulas import padding_pair
from convcalc.errors import BadArgument
from convcalc.sizes.size import exact

Rules: TypeAlias = list[list[int]]
"""Alternatives, each a list of numbers that must all be >= 0 and are linear in every single unknown."""

Outs: TypeAlias = tuple[int, int]
"""The least and the most the output may be."""

Interval: TypeAlias = tuple[int, int | None]
"""Both ends inclusive; None is no upper end."""

SAME = ("same", "same-upper", "same-lower")
"""The names of padding that aim at ceil(n/s)."""

ORDER = ("k", "s", "d", "p", "op", "n")
BOUNDS = {"k": 31, "d": 8}
"""The box for two or more unknowns: k <= min(n, 31), s <= k, p < extent, d <= 8."""

MOST_TRIED = 3_000_000
"""The most combinations of all unknowns but the last that are run through; a box beyond is refused."""

FEW = 8_000
"""The most combinations that are run through repeatedly, in search of what is near."""


class Problem:
    """A formula with what is known and what is sought."""

    def __init__(
        self,
        kind: str,
        rules: Callable[..., Rules],
        given: Mapping[str, Any],
        out: int,
        solve: str | Sequence[str],
        limit: int,
        bounds: Mapping[str, int] | None,
    ) -> None:
        sought = list(solve) if isinstance(solve, list | tuple | set | frozenset) else [solve]
        if not sought or not all(isinstance(name, str) and name in given for name in sought):
            raise BadArgument(f"solve for one or several of {', '.join(given)}: {solve!r}")
        if bounds is not None and not (isinstance(bounds, Mapping) and set(bounds) <= {"k", "s", "d", "p"}):
            named = ", ".join(map(str, bounds)) if isinstance(bounds, Mapping) else repr(bounds)
            raise BadArgument(f"the box has bounds on k, s, d and p only: {named}")
        self.kind = kind
        self.rules = rules
        self.given = given
        self.unknowns = tuple(name for name in ORDER if name in sought)
        self.out, self.limit = _integer("out", out), _integer("limit", limit)
        if self.out < 1:
            raise BadArgument(f"an output size is at least 1: {out}")
        if self.limit < 0:
            raise BadArgument(f"limit must be >= 0: {limit}")
        self.outs = (self.out, self.out)
        self.bounds: dict[str, int] = dict(BOUNDS)
        for name, most in (bounds or {}).items():
            self.bounds[name] = _integer(f"bound({name})", most)
        defaults: dict[str, Any] = {"s": 1, "p": 0, "op": 0, "d": 1}
        self.tied = kind == "pool" and given["s"] is None and "s" not in sought  # stride = kernel size
        self.known: dict[str, Any] = {}
        for name, value in given.items():
            if name in sought and value is not None:
                raise BadArgument(f"{name} is both given ({value}) and sought: leave one out")
            if name in sought or (name == "s" and self.tied):
                continue
            if value is None and name not in defaults:
                raise BadArgument(f"{name} is needed to solve for {' and '.join(self.unknowns)}")
            self.known[name] = defaults[name] if value is None else _checked(name, value)
        if kind == "pool" and self.known.get("p") in SAME and self.known.get("d") != 1:
            raise BadArgument(
                f"a pooling with padding {self.known['p']!r} is solved at dilation 1 only: 2p <= k is then sure",
                fixes=["dilation=1"],
            )

    def inequalities(self, outs: Outs, values: Mapping[str, Any]) -> Rules:
        """What must be >= 0 for an output within `outs`."""
        values = {**self.known, **values}
        if self.tied:
            values["s"] = values["k"]
        return self.rules(**values, outs=outs)

    def intervals(self, outs: Outs, unknown: str, values: Mapping[str, Any]) -> list[Interval]:
        """The integers that `unknown` may be, given all else: its linear inequalities are read off at 0 and 1."""
        at_0 = self.inequalities(outs, {**values, unknown: 0})
        at_1 = self.inequalities(outs, {**values, unknown: 1})
        found = [_common(zip(a, b, strict=True)) for a, b in zip(at_0, at_1, strict=True)]
        return _united([interval for interval in found if interval])

    def most(self, name: str, values: Mapping[str, Any]) -> int | None:
        """The bound of the box on `name`, given the unknowns before it in `ORDER`; n has none."""
        at: dict[str, int] = {**self.known, **values}
        match name:
            case "k":
                return min(at.get("n", self.bounds["k"]), self.bounds["k"])
            case "s":
                return self.bounds.get("s", at["k"])
            case "d":
                return self.bounds["d"]
            case "p":
                return self.bounds["p"] if "p" in self.bounds else at["d"] * (at["k"] - 1)
            case "op":
                return max(at["s"], at["d"]) - 1
        return None

    def solutions(self, outs: Outs) -> Iterator[dict[str, int]]:
        """The solutions, smallest first: with one unknown all of them, with several those in the box."""
        last = self.unknowns[-1]
        for values, (lo, hi) in self.runs(outs):
            for value in count(lo) if hi is None else range(lo, hi + 1):
                yield {**values, last: value}

    def count(self, outs: Outs) -> int | None:
        """The number of solutions; None for infinitely many."""
        total = 0
        for _, (lo, hi) in self.runs(outs):
            if hi is None:
                return None
            total += hi - lo + 1
        return total

    def runs(self, outs: Outs) -> Iterator[tuple[dict[str, int], Interval]]:
        """The solutions as intervals of the last unknown, each beside values of those before it."""
        if self.tries() > MOST_TRIED:
            raise BadArgument(
                f"solving for {' and '.join(self.unknowns)} tries up to {self.tries()} combinations, at most "
                f"{MOST_TRIED}: give one of them, or a lower bound on k, s, d or p",
                rule=f"combinations <= {MOST_TRIED}",
            )
        return self._runs(outs, self.unknowns, {})

    def _runs(
        self, outs: Outs, unknowns: Sequence[str], values: dict[str, int]
    ) -> Iterator[tuple[dict[str, int], Interval]]:
        name, *rest = unknowns
        most = self.most(name, values) if len(self.unknowns) > 1 else None
        if rest:
            for value in range(0 if name in ("p", "op") else 1, (most or 0) + 1):
                yield from self._runs(outs, rest, {**values, name: value})
            return
        for lo, hi in self.intervals(outs, name, values):
            end = most if hi is None else hi if most is None else min(hi, most)
            if end is None or lo <= end:
                yield values, (lo, end)

    def tries(self) -> int:
        """The most combinations of all unknowns but the last that the box holds: every bound at its largest."""
        values: dict[str, int] = {}
        tries = 1
        for name in self.unknowns[:-1]:
            values[name] = self.most(name, values) or 0
            tries *= max(1, values[name] + (name in ("p", "op")))
        return tries

    def freed(self, name: str, rules: Callable[..., Rules]) -> Problem:
        """The problem by other rules, with one more letter sought."""
        given = {**self.given, name: None}
        return Problem(self.kind, rules, given, self.out, [*self.unknowns, name], 1, None)

    def box(self) -> dict[str, str]:
        """The box in words; empty for one unknown, which needs none."""
        words = {
            "k": f"k <= min(n, {self.bounds['k']})",
            "s": f"s <= {self.bounds.get('s', 'k')}",
            "d": f"d <= {self.bounds['d']}",
            "p": f"p <= {self.bounds['p']}" if "p" in self.bounds else "p < extent",
        }
        return {name: words[name] for name in self.unknowns if name in words and len(self.unknowns) > 1}


def _checked(name: str, value: Any) -> Any:
    if name == "p" and isinstance(value, str):
        return padding_pair(1, 1, p=value) and value  # refuses a name that is none
    if name == "p" and isinstance(value, tuple | list):
        before, after = padding_pair(1, 1, p=value)
        return _integer("p", before), _integer("p", after)
    value = _integer(name, value)
    least = 0 if name in ("p", "op") else 1
    if value < least:
        raise BadArgument(f"{name} must be >= {least}: {value}")
    return value


def _integer(name: str, value: Any) -> int:
    (value,) = exact(name, value)
    if not isinstance(value, int):
        raise BadArgument(f"solving takes numbers: {name} is {value}")
    return value


def _common(lines: Iterable[tuple[int, int]]) -> Interval | None:
    """The x with a*x + c >= 0 for every line, given as (c, a + c)."""
    lo: int | None = None
    hi: int | None = None
    for at_0, at_1 in lines:
        slope = at_1 - at_0
        if slope > 0:
            end = -(at_0 // slope)
            lo = end if lo is None else max(lo, end)
        elif slope < 0:
            end = at_0 // -slope
            hi = end if hi is None else min(hi, end)
        elif at_0 < 0:
            return None
    assert lo is not None  # noqa: S101 - every letter has a least value among its rules
    return None if hi is not None and hi < lo else (lo, hi)


def _united(intervals: list[Interval]) -> list[Interval]:
    """The union of intervals, as few as possible, in order."""
    united: list[Interval] = []
    for lo, hi in sorted(intervals, key=lambda interval: interval[0]):
        if united and (united[-1][1] is None or lo <= united[-1][1] + 1):
            last, end = united[-1]
            united[-1] = (last, None if hi is None or end is None else max(end, hi))
        else:
            united.append((lo, hi))
    return united
