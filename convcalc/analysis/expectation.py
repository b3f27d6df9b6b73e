"""Whether outputs are what somebody expects: the one comparison behind `check` and `--expect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.analysis.report.report import Report
from convcalc.errors import BadArgument, BadShape
from convcalc.layers.base import Shape
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import grouped


def checked(report: Report, expect: Any = None) -> Report:
    """Return a report whose outputs are as expected, or raise: see `convcalc.check`."""
    wanted = None if expect is None else _shapes(expect)
    error = report.error
    if error is not None:
        raise type(error)("\n".join(error.lines()), rule=error.rule, fixes=error.fixes, place=error.place)
    if isinstance(wanted, dict) and wanted.keys() != report.outputs.keys():
        raise BadShape(f"the outputs are {', '.join(report.outputs)}, and {', '.join(wanted)} are expected")
    if wanted is not None:
        in_order = [wanted[name] for name in report.outputs] if isinstance(wanted, dict) else wanted
        refusal = unexpected(report.outputs, in_order, next(iter(report.inputs.values()), ()))
        if refusal is not None:
            raise refusal
    return report


def unexpected(
    outputs: Mapping[str, Shape], expected: Sequence[Shape], given: Shape = (), *, whole: bool = True
) -> BadShape | None:
    """Return the refusal where outputs are not as expected, all with the batch; `given` is the shape of the input.

    The sentence leaves out a batch that is as expected unless shapes are asked for `whole`.

    >>> print(unexpected({"fc": (4, 10)}, [(1, 10)], (1, 3, 64, 64)))
    the output is 4x10, and 1x10 is expected: the batch of 1 has become 4; a view or reshape by -1 may have taken rows \
into it
    """
    if len(outputs) != len(expected):
        told = f"{len(outputs)} output{'s' if len(outputs) > 1 else ''}, {', '.join(outputs)}"
        return BadShape(f"{told}, and {len(expected)} expected", rule=_RULE)
    for (name, shape), wanted in zip(outputs.items(), expected, strict=True):
        if len(shape) == len(wanted) and all(size in (None, one) for one, size in zip(shape, wanted, strict=True)):
            continue
        label = "the output" if len(outputs) == 1 else name
        moved = bool(shape and wanted and given) and shape[0] != wanted[0] == given[0] and shape[1:] == wanted[1:]
        why = f": the batch of {wanted[0]} has become {shape[0]}; a view or reshape by -1 may have taken rows into it"
        if not whole and shape[:1] == wanted[:1]:
            shape, wanted = shape[1:], wanted[1:]
        return BadShape(f"{label} is {_text(shape)}, and {_text(wanted)} is expected{why if moved else ''}", rule=_RULE)
    return None


_RULE = "every output is as expected"


def _text(shape: Shape) -> str:
    return "x".join("?" if size is None else grouped(str(size)) for size in shape) or "()"


def _shapes(expect: Any) -> list[Shape] | dict[str, Shape]:
    """One shape, or several, in order or by name, each a tuple of sizes."""
    if isinstance(expect, Mapping):
        return {str(name): _shape(shape) for name, shape in expect.items()}
    if isinstance(expect, list | tuple) and expect and all(isinstance(shape, list | tuple) for shape in expect):
        return [_shape(shape) for shape in expect]
    return [_shape(expect)]


def _shape(shape: Any) -> Shape:
    sizes = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    if not isinstance(shape, list | tuple) or not all(
        size is None or isinstance(size, str | Expr) or (isinstance(size, int) and not isinstance(size, bool))
        for size in sizes
    ):
        raise BadArgument(f"expect is a shape with the batch, as (1, 10), or a list of them: got {shape!r}")
    return tuple(Expr.symbol(size) if isinstance(size, str) else size for size in sizes)
