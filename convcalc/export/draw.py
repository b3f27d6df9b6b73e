"""Pictures of answers, as `convcalc.draw`: one function a picture; each gives a `Picture` that saves itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.arithmetic.dilation.picture import hdc_picture
from convcalc.arithmetic.dilation.stack import hdc as judge
from convcalc.arithmetic.transposed.overlap_picture import overlap_picture
from convcalc.arithmetic.transposed.picture import transposed_picture
from convcalc.arithmetic.transposed.size import transposed_size
from convcalc.arithmetic.window_picture import window_picture
from convcalc.arithmetic.window_size import conv_size, pool_size
from convcalc.render.picture import Picture
from convcalc.sizes.axes import each_axis, per_axis

__all__ = ["Picture", "conv", "hdc", "overlap", "pool", "tconv"]


def conv(
    n: Any,
    k: Any,
    s: Any = 1,
    p: Any = 0,
    d: Any = 1,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
) -> Picture:
    """Return the picture of a convolution on one axis or, of sizes (rows, columns), on two.

    The letters are those of `convcalc.conv_out`. `at` is the output whose kernel is drawn, the first unless given;
    `animate` shows every output in turn, `values` writes numbers. Raises as `convcalc.conv_size`.

    >>> import convcalc as cc
    >>> print(cc.draw.conv(5, k=3, s=2, p=1))
    conv 5 -> 3: k3 s2 p1
    output 0 reads -1, 0, 1, of which -1 outside
    >>> cc.draw.conv(5, k=3, s=2, p=1).to_svg()[:29]
    '<svg xmlns="http://www.w3.org'
    """
    sizes = _each(conv_size, n, kernel_size=k, stride=s, padding=p, dilation=d)
    return window_picture(sizes, at=at, animate=animate, values=values)


def pool(
    n: Any,
    k: Any,
    s: Any = None,
    p: Any = 0,
    d: Any = 1,
    ceil_mode: bool = False,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
) -> Picture:
    """Return the picture of a pooling; as `conv`, the stride is k unless given. Values are those of a max pooling.

    >>> import convcalc as cc
    >>> print(cc.draw.pool((5, 5), k=2, ceil_mode=True, at=(2, 2)))
    pool 5x5 -> 3x3: k2 s2 p0 ceil
    output 2x2 reads rows 4, 5, of which 5 outside; columns 4, 5, of which 5 outside
    """
    letters = {"kernel_size": k, "stride": s, "padding": p, "dilation": d, "ceil_mode": ceil_mode}
    sizes = _each(pool_size, n, **letters)
    return window_picture(sizes, at=at, animate=animate, values=values)


def tconv(
    n: Any,
    k: Any,
    s: Any = 1,
    p: Any = 0,
    op: Any = 0,
    d: Any = 1,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
) -> Picture:
    """Return the picture of a transposed convolution: as stamps, and as zeros between under the flipped kernel.

    The letters are those of `convcalc.conv_transpose_out`; `at`, `animate` and `values` as in `conv`.

    >>> import convcalc as cc
    >>> print(cc.draw.tconv(3, k=3, s=2, p=1, at=[1]))
    tconv 3 -> 5: k3 s2 p1
    output 1: the stamps of inputs 0, 1 meet
    """
    sizes = _each(transposed_size, n, kernel_size=k, stride=s, padding=p, output_padding=op, dilation=d)
    return transposed_picture(sizes, at=at, animate=animate, values=values)


def overlap(k: Any, s: Any, d: Any = 1, n: Any = 6) -> Picture:
    """Return the checkerboard of a transposed convolution of n inputs an axis, or (rows, columns) of them.

    Of one number for each letter both axes are alike.

    >>> import convcalc as cc
    >>> print(cc.draw.overlap(k=4, s=2))
    tconv 6x6 -> 14x14: 1 to 4 terms an output
    even away from the borders, as 2 divides 4
    """
    axes = n if isinstance(n, list | tuple) else (n, n)
    return overlap_picture(_each(transposed_size, axes, kernel_size=k, stride=s, dilation=d))


def hdc(rates: Sequence[int], kernel_size: Any = 3, stride: Any = 1) -> Picture:
    """Return the picture of a dilated stack as it grows, its holes, and its first repair; as `convcalc.hdc` has it.

    >>> import convcalc as cc
    >>> print(cc.draw.hdc([1, 2, 5]))
    hdc 1 2 5: field of 17, every input read
    no holes
    """
    found = judge(rates, kernel_size, stride)
    repaired = judge(found.tries[0].rates, found.kernel_size, found.stride) if found.tries else None
    return hdc_picture(found, repaired)


def _each(explain: Callable[..., Any], n: Any, **letters: Any) -> list[Any]:
    """Explain one axis, or each of several, for which a letter has one value or one each."""
    if not isinstance(n, list | tuple):
        return [explain(n, **letters)]
    columns = [per_axis(name, value, len(n)) for name, value in letters.items()]
    rows = [(size, *(column[axis] for column in columns)) for axis, size in enumerate(n)]
    return list(each_axis(lambda size, *row: explain(size, **dict(zip(letters, row, strict=True))), rows))
