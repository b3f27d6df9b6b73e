"""One entry point: everything about a network on one input, as rows."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from fractions import Fraction
from typing import Any, TypeAlias

from convcalc.analysis.fields import node_fields, start_fields
from convcalc.analysis.notes import notes_on
from convcalc.analysis.notes.base import Facts, Note
from convcalc.analysis.report.cost import NodeCost, node_cost
from convcalc.analysis.report.memory import itemsize, peak_values
from convcalc.errors import BadArgument, ConvcalcError, NoSuchName, Unknown, brief
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.product import Product
from convcalc.layers import Opaque, Shape
from convcalc.layers.constant import Fresh
from convcalc.network.blocks import Part
from convcalc.network.graph import Graph, InputShapes, Node, Weights
from convcalc.network.opening import open_net
from convcalc.network.shapes import node_shapes
from convcalc.shown import Shown
from convcalc.sizes.axes import axis_names
from convcalc.sizes.branch import strongest
from convcalc.sizes.conditions import Conditions, enforce
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, is_array, is_symbolic
from convcalc.version import __version__

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
        return {
            "name": self.name,
            "op": self.op,
            "args": {name: plain(value) for name, value in self.args.items()},
            "inputs": list(self.inputs),
            "output": plain(self.output),
            "outputs": plain(self.outputs),
            "symbolic": plain(self.symbolic),
            "params": plain(self.params),
            "shared": self.shared,
            "macs": plain(self.macs),
            "receptive_field": _single(plain(self.receptive_field)),
            "stride": _single(plain(self.stride)),
            "offset": _single(plain(self.offset)),
            "covered": _single(plain(self.covered)),
            "global": self.is_global,
            "trainable": plain(self.trainable),
            "constant": self.constant,
            "counted": self.counted,
            **({} if self.source is None else {"source": self.source}),
        }


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
    """What is remarked on single nodes; see `convcalc.analysis.notes`."""
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
    peak: int | None = None
    """The most bytes of values alive at once, weights apart; None where sizes are symbols. See `analysis.memory`."""

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
    def uncounted(self) -> tuple[str, ...]:
        """The rows whose multiply-accumulates are not known: with any, `macs` and `flops` are the least there are."""
        return tuple(layer.name for layer in self.layers if not layer.counted)

    def __getitem__(self, name: str) -> LayerReport:
        """Return the row of that name; raises `NoSuchName`, a `KeyError` too, with the nearest."""
        for layer in self.layers:
            if isinstance(name, str) and layer.name == name:
                return layer
        near = difflib.get_close_matches(str(name), [layer.name for layer in self.layers], 1)
        raise NoSuchName(f"no layer {brief(name)}" + (f"; did you mean {near[0]!r}?" if near else ""))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of `inspect`."""
        return {
            "kind": "inspect",
            "model": self.model,
            "input": plain(self.input),
            "output": plain(self.output),
            "params": plain(self.params),
            "macs": plain(self.macs),
            "flops": plain(self.flops),
            "uncounted": list(self.uncounted),
            "opaque": list(self.opaque),
            "path": list(self.path),
            "needs": [f"{plain(value)} >= 0" for value in self.needs],
            "error": self.error and {"place": self.error.place, **self.error.record()},
            "notes": [note.to_dict() for note in self.notes],
            "remarks": list(self.remarks),
            "layers": [layer.to_dict() for layer in self.layers],
            "inputs": {name: plain(shape) for name, shape in self.inputs.items()},
            "outputs": {name: plain(shape) for name, shape in self.outputs.items()},
            "trainable": plain(self.trainable),
            "unused": list(self.unused.names),
            "memory": {
                "dtype": self.dtype,
                "weights": plain(self.weight_bytes),
                "activations": plain(self.activation_bytes),
                "peak": self.peak,
            },
        }

    def to_json(self) -> str:
        """Return the document that `convcalc inspect --json` prints."""
        return json.dumps({"schema": 1, "convcalc": __version__, **self.to_dict()}, indent=2)


