"""Finite sets of whole numbers, and the same with counts: what one output reads.

A `TapSet` is a Python int used as a bitset, with an offset; a `TapCounts` also knows how often each position is
read. Both know the same few operations, on which `convcalc.footprints.footprint` is built::

    gather   the union of shifted copies            {-1, 0, 1} and {-1, 0, 1} + 2  ->  {-1, 0, 1, 2, 3}
    spread   the sums a + step*b, a and b members   {0, 1} spread over {0, 1} by 3 ->  {0, 1, 3, 4}

For sets a union of equal positions is one position; for counts they add up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from convcalc.errors import BadArgument

MAX_SPAN = 2**24
"""Sets that span more positions than this are refused: no network reads as far, and each position costs a bit."""


class Taps(ABC):
    """A finite set of positions, with or without counts; empty ones have base 0."""

    __slots__ = ()

    base: int

    @classmethod
    @abstractmethod
    def gather(cls, parts: Iterable[tuple[Self, int, int]]) -> Self:
        """Return the union of (taps, shift, times): each `taps` shifted by `shift` and read `times` times."""

    @abstractmethod
    def spread(self, other: Self, step: int) -> Self:
        """Return the positions a + step*b for a in `self` and b in `other`."""

    @abstractmethod
    def items(self) -> Iterator[tuple[int, int]]:
        """Yield each position and how often it is read, in order."""

    @abstractmethod
    def follows(self, other: Self, shift: int) -> bool:
        """Whether this is `other` moved by `shift`."""

    @abstractmethod
    def __bool__(self) -> bool: ...

    @property
    @abstractmethod
    def span(self) -> int:
        """last - first + 1, or 0 for none."""

    @property
    @abstractmethod
    def total(self) -> int:
        """How many reads there are: positions of a set, the sum of counts."""

    @property
    @abstractmethod
    def support(self) -> TapSet:
        """The positions alone."""

    @property
    def first(self) -> int:
        """The first position; the base."""
        return self.base

    @property
    def last(self) -> int:
        """The last position."""
        return self.base + self.span - 1

    def __iter__(self) -> Iterator[int]:
        return (position for position, _ in self.items())


@dataclass(frozen=True, slots=True, repr=False)
class TapSet(Taps):
    """A set of whole numbers: bit i of `bits` says whether `base + i` belongs; bit 0 is set unless it is empty.

    >>> taps = TapSet.of([-2, 0, 1])
    >>> taps, taps.first, taps.last, taps.span, len(taps), 0 in taps
    (TapSet(-2, 0..1), -2, 1, 4, 3, True)
    """

    base: int
    bits: int

    @classmethod
    def of(cls, positions: Iterable[int]) -> TapSet:
        """Return the set of `positions`.

        >>> TapSet.of(range(-3, 4)), TapSet.of([])
        (TapSet(-3..3), TapSet())
        """
        where = list(positions)
        base = min(where, default=0)
        check_span(max(where, default=0) - base + 1)
        bits = 0
        for position in where:
            bits |= 1 << (position - base)
        return cls(base, bits)

    @classmethod
    def from_bits(cls, bits: int, base: int = 0) -> TapSet:
        """Return the set of base + i for each bit i of `bits`.

        >>> TapSet.from_bits(0b1100), TapSet.from_bits(0b1100, base=-2)
        (TapSet(2..3), TapSet(0..1))
        """
        if not bits:
            return EMPTY
        low = (bits & -bits).bit_length() - 1
        return cls(base + low, bits >> low)

    @classmethod
    def gather(cls, parts: Iterable[tuple[TapSet, int, int]]) -> TapSet:
        """Return the union of the shifted sets; how often one is read leaves a set as it is.

        >>> three = TapSet.of([-1, 0, 1])
        >>> TapSet.gather([(three, 0, 1), (three, 2, 5)])
        TapSet(-1..3)
        """
        pieces = [(taps.base + shift, taps.bits) for taps, shift, _ in parts if taps.bits]
        if not pieces:
            return EMPTY
        base = min(start for start, _ in pieces)
        check_span(max(start for start, _ in pieces) - base + 1)
        bits = 0
        for start, piece in pieces:
            bits |= piece << (start - base)
        return cls(base, bits)

    def spread(self, other: TapSet, step: int) -> TapSet:
        """Return {a + step*b}, walking the runs of whichever set has fewer.

        >>> TapSet.of([0, 1]).spread(TapSet.of([-1, 0, 1]), step=3)
        TapSet(-3..-2, 0..1, 3..4)
        """
        if not (self.bits and other.bits):
            return EMPTY
        check_span(self.span + step * (other.span - 1))
        base = self.base + step * other.base
        if _run_count(other.bits) <= _run_count(self.bits):
            return TapSet(base, _sum(self.bits, other.bits, step))
        return TapSet(base, _sum(_stretch(other.bits, step), self.bits, 1))

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield (position, 1) in order."""
        for start, length in _runs(self.bits):
            for position in range(self.base + start, self.base + start + length):
                yield position, 1

    def follows(self, other: TapSet, shift: int) -> bool:
        """Whether this is `other` moved by `shift`.

        >>> TapSet.of([4, 5]).follows(TapSet.of([1, 2]), 3)
        True
        """
        return self.bits == other.bits and (not self.bits or self.base == other.base + shift)

    @property
    def span(self) -> int:
        """last - first + 1, or 0 for the empty set."""
        return self.bits.bit_length()

    @property
    def total(self) -> int:
        """How many positions there are."""
        return self.bits.bit_count()

    @property
    def support(self) -> TapSet:
        """The set itself."""
        return self

    @property
    def missing(self) -> TapSet:
        """The positions between first and last that do not belong.

        >>> TapSet.of([-2, 0, 1, 4]).missing
        TapSet(-1, 2..3)
        """
        return TapSet.from_bits(~self.bits & ((1 << self.bits.bit_length()) - 1), self.base)

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __bool__(self) -> bool:
        return self.bits != 0

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and position >= self.base and bool(self.bits >> (position - self.base) & 1)

    def __repr__(self) -> str:
        runs = ((self.base + start, length) for start, length in _runs(self.bits))
        return f"TapSet({', '.join(f'{a}..{a + n - 1}' if n > 1 else str(a) for a, n in runs)})"


