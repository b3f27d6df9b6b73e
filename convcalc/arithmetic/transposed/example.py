"""A small transposed convolution worked out in numbers, to be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcalc.arithmetic.transposed.arrays import Array, pad_or_crop
from convcalc.arithmetic.transposed.drawing import render_example
from convcalc.arithmetic.transposed.size import TransposedSize
from convcalc.arithmetic.transposed.views import flip_kernel, forward_matrix, insert_zeros, transposed_by_zeros
from convcalc.errors import BadShape
from convcalc.shown import Shown
from convcalc.sizes.size import is_symbolic

READABLE = 64
"""More positions than this on one axis, or in one row or column of a matrix, nobody reads."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WorkedExample(Shown):
    """The stages of one transposed convolution, one channel: input 1, 2, 3, ... and kernel 1, 2, 3, ...

    Arrays are spatial (no batch, no channel) and read-only.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> case = worked_example(transposed_sizes([2], 3, stride=2))
    >>> case.input, case.inserted, case.padded, case.flipped, case.output
    (array([1, 2]), array([1, 0, 2]), array([0, 0, 1, 0, 2, 0, 0]), array([3, 2, 1]), array([1, 2, 5, 4, 6]))
    """

    sizes: tuple[TransposedSize, ...]
    input: Array
    inserted: Array
    padded: Array
    kernel: Array
    flipped: Array
    output: Array
    matrix_shape: tuple[int, int]
    """(inputs, outputs): rows and columns of W, flattened."""
    matrix: Array | None
    """W of the forward convolution; None where it has more than `READABLE` rows or columns."""

    def __str__(self) -> str:
        return render_example(self)


def worked_example(sizes: Sequence[TransposedSize]) -> WorkedExample:
    """Work out the case with these sizes, as from `transpose_size.transposed_sizes`.

    Raises `BadShape` for symbols, and where more than `READABLE` positions stand on an axis or `READABLE`
    squared in all.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> worked_example(transposed_sizes([2], 3, stride=2)).matrix
    array([[1, 2, 3, 0, 0],
           [0, 0, 1, 2, 3]])
    >>> worked_example(transposed_sizes([100], 3, stride=2))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: too large to draw: 203, at most 64 positions on an axis, 4096 in all; use a smaller input
    """
    _check_readable(sizes)
    settings: dict[str, Any] = {
        "stride": tuple(axis.stride for axis in sizes),
        "padding": tuple(axis.padding for axis in sizes),
        "output_padding": tuple(axis.output_padding for axis in sizes),
        "dilation": tuple(axis.dilation for axis in sizes),
    }
    input_size = tuple(axis.input_size for axis in sizes)
    x, kernel = _count_up(input_size), _count_up(tuple(axis.kernel_size for axis in sizes))
    inserted = insert_zeros(x, settings["stride"])
    shape = math.prod(input_size), math.prod(axis.output_size for axis in sizes)
    return WorkedExample(
        sizes=tuple(sizes),
        input=_fixed(x[0, 0]),
        inserted=_fixed(inserted[0, 0]),
        padded=_fixed(pad_or_crop(inserted[0, 0], [axis.equivalent.padding for axis in sizes])),
        kernel=_fixed(kernel[0, 0]),
        flipped=_fixed(flip_kernel(kernel)[0, 0]),
        output=_fixed(transposed_by_zeros(x, kernel, **settings)[0, 0]),
        matrix_shape=shape,
        matrix=_fixed(forward_matrix(kernel, input_size, **settings)) if max(shape) <= READABLE else None,
    )


def _check_readable(sizes: Sequence[TransposedSize]) -> None:
    """Refuse symbols, and more positions than anyone reads, before anything is allocated."""
    letters = {
        str(value)
        for axis in sizes
        for value in (axis.input_size, axis.kernel_size, axis.stride, *axis.padding, axis.output_padding, axis.dilation)
        if is_symbolic(value)
    }
    if letters:
        raise BadShape(f"a drawing needs numbers, not {', '.join(sorted(letters))}")
    largest = [max(axis.equivalent.inserted, axis.equivalent.padded, axis.output_size) for axis in sizes]
    if max(largest) > READABLE or math.prod(largest) > READABLE**2:
        raise BadShape(
            f"too large to draw: {'x'.join(map(str, largest))}, at most {READABLE} positions on an axis, "
            f"{READABLE**2} in all; use a smaller input"
        )


def _count_up(shape: tuple[int, ...]) -> Array:
    return np.arange(1, math.prod(shape) + 1).reshape(1, 1, *shape)


def _fixed(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array
