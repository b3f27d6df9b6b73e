"""The published rule for hybrid dilated convolution, word for word, and why it errs where it errs.

Wang et al., "Understanding Convolution for Semantic Segmentation", WACV 2018: for n layers of one kernel size K with
rates r_1, ..., r_n, in the order given,

    M_n = r_n,    M_i = max(M_{i+1} - 2 r_i,  M_{i+1} - 2 (M_{i+1} - r_i),  r_i),    want M_2 <= K,

and no common factor in the rates. It asks for one K and at least two layers, and knows no strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from convcalc.arithmetic.dilation.offsets import progressions, unbroken


@dataclass(frozen=True)
class Step:
    """One step M_i = max(three terms) of the published rule.

    >>> step = Step(rate=2, following=9)
    >>> step.terms, step.winner, step.M
    ((5, -5, 2), 0, 5)
    """

    rate: int
    following: int

    @property
    def terms(self) -> tuple[int, int, int]:
        """M_{i+1} - 2 r_i, M_{i+1} - 2 (M_{i+1} - r_i) = 2 r_i - M_{i+1}, and r_i."""
        return (self.following - 2 * self.rate, self.following - 2 * (self.following - self.rate), self.rate)

    @property
    def winner(self) -> int:
        """The place, 0, 1 or 2, of the first largest term."""
        return self.terms.index(self.M)

    @property
    def M(self) -> int:  # noqa: N802 - the rule's letter
        """The largest term."""
        return max(self.terms)


def published_M(rates: Sequence[int]) -> tuple[int, ...]:  # noqa: N802 - the rule's letter
    """M_1, ..., M_n by the published rule, in the order given.

    >>> published_M([1, 2, 5]), published_M([1, 2, 9])
    ((1, 2, 5), (3, 5, 9))
    """
    values = [rates[-1]]
    for rate in reversed(rates[:-1]):
        values.append(Step(rate, values[-1]).M)
    return tuple(reversed(values))


def difference(rates: Sequence[int], kernel_size: int, strides: Sequence[int], *, paper_ok: bool) -> str:
    """Why the published rule, which says `paper_ok`, is wrong about this stack; the reasons are complete.

    Proof that no other reason exists: docs/dilation.md.

    >>> difference([2, 3], 3, [1, 1], paper_ok=True)
    'M_2 never looks at the first rate and takes it for 1; it is 2'
    >>> difference([1, 3, 1], 3, [1, 1, 1], paper_ok=False)
    'the order does not matter, but the published rule depends on it: in ascending order, 1 1 3, M_2 = 1'
    """
    if prod(strides[:-1]) > 1 and _fills(rates, kernel_size) == paper_ok:
        return "it knows no strides: what counts is each rate times the strides before it"
    if paper_ok:
        if _fills((1, *rates[1:]), kernel_size):
            return f"M_2 never looks at the first rate and takes it for 1; it is {rates[0]}"
        return "it takes 2 rates off a gap for every layer, the reach of 3 taps; 2 taps reach 1 rate"
    if kernel_size == 1:
        return "a single tap has no gaps, whatever the rate"
    ascending = sorted(rates)
    if (second := published_M(ascending)[1]) <= kernel_size:
        return (
            "the order does not matter, but the published rule depends on it: "
            f"in ascending order, {_few(ascending)}, M_2 = {second}"
        )
    reach = kernel_size - 1
    return f"it takes 2 rates off a gap for every layer, the reach of 3 taps; {kernel_size} taps reach {reach} rates"


def _fills(rates: Sequence[int], kernel_size: int) -> bool:
    return unbroken(progressions(rates, [kernel_size] * len(rates)))[1] is None


def _few(rates: Sequence[int]) -> str:
    return " ".join(map(str, rates)) if len(rates) <= 12 else " ".join(map(str, rates[:11])) + " …"


def sawtooth(rates: Sequence[int]) -> tuple[tuple[int, ...], int] | None:
    """The rising group that the rates repeat, and how often; None where they do no such thing.

    >>> sawtooth([1, 2, 3, 1, 2, 3]), sawtooth([1, 2, 5]), sawtooth([2, 2])
    (((1, 2, 3), 2), ((1, 2, 5), 1), None)
    """
    falls = (place for place, (rate, following) in enumerate(pairwise(rates), 1) if following <= rate)
    length = next(falls, len(rates))
    times, rest = divmod(len(rates), length)
    group = tuple(rates[:length])
    return (group, times) if length > 1 and not rest and tuple(rates) == group * times else None
