"""Solutions of a formula solved backwards, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcalc.arithmetic.solving.near import settings

if TYPE_CHECKING:
    from convcalc.arithmetic.solving.problem import Interval
    from convcalc.arithmetic.solving.solutions import Solutions


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
