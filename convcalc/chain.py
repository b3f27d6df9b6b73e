"""Layers one after another: every shape on the way, the formula of the whole, and where it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from convcalc.conditions import Conditions
from convcalc.errors import ConvcalcError
from convcalc.expr import Expr
from convcalc.layers import Layer, Shape


@dataclass(frozen=True)
class Step:
    """One layer of a stack, with its output shape and the same for any input size; shapes include the batch."""

    name: str
    layer: Layer
    output: Shape
    symbolic: Shape | None


@dataclass(frozen=True)
class Chain:
    """A stack on an input shape: the steps up to the first that is refused, and that refusal.

    `formula` holds the output's spatial sizes for any input size: None where a layer has no formula.
    """

    input: Shape
    steps: tuple[Step, ...]
    error: ConvcalcError | None
    formula: Shape | None
    needs: tuple[Expr, ...]

    @property
    def output(self) -> Shape | None:
        """The output shape, None where a layer refuses its input."""
        if self.error is not None:
            return None
        return self.steps[-1].output if self.steps else self.input


def run_chain(layers: Sequence[Layer], shape: Shape) -> Chain:
    """Run a shape through `layers`, on numbers and on symbols at once.

    >>> from convcalc.shorthand import read_stack
    >>> chain = run_chain(read_stack("conv 64 k7 s2 p3; maxpool k3 s2 p1"), (1, 3, 224))
    >>> chain.output, str(chain.formula[0])
    ((1, 64, 56), '(n + 3)//4')
    """
    axes = len(shape) - 2
    letters = {1: "n", 2: "HW", 3: "DHW"}[axes]
    symbolic: Shape | None = (*shape[:2], *(Expr.symbol(letter) for letter in letters))
    counted: Counter[str] = Counter()
    steps: list[Step] = []
    needs = Conditions()
    current, error = shape, None
    for layer in layers:
        counted[layer.op] += 1
        name = f"{layer.op}{counted[layer.op]}"
        try:
            current = layer.out_shape(current, check=needs)
        except ConvcalcError as refusal:
            error = refusal.at(name)
            break
        symbolic = _symbolic(layer, symbolic)
        steps.append(Step(name, layer, current, symbolic))
    formula = symbolic[2:] if symbolic is not None and error is None else None
    return Chain(shape, tuple(steps), error, formula, tuple(needs.open))


def _symbolic(layer: Layer, shape: Shape | None) -> Shape | None:
    """The output shape for any size; None from the first layer that has no formula on."""
    if shape is None:
        return None
    try:
        return layer.out_shape(shape, check=Conditions())
    except ConvcalcError:
        return None
