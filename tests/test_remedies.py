"""Every way out that a note offers is taken: the network runs in torch, and nothing is left to be said of that."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc import find_fields, find_notes, to_torch
from convcalc.analysis.notes.base import Facts
from convcalc.analysis.notes.rules import notes_on
from convcalc.analysis.notes.ways import applied
from convcalc.arithmetic.transposed.checkerboard import overlap
from convcalc.bridge.trace import capture
from convcalc.errors import ConvcalcError
from convcalc.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    CropTo,
    GroupNorm,
    InstanceNorm,
    LpPool,
    MaxPool,
    Pad,
    ReLU,
    Upsample,
)
from convcalc.network.blocks import Branches, Sequential, Skip, Wired, as_graph
from convcalc.network.graph import Graph
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.axes import axis_names

torch = pytest.importorskip("torch")


def window(draw: random.Random, axes: int, channels: int = 4):
    """A layer with windows, anything that its constructor takes."""

    def each(low: int, high: int):
        values = tuple(draw.randint(low, high) for _ in range(axes))
        return values if draw.random() < 0.3 else values[0]

    kind = draw.choice([Conv, Conv, Conv, MaxPool, MaxPool, AvgPool, LpPool, ConvTranspose])
    kernel, stride, padding = each(1, 6), each(1, 5), each(0, 3)
    if kind is Conv and draw.random() < 0.15:  # past the map
        rate = draw.randint(2, 20)
        return Conv(
            channels, draw.randint(2, 4), stride=stride, padding=draw.randint(rate // 2, 2 * rate), dilation=rate
        )
    if kind is Conv:
        return Conv(channels, kernel, stride=stride, padding=padding, dilation=each(1, draw.choice([1, 3, 9])))
    if kind is ConvTranspose:
        return (
            Conv(channels, kernel)
            if axes == 3
            else ConvTranspose(
                channels, kernel, stride=stride, padding=padding, output_padding=each(0, 2), dilation=each(1, 3)
            )
        )
    more = {"padding": padding} if kind is not LpPool else {"norm_type": 2}
    more |= {"dilation": each(1, 3)} if kind is MaxPool else {}
    step = None if draw.random() < 0.3 else stride
    return kind(**{"kernel_size": kernel, **more}, stride=step, ceil_mode=draw.random() < 0.4)


def network(draw: random.Random, axes: int):
    """A small network: a chain, two branches, a skip or a crop, of layers drawn."""
    shape = draw.choice(["chain", "chain", "chain", "branches", "branches", "skip", "crop"])
    if shape == "chain":
        parts = [window(draw, axes) for _ in range(draw.randint(1, 3))]
        if draw.random() < 0.4:
            parts.append(draw.choice([BatchNorm, InstanceNorm, lambda: GroupNorm(4), ReLU])())
        return Sequential(*([Pad(draw.randint(0, 2))] if draw.random() < 0.2 else []), *parts)
    if shape == "branches":
        stride, kernels = draw.randint(1, 2), [draw.randint(1, 6) for _ in range(draw.randint(2, 3))]
        convs = [Conv(4, k, stride=stride, padding=draw.randint((k - 1) // 2, k // 2)) for k in kernels]
        return Branches(*convs, *([Conv(4, 1, stride=stride)] if draw.random() < 0.3 else []))
    if shape == "skip":
        down = draw.choice([MaxPool(2), Conv(4, 3, stride=2, padding=1), Conv(4, 2, stride=2)])
        k = draw.randint(2, 6)
        p = draw.randint(0, (k - 1) // 2)
        extra = 2 - (k - 2 * p)
        up = (
            ConvTranspose(4, k, stride=2, padding=p, output_padding=extra)
            if 0 <= extra < 2
            else Upsample(scale_factor=2)
        )
        return Skip(Sequential(down, up), mode="strict")
    body = Conv(4, draw.randint(1, 6), padding=draw.randint(0, 1))
    return Wired(("conv", body, "input"), ("crop", CropTo(), "input", "conv"), ("add", Add(), "crop", "conv"))


def drawn(seed: int):
    """A network that runs and its input, from a seed; None where what was drawn does not run."""
    draw = random.Random(seed)
    axes = draw.choice([1, 1, 2, 2, 3])
    graph = as_graph(network(draw, axes))
    sizes = tuple(draw.randint(1, 14 if axes > 1 else 24) for _ in range(axes))
    given = {"input": (2, 4, *(sizes if draw.random() < 0.5 else sizes[:1] * axes))}
    try:
        infer_shapes(graph, given)
    except ConvcalcError:
        return None
    return graph, given


def facts_of(graph, given):
    return Facts(graph, infer_shapes(graph, given), find_fields(graph, given))


def axes_of(note, count: int) -> set[int]:
    """The axes that a note is said of, by its words."""
    said = note.message.partition(": ")[0]
    names = axis_names(count)
    return (
        {names.index(word) for word in said.split()[1:] if word != "and"} if said.startswith("ax") else {*range(count)}
    )


def taken(graph, given, note, way, change):
    """The network after a way out, with its input, and the name of the node that the note was on."""
    facts = facts_of(graph, given)
    sized = change[0].setting == "size" and change[0].node not in graph.inputs
    if not sized:
        return *applied(graph, facts.shapes, way, change), note.node
    node = graph[note.node]  # a map's own size: of that node alone
    alone, shapes = Graph([replace(node, inputs=("input",))]), {"input": facts.shapes[node.inputs[0]]}
    return *applied(alone, {**facts.shapes, **shapes}, way, (change[0]._replace(node="input"),)), note.node


def left_of(note, way, graph, given, name, count):
    """What notes say again of the same axes of the same node."""
    axes = set(range(count)) if way.axes is None else set(way.axes)
    again = (one for one in find_notes(graph, given) if (one.kind, one.node) == (note.kind, name))
    return [one for one in again if axes & axes_of(one, count)]


def offers(ways):
    """Each change that ways offer, with its way."""
    return [(way, change) for way in ways for change in way.changes]


def runs(graph, given) -> bool:
    """Whether its rules take it."""
    try:
        infer_shapes(graph, given)
    except ConvcalcError:
        return False
    return True


def every_way(seed: int, tried: Counter) -> None:
    """Take every way out of every note on a network drawn, each alone, in torch too."""
    found = drawn(seed)
    if found is None:
        return
    graph, given = found
    count = len(given["input"]) - 2
    for note in notes_on(facts_of(graph, given)):
        for way, change in offers(note.ways):
            tried[note.kind] += 1
            mended, shapes, name = taken(graph, given, note, way, change)
            if not runs(mended, shapes):  # another size of an input on one axis, which other axes must have too
                mended, shapes, name = taken(graph, given, note, replace(way, axes=None), change)
            text = f"{seed} {note.kind}: {note.message} -> {way.text}: {change}"
            out = infer_shapes(mended, shapes)[mended.outputs[0]]
            assert not left_of(note, way, mended, shapes, name, count), text
            module = to_torch(mended, shapes).eval()
            assert module(torch.zeros(shapes["input"])).shape == out, text


@pytest.mark.parametrize("seed", range(20))
def test_every_way_out_of_a_note_leaves_no_such_note_and_runs(seed):
    for more in range(12):
        every_way(20 * more + seed, Counter())


@pytest.mark.parametrize("seed", [1683, 1867, 2244, 3128, 11227])
def test_ways_out_that_once_led_nowhere(seed):
    every_way(seed, Counter())


@pytest.mark.parametrize("seed", range(8))
def test_one_tap_gives_the_values_of_the_kernel_it_stands_for(seed):
    draw, tried = random.Random(seed), 0
    while tried < 3:
        layer = draw.choice([Conv, MaxPool])
        kernel, stride, rate = draw.randint(2, 4), draw.randint(1, 3), draw.randint(1, 6)
        padding = draw.randint(1, kernel // 2) if layer is MaxPool else draw.randint(1, 8)
        more = {"stride": stride, "padding": padding, "dilation": rate}
        graph = as_graph(layer(4, kernel, **more) if layer is Conv else layer(kernel, **more))
        shapes = {"input": (2, 4, draw.randint(1, 6))}
        if not runs(graph, shapes):
            continue
        for note in notes_on(facts_of(graph, shapes)):
            for way, change in offers(note.ways):
                if "does the same" in way.says:
                    tried += 1
                    mended, _ = applied(graph, infer_shapes(graph, shapes), way, change)
                    assert_same(to_torch(graph, shapes), to_torch(mended, shapes), torch.randn(shapes["input"]))


def assert_same(before, after, x):
    """One of the taps, alone, gives what the kernel gives."""
    wanted = before(x)
    (old,), (new,) = ([*module.modules()][1:] or [module] for module in (before, after))
    if isinstance(old, torch.nn.MaxPool1d):
        torch.testing.assert_close(after(x), wanted)
        return
    with torch.no_grad():
        new.bias.copy_(old.bias)
        values = []
        for tap in range(old.kernel_size[0]):
            new.weight.copy_(old.weight[..., tap : tap + 1])
            values.append(after(x))
    assert any(torch.allclose(value, wanted, atol=1e-5) for value in values)


# -- values that meet by chance --------------------------------------------------------------------------------------


class Loss(torch.nn.Module):
    """Predictions (N, 1) beside targets (N,)."""

    def __init__(self, repair=lambda t: t):
        super().__init__()
        self.fc, self.repair = torch.nn.Linear(4, 1), repair

    def forward(self, x, t):
        return (self.fc(x) - self.repair(t)) ** 2


class Viewed(torch.nn.Module):
    """A view in the place of a permute."""

    def __init__(self, turn):
        super().__init__()
        self.turn = turn

    def forward(self, x):
        return self.turn(x)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_column_beside_a_row_meets_all_of_it(n):
    shapes = [(n, 4), (n,)]
    graph = cc.from_torch(Loss(), shapes)
    (note,) = [one for one in find_notes(graph, shapes) if one.kind == "crossed_batches"]
    assert note.message == f"fc ({n}, 1) and t ({n},) give ({n}, {n}): each sample meets all others"
    assert note.remedy == "t[:, None], which keeps a value for each sample"
    mended = cc.from_torch(Loss(lambda t: t[:, None]), shapes)
    assert not find_notes(mended, shapes)
    assert mended_shape(graph, shapes, note) == (n, 1)


def mended_shape(graph, shapes, note):
    """The output's shape after the only way of a note."""
    given = dict(zip(graph.inputs, shapes, strict=True))
    ((way, change),) = offers(note.ways)
    mended, given = applied(graph, infer_shapes(graph, given), way, change)
    assert not [one for one in find_notes(mended, given) if one.kind == note.kind]
    return infer_shapes(mended, given)[mended.outputs[0]]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_a_view_that_only_has_the_shape_of_a_permute(sizes, channels, batch, back):
    shape = (batch, channels, *sizes) if back else (batch, *sizes, channels)
    rank = len(shape)
    last, first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    order = last if back else first
    wanted = tuple(shape[axis] for axis in order)
    graph = capture(Viewed(lambda x: x.view(x.shape[0], *wanted[1:])), shape, check=False)
    notes = [one for one in find_notes(graph, shape) if one.kind == "view_for_permute"]
    x = torch.arange(torch.Size(shape).numel()).view(shape)
    if wanted != shape:
        assert bool(notes) == (not any(torch.equal(x.view(wanted), x.permute(one)) for one in (first, last)))
    for note in notes:
        text = note.remedy.removeprefix("x.").partition(", which")[0]
        assert eval(f"x.{text}", {"x": x}).shape == wanted
        assert mended_shape(graph, [shape], note) == wanted
    permuted = capture(Viewed(lambda x: x.permute(order)), shape, check=False)
    assert not find_notes(permuted, shape)


