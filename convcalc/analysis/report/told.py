"""Sentences of refusals as templates: which formulas stand in them, so that they can be told at any sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

Template = list["str | Size"]
"""Words and formulas in turn."""


class _Hole(int):
    """A number in a sentence that remembers its formula: what is computed with it is formulas again."""

    formula: Size
    seen: list[Size]

    def __new__(cls, formula: Size, values: Mapping[str, int], seen: list[Size]) -> _Hole:
        hole = super().__new__(cls, int(formula(**values)) if isinstance(formula, Expr) else int(formula))
        hole.formula, hole.seen, hole.values = formula, seen, values
        return hole

    values: Mapping[str, int]

    def __format__(self, spec: str) -> str:
        self.seen.append(self.formula)
        return f"\x00{len(self.seen) - 1}\x00"

    __str__ = __repr__ = lambda self: format(self, "")

    def _with(self, other: Any, work: Callable[[Any, Any], Any]) -> Any:
        mine = other.formula if isinstance(other, _Hole) else other
        return (
            _Hole(work(self.formula, mine), self.values, self.seen) if isinstance(mine, int | Expr) else NotImplemented
        )

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b + a)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a // b)

    def __mod__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a % b)

    def __neg__(self) -> Any:
        return _Hole(-self.formula, self.values, self.seen)


def template(error: Callable[[Any], ConvcalcError], points: Sequence[Mapping[str, int]]) -> Template | None:
    """Return the sentence of a refusal with its formulas; None where it is not the same at all of some points.

    >>> n = Expr.symbol("n")
    >>> template(lambda at: ConvcalcError(f"{at(n)} rows: use {at(n) - 1}"), [{"n": 7}, {"n": 12}])
    ['', n, ' rows: use ', n - 1, '']
    >>> template(lambda at: ConvcalcError("odd" if int(at(n)) % 2 else "even"), [{"n": 7}, {"n": 12}]) is None
    True
    """
    found: list[Template] = []
    for values in points:
        seen: list[Size] = []

        def at(size: Any, values: Mapping[str, int] = values, seen: list[Size] = seen) -> Any:
            return _Hole(size, values, seen) if isinstance(size, Expr) else size

        try:
            parts = error(at).message.split("\x00")
        except (ArithmeticError, TypeError, ValueError):
            return None
        found.append([seen[int(part)] if place % 2 else part for place, part in enumerate(parts)])
    return found[0] if found and all(one == found[0] for one in found) else None
