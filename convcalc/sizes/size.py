"""What may stand for a size: an int, an integer array of NumPy or tensor of torch, a convcalc or SymPy expression.

The formulas use `+ - * //` alone, so one definition serves all. This module is the door: it lets exact
values in and keeps the rest out, by name.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import wraps
from operator import index
from typing import Any, TypeAlias, TypeVar

from convcalc.errors import BadArgument, brief
from convcalc.sizes.atoms import Formula

F = TypeVar("F", bound=Callable[..., Any])

Size: TypeAlias = Any  # int | NDArray[integer] | Expr | sympy.Expr; NumPy and SymPy may not be imported yet

_SAFE = 2**60  # int64 holds a sum of four products below this


def is_array(value: Any) -> bool:
    """Whether `value` is a NumPy array, without importing NumPy.

    >>> is_array(3)
    False
    """
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor of torch, without importing torch.

    >>> is_tensor(3)
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_symbolic(value: Any) -> bool:
    """Whether `value` is an expression, convcalc's or SymPy's, rather than a number.

    >>> from convcalc.sizes.expr import Expr
    >>> is_symbolic(3), is_symbolic(Expr.symbol("n"))
    (False, True)
    """
    return isinstance(value, Formula) or is_sympy(value)


def is_sympy(value: Any) -> bool:
    """Whether `value` is a SymPy expression and no number, without importing SymPy.

    >>> is_sympy(3)
    False
    """
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic) and not value.is_Integer


def exact(names: str, *values: Size) -> tuple[Size, ...]:
    """Return `values` as sizes on which `+ - * //` are exact, or say which one is no integer.

    Beside plain integers they are of one kind: arrays, convcalc's formulas, or SymPy's.

    Integer arrays come back as int64 where no product of the values can leave it, and as arrays of Python
    ints where one could: never wrapped.

    >>> exact("n k", 28, 5)
    (28, 5)
    >>> exact("n", 28.0)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: n must be an integer: 28.0
    """
    sizes = exact_each(names, *values)
    if len({type(size) for size in sizes} - {int}) < 2:
        return sizes
    kinds = {kind: name for name, size in zip(names.split(), sizes, strict=True) if (kind := _kind(size))}
    if len(kinds) > 1:
        (first, a), (second, b), *_ = kinds.items()
        raise BadArgument(f"{a} and {b} do not go together, {first} and {second}: give both as one kind, or numbers")
    return sizes


def _kind(size: Size) -> str:
    if is_array(size):
        return "an array"
    if is_tensor(size):
        return "a tensor"
    return "a formula" if isinstance(size, Formula) else "a SymPy expression" if is_sympy(size) else ""


def exact_each(names: str, *values: Size) -> tuple[Size, ...]:
    """Return `values` as `exact` does, of whatever kinds they are.

    >>> from convcalc.sizes.expr import Expr
    >>> exact_each("n k", 28, Expr.symbol("k"))
    (28, k)
    """
    if set(map(type, values)) <= {int}:
        return values
    sizes = [
        value if type(value) is int else _size(name, value) for name, value in zip(names.split(), values, strict=True)
    ]
    if any(map(is_array, sizes)):
        reach = math.prod(1 + magnitude(size) for size in sizes)
        kind = "int64" if reach < _SAFE else "object"
        sizes = [_as_kind(size, kind) if is_array(size) else size for size in sizes]
    elif any(is_tensor(size) for size in sizes) and math.prod(1 + magnitude(size) for size in sizes) >= _SAFE:
        raise too_large()
    return tuple(sizes)


def single(names: str, *values: Size) -> tuple[Size, ...]:
    """Return `values` as `exact` does; an array is refused, as the answer is about one size.

    >>> from convcalc.sizes.expr import Expr
    >>> single("n k", 28, Expr.symbol("k"))
    (28, k)
    """
    for name, size in zip(names.split(), sizes := exact(names, *values), strict=True):
        if is_array(size) or is_tensor(size):
            raise BadArgument(f"{name} must be one integer or a formula, not {_kind(size)}")
    return sizes


def numbers(names: str, *values: Size) -> tuple[int, ...]:
    """Return `values` as ints; arrays and symbols are refused.

    >>> from convcalc.sizes.expr import Expr
    >>> numbers("n", 28)
    (28,)
    >>> numbers("n k", 28, Expr.symbol("k"))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: k must be a number here: k
    """
    if set(map(type, values)) <= {int}:
        return values
    for name, size in zip(names.split(), sizes := exact_each(names, *values), strict=True):
        if not isinstance(size, int):
            raise BadArgument(f"{name} must be a number here: {size}")
    return sizes


def flag(name: str, value: Any) -> bool:
    """Return a switch, True or False and nothing that merely counts as one.

    >>> flag("ceil_mode", "False")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: ceil_mode must be True or False: 'False'
    """
    if isinstance(value, bool) or type(value).__name__ == "bool":  # NumPy's has the name of Python's
        return bool(value)
    raise BadArgument(f"{name} must be True or False: {value!r}")


def renamed(**names: str) -> Callable[[F], F]:
    """Refuse the names that arguments had before, each with the one that it has now.

    >>> @renamed(length="n")
    ... def half(n):
    ...     return n // 2
    >>> half(length=8)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: half takes the size of one axis as `n`, not as `length`: write n=8
    """

    def around(function: F) -> F:
        @wraps(function)
        def asked(*values: Any, **settings: Any) -> Any:
            for old, new in names.items():
                if old in settings:
                    raise BadArgument(
                        f"{function.__name__} takes the size of one axis as `{new}`, not as `{old}`: "
                        f"write {new}={brief(settings[old])}"
                    )
            return function(*values, **settings)

        return asked  # type: ignore[return-value]

    return around


def _size(name: str, value: Any) -> Size:
    if isinstance(value, bool):
        raise BadArgument(f"{name} must be an integer: {value}")
    if is_array(value):
        if value.dtype.kind in "iu" or (value.dtype.kind == "O" and all(isinstance(v, int) for v in value.flat)):
            return value
        raise BadArgument(f"{name} must be an array of integers, not of {value.dtype}")
    if is_tensor(value):
        if value.is_floating_point() or value.is_complex() or value.dtype == sys.modules["torch"].bool:
            raise BadArgument(f"{name} must be a tensor of integers, not of {value.dtype}")
        return value.long()
    if is_symbolic(value):
        if getattr(value, "is_integer", None) is False:  # SymPy's 1/2, 2.5, pi
            raise BadArgument(f"{name} must be an integer: {value}")
        return value
    try:
        return index(value)
    except TypeError:
        hint = "; a formula is for one axis: ask it for each" if isinstance(value, tuple | list) else ""
        raise BadArgument(f"{name} must be an integer: {value!r}{hint}") from None


def magnitude(size: Size) -> int:
    """Return the largest absolute value of a size; 0 for an expression.

    >>> magnitude(-3)
    3
    """
    if is_tensor(size):
        return max(abs(int(size.max())), abs(int(size.min()))) if size.numel() else 0
    if not is_array(size):
        return abs(size) if isinstance(size, int) else 0
    if size.size and size.dtype == "int64" and (most := int(size.view("uint64").max())) < 2**63:
        return most  # in one pass, as no entry is negative
    return max(abs(int(size.max())), abs(int(size.min()))) if size.size else 0


def too_large() -> BadArgument:
    """Return the refusal of a tensor in which something would leave int64.

    >>> print(too_large())
    sizes as large are exact as numbers or NumPy arrays, not in the int64 of a tensor
    """
    return BadArgument("sizes as large are exact as numbers or NumPy arrays, not in the int64 of a tensor")


def _as_kind(array: Any, kind: str) -> Any:
    return array if array.dtype == kind else array.astype(kind)


def smaller(a: Size, b: Size) -> Size:
    """Return the smaller of two sizes of any kind.

    >>> from convcalc.sizes.expr import Expr
    >>> smaller(3, 2), str(smaller(Expr.symbol("n"), 2))
    (2, 'min(n, 2)')
    """
    return _extreme(a, b, least=True)


def larger(a: Size, b: Size) -> Size:
    """Return the larger of two sizes of any kind.

    >>> from convcalc.sizes.expr import Expr
    >>> larger(3, 2), str(larger(Expr.symbol("n"), 2))
    (3, 'max(n, 2)')
    """
    return _extreme(a, b, least=False)


def _extreme(a: Size, b: Size, *, least: bool) -> Size:
    if type(a) is int and type(b) is int:
        return min(a, b) if least else max(a, b)
    if is_array(a) or is_array(b):
        numpy = sys.modules["numpy"]
        return numpy.minimum(a, b) if least else numpy.maximum(a, b)
    for one, other in ((a, b), (b, a)):
        if is_tensor(one):
            return one.clamp(max=other) if least else one.clamp(min=other)
    for formula in (a, b):
        if isinstance(formula, Formula):
            extreme: Any = formula
            return extreme.minimum(a, b) if least else extreme.maximum(a, b)
    if is_sympy(a) or is_sympy(b):
        sympy = sys.modules["sympy"]
        return (sympy.Min if least else sympy.Max)(a, b).doit()  # it factors into parts that it leaves unevaluated
    return min(a, b) if least else max(a, b)
