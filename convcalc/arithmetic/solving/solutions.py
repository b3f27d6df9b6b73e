"""The formulas backwards: which hyper-parameters, or which input, give an output.

With one unknown, "the output is `out`" is a set of inequalities linear in it, so the solutions are an exact
interval, perhaps unbounded. With more, all but one run through a stated box. Letters as in `arithmetic.formulas`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from convcalc.arithmetic.formulas import Padding, span
from convcalc.arithmetic.solving.problem import FEW, SAME, Interval, Outs, Problem, Rules
from convcalc.errors import NoSolution
from convcalc.shown import Shown
from convcalc.sizes.size import flag


@dataclass(frozen=True, repr=False)
class Solutions(Shown):
    """All solutions of "the output is `out`".

    `intervals` holds them exactly where there is one unknown, `(lo, None)` meaning every integer from lo on.
    `solutions` lists the first ones, smallest first in the order k, s, d, p, op, n; `count` is how many there
    are (None: infinitely many). `complete` says that `solutions` or `intervals` leaves none out, of the box where
    there is one: `bounds` states the box that two or more unknowns were sought in; it is empty for one.

    >>> found = solve_conv(n=224, k=7, s=2, out=112, solve="p")
    >>> found.intervals, found.count, found.complete
    (((3, 3),), 1, True)
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

    def __str__(self) -> str:
        return solutions_text(self)


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
    return _solve(Problem("conv", _conv_rules, known, out, solve, limit, bounds))


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
    return _solve(Problem("tconv", _transpose_rules, known, out, solve, limit, bounds))


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
    rules = _ceil_pool_rules if flag("ceil_mode", ceil_mode) else _floor_pool_rules
    return _solve(Problem("pool", rules, known, out, solve, limit, bounds))


def _solve(problem: Problem) -> Solutions:
    single = len(problem.unknowns) == 1
    intervals = tuple(problem.intervals(problem.outs, problem.unknowns[0], {})) if single else ()
    found = tuple(islice(problem.solutions(problem.outs), problem.limit))
    if not found and problem.limit:
        raise no_solution(problem)
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


# -- the formulas as inequalities ----------------------------------------------------------------------------------


def _conv_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    low, high = outs
    before, after = _pair(p, k, d)
    least = [n - 1, k - 1, s - 1, d - 1, before, after]
    if p in SAME:
        return [[*least, n - 1 - (low - 1) * s, high * s - n]]
    room = n + before + after - span(k, d)
    return [[*least, room - (low - 1) * s, high * s - 1 - room]]


def _floor_pool_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    before, after = _pair(p, k, d)
    return [[*rules, k - 2 * before, k - 2 * after] for rules in _conv_rules(n, k, s, p, d, outs)]


def _ceil_pool_rules(n: int, k: int, s: int, p: Any, d: int, outs: Outs) -> Rules:
    if p in SAME:  # ceil(n/s) either way
        return _floor_pool_rules(n, k, s, p, d, outs)
    low, high = outs
    before, after = _pair(p, k, d)
    windows = n + s - 1 + before + after + s - span(k, d)
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
            return span(k, d) - 1, span(k, d) - 1
        case "causal":
            return span(k, d) - 1, 0
        case (before, after):
            return before, after
        case _:
            return p, p


def solution_lines(found: Solutions) -> list[str]:
    """Return the solutions for people: intervals for one unknown, a list for several.

    >>> from convcalc.arithmetic.solving.solutions import solve_conv
    >>> solution_lines(solve_conv(n=5, k=3, out=1, solve="s"))
    ['s >= 3   gives out 1 for n=5 k=3 p=0 d=1']
    """
    given = f"gives out {found.out} for {settings(found.known)}" if found.known else f"gives out {found.out}"
    if found.intervals:
        (name,) = found.unknowns
        return [f"{interval_text(name, interval)}   {given}" for interval in found.intervals]
    lines = [settings(solution) for solution in found.solutions]
    shown = "all" if found.complete else f"the first {len(found.solutions)} of"
    box = ", ".join(found.bounds.values())
    return [*lines, f"{shown} {found.count} with {box}; each {given}"]


def solutions_text(found: Solutions) -> str:
    """Return the lines of the solutions as one text."""
    return "\n".join(solution_lines(found))


def interval_text(name: str, interval: Interval) -> str:
    """Return an interval of integers as a person writes it.

    >>> interval_text("n", (3, 3)), interval_text("n", (3, 5)), interval_text("n", (3, None))
    ('n = 3', 'n = 3..5', 'n >= 3')
    """
    lo, hi = interval
    if hi is None:
        return f"{name} >= {lo}"
    return f"{name} = {lo}" if lo == hi else f"{name} = {lo}..{hi}"


def solution_record(found: Solutions) -> dict[str, Any]:
    """Return the JSON record of the solutions."""
    return {
        "kind": found.kind,
        "known": dict(found.known),
        "out": found.out,
        "unknowns": list(found.unknowns),
        "solutions": [dict(solution) for solution in found.solutions],
        "intervals": [list(interval) for interval in found.intervals],
        "count": found.count,
        "complete": found.complete,
        "bounds": dict(found.bounds),
    }


def no_solution(problem: Problem) -> NoSolution:
    """Return the refusal of a problem without solution: the nearest outputs, and what one more letter can do."""
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


def _nearest(problem: Problem) -> Iterator[tuple[int, dict[str, int]]]:
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


def _any(problem: Problem, a: int, b: int) -> bool:
    return any(True for _ in problem.solutions((min(a, b), max(a, b))))


def _one_more(problem: Problem) -> dict[str, Any]:
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
