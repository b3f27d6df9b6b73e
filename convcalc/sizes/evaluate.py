"""A formula with values in the place of its symbols: ints, NumPy arrays computed exactly, or other formulas.

Each atom is worked out once, whatever number of terms it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

from convcalc.errors import BadArgument, brief
from convcalc.sizes.atoms import Atom, Extreme, Floor, Symbol
from convcalc.sizes.size import exact_each, is_array, is_tensor, larger, magnitude, smaller, too_large

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr


def evaluate(expr: Expr, values: Mapping[str, Any], *one: Any) -> Any:
    """Return the value of `expr`, exact; symbols without a value stay. `one` is that of the only symbol.

    Arrays are taken as int64 where nothing on the way can leave it, and as Python ints where something could;
    tensors of torch are refused there.

    >>> from convcalc.sizes.expr import Expr
    >>> evaluate(Expr.symbol("n") // 2 * 3, {"n": 7})
    9
    """
    make = type(expr)
    if one:
        if len(one) != 1 or len(expr.symbols) != 1 or values:
            raise BadArgument(f"one value without a name is for a formula in one letter: {brief(str(expr))}")
        values = dict.fromkeys(expr.symbols, one[0])
    names = " ".join(name.replace(" ", "_") for name in values)  # "H of y" is one name
    values = dict(zip(values, exact_each(names, *values.values()), strict=True))
    if arrays := {name: value for name, value in values.items() if is_array(value) or is_tensor(value)}:
        fits = _reach(expr, {name: magnitude(value) for name, value in values.items()}) < 2**63
        for name, value in arrays.items():
            if not is_tensor(value):
                values[name] = value.astype("int64" if fits else object)
            elif not fits:
                raise too_large()

    known: dict[Atom, Any] = {}

    def of_atom(atom: Atom) -> Any:
        match atom:
            case Symbol():
                return values[atom.key] if atom.key in values else make.atom(atom)
            case Floor():
                return whole(atom.numerator) // whole(atom.denominator)
            case Extreme():
                return reduce(smaller if atom.name == "min" else larger, map(whole, atom.choices))
            case _:
                raise TypeError(f"unknown atom {atom!r}")

    def whole(expr: Expr) -> Any:
        total: Any = expr.constant
        for product, factor in expr.terms.items():
            if product:
                value: Any = factor
                for atom, power in product:
                    if atom not in known:
                        known[atom] = of_atom(atom)
                    value = value * known[atom] ** power
                total = total + value
        return total.constant if isinstance(total, make) and total.is_constant else total

    return whole(expr)


def _reach(expr: Expr, most: Mapping[str, int]) -> int:
    """Bound the magnitude of every number met when `expr` is evaluated, symbols being at most `most`."""
    known: dict[Atom, tuple[int, int]] = {}

    def of_atom(atom: Atom) -> tuple[int, int]:
        """Of an atom, and of what it is divided by."""
        match atom:
            case Symbol():
                return most.get(atom.key, 0), 0
            case Floor():  # |x//m| <= |x| + 1
                return whole(atom.numerator) + 1, whole(atom.denominator)
            case Extreme():
                return max(map(whole, atom.choices)), 0
            case _:
                raise TypeError(f"unknown atom {atom!r}")

    def whole(expr: Expr) -> int:
        bound = divisor = 0
        for product, factor in expr.terms.items():
            size = abs(factor)
            for atom, power in product:
                if atom not in known:
                    known[atom] = of_atom(atom)
                reach, below = known[atom]
                size *= max(1, reach) ** power
                divisor = max(divisor, below)
            bound += size
        return max(bound, divisor)

    return whole(expr)
