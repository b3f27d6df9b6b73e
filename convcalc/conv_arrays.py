"""Convolution of NumPy arrays, on any number of axes, and as a matrix.

Laid out as in torch: data (batch, channels, *spatial), weight (out_channels, in_channels/groups, *kernel_size).
Results have the dtype NumPy gives a product of both: integers stay integers, and arrays of Python ints
(`dtype=object`) are exact at any magnitude.

>>> x, weight = np.array([[[1, 2, 3, 4]]]), np.array([[[1, 10]]])
>>> convolve(x, weight)
array([[[21, 32, 43]]])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convcalc.axes import each_axis, per_axis
from convcalc.errors import BadArgument, BadShape
from convcalc.formulas import conv_out, pad_out, padding_pair
from convcalc.sizes import exact

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
    kernel_size, axes = weight.shape[2:], x.ndim - 2
    steps, spacing = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    settings = list(zip(x.shape[2:], kernel_size, steps, per_axis("padding", padding, axes), spacing, strict=True))
    sizes = each_axis(conv_out, settings)
    padded = pad_or_crop(x, each_axis(padding_pair, settings))
    data = padded.reshape(len(x), groups, weight.shape[1], *padded.shape[2:])
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    y = np.zeros((len(x), groups, kernels.shape[1], *sizes), np.result_type(x, weight))
    for tap in np.ndindex(*kernel_size):
        first = (t * d for t, d in zip(tap, spacing, strict=True))
        window = last_axes(slice(at, at + (o - 1) * s + 1, s) for at, o, s in zip(first, sizes, steps, strict=True))
        y += np.einsum("bgi...,goi->bgo...", data[window], kernels[last_axes(tap)])
    return y.reshape(len(x), len(weight), *sizes)


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

    Column j is what the convolution makes of the j-th unit vector. `input_size` is spatial, one entry an axis.
    Raises as `convolve`.

    >>> conv_matrix(np.array([[[1, 2, 3]]]), [4], padding=1)
    array([[2, 3, 0, 0],
           [1, 2, 3, 0],
           [0, 1, 2, 3],
           [0, 0, 1, 2]])
    """
    channels = weight.shape[1] * groups
    columns = channels * int(np.prod(input_size, dtype=object))
    units = np.eye(columns, dtype=weight.dtype).reshape(columns, channels, *input_size)
    images = convolve(units, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return images.reshape(columns, -1).T


def pad_or_crop(x: Array, pads: Sequence[tuple[int, int]]) -> Array:
    """Return `x` with zeros around its last axes, one pair (before, after) each; a negative side crops.

    All zeros come first, then the crops, so a crop may reach into the zeros of the other side. Raises
    `NoOutput` where nothing is left.

    >>> pad_or_crop(np.array([1, 2, 3]), [(2, -1)])
    array([0, 0, 1, 2])
    """
    sides = [(0, 0)] * (x.ndim - len(pads)) + list(pads)
    for size, side in zip(x.shape[-len(pads) :], pads, strict=True):
        pad_out(size, side)
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
    (groups,) = exact("groups", groups)
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
