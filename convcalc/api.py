"""What is asked of a network, whatever it is: a torch module, a graph, a block, a layer. Here all become graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack

from convcalc.analysis import cell as window
from convcalc.analysis import fields, tiles
from convcalc.analysis.cell import AxisWindow
from convcalc.analysis.comparison import Comparison, compare_reports
from convcalc.analysis.comparison_page import comparison_page
from convcalc.analysis.expectation import checked
from convcalc.analysis.notes import rules
from convcalc.analysis.notes.base import Notes
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.living import PageMaker
from convcalc.analysis.report.page import page_of
from convcalc.analysis.report.report import Report
from convcalc.analysis.tiles import Tiles
from convcalc.analysis.validity import of_graph as legal_graph
from convcalc.analysis.validity.legal import Legal
from convcalc.bridge.device import need_device, need_torch
from convcalc.bridge.kinds import bytes_type, is_module, torch_type
from convcalc.bridge.verify.network.answers import Answers
from convcalc.errors import BadArgument, brief
from convcalc.footprints.field import Field
from convcalc.layers.base import Layer
from convcalc.network.blocks import Block, Part, as_graph
from convcalc.network.graph import Graph, InputShapes
from convcalc.sizes.size import flag

if TYPE_CHECKING:
    from convcalc.bridge.verify.report import VerifyReport

Net: TypeAlias = Graph | Part | Any
"""A module of torch, a graph, a block or a layer."""


class Settings(TypedDict, total=False):
    """How a torch module is captured; nothing else has such settings, but for `dtype` in `inspect`."""

    example_inputs: Any
    """In the place of `input_size`: a tensor, a sequence of positional arguments, or a mapping of arguments by name."""
    dtype: Any
    """The type of the inputs and, a floating one, of the parameters, as torch has it or by its name."""
    train: bool
    """Whether it runs as in training."""
    assume: Mapping[str, bool] | None
    """How conditions on values of the input go: {"net.py:9": False}, by the line or by the call that is asked."""


def inspect(net: Net, input_size: InputShapes | None = None, **settings: Unpack[Settings]) -> Report:
    """Return the report of a network on inputs of this size, batch included: what `convcalc inspect` prints.

    `net` is a `torch.nn.Module`, a `network.graph.Graph`, a block or a layer. `input_size` is a shape (N, C, ...), of
    several inputs one each; sizes are ints, or names such as "H" for any size. A graph with an `example`, as those of
    the zoo, needs none. A layer that refuses its input ends the rows; why is in `error`. Raises `BadArgument` for what
    is no network, `BadShape` where the sizes do not suit it.

    A torch module is captured, as `convcalc.from_torch` does it, and stays as it is; `settings` are `example_inputs`,
    `dtype`, `train` and `assume`, as there. Of anything else `dtype` is the type, such as "float16", in which memory is
    counted.

    >>> import convcalc as cc
    >>> report = cc.inspect(cc.Sequential(cc.Conv(6, 5, padding=2), cc.MaxPool(2)), input_size=(1, 1, 28, 28))
    >>> report.output, report.params, report.macs
    ((1, 6, 14, 14), 156, 117600)
    >>> print(report)
    layer  op            output   any size     params  MACs     receptive field  stride
    0      conv 6 k5 p2  6x28x28  HxW          156     117,600  5                1
    1      maxpool k2    6x14x14  ⌊H/2⌋x⌊W/2⌋  0       0        6                2
    total                                      156     117,600
    1x28x28 -> 6x14x14
    156 parameters, 117,600 MACs (235,200 FLOPs)
    memory in float32: weights 624 B, outputs of all layers 23 KiB, at most 23 KiB of them at once
    shapes without the batch, 1
    >>> cc.inspect("lenet")
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: a network is a torch module, a Graph, a block or a layer: got 'lenet'; the zoo's are \
functions, as convcalc.zoo.lenet()
    """
    graph, report = _inspected(net, input_size, **settings)
    return replace(report, page=PageMaker(partial(page_of, graph), _is_quick(graph)))


def _is_quick(graph: Graph) -> bool:
    """Whether its legal sizes, which a page needs, are found at once: a torch module runs again for them."""
    return graph.capture is None and len(graph) <= 250


def _inspected(net: Net, input_size: InputShapes | None, **settings: Unpack[Settings]) -> tuple[Graph, Report]:
    graph = as_captured(net, input_size, **settings)
    return graph, inspect_graph(graph, input_size, dtype=bytes_type(net, settings.get("dtype")))


def valid_sizes(net: Net, input_size: InputShapes | None = None, **settings: Unpack[Settings]) -> Legal:
    """Return the input sizes that a network accepts, for the sizes of `input_size` that are names.

    `net` and `settings` are as `convcalc.inspect` has them. `input_size` is a shape (N, C, ...), batch included, of
    several inputs one each; the same name is the same size. Where no size is a name, or no shape is given, letters
    stand for the spatial sizes: L; H, W; D, H, W. Raises `BadArgument` where there are none, `BadShape` where the
    shape does not suit the network at any size. Source: docs/legal-sizes.md, with proof.

    >>> import convcalc as cc
    >>> v = cc.valid_sizes(cc.zoo.unet(), input_size=(1, 1, "H", "W"))
    >>> print(v)
    runs           H >= 188, W >= 188
    loses no rows  H >= 188 and H % 16 == 12, W >= 188 and W % 16 == 12
    proved         for all sizes
    >>> 572 in v["H"], (572, 188) in v, v.exact["H"].nearest(350), v.why_not(187, 188).node
    (True, True, (348, 364), 'dec3.conv2')
    """
    return legal_graph.valid_sizes(as_captured(net, input_size, **settings), input_size)


def compare(a: Net, b: Net, input_size: InputShapes | None = None, **settings: Unpack[Settings]) -> Comparison:
    """Return two networks side by side, on inputs of the same shapes, or each on its example where none are given.

    Each is as `convcalc.inspect` has it, and the `settings` are for both. Channels and sizes may be symbols. Layers
    are paired in order where op and hyper-parameters agree; between such pairs, those of the same op. Raises
    `convcalc.errors.Refused` where a network refuses its input.

    >>> from convcalc.network.blocks import Sequential
    >>> from convcalc.layers import Conv
    >>> two = Sequential(*[Conv(None, 3, padding=1, bias=False)] * 2)
    >>> one = Conv(None, 5, padding=2, bias=False)
    >>> found = compare(two, one, (1, "C", "H", "W"))
    >>> found["params"].a, found["params"].b, found["params"].ratio, [reach.field for reach in found.reach]
    (18*C**2, 25*C**2, Fraction(25, 18), [(5, 5), (5, 5)])
    """
    (first, left), (second, right) = (_inspected(net, input_size, **settings) for net in (a, b))
    page = PageMaker(partial(comparison_page, graphs=(first, second)), _is_quick(first) and _is_quick(second))
    return replace(compare_reports(left, right), page=page)


def check(
    net: Net, input_size: InputShapes | None = None, *, expect: Any = None, **settings: Unpack[Settings]
) -> Report:
    """Return the report of a network that takes its input and gives what is expected; for tests.

    `expect` is the shape of the output, batch included; of several outputs a list of shapes in their order, or a
    mapping by name. A size may be a name, as in `input_size`, and None stands for any size. All else is as
    `convcalc.inspect` has it. Where the network refuses its input, that error is raised with the whole explanation:
    the sentence, the line of code, the rule, the repairs; where an output is another, `BadShape`.

    >>> import convcalc as cc
    >>> check(cc.zoo.lenet(), expect=(1, 10)).macs
    416520
    >>> check(cc.zoo.lenet(), expect=(1, 12))
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: the output is 1x10, and 1x12 is expected
    """
    return checked(inspect(net, input_size, **settings), expect)


def find_notes(net: Net, input_size: InputShapes | None = None, **settings: Unpack[Settings]) -> Notes:
    """Return the notes on a network, as `convcalc.inspect` has it, on inputs of these shapes, batch included.

    They stand node by node in the order they run. A rule that needs a size is silent where that size is a symbol.
    Fields are of the first input. Raises `Refused` where the network refuses its input.

    >>> from convcalc.layers import MaxPool
    >>> (note,) = find_notes(MaxPool(3, stride=2), (1, 8, 54, 54))
    >>> note.kind, note.node
    ('dropped_rows', 'maxpool')
    """
    return rules.find_notes(as_captured(net, input_size, **settings), input_size)


def find_tiles(
    net: Net,
    input_size: InputShapes | None = None,
    *,
    tile: Any = 512,
    image: Any = None,
    **settings: Unpack[Settings],
) -> Tiles:
    """Return tiles of at most `tile` rows an axis whose outputs, put together, are those of the whole `image`.

    `net` is as `convcalc.inspect` has it, `tile` and `image` are one size for all axes or one for each. Each tile is as
    long as the image modulo the period, or exact where there is no image. Raises `NoSolution` where a layer forbids
    tiles, such as one that sees everything, and where a tile is too small; `BadShape` for several inputs.

    >>> from convcalc.zoo import unet
    >>> axis = find_tiles(unet(), tile=600).axes[0]
    >>> axis.period, axis.tile, axis.out, axis.step, axis.trim
    (16, 588, 404, 400, (0, 0))
    """
    return tiles.find_tiles(as_captured(net, input_size, **settings), input_size, tile=tile, image=image)


def find_fields(
    net: Net,
    input_size: InputShapes | None = None,
    *,
    of: str | None = None,
    **settings: Unpack[Settings],
) -> dict[str, Field]:
    """Return the receptive field of every input and node by name, on the axes of the input `of`, by default the first.

    `net` is as `convcalc.inspect` has it. What does not depend on that input reads nothing; what is no periodic map is
    unknown, an axis of None. Raises `Refused` where the network refuses its input.

    >>> from convcalc.layers import Conv
    >>> find_fields(Conv(8, 3, padding=1), (1, 8, 32, 32))["conv"]
    receptive field 3, stride 1, offset 0
    """
    return fields.find_fields(as_captured(net, input_size, **settings), input_size, of=of)


def find_window(
    net: Net,
    at: str,
    cell: Sequence[int],
    input_size: InputShapes | None = None,
    **settings: Unpack[Settings],
) -> tuple[AxisWindow, ...]:
    """Return what position `cell` of the output of node `at` reads of the first input, axis by axis, borders included.

    `net` is as `convcalc.inspect` has it; sizes must be ints. Raises `BadShape` for a cell that is none.

    >>> from convcalc.layers import Conv
    >>> (window,) = find_window(Conv(8, 3, padding=1), "conv", [0], (1, 3, 9))
    >>> window.pattern, window.reads
    ((-1, 1), TapSet(0..1))
    """
    return window.find_window(as_captured(net, input_size, **settings), at, cell, input_size)


def as_captured(
    net: Net,
    input_size: InputShapes | None = None,
    *,
    example_inputs: Any = None,
    dtype: Any = None,
    train: bool = False,
    assume: Mapping[str, bool] | None = None,
) -> Graph:
    """Return the graph of a network; a module of torch is captured at the input shapes, with these settings.

    Raises `BadArgument` for what is no network, and for settings of torch with one that is none of its modules.

    >>> from convcalc.layers import ReLU
    >>> as_captured(ReLU())
    Graph(1 node: input -> relu)
    """
    training = flag("train", train)
    if assume is not None and not (
        isinstance(assume, Mapping) and all(isinstance(way, bool) for way in assume.values())
    ):
        raise BadArgument(f"assume maps conditions to True or False, as {{'net.py:9': False}}: got {brief(assume)}")
    if is_module(net):
        from convcalc.bridge.trace import capture

        return capture(
            net, input_size, example_inputs=example_inputs, dtype=torch_type(dtype), train=training, assume=assume
        )
    if not isinstance(net, Graph | Block | Layer):
        raise BadArgument(f"a network is a torch module, a Graph, a block or a layer: got {_instead(net)}")
    if example_inputs is not None or training or assume:
        raise BadArgument("example_inputs, train and assume are for torch modules: give input_size")
    return as_graph(net)


def _instead(net: Any) -> str:
    """What was given, and what to write in its place."""
    if isinstance(net, str):
        return f"{brief(net)}; the zoo's are functions, as convcalc.zoo.lenet()"
    if isinstance(net, type):
        return f"the class {net.__name__}; write {net.__name__}(...)"
    name = type(net).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def verify(
    net: Net,
    input_size: InputShapes | None = None,
    *,
    device: str = "auto",
    seed: int = 0,
    only: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    **settings: Unpack[Settings],
) -> VerifyReport:
    """Hold what convcalc says of a network against the network, run by torch on a device: `convcalc verify TARGET`.

    Shapes and MACs of every node, what outputs read, legal sizes, tiles; see docs/verify.md. `net`, `input_size` and
    `settings` are as `convcalc.inspect` has them, but for `example_inputs`. Inputs and weights of a graph are drawn by
    `seed`. `only` is one case, as a mismatch names it; `progress` is called with (done, count) after each. Raises
    `Unreadable` without torch or the device.

    >>> import convcalc as cc
    >>> cc.verify(cc.zoo.lenet(), device="cpu", only="nodes").kinds
    {'MACs': 5, 'shapes': 12}
    """
    from convcalc.bridge.verify.network.run import verify_network
    from convcalc.bridge.verify.network.subject import Subject

    if not (only is None or isinstance(only, str)) or not (progress is None or callable(progress)):
        raise BadArgument(f"only is the name of a case and progress a function: got {brief(only)}, {brief(progress)}")
    graph, place = as_captured(net, input_size, **settings), need_device(device)
    subject = Subject(
        net if is_module(net) else graph,
        graph,
        graph.shapes_of(input_size),
        ANSWERS,
        place,
        lambda case: f"convcalc.verify(net, {input_size}, device={device!r}, seed={seed}, only={case!r})",
        seed=seed,
        dtype=torch_type(settings.get("dtype")),
        train=settings.get("train", False),
    )
    return verify_network(lambda: subject, only=only, progress=progress)


ANSWERS = Answers(inspect_graph, legal_graph.valid_sizes, window.find_window, tiles.find_tiles)
"""What is verified against torch."""


def from_torch(
    module: Any, input_size: InputShapes | None = None, *, check: bool = True, **settings: Unpack[Settings]
) -> Graph:
    """Return the graph of a `torch.nn.Module`, as it runs on inputs of these shapes, batch included.

    The module runs on `meta`, in evaluation unless `train`, and stays as it is. `input_size` is a shape
    (N, C, ...), of several inputs one each; a name such as "H" stands for a size to be found. Or give
    `example_inputs`: a tensor, a sequence of positional arguments, or a mapping of arguments by name. `dtype` is that
    of the inputs and, a floating one, of the parameters: their own unless given. `check` runs the module once or twice
    more, at other sizes, where the graph must be the same. `assume` says how conditions on values of the input go, by
    the line of code or the call that is asked, as {"net.py:9": False}. Raises `Unreadable` without torch, and what
    `convcalc inspect` shows where the module does not run.

    >>> torch = need_torch()
    >>> from_torch(torch.nn.Sequential(torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU()), (1, 1, 28, 28))
    Graph(Sequential: 2 nodes: input -> 1)
    """
    need_torch()
    from convcalc.bridge.trace import capture

    graph = capture(module, input_size, check=check, **settings)
    if graph.capture is not None and graph.capture.error is not None:
        raise graph.capture.error
    return graph
