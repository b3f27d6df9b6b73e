"""Checkerboards: how many stamps of a transposed convolution meet at each output position.

Counts that differ from phase to phase put a pattern on the output that the weights must first unlearn; even
counts do not, though weights may still be uneven. Source: A. Odena, V. Dumoulin and C. Olah, "Deconvolution and
Checkerboard Artifacts", Distill 2016, doi:10.23915/distill.00003; the rule with dilation is counted in the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from convcalc.arithmetic.formulas import at_least
from convcalc.arithmetic.transposed.text import overlap_line
from convcalc.shown import Shown
from convcalc.sizes.conditions import enforce
from convcalc.sizes.size import numbers


@dataclass(frozen=True, kw_only=True, repr=False)
class Overlap(Shown):
    """How many kernel taps reach each output position, by phase: position modulo stride, on one axis.

    Positions are counted from the first stamp's first tap, before padding crops; the counts hold away from
    the borders.

    >>> uneven = overlap(3, stride=2)
    >>> uneven.counts, uneven.even, uneven.fewest, uneven.most
    ((2, 1), False, 1, 2)
    """

    kernel_size: int
    stride: int
    dilation: int
    fewest: int
    most: int
    reason: str
    """Why the counts are even, or why not."""
    remedy: str
    """What makes them even; empty where they are."""

    @property
    def even(self) -> bool:
        """Whether every position is reached equally often."""
        return self.fewest == self.most

    @property
    def counts(self) -> tuple[int, ...]:
        """The counts of all phases, in their order.

        >>> overlap(2, stride=4, dilation=2).counts
        (1, 0, 1, 0)
        """
        return tuple(map(self.count, range(self.stride)))

    def count(self, phase: int) -> int:
        """Return the number of taps t < k with d*t = phase (mod s).

        With g = gcd(s, d) and q = s/g: none where g does not divide the phase; else t = (phase/g)(d/g)^-1
        modulo q and every q-th after it.

        >>> overlap(3, stride=2).count(phase=0)
        2
        """
        shared = math.gcd(self.stride, self.dilation)
        period = self.stride // shared
        if phase % shared:
            return 0
        first = phase // shared * pow(self.dilation // shared, -1, period) % period
        return max(0, -((first - self.kernel_size) // period))

    def __str__(self) -> str:
        return overlap_line(self)


def overlap(kernel_size: int, stride: int, dilation: int = 1) -> Overlap:
    """Return the overlap of a transposed convolution on one axis: even iff gcd(s, d) = 1 and s divides k.

    Otherwise, with q = s/gcd(s, d), the counts are floor(k/q) and ceil(k/q), and 0 too where the gcd exceeds 1.
    Raises `BadArgument` for a hyper-parameter below 1.

    >>> overlap(4, stride=2).counts, overlap(4, stride=2).even
    ((2, 2), True)
    >>> overlap(3, stride=2).remedy
    'use kernel_size 2 or 4, or upsample by 2 and convolve'
    """
    kernel_size, stride, dilation = numbers("kernel_size stride dilation", kernel_size, stride, dilation)
    at_least(1, enforce, kernel_size=kernel_size, stride=stride, dilation=dilation)
    shared = math.gcd(stride, dilation)
    period = stride // shared
    return Overlap(
        kernel_size=kernel_size,
        stride=stride,
        dilation=dilation,
        fewest=0 if shared > 1 else kernel_size // period,
        most=-(-kernel_size // period),
        reason=_reason(kernel_size, stride, dilation, shared),
        remedy=_remedy(kernel_size, stride, shared),
    )


def _reason(kernel_size: int, stride: int, dilation: int, shared: int) -> str:
    if shared > 1:
        return f"stride {stride} and dilation {dilation} share the factor {shared}"
    if stride == 1:
        return "the stride is 1"
    if kernel_size % stride:
        return f"{stride} does not divide {kernel_size}"
    coprime = f" and shares no factor with dilation {dilation}" if dilation > 1 else ""
    return f"{stride} divides {kernel_size}{coprime}"


def _remedy(kernel_size: int, stride: int, shared: int) -> str:
    """Offer the sizes next to the kernel's that the stride divides, the nearest first; dilation 1 shares no factor."""
    ways = ["dilation 1"] if shared > 1 else []
    if beyond := kernel_size % stride:
        near = sorted((kernel_size - beyond, kernel_size - beyond + stride), key=lambda size: abs(size - kernel_size))
        ways.append(f"kernel_size {' or '.join(str(size) for size in near if size)}")
    return f"use {' and '.join(ways)}, or upsample by {stride} and convolve" if ways else ""
