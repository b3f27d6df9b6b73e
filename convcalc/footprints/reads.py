"""What each output reads at one size: exact at borders too, and for maps that no period describes.

Zero padding cuts the reads of border outputs short; reflected, replicated and wrapped padding bend them back;
adaptive pooling, resizing to a size, align_corners and centre crops depend on the size. `Reads` writes one bitset
for each output, so all of these are exact. One axis; both kinds compose and unite alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from operator import or_

from convcalc.arithmetic.formulas import Padding, conv_out, conv_transpose_out, padding_pair, pool_out
from convcalc.arithmetic.resizing import adaptive_pool_out, adaptive_pool_windows, crop_out, interpolate_out, pad_out
from convcalc.errors import BadArgument, BadShape
from convcalc.footprints import stencils
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.taps import TapSet
from convcalc.footprints.text import reads_text
from convcalc.shown import Shown


@dataclass(frozen=True, repr=False)
class Reads(Shown):
    """Bit i of `rows[j]` says whether output j reads input i; there are `size` inputs.

    >>> from convcalc.footprints.stencils import conv
    >>> same = Reads.of(conv(3, padding=1), size=4, out=4)
    >>> [list(same.at(j)) for j in range(4)]
    [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]
    """

    size: int
    rows: tuple[int, ...]

    # -- algebra -----------------------------------------------------------------------------------------------

    def then(self, other: Reads) -> Reads:
        """What `other` reads through `self`. Raises `BadShape` where its inputs are not these outputs.

        >>> reflected = Reads.padded(4, 1, 1, mode="reflect")
        >>> reflected.then(Reads.conv(6, 3)).at(0)
        TapSet(0..1)
        """
        if other.size != len(self.rows):
            raise BadShape(f"a layer for size {other.size} does not follow one that gives {len(self.rows)}")
        middle = self.rows
        seen = {0: 0}
        for row in other.rows:
            if row not in seen:
                low = (row & -row).bit_length() - 1
                bits = 0
                for position in _positions(row >> low):
                    bits |= middle[low + position]
                seen[row] = bits
        return Reads(self.size, tuple(seen[row] for row in other.rows))

    def through(self, footprint: Footprint, out: int) -> Reads:
        """What a layer with `footprint`, zero padding and `out` outputs reads through `self`.

        Exact for the footprint of one layer; a composed one may read too much at borders. Raises `BadArgument`
        for a global footprint: `then` takes `everything` or `everything_before`.

        >>> Reads.identity(4).through(stencils.conv(3, stride=2, padding=1), out=2).rows
        (3, 14)
        """
        if footprint.is_global:
            raise BadArgument("a global footprint has no bounded rows; use Reads.everything or everything_before")
        middle, q, m = self.rows, len(footprint.phases), footprint.step
        rows = [0] * out
        for f, taps in enumerate(footprint.phases):
            bits = rows[f::q]
            for tap in taps:
                low = max(0, -(tap // m))  # the first and past-the-last a with 0 <= tap + a*m < len(middle)
                high = min(len(bits), -((tap - len(middle)) // m))
                if low < high:
                    bits[low:high] = map(or_, bits[low:high], middle[tap + low * m :: m])
            rows[f::q] = bits
        return Reads(self.size, tuple(rows))

    def __or__(self, other: Reads) -> Reads:
        """What either reads: branches added or concatenated. Raises `BadShape` where the sizes differ.

        >>> (Reads.identity(5) | Reads.conv(5, 3, padding=2, dilation=2)).at(2)
        TapSet(0, 2, 4)
        """
        if (self.size, len(self.rows)) != (other.size, len(other.rows)):
            raise BadShape(
                f"branches {self.size} -> {len(self.rows)} and {other.size} -> {len(other.rows)} do not line up"
            )
        return Reads(self.size, tuple(a | b for a, b in zip(self.rows, other.rows, strict=True)))

    # -- readings ----------------------------------------------------------------------------------------------

    def at(self, j: int) -> TapSet:
        """What output `j` reads; j counts from 0 and is below the output size.

        >>> Reads.pool(5, 2, ceil_mode=True).at(2)
        TapSet(4)
        """
        if not 0 <= j < len(self.rows):
            raise BadArgument(f"output {j} is not one of 0..{len(self.rows) - 1}")
        return TapSet.from_bits(self.rows[j])

    @property
    def out(self) -> int:
        """The output size.

        >>> Reads.conv(28, 5, padding=2).out
        28
        """
        return len(self.rows)

    @property
    def receptive_field(self) -> int:
        """The most inputs from the first an output reads to its last, padding not counted.

        >>> Reads.conv(4, 9, padding=4).receptive_field
        4
        """
        return max((self.at(j).span for j in range(self.out)), default=0)

    @property
    def unread(self) -> TapSet:
        """The inputs that no output reads.

        >>> Reads.conv(9, 2, stride=3).unread
        TapSet(2, 5, 8)
        """
        read = 0
        for row in self.rows:
            read |= row
        return TapSet.from_bits(((1 << self.size) - 1) & ~read)

    # -- making ------------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, footprint: Footprint, size: int, out: int) -> Reads:
        """One layer with zero padding: what `footprint` reads, as far as it is input.

        `through` applied to the input itself; it says what is exact.

        >>> Reads.of(stencils.nearest(2), size=2, out=4).rows
        (1, 1, 2, 2)
        """
        return cls.identity(size).through(footprint, out)

    @classmethod
    def identity(cls, size: int) -> Reads:
        """Output j reads input j.

        >>> Reads.identity(3).rows
        (1, 2, 4)
        """
        return cls(size, tuple(1 << i for i in range(size)))

    @classmethod
    def conv(
        cls,
        size: int,
        kernel_size: int,
        stride: int = 1,
        padding: Padding = 0,
        dilation: int = 1,
        padding_mode: str = "zeros",
    ) -> Reads:
        """A convolution of `size` inputs, in any of torch's padding modes; padding may be any name.

        Raises as `convcalc.arithmetic.formulas.conv_out` and `convcalc.arithmetic.resizing.pad_out`.

        >>> [list(Reads.conv(5, 3, padding=1, padding_mode=mode).at(0)) for mode in ("zeros", "circular", "reflect")]
        [[0, 1], [0, 1, 4], [0, 1]]
        """
        out = conv_out(size, kernel_size, stride, padding, dilation)
        before, after = padding_pair(size, kernel_size, stride, padding, dilation)
        return cls.padded(size, before, after, padding_mode).through(
            stencils.conv(kernel_size, stride, 0, dilation), out
        )

    @classmethod
    def conv_transpose(
        cls,
        size: int,
        kernel_size: int,
        stride: int = 1,
        padding: Padding = 0,
        output_padding: int = 0,
        dilation: int = 1,
    ) -> Reads:
        """A transposed convolution of `size` inputs. Raises as `convcalc.arithmetic.formulas.conv_transpose_out`.

        >>> [list(Reads.conv_transpose(2, 3, stride=2).at(j)) for j in range(5)]
        [[0], [0], [0, 1], [1], [1]]
        """
        out = conv_transpose_out(size, kernel_size, stride, padding, output_padding, dilation)
        return cls.of(stencils.conv_transpose(kernel_size, stride, padding, dilation), size, out)

    @classmethod
    def pool(
        cls,
        size: int,
        kernel_size: int,
        stride: int | None = None,
        padding: Padding = 0,
        dilation: int = 1,
        ceil_mode: bool = False,
    ) -> Reads:
        """A pooling of `size` inputs; in ceil mode the last window may be cut. Raises as `pool_out`.

        >>> Reads.pool(5, 2).out, Reads.pool(5, 2, ceil_mode=True).out
        (2, 3)
        """
        out = pool_out(size, kernel_size, stride, padding, dilation, ceil_mode)
        return cls.of(stencils.pool(kernel_size, stride, padding, dilation), size, out)

    @classmethod
    def padded(cls, size: int, before: int, after: int, mode: str = "zeros") -> Reads:
        """Padding of each side; a negative one crops.

        Modes "zeros" (also called "constant"), "reflect", "replicate", "circular". Raises as
        `convcalc.arithmetic.resizing.pad_out`.

        >>> Reads.padded(3, 2, 1, mode="reflect").rows
        (4, 2, 1, 2, 4, 2)
        """
        out = pad_out(size, (before, after), "constant" if mode == "zeros" else mode)
        inside = _INSIDE[mode]
        positions = (inside(j - before, size) for j in range(out))
        return cls(size, tuple(1 << i if 0 <= i < size else 0 for i in positions))

    @classmethod
    def cropped(cls, size: int, out: int) -> Reads:
        """The `out` inputs in the middle, starting at (size - out)//2, as U-Nets crop their skips.

        Raises as `convcalc.arithmetic.resizing.crop_out`.

        >>> list(Reads.cropped(7, 4).unread)
        [0, 5, 6]
        """
        before = (size - out) // 2
        after = size - out - before
        crop_out(size, (before, after))
        return cls.padded(size, -before, -after)

    @classmethod
    def adaptive_pool(cls, size: int, out: int | None) -> Reads:
        """Output j reads floor(j*size/out) up to, not including, ceil((j + 1)*size/out).

        >>> [list(Reads.adaptive_pool(5, 2).at(j)) for j in (0, 1)]
        [[0, 1, 2], [2, 3, 4]]
        """
        windows = adaptive_pool_windows(size, adaptive_pool_out(size, out))
        return cls(size, tuple((1 << end) - (1 << start) for start, end in windows))

    @classmethod
    def resized(
        cls,
        size: int,
        out: int | None = None,
        scale_factor: float | None = None,
        mode: str = "nearest",
        align_corners: bool = False,
    ) -> Reads:
        """Interpolation to `out` outputs or by a scale factor; modes as in `convcalc.footprints.stencils.resize`.

        As in torch, positions follow the scale factor where it is given and size/out otherwise, and what lies
        outside is the nearest input. Torch on CPU also follows size/out where nothing is resized after all, or
        where "nearest" doubles, whatever the factor. Positions are exact rationals, as torch's are in float64 but
        for rounding. Raises as `convcalc.arithmetic.formulas.interpolate_out`, and `BadArgument` for an unknown mode.

        >>> Reads.resized(5, 3).rows, Reads.resized(3, 5, mode="linear", align_corners=True).rows
        ((1, 2, 8), (1, 3, 2, 6, 4))
        """
        count = interpolate_out(size, out, scale_factor)
        if align_corners:
            if mode not in ("linear", "cubic"):
                raise BadArgument(f"align_corners goes with mode linear or cubic, not {mode}")
            m, q = (size - 1, count - 1) if count > 1 else (0, 1)
        else:
            same = (count == size and mode != "nearest-exact") or (count == 2 * size and mode == "nearest")
            scale = Fraction(count, size) if scale_factor is None or same else stencils.simplest(scale_factor)
            q, m = scale.as_integer_ratio()
        rows = (stencils.source(j, m, q, mode, align_corners) for j in range(count))
        return cls(size, tuple(reduce(or_, (1 << min(max(i, 0), size - 1) for i in row)) for row in rows))

    @classmethod
    def everything(cls, size: int, out: int) -> Reads:
        """Every output reads every input.

        >>> Reads.everything(3, 2).rows
        (7, 7)
        """
        return cls(size, ((1 << size) - 1,) * out)

    @classmethod
    def everything_before(cls, size: int) -> Reads:
        """Output j reads inputs 0..j.

        >>> Reads.everything_before(3).rows
        (1, 3, 7)
        """
        return cls(size, tuple((2 << j) - 1 for j in range(size)))

    def __str__(self) -> str:
        return reads_text(self)


_INSIDE: dict[str, Callable[[int, int], int]] = {
    "zeros": lambda i, _: i,
    "constant": lambda i, _: i,
    "reflect": lambda i, n: n - 1 - abs(n - 1 - abs(i)),
    "replicate": lambda i, n: min(max(i, 0), n - 1),
    "circular": lambda i, n: i % n,
}
"""The input that stands at position i of n padded inputs; zeros leave it outside, where nothing is read."""


@lru_cache(maxsize=4096)
def _positions(bits: int) -> tuple[int, ...]:
    return tuple(TapSet.from_bits(bits))
