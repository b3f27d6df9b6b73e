"""The formulas, one axis each.

Letters, here and nowhere else::

    n  input size                     o   output size
    k  kernel size                    op  output padding
    s  stride                         e   extent d(k - 1) + 1: what the dilated kernel spans
    d  dilation                       m   requested output size
    p  padding of each side: a number, a pair (before, after), or a name

A size is an int of any magnitude, a NumPy integer array (computed exactly, never wrapped), a convcalc
expression or a SymPy expression. What a torch layer refuses on a real device is refused here, with a
`convcalc.errors.Refused`; `check` says what is done with the conditions (see `convcalc.conditions`).

Padding names: `"valid"` none; `"same"` o = ceil(n/s), the odd one after (TensorFlow, Keras, JAX, ONNX
SAME_UPPER; at stride 1 also torch); `"same-lower"` the odd one before (ONNX SAME_LOWER); `"full"`
e - 1 each side; `"causal"` e - 1 before.

Sources: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285;
the rules of torch 2.13 as measured by `convcalc verify layers`.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from convcalc.conditions import Check, Reader, enforce
from convcalc.errors import BadArgument, BadShape, KernelDoesNotFit, NoOutput, Refused
from convcalc.sizes import Size, exact, is_array, is_symbolic, larger, smaller

Padding: TypeAlias = Any  # Size | tuple[Size, Size] | one of PADDING_NAMES

PADDING_NAMES = ("valid", "same", "same-lower", "full", "causal")

_WORDS = {"n": "input size", "k": "kernel_size", "s": "stride", "d": "dilation", "p": "padding"}


def extent(k: Size, d: Size = 1) -> Size:
    """e = d(k - 1) + 1: the inputs from the first tap of a dilated kernel to its last.

    >>> extent(3, d=2)
    5
    """
    return d * (k - 1) + 1


def conv_out(n: Size, k: Size, s: Size = 1, p: Padding = 0, d: Size = 1, *, check: Check = enforce) -> Size:
    """o = (n + p0 + p1 - e)//s + 1.

    The number of windows of extent e, s apart, in the padded input: `len(range(0, n + p0 + p1 - e + 1, s))`.
    Raises `KernelDoesNotFit` where e > n + p0 + p1 and `BadArgument` for k, s, d < 1 or p < 0.

    >>> conv_out(28, k=5, p=2), conv_out(224, k=7, s=2, p=3), conv_out(224, k=7, s=2, p="same")
    (28, 112, 112)
    >>> import numpy as np
    >>> conv_out(np.array([7, 8, 9]), k=3, s=2)
    array([3, 3, 4])
    """
    n, k, s, d = exact("n k s d", n, k, s, d)
    _at_least(1, check, n=n, k=k, s=s, d=d)
    if isinstance(p, str) and p.startswith("same"):
        padding_pair(n, k, s, p, d)  # refuses a name that is none
        return same_out(n, s)
    before, after = padding_pair(n, k, s, p, d, check=check)
    e = extent(k, d)
    check(
        n + before + after - e,
        lambda at: _does_not_fit(at(n), at(k), at(before), at(after), at(d)),
    )
    return (n + before + after - e) // s + 1


def same_out(n: Size, s: Size = 1) -> Size:
    """o = ceil(n/s), what "same" padding aims at.

    >>> same_out(7, s=2)
    4
    """
    return (n + s - 1) // s


def padding_pair(
    n: Size, k: Size, s: Size = 1, p: Padding = 0, d: Size = 1, *, check: Check = enforce
) -> tuple[Size, Size]:
    """The padding (before, after) that `p` means here; "same" depends on n, k, s and d.

    "same": total = max(0, (ceil(n/s) - 1)s + e - n), of which total//2 before and the rest after.

    >>> padding_pair(224, k=7, s=2, p="same"), padding_pair(6, k=3, s=2, p="same-lower")
    ((2, 3), (1, 0))
    >>> padding_pair(28, k=5, p="causal"), padding_pair(28, k=5, p=2)
    ((4, 0), (2, 2))
    """
    match p:
        case "valid":
            return 0, 0
        case "full":
            return extent(k, d) - 1, extent(k, d) - 1
        case "causal":
            return extent(k, d) - 1, 0
        case "same" | "same-lower":
            total = larger(0, (same_out(n, s) - 1) * s + extent(k, d) - n)
            small = total // 2
            return (small, total - small) if p == "same" else (total - small, small)
        case str():
            raise BadArgument(f"unknown padding {p!r}: use a number, a pair, or one of {', '.join(PADDING_NAMES)}")
        case (before, after):
            before, after = exact("p p", before, after)
        case tuple() | list():
            raise BadArgument(f"padding on one axis is a number or a pair (before, after): {p!r}")
        case _:
            (before,) = (after,) = exact("p", p)
    _at_least(0, check, p=before)
    if after is not before:
        _at_least(0, check, p=after)
    return before, after


def conv_transpose_out(
    n: Size, k: Size, s: Size = 1, p: Padding = 0, op: Size = 0, d: Size = 1, *, check: Check = enforce
) -> Size:
    """o = (n - 1)s - p0 - p1 + d(k - 1) + op + 1.

    Each input stamps the kernel, s apart; p0 and p1 rows are cut off the ends. Raises `BadArgument` unless
    0 <= op < max(s, d), and `NoOutput` where o < 1.

    >>> conv_transpose_out(14, k=4, s=2, p=1), conv_transpose_out(3, k=3, s=2, p=1, op=1)
    (28, 6)
    """
    n, k, s, op, d = exact("n k s op d", n, k, s, op, d)
    _at_least(1, check, n=n, k=k, s=s, d=d)
    if isinstance(p, str):
        raise BadArgument(f"transposed convolution takes padding as numbers, not {p!r}")
    before, after = padding_pair(n, k, s, p, d, check=check)
    check_output_padding(s, op, d, check=check)
    o = (n - 1) * s - before - after + d * (k - 1) + op + 1
    check(o - 1, lambda at: _nothing_left(at(o), at(n), at(before) + at(after)))
    return o


def check_output_padding(s: Size, op: Size, d: Size = 1, *, check: Check = enforce) -> None:
    """0 <= op < max(s, d): output padding only tells apart sizes that one stride or dilation merges.

    >>> check_output_padding(s=2, op=2)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: output_padding must be >= 0 and < max(stride, dilation): 2 with stride=2, dilation=1
    """

    def sentence(at: Reader) -> Refused:
        text = f"{at(op)} with stride={at(s)}, dilation={at(d)}"
        return BadArgument(f"output_padding must be >= 0 and < max(stride, dilation): {text}")

    check(op, sentence)
    check(larger(s, d) - 1 - op, sentence)


def pool_out(
    n: Size,
    k: Size,
    s: Size | None = None,
    p: Padding = 0,
    d: Size = 1,
    ceil_mode: bool = False,
    *,
    check: Check = enforce,
) -> Size:
    """o = (n + p0 + p1 - e)//s + 1, or with ceil_mode o = (n + s - 1 + min(p0, p0 + p1 + s - e))//s.

    s is k where it is not given. Ceil mode rounds up, but drops a last window that would start at or past
    n + p0; it takes a kernel longer than the padded input as long as o >= 1. Raises `BadArgument` unless
    2p <= k (the kernel, not the extent), `KernelDoesNotFit` or `NoOutput` where nothing comes out.

    >>> pool_out(54, k=3, s=2), pool_out(54, k=3, s=2, ceil_mode=True), pool_out(6, k=2)
    (26, 27, 3)
    """
    n, k, s, d = exact("n k s d", n, k, k if s is None else s, d)
    _at_least(1, check, n=n, k=k, s=s, d=d)
    before, after = padding_pair(n, k, s, p, d, check=check)
    check_pool_padding(k, larger(before, after), check=check)
    if not ceil_mode:
        return conv_out(n, k, s, p, d, check=check)
    e = extent(k, d)
    o = (n + s - 1 + smaller(before, before + after + s - e)) // s
    check(o - 1, lambda at: _does_not_fit(at(n), at(k), at(before), at(after), at(d)))
    return o


def check_pool_padding(k: Size, p: Size, *, check: Check = enforce) -> None:
    """2p <= k: no pooling window may lie in padding alone; dilation does not help.

    >>> check_pool_padding(k=3, p=2)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: pooling needs padding <= kernel_size/2: padding=2 with kernel_size=3; use padding <= 1
    """
    check(
        k - 2 * p,
        lambda at: BadArgument(
            f"pooling needs padding <= kernel_size/2: padding={at(p)} with kernel_size={at(k)}; use padding <= "
            f"{at(k) // 2}",
            rule="2*padding <= kernel_size",
            fixes=[f"padding={at(k) // 2}"],
        ),
    )


def adaptive_pool_out(n: Size, m: Size | None, *, check: Check = enforce) -> Size:
    """o = m, or n where m is None: adaptive pooling gives the size it is asked for.

    Window i reads floor(i*n/m) up to, not including, ceil((i + 1)n/m); see `adaptive_pool_windows`.

    >>> adaptive_pool_out(7, 3), adaptive_pool_out(7, None)
    (3, 7)
    """
    n, m = exact("n output_size", n, n if m is None else m)
    _at_least(1, check, n=n, output_size=m)
    return m + 0 * n if is_array(n) else m


def adaptive_pool_windows(n: int, m: int) -> list[tuple[int, int]]:
    """[floor(i*n/m), ceil((i + 1)n/m)) for i in 0..m-1: the inputs each output of adaptive pooling reads.

    >>> adaptive_pool_windows(7, 3)
    [(0, 3), (2, 5), (4, 7)]
    """
    n, m = exact("n output_size", n, m)
    _at_least(1, enforce, n=n, output_size=m)
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def interpolate_out(
    n: Size, size: Size | None = None, scale_factor: float | None = None, *, check: Check = enforce
) -> Size:
    """o = size, or floor(float64(n) * float64(scale_factor)), as torch computes it.

    For an expression the scale factor must be a fraction with a small power of two below, such as 2, 0.5 or
    1.25: only then is the float product exact, o = (a*n)//2**b, and true for every n below 2**53/a.

    >>> interpolate_out(7, size=20), interpolate_out(7, scale_factor=1.5), interpolate_out(90, scale_factor=0.7)
    (20, 10, 62)
    """
    if (size is None) == (scale_factor is None):
        raise BadArgument("interpolation takes a size or a scale_factor, and not both")
    if scale_factor is None:
        n, size = exact("n size", n, size)
        _at_least(1, check, n=n, size=size)
        return size + 0 * n if is_array(n) else size
    (n,) = exact("n", n)
    _at_least(1, check, n=n)
    scale = _scale(scale_factor)
    o = _scaled(n, scale)
    check(
        o - 1,
        lambda at: NoOutput(
            f"output would be {at(o)}: floor({at(n)} * {scale:g}); use a scale_factor of at least 1/{at(n)}",
            rule="floor(n * scale_factor) >= 1",
        ),
    )
    return o


def _scale(scale_factor: float) -> float:
    try:
        scale = float(scale_factor)
    except (TypeError, ValueError, OverflowError):
        raise BadArgument(f"scale_factor must be a number: {scale_factor!r}") from None
    if not 0 < scale < math.inf:
        raise BadArgument(f"scale_factor must be positive and finite: {scale_factor!r}")
    return scale


def _scaled(n: Size, scale: float) -> Size:
    if is_symbolic(n):
        a, b = scale.as_integer_ratio()
        if b > 2**16:
            raise BadArgument(
                f"no formula for scale_factor {scale:g}: torch rounds n * {scale:g} in floating point; "
                "give n as a number, or use a fraction such as 0.5 or 1.25"
            )
        return a * n // b
    if is_array(n):
        import numpy as np

        product = np.floor(n.astype(np.float64) * scale)
        return product.astype(np.int64) if (abs(product) < 2**63).all() else np.frompyfunc(int, 1, 1)(product)
    try:
        return math.floor(float(n) * scale)
    except OverflowError:
        raise BadArgument(f"n * {scale:g} leaves the range of float64, in which torch computes it") from None


def pixel_shuffle_out(n: Size, r: Size, *, check: Check = enforce) -> Size:
    """o = n*r: r values of the channels become neighbours on each axis (W. Shi et al., arXiv:1609.05158).

    >>> pixel_shuffle_out(8, r=3)
    24
    """
    n, r = exact("n upscale_factor", n, r)
    _at_least(1, check, upscale_factor=r)
    return n * r


def pixel_unshuffle_out(n: Size, r: Size, *, check: Check = enforce) -> Size:
    """o = n/r, which must be whole: neighbours become channels.

    >>> pixel_unshuffle_out(24, r=3)
    8
    >>> pixel_unshuffle_out(25, r=3)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: downscale_factor=3 must divide the size 25; use 24 or 27
    """
    n, r = exact("n downscale_factor", n, r)
    _at_least(1, check, downscale_factor=r)

    def sentence(at: Reader) -> Refused:
        low, factor = at(n) - at(n) % at(r), at(r)
        near = " or ".join(str(size) for size in (low, low + factor) if size)
        return BadShape(
            f"downscale_factor={factor} must divide the size {at(n)}; use {near}", rule="n % downscale_factor == 0"
        )

    check(-(n % r), sentence)
    return n // r


def pad_out(n: Size, p: Padding, mode: str = "constant", *, check: Check = enforce) -> Size:
    """o = n + p0 + p1, where a negative side crops.

    "reflect" needs each side < n and "circular" each side <= n, as no value is used twice; "constant" and
    "replicate" pad any amount. Raises `NoOutput` where o < 1.

    >>> pad_out(5, (1, 2)), pad_out(5, -1), pad_out(5, 4, mode="reflect")
    (8, 3, 13)
    """
    before, after = p if isinstance(p, tuple | list) else (p, p)
    n, before, after = exact("n p p", n, before, after)
    if mode not in PAD_MODES:
        raise BadArgument(f"unknown padding mode {mode!r}: use one of {', '.join(PAD_MODES)}")
    if mode in ("reflect", "circular"):
        _check_reach(n, before, mode, check)
        _check_reach(n, after, mode, check)
    o = n + before + after
    check(o - 1, lambda at: _nothing_left(at(o), at(n), -at(before) - at(after)))
    return o


PAD_MODES = ("constant", "reflect", "replicate", "circular")


def _check_reach(n: Size, side: Size, mode: str, check: Check) -> None:
    most, sign = (n - 1, "<") if mode == "reflect" else (n, "<=")
    check(
        most - side,
        lambda at: BadArgument(
            f"{mode} padding must be {sign} the size: {at(side)} on {at(n)}; use at most {at(most)}",
            rule=f"padding {sign} size",
            fixes=[f"padding={at(most)}"],
        ),
    )


def crop_out(n: Size, before: Size, after: Size, *, check: Check = enforce) -> Size:
    """o = n - before - after.

    >>> crop_out(64, 4, 4)
    56
    """
    n, before, after = exact("n before after", n, before, after)
    _at_least(0, check, before=before, after=after)
    return pad_out(n, (-before, -after), check=check)


# -- what the windows of a convolution or pooling leave out ------------------------------------------------------


def unread_tail(n: Size, k: Size, s: Size, p: tuple[Size, Size], d: Size, o: Size) -> tuple[Size, Size]:
    """(t, t_real): the last t = n + p0 + p1 - ((o - 1)s + e) padded positions no window reaches; t_real are input.

    >>> unread_tail(224, k=7, s=2, p=(3, 3), d=1, o=112), unread_tail(8, k=3, s=3, p=(0, 0), d=1, o=2)
    ((1, 0), (2, 2))
    """
    tail = larger(0, n + p[0] + p[1] - ((o - 1) * s + extent(k, d)))
    return tail, larger(0, tail - p[1])


def unread_gaps(k: Size, s: Size, d: Size, o: int) -> int:
    """(o - 1)s + e - ok + (o - d')+ (k - s')+, the positions unread between the first tap and the last.

    s' = s/gcd(s, d), d' = d/gcd(s, d), x+ = max(0, x). Tap i of window t reads st + di. Two taps meet where
    they are (d', -s') apart, so the distinct positions are the pairs (t, i) with none at (t - d', i + s').

    >>> unread_gaps(k=1, s=2, d=1, o=4), unread_gaps(k=3, s=1, d=2, o=2), unread_gaps(k=3, s=1, d=2, o=1)
    (3, 0, 2)
    """
    g = math.gcd(s, d)
    read = o * k - max(0, o - d // g) * max(0, k - s // g)
    return int((o - 1) * s + extent(k, d) - read)


# -- refusals ----------------------------------------------------------------------------------------------------


def _at_least(least: int, check: Check, **values: Size) -> None:
    for name, value in values.items():
        if type(value) is int and value >= least:
            continue
        _at_least_one(_WORDS.get(name, name), value, least, check)


def _at_least_one(name: str, value: Size, least: int, check: Check) -> None:
    check(value - least, lambda at: BadArgument(f"{name} must be >= {least}: {at(value)}", rule=f"{name} >= {least}"))


def _does_not_fit(n: int, k: int, before: int, after: int, d: int) -> Refused:
    e = extent(k, d)
    short = e - n - before - after
    return KernelDoesNotFit(
        f"kernel does not fit: it spans {e} (kernel_size={k}, dilation={d}) but the padded input is "
        f"{n + before + after} ({n} + {before} + {after}); it needs an input of {n + short} or {short} more padding",
        rule="dilation*(kernel_size - 1) + 1 <= input + padding",
        fixes=[f"input size {n + short}", f"padding {before + (short + 1) // 2}"],
    )


def _nothing_left(o: int, n: int, cut: int) -> Refused:
    return NoOutput(
        f"output would be {o}: {cut} cut from what {n} gives; it needs at least {1 - o} less padding or a larger input",
        rule="output size >= 1",
    )