def inspect_graph(net: Graph | Part | Any, input_size: InputShapes | None = None, *, dtype: str = "float32") -> Report:
    """Return the report of a network on inputs of these shapes (ints, or names such as "H"), batch included.

    A node that refuses its input ends the rows; the refusal is in `error`. Bytes are those of `dtype`. Raises
    `convcalc.errors.BadShape` where the input shapes themselves do not suit the graph, `BadArgument` for an unknown
    dtype.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv, MaxPool
    >>> report = inspect_graph(Sequential(Conv(6, 5, padding=2), MaxPool(2)), (1, 1, 28, 28))
    >>> report.output, report.params, report.layers[1].receptive_field, str(report.layers[1].symbolic[2])
    ((1, 6, 14, 14), 156, (6, 6), 'H//2')
    >>> report.weight_bytes, report.activation_bytes, report.peak == 4 * (6 * 28 * 28 + 6 * 14 * 14)
    (624, 23520, True)
    """
    size = itemsize(dtype)
    graph, given = open_net(net, input_size)
    if any(is_array(size) for shape in given.values() for size in shape):
        raise BadArgument("a report is of one size: give a number, or a name such as 'H', not an array")
    if graph.capture is not None and not all(branch.is_known for branch in graph.capture.path):
        there = _captured_there(graph, given, dtype)
        if there is not None:
            return there
    needs = Conditions()
    shapes, fields = dict(given), start_fields(graph, given)
    letters = graph.lettered(given) if graph.capture is not None else with_symbols(given)
    symbolic: dict[str, Shape | None] = dict(letters)
    anywhere = _anywhere(graph, letters)
    live = set(graph.inputs)
    rows: list[LayerReport] = []
    activations: Size = 0
    error, failed = None, None
    for node in graph:
        try:
            shapes |= node_shapes(node, shapes, needs)
        except ConvcalcError as refusal:
            if isinstance(refusal, Unknown) and graph.example is not None:
                return _captured_there(graph, given, dtype) or _at_example(graph, refusal, dtype)
            error = refusal
            failed = Failure(node.name, node.layer.op, node.layer.arguments(), node.source)
            break
        symbolic |= _symbolic(anywhere.get(node.name, node), symbolic)
        fields |= node_fields(node, fields, shapes)
        if not live.isdisjoint(node.inputs) and not isinstance(node.layer, Fresh):
            live.update(node.outputs)
        cost = node_cost(node, shapes, size)
        activations += cost.activations
        rows.append(_row(node, shapes, symbolic[node.name], fields[node.name], cost, node.name not in live))
    capture = graph.capture
    if error is None and capture is not None and capture.error is not None:
        error = capture.error
        failed = _failure(error, graph.capture.refused if graph.capture is not None else None)
    values = peak_values(graph, shapes)
    return Report(
        model=graph.name,
        inputs=given,
        outputs={} if error else {label: shapes[name] for label, name in zip(graph.labels, graph.outputs, strict=True)},
        layers=tuple(rows),
        needs=tuple(needs.open),
        notes=notes_on(Facts(graph, shapes, fields)),
        error=error,
        failed=failed,
        ends=graph.outputs,
        opaque=tuple(node.name for node in graph if isinstance(node.layer, Opaque)),
        path=() if capture is None else tuple(map(str, strongest(capture.path))),
        remarks=() if capture is None else capture.remarks,
        unused=Weights() if capture is None else capture.unused,
        dtype=dtype,
        activations=activations,
        peak=None if values is None else values * size,
    )


def _captured_there(graph: Graph, given: Mapping[str, Shape], dtype: str) -> Report | None:
    """The report of a module captured anew at these sizes, if they are numbers and other than those it has."""
    shapes = [given[name] for name in graph.inputs]
    symbols = any(is_symbolic(size) for shape in shapes for size in shape)
    if graph.capture is None or graph.capture.again is None or symbols or tuple(shapes) == graph.example:
        return None
    return inspect_graph(graph.capture.again(shapes, whole=True), dtype=dtype)


