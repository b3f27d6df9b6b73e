"""One entry point: everything about a network on one input, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from fractions import Fraction
from typing import Any

from convcalc.analysis.notes.base import Note
from convcalc.analysis.report.layer import LayerReport, PerAxis
from convcalc.analysis.report.living import PageMaker, living_page
from convcalc.analysis.report.memory import itemsize
from convcalc.analysis.report.text import report_html, report_text
from convcalc.errors import ConvcalcError, NoSuchName, brief, nearest
from convcalc.layers import Shape
from convcalc.network.node import Weights
from convcalc.render.words import document, picked, plain
from convcalc.shown import Shown
from convcalc.sizes.size import Size


@dataclass(frozen=True)
class Reach:
    """What the outputs of a network read of its first input, on each axis.

    `field` and `stride` are of the last node that reads a part of the input; `everything` says that the output
    reads all of it (a linear layer, a pooling of everything).
    """

    field: PerAxis
    stride: PerAxis
    everything: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        return {"receptive_field": plain(self.field), "stride": plain(self.stride), "global": self.everything}


@dataclass(frozen=True)
class Failure:
    """The node that refuses its input: its name, op and hyper-parameters, and where it is written, as far as known."""

    name: str
    op: str = ""
    args: dict[str, Any] = dataclass_field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Shown):
    """A network on an input: a row for each node up to the first that refuses its input, and that refusal."""

    model: str
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    """Empty where a node refuses its input."""
    layers: tuple[LayerReport, ...]
    needs: tuple[Size, ...]
    """What named sizes leave open: every entry must be >= 0."""
    opaque: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    """What is remarked on single nodes; see `convcalc.analysis.notes.rules`."""
    remarks: tuple[str, ...] = ()
    """What is said of the rows as a whole."""
    error: ConvcalcError | None = None
    failed: Failure | None = None
    """Who refuses its input."""
    ends: tuple[str, ...] = ()
    """The nodes that the outputs come from."""
    unused: Weights = dataclass_field(default_factory=Weights)
    """The parameters that the run did not read; `params` does not count them."""
    dtype: str = "float32"
    """The type in which values are counted in bytes; also parameters, where their own type is not known."""
    activations: Size = 0
    """The elements of all outputs of all nodes; parameters and buffers that are read are none."""
    page: PageMaker | None = dataclass_field(default=None, repr=False, compare=False)
    """Makes its page; see `analysis.report.page`."""
    peak: int | None = None
    """The most bytes of values alive at once, weights apart; None where sizes are symbols. See `memory`."""

    @property
    def input(self) -> Shape | tuple[Shape, ...]:
        """The input shape; of several inputs, one each."""
        shapes = tuple(self.inputs.values())
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output(self) -> Shape | tuple[Shape, ...] | None:
        """The output shape, of several outputs one each; None where a node refuses its input."""
        shapes = tuple(self.outputs.values())
        return None if not shapes else shapes[0] if len(shapes) == 1 else shapes

    @property
    def params(self) -> Size:
        """The parameters of all rows; shared ones count once."""
        return sum(layer.params for layer in self.layers)

    @property
    def trainable(self) -> Size:
        """How many of the parameters are trained."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def weight_bytes(self) -> Size:
        """The bytes of the parameters of all rows."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def activation_bytes(self) -> Size:
        """The bytes of all outputs of all nodes."""
        return self.activations * itemsize(self.dtype)

    @property
    def macs(self) -> Size:
        """The multiply-accumulates of all rows."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> Size:
        """2 * macs."""
        return 2 * self.macs

    @property
    def reach(self) -> Reach:
        """What the outputs read of the first input."""
        axes = max(0, len(next(iter(self.inputs.values()))) - 2)
        whole = False
        for layer in reversed(self.layers):
            whole = whole or layer.is_global
            if axes and None not in layer.receptive_field:
                return Reach(layer.receptive_field, layer.stride, whole)
        return Reach((1,) * axes, (Fraction(1),) * axes, whole)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The rows whose multiply-accumulates are not known: with any, `macs` and `flops` are the least there are."""
        return tuple(layer.name for layer in self.layers if not layer.counted)

    def __getitem__(self, name: str) -> LayerReport:
        """Return the row of that name; raises `NoSuchName`, a `KeyError` too, with the nearest."""
        for layer in self.layers:
            if isinstance(name, str) and layer.name == name:
                return layer
        near = nearest(name, [layer.name for layer in self.layers])
        raise NoSuchName(f"no layer {brief(name)}" + (f"; did you mean {near!r}?" if near else ""))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of `inspect`."""
        return {
            "kind": "inspect",
            **picked(self, "model input output params macs flops uncounted opaque path"),
            "needs": [f"{plain(value)} >= 0" for value in self.needs],
            "error": self.error and {"place": self.error.place, **self.error.record()},
            "notes": [note.to_dict() for note in self.notes],
            "remarks": list(self.remarks),
            "layers": [layer.to_dict() for layer in self.layers],
            **picked(self, "inputs outputs trainable"),
            "unused": list(self.unused.names),
            "memory": {
                "dtype": self.dtype,
                "weights": plain(self.weight_bytes),
                "activations": plain(self.activation_bytes),
                "peak": self.peak,
            },
        }

    def to_html(self) -> str:
        """Return a page of its own, in which sizes may be typed or dragged where `convcalc.inspect` made it.

        >>> import convcalc as cc
        >>> cc.inspect(cc.zoo.lenet()).to_html()[:15]
        '<!doctype html>'
        """
        return (
            self.page.make(self) if self.page is not None else living_page(self.model or "network", [report_html(self)])
        )

    def to_json(self) -> str:
        """Return the document that `convcalc inspect --json` prints."""
        return document(self.to_dict())

    def __str__(self) -> str:
        return report_text(self)

    def text_at(self, width: int) -> str:
        """Return its text with tables of no more than so many columns."""
        return report_text(self, width=width)

    def _repr_html_(self) -> str:
        """Its page in a frame where it is made at once, and its tables, for notebooks."""
        table = report_html(self)
        return table if self.page is None else self.page.beside(self, table)
