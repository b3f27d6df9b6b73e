"""A small transposed convolution worked out in numbers, to be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcalc.arithmetic.transposed.arrays import Array, pad_or_crop
from convcalc.arithmetic.transposed.size import TransposedSize
from convcalc.arithmetic.transposed.views import flip_kernel, forward_matrix, insert_zeros, transposed_by_zeros
from convcalc.errors import BadShape
from convcalc.shown import Shown
from convcalc.sizes.size import is_symbolic
from convcalc.sizes.text import PRETTY, PYTHON, Style

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
    names = ("stride", "padding", "output_padding", "dilation")
    settings: dict[str, Any] = {name: tuple(getattr(axis, name) for axis in sizes) for name in names}
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
        matrix=_fixed(forward_matrix(kernel, sizes)) if max(shape) <= READABLE else None,
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


def render_example(case: WorkedExample, *, matrix: bool = False, style: Style = PRETTY) -> str:
    """Return the drawing in numbers; with `matrix` also W and Wᵀ, in which a dot is a zero that no weight fills.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> from convcalc.arithmetic.transposed.example import worked_example
    >>> print(render_example(worked_example(transposed_sizes([2], 3, stride=2)), matrix=True))
    input            1 2
    zeros between    1 0 2
    padded           0 0 1 0 2 0 0
    kernel           1 2 3
    flipped          3 2 1
    output           1 2 5 4 6
    W (2x5)          1 2 3 . .
                     . . 1 2 3
    Wᵀ (5x2)         1 .
                     2 .
                     3 1
                     . 2
                     . 3
    """
    stages = [
        ("input", case.input),
        ("zeros between", case.inserted),
        ("cropped" if case.padded.size < case.inserted.size else "padded", case.padded),
        ("kernel", case.kernel),
        ("flipped", case.flipped),
        ("output", case.output),
    ]
    lines = [line for name, array in stages for line in _labelled(name, _grid(array))]
    if matrix:
        lines += _matrices(case, "W^T" if style is PYTHON else "Wᵀ")
    return "\n".join(lines)


def example_record(case: WorkedExample) -> dict[str, Any]:
    """Return the JSON record of a worked example; `matrix` is None where it is too large to read.

    >>> from convcalc.arithmetic.transposed.size import transposed_sizes
    >>> from convcalc.arithmetic.transposed.example import worked_example
    >>> example_record(worked_example(transposed_sizes([2], 3, stride=2)))["output"]
    [1, 2, 5, 4, 6]
    """
    stages = ("input", "inserted", "padded", "kernel", "flipped", "output")
    return {
        **{stage: getattr(case, stage).tolist() for stage in stages},
        "matrix_shape": list(case.matrix_shape),
        "matrix": None if case.matrix is None else case.matrix.tolist(),
    }


def _matrices(case: WorkedExample, name: str) -> list[str]:
    rows, columns = case.matrix_shape
    if case.matrix is None:
        return [f"W is {rows}x{columns}: too large to read; use a smaller input"]
    forward, transposed = case.matrix.tolist(), case.matrix.T.tolist()
    return [
        *_labelled(f"W ({rows}x{columns})", _table(forward, zero=".")),
        *_labelled(f"{name} ({columns}x{rows})", _table(transposed, zero=".")),
    ]


def _labelled(label: str, lines: Iterable[str]) -> list[str]:
    first, *others = lines
    return [f"{label:<16} {first}", *(f"{'':<16} {line}".rstrip() for line in others)]


def _grid(array: Any) -> list[str]:
    """Write an array of any number of axes: the last two as a table, the others one table after another."""
    if array.ndim <= 2:
        return _table([array.tolist()] if array.ndim == 1 else array.tolist())
    lines: list[str] = []
    for part in array:
        lines += ["", *_grid(part)] if lines else _grid(part)
    return lines


def _table(rows: list[list[int]], zero: str = "0") -> list[str]:
    texts = [[zero if value == 0 else str(value) for value in row] for row in rows]
    width = max(len(text) for row in texts for text in row)
    return [" ".join(text.rjust(width) for text in row) for row in texts]
