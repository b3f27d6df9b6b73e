"""What must hold for a size to be legal: one propagation, three readings.

A formula hands every condition to `check(value, error)`: it holds where `value >= 0`, and `error(at)` makes the
sentence to raise where it does not. `enforce` raises at once, `Mask` marks the legal entries of arrays, and
`Conditions` keeps what symbols leave open.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, is_array, is_symbolic, is_sympy, is_tensor

Reader: TypeAlias = Callable[[Size], Any]
"""Reads one size as it stands where the condition failed: the entry of an array, or the size itself."""


class Check(Protocol):
    """What is done with a condition: `value >= 0` must hold, `error(at)` says what it means that it does not."""

    def __call__(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """Take note of the condition, or raise."""


def enforce(value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
    """Raise where `value >= 0` is false, at the first false entry of an array; symbols stay open.

    >>> from convcalc.errors import NoOutput
    >>> enforce(3 - 5, lambda at: NoOutput(f"output would be {at(3) - 5}"))
    Traceback (most recent call last):
    ...
    convcalc.errors.NoOutput: output would be -2
    """
    if type(value) is int and value >= 0:
        return
    if is_array(value):
        if value.size and value.min() < 0:
            raise error(_first(value < 0))
    elif is_tensor(value):
        if bool((value < 0).any()):
            entry = int((value < 0).flatten().nonzero()[0])
            raise error(lambda size: int(size.expand_as(value).flatten()[entry]) if is_tensor(size) else size)
    elif _decided(value) is False:
        raise error(lambda size: size)


def _decided(value: Size) -> bool | None:
    if isinstance(value, int):
        return value >= 0
    if isinstance(value, Expr):
        return value.constant >= 0 if value.is_constant else None
    if is_array(value) or is_tensor(value):
        return bool((value >= 0).all())
    return None if is_symbolic(value) else bool(value >= 0)


def _first(broken: Any) -> Reader:
    import numpy as np

    entry = np.unravel_index(int(broken.argmax()), broken.shape)
    return lambda size: int(np.broadcast_to(size, broken.shape)[entry]) if is_array(size) else size


class Mask:
    """The legal entries of arrays: true where every condition so far holds.

    >>> import numpy as np
    >>> from convcalc.arithmetic.formulas import conv_out
    >>> legal = Mask()
    >>> conv_out(np.arange(1, 5), k=3, check=legal).tolist(), legal.holds.tolist()
    ([-1, 0, 1, 2], [False, False, True, True])
    """

    def __init__(self) -> None:
        self.holds: Any = True

    def __call__(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """And `value >= 0` into the mask."""
        self.holds = self.holds & (value >= 0)


class Conditions:
    """The conditions that symbols leave open; a false one raises.

    >>> from convcalc.arithmetic.formulas import conv_out
    >>> needs = Conditions()
    >>> str(conv_out(Expr.symbol("n"), k=5, p=1, check=needs)), [str(value) for value in needs.open]
    ('n - 2', ['n - 1', 'n - 3'])
    """

    def __init__(self) -> None:
        self.open: list[Size] = []

    def __call__(self, value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        """Keep `value`, which must not be negative, unless it is decided."""
        enforce(value, error)
        if _decided(value) is None and value not in self.open:
            self.open.append(value)


def named(place: str, check: Check) -> Check:
    """Return `check` with `place`, an axis or a node, named first in every refusal.

    >>> named("axis W", enforce)(-1, lambda at: ConvcalcError("output would be 0"))
    Traceback (most recent call last):
    ...
    convcalc.errors.ConvcalcError: axis W: output would be 0
    """

    def check_here(value: Size, error: Callable[[Reader], ConvcalcError], /) -> None:
        check(value, lambda at: error(at).at(place))

    return check_here


def any_size(n: Size, *settings: Any) -> Size:
    """Return a symbol for any size in the place of `n`, of the kind that `settings` are: SymPy's beside SymPy's.

    It is called n; n_ where a setting is called n and `n` is not, as the same symbol is the same size.

    >>> any_size(28, 3, (1, 2)), any_size(28, Expr.symbol("n")), any_size(Expr.symbol("n"), Expr.symbol("n"))
    (n, n_, n)
    """
    name = "n"
    while str(n) != name and any(name in _names(value) for value in settings):
        name += "_"
    if any(map(is_sympy, settings)):
        return sys.modules["sympy"].Symbol(name, integer=True)
    return Expr.symbol(name)


def _names(value: Any) -> set[str] | frozenset[str]:
    if isinstance(value, Expr):
        return value.symbols
    return {symbol.name for symbol in value.free_symbols} if is_sympy(value) else set()
