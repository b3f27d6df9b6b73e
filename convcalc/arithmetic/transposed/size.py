"""The size of a transposed convolution, one axis, in three ways, with every number on the way.

Letters as in `convcalc.arithmetic.formulas`, P = p0 + p1 the padding of both sides::

    directly    n stamps of extent e, s apart, P cut off, op more:   o = (n - 1)s + e + op - P
    as a conv   s - 1 zeros between inputs, pads e - 1 - p0 and e - 1 - p1 + op, the flipped kernel, stride 1
    inverted    n = (o + P - e)//s + 1 solved for o:                 o = (n - 1)s + e - P + r,  0 <= r < s

r is what the division drops. The first two are equal always. The third is equal iff op = r, that is iff
op < s: torch lets op reach s where dilation exceeds stride, and the forward convolution then gives n + op//s.

Sizes are ints or expressions. Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning", arXiv:1603.07285, section 4; the rule for op and dilation is checked by `convcalc verify transposed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from convcalc.arithmetic.formulas import Padding, conv_out, conv_transpose_out, extent, padding_pair
from convcalc.arithmetic.transposed.checkerboard import Overlap, overlap
from convcalc.arithmetic.transposed.text import transposed_text
from convcalc.errors import BadArgument
from convcalc.shown import Shown
from convcalc.sizes.axes import each_axis, per_axis
from convcalc.sizes.conditions import Conditions, any_size
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, is_symbolic, renamed, single

PerAxis: TypeAlias = Any  # one value for all axes, or a sequence with one for each


@dataclass(frozen=True, kw_only=True)
class EquivalentConv:
    """The ordinary convolution, stride 1, that a transposed one is, on one axis.

    >>> same = transposed_size(14, 4, stride=2, padding=1).equivalent
    >>> same.zeros, same.inserted, same.padding, same.padded, same.output_size
    (1, 27, (2, 2), 31, 28)
    """

    zeros: Size
    """Zeros between two neighbours: stride - 1."""
    inserted: Size
    """The size with these zeros."""
    padding: tuple[Size, Size]
    """(before, after); a negative side crops."""
    padded: Size
    """The size the flipped kernel slides over."""
    kernel_size: Size
    dilation: Size
    output_size: Size


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """The forward convolution of the same hyper-parameters, solved for its input.

    >>> back = transposed_size(14, 4, stride=2, padding=1).inversion
    >>> back.least, back.most, back.sizes, back.exact
    (28, 29, range(28, 30), True)
    """

    least: Size
    """The size whose division is exact, r = 0: the forward formula with its floor dropped."""
    most: Size
    """The size with r = stride - 1."""
    remainder: Size
    """r for the transposed convolution's output: what the forward division drops there."""
    output_size: Size
    """least + remainder."""
    back: Size
    """What the forward convolution makes of the transposed one's output."""
    exact: bool | None
    """Whether output_padding is the remainder; None where symbols leave it open."""

    @property
    def sizes(self) -> range:
        """All sizes (ints) that the forward convolution turns into the input size."""
        return range(max(1, self.least), self.most + 1)


