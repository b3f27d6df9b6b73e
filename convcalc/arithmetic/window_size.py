"""The output size of a convolution or pooling on one axis, with every number on the way.

The output, the formula for any input, what is never read, the way back. Sizes are ints or expressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from convcalc.arithmetic.formulas import Padding, conv_out, extent, padding_pair, pool_out
from convcalc.arithmetic.window_size_text import windowed_text
from convcalc.shown import Shown
from convcalc.sizes.conditions import Conditions, any_size
from convcalc.sizes.size import Size, flag, is_symbolic, renamed, single


@dataclass(frozen=True, kw_only=True)
class Unread:
    """The positions of the padded input that no window reads."""

    tail: int
    """After the last position read."""
    tail_real: int
    """Those of the tail that are input, not padding."""
    gaps: int
    """Between the first position read and the last."""


@dataclass(frozen=True, kw_only=True, repr=False)
class WindowedSize(Shown):
    """A convolution or pooling on one axis: what goes in, what comes out, and why.

    >>> down = conv_size(224, 7, stride=2, padding=3)
    >>> down.output_size, str(down.formula), down.unread.tail, down.restoring
    (112, '(n + 1)//2', 1, 1)
    """

    kind: str
    """"conv" or "pool"."""
    input_size: Size
    kernel_size: Size
    stride: Size
    padding: tuple[Size, Size]
    """(before, after)."""
    same: bool
    """Whether the padding was given as a "same" name, so that it depends on the input size."""
    dilation: Size
    ceil_mode: bool
    output_size: Size
    formula: Size
    """The output size for any input size n."""
    unread: Unread | None
    """None where symbols leave it open."""
    restoring: Size
    """The remainder of the division: the output_padding with which the transposed convolution of the same
    hyper-parameters gives the input size again."""
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""

    def __str__(self) -> str:
        return windowed_text(self)


@renamed(input_size="n")
def conv_size(
    n: Size, kernel_size: Size, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> WindowedSize:
    """Return the output size of a convolution on one axis of n rows, o = (n + p0 + p1 - e)//s + 1, explained.

    `padding` is a number for each side, a pair (before, after) or a name. Raises as `formulas.conv_out`.

    >>> conv_size(28, 5, padding=2).output_size
    28
    """
    return _windowed(
        "conv",
        lambda n, check: conv_out(n, kernel_size, stride, padding, dilation, check=check),
        (n, kernel_size, stride, padding, dilation),
    )


@renamed(input_size="n")
def pool_size(
    n: Size,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> WindowedSize:
    """Return the output size of a pooling on one axis of n rows, explained; the stride is kernel_size unless given.

    Raises as `formulas.pool_out`.

    >>> pool_size(54, 3, stride=2, ceil_mode=True).output_size
    27
    """
    step = kernel_size if stride is None else stride
    return _windowed(
        "pool",
        lambda n, check: pool_out(n, kernel_size, step, padding, dilation, ceil_mode, check=check),
        (n, kernel_size, step, padding, dilation),
        ceil_mode,
    )


def _windowed(
    kind: str,
    out_of: Callable[[Size, Conditions], Size],
    settings: tuple[Size, Size, Size, Padding, Size],
    ceil_mode: bool = False,
) -> WindowedSize:
    *sizes, p, d = settings
    n, k, s, d = single("n kernel_size stride dilation", *sizes, d)
    needs = Conditions()
    out = out_of(n, needs)
    before, after = padding_pair(n, k, s, p, d, check=Conditions())
    pair = before, after = single("padding padding", before, after)
    symbolic = any(map(is_symbolic, (n, k, s, *pair, d)))
    return WindowedSize(
        kind=kind,
        input_size=n,
        kernel_size=k,
        stride=s,
        padding=pair,
        same=isinstance(p, str) and p.startswith("same"),
        dilation=d,
        ceil_mode=flag("ceil_mode", ceil_mode),
        output_size=out,
        formula=out_of(any_size(n, k, s, *pair, d), Conditions()),
        unread=None if symbolic else unread(n, k, s, pair, d, out),
        restoring=(n + pair[0] + pair[1] - extent(k, d)) % s,
        needs=tuple(needs.open),
    )


def unread(n: int, k: int, s: int, p: tuple[int, int], d: int, o: int) -> Unread:
    """Count the padded positions that none of the o windows reads; letters as in `convcalc.arithmetic.formulas`.

    Tap i of window t reads st + di. With s' = s/gcd(s, d) and d' = d/gcd(s, d), two taps meet where they are
    (d', -s') apart, so the distinct positions are the pairs (t, i) with none at (t - d', i + s'):
    ok - (o - d')+ (k - s')+, where x+ = max(0, x). In ceil mode the last window alone may reach past the end.

    >>> unread(224, k=7, s=2, p=(3, 3), d=1, o=112)
    Unread(tail=1, tail_real=0, gaps=0)
    >>> unread(8, k=2, s=3, p=(0, 0), d=1, o=3)
    Unread(tail=0, tail_real=0, gaps=2)
    """
    size = n + p[0] + p[1]
    start = (o - 1) * s
    inside = min(k, (size - 1 - start) // d + 1)
    last = start + d * (inside - 1)
    if o > 1:
        last = max(last, start - s + extent(k, d) - 1)
    g = math.gcd(s, d)
    read = o * k - max(0, o - d // g) * max(0, k - s // g) - (k - inside)
    tail = size - 1 - last
    return Unread(tail=tail, tail_real=min(n, max(0, tail - p[1])), gaps=last + 1 - read)