EMPTY = TapSet(0, 0)
"""The set without a member."""


@dataclass(frozen=True, slots=True, repr=False)
class TapCounts(Taps):
    """How often each position is read: `base + i` is read `counts[i]` times; the end counts are not 0.

    >>> taps = TapCounts.of({-1: 1, 0: 2, 1: 1})
    >>> taps, taps.total, taps.support
    (TapCounts({-1: 1, 0: 2, 1: 1}), 4, TapSet(-1..1))
    """

    base: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, counts: dict[int, int]) -> TapCounts:
        """Return how often each position is read, from positive counts by position.

        >>> TapCounts.of({3: 1}), TapCounts.of({})
        (TapCounts({3: 1}), TapCounts({}))
        """
        if not counts:
            return cls(0, ())
        first, last = min(counts), max(counts)
        return cls(first, tuple(counts.get(position, 0) for position in range(first, last + 1)))

    @classmethod
    def gather(cls, parts: Iterable[tuple[TapCounts, int, int]]) -> TapCounts:
        """Return the sums of the shifted counts, each taken `times` times.

        >>> pair = TapCounts.of({0: 1, 1: 1})
        >>> TapCounts.gather([(pair, 0, 1), (pair, 1, 3)])
        TapCounts({0: 1, 1: 4, 2: 3})
        """
        pieces = [(taps.base + shift, taps.counts, times) for taps, shift, times in parts if taps.counts]
        if not pieces:
            return cls(0, ())
        base = min(start for start, _, _ in pieces)
        sums = [0] * (max(start + len(counts) for start, counts, _ in pieces) - base)
        for start, counts, times in pieces:
            for i, count in enumerate(counts, start - base):
                sums[i] += count * times
        return cls(base, tuple(sums))

    def spread(self, other: TapCounts, step: int) -> TapCounts:
        """Return how often a + step*b comes about: the product of the counts, summed.

        >>> pair = TapCounts.of({0: 1, 1: 1})
        >>> pair.spread(pair, step=1)
        TapCounts({0: 1, 1: 2, 2: 1})
        """
        return TapCounts.gather((self, step * position, times) for position, times in other.items())

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield (position, count) in order, without those never read."""
        return ((position, count) for position, count in enumerate(self.counts, self.base) if count)

    def follows(self, other: TapCounts, shift: int) -> bool:
        """Whether this is `other` moved by `shift`."""
        return self.counts == other.counts and (not self.counts or self.base == other.base + shift)

    @property
    def span(self) -> int:
        """last - first + 1, or 0 for none."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """The sum of all counts."""
        return sum(self.counts)

    @property
    def support(self) -> TapSet:
        """The positions read at all."""
        return TapSet.of(self)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __repr__(self) -> str:
        return f"TapCounts({dict(self.items())})"


def check_span(positions: int) -> None:
    """Raise `BadArgument` for a set that spans more than `MAX_SPAN` positions.

    >>> check_span(2**30)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: a field of 1073741824 positions is too wide to follow: at most 16777216
    """
    if positions > MAX_SPAN:
        raise BadArgument(f"a field of {positions} positions is too wide to follow: at most {MAX_SPAN}")


# -- bitsets -----------------------------------------------------------------------------------------------------


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """(start, length) of each run of ones, lowest first."""
    at = 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        ones = (~bits & (bits + 1)).bit_length() - 1
        bits >>= ones
        yield at + zeros, ones
        at += zeros + ones


def _run_count(bits: int) -> int:
    return (bits & ~(bits << 1)).bit_count()


def _sum(bits: int, other: int, step: int) -> int:
    """The bitset of a + step*b, by doubling along each run of `other`."""
    result = 0
    for start, length in _runs(other):
        smear, done = bits, 1
        while done < length:
            grow = min(done, length - done)
            smear |= smear << (grow * step)
            done += grow
        result |= smear << (start * step)
    return result


def _stretch(bits: int, step: int) -> int:
    """The bitset of step*b: step - 1 zeros between neighbours."""
    return int(("0" * (step - 1)).join(f"{bits:b}"), 2)
