"""The formulas backwards: which hyper-parameters, or which input, give an output.

With one unknown, "the output is `out`" is a set of inequalities linear in it, so the solutions are an exact
interval, perhaps unbounded. With more, all but one run through a stated box. Letters as in `convcalc.formulas`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, TypeAlias

from convcalc.errors import BadArgument, NoSolution
from convcalc.formulas import Padding, extent, padding_pair
from convcalc.sizes import exact

Rules: TypeAlias = list[list[int]]
"""Alternatives, each a list of numbers that must all be >= 0 and are linear in every single unknown."""

Outs: TypeAlias = tuple[int, int]
"""The least and the most the output may be."""

Interval: TypeAlias = tuple[int, int | None]
"""Both ends inclusive; None is no upper end."""

ORDER = ("k", "s", "d", "p", "op", "n")
BOUNDS = {"k": 31, "d": 8}
"""The box for two or more unknowns: k <= min(n, 31), s <= k, p < extent, d <= 8."""

MOST_TRIED = 3_000_000
"""The most combinations of all unknowns but the last that are run through; a box beyond is refused."""

FEW = 8_000
"""The most combinations that are run through repeatedly, in search of what is near."""

_SAME = ("same", "same-upper", "same-lower")


@dataclass(frozen=True)
class Solutions:
    """All solutions of "the output is `out`".

    `intervals` holds them exactly where there is one unknown, `(lo, None)` meaning every integer from lo on.
    `solutions` lists the first ones, smallest first in the order k, s, d, p, op, n; `count` is how many there
    are (None: infinitely many). `complete` says that `solutions` or `intervals` leaves none out. `bounds`
    states the box that two or more unknowns were sought in; it is empty for one.
    """

    kind: str
    known: Mapping[str, Any]
    unknowns: tuple[str, ...]
    out: int
    solutions: tuple[Mapping[str, int], ...]
    intervals: tuple[Interval, ...]
    count: int | None
    complete: bool
    bounds: Mapping[str, str]


def solve_conv(
    *,
    out: int,
    solve: str | Sequence[str],
    n: int | None = None,
    k: int | None = None,
    s: int | None = None,
    p: Padding | None = None,
    d: int | None = None,
    limit: int = 20,
    bounds: Mapping[str, int] | None = None,
) -> Solutions:
    """Solve (n + p0 + p1 - e)//s + 1 = out for `solve`, one or several of n, k, s, p, d.

    An unknown p is the same on both sides. What is neither given nor unknown is s = 1, p = 0, d = 1. `bounds`
    overrides the box for several unknowns. Raises `NoSolution` with the nearest reachable outputs.

    >>> solve_conv(n=224, k=7, s=2, out=112, solve="p").intervals
    ((3, 3),)
    >>> solve_conv(n=5, k=3, out=1, solve="s").intervals
    ((3, None),)
    >>> solve_conv(n=28, k=5, out=28, solve=["s", "p"]).solutions
    ({'s': 1, 'p': 2},)
    """
    known = {"n": n, "k": k, "s": s, "p": p, "d": d}
    return _solve(_Problem("conv", _conv_rules, known, out, solve, limit, bounds))


def solve_conv_transpose(
    *,
    out: int,
    solve: str | Sequence[str],
    n: int | None = None,
    k: int | None = None,
    s: int | None = None,
    p: Padding | None = None,
    op: int | None = None,
    d: int | None = None,
    limit: int = 20,
    bounds: Mapping[str, int] | None = None,
) -> Solutions:
    """Solve (n - 1)s - p0 - p1 + d(k - 1) + op + 1 = out for `solve`, one or several of n, k, s, p, op, d.

    As `solve_conv`; what is neither given nor unknown is s = 1, p = 0, op = 0, d = 1.

    >>> solve_conv_transpose(n=7, k=3, s=2, p=1, out=14, solve="op").solutions
    ({'op': 1},)
    """
    known = {"n": n, "k": k, "s": s, "p": p, "op": op, "d": d}
    return _solve(_Problem("tconv", _transpose_rules, known, out, solve, limit, bounds))


def solve_pool(
    *,
    out: int,
    solve: str | Sequence[str],
    n: int | None = None,
    k: int | None = None,
    s: int | None = None,
    p: Padding | None = None,
    d: int | None = None,
    ceil_mode: bool = False,
    limit: int = 20,
    bounds: Mapping[str, int] | None = None,
) -> Solutions:
    """Solve the pooling formula, floor or ceil, for `solve`, one or several of n, k, s, p, d.

    As `solve_conv`, with 2p <= k; s that is neither given nor unknown is k.

    >>> solve_pool(k=3, s=2, out=27, ceil_mode=True, solve="n").intervals
    ((54, 55),)
    """
    known = {"n": n, "k": k, "s": s, "p": p, "d": d}
    rules = _ceil_pool_rules if ceil_mode else _floor_pool_rules
    return _solve(_Problem("pool", rules, known, out, solve, limit, bounds))


# -- the formulas as inequalities ----------------------------------------------------------------------------------


def _conv_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    low, high = outs
    before, after = _pair(p, k, d)
    least = [n - 1, k - 1, s - 1, d - 1, before, after]
    if p in _SAME:
        return [[*least, n - 1 - (low - 1) * s, high * s - n]]
    span = n + before + after - extent(k, d)
    return [[*least, span - (low - 1) * s, high * s - 1 - span]]


def _floor_pool_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    before, after = _pair(p, k, d)
    return [[*rules, k - 2 * before, k - 2 * after] for rules in _conv_rules(n, k, s, p, d, outs)]


def _ceil_pool_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    if p in _SAME:  # ceil(n/s) either way
        return _floor_pool_rules(n, k, s, p, d, outs)
    low, high = outs
    before, after = _pair(p, k, d)
    windows = n + s - 1 + before + after + s - extent(k, d)
    starts = n + s - 1 + before
    least = [n - 1, k - 1, s - 1, d - 1, before, after, k - 2 * before, k - 2 * after]
    both = [*least, windows - low * s, starts - low * s]  # min(windows, starts) >= low*s
    return [[*both, high * s + s - 1 - windows], [*both, high * s + s - 1 - starts]]


def _transpose_rules(n: int, k: int, s: int, p: Any, op: int, d: int, outs: Outs) -> Rules:
    low, high = outs
    before, after = _pair(p, k, d)
    o = (n - 1) * s - before - after + d * (k - 1) + op + 1
    least = [n - 1, k - 1, s - 1, d - 1, before, after, op, o - low, high - o]
    return [[*least, s - 1 - op], [*least, d - 1 - op]]


def _pair(p: Any, k: int, d: int) -> tuple[int, int]:
    match p:
        case "valid" | "same" | "same-upper" | "same-lower":
            return 0, 0
        case "full":
            return extent(k, d) - 1, extent(k, d) - 1
        case "causal":
            return extent(k, d) - 1, 0
        case (before, after):
            return before, after
        case _:
            return p, p


# -- one unknown: an interval; several: a box ----------------------------------------------------------------------


class _Problem:
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
        sought = {solve} if isinstance(solve, str) else set(solve)
        if not sought or not sought <= set(given):
            raise BadArgument(f"solve for one or several of {', '.join(given)}: {solve!r}")
        if bounds and not set(bounds) <= {"k", "s", "d", "p"}:
            raise BadArgument(f"the box has bounds on k, s, d and p only: {', '.join(bounds)}")
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
        if kind == "pool" and self.known.get("p") in _SAME and self.known.get("d") != 1:
            raise BadArgument(
                f"a pooling with padding {self.known['p']!r} is solved at dilation 1 only: 2p <= k is then sure",
                fixes=["dilation=1"],
            )

    def inequalities(self, outs: Outs, values: Mapping[str, Any]) -> Rules:
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

    def freed(self, name: str, rules: Callable[..., Rules]) -> _Problem:
        """The problem by other rules, with one more letter sought."""
        given = {**self.given, name: None}
        return _Problem(self.kind, rules, given, self.out, [*self.unknowns, name], 1, None)

    def box(self) -> dict[str, str]:
        """The box in words; empty for one unknown, which needs none."""
        words = {
            "k": f"k <= min(n, {self.bounds['k']})",
            "s": f"s <= {self.bounds.get('s', 'k')}",
            "d": f"d <= {self.bounds['d']}",
            "p": f"p <= {self.bounds['p']}" if "p" in self.bounds else "p < extent",
        }
        return {name: words[name] for name in self.unknowns if name in words and len(self.unknowns) > 1}


def _solve(problem: _Problem) -> Solutions:
    single = len(problem.unknowns) == 1
    intervals = tuple(problem.intervals(problem.outs, problem.unknowns[0], {})) if single else ()
    found = tuple(islice(problem.solutions(problem.outs), problem.limit))
    if not found and problem.limit:
        raise _none(problem)
    total = problem.count(problem.outs)
    return Solutions(
        kind=problem.kind,
        known=problem.known,
        unknowns=problem.unknowns,
        out=problem.out,
        solutions=found,
        intervals=intervals,
        count=total,
        complete=single or len(found) == total,
        bounds=problem.box(),
    )


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


# -- nothing found: why, and what is near --------------------------------------------------------------------------


def _none(problem: _Problem) -> NoSolution:
    near = [(out, settings(found)) for out, found in _nearest(problem)]
    more = settings(_one_more(problem))
    box = f" in the box {', '.join(problem.box().values())}" if problem.box() else ""
    message = f"no {' and '.join(problem.unknowns)} gives output {problem.out} for {settings(problem.known)}{box}"
    if near:
        texts = [f"{out} ({found})" for out, found in near]
        message += f"; the nearest output{'s are' if len(texts) > 1 else ' is'} {' and '.join(texts)}"
    if more:
        message += f"; {problem.out} itself takes {more}"
    fixes = [*(found for _, found in near), *([more] if more else [])]
    return NoSolution(message, rule="the output formula has an integer solution", fixes=fixes)


def _nearest(problem: _Problem) -> Iterator[tuple[int, dict[str, int]]]:
    """The nearest reachable outputs below and above, each with its first solution, found by bisection."""
    numbers = [value for value in problem.known.values() if not isinstance(value, str)]
    reach = 16  # where the box is large; else past the output of the least setting, whatever is sought
    if problem.tries() <= FEW:
        reach = 2**12 * problem.out * math.prod(1 + (sum(v) if isinstance(v, tuple) else v) for v in numbers)
    for near, far in ((problem.out - 1, max(1, problem.out - reach)), (problem.out + 1, problem.out + reach)):
        low, high = 0, abs(near - far)  # the least distance from near at which a solution is
        if near < 1 or not _any(problem, near, far):
            continue
        while low < high:
            middle = (low + high) // 2
            if _any(problem, near, near + middle if far > near else near - middle):
                high = middle
            else:
                low = middle + 1
        out = near + low if far > near else near - low
        yield out, next(problem.solutions((out, out)))


def _any(problem: _Problem, a: int, b: int) -> bool:
    return any(True for _ in problem.solutions((min(a, b), max(a, b))))


def _one_more(problem: _Problem) -> dict[str, Any]:
    """The same output with uneven padding, or with one more letter set free; {} where that does not help."""
    if problem.unknowns == ("p",):
        uneven = problem.freed("p", lambda p, **rest: problem.rules(p=(p, p + 1), **rest))
        for found in uneven.solutions(problem.outs):
            return {"p": (found["p"], found["p"] + 1)}
    for name in ("op", "p", "s", "k"):
        if name in problem.known and name not in problem.unknowns:
            freed = problem.freed(name, problem.rules)
            for found in freed.solutions(problem.outs) if freed.tries() <= FEW else ():
                return found
    return {}


def settings(values: Mapping[str, Any]) -> str:
    """Return `values` as a person writes them.

    >>> settings({"k": 3, "p": (2, 3)})
    'k=3 p=2:3'
    """
    return " ".join(f"{name}={':'.join(map(str, v)) if isinstance(v, tuple) else v}" for name, v in values.items())
