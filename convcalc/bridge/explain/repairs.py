"""Repairs of a failure, each of them run before it is offered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from convcalc.bridge.explain.bench import Bench, Repair, reproduce
from convcalc.bridge.explain.by_call import by_call, by_value
from convcalc.bridge.explain.by_idiom import by_axis, by_idiom
from convcalc.bridge.explain.by_input import by_batch, by_input
from convcalc.bridge.explain.by_module import by_module, by_table
from convcalc.bridge.explain.by_size import usual_sizes
from convcalc.bridge.explain.by_type import by_type
from convcalc.bridge.explain.failure import Failure
from convcalc.bridge.explain.reruns import Rerun
from convcalc.errors import Fix, KernelDoesNotFit

OFFERED = 4
"""How many repairs are shown at most."""


def repairs(failure: Failure) -> tuple[tuple[Fix, ...], str]:
    """Return what was tried and helps, and what is wrong with the input where that is plain.

    First what makes the whole model run, the smallest change first; at most `OFFERED`.
    """
    bench = reproduce(failure)
    if bench is None:
        return (), ""
    fixes: list[tuple[Fix, str]] = []
    too_small = isinstance(failure.refusal, KernelDoesNotFit)
    first, second = (by_input, by_module) if too_small else (by_module, by_input)
    kinds = (by_type,) if failure.of_types else (by_idiom, by_axis, first, second, by_call, by_table, by_value)
    for repair in chain.from_iterable(_without_faults(kind(bench)) for kind in kinds):
        outcome = bench.run(repair.change) if repair.known is None else repair.known
        if outcome is not None and bench.passes(outcome):
            fix = _fix(bench, repair, outcome)
            if all(fix.what != known.what for known, _ in fixes):
                fixes.append((fix, repair.cause))
            if fix.runs and repair.alone:
                fixes = fixes[-1:]
                break
    if not any(fix.runs for fix, _ in fixes):
        last = chain(by_batch(bench), usual_sizes(bench) if not fixes or failure.by_user else ())
        found = next((repair for repair in last if (one := bench.run(repair.change)) and one.raised is None), None)
        if found is not None:
            fixes.append((Fix(found.what, runs=True, command=found.command), found.cause))
    fixes.sort(key=lambda one: not one[0].runs)
    causes = [one for one in fixes if one[1] and one[0].runs]
    return tuple(fix for fix, _ in causes or fixes)[:OFFERED], causes[0][1] if causes else ""


def _without_faults(some: Iterator[Repair]) -> Iterator[Repair]:
    """Repairs of one kind, until looking for more of it fails: the others are looked for all the same."""
    with suppress(Exception):
        yield from some


def _fix(bench: Bench, repair: Repair, outcome: Rerun) -> Fix:
    """The repair; where another call fails then, with what repairs that, if one more change of a module does."""
    failure = outcome.failure
    if failure is None:
        return Fix(repair.what, runs=True, command=repair.command)
    for more in () if repair.sizes else by_module(replace(bench, failure=failure, outcome=outcome)):
        again = bench.run(repair.change | more.change)
        if again is not None and again.raised is None:
            command = repair.command and f"{repair.command} and {more.what}"
            return Fix(f"{repair.what} and {more.what}", runs=True, command=command)
    return Fix(repair.what, runs=False, then=failure.place, command=repair.command)
