"""The door of every analysis for shapes: one shape (N, C, ...), one for each input, or one by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.errors import BadArgument, BadShape, brief
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, exact, is_array, is_symbolic


def read_shapes(given: Any) -> list[tuple[Size, ...]] | dict[str, tuple[Size, ...]]:
    """Return shapes as tuples of sizes, names as symbols: in the order of the inputs, or by their names.

    Raises `BadArgument` for what is no shape, `BadShape` for a size below 0.

    >>> read_shapes((1, 3, "H", "H")), read_shapes({"image": [1, 3, 8]})
    ([(1, 3, H, H)], {'image': (1, 3, 8)})
    >>> read_shapes("abc")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: input_size is a shape with the batch, as (1, 3, 224, 224): got 'abc'
    """
    if isinstance(given, Mapping):
        if not all(isinstance(name, str) for name in given):
            raise BadArgument(f"input_size by name has names as keys: got {', '.join(map(repr, given))}")
        return {name: read_shape(shape, name) for name, shape in given.items()}
    if isinstance(given, list | tuple) and given and all(isinstance(shape, list | tuple) for shape in given):
        return [read_shape(shape) for shape in given]
    return [read_shape(given)]


def read_shape(given: Any, name: str = "input_size") -> tuple[Size, ...]:
    """Return one shape; raises as `read_shapes`.

    >>> read_shape([1, 3, 8])
    (1, 3, 8)
    """
    if not isinstance(given, list | tuple):
        raise BadArgument(f"{name} is a shape with the batch, as (1, 3, 224, 224): got {brief(given)}")
    return tuple(_size(name, size) for size in given)


def _size(name: str, given: Any) -> Size:
    if isinstance(given, str):
        return Expr.symbol(given)
    if isinstance(given, list | tuple):
        raise BadArgument(f"{name} mixes sizes and shapes: a size is a number, or a name such as 'H': {brief(given)}")
    (size,) = exact("size", given)
    if not (isinstance(size, int) or is_symbolic(size) or is_array(size)):
        raise BadArgument(f"{name}: a size is a number, or a name such as 'H': got {type(given).__name__}")
    if isinstance(size, int) and size < 0:
        raise BadShape(f"{name}: a size must be >= 0: {size}")
    return size