def test_a_view_that_changes_the_batch_says_what_a_linear_layer_behind_it_takes():
    class Net(torch.nn.Module):
        def __init__(self, features=400, view=lambda x: x.view(-1, 400)):
            super().__init__()
            self.conv, self.fc, self.view = torch.nn.Conv2d(3, 16, 5), torch.nn.Linear(features, 10), view

        def forward(self, x):
            return self.fc(self.view(self.conv(x)).relu())

    shape = (1, 3, 24, 24)
    graph = cc.from_torch(Net(), shape)
    (note,) = [one for one in find_notes(graph, shape) if one.kind == "mixed_samples"]
    assert note.remedy == "x.flatten(1), which keeps each sample a row, and in_features=6400 in fc"
    assert mended_shape(graph, [shape], note) == (1, 10)
    assert Net(6400, lambda x: x.flatten(1))(torch.zeros(shape)).shape == (1, 10)


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm2d(4), torch.nn.InstanceNorm2d(4), torch.nn.GroupNorm(4, 4)])
@pytest.mark.parametrize("conv", [torch.nn.Conv2d(3, 4, 3), torch.nn.ConvTranspose2d(3, 4, 2, 2)])
def test_a_bias_that_a_normalization_takes_away_may_be_left_out(norm, conv):
    shape = (2, 3, 8, 8)
    net = torch.nn.Sequential(conv, norm).train()
    (note,) = [one for one in find_notes(cc.from_torch(net, shape), shape) if one.kind.startswith("bias_before")]
    assert note.remedy == "bias=False"
    x = torch.randn(shape)
    with torch.no_grad():
        wanted = net(x)
        conv.bias.zero_()
        torch.testing.assert_close(net(x), wanted)


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 6))
def test_what_is_said_of_an_uneven_overlap_makes_it_even(k, s, d):
    said = overlap(k, s, d).remedy
    assert bool(said) == (not overlap(k, s, d).even)
    if said:
        settings, _, more = said.removeprefix("use ").partition(", or upsample by ")
        rate = 1 if "dilation 1" in settings else d
        sizes = [int(size) for size in re.findall(r"\d+", settings.partition("kernel_size")[2])] or [k]
        assert all(overlap(size, s, rate).even for size in sizes)
        assert more == f"{s} and convolve"
        assert overlap(k, 1, 1).even  # a convolution has stride 1
