"""Pictures of answers, as `convcalc.draw`: one function a picture; each gives a `Picture` that saves itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc import api
from convcalc.analysis.cell import count_ways, find_window
from convcalc.analysis.field_picture import field_picture
from convcalc.analysis.fields import find_fields
from convcalc.analysis.report.picture import net_picture
from convcalc.analysis.tiles_picture import tiles_picture
from convcalc.analysis.validity.picture import sizes_picture
from convcalc.arithmetic.dilation.picture import hdc_picture
from convcalc.arithmetic.dilation.stack import hdc as judge
from convcalc.arithmetic.transposed.overlap_picture import overlap_picture
from convcalc.arithmetic.transposed.picture import transposed_picture
from convcalc.arithmetic.transposed.size import transposed_size
from convcalc.arithmetic.window_picture import window_picture
from convcalc.arithmetic.window_size import conv_size, pool_size
from convcalc.errors import BadShape, ConvcalcError
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.letters import sizes_asked
from convcalc.network.shapes import infer_shapes
from convcalc.render.picture import Picture
from convcalc.sizes.axes import each_axis, per_axis
from convcalc.sizes.expr import Expr

__all__ = ["Picture", "conv", "field", "hdc", "net", "overlap", "pool", "sizes", "tconv", "tiles"]


def conv(
    n: Any,
    k: Any,
    s: Any = 1,
    p: Any = 0,
    d: Any = 1,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
    channels: tuple[int, int] | None = None,
    groups: int = 1,
) -> Picture:
    """Return the picture of a convolution on one axis or, of sizes (rows, columns), on two.

    The letters are those of `convcalc.conv_out`. `at` is the output whose kernel is drawn, the first unless given;
    `animate` shows every output in turn, `values` writes numbers; `channels` (into, out) adds which of them are read,
    in `groups`. Raises as `convcalc.conv_size`.

    >>> import convcalc as cc
    >>> print(cc.draw.conv(5, k=3, s=2, p=1))
    conv 5 -> 3: k3 s2 p1
    output 0 reads -1, 0, 1; 1 of 3 outside
    >>> cc.draw.conv(5, k=3, s=2, p=1).to_svg()[:29]
    '<svg xmlns="http://www.w3.org'
    """
    sizes = _each(conv_size, n, kernel_size=k, stride=s, padding=p, dilation=d)
    return window_picture(sizes, at=at, animate=animate, values=values, channels=channels, groups=groups)


def pool(
    n: Any,
    k: Any,
    s: Any = None,
    p: Any = 0,
    d: Any = 1,
    ceil_mode: bool = False,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
) -> Picture:
    """Return the picture of a pooling; as `conv`, the stride is k unless given. Values are those of a max pooling.

    >>> import convcalc as cc
    >>> print(cc.draw.pool((5, 5), k=2, ceil_mode=True, at=(2, 2)))
    pool 5x5 -> 3x3: k2 s2 p0 ceil
    output 2x2 reads rows 4, 5 and columns 4, 5; 3 of 4 outside
    """
    letters = {"kernel_size": k, "stride": s, "padding": p, "dilation": d, "ceil_mode": ceil_mode}
    sizes = _each(pool_size, n, **letters)
    return window_picture(sizes, at=at, animate=animate, values=values)


def tconv(
    n: Any,
    k: Any,
    s: Any = 1,
    p: Any = 0,
    op: Any = 0,
    d: Any = 1,
    *,
    at: Sequence[int] | None = None,
    animate: bool = False,
    values: bool = False,
) -> Picture:
    """Return the picture of a transposed convolution: as stamps, and as zeros between under the flipped kernel.

    The letters are those of `convcalc.conv_transpose_out`; `at`, `animate` and `values` as in `conv`.

    >>> import convcalc as cc
    >>> print(cc.draw.tconv(3, k=3, s=2, p=1, at=[1]))
    tconv 3 -> 5: k3 s2 p1
    output 1: the stamps of inputs 0, 1 meet
    """
    sizes = _each(transposed_size, n, kernel_size=k, stride=s, padding=p, output_padding=op, dilation=d)
    return transposed_picture(sizes, at=at, animate=animate, values=values)


def overlap(k: Any, s: Any = 1, d: Any = 1, n: Any = 6) -> Picture:
    """Return the checkerboard of a transposed convolution of n inputs an axis, or (rows, columns) of them.

    Of one number for each letter both axes are alike.

    >>> import convcalc as cc
    >>> print(cc.draw.overlap(k=4, s=2))
    tconv 6x6 -> 14x14: 1 to 4 terms an output
    even away from the borders, as 2 divides 4
    """
    axes = n if isinstance(n, list | tuple) else (n, n)
    return overlap_picture(_each(transposed_size, axes, kernel_size=k, stride=s, dilation=d))


def hdc(rates: Sequence[int], kernel_size: Any = 3, stride: Any = 1) -> Picture:
    """Return the picture of a dilated stack as it grows, its holes, and its first repair; as `convcalc.hdc` has it.

    >>> import convcalc as cc
    >>> print(cc.draw.hdc([1, 2, 5]))
    hdc 1 2 5: field of 17, every input read
    no holes
    """
    found = judge(rates, kernel_size, stride)
    repaired = judge(found.tries[0].rates, found.kernel_size, found.stride) if found.tries else None
    return hdc_picture(found, repaired)


def net(model: Any, input_size: InputShapes | None = None, *, depth: int | None = None, **settings: Any) -> Picture:
    """Return the picture of a network's graph, with blocks folded to `depth` steps of their names.

    Without a depth they are folded as far as the picture reads well. `model`, `input_size` and `settings` are as
    `convcalc.inspect` has them; of a network that refuses its input, the layers before are drawn.

    >>> import convcalc as cc
    >>> print(cc.draw.net(cc.zoo.lenet()))
    lenet: 1x1x28x28 -> 1x10
    8 boxes; 61,706 parameters, 416,520 MACs
    """
    return net_picture(api.inspect(model, input_size, **settings), depth)


def field(
    model: Any,
    at: str | None = None,
    cell: Sequence[int] | None = None,
    input_size: InputShapes | None = None,
    **settings: Any,
) -> Picture:
    """Return the picture of what an output of layer `at` reads of the first input, and in how many ways.

    `at` is a layer, or the last of a block, unless given the last with positions on the axes of the input; `cell` is
    the position, the middle one unless given.
    Raises as `convcalc.find_window`, and `BadShape` for more than two axes.

    >>> import convcalc as cc
    >>> print(cc.draw.field(cc.zoo.lenet(), at="pool1", cell=[0, 0]))
    lenet: what output 0x0 of pool1 reads of 28x28
    rows 0 to 3, 4 of 4, and 2 outside; columns 0 to 3, 4 of 4, and 2 outside
    """
    graph = api.as_captured(model, input_size, **settings)
    shapes = infer_shapes(graph, input_size)
    axes = len(shapes[graph.inputs[0]])
    placed = [
        node.name for node in graph if len(shapes[node.name]) == axes and max(shapes[node.name][2:], default=1) > 1
    ]
    name = graph.last_in(at if at is not None or not placed else placed[-1])
    place = [size // 2 for size in shapes[name][2:]] if cell is None else list(cell)
    windows = find_window(graph, name, place, input_size)
    if len(windows) > 2:
        raise BadShape(f"a picture has one axis or two, and {name} has {len(windows)}")
    ways = count_ways(graph, name, place, input_size)
    fields = find_fields(graph, input_size)[name].spatial
    return field_picture(graph.name or "network", name, windows, ways, fields)


def sizes(
    model: Any, input_size: InputShapes | None = None, *, near: Mapping[str, int] | None = None, **settings: Any
) -> Picture:
    """Return the picture of the input sizes that a network accepts, and of what comes out of them.

    `model`, `input_size` and `settings` are as `convcalc.valid_sizes` has them; `near` is the size of an axis to look
    around, as {"H": 224}. Raises `BadArgument` where no size is known to run.

    >>> import convcalc as cc
    >>> print(cc.draw.sizes(cc.Sequential(cc.Conv(8, 3), cc.MaxPool(2)), (1, 3, "L")))
    network: legal sizes
    L: runs at L >= 4, loses no rows at L >= 4 and L % 2 == 0
    """
    legal = api.valid_sizes(model, input_size, **settings)
    graph = api.as_captured(model, input_size, **settings)
    shapes = sizes_asked(graph.shapes_of(input_size))
    return sizes_picture(graph.name or "network", legal, _outputs(graph, shapes, legal.axes), near)


def tiles(
    model: Any, input_size: InputShapes | None = None, *, image: Any, tile: Any = 512, **settings: Any
) -> Picture:
    """Return the picture of the tiles that an image is cut into, and of what is kept of each.

    `model`, `image` and `tile` are as `convcalc.find_tiles` has them. Raises as it does.

    >>> import convcalc as cc
    >>> print(cc.draw.tiles(cc.zoo.unet(), tile=600, image=1500))
    unet: 16 tiles of 588x588 for an image of 1500x1500
    every 400x400 rows a tile; of the output, 404x404 each, 404x404 are kept of the first
    """
    found = api.find_tiles(model, input_size, tile=tile, image=image, **settings)
    return tiles_picture(getattr(model, "name", "") or type(model).__name__, found)


def _outputs(graph: Graph, shapes: Mapping[str, Any], axes: Sequence[str]) -> dict[str, tuple[str, Expr]]:
    """For each axis the last size in the network that depends on it alone, and the layer it is of."""
    found: dict[str, tuple[str, Expr]] = {}
    try:
        known = infer_shapes(graph, shapes)
    except ConvcalcError:  # a way of the model that this input does not go
        return found
    for node in graph:
        for size in known[node.name]:
            letters = set(size.symbols) if isinstance(size, Expr) else set()
            if len(letters) == 1 and letters <= set(axes):
                found[letters.pop()] = (node.name, size)
    return found


def _each(explain: Callable[..., Any], n: Any, **letters: Any) -> list[Any]:
    """Explain one axis, or each of several, for which a letter has one value or one each."""
    if not isinstance(n, list | tuple):
        return [explain(n, **letters)]
    columns = [per_axis(name, value, len(n)) for name, value in letters.items()]
    rows = [(size, *(column[axis] for column in columns)) for axis, size in enumerate(n)]
    return list(each_axis(lambda size, *row: explain(size, **dict(zip(letters, row, strict=True))), rows))
