"""A formula with values in the place of its symbols: ints, NumPy arrays computed exactly, or other formulas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convcalc.sizes.atoms import Atom, Extreme, Floor, Symbol
from convcalc.sizes.size import exact_each, is_array, larger, magnitude, smaller

if TYPE_CHECKING:
    from convcalc.sizes.expr import Expr


def _reach(expr: Expr, most: Mapping[str, int]) -> int:
    """Bound the magnitude of every number met when `expr` is evaluated, symbols being at most `most`."""
    bound, inner = abs(expr.constant), 0
    for product, factor in expr.terms.items():
        size = abs(factor)
        for atom, power in product:
            match atom:
                case Symbol():
                    reach = most.get(atom.key, 0)
                case Floor():  # |x//m| <= |x| + 1
                    reach = _reach(atom.numerator, most) + 1
                    inner = max(inner, _reach(atom.denominator, most))
                case Extreme():
                    reach = max(_reach(choice, most) for choice in atom.choices)
                case _:
                    raise TypeError(f"unknown atom {atom!r}")
            size *= max(1, reach) ** power
        bound += size
    return max(bound, inner)


class Evaluation:
    """One evaluation: each atom once, whatever number of terms it stands in.

    Arrays are taken as int64 where nothing on the way can leave it, and as Python ints where something could.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(zip(values, exact_each(" ".join(values), *values.values()), strict=True))
        self.known: dict[Atom, Any] = {}
        self.make: type[Expr]

    def whole(self, expr: Expr) -> Any:
        """The value of `expr`, exact."""
        self.make = type(expr)
        arrays = {name: value for name, value in self.values.items() if is_array(value)}
        if arrays:
            most = {name: magnitude(value) for name, value in self.values.items()}
            fits = _reach(expr, most) < 2**63
            self.values |= {name: value.astype("int64" if fits else object) for name, value in arrays.items()}
        return self(expr)

    def __call__(self, expr: Expr) -> Any:
        """Return the value of `expr` or of a part of it."""
        total: Any = expr.constant
        for product, factor in expr.terms.items():
            if product:
                value: Any = factor
                for atom, power in product:
                    value = value * self.atom(atom) ** power
                total = total + value
        return total.constant if isinstance(total, self.make) and total.is_constant else total

    def atom(self, atom: Atom) -> Any:
        """Return the value of an atom, worked out once."""
        if atom not in self.known:
            self.known[atom] = self.fresh(atom)
        return self.known[atom]

    def fresh(self, atom: Atom) -> Any:
        """Work out the value of an atom."""
        match atom:
            case Symbol():
                return self.values.get(atom.key, self.make.atom(atom))
            case Floor():
                return self(atom.numerator) // self(atom.denominator)
            case Extreme():
                values = [self(choice) for choice in atom.choices]
                chosen = values[0]
                for value in values[1:]:
                    chosen = smaller(chosen, value) if atom.name == "min" else larger(chosen, value)
                return chosen
            case _:
                raise TypeError(f"unknown atom {atom!r}")
