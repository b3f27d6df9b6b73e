"""Convolution of NumPy arrays, on any number of axes, and as a matrix.

Laid out as in torch: data (batch, channels, *spatial), weight (out_channels, in_channels/groups, *kernel_size).
Results have the dtype NumPy gives a product of both: integers stay integers, and arrays of Python ints
(`dtype=object`) are exact at any magnitude.

>>> x, weight = np.array([[[1, 2, 3, 4]]]), np.array([[[1, 10]]])
>>> convolve(x, weight)
array([[[21, 32, 43]]])
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from convcalc.arithmetic.formulas import conv_out, padding_pair
from convcalc.arithmetic.resizing import pad_out
from convcalc.errors import BadArgument, BadShape, brief
from convcalc.sizes.axes import each_axis, per_axis
from convcalc.sizes.size import is_array, numbers

Array: TypeAlias = npt.NDArray[Any]


def convolve(
    x: Array, weight: Array, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """Return the convolution of `x` (batch, in_channels, *spatial) with `weight`, as torch's convNd has it.

    Hyper-parameters are one value for all axes or one for each; a padding may be a pair (before, after) or one
    of `formulas.PADDING_NAMES`. Raises `BadShape` where ranks, channels and groups do not suit each other,
    and as `formulas.conv_out`.

    1 2 3 4 5, kernel 1 1 1, stride 2 -> 6 12

    >>> convolve(np.array([[[1, 2, 3, 4, 5]]]), np.array([[[1, 1, 1]]]), stride=2)
    array([[[ 6, 12]]])
    """
    check_operands(x, weight, groups)
    windows = _windows(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    padded = pad_or_crop(x, windows.padding)
    data = padded.reshape(len(x), groups, weight.shape[1], *padded.shape[2:])
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    y = np.zeros((len(x), groups, kernels.shape[1], *windows.output_size), np.result_type(x, weight))
    for tap, reads in windows.taps:
        y += np.einsum("bgi...,goi->bgo...", data[reads], kernels[tap])
    return y.reshape(len(x), len(weight), *windows.output_size)


def conv_matrix(
    weight: Array,
    input_size: Sequence[int],
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the dense W with y = Wx: rows are outputs, columns inputs, both flattened (channels, *spatial).

    The entry for an output and an input is the weight of the tap with which the one reads the other; no two taps
    of an output read the same input. `input_size` is spatial, one entry an axis. Raises as `convolve`.

    >>> conv_matrix(np.array([[[1, 2, 3]]]), [4], padding=1)
    array([[2, 3, 0, 0],
           [1, 2, 3, 0],
           [0, 1, 2, 3],
           [0, 0, 1, 2]])
    """
    channels, inputs = weight.shape[1] * groups, math.prod(input_size)
    columns = np.arange(1, channels * inputs + 1).reshape(1, channels, *input_size)  # column 0 takes the padding
    check_operands(columns, weight, groups)
    windows = _windows(input_size, weight.shape[2:], stride, padding, dilation)
    padded = pad_or_crop(columns, windows.padding)
    rows = range(math.prod(windows.output_size))
    matrix = np.zeros((len(weight), len(rows), 1 + columns.size), weight.dtype)
    for tap, reads in windows.taps:
        read = padded[reads].reshape(groups, weight.shape[1], len(rows))
        for channel, kernel in enumerate(weight[tap]):
            for column, value in zip(read[channel * groups // len(weight)], kernel, strict=True):
                matrix[channel, rows, column] = value
    return matrix[:, :, 1:].reshape(-1, columns.size)


class _Windows(NamedTuple):
    """Where the windows of a convolution are, on all axes."""

    padding: tuple[tuple[int, int], ...]
    output_size: tuple[int, ...]
    taps: list[tuple[Any, Any]]
    """For each kernel tap, the index of its weight and of the padded inputs that all windows read with it."""


def _windows(
    input_size: Sequence[int], kernel_size: Sequence[int], stride: Any, padding: Any, dilation: Any
) -> _Windows:
    axes = len(input_size)
    steps, spacing = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    settings = list(zip(input_size, kernel_size, steps, per_axis("padding", padding, axes), spacing, strict=True))
    output_size = each_axis(conv_out, settings)

    def reads(tap: tuple[int, ...]) -> Any:
        first = (at * d for at, d in zip(tap, spacing, strict=True))
        return last_axes(slice(at, at + (o - 1) * s + 1, s) for at, o, s in zip(first, output_size, steps, strict=True))

    taps = [(last_axes(tap), reads(tap)) for tap in np.ndindex(*kernel_size)]
    return _Windows(each_axis(padding_pair, settings), output_size, taps)


def pad_or_crop(x: Array, pads: Sequence[tuple[int, int]]) -> Array:
    """Return `x` with zeros around its last axes, one pair (before, after) each; a negative side crops.

    All zeros come first, then the crops, so a crop may reach into the zeros of the other side. Raises
    `NoOutput` where nothing is left.

    >>> pad_or_crop(np.array([1, 2, 3]), [(2, -1)])
    array([0, 0, 1, 2])
    """
    sides = [(0, 0)] * (x.ndim - len(pads)) + list(pads)
    for size, (before, after) in zip(x.shape[-len(pads) :], pads, strict=True):
        pad_out(size + max(0, before) + max(0, after), (min(0, before), min(0, after)))
    zeros = [(max(0, before), max(0, after)) for before, after in sides]
    shape = [size + sum(side) for size, side in zip(x.shape, zeros, strict=True)]
    padded = np.zeros(shape, x.dtype)  # np.pad puts zeros of int64 among Python ints, where the sums would overflow
    padded[tuple(slice(before, before + size) for size, (before, _) in zip(x.shape, zeros, strict=True))] = x
    kept = (slice(max(0, -before), size - max(0, -after)) for size, (before, after) in zip(shape, sides, strict=True))
    return padded[tuple(kept)]


def last_axes(index: Iterable[Any]) -> tuple[Any, ...]:
    """Return the index that takes one entry for each of the last axes and leaves those before alone.

    >>> np.array([[[1, 2], [3, 4]]])[last_axes([0, 1])]
    array([2])
    """
    return (..., *index)


def check_operands(x: Array, weight: Array, groups: int, *, transposed: bool = False) -> None:
    """Refuse data and weight that do not suit each other, in rank, channels or groups.

    A `transposed` weight is (in_channels, out_channels/groups, ...), not (out_channels, in_channels/groups, ...).

    >>> check_operands(np.ones((1, 3, 5)), np.ones((2, 2, 3)), groups=1)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: the data has 3 channels, the weight takes 2: (1, 3, 5) with weight (2, 2, 3), groups=1
    """
    for name, array in (("data", x), ("weight", weight)):
        if not is_array(array) or array.dtype.kind not in "iufcbO":
            raise BadArgument(f"{name} must be a NumPy array of numbers: {brief(array)}")
    (groups,) = numbers("groups", groups)
    if groups < 1:
        raise BadArgument(f"groups must be >= 1: {groups}")
    if x.ndim != weight.ndim or x.ndim < 3:
        raise BadShape(
            "data is (batch, channels, *spatial) and the weight has as many axes, three or more: "
            f"{x.shape} with weight {weight.shape}"
        )
    first, second = weight.shape[:2]
    takes = first if transposed else second * groups
    if not first * second:
        raise BadShape(f"the weight has no channels: {weight.shape}")
    if x.shape[1] != takes:
        raise BadShape(
            f"the data has {x.shape[1]} channels, the weight takes {takes}: "
            f"{x.shape} with weight {weight.shape}, groups={groups}"
        )
    if first % groups:
        raise BadShape(f"groups={groups} must divide {'in' if transposed else 'out'}_channels={first}")
