"""A comparison of sizes that a model made on its way, and which way it took.

A captured graph is what the model does where every branch goes the same way; elsewhere it is another graph.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from convcalc.errors import BadShape
from convcalc.sizes.atoms import Floor
from convcalc.sizes.expr import Expr
from convcalc.sizes.signs import most_of, sign_everywhere
from convcalc.sizes.size import Size, is_array, is_symbolic

_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Branch:
    """`left relation right` held where the model was recorded. None stands for a size without a formula.

    >>> H = Expr.symbol("H")
    >>> branch = Branch.taken(H % 2, "==", 0, False)
    >>> str(branch), branch.holds({"H": 7}), branch.holds({"H": 8}), [str(value) for value in branch.values]
    ('H % 2 != 0', True, False, ['H - 2*(H//2) - 1'])
    """

    left: Size | None
    relation: str
    right: Size | None
    source: str | None = field(default=None, compare=False)
    """The line of code that compares."""

    @classmethod
    def taken(
        cls, left: Size | None, relation: str, right: Size | None, outcome: bool, source: str | None = None
    ) -> Branch:
        """Return the branch that a comparison with this outcome took."""
        return cls(left, relation if outcome else _OPPOSITE[relation], right, source)

    @property
    def is_known(self) -> bool:
        """Whether both sides have a formula."""
        return self.left is not None and self.right is not None

    @property
    def values(self) -> tuple[Size, ...]:
        """What must be >= 0, all of it, for the branch to go this way; nothing where it is not known."""
        if self.left is None or self.right is None:
            return ()
        rise = self.right - self.left
        match self.relation:
            case "<":
                return (rise - 1,)
            case "<=":
                return (rise,)
            case ">":
                return (-rise - 1,)
            case ">=":
                return (-rise,)
            case "==":
                return (rise, -rise)
            case _:
                return (most_of(rise, -rise) - 1,)

    @property
    def is_everywhere(self) -> bool:
        """Whether the branch is seen to go this way at all sizes >= 1.

        >>> H = Expr.symbol("H")
        >>> [Branch(H, ">=", least).is_everywhere for least in (1, 2)], Branch(H - H // 2, ">=", 1).is_everywhere
        ([True, False], True)
        """
        return self.is_known and _is_everywhere(self)

    def holds(self, values: Mapping[str, Size]) -> Any:
        """Whether the branch goes this way at these sizes; None where that is open."""
        try:
            sides = [_at(side, values) for side in (self.left, self.right)]
        except ZeroDivisionError:  # where the comparison itself divides by a size that is 0
            return False
        if any(side is None or is_symbolic(side) for side in sides):
            return None
        return _RELATIONS[self.relation](*sides)

    def check(self, values: Mapping[str, Size]) -> None:
        """Raise `BadShape` where the branch goes the other way at these sizes.

        >>> Branch(Expr.symbol("H"), "<", 64).check({"H": 64})
        Traceback (most recent call last):
        ...
        convcalc.errors.BadShape: the model was captured where H < 64, and takes another way at H=64: capture it there
        """
        holds = self.holds(values)
        if holds is None or (is_array(holds) and holds.all()) or (not is_array(holds) and holds):
            return
        where = ", ".join(f"{name}={value}" for name, value in values.items() if not is_array(value))
        raise BadShape(
            f"the model was captured where {self}, and takes another way{f' at {where}' if where else ''}: "
            f"capture it there",
            rule=str(self),
        )

    def __str__(self) -> str:
        left, right = ("a size without a formula" if side is None else side for side in (self.left, self.right))
        return f"{_remainder(left)} {self.relation} {_remainder(right)}"


@lru_cache(maxsize=4096)
def _is_everywhere(branch: Branch) -> bool:
    """Kept, as a model asks the same at every run."""
    return all(sign_everywhere(_from_one(value)) in (0, 1) for value in branch.values)


def _from_one(value: Size) -> Expr:
    """A value in sizes that are less by 1 than its own, so that they are >= 0."""
    value = value + Expr.const(0)
    return Expr.const(0) + value(**{name: Expr.symbol(name) + 1 for name in value.symbols})  # type: ignore[no-any-return]


def _at(side: Size | None, values: Mapping[str, Size]) -> Size | None:
    if not isinstance(side, Expr):
        return side
    return side(**{name: value for name, value in values.items() if name in side.symbols})


def _remainder(side: object) -> str:
    """`a % m` where a formula is a - (a//m)*m and nothing else; its own text elsewhere."""
    if isinstance(side, Expr):
        for term, factor in side.terms.items():
            if len(term) == 1 and isinstance(term[0][0], Floor) and term[0][1] == 1 and factor < 0:
                above, below = term[0][0].numerator, term[0][0].denominator
                if below == -factor and above - (above // below) * below == side:
                    return f"{above} % {below}" if len(above.terms) == 1 else f"({above}) % {below}"
    return str(side)


def strongest(branches: Iterable[Branch]) -> tuple[Branch, ...]:
    """Return the branches without those that another one implies at all sizes >= 1.

    >>> L = Expr.symbol("L")
    >>> [str(one) for one in strongest([Branch(L - 1, ">=", 1), Branch(L - 3, ">=", 1), Branch(L % 2, "==", 0)])]
    ['L - 3 >= 1', 'L % 2 == 0']
    """
    kept: list[Branch] = []
    for branch in dict.fromkeys(branches):
        if not any(_implies(other, branch) for other in kept):
            kept = [*(other for other in kept if not _implies(branch, other)), branch]
    return tuple(kept)


def _implies(branch: Branch, other: Branch) -> bool:
    """Whether the other holds where the branch does: each value of it is no smaller than one of the branch's."""
    return bool(other.values) and all(
        any(sign_everywhere(_from_one(value - least) + Expr.const(0)) in (0, 1) for least in branch.values)
        for value in other.values
    )
