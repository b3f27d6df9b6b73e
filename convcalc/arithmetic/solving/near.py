"""Nothing found: why, and what is near."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from convcalc.arithmetic.solving.problem import FEW, Problem
from convcalc.errors import NoSolution


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
