"""The door of every layer: a hyper-parameter is what its field says, and what its methods are given are shapes.

The annotation of a field says what it takes: `int`, `bool`, `float`, `str`, `Ints` (one integer or one an axis), and
`Any` for what the layer reads itself, made of numbers, names and tuples of them. A formula may stand for an integer.
Positions pasted from torch are refused, as they mean something else here, and the line that is meant is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from operator import index
from typing import Any, TypeVar

from convcalc.errors import BadArgument, BadShape, brief
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import flag

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
            if not _NO_SIZES.isdisjoint(map(type, shape)):
                size = next(size for size in shape if type(size) in _NO_SIZES)
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


def read_setting(kind: str, name: str, value: Any) -> Any:
    """Return the value of a field annotated as `kind`, a list as a tuple; raises `BadArgument` for what is none.

    >>> read_setting("Ints", "stride", [1, 2]), read_setting("int | None", "groups", None)
    ((1, 2), None)
    >>> read_setting("bool", "bias", "no")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: bias must be True or False: 'no'
    """
    wanted, _, none = kind.partition(" | ")
    if value is None and none:
        return None
    reader = _READERS.get(wanted)
    return _as_tuple(value) if reader is None else reader(name, value)


def _integer(name: str, value: Any) -> Any:
    if type(value) is int or isinstance(value, Expr):
        return value
    if not isinstance(value, bool):
        try:
            return value if isinstance(value, int) else index(value)
        except TypeError:
            pass
    raise BadArgument(f"{name} must be an integer: {brief(value)}")


def _integers(name: str, value: Any) -> Any:
    if isinstance(value, tuple | list):
        if not value:
            raise BadArgument(f"{name} needs an integer, or one an axis: {brief(value)}")
        return tuple(_integer(name, entry) for entry in value)
    return _integer(name, value)


def _real(name: str, value: Any) -> Any:
    if type(value) is float or (isinstance(value, int | float) and not isinstance(value, bool)):
        if math.isnan(value):
            raise BadArgument(f"{name} must be a number: nan")
        return value
    if isinstance(value, Expr) or (hasattr(value, "__float__") and getattr(value, "shape", None) == ()):
        return value if isinstance(value, Expr) else float(value)
    raise BadArgument(f"{name} must be a number: {brief(value)}")


def _word(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise BadArgument(f"{name} must be a word: {brief(value)}")


def _simple(name: str, value: Any) -> Any:
    """Numbers, words, formulas and tuples of them: what the layer reads itself."""
    if value is None or isinstance(value, str | int | Expr):
        if isinstance(value, bool):
            raise BadArgument(f"{name} must be a number, or one an axis: {value}")
        return value
    if isinstance(value, tuple | list):
        if hasattr(value, "_fields"):
            return value
        return tuple(_simple(name, entry) for entry in value)
    try:
        return index(value)
    except TypeError:
        return _real(name, value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "int": _integer,
    "bool": flag,
    "float": _real,
    "str": _word,
    "Ints": _integers,
    "Any": _simple,
}
