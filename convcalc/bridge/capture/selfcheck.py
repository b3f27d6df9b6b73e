"""A captured graph is checked against the module itself: captured again at other sizes, it must be the same.

A formula that Python lost without a trace (`range(h)`, `len(rows)`, a table) shows here: at another size the number
is another, or the calls are. What differs becomes opaque, and a remark says what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from convcalc.analysis.validity.ties import fitting
from convcalc.bridge.capture.owning import macs_of
from convcalc.errors import BadShape, ConvcalcError, Refused, Unknown
from convcalc.layers import Layer, Opaque, Shape
from convcalc.layers.base import written
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import node_formulas, node_shapes, shape_at
from convcalc.sizes.expr import Expr

STEPS = ((1, 16), (16, 1), (1, 1), (16, 16), (-1, -1), (7, 14), (14, 14))
FURTHER = ((32, 64), (32, 32), (64, 64), (0, 1), (1, 0), (0, 16), (16, 0))
"""What is added to the sizes, in turn: to the first letter, the second, the first again."""

UNCHECKED = "at no other size near is it the same and runs: its formulas are not checked"
"""What is remarked where nothing could be checked."""

STUCK = " was the same at all sizes that were tried: formulas are not checked along it"
"""What is remarked of letters that could not be given another size."""


def is_unchecked(graph: Graph) -> bool:
    """Return whether some letter of a graph was given no other size.

    >>> is_unchecked(Graph([]))
    False
    """
    remarks = () if graph.capture is None else graph.capture.remarks
    return any(remark == UNCHECKED or remark.endswith(STUCK) for remark in remarks)


@dataclass
class Again:
    """A capture at other sizes: its graph, the exception that the module's own code ended it with, what torch gave."""

    graph: Graph
    refusal: BaseException | None = None
    measured: Mapping[str, Shape] = field(default_factory=dict)
    """The shape of each output of the graph's nodes."""

    @property
    def runs(self) -> bool:
        """Whether the module ran there."""
        return self.graph.capture is not None and self.graph.capture.why is None


def check_again(
    graph: Graph,
    sizes: Mapping[str, int],
    again: Callable[[Mapping[str, int]], Again],
    times: int,
    late: str | None = None,
    asked: Sequence[Expr] = (),
    *,
    measured: Mapping[str, Shape],
) -> Graph:
    """Return `graph`, captured where its letters are `sizes`, less what other sizes contradict.

    `again` captures the module with other values for the letters. Tried are sizes near that the graph takes, until
    the module ran at as many as `times`. `late` is the first node after a size lost its formula: the graph may then
    be wrong in what it refuses, too, and where no other size runs, nothing is known from there on. Sizes that are
    tried meet the equations `asked`; `measured` has what torch gave for each output of a node.
    """
    checked, remarks, found = list[Mapping[str, int]](), list[str](), dict[str, Difference]()
    assert graph.capture is not None  # noqa: S101 -- captured graphs alone are checked
    letters = dict(zip(graph.inputs, graph.capture.letters, strict=True))
    formulas = _formulas(graph, letters)
    for values in _candidates(sizes, late is not None, asked):
        if len(checked) == times:
            break
        inputs = {name: shape_at(shape, values) for name, shape in letters.items()}
        is_taken = takes(graph, inputs)
        if not is_taken and (late is None or not graph.holds(inputs)):
            continue
        there = again(values)
        if not is_taken and not there.runs:
            continue
        if there.refusal is not None:
            said = f"{type(there.refusal).__name__}: {there.refusal}".splitlines()[0]
            if not remarks:
                remarks.append(f"at {_named(values)} the module refuses what the graph takes: {said}")
            continue
        checked.append(values)
        here = [some for some in _differences(graph, there, formulas, values) if some.node.name not in found]
        if here:
            remarks.append(_said(here[0], len(here), values))
            found |= {difference.node.name: difference for difference in here}
    if not checked and sizes:
        remarks.append(UNCHECKED)
        if late is not None:
            found[late] = Difference(graph[late], "a size lost its formula, and no other size runs", whole=True)
    same = [name for name in sizes if all(values[name] == sizes[name] for values in checked)]
    if checked and same:
        remarks.append(f"{' and '.join(same)}{STUCK}")
    shapes = {**{name: shape_at(shape, sizes) for name, shape in letters.items()}, **measured}
    return _without(graph, list(found.values()), shapes, remarks) if remarks else graph


