"""Hybrid dilated convolution: whether a stack of dilated convolutions reads all of its receptive field.

`hdc` answers twice: by the published rule (`published`) and exactly (`offsets`). Where the two differ it says why, and
where there are holes, which rates close them (`repair`). Theorem and proof: docs/dilation.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, islice
from math import gcd, prod
from typing import Any

from convcalc.arithmetic.dilation.offsets import (
    DENSE,
    RUNS,
    counts,
    effective_rates,
    field,
    gaps,
    prefixes,
    progressions,
    unbroken,
)
from convcalc.arithmetic.dilation.published import Step, difference, published_M, sawtooth
from convcalc.arithmetic.dilation.rates import LIMIT, _each, _integers
from convcalc.arithmetic.dilation.repair import Try, repairs
from convcalc.arithmetic.dilation.text import hdc_text
from convcalc.errors import BadArgument
from convcalc.shown import Shown
from convcalc.sizes.size import numbers

LISTED = 1000
"""So many holes are listed one by one."""


@dataclass(frozen=True, repr=False)
class HDC(Shown):
    """What `hdc` found; the fields are there at once, all else is worked out when asked for.

    Offsets count from the field's first tap, in positions of the stack's input.

    >>> hdc([1, 2, 9]).holes
    (7, 8, 16, 17)
    """

    rates: tuple[int, ...]
    """As given."""
    kernel_size: tuple[int, ...]
    """One for each layer."""
    stride: tuple[int, ...]
    """One for each layer; the last one is without effect."""
    effective_rates: tuple[int, ...]
    """Each rate times the strides before it."""
    M: tuple[int, ...] | None
    """M_1, ..., M_n of the published rule; None for one layer or unequal kernel sizes, where it has none."""
    receptive_field: int
    """First tap to last, both included."""
    reach: int
    """The end of the first run: offsets 0, ..., reach are all read."""
    breaking_rate: int | None
    """The first effective rate, ascending, past reach + 1; None where nothing is missed."""

    @property
    def exact_ok(self) -> bool:
        """Whether every position of the receptive field is read.

        >>> hdc([1, 2, 9]).exact_ok, hdc([1, 3, 9]).exact_ok
        (False, True)
        """
        return self.breaking_rate is None

    @property
    def smallest_missed(self) -> int | None:
        """The smallest missed offset, reach + 1; None where nothing is missed.

        >>> hdc([1, 2, 9]).smallest_missed
        7
        """
        return None if self.exact_ok else self.reach + 1

    @property
    def breaking_layer(self) -> int | None:
        """The place, from 0, of the first layer with the breaking rate.

        >>> hdc([9, 1, 2]).breaking_layer
        0
        """
        pairs = enumerate(zip(self.effective_rates, self.kernel_size, strict=True))
        return next((place for place, (rate, taps) in pairs if rate == self.breaking_rate and taps > 1), None)

    @property
    def gcd(self) -> int:
        """The greatest common factor of the rates, as the published rule has it: strides aside.

        >>> hdc([2, 4, 8]).gcd
        2
        """
        return gcd(*self.rates)

    @property
    def m2_ok(self) -> bool | None:
        """Whether M_2 <= K; None where the published rule has no M.

        >>> hdc([1, 2, 5]).m2_ok, hdc([1, 2, 9]).m2_ok, hdc([1]).m2_ok
        (True, False, None)
        """
        return None if self.M is None else self.M[1] <= self.kernel_size[0]

    @property
    def paper_ok(self) -> bool | None:
        """Whether M_2 <= K and the rates have no common factor; None where the published rule has no M.

        >>> hdc([2, 2, 2]).m2_ok, hdc([2, 2, 2]).paper_ok
        (True, False)
        """
        return None if self.m2_ok is None else self.m2_ok and self.gcd == 1

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps from M_{n-1} down to M_1, written first layer first: the three terms and which wins.

        >>> [(step.terms, step.M) for step in hdc([1, 2, 9]).steps]
        [((3, -3, 1), 3), ((5, -5, 2), 5)]
        """
        return () if self.M is None else tuple(map(Step, self.rates, self.M[1:]))

    @property
    def sawtooth(self) -> tuple[tuple[int, ...], int] | None:
        """The rising group that the rates repeat, and how often; None where they do no such thing.

        >>> hdc([1, 2, 3, 1, 2, 3]).sawtooth
        ((1, 2, 3), 2)
        """
        return sawtooth(self.rates)

    @property
    def difference(self) -> str | None:
        """Why the published rule and the truth differ; None where they agree or the rule has nothing to say.

        >>> hdc([2, 3]).difference
        'M_2 never looks at the first rate and takes it for 1; it is 2'
        """
        if self.paper_ok is None or self.paper_ok == self.exact_ok:
            return None
        return difference(self.rates, self.kernel_size[0], self.stride, paper_ok=self.paper_ok)

    @cached_property
    def _gaps(self) -> tuple[tuple[range, ...], bool]:
        return gaps(progressions(self.effective_rates, self.kernel_size))

    @property
    def gaps(self) -> tuple[range, ...]:
        """The missed offsets as ranges, ascending: all of them, or where `hole_count` is None the first ones.

        >>> hdc([1, 10**12]).gaps
        (range(3, 1000000000000), range(1000000000003, 2000000000000))
        """
        return self._gaps[0]

    @property
    def hole_count(self) -> int | None:
        """How many positions of the field are missed; None for fields past 2**20 in more than about 2**20 pieces.

        >>> hdc([1, 2, 9]).hole_count, hdc([1, 10**9]).hole_count
        (4, 1999999994)
        """
        if self.exact_ok:
            return 0
        ranges, complete = self._gaps
        return sum(gap.stop - gap.start for gap in ranges) if complete else None

    @property
    def covered(self) -> int | None:
        """How many positions of the field are read; None where `hole_count` is.

        >>> hdc([1, 2, 9]).covered
        21
        """
        return None if self.hole_count is None else self.receptive_field - self.hole_count

    @property
    def holes(self) -> tuple[int, ...]:
        """The first 1,000 missed offsets; `every_hole()` goes on, `gaps` has them as ranges.

        >>> hdc([1, 2, 9]).holes
        (7, 8, 16, 17)
        """
        return tuple(islice(self.every_hole(), LISTED))

    def every_hole(self) -> Iterator[int]:
        """Yield the missed offsets, ascending.

        >>> sum(hdc([1, 2, 9]).every_hole())
        48
        """
        return iter(()) if self.exact_ok else chain.from_iterable(self.gaps)

    @cached_property
    def counts(self) -> tuple[int, ...] | None:
        """How many ways, one tap a layer, lead to each offset; None where that is too much to write out.

        Written out while field x layers x bytes for a count is at most 2**31.

        >>> hdc([1, 2, 3]).counts
        (1, 1, 2, 2, 3, 3, 3, 3, 3, 2, 2, 1, 1)
        """
        return counts(self.effective_rates, self.kernel_size, self.receptive_field)

    @property
    def fields(self) -> tuple[int, ...]:
        """The receptive field of the first layer, of the first two, and so on.

        >>> hdc([1, 2, 9]).fields
        (3, 7, 25)
        """
        pairs = zip(self.effective_rates, self.kernel_size, strict=True)
        return tuple(accumulate((rate * (taps - 1) for rate, taps in pairs), initial=1))[1:]

    def prefixes(self, limit: int) -> tuple[int, ...]:
        """Return what the first layer, the first two, ... read below offset `limit`: bit i is offset i.

        >>> [bin(bits) for bits in hdc([1, 2]).prefixes(100)]
        ['0b111', '0b1111111']
        """
        (limit,) = numbers("limit", limit)
        if limit < 0:
            raise BadArgument(f"limit must be >= 0: {limit}")
        return prefixes(self.effective_rates, self.kernel_size, min(limit, self.receptive_field))

    @cached_property
    def _repairs(self) -> tuple[tuple[Try, ...], str]:
        return ((), "") if self.exact_ok else repairs(self.rates, self.kernel_size, self.stride, LIMIT)

    @property
    def tries(self) -> tuple[Try, ...]:
        """Rates that close the holes: the smallest changes, then the rates with the largest field.

        Smallest: fewest rates changed, then least change in all, then longest field; up to three, each changing
        other layers. Every one has passed the exact rule. Empty where nothing is missed, or no rates help.

        >>> [(one.rates, one.receptive_field, one.largest) for one in hdc([1, 2, 9]).tries]
        [((1, 3, 9), 27, True), ((1, 2, 7), 21, False)]
        """
        return self._repairs[0]

    @property
    def tries_remark(self) -> str:
        """What must be said about the tries: why there are none, or that smaller changes may exist; "" for nothing.

        >>> hdc([1, 1], kernel_size=2, stride=3).tries_remark.split(":")[0]
        'no rates close the holes'
        """
        return self._repairs[1]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else must be said, a sentence each: where the rules differ or do not apply, what was not worked out.

        >>> hdc([1, 1], stride=2).remarks
        ('the published rule knows no strides: it takes the rates as given',)
        """
        return tuple(filter(None, self._remarks()))

    def _remarks(self) -> Iterator[str]:
        if self.M is None:
            why = "one layer has no M_2" if len(self.rates) == 1 else "it asks for one kernel size"
            yield f"the published rule does not apply: {why}"
        elif prod(self.stride[:-1]) > 1 and not self.difference:
            yield "the published rule knows no strides: it takes the rates as given"
        if self.difference:
            verdict = "lets holes pass" if self.paper_ok else "rejects a stack without holes"
            yield f"the published rule {verdict}: {self.difference}"
        if self.hole_count is None:
            yield (
                f"holes not counted: a field past {DENSE} positions in too many pieces (over {RUNS} copied); "
                f"all below {self.gaps[-1].stop} are known"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the record of `convcalc hdc --json`: numbers, lists, true, false and null.

        `k` is one number where all kernel sizes are equal, else a list; `holes` are the first 1,000.

        >>> hdc([1, 2, 3]).to_dict()["M"], hdc([1, 2], kernel_size=[3, 5]).to_dict()["k"]
        ([1, 2, 3], [3, 5])
        """
        return {
            "rates": list(self.rates),
            "k": self.kernel_size[0] if len(set(self.kernel_size)) == 1 else list(self.kernel_size),
            "M": None if self.M is None else list(self.M),
            "m2_ok": self.m2_ok,
            "gcd": self.gcd,
            "paper_ok": self.paper_ok,
            "exact_ok": self.exact_ok,
            "receptive_field": self.receptive_field,
            "covered": self.covered,
            "holes": list(self.holes),
            "hole_count": self.hole_count,
            "tries": [
                {
                    "rates": list(one.rates),
                    "receptive_field": one.receptive_field,
                    "changed": one.changed,
                    "change": one.change,
                    "largest": one.largest,
                }
                for one in self.tries
            ],
        }

    def __str__(self) -> str:
        return hdc_text(self)


