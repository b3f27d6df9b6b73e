"""Random layers and input shapes, legal and not: one generator for `convcalc verify layers` and the property tests.

Sizes are small, so that thousands run in a second, and most values lie at an edge: kernels that just fit or just
do not, paddings at half a kernel, groups that divide and do not. Of every kind a good part is refused. Left out is
what torch and convcalc say differently on purpose:

- values beyond int64, where torch wraps, and values that are no integers;
- one entry in a tuple for several axes, which torch repeats and convcalc refuses;
- uneven padding of a pooling, a transposed convolution, unfold or fold, for which torch has no word;
- other ranks than those of images for zero padding and pixel shuffle, which torch applies to the last axes of any
  tensor, and likewise for adaptive averages to size 1, which torch computes as a mean;

and what torch answers though there is no answer, by measurement on 2.13:

- the adaptive average to size 1, or "area" interpolation, of an empty axis: torch gives NaN, or an error, by shape;
- circular padding that crops one side and pads the other by more than is left: torch reads what it never wrote;
- reflect padding that crops an empty batch: in 2-D torch makes a tensor with a negative size;
- pixel unshuffle of an empty input: torch returns it as it is, unlike pixel shuffle.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

from convcalc.arithmetic.formulas import extent
from convcalc.bridge.verify.dice import Case, Dice, Words
from convcalc.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Conv,
    ConvTranspose,
    Crop,
    Fold,
    Layer,
    LpPool,
    MaxPool,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    Unfold,
    Upsample,
)
from convcalc.layers.resize import MODES


def draw_case(rng: random.Random) -> Case:
    """Return a random case, the same for the same state of `rng`.

    >>> draw_case(random.Random(0)) == draw_case(random.Random(0))
    True
    """
    while True:
        dice = Dice(rng, 1 + int(rng.random() * 3))
        case: Case = dice.pick(*_KINDS)(dice)
        if not _cannot_be_compared(case):
            return case


def _cannot_be_compared(case: Case) -> bool:
    """Whether the case is one of those left out that the draws below can give; the top of this file says why."""
    shape = case.shape
    match case.layer:
        case AdaptiveAvgPool(output_size=wanted):
            to_one = {1} >= {size or 1 for size in (wanted if isinstance(wanted, tuple) else (wanted,))}
            return to_one and (0 in shape[-case.axes :] or len(shape) > case.axes + 2)
        case Upsample(mode="area"):
            return 0 in shape[-case.axes :]
        case Pad(padding=sides, mode="circular"):
            return any(isinstance(side, tuple) and min(side) < 0 < max(side) for side in sides)
        case Pad(padding=sides, mode="reflect"):
            return shape[0] == 0 and any(min(side) < 0 if isinstance(side, tuple) else side < 0 for side in sides)
        case PixelUnshuffle():
            return 0 in shape
        case _:
            return False


def _conv(dice: Dice) -> Case:
    groups = dice.pick(1, 1, 2, 3)
    channels, out_channels = groups * dice.number(1, 2), groups * dice.number(1, 2)
    kernel, padding, dilation = dice.each(1, 4), dice.each(0, 2), dice.each(1, 3)
    spans = [extent(k, d) - 2 * p for k, p, d in zip(kernel, padding, dilation, strict=True)]
    words = {
        "kernel_size": kernel,
        "stride": dice.each(1, 3),
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    words = dice.short(dice.spoil(words, 0.15))
    if dice.chance(0.2):
        words["padding"] = dice.pick("same", "same", "valid")
        words["stride"] = words["stride"] if dice.chance(0.2) else 1
    layer = Conv(
        out_channels + dice.chance(0.05),
        in_channels=channels,
        padding_mode=dice.pick("zeros", "zeros", "zeros", "reflect", "replicate", "circular"),
        bias=dice.chance(0.5),
        axes=dice.word,
        **words,
    )
    return dice.case(layer, channels + dice.chance(0.05), dice.sizes(spans))


def _padded_conv(dice: Dice) -> Case:
    """Paddings that torch's convolutions do not take themselves."""
    groups = dice.pick(1, 2, 3)
    channels, out_channels = groups * dice.number(1, 2), groups * dice.number(1, 2)
    kernel, dilation = dice.each(1, 4), dice.each(1, 3)
    sides = tuple((dice.number(0, 2), dice.number(0, 3)) for _ in range(dice.axes))
    layer = Conv(
        out_channels + dice.chance(0.2),
        kernel,
        stride=dice.each(1, 3),
        padding=dice.pick(sides, sides, "same-upper", "same-lower", "full", "causal"),
        dilation=dilation,
        groups=groups,
        padding_mode=dice.pick("zeros", "zeros", "reflect", "replicate", "circular"),
    )
    spans = [extent(k, d) - sum(side) for k, d, side in zip(kernel, dilation, sides, strict=True)]
    return Case(layer, (dice.number(0, 2), channels, *dice.sizes(spans)))


def _conv_transpose(dice: Dice) -> Case:
    groups = dice.pick(1, 1, 2, 3)
    channels, out_channels = groups * dice.number(1, 2), groups * dice.number(1, 2)
    stride, dilation = dice.each(1, 3), dice.each(1, 3)
    words = {
        "kernel_size": dice.each(1, 4),
        "stride": stride,
        "padding": dice.each(0, 2),
        "output_padding": tuple(dice.number(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)),
        "dilation": dilation,
        "groups": groups,
    }
    words = dice.short(dice.spoil(words, 0.15))
    layer = ConvTranspose(
        out_channels + dice.chance(0.05), in_channels=channels, bias=dice.chance(0.5), axes=dice.word, **words
    )
    return dice.case(layer, channels + dice.chance(0.05), tuple(dice.number(1, 4) for _ in range(dice.axes)))