@dataclass(frozen=True)
class Difference:
    """A node that is another at other sizes; `whole` where from there on the calls are others."""

    node: Node
    what: str
    whole: bool = False


def _candidates(sizes: Mapping[str, int], lost: bool, asked: Sequence[Expr]) -> Iterator[dict[str, int]]:
    """Sizes near; where one lost its formula, twice the sizes too, where a number from it is another more likely."""
    seen = {tuple(sizes.values())}  # where it was captured, nothing is checked
    near = [
        {name: size + steps[place % 2] for place, (name, size) in enumerate(sizes.items())} for steps in STEPS + FURTHER
    ]
    twice = [{name: 2 * size for name, size in sizes.items()}] if lost else []
    orders = (list(sizes), list(sizes)[::-1]) if asked else (list(sizes),)
    fits = (fitting(asked, values, order) for values in (*twice, *near) for order in orders)
    for found in fits:
        if found is None:
            continue
        values = {name: found[name] for name in sizes}
        key = tuple(values.values())
        if key not in seen and min(key, default=0) > 0:
            seen.add(key)
            yield values


def takes(graph: Graph, inputs: Mapping[str, Shape]) -> bool:
    """Return whether a graph holds at inputs of these shapes, and no layer that is known refuses them.

    >>> from convcalc.layers import Conv
    >>> net = Graph([Node("conv", Conv(8, 3))])
    >>> [takes(net, {"input": (1, 3, size)}) for size in (2, 3)]
    [False, True]
    """
    shapes: dict[str, Shape] = dict(inputs)
    try:
        for node in graph.at(inputs):
            if all(name in shapes for name in node.inputs):
                with suppress(Unknown):
                    shapes |= node_shapes(node, shapes)
    except (Refused, BadShape):
        return False
    except ConvcalcError:
        pass
    return True