def _at_example(graph: Graph, unknown: Unknown, dtype: str) -> Report:
    """The report where a captured graph was captured, as what was asked for is not known."""
    report = inspect_graph(graph.with_formulas, graph.example, dtype=dtype)
    place = "" if report.error is not None else f" from {unknown.place} on" if unknown.place else ""
    return replace(report, remarks=(*report.remarks, f"sizes by letter are not known{place}: all is shown at one size"))


def _failure(error: ConvcalcError, refused: Node | None = None) -> Failure | None:
    """The call at which the run of a captured module ended, as far as it is explained."""
    explanation = error.explanation
    if explanation is None:
        return Failure(error.place) if error.place else None
    op = explanation.call if refused is None else refused.layer.op
    return Failure(explanation.place, op, source=explanation.source)


def _anywhere(graph: Graph, letters: Mapping[str, Shape]) -> dict[str, Node]:
    """The nodes that hold formulas, in these letters; nothing where there are none."""
    if graph.capture is None:
        return {}
    if graph.capture.any_number is not None:
        return {node.name: node for node in graph.capture.any_number.at(letters)}
    return {node.name: node for node in graph.with_formulas.at(letters) if node.layer.depends_on_sizes}


def _row(
    node: Node, shapes: Mapping[str, Shape], symbolic: Shape | None, field: Field, cost: NodeCost, constant: bool
) -> LayerReport:
    return LayerReport(
        name=node.name,
        op=node.layer.op,
        args=node.layer.arguments(),
        inputs=node.inputs,
        output=shapes[node.name],
        outputs=tuple(shapes[name] for name in node.outputs),
        symbolic=symbolic,
        params=cost.params,
        shared=node.shares is not None,
        macs=cost.macs,
        field=field,
        source=node.source,
        trainable=cost.params if node.weights is None else node.weights.trainable,
        weight_bytes=cost.params * cost.itemsize if node.weights is None else node.weights.bytes,
        constant=constant,
        counted=node.layer.is_counted,
    )


def with_symbols(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """The input shapes with letters for spatial sizes; inputs of one size share their letters."""
    first: dict[Shape, str] = {}
    found = {}
    for name, shape in shapes.items():
        own = "".join(letter if letter.isalnum() else "_" for letter in name)  # "xs.1" is an entry of a list
        suffix = first.setdefault(shape[2:], f"_{own}" if first else "")
        letters = [
            size if is_symbolic(size) else Expr.symbol(f"{letter}{suffix}")
            for letter, size in zip(axis_names(max(0, len(shape) - 2)), shape[2:], strict=True)
        ]
        found[name] = (*shape[:2], *letters)
    return found


def _symbolic(node: Node, known: Mapping[str, Shape | None]) -> dict[str, Shape | None]:
    """The output shapes for any size; None where a layer has no formula, and for all that reads it."""
    shapes = {name: shape for name in node.inputs if (shape := known[name]) is not None}
    try:
        found = node_shapes(node, shapes, enforce) if len(shapes) == len(set(node.inputs)) else _unknown(node)
    except ConvcalcError:
        return _unknown(node)
    return {name: None if shape is None or _is_too_long(shape) else shape for name, shape in found.items()}


def _is_too_long(shape: Shape) -> bool:
    return any(isinstance(size, Expr) and size.is_too_long for size in shape)


def _unknown(node: Node) -> dict[str, Shape | None]:
    return dict.fromkeys(node.outputs)


def plain(value: Any) -> Any:
    """Return a value for JSON: an expression as its Python text, a fraction as exact text, a tuple as a list.

    >>> plain((Expr.symbol("H") // 2, Fraction(4), Fraction(1, 2), None))
    ['H//2', 4, '1/2', None]
    """
    match value:
        case Expr():
            return value.constant if value.is_constant else value.text
        case Fraction():
            return value.numerator if value.denominator == 1 else str(value)
        case tuple() | list():
            return [plain(entry) for entry in value]
        case _:
            return str(value) if is_symbolic(value) else value


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else values
