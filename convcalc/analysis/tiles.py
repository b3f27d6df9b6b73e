"""How to cut an image into tiles so that the outputs, put together, are those of the whole image.

Three things make tiles exact. Each tile starts at a multiple of the *period*: the input rows after which every map
inside the network has moved by whole rows (the period of the size algebra over all nodes; the footprint of the output
may have lost some of it). Each tile is as long as the image modulo the period, so that what depends on the size, such
as a centre crop, is the same in both. And of each output only the rows that a cut side cannot have touched are kept:
they are found by walking the nodes forward, a row being untouched where all it reads is.

::

    input   0 ....... t                     tile 0, from 0
                 S ....... S+t              tile 1, from S = step
    output  [keep  ]xx                      x: touched by a cut, thrown away
                 xx[keep]xx
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import contains
from typing import Any

from convcalc.analysis.cut import check_moving, depending, growths, touched_rows
from convcalc.analysis.fields import find_fields
from convcalc.analysis.report.memory import itemsize, peak_values
from convcalc.analysis.tiles_text import tiles_text
from convcalc.analysis.validity.decide import decided
from convcalc.analysis.validity.of_capture import path_of
from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.errors import BadShape, NoSolution
from convcalc.footprints.footprint import Footprint
from convcalc.layers.base import Shape
from convcalc.network.blocks import Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.letters import sizes_asked
from convcalc.network.shapes import infer_shapes, open_net
from convcalc.shown import Shown
from convcalc.sizes.axes import per_axis
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import QuasiAffine
from convcalc.sizes.sets import SizeSet, every


@dataclass(frozen=True, kw_only=True, repr=False)
class AxisTiles(Shown):
    """The tiles of one axis, in rows of the input; `out` and `trim` are rows of the output.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv
    >>> net = Sequential(Conv(1, 3, padding=1), Conv(1, 3, padding=1))
    >>> (axis,) = find_tiles(net, (1, 1, "n"), tile=8, image=12).axes
    >>> axis.halo, axis.trim, axis.starts, [axis.kept(number) for number in range(axis.count)]
    ((2, 2), (2, 2), (0, 4), [(0, 6), (2, 8)])
    >>> print(axis)
    n: 2 tiles of 8, every 4 rows; 8 out, of which 2 before and 2 after are thrown away
    """

    axis: str
    period: int
    """Tiles start at its multiples."""
    slope: Fraction
    """Rows of the output for one of the input."""
    halo: tuple[int, int]
    """How far an output reads before and after its own place."""
    sizes: SizeSet
    """The sizes a tile may have."""
    tile: int
    out: int
    """What comes out of one tile."""
    trim: tuple[int, int]
    """What of that to throw away before and after, at a side where the image is cut."""
    step: int
    """From one tile to the next; the last ends where the image does."""
    image: int | None = None

    @property
    def starts(self) -> tuple[int, ...]:
        """Where tiles start in the image; none without an image."""
        return tuple(map(self.start, range(self.count)))

    def start(self, number: int) -> int:
        """Return where tile `number` starts; the last ends where the image does."""
        return min(number * self.step, (self.image or 0) - self.tile)

    @property
    def count(self) -> int:
        """How many tiles the image takes on this axis."""
        return 0 if self.image is None else 1 - min(0, self.tile - self.image) // self.step

    def place(self, number: int) -> int:
        """Return the row of the whole output that row 0 of the output of tile `number` is."""
        return int(self.slope * self.start(number))

    def kept(self, number: int) -> tuple[int, int]:
        """Return from and to which row to keep the output of tile `number`; it begins where the one before ends."""
        end = self.out - (self.trim[1] if number < self.count - 1 else 0)
        if number == 0:
            return 0, end
        return self.place(number - 1) + self.out - self.trim[1] - self.place(number), end

    def __str__(self) -> str:
        number = f"{self.count} tiles" if self.count else "tiles"
        trim = f"of which {self.trim[0]} before and {self.trim[1]} after are thrown away"
        return f"{self.axis}: {number} of {self.tile}, every {self.step} rows; {self.out} out, {trim}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Tiles(Shown):
    """How to cut the input of a network into tiles, axis by axis.

    `memory` is the most bytes that the values alive at once take in a forward pass over one tile, float32, weights
    apart; `whole` the same for the image.
    """

    axes: tuple[AxisTiles, ...]
    memory: int
    whole: int | None

    @property
    def count(self) -> int:
        """The number of tiles; 0 without an image."""
        return math.prod(axis.count for axis in self.axes)

    def __str__(self) -> str:
        return tiles_text(self)


def find_tiles(
    net: Graph | Part, input_size: InputShapes | None = None, *, tile: Any = 512, image: Any = None
) -> Tiles:
    """Return tiles of at most `tile` rows an axis whose outputs, put together, are those of the whole `image`.

    `tile` and `image` are one size for all axes or one for each. Each tile is as long as the image modulo the
    period, or exact where there is no image. Batch normalization is taken by stored statistics. Raises `NoSolution`
    where a layer forbids tiles, such as one that sees everything, and where a tile is too small; `BadShape` for
    several inputs. Of several outputs, the last is meant; where a model goes several ways, that of the image.

    >>> from convcalc.zoo import unet
    >>> axis = find_tiles(unet(), tile=600).axes[0]
    >>> axis.period, axis.tile, axis.out, axis.step, axis.trim
    (16, 588, 404, 400, (0, 0))
    """
    graph = as_graph(net)
    if len(graph.inputs) != 1:
        raise BadShape(f"tiles are cut from one input: there are {len(graph.inputs)}, {', '.join(graph.inputs)}")
    shape = sizes_asked(graph.shapes_of(input_size))[graph.inputs[0]]
    axes = _axes(graph, shape, tile, image)
    names = [axis.name for axis in axes]
    graph, region = _way_at(graph, shape, names, [axis.like() for axis in axes])
    moving = depending(graph)
    symbolic = infer_shapes(graph, shape)
    forms = growths({name: symbolic[name] for name in symbolic if name in moving}, names)
    by_axis = zip(axes, region, zip(*forms.values(), strict=True), strict=True)
    axes = [axis.on_grid(sizes, grown) for axis, sizes, grown in by_axis]
    far = (*shape[:2], *(axis.far for axis in axes))
    later = (*shape[:2], *(axis.far + 16 * axis.period for axis in axes))
    shapes = infer_shapes(graph, far)
    check_moving(graph, shapes, infer_shapes(graph, later), later, moving)
    last = graph.outputs[-1]
    there = graph.at({graph.inputs[0]: far})
    trims, halos = touched_rows(there, shapes, forms), find_fields(there, far)[last].spatial
    ends = zip(axes, forms[last], halos, shapes[last][2:], trims, strict=True)
    found = tuple(axis.tiles(form.slope, halo, out, trim) for axis, form, halo, out, trim in ends)
    return Tiles(
        axes=found,
        memory=_memory(graph, (*shape[:2], *(axis.tile for axis in found))),
        whole=None if image is None else _memory(graph, (*shape[:2], *(axis.image for axis in axes))),
    )


def _memory(graph: Graph, shape: Shape) -> int:
    return (peak_values(graph, infer_shapes(graph, shape)) or 0) * itemsize("float32")


# -- one axis ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """One axis of the input: its legal sizes, those that also lose nothing, the most rows of a tile, the image.

    `period` and `far`, a size so large that no two sides meet, are known of an axis `on_grid`.
    """

    name: str
    legal: SizeSet
    exact: SizeSet
    most: int
    image: int | None
    period: int = 1
    far: int = 0

    def like(self, least: int = 0) -> int:
        """A size whose residue tiles are to have: the image, else the largest legal one that is not above `most`."""
        below, above = (self.exact or self.legal).nearest(max(self.most, least))
        return next((size for size in (self.image, below, above) if size is not None), 0)

    def on_grid(self, sizes: SizeSet, forms: Sequence[QuasiAffine]) -> _Axis:
        """The axis whose maps grow like this, with those `sizes` that are like the image modulo the period of all."""
        period, start = math.lcm(*(form.period for form in forms)), max(form.start for form in forms)
        own = replace(self, legal=self.legal & sizes, exact=self.exact & sizes)
        legal = own.legal & SizeSet(period, (own.like(start) % period,), start)
        far = legal.nearest(start + 4096 * period)[1]  # where the pattern of all sizes has long begun
        if far is None:
            raise NoSolution("only finitely many sizes run: no tile is like the image", rule="sizes repeat")
        return replace(own, legal=legal, period=period, far=far)

    def tiles(self, slope: Fraction, halo: Footprint | None, out: int, trim: tuple[int, int]) -> AxisTiles:
        """Its tiles, where size `far` gives `out` rows of the output, and a cut touches `trim` of them."""
        shift = out - slope * self.far
        moved = int(slope * self.period)  # rows of the output in a period
        least = math.ceil((moved + sum(trim) - shift) / slope)  # a tile keeps a period at least
        sizes = self.legal & SizeSet(1, (0,), least)
        tile = self.image if self.image is not None and self.image <= self.most else sizes.nearest(self.most)[0]
        if tile is None:
            raise NoSolution(
                f"a tile of {self.most} rows on {self.name} keeps no output: "
                f"a cut costs {trim[0]} + {trim[1]} rows of it; use at least {sizes.smallest}",
                rule="a tile keeps a period of the output",
                fixes=[f"--tile {sizes.smallest}"],
            )
        out = int(slope * tile + shift)
        local = None if halo is None else halo.local
        reach = (0, 0) if local is None else (local.reach_before or 0, local.reach_after or 0)  # at numbers never None
        return AxisTiles(
            axis=self.name,
            period=self.period,
            slope=slope,
            halo=reach,
            sizes=sizes,
            tile=tile,
            out=out,
            trim=trim,
            step=max(1, (out - sum(trim)) // moved) * self.period,
            image=self.image,
        )


def _axes(graph: Graph, shape: Shape, tile: Any, image: Any) -> list[_Axis]:
    """The axes of the input; raises `NoSolution` where their sizes are not proved, or the image is none of them."""
    names = [str(size) for size in shape[2:]]
    legal = valid_sizes(graph, shape)
    if not legal.proved or not all(isinstance(size, Expr) for size in shape[2:]) or list(legal.axes) != names:
        raise NoSolution("no period is known: tiles need a network whose sizes are proved, with a name for each axis")
    asked = zip(names, per_axis("image", image, len(names)), per_axis("tile", tile, len(names)), strict=True)
    axes = [
        _Axis(name=name, legal=legal[name], exact=legal.exact[name], most=most, image=whole)
        for name, whole, most in asked
    ]
    for axis in axes:
        if axis.image is not None and axis.image not in axis.legal:
            near = " and ".join(str(n) for n in axis.legal.nearest(axis.image) if n is not None)
            raise NoSolution(f"the image itself does not run: {axis.name} = {axis.image}; nearest are {near}")
    return axes


# -- the way at this size, and what is in it ---------------------------------------------------------------------


def _way_at(
    graph: Graph, shape: Shape, names: Sequence[str], sizes: Sequence[int]
) -> tuple[Graph, tuple[SizeSet, ...]]:
    """The graph of a captured model at these sizes, and the sizes, axis by axis, at which it is this one."""
    if graph.capture is None:
        return graph, (every(),) * len(names)
    graph, _ = open_net(graph, {graph.inputs[0]: (*shape[:2], *sizes)})
    graph = graph.with_formulas
    if graph.capture is not None and graph.capture.error is not None:
        at = "x".join(map(str, sizes))
        raise NoSolution(
            f"no period is known: at {at}, where each axis alone runs, the model stops: {graph.capture.error}"
        )
    path = path_of(graph, {graph.inputs[0]: shape})
    region = None if path is None else decided(path, names)
    box = next((box for box in region.runs.boxes if all(map(contains, box, sizes))), None) if region else None
    if box is None:
        raise NoSolution("no period is known: it is not decided at which sizes the model goes the same way")
    return graph, box