def hdc(rates: Iterable[int], kernel_size: int | Iterable[int] = 3, stride: int | Iterable[int] = 1) -> HDC:
    """Return whether a stack of dilated convolutions reads all of its field: by the published rule, and exactly.

    `rates` are the dilations, first layer first, in any order; `kernel_size` and `stride` are one for all layers or
    one for each. Published rule: Wang et al., WACV 2018. Exact rule: the rates, each times the strides before it,
    ascending, must never pass 1 + the sum of (K_j - 1)·r_j over the ones before; proof in docs/dilation.md. Raises
    BadArgument for anything but integers from 1 up, and for lengths that do not match.

    >>> found = hdc([1, 2, 9])
    >>> found.M, found.paper_ok, found.exact_ok, found.receptive_field, found.holes
    ((3, 5, 9), False, False, 25, (7, 8, 16, 17))
    """
    rates = _integers("rate", rates)
    if not rates:
        raise BadArgument("rates must not be empty: a stack has at least one layer", rule="rates >= 1 of them")
    kernels = _each("kernel_size", kernel_size, len(rates))
    strides = _each("stride", stride, len(rates))
    if prod(set(strides)) >= LIMIT or prod(strides) >= LIMIT:
        raise BadArgument("the strides must multiply to less than 10**1000", rule="product of strides < 10**1000")
    scaled = effective_rates(rates, strides)
    stack = progressions(scaled, kernels)
    reach, breaking = unbroken(stack)
    ruled = len(rates) > 1 and len(set(kernels)) == 1
    return HDC(
        rates=rates,
        kernel_size=kernels,
        stride=strides,
        effective_rates=scaled,
        M=published_M(rates) if ruled else None,
        receptive_field=field(stack),
        reach=reach,
        breaking_rate=breaking,
    )
