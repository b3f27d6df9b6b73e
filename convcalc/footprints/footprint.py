"""The second algebra: which inputs does each output read? One axis, all outputs at once.

Letters, here and in `convcalc.footprints.stencils`::

    j  output index        q  phases: after q outputs the pattern comes back ...
    f  phase, j mod q      m  step: ... moved by m inputs

A footprint is a set for each of q phases and a step m: output a*q + f reads the set of phase f, moved by a*m.
A convolution has one phase and m = stride; its transpose has stride phases and m = 1::

    conv k3 s2 p1              conv_transpose k4 s2 p1
    0 reads -1 0 1             0 reads -1 0
    1 reads      1 2 3         1 reads    0 1
    2 reads          3 4 5     2 reads    0 1      what 0 reads, moved by 1

Footprints compose, unite (add, concatenate) and reduce to their smallest period. They are exact for interior
outputs, whose reads all lie inside the input at every layer; zero padding only takes reads away near the border.
What depends on the size (other padding modes, adaptive pooling, resizing to a size) is `convcalc.footprints.reads`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from convcalc.errors import BadArgument, BadShape, brief
from convcalc.footprints.readings import Readings
from convcalc.footprints.taps import TapCounts, Taps, TapSet
from convcalc.footprints.text import footprint_line
from convcalc.shown import Shown
from convcalc.sizes.sets import primes
from convcalc.sizes.size import Size

MAX_PHASES = 2**16
"""More phases than this are refused: no network has them, and each costs a set."""


@dataclass(frozen=True, repr=False)
class Footprint(Readings, Shown):
    """Output a*q + f reads `phases[f]` moved by a*`step`, q being the number of phases.

    `all_before` and `all_after` say that besides, every output reads everything before or after (global pooling,
    attention, a cumulative sum); `phases` is then the local part. Make footprints with `convcalc.footprints.stencils`;
    those made by it, `then` and `|` are reduced, so that equal maps are equal values.

    Two words about the ends, no part of the map: it `wraps` where past the ends stands what is inside, as after a
    roll, and `size` is that of the input where it is known. A running sum of what wraps reads everything; what wraps
    after a crop, where past the ends was more of the input, has no map. All reads lie `shift` further, a formula where
    a padding depends on a size that is one; it leaves where they begin open, and nothing else.

    >>> from convcalc.footprints.stencils import conv, conv_transpose
    >>> conv(3, stride=2, padding=1)
    reads -1..1 + 2a
    >>> net = conv(3, stride=2, padding=1).then(conv(3, padding=1))
    >>> net.receptive_field, net.stride, net.offset
    (7, Fraction(2, 1), Fraction(0, 1))
    >>> conv_transpose(4, stride=2, padding=1).phases
    (TapSet(-1..0), TapSet(0..1))
    """

    phases: tuple[Taps, ...]
    step: int
    all_before: bool = False
    all_after: bool = False
    wraps: bool = field(default=False, repr=False, compare=False)
    size: int | None = field(default=None, repr=False, compare=False)
    shift: Size = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.phases, tuple) or not all(isinstance(taps, Taps) for taps in self.phases[:1]):
            raise BadArgument(f"the phases of a footprint are a tuple of sets of taps: {brief(self.phases)}")
        if not isinstance(self.step, int):
            raise BadArgument(f"the step of a footprint must be an integer: {brief(self.step)}")
        if not self.phases:
            raise BadArgument("a footprint has at least one phase: 0 given")
        if self.step < 1:
            raise BadArgument(f"the step of a footprint must be >= 1: {self.step}")
        _check_phases(len(self.phases))

    # -- algebra -----------------------------------------------------------------------------------------------

    def then(self, other: Footprint) -> Footprint:
        """What `other` reads through `self`: first this layer, then that one.

        Its period is the smallest that both share: with g = gcd(q, other.m), q' = other.q * q/g and
        m' = m * other.m/g. Raises `BadArgument` where one counts and the other does not, past `MAX_PHASES`, and where
        what wraps would read what was cut off or a shift decides what is read.

        >>> from convcalc.footprints.stencils import conv, nearest
        >>> conv(3).then(conv(3, dilation=2)).phases
        (TapSet(0..6),)
        >>> nearest(2).then(conv(3, padding=1)).phases
        (TapSet(-1..0), TapSet(0..1))
        """
        self._same_kind(other)
        if other.wraps and other.size is not None and self._goes_on(other.size):
            raise BadArgument("what wraps around the ends after a crop has no map")
        if other.shift != 0 and len(self.phases) > 1:
            raise BadArgument("which phase is read where a padding depends on a size is open")
        q, turn = len(self.phases), other.step
        g = math.gcd(q, turn)
        whole = len(other.phases) * q // g
        _check_phases(whole)
        if q == 1:
            (only,) = self.phases
            phases = tuple(only.spread(taps, self.step) for taps in other.phases)
        else:
            phases = tuple(self._through(other, range(0, turn * q // g, turn)))
        before = (other.all_before and self.reads_anything) or (self.all_before and other.reads_anything)
        after = (other.all_after and self.reads_anything) or (self.all_after and other.reads_anything)
        wraps = self.wraps or other.wraps
        if wraps:
            before = after = before or after
        size = other.size if self._is_identity else self.size
        shift = self.shift + self.step * other.shift
        return Footprint(phases, self.step * turn // g, before, after, wraps, size, shift).reduced()

    @property
    def _is_identity(self) -> bool:
        return self.step == 1 and self.phases == (TapSet.of([0]),)

    def _goes_on(self, outputs: int) -> bool:
        """Whether outputs past the ends, if there were any, would read nothing outside of the input."""
        size, period = self.size, len(self.phases)
        if size is None or self.is_unbounded:
            return False
        past = map(self.at, (*range(-period, 0), *range(outputs, outputs + period)))
        return any(not taps or (taps.support.first >= 0 and taps.support.last < size) for taps in past)

    def _through(self, other: Footprint, starts: range) -> Iterator[Taps]:
        """The sets of all phases of `self.then(other)`; `starts` are where its periods begin in the middle."""
        q, sets = len(self.phases), self.phases
        kernels = [tuple(taps.items()) for taps in other.phases]
        gather = type(sets[0]).gather
        for start in starts:
            for kernel in kernels:
                yield gather(
                    [(sets[(start + tap) % q], (start + tap) // q * self.step, times) for tap, times in kernel]
                )

    def __or__(self, other: Footprint) -> Footprint:
        """What either reads: branches added or concatenated. Counts add up.

        A branch without local reads (a global gate) takes on the stride of the other. Raises `BadShape` where
        the strides differ, `BadArgument` as `then`.

        >>> from convcalc.footprints.stencils import conv, identity, nearest
        >>> (identity() | conv(3, dilation=2, padding=2)).phases
        (TapSet(-2, 0, 2),)
        >>> identity() | conv(3, stride=2)
        Traceback (most recent call last):
        ...
        convcalc.errors.BadShape: branches of stride 1 and 2 do not line up; strides from the input must be equal
        """
        self._same_kind(other)
        flags = (
            self.all_before or other.all_before,
            self.all_after or other.all_after,
            self.wraps or other.wraps,
        )
        local = [branch for branch in (self, other) if any(branch.phases)] or [self]
        if len(local) == 1:
            return Footprint(local[0].phases, local[0].step, *flags, local[0].size, local[0].shift)
        if self.stride != other.stride:
            raise BadShape(
                f"branches of stride {self.stride} and {other.stride} do not line up; "
                "strides from the input must be equal",
                rule="equal strides",
            )
        if self.shift != other.shift:
            raise BadArgument("how branches lie beside each other where a padding depends on a size is open")
        q, p = len(self.phases), len(other.phases)
        whole = math.lcm(q, p)
        _check_phases(whole)
        gather = type(self.phases[0]).gather
        phases = tuple(
            gather([(self.phases[j % q], j // q * self.step, 1), (other.phases[j % p], j // p * other.step, 1)])
            for j in range(whole)
        )
        size = other.size if self._is_identity else self.size
        return Footprint(phases, self.step * whole // q, *flags, size, self.shift).reduced()

    def reduced(self) -> Footprint:
        """The same map with its smallest period.

        >>> from convcalc.footprints.taps import TapSet
        >>> Footprint((TapSet.of([0, 1]), TapSet.of([3, 4])), step=6).reduced()
        reads 0..1 + 3a
        """
        q, m = len(self.phases), self.step
        for prime in primes(math.gcd(q, m)):
            while math.gcd(q, m) % prime == 0:
                shorter, move = q // prime, m // prime
                if not all(self.phases[f].follows(self.phases[f - shorter], move) for f in range(shorter, q)):
                    break
                q, m = shorter, move
        return self if m == self.step else replace(self, phases=self.phases[:q], step=m)

    def transposed(self) -> Footprint:
        """The map backwards: which outputs read each input; the footprint of the gradient.

        Raises `BadArgument` past `MAX_PHASES`.

        >>> from convcalc.footprints.stencils import conv, conv_transpose
        >>> conv(4, stride=2, padding=1).transposed() == conv_transpose(4, stride=2, padding=1)
        True
        """
        q, m = len(self.phases), self.step
        _check_phases(m)
        if self.shift != 0:
            raise BadArgument("who reads an input where a padding depends on a size is open")
        readers: list[dict[int, int]] = [{} for _ in range(m)]
        for f, taps in enumerate(self.phases):
            for tap, times in taps.items():
                readers[tap % m][f - tap // m * q] = times
        of = TapCounts.of if self.counted else TapSet.of
        return Footprint(tuple(of(taps) for taps in readers), q, self.all_after, self.all_before).reduced()

    def with_counts(self) -> Footprint:
        """The same map with counts, each input of an output read once; composed, they count the paths.

        This is the gradient of layers whose weights are all 1, in whole numbers of any size.

        >>> from convcalc.footprints.stencils import conv
        >>> k3 = conv(3, padding=1).with_counts()
        >>> k3.then(k3).phases
        (TapCounts({-2: 1, -1: 2, 0: 3, 1: 2, 2: 1}),)
        """
        if self.counted:
            return self
        return replace(self, phases=tuple(TapCounts.of(dict(taps.items())) for taps in self.phases))

    def _same_kind(self, other: Footprint) -> None:
        if self.counted != other.counted:
            raise BadArgument("one footprint counts paths and the other does not: use with_counts() on both")

    def __str__(self) -> str:
        return footprint_line(self)


def _check_phases(count: int) -> None:
    if count > MAX_PHASES:
        raise BadArgument(
            f"the pattern comes back only after {count} outputs, more than {MAX_PHASES}; use `reads` at a size"
        )
