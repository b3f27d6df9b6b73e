"""A network along one axis of its input: which sizes run, and how many rows come out of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.errors import BadArgument, BadShape, NoSolution
from convcalc.layers.base import Shape, written
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.letters import sizes_asked
from convcalc.network.shapes import infer_shapes, shape_at
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import QuasiAffine, quasi_affine
from convcalc.sizes.sets import SizeSet

LARGEST = 2**40
"""No input is as long: what is proved up to here is proved."""


@dataclass(frozen=True, kw_only=True)
class Along:
    """One axis of a network of one input and one output, `letter` being its size.

    >>> from convcalc.layers import Conv
    >>> one = look_along(Conv(8, 3, stride=2), (1, 4, "T"))
    >>> one.letter, one.places, str(one.formula), one.legal.smallest
    ('T', (2, 2), '(T + 1)//2 - 1', 3)
    """

    graph: Graph
    """With its formulas, as far as it has some."""
    shape: Shape
    """Of the input, in letters."""
    letter: str
    others: Mapping[str, int]
    """What the other letters are taken as: no answer depends on it."""
    shapes: Mapping[str, Shape]
    """Of every input and node, in `letter` alone."""
    places: tuple[int, int]
    """Which axis of the input it is, and which of the output."""
    formula: Expr
    """Rows of the output."""
    growth: QuasiAffine
    legal: SizeSet
    """The sizes that run."""

    def shapes_at(self, size: int) -> tuple[Graph, dict[str, Shape]]:
        """Return the graph and its shapes where the axis has this size."""
        given = shape_at(self.shape, {**self.others, self.letter: size})
        graph = self.graph.at({self.graph.inputs[0]: given})
        return graph, infer_shapes(graph, given)


def look_along(net: Graph | Part, input_size: InputShapes | None = None, axis: str | None = None) -> Along:
    """Return a network along the axis of its input that is called `axis`, or the only one whose size is a letter.

    Raises `BadArgument` where that is none or several, `BadShape` for several inputs or outputs, `NoSolution` where no
    one formula is proved for all sizes.
    """
    graph = as_graph(net)
    for what, names in (("input", graph.inputs), ("output", graph.outputs)):
        if len(names) != 1:
            raise BadShape(f"code is for one {what}: there are {len(names)}, {', '.join(names)}")
    letters = () if graph.capture is None else graph.capture.letters
    shape = sizes_asked(graph.shapes_of(input_size), letters)[graph.inputs[0]]
    letter = _letter(shape, axis)
    legal, others = _legal(graph, shape, letter)
    given = shape_at(shape, others)
    graph = graph.with_formulas
    shapes = infer_shapes(graph, given)
    out = shapes[graph.outputs[0]]
    where = [place for place, size in enumerate(out) if isinstance(size, Expr) and not size.is_constant]
    growth = quasi_affine(out[where[0]]) if len(where) == 1 else None
    if growth is None or growth.slope <= 0:
        raise NoSolution(
            f"{graph.outputs[0]} gives {written(out)}: code needs one axis of it that grows with {letter}",
            rule="one axis of the output grows with the input's",
        )
    return Along(
        graph=graph,
        shape=shape,
        letter=letter,
        others=others,
        shapes=shapes,
        places=([str(size) for size in shape].index(letter), where[0]),
        formula=out[where[0]],
        growth=growth,
        legal=legal,
    )


def _letter(shape: Shape, axis: str | None) -> str:
    """The letter of the axis that is meant."""
    free = [str(size) for size in shape if isinstance(size, Expr)]
    if axis is None and len(free) > 1:
        raise BadArgument(f"code is along one axis, and {', '.join(free)} are free: name one as the axis")
    found = free[0] if axis is None else axis
    if free.count(found) != 1:
        raise BadArgument(
            f"the input ({', '.join(map(str, shape))}) has no one axis {found!r}: use {' or '.join(free)}"
        )
    return found


def _legal(graph: Graph, shape: Shape, letter: str) -> tuple[SizeSet, dict[str, int]]:
    """The sizes of an axis that run, and a size for each of the other letters, on which these do not depend."""
    legal = valid_sizes(graph, shape)
    if not legal.proved or (legal.up_to is not None and legal.up_to < LARGEST):
        raise NoSolution(f"which {letter} run is not proved for all sizes", rule="sizes are proved")
    if len([way for way in legal.ways if way.error is None]) != 1 or any(way.path for way in legal.ways):
        raise NoSolution(f"the model goes several ways by the size of {', '.join(legal.axes)}", rule="one way")
    if len(legal.runs.boxes) != 1 or letter not in legal.axes:
        raise NoSolution(
            f"which {letter} run depends on {', '.join(axis for axis in legal.axes if axis != letter) or 'nothing'}: "
            "give the other sizes as numbers",
            rule="one axis alone",
        )
    sizes = dict(zip(legal.axes, legal.runs.boxes[0], strict=True))
    others = {name: min(filter(None, (own.nearest(64))), default=1) for name, own in sizes.items() if name != letter}
    return sizes[letter], others
