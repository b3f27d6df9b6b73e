"""Transposed convolution of NumPy arrays, seen in three ways that agree to the last bit on integers.

Stamps: each input scales the kernel; the copies stand a stride apart and are summed; padding rows are cut off.
Zeros: an ordinary convolution, stride 1, of the input with zeros in between, with the flipped kernel.
Matrix: the convolution of the same hyper-parameters is y = Wx; transposed, it is Wᵀ.

Laid out as in torch: data (batch, in_channels, *spatial), weight (in_channels, out_channels/groups, *kernel_size),
which is the weight of the forward convolution untouched. dtypes as in `arithmetic.transposed.arrays`. Hyper-parameters
are one value for all axes or one for each; a padding may be a pair (before, after). All three raise `BadShape`
where ranks, channels and groups do not suit each other, and as `formulas.conv_transpose_out`.

Sources: M. Zeiler, D. Krishnan, G. Taylor and R. Fergus, "Deconvolutional Networks", CVPR 2010; V. Dumoulin and
F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, section 4.

>>> x, weight = np.array([[[1, 2]]]), np.array([[[1, 10, 100]]])
>>> transposed_by_stamps(x, weight, stride=2)
array([[[  1,  10, 102,  20, 200]]])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convcalc.arithmetic.formulas import extent
from convcalc.arithmetic.transposed.arrays import Array, check_operands, conv_matrix, convolve, last_axes, pad_or_crop
from convcalc.arithmetic.transposed.size import TransposedSize, transposed_sizes
from convcalc.errors import BadArgument
from convcalc.sizes.axes import per_axis
from convcalc.sizes.size import is_symbolic

MOST = 2**31
"""No array has more rows than this, nor a stride, padding or dilation past it."""


def transposed_by_stamps(
    x: Array,
    weight: Array,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the transposed convolution as a sum of kernels, each scaled by one input.

    1 2 with kernel 1 1 1, stride 2:  1 1 1
                                          2 2 2  ->  1 1 3 2 2, and 1 3 2 with padding 1

    >>> transposed_by_stamps(np.array([[[1, 2]]]), np.array([[[1, 1, 1]]]), stride=2, padding=1)
    array([[[1, 3, 2]]])
    """
    axes = _read(x, weight, groups, stride, padding, output_padding, dilation)
    data = x.reshape(len(x), groups, len(weight) // groups, *x.shape[2:])
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    whole = [axis.output_size + sum(axis.padding) for axis in axes]
    canvas = np.zeros((len(x), groups, weight.shape[1], *whole), np.result_type(x, weight))
    for place in np.ndindex(*x.shape[2:]):
        stamp = last_axes(_stamp(axis, at) for axis, at in zip(axes, place, strict=True))
        canvas[stamp] += np.einsum("bgi,gio...->bgo...", data[last_axes(place)], kernels)
    cut = pad_or_crop(canvas, [(-axis.padding[0], -axis.padding[1]) for axis in axes])
    return cut.reshape(len(x), groups * weight.shape[1], *cut.shape[3:])


def _stamp(axis: TransposedSize, at: int) -> slice:
    start = at * axis.stride
    return slice(start, start + extent(axis.kernel_size, axis.dilation), axis.dilation)


def transposed_by_zeros(
    x: Array,
    weight: Array,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the transposed convolution as an ordinary one; `transpose_size.EquivalentConv` has its numbers.

    1 2, stride 2, kernel 1 1 1 -> 0 0 1 0 2 0 0 -> 1 1 3 2 2

    >>> transposed_by_zeros(np.array([[[1, 2]]]), np.array([[[1, 1, 1]]]), stride=2)
    array([[[1, 1, 3, 2, 2]]])
    """
    axes = _read(x, weight, groups, stride, padding, output_padding, dilation)
    padded = pad_or_crop(insert_zeros(x, stride), [axis.equivalent.padding for axis in axes])
    return convolve(padded, flip_kernel(weight, groups), dilation=dilation, groups=groups)


def transposed_by_matrix(
    x: Array,
    weight: Array,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the transposed convolution as Wᵀx, with W the forward convolution's matrix.

    >>> transposed_by_matrix(np.array([[[1, 2]]]), np.array([[[1, 1, 1]]]), stride=2)
    array([[[1, 1, 3, 2, 2]]])
    """
    axes = _read(x, weight, groups, stride, padding, output_padding, dilation)
    forward = forward_matrix(weight, axes, groups)
    y = forward.T @ x.reshape(len(x), len(forward)).T
    return y.T.reshape(len(x), groups * weight.shape[1], *(axis.output_size for axis in axes))


def forward_matrix(weight: Array, axes: Sequence[TransposedSize], groups: int = 1) -> Array:
    """Return W of the convolution whose transpose has these sizes: its rows are the input of that, flattened.

    It is `conv_matrix` at the transposed convolution's output size, less the rows past its input size: there are
    some where output_padding >= stride, and transposed they would only be multiplied with inputs there are not.

    >>> forward_matrix(np.array([[[1, 2, 3]]]), transposed_sizes([2], 3, stride=2))
    array([[1, 2, 3, 0, 0],
           [0, 0, 1, 2, 3]])
    """
    settings = {name: tuple(getattr(axis, name) for axis in axes) for name in ("stride", "padding", "dilation")}
    matrix = conv_matrix(weight, [axis.output_size for axis in axes], groups=groups, **settings)
    rows = matrix.reshape(len(weight), *(axis.inversion.back for axis in axes), -1)
    return rows[(slice(None), *(slice(axis.input_size) for axis in axes))].reshape(-1, matrix.shape[1])


def insert_zeros(x: Array, stride: Any) -> Array:
    """Return `x` with stride - 1 zeros between neighbours on its spatial axes, all but the first two.

    1 2 3 -> 1 0 2 0 3

    >>> insert_zeros(np.array([[[1, 2, 3]]]), stride=2)
    array([[[1, 0, 2, 0, 3]]])
    """
    steps = per_axis("stride", stride, x.ndim - 2)
    spread = np.zeros((*x.shape[:2], *((n - 1) * s + 1 for n, s in zip(x.shape[2:], steps, strict=True))), x.dtype)
    spread[last_axes(slice(None, None, s) for s in steps)] = x
    return spread


def flip_kernel(weight: Array, groups: int = 1) -> Array:
    """Return the equivalent convolution's weight: spatial axes reversed, channel axes swapped within each group.

    (in_channels, out_channels/groups, *k) -> (out_channels, in_channels/groups, *k); 1 2 3 -> 3 2 1

    >>> flip_kernel(np.array([[[1, 2, 3]], [[4, 5, 6]]]))
    array([[[3, 2, 1],
            [6, 5, 4]]])
    """
    by_group = weight.reshape(groups, len(weight) // groups, *weight.shape[1:]).swapaxes(1, 2)
    swapped = by_group.reshape(groups * weight.shape[1], len(weight) // groups, *weight.shape[2:])
    return np.flip(swapped, axis=tuple(range(2, weight.ndim)))


def _read(
    x: Array, weight: Array, groups: int, stride: Any, padding: Any, output_padding: Any, dilation: Any
) -> tuple[TransposedSize, ...]:
    check_operands(x, weight, groups, transposed=True)
    sizes = transposed_sizes(
        x.shape[2:],
        weight.shape[2:],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )
    for axis in sizes:
        values = (axis.stride, *axis.padding, axis.output_padding, axis.dilation, axis.output_size)
        if any(map(is_symbolic, values)):
            raise BadArgument(f"an array is convolved at numbers, not at letters: {', '.join(map(str, values))}")
        if max(map(abs, values)) > MOST:
            raise BadArgument(f"an array of {axis.output_size} rows cannot be made: use smaller numbers, up to {MOST}")
    return sizes