def _pool(dice: Dice) -> Case:
    kernel = dice.each(1, 5)
    padding = tuple(k // 2 if dice.chance(0.5) else dice.number(0, k // 2) for k in kernel)
    dilation = dice.each(1, 3)
    words: Words = {
        "kernel_size": kernel,
        "stride": None if dice.chance(0.3) else dice.each(1, 6),
        "ceil_mode": dice.chance(0.5),
    }
    pool = dice.pick(MaxPool, MaxPool, AvgPool, LpPool)
    if pool is not LpPool:
        words["padding"] = dice.put(padding, 3) if dice.chance(0.1) else padding
    if pool is MaxPool:
        words["dilation"] = dilation
    spans = [
        extent(k, d if pool is MaxPool else 1) - 2 * p * (pool is MaxPool or (pool is AvgPool and dice.axes < 3))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    layer = pool(axes=dice.word, **dice.short(dice.spoil(words, 0.2)))
    return dice.case(layer, dice.number(1, 2), dice.sizes(spans))


def _adaptive_pool(dice: Dice) -> Case:
    wanted = dice.each(1, 5)
    words = dice.short(dice.spoil({"output_size": dice.put(wanted, None) if dice.chance(0.2) else wanted}, 0.4))
    sizes = tuple(dice.number(1, 7) for _ in range(dice.axes))
    layer = dice.pick(AdaptiveAvgPool, AdaptiveMaxPool)(axes=dice.word, **words)
    return dice.case(layer, dice.number(1, 2), sizes)


def _blocks(dice: Dice) -> Case:
    """Unfold, and fold back what unfold gives, or nearly that."""
    dice.axes = 2
    kernel, padding, dilation, stride = dice.each(1, 3), dice.each(0, 2), dice.each(1, 2), dice.each(1, 3)
    words = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    sizes = dice.sizes(extent(k, d) - 2 * p for k, p, d in zip(kernel, padding, dilation, strict=True))
    channels = dice.number(1, 2)
    if dice.chance(0.5):
        return dice.case(Unfold(axes=dice.word, **dice.short(dice.spoil(words))), channels, sizes)
    windows = math.prod(
        max(0, (n + 2 * p - extent(k, d)) // s + 1)
        for n, k, p, d, s in zip(sizes, kernel, padding, dilation, stride, strict=True)
    )
    layer = Fold(**dice.short(dice.spoil({**words, "output_size": sizes})))
    shape = (channels * math.prod(kernel) + dice.chance(0.05), windows + dice.chance(0.05))
    batch = dice.pick((), (0,), (1,), (2,), (2,), (2,), (1, 1))
    return Case(layer, (*batch, *(dice.put(shape, 0) if dice.chance(0.05) else shape)))


def _upsample(dice: Dice) -> Case:
    fits = [mode for mode, axes in MODES.items() if dice.axes in axes]
    mode = dice.pick(*MODES) if dice.chance(0.1) else dice.pick(*fits)
    factors = dice.pick(0.3, 0.5, 0.7, 1.0, 1.25, 1.5, 2, 2.5, 3), dice.pick(0.25, 1, 1.1, 2)
    words: Words = (
        {"size": dice.each(1, 6)}
        if dice.chance(0.4)
        else {"scale_factor": tuple(dice.pick(*factors) for _ in range(dice.axes))}
    )
    layer = Upsample(mode=mode, axes=dice.word, **dice.short(dice.spoil(words, 0.15)))
    return dice.case(layer, dice.number(1, 2), tuple(dice.number(1, 6) for _ in range(dice.axes)))


def _pad(dice: Dice) -> Case:
    mode = dice.pick("constant", "constant", "reflect", "replicate", "circular")
    low = -2 if mode == "constant" or dice.chance(0.4) else 0
    high = 2 if mode == "reflect" else 3
    sides = tuple(
        side if dice.chance(0.5) else (side, dice.number(low, high))
        for side in (dice.number(low, high) for _ in range(dice.axes))
    )
    sizes = tuple(dice.number(1, 5) for _ in range(dice.axes))
    if dice.chance(0.15):
        rows = tuple(dice.number(0, 2) for _ in range(dice.axes))
        return _batched(dice, Crop(rows), sizes)
    if mode == "constant":
        return _batched(dice, Pad(sides), sizes)
    return dice.case(Pad(sides, mode=mode, axes=dice.word), dice.number(1, 2), sizes)


def _shuffle(dice: Dice) -> Case:
    dice.axes = 2
    factor = dice.number(1, 3)
    bad = dice.pick(0, -1) if dice.chance(0.1) else factor
    sizes = (dice.number(0, 4), dice.number(1, 4))
    if dice.chance(0.5):
        return _batched(dice, PixelShuffle(bad), sizes, dice.number(1, 2) * factor**2 + dice.chance(0.2))
    return _batched(dice, PixelUnshuffle(bad), tuple(factor * n + dice.chance(0.1) for n in sizes))


def _batched(dice: Dice, layer: Layer, sizes: tuple[int, ...], channels: int = 2) -> Case:
    """An input of a right rank, for what torch applies to the last axes of any tensor."""
    shape = (dice.number(0, 2), channels, *sizes)
    return Case(layer, shape) if dice.chance(0.8) else Case(replace(layer, axes=dice.axes), shape[1:])


_KINDS: tuple[Callable[[Dice], Case], ...] = (
    *(_conv, _conv, _conv, _padded_conv, _conv_transpose, _conv_transpose),
    *(_pool, _pool, _pool, _pool, _adaptive_pool, _blocks, _upsample, _pad, _pad, _shuffle),
)
