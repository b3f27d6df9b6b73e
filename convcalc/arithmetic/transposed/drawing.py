# ruff: noqa: A002 -- `ascii` says what it does, and nobody needs the builtin here
"""A worked example of a transposed convolution, drawn in numbers; and as a JSON record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcalc.arithmetic.transposed.example import WorkedExample


def render_example(case: WorkedExample, *, matrix: bool = False, ascii: bool = False) -> str:
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
        lines += _matrices(case, "W^T" if ascii else "Wᵀ")
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
