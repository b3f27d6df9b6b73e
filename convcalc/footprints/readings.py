"""What a footprint tells: its receptive field, stride, offset, holes, overlaps, halo."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

from convcalc.footprints.taps import TapCounts, Taps, TapSet
from convcalc.sizes.size import Size


class Readings:
    """The readings of a periodic map from outputs to what they read; `convcalc.footprints.footprint` has the map."""

    phases: tuple[Taps, ...]
    step: int
    all_before: bool
    all_after: bool
    shift: Size

    def at(self, j: int) -> Taps:
        """What output `j` reads.

        >>> from convcalc.footprints.stencils import conv
        >>> conv(3, stride=2, padding=1).at(10)
        TapSet(19..21)
        """
        a, f = divmod(j, len(self.phases))
        return type(self.phases[f]).gather([(self.phases[f], a * self.step, 1)])

    @property
    def counted(self) -> bool:
        """Whether it counts paths."""
        return isinstance(self.phases[0], TapCounts)

    @property
    def reads_anything(self) -> bool:
        """Whether any output reads anything."""
        return self.is_global or any(self.phases)

    @property
    def is_global(self) -> bool:
        """Whether outputs read without bound, before or after; the other readings are then of the local part."""
        return self.all_before or self.all_after

    @property
    def local(self) -> Self:
        """The same without what is read without bound.

        >>> from convcalc.footprints.stencils import everything, identity
        >>> (identity() | everything()).local == identity()
        True
        """
        plain: Any = self
        return replace(plain, all_before=False, all_after=False) if self.is_global else self

    @property
    def receptive_field(self) -> int:
        """The most inputs from the first an output reads to its last.

        >>> from convcalc.footprints.stencils import conv, conv_transpose
        >>> conv(3, dilation=4).receptive_field, conv_transpose(4, stride=2, padding=1).receptive_field
        (9, 2)
        """
        return max(taps.span for taps in self.phases)

    @property
    def is_unbounded(self) -> bool:
        """Whether outputs read everything, on one side at least, and nothing in particular: no field is theirs.

        >>> from convcalc.footprints.footprint import Footprint
        >>> from convcalc.footprints.stencils import everything
        >>> everything().is_unbounded, Footprint((TapSet.of([]),), 1).is_unbounded
        (True, False)
        """
        return self.is_global and not any(self.phases)

    @cached_property
    def widest(self) -> TapSet:
        """The set of the phase with the largest field, of several the one that reads the fewest inputs of it."""
        return max((taps.support for taps in self.phases), key=lambda taps: (taps.span, -len(taps)))

    @property
    def covered(self) -> int:
        """How many positions of the receptive field are read, in the widest phase.

        >>> from convcalc.footprints.stencils import conv
        >>> net = conv(3, dilation=2).then(conv(3, dilation=4))
        >>> net.covered, net.receptive_field
        (7, 13)
        """
        return len(self.widest)

    @property
    def holes(self) -> tuple[int, ...]:
        """The positions of the receptive field that are not read, counted from its first (gridding).

        >>> from convcalc.footprints.stencils import conv
        >>> conv(3).then(conv(3, dilation=2)).then(conv(3, dilation=9)).holes
        (7, 8, 16, 17)
        """
        first = self.widest.first
        return tuple(position - first for position in self.widest.missing)

    @property
    def stride(self) -> Fraction:
        """m/q: how many inputs the reads move from one output to the next, on average.

        >>> from convcalc.footprints.stencils import conv, conv_transpose
        >>> conv(3, stride=2).stride, conv_transpose(3, stride=2).stride
        (Fraction(2, 1), Fraction(1, 2))
        """
        return Fraction(self.step, len(self.phases))

    @cached_property
    def offset(self) -> Fraction | None:
        """The mean of (first + last)/2 - j*m/q over one period, empty phases skipped; None if all are, or it is open.

        With one phase it is the input coordinate of output 0's centre.

        >>> from convcalc.footprints.stencils import conv, conv_transpose
        >>> conv(7, stride=2, padding=3).offset, conv(4).offset, conv_transpose(4, stride=2, padding=1).offset
        (Fraction(0, 1), Fraction(3, 2), Fraction(-1, 4))
        """
        q, m = len(self.phases), self.step
        twice = [(taps.first + taps.last) * q - 2 * f * m for f, taps in enumerate(self.phases) if taps]  # times q
        return Fraction(sum(twice), 2 * q * len(twice)) if twice and self.shift == 0 else None

    @property
    def overlap(self) -> tuple[int, ...]:
        """How many reads each output of one period makes: inputs, or paths where it counts.

        Unequal numbers are the checkerboard of transposed convolutions.

        >>> from convcalc.footprints.stencils import conv_transpose
        >>> conv_transpose(3, stride=2).overlap, conv_transpose(4, stride=2).overlap
        ((2, 1), (2, 2))
        """
        return tuple(taps.total for taps in self.phases)

    @property
    def readers(self) -> tuple[int, ...]:
        """How often each input of one period is read; a 0 is an input that nothing sees.

        >>> from convcalc.footprints.stencils import conv
        >>> conv(3, stride=2).readers, conv(2, stride=3).readers
        ((2, 1), (1, 1, 0))
        """
        counts = [0] * self.step
        for taps in self.phases:
            for tap, times in taps.items():
                counts[tap % self.step] += times
        return tuple(counts)

    @property
    def reach_before(self) -> int | None:
        """The most inputs before its own that an output reads; its own is floor(j*m/q). The halo of a tile.

        None where a padding depends on a size that is a formula.

        >>> from convcalc.footprints.stencils import conv
        >>> conv(3, padding=(2, 0)).reach_before, conv(3, padding=(0, 2)).reach_before
        (2, 0)
        """
        if self.shift != 0:
            return None
        q = len(self.phases)
        return max((f * self.step // q - taps.first for f, taps in enumerate(self.phases) if taps), default=0)

    @property
    def reach_after(self) -> int | None:
        """The most inputs after its own that an output reads: the look-ahead; causal where it is <= 0.

        None as `reach_before`.

        >>> from convcalc.footprints.stencils import conv
        >>> conv(3, padding="causal").reach_after, conv(3, padding="same").reach_after
        (0, 1)
        """
        if self.shift != 0:
            return None
        q = len(self.phases)
        return max((taps.last - f * self.step // q for f, taps in enumerate(self.phases) if taps), default=0)
