"""The formulas, one axis each.

Letters, here and nowhere else::

    n  input size                     o   output size
    k  kernel size                    op  output padding
    s  stride                         e   extent d(k - 1) + 1: what the dilated kernel spans
    d  dilation
    p  padding of each side: a number, a pair (before, after), or a name

A size is an int of any magnitude, a NumPy integer array (computed exactly, never wrapped), a convcalc
expression or a SymPy expression. What a torch layer refuses on a real device is refused here, with a
`convcalc.errors.Refused`; `check` says what is done with the conditions (see `convcalc.sizes.conditions`).

Padding names: `"valid"` none; `"same"`, also called `"same-upper"`, o = ceil(n/s), the odd one after
(TensorFlow, Keras, JAX, ONNX SAME_UPPER; at stride 1 also torch); `"same-lower"` the odd one before (ONNX
SAME_LOWER); `"full"` e - 1 each side; `"causal"` e - 1 before.

Sources: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285;
the rules of torch 2.13 as measured by `convcalc verify layers`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from convcalc.errors import BadArgument, KernelDoesNotFit, NoOutput, Refused
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size, exact, flag, is_array, larger, smaller

Padding: TypeAlias = Any  # Size | tuple[Size, Size] | one of PADDING_NAMES

PADDING_NAMES = ("valid", "same", "same-upper", "same-lower", "full", "causal")

_WORDS = {
    "n": "input size",
    "k": "kernel_size",
    "s": "stride",
    "d": "dilation",
    "p": "padding",
    "op": "output_padding",
}


def extent(k: Size, d: Size = 1) -> Size:
    """e = d(k - 1) + 1: the inputs from the first tap of a dilated kernel to its last.

    Raises `BadArgument` for k or d < 1.

    >>> extent(3, d=2)
    5
    """
    k, d = exact("k d", k, d)
    at_least(1, enforce, k=k, d=d)
    return span(k, d)


def span(k: Size, d: Size) -> Size:
    """`extent` of values that are read already, in range or not.

    >>> span(0, 1)
    0
    """
    return d * (k - 1) + 1


def conv_out(
    n: Size, k: Size, s: Size = 1, p: Padding = 0, d: Size = 1, *, empty: bool = False, check: Check = enforce
) -> Size:
    """o = (n + p0 + p1 - e)//s + 1, with e = d(k - 1) + 1.

    n input size, k kernel size, s stride, p padding, d dilation; the legend stands at the top of this module.
    o is the number of windows of extent e, s apart, in the padded input: `len(range(0, n + p0 + p1 - e + 1, s))`.
    Raises `KernelDoesNotFit` where e > n + p0 + p1 and `BadArgument` for n, k, s, d < 1 or p < 0. In an `empty`
    batch torch checks less: there n = 0 and d = 0 are legal.

    >>> conv_out(28, k=5, p=2), conv_out(224, k=7, s=2, p=3), conv_out(224, k=7, s=2, p="same")
    (28, 112, 112)
    >>> import numpy as np
    >>> conv_out(np.array([7, 8, 9]), k=3, s=2)
    array([3, 3, 4])
    """
    n, k, s, d, p = _exact("n k s d", n, k, s, d, p=p)
    settled = check is enforce and is_array(n) and n.size > 0 and not any(map(is_array, (k, s, d, *p)))
    if settled:
        conv_out(int(n.min()), k, s, p, d, empty=empty)  # the conditions grow with n: the least size settles them
    else:
        at_least(0 if empty else 1, check, n=n, d=d)
        at_least(1, check, k=k, s=s)
    if isinstance(p, str) and p.startswith("same"):
        at_least(1, check, n=n)  # its padding never makes room for a kernel in nothing
        _pair(n, k, s, p, d, check)  # refuses a name that is none
        return same_out(n, s)
    before, after = _pair(n, k, s, p, d, check)
    room = n + (before + after - span(k, d))
    if not settled:
        check(room, lambda at: _does_not_fit(at(n), at(k), at(before), at(after), at(d)))
    return room // s + 1


def same_out(n: Size, s: Size = 1) -> Size:
    """o = ceil(n/s), what "same" padding aims at, of values that are read already.

    >>> same_out(7, s=2)
    4
    """
    return (n + s - 1) // s


def padding_depends_on_size(p: Padding, s: Size) -> bool:
    """Whether `p` is a "same" name at a stride other than 1.

    >>> padding_depends_on_size("same", 2), padding_depends_on_size("same", 1), padding_depends_on_size(3, 2)
    (True, False, False)
    """
    return isinstance(p, str) and p.startswith("same") and bool(s != 1)


def padding_pair(
    n: Size, k: Size, s: Size = 1, p: Padding = 0, d: Size = 1, *, check: Check = enforce
) -> tuple[Size, Size]:
    """The padding (before, after) that `p` means here; "same" depends on n, k, s and d.

    "same": total = max(0, (ceil(n/s) - 1)s + e - n), of which total//2 before and the rest after. Raises
    `BadArgument` for an unknown name and for k, s, d < 1 or p < 0.

    >>> padding_pair(224, k=7, s=2, p="same"), padding_pair(6, k=3, s=2, p="same-lower")
    ((2, 3), (1, 0))
    >>> padding_pair(28, k=5, p="causal"), padding_pair(28, k=5, p=2)
    ((4, 0), (2, 2))
    """
    n, k, s, d, p = _exact("n k s d", n, k, s, d, p=p)
    at_least(1, check, k=k, s=s, d=d)
    return _pair(n, k, s, p, d, check)


def _pair(n: Size, k: Size, s: Size, p: Padding, d: Size, check: Check) -> tuple[Size, Size]:
    match p:
        case "valid":
            return 0, 0
        case "full":
            return span(k, d) - 1, span(k, d) - 1
        case "causal":
            return span(k, d) - 1, 0
        case "same" | "same-upper" | "same-lower":
            total = larger(0, (same_out(n, s) - 1) * s + span(k, d) - n)
            small = total // 2
            return (total - small, small) if p == "same-lower" else (small, total - small)
        case str():
            raise BadArgument(f"unknown padding {p!r}: use a number, a pair, or one of {', '.join(PADDING_NAMES)}")
    before, after = p
    at_least(0, check, p=before)
    if after is not before:
        at_least(0, check, p=after)
    return before, after


def _sides(p: Padding) -> tuple[Size, Size]:
    match p:
        case (before, after):
            return before, after
        case tuple() | list():
            raise BadArgument(f"padding on one axis is a number or a pair (before, after): {p!r}")
        case _:
            return p, p


def _exact(names: str, *values: Size, p: Padding) -> tuple[Any, ...]:
    """Return `exact` of the values and the padding together, as what is exact depends on all of them."""
    if isinstance(p, str):
        return (*exact(names, *values), p)
    *sizes, before, after = exact(f"{names} p p", *values, *_sides(p))
    return (*sizes, (before, after))


def conv_transpose_out(
    n: Size,
    k: Size,
    s: Size = 1,
    p: Padding = 0,
    op: Size = 0,
    d: Size = 1,
    *,
    empty: bool = False,
    check: Check = enforce,
) -> Size:
    """o = (n - 1)s - p0 - p1 + d(k - 1) + op + 1.

    n input size, k kernel size, s stride, p padding, op output padding, d dilation. Each
    input stamps the kernel, s apart; p0 and p1 rows are cut off the ends. Raises `BadArgument` unless
    0 <= op < max(s, d), and `NoOutput` where o < 1. In an `empty` batch torch checks less: there n = 0, d = 0,
    o = 0 and any op >= 0 are legal.

    >>> conv_transpose_out(14, k=4, s=2, p=1), conv_transpose_out(3, k=3, s=2, p=1, op=1)
    (28, 6)
    """
    n, k, s, op, d, p = _exact("n k s op d", n, k, s, op, d, p=p)
    at_least(0 if empty else 1, check, n=n, d=d)
    at_least(1, check, k=k, s=s)
    if isinstance(p, str):
        raise BadArgument(f"transposed convolution takes padding as numbers, not {p!r}{_keras(k, s, d)}")
    before, after = _pair(n, k, s, p, d, check)
    if empty:
        at_least(0, check, op=op)
    else:
        check_output_padding(s, op, d, check=check)
    o = (n - 1) * s - before - after + d * (k - 1) + op + 1
    check(o - (0 if empty else 1), lambda at: nothing_left(at(o), at(n), at(before) + at(after)))
    return o


def _keras(k: Size, s: Size, d: Size) -> str:
    """What Keras's padding="same" is in numbers: the transpose of the convolution from n*s to n."""
    if not all(isinstance(value, int) for value in (k, s, d)):
        return ""
    total, extra = max(0, span(k, d) - s), max(0, s - span(k, d))
    more = f" and output_padding {extra}" if extra else ""
    return f"; for an output of n*{s}, as Keras's 'same', cut {total // 2} before and {total - total // 2} after{more}"


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

    n input size, k kernel size, s stride (k where it is not given), p padding, d dilation.
    Ceil mode rounds up, but drops a last window that would start at or past n + p0; it takes a
    kernel longer than the padded input as long as o >= 1. Raises `BadArgument` unless
    2p <= k (the kernel, not the extent), `KernelDoesNotFit` or `NoOutput` where nothing comes out.

    >>> pool_out(54, k=3, s=2), pool_out(54, k=3, s=2, ceil_mode=True), pool_out(6, k=2)
    (26, 27, 3)
    """
    n, k, s, d, p = _exact("n k s d", n, k, k if s is None else s, d, p=p)
    at_least(1, check, n=n, k=k, s=s, d=d)
    before, after = _pair(n, k, s, p, d, check)
    check_pool_padding(k, larger(before, after), check=check)
    e = span(k, d)
    if not flag("ceil_mode", ceil_mode):
        room = n + (before + after - e)
        check(room, lambda at: _does_not_fit(at(n), at(k), at(before), at(after), at(d), pooled=True))
        return conv_out(n, k, s, p, d, check=check) if isinstance(p, str) else room // s + 1
    o = (n + s - 1 + smaller(before, before + after + s - e)) // s
    check(
        o - 1,
        lambda at: _does_not_fit(at(n), at(k), at(before), at(after), at(d), pooled=True, spare=at(s) - 1),
    )
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


# -- refusals ----------------------------------------------------------------------------------------------------


def at_least(least: int, check: Check, **values: Size) -> None:
    """Each of `values`, named by its letter, must be at least `least`; a plain number but n is held to it always.

    >>> at_least(1, enforce, k=3, s=0)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: stride must be >= 1: 0
    """
    for name, value in values.items():
        if type(value) is int and value >= least:
            continue
        settled = type(value) is int and name != "n"  # stride 0 cannot be divided by, however conditions are read
        _at_least_one(_WORDS.get(name, name), value, least, enforce if settled else check)


def _at_least_one(name: str, value: Size, least: int, check: Check) -> None:
    check(value - least, lambda at: BadArgument(f"{name} must be >= {least}: {at(value)}", rule=f"{name} >= {least}"))


def _does_not_fit(n: int, k: int, before: int, after: int, d: int, *, pooled: bool = False, spare: int = 0) -> Refused:
    """The refusal of a kernel longer than the padded input by more than `spare`; a pool pads k/2 at most."""
    e = span(k, d)
    short = e - n - before - after - spare
    padding = (before + after + short + 1) // 2
    paddable = not pooled or 2 * padding <= k
    return KernelDoesNotFit(
        f"kernel does not fit: it spans {e} (kernel_size={k}, dilation={d}) but the padded input is "
        f"{n + before + after} ({n} + {before} + {after}); use an input of at least {n + short}"
        f"{f', or {short} more padding' if paddable else ''}",
        rule="dilation*(kernel_size - 1) + 1 <= input + padding",
        fixes=[f"input size {n + short}", *([f"padding {padding}"] if paddable else [])],
    )


def nothing_left(o: int, n: int, cut: int) -> Refused:
    """Return the refusal of an output size o < 1, after `cut` was taken from what n gives."""
    return NoOutput(
        f"output would be {o}: {cut} cut from what {n} gives; it needs at least {1 - o} less padding or a larger input",
        rule="output size >= 1",
    )
