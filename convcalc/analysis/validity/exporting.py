"""The input sizes that `torch.export` takes as dynamic, which are those of the network and not of the set of its sizes.

The exporter treats a size of 1 as another case, wherever it arises, so every map inside must keep at least 2 rows. And
where sizes are compared whose formulas differ (of two maps that are joined, of a slice and what it cuts, of the last
window of ceil mode), it must see how they compare, which it does where no division leaves a remainder: there
`16*h + 12` is divided term by term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.decide import decided
from convcalc.analysis.validity.legal import Way
from convcalc.arithmetic.formulas import extent, padding_pair
from convcalc.errors import BadShape, ConvcalcError
from convcalc.layers import Layer, Shape
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.conditions import Reader
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


@dataclass
class Inner:
    """What the exporter looks at inside a network, kept while shapes are taken through it.

    Two windows of 3, 2 apart, need 5 rows:

    >>> from convcalc.layers import Conv
    >>> n, layer, inner = Expr.symbol("n"), Conv(8, 3, stride=2), Inner()
    >>> inner.note(layer, [(1, 3, n)], layer.out_shapes((1, 3, n)))
    >>> [size for size in range(1, 9) if all(one.value(n=size) >= 0 for one in inner.conditions())]
    [5, 6, 7, 8]
    """

    sizes: dict[Expr, None] = field(default_factory=dict)
    rests: dict[Expr, None] = field(default_factory=dict)
    """What divisions leave over."""
    is_clear: bool = True
    """Whether the exporter can follow: what the model computes from sizes is where a map is cut or resized to."""
    compares: bool = False
    """Whether sizes are compared of which the formulas are not the same."""

    def note(self, layer: Layer, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> None:
        """Keep the sizes of a layer's maps, what its windows leave over, and whether it compares sizes."""
        for shape in (*inputs, *outputs):
            self.sizes |= {size: None for size in shape if isinstance(size, Expr) and not size.is_constant}
        self.rests |= {rest: None for rest in _rests(layer, inputs) if isinstance(rest, Expr) and not rest.is_constant}
        axes = zip(*(reversed(shape) for shape in inputs), strict=False) if len(inputs) > 1 else ()
        differ = any(len({size for size in some if isinstance(size, Expr)}) > 1 for some in axes)
        self.compares |= layer.compares_sizes or differ
        if layer.depends_on_sizes and not layer.is_followed:
            self.is_clear = False
        if layer.unexported and len(layer.split(inputs[0])[2]) in layer.unexported:
            self.is_clear = False

    def conditions(self) -> list[Condition]:
        """Return what must hold of the input sizes besides that the network runs."""
        rests = [-rest for rest in self.rests] if self.compares else []
        return [Condition(value, _static) for value in (*(size - 2 for size in self.sizes), *rests)]


def exported(way: Way, axes: Sequence[str], inner: Inner) -> Boxes | None:
    """Return the sizes that `torch.export` takes, of a network that goes one way; None where that is not known."""
    if not inner.is_clear:
        return None
    runs = [one for one in (*way.path, *way.conditions) if one.kind == "runs"]
    found = decided([*runs, *inner.conditions()], axes)
    return None if found is None else found.runs


def _static(at: Reader) -> ConvcalcError:
    return BadShape("the exporter treats a size of 1 as static")


def _rests(layer: Layer, inputs: Sequence[Shape]) -> list[Size]:
    """What is left over along each axis where windows are counted."""
    windows = layer.windows(inputs[0]) if inputs else ()
    sizes = layer.split(inputs[0])[2] if windows else ()
    found = []
    for n, (kernel, stride, padding, dilation) in zip(sizes, windows, strict=True):
        before, after = padding_pair(n, kernel, stride, padding, dilation)
        found.append((n + before + after - extent(kernel, dilation)) % stride)
    return found
