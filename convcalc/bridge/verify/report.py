"""What a verification against torch found: of one case, and of all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from convcalc.bridge.device import device_name, need_torch
from convcalc.bridge.verify.text import render_report
from convcalc.shown import Shown


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One case in which convcalc and torch disagree."""

    kind: str
    message: str
    code: str
    """A line that reproduces it."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came of one case: what was compared, by kind, what both refused, and where they differ."""

    kinds: tuple[str, ...] = ()
    checked: int = 1
    refused: int = 0
    mismatches: tuple[Mismatch, ...] = ()
    unchecked: tuple[tuple[str, str], ...] = ()
    """What could not be compared: its kind, and why."""

    @property
    def mismatch(self) -> Mismatch | None:
        """The first mismatch, if there is one.

        >>> Comparison(kinds=("Conv1d",)).mismatch
        """
        return next(iter(self.mismatches), None)


@dataclass(frozen=True, kw_only=True, repr=False)
class VerifyReport(Shown):
    """Cases tried against torch on one device; `seed` draws the same ones again.

    >>> report = VerifyReport(device="cpu", device_name="x", torch="2.13.0", seed=0, checked=1, refused=0, seconds=0.1)
    >>> report.ok
    True
    """

    device: str
    device_name: str
    torch: str
    """Its version."""
    seed: int
    checked: int
    """Cases that torch computes and that were compared."""
    refused: int
    """Cases that torch refuses, as convcalc must."""
    kinds: dict[str, int] = field(default_factory=dict)
    """How many comparisons of each kind."""
    mismatches: tuple[Mismatch, ...] = ()
    unchecked: dict[tuple[str, str], int] = field(default_factory=dict)
    """What could not be compared: by kind and reason, how many."""
    target: str | None = None
    """The network, where it is one that was checked."""
    interrupted: bool = False
    """Whether it was ended by Ctrl-C: the counts are those up to there."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there is no mismatch."""
        return not self.mismatches

    def __str__(self) -> str:
        return render_report(self)


def tally(
    results: Iterator[Comparison],
    count: int,
    place: Any,
    seed: int,
    progress: Callable[[int, int], object] | None = None,
    target: str | None = None,
) -> VerifyReport:
    """Return the report of the results of `count` cases; interrupted, that of those that came.

    `progress` is called with (done, count) after each.

    >>> place = need_torch().device("cpu")
    >>> report = tally((Comparison(kinds=(kind,)) for kind in ("a", "b", "a")), 3, place, seed=0)
    >>> report.checked, report.kinds
    (3, {'a': 2, 'b': 1})
    """
    start = time.perf_counter()
    kinds, unchecked = Counter[str](), Counter[tuple[str, str]]()
    mismatches: list[Mismatch] = []
    checked = refused = 0
    interrupted = False
    try:
        with closing(results):  # type: ignore[type-var]  # a generator
            for done, found in enumerate(results, start=1):
                kinds.update(found.kinds)
                unchecked.update(found.unchecked)
                mismatches += found.mismatches
                checked, refused = checked + found.checked, refused + found.refused
                if progress is not None:
                    progress(done, count)
    except KeyboardInterrupt:
        interrupted = True
    return VerifyReport(
        device=str(place),
        device_name=device_name(place),
        torch=need_torch().__version__,
        seed=seed,
        checked=checked,
        refused=refused,
        kinds=dict(sorted(kinds.items())),
        mismatches=tuple(mismatches),
        unchecked=dict(sorted(unchecked.items())),
        target=target,
        interrupted=interrupted,
        seconds=time.perf_counter() - start,
    )