@dataclass(frozen=True, kw_only=True, repr=False)
class TransposedSize(Shown):
    """A transposed convolution on one axis: what goes in, what comes out, and why.

    >>> up = transposed_size(14, 4, stride=2, padding=1)
    >>> up.output_size, up.equivalent.output_size, up.inversion.output_size, str(up.formula)
    (28, 28, 28, '2*n')
    """

    input_size: Size
    kernel_size: Size
    stride: Size
    padding: tuple[Size, Size]
    output_padding: Size
    dilation: Size
    output_size: Size
    """Computed directly."""
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""

    @cached_property
    def formula(self) -> Size:
        """The output size for any input size n."""
        k, s, p, op, d = self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation
        return conv_transpose_out(any_size(self.input_size, k, s, *p, op, d), k, s, p, op, d)

    @cached_property
    def equivalent(self) -> EquivalentConv:
        """The ordinary convolution, stride 1, that it is."""
        inserted = (self.input_size - 1) * self.stride + 1
        padding = self._reach - self.padding[0], self._reach - self.padding[1] + self.output_padding
        padded = inserted + sum(padding)
        return EquivalentConv(
            zeros=self.stride - 1,
            inserted=inserted,
            padding=padding,
            padded=padded,
            kernel_size=self.kernel_size,
            dilation=self.dilation,
            output_size=conv_out(padded, self.kernel_size, d=self.dilation),
        )

    @cached_property
    def inversion(self) -> Inversion:
        """The forward convolution, solved for its input."""
        shift = self._reach - sum(self.padding)  # (output - 1 - shift) is what the forward convolution divides
        least = (self.input_size - 1) * self.stride + 1 + shift
        remainder = (self.output_size - 1 - shift) % self.stride
        return Inversion(
            least=least,
            most=least + self.stride - 1,
            remainder=remainder,
            output_size=least + remainder,
            back=conv_out(self.output_size, self.kernel_size, self.stride, self.padding, self.dilation),
            exact=_equal(self.output_padding, remainder),
        )

    @cached_property
    def overlap(self) -> Overlap | None:
        """How taps overlap by phase; None where symbols leave it open."""
        settings = self.kernel_size, self.stride, self.dilation
        return None if any(map(is_symbolic, settings)) else overlap(*settings)

    @property
    def _reach(self) -> Size:
        return extent(self.kernel_size, self.dilation) - 1

    def __str__(self) -> str:
        return transposed_text(self)


@renamed(input_size="n")
def transposed_size(
    n: Size,
    kernel_size: Size,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> TransposedSize:
    """Return the output size on one axis of n rows, o = (n - 1)s - p0 - p1 + d(k - 1) + op + 1, in all three ways.

    `padding` is a number for each side or a pair (before, after). Raises as `formulas.conv_transpose_out`.

    >>> transposed_size(3, 3, stride=2, padding=1, output_padding=1).output_size
    6
    >>> str(transposed_size(Expr.symbol("n"), 3, stride=2).output_size)
    '2*n + 1'
    """
    n, kernel_size, stride, output_padding, dilation = single(
        "n kernel_size stride output_padding dilation", n, kernel_size, stride, output_padding, dilation
    )
    needs = Conditions()
    output_size = conv_transpose_out(n, kernel_size, stride, padding, output_padding, dilation, check=needs)
    before, after = single("padding padding", *padding_pair(1, kernel_size, p=padding))
    return TransposedSize(
        input_size=n,
        kernel_size=kernel_size,
        stride=stride,
        padding=(before, after),
        output_padding=output_padding,
        dilation=dilation,
        output_size=output_size,
        needs=tuple(needs.open),
    )


def _equal(a: Size, b: Size) -> bool | None:
    if isinstance(difference := a - b, Expr) and difference.is_constant:
        difference = difference.constant
    return None if is_symbolic(difference) else difference == 0


@renamed(input_size="n")
def transposed_sizes(
    n: Sequence[Size],
    kernel_size: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
) -> tuple[TransposedSize, ...]:
    """Return the size of every axis; a hyper-parameter is one value for all axes, or one for each.

    As in torch, a tuple has one entry an axis; an entry of `padding` may itself be a pair (before, after).

    >>> [axis.output_size for axis in transposed_sizes((14, 7), 4, stride=2, padding=(1, (0, 1)))]
    [28, 15]
    """
    if not isinstance(n, tuple | list):
        raise BadArgument(f"n needs one size for each axis, such as (14, 14): {n!r}")
    axes = len(n)
    settings = zip(
        n,
        per_axis("kernel_size", kernel_size, axes),
        per_axis("stride", stride, axes),
        per_axis("padding", padding, axes),
        per_axis("output_padding", output_padding, axes),
        per_axis("dilation", dilation, axes),
        strict=True,
    )
    return each_axis(
        lambda n, k, s, p, op, d: transposed_size(n, k, stride=s, padding=p, output_padding=op, dilation=d), settings
    )
