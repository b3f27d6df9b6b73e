"""The door of every layer: a hyper-parameter is what its field says, or is refused by name.

The annotation of a field says what it takes: `int`, `bool`, `float`, `str`, `Ints` (one integer or one an axis), and
`Any` for what the layer reads itself, made of numbers, names and tuples of them. A formula may stand for an integer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any

from convcalc.errors import BadArgument, brief
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import flag


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
