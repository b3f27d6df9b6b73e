"""Formulas as JavaScript: one straight line of BigInts, in which each part that formulas share is worked out once.

BigInts are exact at any magnitude. JavaScript truncates where Python floors; `PRELUDE` has the division that floors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convcalc.sizes.atoms import Atom, Extreme, Floor, Symbol
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

PRELUDE = (
    "const q=(a,b)=>{const d=a/b;return a%b!==0n&&a<0n!==b<0n?d-1n:d},"
    "least=(...v)=>v.reduce((a,b)=>b<a?b:a),most=(...v)=>v.reduce((a,b)=>b>a?b:a);"
)
"""What a program needs: division that floors, the least and the most of some numbers."""


def javascript(formulas: Iterable[Size], letters: Sequence[str]) -> str:
    """Return a JavaScript function of `letters` (BigInts) that gives the values of formulas in an array, in order.

    A division by zero throws a RangeError, as Python raises. Letters may be any names: they are numbered.

    >>> n = Expr.symbol("n")
    >>> javascript([(n + 31) // 32, 3 * ((n + 31) // 32) - 1, 7], ["n"])
    '(s0)=>{const a0=q(s0+31n,32n);return [a0,3n*a0-1n,7n]}'
    """
    program = _Program(letters)
    values = [program.whole(value) if isinstance(value, Expr) else f"{int(value)}n" for value in formulas]
    lines = f"const {','.join(program.lines)};" if program.lines else ""
    return f"({','.join(program.names.values())})=>{{{lines}return [{','.join(values)}]}}"


class _Program:
    """The parts of formulas under names, in the order in which they are worked out."""

    def __init__(self, letters: Sequence[str]) -> None:
        self.names = {letter: f"s{place}" for place, letter in enumerate(letters)}
        self.lines: list[str] = []
        self.known: dict[Atom, str] = {}

    def whole(self, expr: Expr) -> str:
        """The text of a sum of products."""
        terms = [self._product(product, factor) for product, factor in expr.terms.items() if product]
        text = "".join(f"{'-' if factor < 0 else '+'}{product}" for factor, product in terms)
        constant = expr.constant
        text += f"{'-' if constant < 0 else '+'}{abs(constant)}n" if constant or not terms else ""
        return text.removeprefix("+")

    def _product(self, product: tuple[tuple[Atom, int], ...], factor: int) -> tuple[int, str]:
        powers = [name for atom, power in product for name in [self._atom(atom)] * power]
        return factor, "*".join([*([f"{abs(factor)}n"] if abs(factor) != 1 else []), *powers])

    def _atom(self, atom: Atom) -> str:
        """The name of a part, which is worked out before what it stands in."""
        if atom not in self.known:
            match atom:
                case Symbol():
                    self.known[atom] = self.names[atom.key]
                    return self.known[atom]
                case Floor():
                    text = f"q({self.whole(atom.numerator)},{self.whole(atom.denominator)})"
                case Extreme():
                    name = "least" if atom.name == "min" else "most"
                    text = f"{name}({','.join(map(self.whole, atom.choices))})"
                case _:
                    raise TypeError(f"unknown atom {atom!r}")
            self.known[atom] = f"a{len(self.lines)}"
            self.lines.append(f"{self.known[atom]}={text}")
        return self.known[atom]
