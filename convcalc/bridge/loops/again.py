"""A second run of a module in which calls stand for any number of pieces, by the plan of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.bridge.loops.alike import Plan
from convcalc.errors import Unknown
from convcalc.layers import Layer, Shape
from convcalc.layers.merge import JoinedAll
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


class AnyNumber:
    """The layers of a plan, given out while a module runs once more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.numbers: dict[int, Size] = {}
        """How many pieces each call gives, in the letters of the input."""

    def layer(self, number: int, layer: Layer, shapes: Sequence[Shape | None]) -> Layer:
        """Return what call `number` is for any number of pieces, given what it is and the shapes it reads, in letters.

        Raises `Unknown` where that has no formula.
        """
        cut = self.plan.cuts.get(number)
        if cut is not None:
            (shape,) = shapes
            if shape is None:
                raise Unknown(f"{layer.op} cuts an axis without a formula")
            self.numbers[number] = cut.number(shape)
            return cut
        if number in self.plan.joins and layer.joins:
            of, like = self.plan.joins[number]
            join: Any = layer
            return JoinedAll(join, like=like, more=self.numbers[of] - len(shapes))
        return layer

    def is_held(self, functions: Sequence[str]) -> bool:
        """Whether the run was the same, and what goes side by side has equally many pieces whatever the size."""
        return tuple(functions) == self.plan.functions and all(
            Expr.const(0) + self.numbers[first] == self.numbers[other]
            for first, *others in self.plan.together
            for other in others
        )
