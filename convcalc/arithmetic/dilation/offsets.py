"""The offsets a dilated stack reads: sums of arithmetic progressions, one per layer.

A layer with rate r and K taps adds 0, r, ..., (K - 1)r to every offset so far. Here a stack is a mapping from each
rate, ascending, to its taps beyond the first; layers of equal rate act as one. Offsets count from the field's first
tap. The set is small in one of two ways, so there are two ways to write it down: as bits where the field is short,
as runs where they are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from operator import add, or_
from typing import TypeAlias

Progressions: TypeAlias = Mapping[int, int]

DENSE = 2**20
"""Fields up to this many positions are always written out, whatever the layers."""
RUNS = 2**20
"""Longer fields are written out while the runs copied on the way stay below this number."""
COUNTED = 2**31
"""Counts are made while field x layers x bytes per count stays below this number."""


def effective_rates(rates: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Each rate times the strides before it: steps of the stack's input.

    >>> effective_rates([1, 1, 3], [2, 2, 1])
    (1, 2, 12)
    """
    scale, scaled = 1, []
    for rate, stride in zip(rates, strides, strict=True):
        scaled.append(scale * rate)
        scale *= stride
    return tuple(scaled)


def progressions(rates: Iterable[int], kernel_sizes: Iterable[int]) -> Progressions:
    """Return rate -> taps beyond the first, rates ascending, equal rates added up, single taps left out.

    >>> progressions([3, 1, 3, 7], [3, 2, 3, 1])
    {1: 1, 3: 4}
    """
    taps: dict[int, int] = {}
    for rate, kernel_size in zip(rates, kernel_sizes, strict=True):
        if kernel_size > 1:
            taps[rate] = taps.get(rate, 0) + kernel_size - 1
    return dict(sorted(taps.items()))


def unbroken(stack: Progressions) -> tuple[int, int | None]:
    """Return S, the end of the first run 0..S, and the first rate past S + 1, or None: then nothing is missed.

    Where there is such a rate, S + 1 is the smallest missed offset. Proof in docs/dilation.md.

    >>> unbroken({1: 2, 2: 2, 9: 2}), unbroken({1: 2, 2: 2, 7: 2})
    ((6, 9), (20, None))
    """
    reach = 0
    for rate, more in stack.items():
        if rate > reach + 1:
            return reach, rate
        reach += more * rate
    return reach, None


def field(stack: Progressions) -> int:
    """Return 1 + the sum of rate·(taps - 1): first tap to last, both included.

    >>> field({1: 2, 2: 2, 9: 2})
    25
    """
    return 1 + sum(rate * more for rate, more in stack.items())


def copies(value: int, shift: int, times: int, join: Callable[[int, int], int]) -> int:
    """Join `value`, `value << shift`, ..., `value << shift·(times - 1)`, by doubling.

    >>> bin(copies(0b11, 3, 3, or_))
    '0b11011011'
    """
    joined, done = value, 1
    for bit in f"{times:b}"[1:]:
        joined, done = join(joined, joined << done * shift), 2 * done
        if bit == "1":
            joined, done = join(value, joined << shift), done + 1
    return joined


def prefixes(rates: Sequence[int], kernel_sizes: Sequence[int], limit: int) -> tuple[int, ...]:
    """Return what each first few layers read together, below `limit`: bit i is offset i.

    >>> [bin(bits) for bits in prefixes([1, 4], [3, 2], limit=100)]
    ['0b111', '0b1110111']
    """
    bits, mask, rows = 1, (1 << limit) - 1, []
    for rate, kernel_size in zip(rates, kernel_sizes, strict=True):
        bits = copies(bits, rate, min(kernel_size, 1 + (limit - 1) // rate), or_) & mask
        rows.append(bits)
    return tuple(rows)


def gaps(stack: Progressions) -> tuple[tuple[range, ...], bool]:
    """Return the ranges of missed offsets, ascending, and whether these are all of them.

    A field longer than `DENSE` in more pieces than `RUNS` is left unfinished: then the ranges are all those below
    the first rate that was not taken up, for no later one reaches there.

    >>> gaps({1: 2, 2: 2, 9: 2})
    ((range(7, 9), range(16, 18)), True)
    """
    end = field(stack)
    return (_gaps_of_bits(stack), True) if end <= DENSE else _gaps_of_runs(stack, end)


def _gaps_of_bits(stack: Progressions) -> tuple[range, ...]:
    bits = 1
    for rate, more in stack.items():
        bits = copies(bits, rate, more + 1, or_)
    written = f"{bits:b}"  # last offset first, which is the same: a stack reads alike from both ends
    return tuple(range(*gap.span()) for gap in re.finditer("0+", written))


def _gaps_of_runs(stack: Progressions, end: int) -> tuple[tuple[range, ...], bool]:
    runs, work, horizon = [(0, 1)], 0, end
    for rate, more in stack.items():
        if rate <= runs[0][1] and len(runs) == 1:
            runs = [(0, runs[0][1] + more * rate)]
            continue
        work += len(runs) * (more + 1)
        if work > RUNS:
            horizon = rate
            break
        runs = _merged((start + tap * rate, stop + tap * rate) for tap in range(more + 1) for start, stop in runs)
    runs = [(start, stop) for start, stop in runs if start < horizon] + [(horizon, horizon)]
    missed = tuple(range(stop, start) for (_, stop), (start, _) in pairwise(runs) if stop < start)
    return missed, horizon == end


def _merged(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    first, *rest = sorted(runs)
    merged = [first]
    for start, stop in rest:
        if start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def counts(rates: Sequence[int], kernel_sizes: Sequence[int], length: int) -> tuple[int, ...] | None:
    """Return how many ways lead to each of the `length` offsets, or None where that passes `COUNTED`.

    The coefficients of the product of 1 + x^r + ... + x^((K - 1)r) over the layers, multiplied as one integer with
    room for a count every few bytes.

    >>> counts([1, 2], [3, 3], 7)
    (1, 1, 2, 1, 2, 1, 1)
    """
    room = sum(kernel_size.bit_length() for kernel_size in kernel_sizes) // 8 + 1  # bytes for a count, in excess
    if length * len(rates) * room > COUNTED:
        return None
    product = 1
    for rate, kernel_size in zip(rates, kernel_sizes, strict=True):
        product = copies(product, 8 * room * rate, kernel_size, add) if kernel_size > 1 else product
    data = product.to_bytes(length * room, "little")
    return tuple(int.from_bytes(data[at : at + room], "little") for at in range(0, len(data), room))
