"""The door of a layer's methods: what they are given are shapes, as many as the layer takes, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from convcalc.errors import BadArgument, BadShape, brief

T = TypeVar("T")

ASKED_OF_SHAPES = ("out_shape", "params", "macs")
"""The methods of a layer that take the shapes of its inputs."""

_NO_SIZES = frozenset({str, bytes, float, complex, bool, type(None), list, tuple, dict, set})


def of_shapes(method: Callable[..., T]) -> Callable[..., T]:
    """Return a method that refuses what is no shape, and another number of shapes than it takes, in a sentence.

    >>> from convcalc.layers import ReLU
    >>> ReLU().out_shape("abc")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: relu takes a shape, as (N, C, H, W): got 'abc'
    """

    @wraps(method)
    def asked(self: Any, *shapes: Any, **settings: Any) -> T:
        for shape in shapes:
            if not isinstance(shape, tuple | list):
                raise BadArgument(f"{self.op} takes a shape, as (N, C, H, W): got {brief(shape)}")
            for size in shape:
                if type(size) in _NO_SIZES:
                    raise BadArgument(f"{self.op} takes a shape of integers: got {brief(size)} in {brief(shape)}")
        (fewest, most), given = self.takes, len(shapes)
        if given != fewest and most is not None and (given > most or fewest == most):
            raise _counted(self.op, given, fewest, most)
        try:
            return method(self, *shapes, **settings)
        except TypeError:
            if fewest <= given:
                raise
            raise _counted(self.op, given, fewest, most) from None
        except IndexError:
            raise BadShape(f"{self.op} takes no input of shape {', '.join(map(brief, shapes))}") from None

    return asked


def _counted(op: str, given: int, fewest: int, most: int | None) -> BadArgument:
    wanted = "one shape" if fewest == most == 1 else f"{fewest} shapes" if most else f"{fewest} shapes or more"
    return BadArgument(f"{op} takes {wanted}: got {given}")