def _formulas(graph: Graph, letters: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shape of every input and node in letters, as far as it is known: what is too long to tell anything is not."""
    known = dict(letters)
    for node in graph:
        if all(name in known for name in node.inputs):
            with suppress(ConvcalcError):
                known |= node_formulas(node, known)
    return known


def _against(node: Node, formulas: Mapping[str, Shape], again: Again, values: Mapping[str, int]) -> str | None:
    """Where a formula does not give what torch gave at these sizes: what it gave."""
    for name in node.outputs:
        shape, seen = formulas.get(name), again.measured.get(name)
        if shape is None or seen is None:
            continue
        try:
            ours = shape_at(shape, values)
        except ZeroDivisionError:  # where the model divides by a size that is 0
            continue
        if ours != seen:
            return f"it gives {written(seen)}, where the formula {written(shape)} gives {written(ours)}"
    return None


def _differences(
    graph: Graph, again: Again, formulas: Mapping[str, Shape], values: Mapping[str, int]
) -> Iterator[Difference]:
    other = again.graph
    wrong = set[str]()
    for node, there in zip(graph.nodes, other.nodes, strict=False):
        if (node.name, node.inputs, node.shares) != (there.name, there.inputs, there.shares):
            yield Difference(node, f"{there.name} on {', '.join(there.inputs)} is called", whole=True)
            return
        ours, theirs = _at(node.layer, values), _at(there.layer, values)
        if isinstance(ours, Opaque) and isinstance(theirs, Opaque) and len(ours.shapes) == len(theirs.shapes):
            if ours.seen == theirs.seen and ours.shapes != theirs.shapes:
                yield Difference(node, f"it gives {_written(theirs)}, where {_written(ours)} was expected")
            continue
        if ours != theirs:
            yield Difference(node, f"it is {_text(theirs)}, where {_text(ours)} was expected")
        elif wrong.isdisjoint(node.inputs):
            what = _against(node, formulas, again, values)
            if what is None:
                continue
            yield Difference(node, what)
        wrong.update(node.outputs)
    if len(graph) > len(other):
        after = graph.nodes[len(other)]
        if again.runs:
            yield Difference(after, "it is not called", whole=True)
        elif after.layer.is_known and other.capture is not None:  # what is opaque may refuse: nothing was said of it
            yield Difference(after, f"it fails: {other.capture.error}")
    elif len(graph) < len(other) and graph.nodes:
        yield Difference(graph.nodes[-1], f"{other.nodes[len(graph)].name} is called after it", whole=True)
    elif graph.outputs != other.outputs and graph.nodes:
        yield Difference(graph.nodes[-1], f"the outputs are {', '.join(other.outputs)}", whole=True)


def _at(layer: Layer, values: Mapping[str, int]) -> Layer:
    try:
        return layer.at(values) if layer.depends_on_sizes else layer
    except ConvcalcError:
        return layer


def _written(layer: Opaque) -> str:
    return ", ".join(map(written, layer.shapes))


def _text(layer: Layer) -> str:
    if isinstance(layer, Opaque):
        return f"{layer.op} (opaque: {layer.why})"
    given = ", ".join(f"{name}={value}" for name, value in layer.arguments().items())
    return f"{layer.op}({given})"


def _without(graph: Graph, found: Sequence[Difference], shapes: Mapping[str, Shape], remarks: Sequence[str]) -> Graph:
    """The graph with what differs opaque: a node, or from one on all that is no parameter or buffer."""
    assert graph.capture is not None  # noqa: S101 -- captured graphs alone are checked
    whys = {difference.node.name: f"at another size {difference.what}" for difference in found}
    ends = {difference.node.name for difference in found if difference.whole}
    again = graph.capture.again
    if found and again is not None:  # what is contradicted here is so at other sizes, where nothing is checked
        again = partial(_doubted, again, tuple(f"{name} {why}" for name, why in whys.items()))
    nodes, why = list[Node](), None
    for node in graph:
        if why is None and node.name in ends:
            why = f"at other sizes the calls from {node.name} on are others"
        told = whys.get(node.name) if why is None or node.layer.is_source else why
        nodes.append(node if told is None else _opaque(node, graph.inputs, shapes, told))
    remarks = (*graph.capture.remarks, *remarks)
    any_number = None if found else graph.capture.any_number
    capture = replace(graph.capture, remarks=remarks, again=again, any_number=any_number)
    return replace(graph, nodes=tuple(nodes), capture=capture)


def _doubted(again: Callable[..., Graph], why: tuple[str, ...], *args: Any, **settings: Any) -> Graph:
    """A capture at other sizes, of which nothing is believed but what it shows at these."""
    graph = again(*args, **settings)
    assert graph.capture is not None  # noqa: S101 -- it is a capture
    return replace(graph, capture=replace(graph.capture, lost=(*graph.capture.lost, *why), any_number=None))


def _opaque(node: Node, inputs: Sequence[str], shapes: Mapping[str, Shape], why: str) -> Node:
    """A node of which nothing is known but what was measured, for these inputs of the network alone."""
    read = tuple(dict.fromkeys((*node.inputs, *inputs)))
    layer = Opaque(
        node.layer.op,
        shapes=tuple(shapes[name] for name in node.outputs),
        seen=tuple(shapes[name] for name in read),
        why=why,
        mac_count=macs_of(node.layer, [shapes[name] for name in node.inputs]) if node.layer.is_counted else None,
        unread=len(read) - len(dict.fromkeys(node.inputs)) + node.layer.unread,
    )
    return replace(node, layer=layer, inputs=read)


def _said(first: Difference, count: int, values: Mapping[str, int]) -> str:
    follows = "from there on nothing" if first.whole else "what it gives" + (f", and {count - 1} more," * (count > 1))
    verb = "is known at other sizes" if first.whole else "is not known at other sizes"
    return f"{first.node.name}: at {_named(values)} {first.what}; {follows} {verb}"


def _named(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
