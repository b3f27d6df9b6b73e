"""One row of a report: a node, what it gives and costs, what it reads; and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.product import Product
from convcalc.footprints.text import field_texts
from convcalc.layers.base import Shape
from convcalc.network.ops import op_words
from convcalc.render.words import across, count, picked, single
from convcalc.shown import Shown
from convcalc.sizes.size import Size
from convcalc.sizes.text import PRETTY, Style

PerAxis: TypeAlias = tuple[Any, ...]
"""One entry for each spatial axis of the input; None where it is unknown."""


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerReport(Shown):
    """One node: what goes in, what comes out, what it costs, what it reads of the network's first input."""

    name: str
    op: str
    args: dict[str, Any]
    """Hyper-parameters that differ from torch's defaults."""
    inputs: tuple[str, ...]
    output: Shape
    outputs: tuple[Shape, ...]
    symbolic: Shape | None
    """The output shape for any input size; None where there is no formula."""
    params: Size
    """0 where the weights are `shared`: they count where they are first used."""
    shared: bool
    macs: Size
    field: Field
    source: str | None = None
    trainable: Size = 0
    """How many of `params` are trained."""
    weight_bytes: Size = 0
    """What `params` take in memory."""
    constant: bool = False
    """Whether the output is the same for all inputs of this size."""
    counted: bool = True
    """Whether `macs` are all that it does; else there may be more."""

    @property
    def receptive_field(self) -> PerAxis:
        """The largest hull of what an output reads, 0 where it reads nothing; of the local part where it `is_global`.

        None where it is not known, or all is read and there is no local part.
        """
        return self._read(lambda footprint: None if footprint.is_unbounded else footprint.receptive_field)

    @property
    def stride(self) -> PerAxis:
        """How many inputs the reads move from one output to the next; None without a local part."""
        return self._read(lambda footprint: footprint.stride if any(footprint.phases) else None)

    @property
    def offset(self) -> PerAxis:
        """The input coordinate of output 0's centre, an exact rational."""
        return self._read(lambda footprint: footprint.offset)

    @property
    def covered(self) -> PerAxis:
        """How many positions of the receptive field are read."""
        return self._read(lambda footprint: None if footprint.is_unbounded else footprint.covered)

    @property
    def is_global(self) -> bool:
        """Whether outputs read everything on some axis, beside the local part."""
        return self.field.is_global

    @property
    def product(self) -> Product | None:
        """What is read on all axes at once; where branches unite its coverage may be an upper bound."""
        return self.field.product

    def _read(self, reading: Callable[[Footprint], Any]) -> PerAxis:
        return tuple(None if footprint is None else reading(footprint) for footprint in self.field.axes)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record: one axis a number, several a list, unknown null, symbolic a Python expression."""
        axes = picked(self, "receptive_field stride offset covered")
        return {
            **picked(self, "name op args inputs output outputs symbolic params shared macs"),
            **{name: single(values) for name, values in axes.items()},
            "global": self.is_global,
            **picked(self, "trainable constant counted"),
            **({} if self.source is None else {"source": self.source}),
        }

    def __str__(self) -> str:
        return layer_line(self)


def shape_text(shape: Shape, style: Style, batch: Size | None = None) -> str:
    """Return a shape without its batch, the first size; whole and in parentheses where that is not `batch`.

    >>> shape_text((1, 64, 56, 56), PRETTY), shape_text((197, 1, 768), PRETTY, 1)
    ('64x56x56', '(197x1x768)')
    """
    if batch is not None and shape and shape[0] != batch:
        return f"({across(shape, style)})"
    return across(shape[1:], style) if len(shape) > 1 else "()"


def layer_line(row: LayerReport) -> str:
    """Return a row of a report.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> layer_line(inspect_graph(lenet())["conv1"])
    'conv1: conv 6 k5 p2 -> 6x28x28, 156 parameters, 117,600 MACs, receptive field 5, stride 1'
    """
    field, stride, *_ = field_texts(row.field.axes)
    read = f", receptive field {field}" if field not in ("", "-") else ""
    read += f", stride {stride}" if read and stride != "-" else ""
    costs = f"{count(row.params, PRETTY)} parameters, {count(row.macs, PRETTY)} MACs"
    return f"{row.name}: {op_words(row.op, row.args)} -> {shape_text(row.output, PRETTY)}, {costs}{read}"
