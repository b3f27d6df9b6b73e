"""A network along one axis as a table: which rows each map reads of the maps before it.

Written down is what decides whether a row is the same in a padded batch as in the sequence alone: the rows that are
read, the formula of each size, what a layer takes for rows past the ends, and whether zeros stay zeros.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from convcalc.analysis.cut import depending
from convcalc.errors import NoSolution
from convcalc.export.code.along import Along
from convcalc.footprints.field import Field
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.layout import place_along
from convcalc.footprints.stencils import identity
from convcalc.layers import (
    ELU,
    GELU,
    Add,
    AvgPool,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Flatten,
    Hardswish,
    Identity,
    LeakyReLU,
    Linear,
    LpPool,
    MaxPool,
    Mish,
    Mul,
    PReLU,
    ReLU,
    ReLU6,
    SiLU,
    Tanh,
    Upsample,
)
from convcalc.layers.activation import GLU, Map, Pointwise
from convcalc.layers.base import Shape, read_through
from convcalc.layers.merge import Elementwise
from convcalc.layers.permute import Permute
from convcalc.layers.reshape import Squeeze, Unflatten, Unsqueeze, View
from convcalc.layers.split import Chunk
from convcalc.network.node import Node
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import QuasiAffine, quasi_affine

MOST_PERIOD = 2048
"""Networks whose pattern takes more rows to come back are refused: it is looked at row by row."""

_LINEAR = ("conv", "tconv", "linear")
_STEADY = (Pointwise, Elementwise, Conv, ConvTranspose, MaxPool, AvgPool, LpPool, Linear, Concat, Permute)
"""What reads the same rows at every size, but for "same" padding at a stride."""
_KEEPING = (
    *(Identity, ReLU, ReLU6, LeakyReLU, ELU, Tanh, GELU, SiLU, Mish, Hardswish, Dropout, PReLU, GLU, Add, Mul, Concat),
    *(Permute, View, Squeeze, Unsqueeze, Flatten, Unflatten, Upsample, Crop, Chunk, MaxPool, AvgPool, LpPool),
)
"""What makes zeros of zeros, beside what is linear without a bias."""
_OF_ZERO = ("abs", "neg", "sqrt", "square", "sin", "tan", "asinh", "atan", "erf", "expm1", "log1p", "sign", "softsign")
_UNARY = (*_OF_ZERO, "exp", "exp2", "log", "log2", "log10", "rsqrt", "cos", "reciprocal")
"""Functions of a value alone; others take a number beside it, which may come from the length of the sequence."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One map: which rows it reads of each map before it, as a footprint on that map."""

    name: str
    op: str
    size: Expr
    reads: tuple[tuple[str, Footprint], ...]
    outside: str
    """What stands past the ends: "zeros", as rows of zeros; "same", whatever it is; or "reflect", "replicate"."""
    keeps: bool
    """Whether a row is zero where all that it reads is."""

    @property
    def is_plain(self) -> bool:
        """Whether each row is that of the one map before, zero where that is.

        >>> from convcalc.sizes.expr import Expr
        >>> relu = Rows(name="1", op="relu", size=Expr.symbol("T"), reads=(("0", identity()),), outside="", keeps=True)
        >>> relu.is_plain
        True
        """
        return self.keeps and len(self.reads) == 1 and self.reads[0][1] == identity()


def walk(along: Along) -> tuple[Rows, ...]:
    """Return the maps between input and output, in the order they run; those that change nothing are left out.

    Raises `NoSolution` where a layer mixes rows that no table of reads can tell: attention, a norm over the axis.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import Conv, ReLU
    >>> from convcalc.network.blocks import Sequential
    >>> (one,) = walk(look_along(Sequential(Conv(8, 3, padding=1), ReLU()), (1, 4, "T")))
    >>> one.name, one.reads, one.outside, one.keeps
    ('0', (('input', reads -1..1 + a),), 'zeros', False)
    """
    graph, letter = along.graph, along.letter
    moving = _depending(along)
    forms = _growths(along, moving)
    period, start = math.lcm(*(form.period for form in forms)), max(form.start for form in forms)
    far = along.legal.nearest(start + 64 * period + 4096)[1]
    if far is None:
        raise NoSolution("only finitely many sizes run: there is no mask for a batch", rule="sizes repeat")
    found = _maps(along, far, moving)
    steady = all(isinstance(node.layer, _STEADY) and _is_fixed(node) for node in graph if moving & {*node.outputs})
    if not steady and period > MOST_PERIOD:
        raise NoSolution(f"the pattern along {letter} comes back after {period} rows only: at most {MOST_PERIOD}")
    for size in (far + step for step in (*([1] if steady else range(1, period)), 16 * period)):
        if size in along.legal:
            for one, other in zip(found, _maps(along, size, moving), strict=True):
                if one != other:
                    raise _forbidden(one.name, "what it reads shifts with the size")
    return _without_plain(found, graph.outputs[0])


