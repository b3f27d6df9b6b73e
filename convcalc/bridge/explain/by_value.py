"""Repairs of a branch that depends on values: it is made a constant."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.reruns import Change


def by_value(bench: Bench) -> Iterator[Repair]:
    """Yield both ways of a branch on a tensor."""
    site, failure = bench.site, bench.failure
    if site is None or failure.function not in ("bool", "is_nonzero"):
        return
    for outcome in (True, False):
        yield Repair(f"--assume {failure.source}={str(outcome).lower()}", Change(results={site: outcome}))
