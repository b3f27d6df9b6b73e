"""Letters for the sizes of an input: which axes have one, and which."""

from __future__ import annotations

from collections.abc import Mapping

from convcalc.layers import Shape
from convcalc.sizes.axes import axis_names
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import is_symbolic


def with_symbols(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """The input shapes with letters for spatial sizes; inputs of one size share their letters."""
    first: dict[Shape, str] = {}
    found = {}
    for name, shape in shapes.items():
        own = "".join(letter if letter.isalnum() else "_" for letter in name)  # "xs.1" is an entry of a list
        suffix = first.setdefault(shape[2:], f"_{own}" if first else "")
        letters = [
            size if is_symbolic(size) else Expr.symbol(f"{letter}{suffix}")
            for letter, size in zip(axis_names(max(0, len(shape) - 2)), shape[2:], strict=True)
        ]
        found[name] = (*shape[:2], *letters)
    return found