def _growths(along: Along, moving: set[str]) -> list[QuasiAffine]:
    """How the maps of these names grow with the axis; raises `NoSolution` where one does not."""
    found = []
    for name in moving:
        sizes = [size for size in along.shapes[name] if isinstance(size, Expr) and size.symbols == {along.letter}]
        form = quasi_affine(sizes[0]) if len(sizes) == 1 else None
        if form is None or form.slope <= 0:
            raise _forbidden(name, f"its size does not grow with {along.letter} on one axis")
        found.append(form)
    return found


def _is_fixed(node: Node) -> bool:
    """Whether neither a hyper-parameter nor a padding depends on the size."""
    return not node.layer.depends_on_sizes and not (
        str(getattr(node.layer, "padding", "")).startswith("same") and getattr(node.layer, "stride", 1) != 1
    )


def _depending(along: Along) -> set[str]:
    try:
        return depending(along.graph)
    except NoSolution as error:
        raise NoSolution(error.message.replace("forbids exact tiles", "forbids an exact mask"), rule=_RULE) from None


_RULE = "every layer is local along the axis"


def _forbidden(node: str, why: str) -> NoSolution:
    return NoSolution(f"{node} forbids an exact mask: {why}", rule=_RULE)


def _maps(along: Along, size: int, moving: set[str]) -> list[Rows]:
    """The maps where the axis has this size."""
    graph, shapes = along.shapes_at(size)
    source = graph.inputs[0]
    layouts = {source: Field.on(shapes[source], [along.places[0]])}
    found = []
    for node in graph:
        for name in moving.intersection(node.outputs):
            layouts[name], reads = _read(node, name, layouts, shapes)
            axis = _axis(name, along.shapes[name], layouts[name], shapes[name], along.letter)
            alone = all(one in moving for one in node.inputs)
            found.append(
                Rows(
                    name=name,
                    op=node.layer.op,
                    size=along.shapes[name][axis],
                    reads=reads,
                    outside=_outside(node),
                    keeps=alone and _keeps(node, along.shapes[name]),
                )
            )
    return found


def _read(
    node: Node, name: str, layouts: Mapping[str, Field], shapes: Mapping[str, Shape]
) -> tuple[Field, tuple[tuple[str, Footprint], ...]]:
    """Where the rows of a node lie, and what it reads of each map before."""
    if not node.layer.is_known:
        raise _forbidden(node.name, f"what {node.layer.op} reads is not known")
    if node.layer.outside in ("circular", "around"):
        raise _forbidden(node.name, f"{node.layer.op} reads the other end of the sequence")
    if isinstance(node.layer, Map) and node.layer.op not in _UNARY:
        raise _forbidden(node.name, f"the number that {node.layer.op} takes may depend on the length")
    inputs = [shapes[one] for one in node.inputs]
    reads = []
    where = Field.nothing(1)
    for place, before in enumerate(node.inputs):
        if before not in layouts:
            continue
        fields = [layouts[one] if i == place else Field.nothing(1) for i, one in enumerate(node.inputs)]
        field = read_through(node.layer, fields, inputs, shapes[name])
        (footprint,) = field.axes
        if field.terms or footprint is None or footprint.is_global or footprint.shift != 0:
            raise _forbidden(node.name, f"{node.layer.op} reads more of the sequence than a row's own place")
        where = Field((identity(),), True, field.layout)
        reads.append((before, footprint))
    return where, tuple(reads)


def _axis(name: str, symbolic: Shape, where: Field, shape: Shape, letter: str) -> int:
    """The axis of a map along which its rows lie."""
    found = [place for place, size in enumerate(symbolic) if isinstance(size, Expr) and letter in size.symbols]
    if len(found) == 1:
        place = where.layout[0] if where.layout is not None else place_along(shape, 2) if len(shape) == 3 else None
        if place == place_along(shape, found[0]):
            return found[0]
    raise _forbidden(name, f"its rows lie along no one axis of ({', '.join(map(str, symbolic))})")


def _outside(node: Node) -> str:
    """What stands past the ends of what the layer reads."""
    if node.layer.outside in ("reflect", "replicate"):
        return str(node.layer.outside)
    return "zeros" if node.layer.op in _LINEAR else "same"


def _keeps(node: Node, shape: Shape) -> bool:
    """Whether zeros stay zeros."""
    if isinstance(node.layer, Map):
        return node.layer.op in _OF_ZERO
    if node.layer.op in _LINEAR:
        return not node.layer.adds_bias(shape)
    return isinstance(node.layer, _KEEPING)


def _without_plain(maps: list[Rows], last: str) -> tuple[Rows, ...]:
    """The maps that say something, one at least; what reads one that does not, reads what that reads."""
    same: dict[str, str] = {}
    kept: list[Rows] = []
    for one in maps:
        one = replace(one, reads=tuple((same.get(name, name), footprint) for name, footprint in one.reads))
        if one.is_plain and (kept or one.name != last):
            same[one.name] = one.reads[0][0]
        else:
            kept.append(one)
    return tuple(kept)
