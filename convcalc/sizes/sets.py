"""Sets of sizes: residue classes from a minimum on, plus finitely many members.

    28 29 30 31                                     SizeSet(finite=(28, 29, 30, 31))
    188 204 220 236 252 ...                         SizeSet(16, (12,), 188)
    3    6 7    10    12 13 14 15 16 17 18 ...      SizeSet(1, (0,), 12, (3, 6, 7, 10))

n is in the set when n is in `finite`, or n >= `minimum` and n mod `modulus` is in `residues`. The sizes that a network
accepts always have this form where they can be decided at all (docs/legal-sizes.md), so the form is complete: union
and intersection stay in it, and every set has one canonical record.

>>> unet = SizeSet(16, (12,), 188)
>>> 572 in unet, 570 in unet, unet.nearest(350), str(unet)
(True, False, (348, 364), 'n >= 188 and n % 16 == 12')
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from operator import index
from typing import SupportsIndex, TypedDict

from convcalc.errors import BadArgument
from convcalc.shown import Shown
from convcalc.sizes.size import numbers
from convcalc.sizes.words import export_dims, words


class Record(TypedDict):
    """A set of sizes as JSON."""

    modulus: int
    residues: list[int]
    minimum: int
    finite: list[int]


@dataclass(frozen=True, repr=False)
class SizeSet(Shown):
    """The sizes n >= 0 that are in `finite`, or at least `minimum` and n mod `modulus` in `residues`.

    Kept in canonical form, so equal sets are equal values: the smallest modulus; the lowest minimum from which on the
    residue classes are complete, itself a member; in `finite` only what the classes do not say. A finite set has no
    residues, modulus 1 and minimum 0. Raises `BadArgument` for a modulus below 1, a negative member, or what is no
    integer.

    >>> SizeSet(4, (1, 3), 5, (3, 6))
    n is 6; or n >= 3 and n % 2 == 1
    """

    modulus: int = 1
    residues: tuple[int, ...] = ()
    minimum: int = 0
    finite: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        modulus, minimum = numbers("modulus minimum", self.modulus, self.minimum)
        residues, finite = _members("residues", self.residues), _members("finite", self.finite)
        minimum = max(0, minimum)
        if modulus < 1:
            raise BadArgument(f"modulus must be >= 1: {modulus}")
        if finite and min(finite) < 0:
            raise BadArgument(f"sizes are >= 0: {min(finite)}")
        modulus, residues = _smallest_modulus(modulus, {residue % modulus for residue in residues})
        finite = {n for n in finite if n < minimum or n % modulus not in residues} if residues else finite
        classes = tuple(sorted(residues))
        minimum, finite = _lowest_minimum(modulus, classes, minimum, finite) if classes else (0, finite)
        values = (modulus, classes, minimum, tuple(sorted(finite)))
        for name, value in zip(("modulus", "residues", "minimum", "finite"), values, strict=True):
            object.__setattr__(self, name, value)

    # -- reading -----------------------------------------------------------------------------------------------

    @property
    def is_finite(self) -> bool:
        """Whether it has finitely many members: those in `finite`."""
        return not self.residues

    @property
    def smallest(self) -> int | None:
        """The smallest member; None where there is none.

        >>> SizeSet(16, (12,), 188).smallest, SizeSet().smallest
        (188, None)
        """
        return next(iter(self), None)

    def __bool__(self) -> bool:
        return bool(self.residues or self.finite)

    def __contains__(self, n: object) -> bool:
        if not isinstance(n, int):  # the usual case first: a protocol is slow to ask
            if not isinstance(n, SupportsIndex):
                return False
            try:
                n = index(n)
            except TypeError:  # an array
                return False
        return n in self._extra or (n >= self.minimum and n % self.modulus in self._classes)

    @cached_property
    def _classes(self) -> frozenset[int]:
        return frozenset(self.residues)

    @cached_property
    def _extra(self) -> frozenset[int]:
        return frozenset(self.finite)

    def __iter__(self) -> Iterator[int]:
        """Every member, ascending; without end where the set is infinite.

        >>> from itertools import islice
        >>> list(islice(SizeSet(4, (1, 2), 5, (3,)), 6))
        [3, 5, 6, 9, 10, 13]
        """
        if self.is_finite:
            yield from self.finite
            return
        extra = iter((*self.finite, math.inf))
        waiting = next(extra)
        for n in self._pattern():
            while waiting < n:
                yield int(waiting)
                waiting = next(extra)
            yield n

    def _pattern(self) -> Iterator[int]:
        """The members of the residue classes from the minimum on."""
        first = self.minimum - self.minimum % self.modulus
        for start in count(first, self.modulus):
            yield from (start + residue for residue in self.residues if start + residue >= self.minimum)

    def below(self, end: int) -> tuple[int, ...]:
        """Return the members smaller than `end`, ascending.

        >>> SizeSet(16, (12,), 188).below(240)
        (188, 204, 220, 236)
        """
        (end,) = numbers("end", end)
        first = self.minimum - self.minimum % self.modulus
        starts = range(first, end, self.modulus) if self.residues else ()
        pattern = (start + residue for start in starts for residue in self.residues)
        return tuple(sorted(chain(self.finite[: bisect_left(self.finite, end)], _between(pattern, self.minimum, end))))

    def nearest(self, n: int) -> tuple[int | None, int | None]:
        """Return the largest member <= n and the smallest >= n; both are n where n is a member.

        >>> unet = SizeSet(16, (12,), 188)
        >>> unet.nearest(350), unet.nearest(100), unet.nearest(188)
        ((348, 364), (None, 188), (188, 188))
        """
        (n,) = numbers("n", n)
        place = bisect_left(self.finite, n)
        under = list(self.finite[max(0, place - 1) : place])
        over = list(self.finite[place : place + 1])
        for residue in self.residues:
            at_or_under = n - (n - residue) % self.modulus
            at_or_over = max(n, self.minimum) + (residue - max(n, self.minimum)) % self.modulus
            under += [at_or_under] if at_or_under >= self.minimum else []
            over.append(at_or_over)
        above = min(over, default=None)
        return (n if above == n else max(under, default=None)), above

    # -- algebra -----------------------------------------------------------------------------------------------

    def __and__(self, other: SizeSet) -> SizeSet:
        """The sizes in both.

        >>> str(SizeSet(4, (0,), 8) & SizeSet(6, (2,), 2))
        'n % 12 == 8'
        """
        if not isinstance(other, SizeSet):
            return NotImplemented
        start = max(self.minimum, other.minimum)
        modulus = math.lcm(self.modulus, other.modulus)
        residues = [
            residue
            for a in self.residues
            for b in other.residues
            for residue in _meet(a, self.modulus, b, other.modulus)
        ]
        finite = tuple(n for n in (*self.finite, *other.finite) if n in self and n in other)
        return SizeSet(modulus, tuple(residues), start, finite)

    def __or__(self, other: SizeSet) -> SizeSet:
        """The sizes in either.

        >>> SizeSet(4, (0,)) | SizeSet(4, (2,), 6)
        n is 0; or n >= 4 and n % 2 == 0
        """
        return union((self, other)) if isinstance(other, SizeSet) else NotImplemented

    def __sub__(self, other: SizeSet) -> SizeSet:
        """The sizes that are not in `other`.

        >>> str(SizeSet(1, (0,), 5) - SizeSet(4, (0,), 8, (6,)))
        'n is 5; or n >= 7 and n % 4 in 1..3'
        """
        if not isinstance(other, SizeSet):
            return NotImplemented
        start = max(self.minimum, other.minimum, *(n + 1 for n in other.finite), 0)
        modulus = math.lcm(self.modulus, other.modulus)
        gone = {r + step for r in other.residues for step in range(0, modulus, other.modulus)}
        residues = {r + step for r in self.residues for step in range(0, modulus, self.modulus)} - gone
        finite = [n for n in chain(self.finite, self.below(start)) if n not in other]
        return SizeSet(modulus, tuple(residues), start, tuple(finite))

    # -- showing -----------------------------------------------------------------------------------------------

    def text(self, name: str = "n") -> str:
        """Return it in words, for the size called `name`.

        >>> SizeSet(2, (0,), 4, (1,)).text("H"), SizeSet(finite=(3, 4, 5, 9)).text("W")
        ('H is 1; or H >= 4 and H % 2 == 0', 'W in 3..5, 9')
        """
        return words(self, name)

    def __str__(self) -> str:
        return self.text()

    def dims(self, name: str) -> tuple[str, ...]:
        """Return it as dimensions for `torch.export`, one text for each export that is needed.

        >>> SizeSet(16, (12,), 188).dims("H")
        ('16*Dim("h", min=11) + 12',)
        """
        return export_dims(self, name)

    def record(self) -> Record:
        """Return it for JSON.

        >>> SizeSet(16, (12,), 188).record()
        {'modulus': 16, 'residues': [12], 'minimum': 188, 'finite': []}
        """
        return Record(
            modulus=self.modulus, residues=list(self.residues), minimum=self.minimum, finite=list(self.finite)
        )


def every(minimum: int = 0) -> SizeSet:
    """Return the set of all sizes from `minimum` on.

    >>> str(every(188))
    'n >= 188'
    """
    return SizeSet(1, (0,), minimum)


def only(members: Iterable[int]) -> SizeSet:
    """Return the finite set of `members`.

    >>> str(only(range(28, 32)))
    'n in 28..31'
    """
    return SizeSet(finite=members if isinstance(members, range) else tuple(_members("members", members)))  # type: ignore[arg-type]


def union(sets: Iterable[SizeSet]) -> SizeSet:
    """Return the sizes that are in any of `sets`.

    >>> str(union([SizeSet(4, (1,)), SizeSet(4, (3,)), only([6])]))
    'n is 6; or n % 2 == 1'
    """
    parts = list(sets)
    endless = [one for one in parts if one.residues]
    start = max((one.minimum for one in endless), default=0)
    modulus = math.lcm(*(one.modulus for one in endless))
    residues = {r + step for one in endless for r in one.residues for step in range(0, modulus, one.modulus)}
    finite = chain.from_iterable([*(one.finite for one in parts), *(one.below(start) for one in endless)])
    return SizeSet(modulus, tuple(residues), start, tuple(finite))


# -- canonical form ----------------------------------------------------------------------------------------------


def _members(name: str, values: Iterable[int]) -> set[int]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise BadArgument(f"{name} must be a sequence of integers: {values!r}")
    if isinstance(values, range):
        return set(values)
    members = tuple(values)
    return set(members) if set(map(type, members)) <= {int} else {numbers(name, value)[0] for value in members}


def _smallest_modulus(modulus: int, residues: set[int]) -> tuple[int, set[int]]:
    """The smallest divisor of the modulus for which the residue classes are the same numbers.

    The shifts that leave a set of residues in place are a group, so prime factors can be tried one by one; those that
    do not divide the number of residues need not be.
    """
    if len(residues) in (0, modulus):
        return 1, {0} if residues else set()
    for prime in primes(math.gcd(modulus, len(residues))):
        while modulus % prime == 0:
            smaller = modulus // prime
            if any((residue + smaller) % modulus not in residues for residue in residues):
                break
            modulus, residues = smaller, {residue % smaller for residue in residues}
    return modulus, residues


def primes(n: int) -> Iterator[int]:
    """Yield the prime factors of a number, each once.

    >>> list(primes(360))
    [2, 3, 5]
    """
    factor = 2
    while factor * factor <= n:
        if n % factor == 0:
            yield factor
            while n % factor == 0:
                n //= factor
        factor += 1
    if n > 1:
        yield n


def _lowest_minimum(modulus: int, residues: tuple[int, ...], minimum: int, finite: set[int]) -> tuple[int, set[int]]:
    """The lowest start of the residue classes, which takes members out of `finite` as long as none is missing."""
    place = bisect_left(residues, minimum % modulus)
    block, place = minimum // modulus + place // len(residues), place % len(residues)
    while True:
        before, at = (block, place - 1) if place else (block - 1, len(residues) - 1)
        n = before * modulus + residues[at]
        if n not in finite:
            return block * modulus + residues[place], finite
        finite.discard(n)
        block, place = before, at


def _meet(a: int, m: int, b: int, k: int) -> tuple[int, ...]:
    """The residue modulo lcm(m, k) that is a modulo m and b modulo k, if there is one (Chinese remainders)."""
    g = math.gcd(m, k)
    if (b - a) % g:
        return ()
    return ((a + m * ((b - a) // g * pow(m // g, -1, k // g) % (k // g))) % math.lcm(m, k),)


def _between(values: Iterable[int], start: int, end: int) -> Iterator[int]:
    return (n for n in values if start <= n < end)
