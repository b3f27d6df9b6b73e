"""Layers one after another: every shape and footprint on the way, the formula of the whole, where it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from convcalc.analysis.chain_text import stack_text, step_line
from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape, ConvcalcError, brief
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.layers import Layer, Shape
from convcalc.layers.base import read_through
from convcalc.network.letters import with_letters
from convcalc.network.shapes import spatial_sizes
from convcalc.network.stack import read_stack
from convcalc.shown import Shown
from convcalc.sizes.conditions import Conditions, enforce
from convcalc.sizes.size import Size, exact


@dataclass(frozen=True, kw_only=True, repr=False)
class Step(Shown):
    """One layer of a stack on its input; shapes include the batch."""

    name: str
    layer: Layer
    output: Shape
    symbolic: Shape | None
    """The output shape for any input size; None where a layer has no formula."""
    footprints: tuple[Footprint | None, ...]
    """What the step's output reads of the stack's input on each spatial axis; None where that is no periodic map."""
    params: Size
    macs: Size

    def __str__(self) -> str:
        return step_line(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class Chain(Shown):
    """A stack on an input shape: the steps up to the first layer that refuses its input, and that refusal."""

    input: Shape
    steps: tuple[Step, ...]
    error: ConvcalcError | None
    needs: tuple[Size, ...]
    """What symbols leave open: every entry must be >= 0."""

    @property
    def output(self) -> Shape | None:
        """The output shape; None where a layer refuses its input."""
        return self.steps[-1].output if self.steps and self.error is None else None

    @property
    def formula(self) -> Shape | None:
        """The output's `spatial_sizes` for any input size; None where a layer has no formula or refuses."""
        symbolic = self.steps[-1].symbolic if self.steps and self.error is None else None
        return None if symbolic is None else spatial_sizes(symbolic)

    def __str__(self) -> str:
        return stack_text(self)


def run_chain(layers: str | Sequence[str] | Sequence[Layer], shape: Shape) -> Chain:
    """Run a shape (N, C, ...) through layers, or through a stack as text, on its sizes and on symbols at once.

    Raises `BadShape` unless the shape has 1 to 3
    spatial axes; a layer's refusal does not raise, it is the result's `error`.

    >>> chain = run_chain("conv 64 k7 s2 p3; maxpool k3 s2 p1", (1, 3, 224))
    >>> chain.output, str(chain.formula[0]), chain.steps[-1].footprints[0].receptive_field
    ((1, 64, 56), '(L + 3)//4', 11)
    """
    layers = _layers(layers)
    if not isinstance(shape, tuple | list) or not 3 <= len(shape) <= 5:
        raise BadShape(f"a stack takes (N, C, ...) with 1 to 3 spatial axes: got {shape!r}")
    shape = exact(" ".join(("N", "C", "size", "size", "size")[: len(shape)]), *shape)
    axes = len(shape) - 2
    at_least(0, enforce, batch=shape[0], channels=shape[1])
    symbolic: Shape | None = with_letters({"input": shape})["input"]
    field = Field.start(axes)
    given = shape
    steps: list[Step] = []
    needs = Conditions()
    error = None
    for name, layer in zip(step_names(layers), layers, strict=True):
        try:
            output = layer.out_shape(shape, check=needs)
        except ConvcalcError as refusal:
            error = refusal.at(name)
            break
        symbolic = _for_any_size(layer, symbolic)
        field = read_through(layer, (field,), (shape,), output)
        step = Step(
            name=name,
            layer=layer,
            output=output,
            symbolic=symbolic,
            footprints=field.axes,
            params=layer.params(shape),
            macs=layer.macs(shape),
        )
        steps.append(step)
        shape = output
    return Chain(input=given, steps=tuple(steps), error=error, needs=tuple(needs.open))


def _layers(layers: str | Sequence[str] | Sequence[Layer]) -> Sequence[Layer]:
    if isinstance(layers, str):
        return read_stack(layers)
    if not isinstance(layers, list | tuple):
        raise BadArgument(f"a stack is made of layers, or text such as 'conv 64 k3 p1': got {brief(layers)}")
    read = [read_stack(layer) if isinstance(layer, str) else (layer,) for layer in layers]
    for layer in (layer for group in read for layer in group):
        if not isinstance(layer, Layer):
            raise BadArgument(f"a stack is made of layers, or text such as 'conv 64 k3 p1': got {brief(layer)}")
    return [layer for group in read for layer in group]


def step_names(layers: Sequence[Layer]) -> list[str]:
    """Return a name for each layer: its op, counted.

    >>> from convcalc.network.stack import read_stack
    >>> step_names(read_stack("(conv k3; relu) *2"))
    ['conv1', 'relu1', 'conv2', 'relu2']
    """
    counted: Counter[str] = Counter()
    names = []
    for layer in layers:
        counted[layer.op] += 1
        names.append(f"{layer.op}{counted[layer.op]}")
    return names


def _for_any_size(layer: Layer, shape: Shape | None) -> Shape | None:
    """The output shape for any size; None from the first layer that has no formula on."""
    if shape is None:
        return None
    try:
        return layer.out_shape(shape, check=Conditions())
    except ConvcalcError:
        return None
