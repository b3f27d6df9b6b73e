"""One axis answered in full: the output, the numbers in the formula, what is never read, the way back.

Letters as in `convcalc.formulas`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from convcalc.conditions import Conditions
from convcalc.expr import Expr
from convcalc.formulas import Padding, conv_out, conv_transpose_out, extent, padding_pair, pool_out
from convcalc.sizes import Size


@dataclass(frozen=True)
class Unread:
    """The positions of the padded input that no window reads.

    `gaps`: between the first position read and the last; `tail`: after the last; `tail_real`: those of the
    tail that are input and not padding.
    """

    tail: int
    tail_real: int
    gaps: int


@dataclass(frozen=True)
class Back:
    """The axis that takes the output's size back to the input's: shape comes back, values do not.

    Of a convolution, the transposed convolution with the same k, s, p, d and this `output_padding`. Of a
    transposed convolution, the convolution; it gives the same output for every input in `sizes` (first, last),
    which `output_padding` 0, 1, ... tells apart.
    """

    kind: str
    output_padding: Size
    sizes: tuple[Size, Size]


@dataclass(frozen=True)
class Answer:
    """What `explain_conv`, `explain_conv_transpose` and `explain_pool` return, for one axis.

    `formula` is the output for any input size n. `unread` is None where symbols leave it open and for
    transposed convolution, which reads every input. `needs` holds what symbols leave open: each entry must
    be >= 0. `same` tells that the padding was a "same" name, so that `p` depends on n.
    """

    kind: str
    n: Size
    k: Size
    s: Size
    p: tuple[Size, Size]
    d: Size
    output_padding: Size
    ceil_mode: bool
    out: Size
    formula: Expr
    needs: tuple[Expr, ...]
    unread: Unread | None
    back: Back | None
    same: bool


def explain_conv(n: Size, k: Size, s: Size = 1, p: Padding = 0, d: Size = 1) -> Answer:
    """Answer one axis of a convolution; raises what `conv_out` raises.

    >>> answer = explain_conv(224, k=7, s=2, p=3)
    >>> answer.out, str(answer.formula), answer.unread, answer.back.output_padding
    (112, '(n + 1)//2', Unread(tail=1, tail_real=0, gaps=0), 1)
    """
    return _answer("conv", lambda n, check: conv_out(n, k, s, p, d, check=check), n, k, s, p, d)


def explain_pool(
    n: Size, k: Size, s: Size | None = None, p: Padding = 0, d: Size = 1, ceil_mode: bool = False
) -> Answer:
    """Answer one axis of a pooling; raises what `pool_out` raises.

    >>> explain_pool(54, k=3, s=2, ceil_mode=True).out
    27
    """
    s = k if s is None else s
    return _answer(
        "pool", lambda n, check: pool_out(n, k, s, p, d, ceil_mode, check=check), n, k, s, p, d, ceil_mode=ceil_mode
    )


def explain_conv_transpose(n: Size, k: Size, s: Size = 1, p: Padding = 0, op: Size = 0, d: Size = 1) -> Answer:
    """Answer one axis of a transposed convolution; raises what `conv_transpose_out` raises.

    >>> answer = explain_conv_transpose(14, k=4, s=2, p=1)
    >>> answer.out, str(answer.formula), answer.back.sizes
    (28, '2*n', (28, 29))
    """
    return _answer("tconv", lambda n, check: conv_transpose_out(n, k, s, p, op, d, check=check), n, k, s, p, d, op=op)


def _answer(
    kind: str,
    out_of: Callable[[Size, Conditions], Size],
    n: Size,
    k: Size,
    s: Size,
    p: Padding,
    d: Size,
    *,
    op: Size = 0,
    ceil_mode: bool = False,
) -> Answer:
    needs = Conditions()
    out = out_of(n, needs)
    pair = padding_pair(n, k, s, p, d, check=Conditions())
    numeric = not any(isinstance(value, Expr) for value in (n, k, s, *pair, d, op))
    return Answer(
        kind=kind,
        n=n,
        k=k,
        s=s,
        p=pair,
        d=d,
        output_padding=op,
        ceil_mode=ceil_mode,
        out=out,
        formula=Expr.const(0) + out_of(Expr.symbol("n"), Conditions()),
        needs=tuple(needs.open),
        unread=unread(n, k, s, pair, d, out) if numeric and kind != "tconv" else None,
        back=_back(kind, n, k, s, pair, d, out),
        same=isinstance(p, str) and p.startswith("same"),
    )


def unread(n: int, k: int, s: int, p: tuple[int, int], d: int, o: int) -> Unread:
    """Count the padded positions that none of the o windows reads.

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
    return Unread(tail, min(n, max(0, tail - p[1])), last + 1 - read)


def _back(kind: str, n: Size, k: Size, s: Size, p: tuple[Size, Size], d: Size, out: Size) -> Back | None:
    if kind == "conv":
        return Back("tconv", (n + p[0] + p[1] - extent(k, d)) % s, (n, n))
    if kind == "tconv":
        first = (n - 1) * s + extent(k, d) - p[0] - p[1]
        return Back("conv", out - first, (first, first + s - 1))
    return None
