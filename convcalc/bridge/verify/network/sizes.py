"""The sizes that are said to be legal, against running: each axis alone, and pairs near and far."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from convcalc.bridge.device import need_torch
from convcalc.bridge.verify.network.subject import Subject, skipped
from convcalc.bridge.verify.report import Comparison
from convcalc.errors import Unknown
from convcalc.sizes.sets import SizeSet

KIND = "legal sizes"

DRAWN = 200
"""How many sizes of all axes together are drawn."""

MOST = 256
"""The most sizes of one axis that are tried."""

FAR = 4096
"""Where far sizes end."""

LARGE = 2**16
"""The most positions of an input that runs with values."""


def sizes_to_try(subject: Subject) -> list[str]:
    """Return a case for sizes, one for each axis: each axis alone over two periods and one before, then some drawn.

    Half of those that are drawn are near, and half of all are legal, where there are such. Some run with values, as
    many as the budget allows, by chance; others, and all that are far, on meta.
    """
    legal = subject.legal
    if not legal.runs:
        return []
    rng = random.Random(f"{subject.seed} {KIND}")  # noqa: S311 -- cases, not secrets
    start = tuple(one.smallest or 1 for one in legal.runs.boxes[0])
    found = [
        (*start[:place], size, *start[place + 1 :])
        for place, axis in enumerate(legal.axes)
        for size in _two_periods(legal.runs[axis], start[place])
    ]
    for number in range(DRAWN):
        reach = FAR if number % 2 else max(2 * one.modulus for one in legal.runs.boxes[0]) + 8
        drawn = tuple(max(1, size + rng.randrange(-4, reach)) for size in start)
        near = legal.runs.nearest(drawn) if number % 4 < 2 else []
        found.append(near[0] if near else drawn)
    found, left = list(dict.fromkeys(found)), subject.budget
    valued = set[tuple[int, ...]]()
    for sizes in rng.sample(found, len(found)):
        taken = subject.macs_at(subject.shapes_at(dict(zip(legal.axes, sizes, strict=True))))
        if taken <= left and math.prod(sizes) <= LARGE:
            left -= taken
            valued.add(sizes)
    return [f"{'sizes' if sizes in valued else 'meta'} {'x'.join(map(str, sizes))}" for sizes in found]


def _two_periods(sizes: SizeSet, start: int) -> list[int]:
    """The sizes of an axis around its first, from a period before it until two after; of many, some."""
    period = min(sizes.modulus, MOST // 4)
    first, end = max(1, start - period), start + max(8, 2 * sizes.modulus)
    if end - first <= MOST:
        return list(range(first, end))
    step = (end - first) // (MOST // 4)
    around = {n + more for n in range(first, end, step) for more in (-1, 0, 1)}
    return sorted(around | set(sizes.below(end)[: MOST // 4]) | set(range(first, start + period)))


def compare_sizes(subject: Subject, sizes: Sequence[int], case: str, *, far: bool) -> Comparison:
    """Run the network at some sizes, with values or where they are `far` on meta, and compare with what is said."""
    legal = subject.legal
    if legal.up_to is not None and max(sizes) > legal.up_to:
        return skipped(KIND, "past where torch's float64 is exact, nothing is said")
    if legal.unknown and tuple(sizes) in legal.unknown:
        return skipped(KIND, "convcalc does not know whether they run")
    ours = tuple(sizes) in legal.runs
    shapes = subject.shapes_at(dict(zip(legal.axes, sizes, strict=True)))
    theirs = _refused(subject, shapes, far)
    if theirs is None and far and not ours:
        return skipped(KIND, "meta runs more than a device")
    if ours == (theirs is None):
        return Comparison(kinds=(KIND,), checked=int(ours), refused=int(not ours))
    at = ", ".join(f"{axis} = {size}" for axis, size in zip(legal.axes, sizes, strict=True))
    message = f"{at}: convcalc says that it {'runs' if ours else 'does not run'}, {theirs or 'torch runs it'}"
    return Comparison(kinds=(KIND,), mismatches=(subject.mismatch(KIND, case, message),))


def _refused(subject: Subject, shapes: Sequence[tuple[int, ...]], far: bool) -> str | None:
    """What torch says against inputs of these shapes, if it refuses them."""
    torch = need_torch()
    place = torch.device("meta") if far else subject.place
    module, inputs = subject.for_any_size(place), subject.inputs(shapes, place)
    try:
        subject.run(module, *inputs)
    except Unknown as error:
        return error.message
    return None
