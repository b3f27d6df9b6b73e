"""Legal sizes of graphs: published networks, and random ones against running them at every size of a window."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc import valid_sizes
from convcalc.errors import BadArgument, BadShape, Refused
from convcalc.layers import (
    Add,
    AvgPool,
    Conv,
    ConvTranspose,
    CropTo,
    Flatten,
    GroupNorm,
    InstanceNorm,
    Linear,
    MaxPool,
    PadTo,
    ReLU,
    Upsample,
)
from convcalc.network.blocks import Residual, Sequential, Skip, Wired, as_graph
from convcalc.network.graph import Graph
from convcalc.network.letters import sizes_asked
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.zoo import MODELS


def runs_at(net, *shapes):
    """Whether the network, on numbers, refuses nothing."""
    try:
        infer_shapes(net, list(shapes))
    except Refused:
        return False
    return True


def loses_at(net, *shapes):
    """Whether a row is lost or a crop lopsided, counted from the shapes of a network that runs.

    By counting rows: those that a window would read if the map went on, and that none does.
    """
    graph = as_graph(net)
    sizes = infer_shapes(graph, list(shapes))
    return any(_node_loses(node.layer, [sizes[name] for name in node.inputs]) for node in graph)


def _node_loses(layer, shapes):
    first = shapes[0][2:]
    match layer:
        case CropTo():
            return any((n - m) % 2 for n, m in zip(first, shapes[1][2:], strict=True))
        case PadTo():
            return any(n > m and (n - m) % 2 for n, m in zip(first, shapes[1][2:], strict=True))
        case Conv() | MaxPool() | AvgPool():
            if getattr(layer, "ceil_mode", False):
                return False
            k, s, p = layer.kernel_size, layer.stride or layer.kernel_size, layer.padding
            return any(_rows_lost(n, k, s, p, getattr(layer, "dilation", 1)) for n in first)
        case _:
            return False


def _rows_lost(n, k, s, p, d):
    windows = [[start + d * tap for tap in range(k)] for start in range(-p, 2 * n + p + k * d, s)]
    hull = [set(range(window[0], window[-1] + 1)) for window in windows]
    fits = [window[-1] < n + p for window in windows]
    wanted = set().union(*hull)
    read = set().union(*(one for one, fit in zip(hull, fits, strict=True) if fit))
    return bool((wanted - read) & set(range(n)))


# -- published networks ------------------------------------------------------------------------------------------


def test_unet_of_2015_runs_from_188_on_and_is_exact_at_12_mod_16():
    v = cc.valid_sizes(cc.zoo.unet(), input_size=(1, 1, "H", "W"))
    for axis in "HW":
        assert v[axis] == every(188)
        assert v.exact[axis] == SizeSet(16, (12,), 188)
    assert v.proved
    assert (572, 188) in v
    assert (572, 187) not in v
    assert 572 in v["H"]
    assert 187 not in v["H"]
    assert (572, 188) in v.exact
    assert (572, 189) not in v.exact
    assert v.exact["H"].nearest(350) == (348, 364)
    assert 10**30 + 12 in v["H"]
    assert (10**30 // 16 * 16 + 12) in v.exact["W"]


def test_3d_unet_is_exact_at_4_mod_8_from_92_on():
    v = valid_sizes(cc.zoo.unet3d())
    assert v.axes == ("D", "H", "W")
    assert all(v[axis] == every(92) and v.exact[axis] == SizeSet(8, (4,), 92) for axis in v.axes)
    assert v.proved


def test_padded_unet_is_exact_at_multiples_of_16():
    v = valid_sizes(cc.zoo.unet(padded=True))
    assert v["H"] == every(16)
    assert v.exact["H"] == v.exact["W"] == SizeSet(16, (0,), 16)


def test_a_unet_that_neither_crops_nor_pads_runs_at_multiples_of_its_strides_alone():
    inner = Sequential(MaxPool(2), Conv(8, 3, padding=1), ConvTranspose(8, 2, stride=2))
    outer = Sequential(MaxPool(2), Skip(inner, "strict"), ConvTranspose(8, 2, stride=2))
    v = valid_sizes(Skip(outer, "strict"), (1, 8, "n"))
    assert v["n"] == v.exact["n"] == SizeSet(4, (0,), 4)
    assert v.why_not(18).node == "1.concat"


def test_lenet_runs_where_25_positions_are_left():
    v = valid_sizes(cc.zoo.lenet())
    small, square, wide = only(range(12, 16)), only(range(28, 32)), only(range(108, 112))
    assert set(v.runs.boxes) == {(small, wide), (square, square), (wide, small)}
    assert set(v.exact.boxes) == {(only([12]), only([108])), (only([28]), only([28])), (only([108]), only([12]))}
    assert v.proved
    same = valid_sizes(cc.zoo.lenet(), (1, 1, "N", "N"))
    assert same["N"] == square


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_resnets_run_at_every_size_and_drop_no_row(name):
    v = valid_sizes(MODELS[name].build())
    assert v["H"] == v["W"] == v.exact["H"] == every(1)
    assert v.proved


@pytest.mark.parametrize("name", ["lenet", "alexnet_torchvision", "nin", "googlenet", "resnet18", "densenet", "unet"])
def test_zoo_agrees_with_running_it_on_numbers(name):
    net = MODELS[name].build()
    v = valid_sizes(net)
    channels = net.example[0][1]
    for h, w in (
        [(n, n) for n in range(1, 300, 7)] + [(n, 224) for n in range(1, 40, 3)] + [(12, 108), (15, 111), (16, 108)]
    ):
        runs = runs_at(net, (1, channels, h, w))
        assert ((h, w) in v) == runs, (h, w)
        assert ((h, w) in v.exact) == (runs and not loses_at(net, (1, channels, h, w))), (h, w)


# -- what is asked, and what is said ------------------------------------------------------------------------------


def test_crops_by_an_odd_number_are_not_exact_and_are_named():
    net = Wired(
        ("conv", Conv(8, 2), "input"), ("crop", CropTo(), "input", "conv"), ("up", Upsample(scale_factor=2), "crop")
    )
    v = valid_sizes(net, (1, 8, "n"))
    assert v["n"] == every(2)
    assert not v.exact
    assert v.why_not(9).node == "crop"
    assert v.why_not(9).sentence == "9 rows cropped to 8 take 0 before and 1 after, so the centre moves by half a row"


def test_padding_to_a_larger_map_loses_nothing_but_cropping_by_it_may():
    grown = Wired(("wide", Conv(8, 3, padding=3), "input"), ("pad", PadTo(), "input", "wide"))
    assert valid_sizes(grown, (1, 8, "n")).exact["n"] == every(1)
    shrunk = Wired(("small", Conv(8, 2), "input"), ("pad", PadTo(), "input", "small"))
    assert not valid_sizes(shrunk, (1, 8, "n")).exact


def test_every_reason_names_a_node_of_the_graph():
    for name in ("lenet", "unet", "densenet"):
        net = MODELS[name].build()
        assert all(reason.node in net for reason in valid_sizes(net).reasons)


def test_letters_stand_for_spatial_sizes_where_none_is_a_name():
    assert valid_sizes(Conv(8, 3), (1, 3, 64)).axes == ("L",)
    assert valid_sizes(Conv(8, 3), (1, 3, 64, 64)).axes == ("H", "W")
    assert valid_sizes(Conv(8, 3), (1, 3, "H", 2)).runs == valid_sizes(Conv(8, 3), (1, 3, "H", 2)).exact
    assert not valid_sizes(Conv(8, 3), (1, 3, "H", 2))["H"]
    shapes = sizes_asked({"image": (1, 3, 8, 8), "mask": (1, 1, 8, 8), "small": (1, 1, 4, 4)})
    assert [str(size) for size in shapes["mask"]] == ["1", "1", "H", "W"]
    assert [str(size) for size in shapes["small"]] == ["1", "1", "H_small", "W_small"]


def test_several_inputs_share_sizes_by_name():
    net = Graph([Node("half", MaxPool(2), "image"), Node("add", Add(), ("half", "map"))], ["image", "map"])
    v = valid_sizes(net, [(1, 8, "n"), (1, 8, 50)])
    assert v["n"] == only([2, 3, 100, 101])  # of 1 and 50, one position serves all
    assert not valid_sizes(net, [(1, 8, "n"), (1, 8, "n")])["n"].below(2)


def test_what_cannot_be_asked_is_refused_in_a_sentence():
    with pytest.raises(BadArgument, match="no spatial axis: \\(1, 400\\); give a size a name"):
        valid_sizes(Linear(10), (1, 400))
    with pytest.raises(BadShape, match="a size is a number or a name here, not a formula: 2\\*n"):
        valid_sizes(Conv(8, 3), (1, 3, 2 * Expr.symbol("n")))
    with pytest.raises(BadShape, match="an input shape is needed"):
        valid_sizes(Conv(8, 3))
    with pytest.raises(BadShape, match="0: conv takes"):
        valid_sizes(Sequential(Conv(8, 3)), ("n", 3))
    assert valid_sizes(Linear(10, in_features=400), (1, "F"))["F"] == only([400])


def test_normalization_over_space_wants_two_positions_and_is_decided():
    v = valid_sizes(Sequential(MaxPool(2), InstanceNorm()), (1, 4, "H", "W"))
    assert v.proved
    assert set(v.runs.boxes) == {(only([2, 3]), every(4)), (every(4), every(2))}
    assert valid_sizes(Sequential(Conv(4, 3), GroupNorm(2)), (1, 4, "D", "H", "W")).proved


def test_what_is_not_decided_says_what_was_tried():
    v = valid_sizes(Sequential(Upsample(scale_factor=0.7), Conv(8, 3)), (1, 3, "n"))
    assert not v.proved
    assert v.window == {"n": 4096}
    window = [n for n in range(1, 100) if runs_at(Sequential(Upsample(scale_factor=0.7), Conv(8, 3)), (1, 3, n))]
    assert [n for n in range(1, 100) if n in v["n"]] == window


# -- random networks ---------------------------------------------------------------------------------------------

STEPS = st.one_of(
    st.builds(lambda k, s, p: Conv(4, k, stride=s, padding=p), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2)),
    st.builds(lambda k, s, c: MaxPool(k, stride=s, ceil_mode=c), st.integers(1, 3), st.integers(1, 3), st.booleans()),
    st.builds(lambda k, s: AvgPool(k, stride=s), st.integers(1, 3), st.integers(1, 3)),
    st.builds(lambda s: ConvTranspose(4, s, stride=s), st.integers(1, 3)),
    st.builds(lambda f: Upsample(scale_factor=f), st.sampled_from([2, 3, 0.5])),
    st.just(ReLU()),
)


def _sequence(steps):
    return Sequential(*steps)


NETS = st.recursive(
    st.lists(STEPS, min_size=1, max_size=3).map(_sequence),
    lambda inner: st.one_of(
        st.lists(st.one_of(STEPS, inner), min_size=1, max_size=3).map(_sequence),
        st.builds(Skip, inner, st.sampled_from(["crop", "pad", "strict"])),
        inner.map(Residual),
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(NETS)
def test_random_networks_with_skips_accept_what_running_them_accepts(net):
    v = valid_sizes(net, (1, 4, "n"))
    assume(v.proved)
    sizes = [*range(1, 60), 97, 128, 1001]
    for n in sizes:
        runs = runs_at(net, (1, 4, n))
        assert (n in v) == runs, n
        assert (n in v.exact) == (runs and not loses_at(net, (1, 4, n))), n


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=3), st.integers(1, 30))
def test_a_linear_layer_ties_the_axes_as_running_does(steps, positions):
    net = Sequential(*steps, Conv(1, 1), Flatten(), Linear(3, in_features=positions))
    v = valid_sizes(net, (1, 4, "H", "W"))
    assume(v.proved)
    for h in range(1, 16):
        for w in range(1, 16):
            assert ((h, w) in v) == runs_at(net, (1, 4, h, w)), (h, w)
