"""Which input sizes a network accepts: `convcalc.analysis.validity.decide` over the nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import named, with_export
from convcalc.analysis.validity.decide import valid_sizes as decide_sizes
from convcalc.analysis.validity.exporting import Inner
from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.of_captures import valid_sizes_of_captured
from convcalc.analysis.validity.padded import Sides, check_exact, rows_of_padding
from convcalc.analysis.validity.rounding import Rounding
from convcalc.analysis.validity.ties import put, tells_more, tied, together
from convcalc.errors import BadArgument, BadShape, ConvcalcError
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.shapes import node_formulas, node_shapes
from convcalc.sizes.axes import axis_names
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size


def valid_sizes(net: Graph | Part, input_size: InputShapes | None = None) -> Legal:
    """Return the input sizes that a graph accepts, for the sizes of `input_size` that are names.

    Where no size is a name, or no shape is given, letters stand for the spatial sizes. Raises `BadArgument` where there
    are none, `BadShape` where the shape does not suit the network at any size. Source: docs/legal-sizes.md, with proof.

    >>> from convcalc.layers import MaxPool
    >>> valid_sizes(MaxPool(2), (1, 8, "n"))["n"]
    n >= 2
    """
    rounding = Rounding()
    graph = as_graph(net)
    letters = () if graph.capture is None else graph.capture.letters
    shapes = name_sizes(graph.shapes_of(input_size), letters)
    shapes = tied(shapes, letters) if letters else shapes
    if graph.capture is not None and graph.capture.again is not None:
        sizes = [size for shape in shapes.values() for size in shape if isinstance(size, Expr)]
        axes = tuple(dict.fromkeys(str(size) for size in sizes if str(size) in size.symbols))
        legal = valid_sizes_of_captured(graph, shapes, axes)
        with suppress(ConvcalcError):  # where a call has no formula, nothing is proved anyway
            known = dict(shapes)
            for node in graph.with_formulas:
                rounding.note(node.layer, [known[name] for name in node.inputs])
                known |= node_formulas(node, known, Conditions())
        if together(shapes):  # an exporter would have to be told so
            legal = replace(legal, inputs=shapes, export=None)
        return replace(legal, up_to=rounding.up_to)

    whole = tuple(_named(size) for shape in shapes.values() for size in shape)
    inner = Inner()

    def propagate(sizes: Shape, check: Collector) -> None:
        rest = iter(sizes)
        known = {name: tuple(next(rest) for _ in shape) for name, shape in shapes.items()}
        padding = dict[str, Sides]()
        for node in graph:
            inputs = tuple(known[name] for name in node.inputs)
            try:
                check_exact(node, inputs, padding, named(node.name, check.exact))
                padding |= rows_of_padding(node, inputs, padding)
            except ConvcalcError as error:
                raise error.at(node.name) from None
            rounding.note(node.layer, inputs)
            known |= node_shapes(node, known, check)
            inner.note(node, inputs, [known[name] for name in node.outputs])

    legal = with_export(decide_sizes(propagate, whole), inner)
    return replace(legal, up_to=rounding.up_to)


def name_sizes(shapes: Mapping[str, Shape], letters: Sequence[Shape] = ()) -> dict[str, Shape]:
    """Return input shapes with letters for spatial sizes, as they are where some size is a symbol already.

    Inputs of the same sizes share their letters. A capture has `letters` where they stand elsewhere, or depend on each
    other. Raises `BadArgument` where no input has a spatial size.

    >>> [str(size) for size in name_sizes({"image": (1, 3, 8, 8)})["image"]]
    ['1', '3', 'H', 'W']
    >>> name_sizes({"m": (1, 8, 4), "y": (1, 32)}, [(1, 8, Expr.symbol("L")), (1, 8 * Expr.symbol("L"))])
    {'m': (1, 8, n), 'y': (1, 8*n)}
    """
    if any(isinstance(size, Expr) for shape in shapes.values() for size in shape):
        return dict(shapes)
    suffix: dict[Shape, str] = {}
    found = {}
    for name, shape in shapes.items():
        called = "".join(letter if letter.isalnum() else "_" for letter in name)  # "xs.1" is an entry of a list
        more = suffix.setdefault(shape[2:], f"_{called}" if suffix else "")
        own = ("n",) if len(shape) == 3 else axis_names(max(0, len(shape) - 2))
        found[name] = (*shape[:2], *(Expr.symbol(f"{letter}{more}") for letter in own))
    if letters and tells_more(letters, tuple(found.values())):
        return {name: tuple(map(_as_n, shape)) for name, shape in zip(shapes, letters, strict=True)}
    if not any(len(shape) > 2 for shape in found.values()):
        given = ", ".join(f"({', '.join(map(str, shape))})" for shape in shapes.values())
        raise BadArgument(f"the input has no spatial axis: {given}; give a size a name to ask which it may have")
    return found


def _as_n(size: Size) -> Size:
    """A size in letters, where the only axis of an input is called n."""
    if not isinstance(size, Expr):
        return size
    called = {name: Expr.symbol(f"n{name[1:]}") for name in size.symbols if name == "L" or name.startswith("L_")}
    return put(size, called)


def _named(size: Size) -> int | str:
    """A size for the decision: a number or a name."""
    if isinstance(size, int):
        return size
    if isinstance(size, Expr) and size.symbols == {str(size)}:
        return str(size)
    raise BadShape(f"a size is a number or a name here, not a formula: {size}")
