"""What a verification against torch found."""

from __future__ import annotations

from dataclasses import dataclass, field

from convcalc.bridge.verify.text import render_report
from convcalc.shown import Shown


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One case in which convcalc and torch disagree."""

    kind: str
    message: str
    code: str
    """A line of Python that reproduces it."""


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
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there is no mismatch."""
        return not self.mismatches

    def __str__(self) -> str:
        return render_report(self)
