"""How many axes a call takes, and where it wants its channels."""

from __future__ import annotations

from convcalc.bridge.explain.failure import Failure
from convcalc.layers import Conv, ConvTranspose, Recurrent


def axes_of(failure: Failure) -> int | None:
    """Return how many spatial axes a call has by its name, as in "conv2d"; None where that does not say."""
    digit = failure.function.rstrip("d")[-1:]
    return int(digit) if failure.function.endswith("d") and digit.isdigit() else None


def is_last(failure: Failure) -> bool:
    """Return whether a convolution's channels stand last in what it read, and not where it wants them.

    One equal number may be chance: on two axes or more they are few, as of an image, or the axes before them are equal.
    """
    axes = axes_of(failure)
    if axes is None or not failure.operands or not isinstance(failure.layer, Conv | ConvTranspose):
        return False
    shape, wanted = failure.operands[0].shape, failure.layer.in_channels
    if len(shape) not in (axes + 1, axes + 2) or shape[-1] != wanted or shape[-axes - 1] == wanted:
        return False
    before = shape[-axes - 1 : -1]
    return axes == 1 or len(set(before)) == 1 or (wanted <= 4 and wanted < min(before))


def is_surely_last(failure: Failure) -> bool:
    """Return whether channels stand last by two signs: a sequence has but one, and its length may be chance."""
    return is_last(failure) and axes_of(failure) != 1


def ranks_of(failure: Failure) -> tuple[int, ...] | None:
    """Return how many axes a call takes; None where any number, or where that is not known."""
    name = failure.function
    axes = axes_of(failure)
    if name.startswith(("BatchNorm1d",)):
        return 2, 3
    if name.startswith("BatchNorm") and axes:
        return (axes + 2,)
    if axes and name.startswith(("conv", "InstanceNorm", "max_pool", "avg_pool", "adaptive", "lp_pool", "fractional")):
        return axes + 1, axes + 2
    return (2, 3) if isinstance(failure.layer, Recurrent) else None
