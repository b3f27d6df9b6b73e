"""The door of a layer's methods: what they are given are shapes, as many as the layer takes, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
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


def refuse_pasted(cls: Any, values: tuple[Any, ...], settings: Mapping[str, Any]) -> None:
    """Refuse more by position than the layer takes so, or a word twice, and write the line that is meant.

    >>> from convcalc.layers import ReLU
    >>> ReLU(True)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: ReLU takes nothing by position, all else by keyword: ReLU(True)
    """
    ours = [entry.name for entry in fields(cls) if entry.init and not entry.kw_only]
    if len(values) > len(ours) or any(name in settings for name in ours[: len(values)]):
        raise _pasted(cls, ours, values, settings)


def _pasted(cls: Any, ours: list[str], values: tuple[Any, ...], settings: Mapping[str, Any]) -> BadArgument:
    """The refusal of `cls(*values, **settings)`, with the same layer in our words where torch's order tells it."""
    name = cls.__name__
    takes = f"takes {' and '.join(ours)} by position" if ours else "takes nothing by position"
    given = ", ".join([*map(repr, values), *(f"{key}={value!r}" for key, value in settings.items())])
    message = f"{name} {takes}, all else by keyword: {name}({given})"
    if not cls.torch_order or len(values) > len(cls.torch_order):
        return BadArgument(message, rule=f"{name} {takes}")
    words = {**dict(zip(cls.torch_order, values, strict=False)), **settings}
    inferred = [word for word in ("in_channels", "in_features") if words.pop(word, None) is not None]
    why = f"{inferred[0]} is inferred, so " if inferred else ""
    known = {entry.name for entry in fields(cls)}
    line = [repr(words.pop(word)) for word in ours if word in words]
    line += [f"{word}={value!r}" for word, value in words.items() if word in known]
    fix = f"{name}({', '.join(line)})"
    return BadArgument(f"{message}; {why}in torch's order that is {fix} here", rule=f"{name} {takes}", fixes=[fix])
