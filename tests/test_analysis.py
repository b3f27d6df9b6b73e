"""Shapes, fields and costs: three readings of one propagation, and what is said where nothing can be known."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import find_fields
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.rows import fold_blocks
from convcalc.errors import BadArgument, Refused
from convcalc.layers import (
    AdaptiveAvgPool,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    CropTo,
    Flatten,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Linear,
    MaxPool,
    Mul,
    Pad,
    ReLU,
    Softmax,
    Upsample,
)
from convcalc.network.blocks import Branches, Residual, Sequential, Skip, Wired, as_graph
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.conditions import Conditions, Mask
from convcalc.zoo import load

# -- three readings ----------------------------------------------------------------------------------------------

LAYERS = st.one_of(
    st.builds(
        lambda k, s, p, d: Conv(4, k, stride=s, padding=p, dilation=d),
        st.integers(1, 5),
        st.integers(1, 3),
        st.integers(0, 3),
        st.integers(1, 3),
    ),
    st.builds(lambda k, s, c: MaxPool(k, stride=s, ceil_mode=c), st.integers(1, 3), st.integers(1, 3), st.booleans()),
    st.builds(lambda k, s: AvgPool(k, stride=s), st.integers(1, 3), st.integers(1, 3)),
    st.builds(
        lambda k, s, p: ConvTranspose(4, k, stride=s, padding=p), st.integers(1, 4), st.integers(1, 3), st.just(1)
    ),
    st.builds(lambda f: Upsample(scale_factor=f), st.sampled_from([2, 3, 0.5, 1.5])),
    st.builds(lambda a, b: Pad([(a, b)]), st.integers(-2, 3), st.integers(-2, 3)),
    st.builds(lambda a, b: Crop([(a, b)]), st.integers(0, 2), st.integers(0, 2)),
    st.just(Conv(4, 3, padding="same")),
    st.just(Conv(4, 3, stride=2, padding="same-upper")),
    st.sampled_from([ReLU(), BatchNorm(), InstanceNorm(), GroupNorm(2)]),
)
"""Layers on 4 channels and one axis."""


def blocks(parts):
    bodies = st.lists(parts, min_size=1, max_size=3).map(lambda some: Sequential(*some))
    return st.one_of(
        bodies,
        st.builds(Residual, bodies, st.none() | bodies),
        st.builds(
            lambda body, mode: Sequential(Skip(body, mode=mode), Conv(4, 1)),
            bodies,
            st.sampled_from(["crop", "pad", "strict"]),
        ),
        st.builds(lambda a, b: Sequential(Branches(a, b), Conv(4, 1)), bodies, bodies),
        st.builds(lambda a, b: Branches(a, b, merge=Mul()), bodies, bodies),
        bodies.map(lambda body: Branches(body, Sequential(AdaptiveAvgPool(1), Conv(4, 1)), merge=Mul())),
    )


NETS = st.recursive(LAYERS, blocks, max_leaves=8).map(as_graph)
SIZES = range(1, 40)


def on_ints(net, n):
    """All shapes at one size, or None where a layer refuses."""
    try:
        return infer_shapes(net, (1, 4, n))
    except Refused:
        return None


@given(NETS)
@settings(max_examples=150)
def test_a_vector_of_sizes_is_legal_and_sized_entry_by_entry(net):
    mask = Mask()
    sizes = np.array(SIZES)
    together = infer_shapes(net, (1, 4, sizes), check=mask)
    holds = np.broadcast_to(mask.holds, sizes.shape)
    for place, n in enumerate(SIZES):
        alone = on_ints(net, n)
        assert holds[place] == (alone is not None)
        for name, shape in (alone or {}).items():
            assert shape == tuple(int(np.broadcast_to(size, sizes.shape)[place]) for size in together[name])


@given(NETS)
@settings(max_examples=150)
def test_symbols_say_when_and_what_for_every_size(net):
    needs = Conditions()
    try:
        symbolic = infer_shapes(net, (1, 4, "n"), check=needs)
    except Refused:  # for every size
        assert all(on_ints(net, n) is None for n in SIZES)
        return
    for n in SIZES:
        alone = on_ints(net, n)
        assert all(value(n=n) >= 0 for value in needs.open) == (alone is not None)
        for name, shape in (alone or {}).items():
            assert shape == tuple(size if isinstance(size, int) else size(n=n) for size in symbolic[name])


@given(NETS)
@settings(max_examples=100)
def test_a_report_has_the_rows_before_the_refusal(net):
    report = inspect_graph(net, (1, 4, 12))
    shapes = on_ints(net, 12)
    if shapes is not None:
        assert report.error is None
        assert {row.name: row.output for row in report.layers} == {k: v for k, v in shapes.items() if k != "input"}
        inputs = [(node.layer, [shapes[name] for name in node.inputs]) for node in as_graph(net)]
        assert report.params == sum(layer.params(*given) for layer, given in inputs)
        assert report.macs == sum(layer.macs(*given) for layer, given in inputs)
        fields = find_fields(net, (1, 4, 12))
        assert all(row.field == fields[row.name] for row in report.layers)
    else:
        assert report.output is None
        assert report.error.place == net.nodes[len(report.layers)].name


def test_two_axes_are_inferred_at_once():
    net = load("resnet18")
    heights, widths = np.arange(1, 200), np.arange(200, 1, -1)
    mask = Mask()
    together = infer_shapes(net, (1, 3, heights, widths), check=mask)["layer4.1.relu"]
    assert mask.holds.all()
    for place in (0, 31, 32, 150):
        alone = infer_shapes(net, (1, 3, int(heights[place]), int(widths[place])))["layer4.1.relu"]
        assert alone[2:] == (together[2][place], together[3][place])


def test_resnets_last_stage_is_one_division():
    shapes = infer_shapes(load("resnet152"), (1, 3, "H", "W"))
    assert [str(size) for size in shapes["layer4.2.relu"]] == ["1", "2048", "(H + 31)//32", "(W + 31)//32"]


# -- fields ------------------------------------------------------------------------------------------------------


def field(net, shape=(1, 4, 32), name=None):
    graph = as_graph(net)
    return find_fields(graph, shape)[name or graph.outputs[0]]


def test_branches_unite_what_they_read():
    net = Branches(Conv(4, 3, padding=2, dilation=2), Conv(4, 5, padding=2))
    (axis,) = field(net).axes
    assert axis.at(0).first == -2
    assert axis.covered == 5
    (axis,) = field(Residual(Conv(4, 3, padding=4, dilation=4))).axes
    assert axis.holes == (1, 2, 3, 5, 6, 7)


def test_where_strides_differ_the_field_is_unknown():
    """2*(n//2) and 4*(n//4) agree at multiples of 4, so that it runs, but reads do not line up."""
    down = Sequential(MaxPool(2), Upsample(scale_factor=2), Conv(4, 1))
    odd = Sequential(MaxPool(2), Upsample(size=32))
    assert field(Residual(down)).axes[0] is not None
    uneven = Branches(AdaptiveAvgPool(8), MaxPool(4))
    assert field(uneven, (1, 4, 32)).axes[0] is not None
    assert field(uneven, (1, 4, 33)).axes == (None,)
    assert field(Branches(MaxPool(2), Crop([(8, 8)]))).axes == (None,)
    assert field(Sequential(Branches(MaxPool(2), Crop([(8, 8)])), Conv(4, 3))).axes == (None,)
    assert field(Residual(odd)).axes[0] is not None
    row = inspect_graph(Branches(MaxPool(2), Crop([(8, 8)])), (1, 4, 32)).layers[-1]
    assert (row.receptive_field, row.stride, row.offset, row.covered) == ((None,), (None,), (None,), (None,))


def test_a_centre_crop_moves_the_field_at_a_size_and_is_unknown_where_symbols_leave_it_open():
    net = Skip(Sequential(MaxPool(2), ConvTranspose(4, 2, stride=2), Conv(4, 5)), mode="crop")
    assert field(net, (1, 4, 32), "crop").axes[0].at(0).first == 2
    assert field(net, (1, 4, 33), "crop").axes[0].at(0).first == 2
    assert field(net, (1, 4, 35), "crop").axes[0].at(0).first == 2
    assert field(net, (1, 4, "n"), "crop").axes[0].at(0).first == 2  # (n - 2*(n//2) + 4)//2 is 2 for every n
    deeper = Skip(Sequential(MaxPool(4), ConvTranspose(4, 4, stride=4)), mode="crop")
    assert field(deeper, (1, 4, 35), "crop").axes[0].at(0).first == 1
    assert field(deeper, (1, 4, "n"), "crop").axes == (None,)
    fixed = Wired(("small", Conv(4, 4), "input"), ("crop", CropTo(), "input", "small"))
    assert field(fixed, (1, 4, "n"), "crop").axes[0].at(0).first == 1


def test_a_pad_to_moves_the_field_the_other_way():
    net = Skip(Conv(4, 4), mode="pad")
    assert field(net, (1, 4, 10), "pad").axes[0].at(1).first == 0
    assert field(net, (1, 4, "n"), "pad").axes[0].at(1).first == 0


@pytest.mark.parametrize("norm", [GroupNorm(2), InstanceNorm(), Softmax(dim=2), LayerNorm((4, 32)), AdaptiveAvgPool(1)])
def test_what_takes_statistics_over_space_is_global(norm):
    got = field(Sequential(Conv(4, 3, padding=1), norm))
    assert got.is_global
    local = 0 if isinstance(norm, AdaptiveAvgPool) else 3
    assert got.axes[0].receptive_field == local


@pytest.mark.parametrize("norm", [BatchNorm(), InstanceNorm(track_running_stats=True), Softmax(dim=1), ReLU()])
def test_what_works_by_stored_statistics_or_channels_is_pointwise(norm):
    got = field(Sequential(Conv(4, 3, padding=1), norm))
    assert not got.is_global
    assert got.axes[0].receptive_field == 3


def test_a_gate_is_global_and_keeps_the_local_part():
    gate = Sequential(AdaptiveAvgPool(1), Conv(4, 1))
    net = Sequential(Conv(4, 3, padding=1), Branches(Sequential(), gate, merge=Mul()), MaxPool(2))
    got = field(net)
    assert got.is_global
    assert (got.axes[0].receptive_field, got.axes[0].stride) == (4, 2)


def test_one_position_that_serves_all_is_unknown_unless_global():
    net = Branches(Sequential(), Conv(4, 32), merge=Add())
    assert field(net).axes == (None,)


def test_a_flattened_linear_sees_everything_and_one_position_its_own():
    net = Sequential(conv=Conv(4, 3), flat=Flatten(), fc=Linear(5), act=ReLU())
    assert field(net, name="flat").axes == (None,)
    assert field(net, name="fc").is_global
    assert field(net, name="act").is_global
    small = Sequential(conv=Conv(4, 3), flat=Flatten(), fc=Linear(5))
    got = field(small, (1, 4, 3))
    assert not got.is_global
    assert got.axes[0].receptive_field == 3


def test_a_linear_on_rows_sees_its_axis_alone():
    rows, columns = field(Linear(7), (1, 4, 8, 8)).axes
    assert (rows.is_global, columns.is_global) == (False, True)


@pytest.mark.parametrize(("sizes", "wide"), [(8, [False, True]), ((8, 8), [True, True]), ((4, 8, 8), [True, True])])
def test_a_layer_norm_is_global_on_the_axes_it_normalizes_over(sizes, wide):
    assert [axis.is_global for axis in field(LayerNorm(sizes), (1, 4, 8, 8)).axes] == wide


def test_joining_along_space_is_no_periodic_map():
    assert field(Branches(Conv(4, 1), Conv(4, 1), merge=Concat(dim=2)), (1, 4, 8, 8)).axes[0] is None
    assert field(Branches(Conv(4, 1), Conv(4, 1), merge=Concat(dim=2)), (1, 4, 8, 8)).axes[1] is not None


def test_a_cross_is_known_to_be_less_than_its_product():
    net = Branches(Conv(4, (1, 7), padding=(0, 3)), Conv(4, (7, 1), padding=(3, 0)), merge=Add())
    got = field(net, (1, 4, 32, 32)).product
    assert (got.receptive_field, got.covered, got.exact) == ((7, 7), 49, False)
    chain = Sequential(Conv(4, (1, 7), padding=(0, 3)), Conv(4, (7, 1), padding=(3, 0)))
    assert field(chain, (1, 4, 32, 32)).product.exact
    assert field(Residual(chain), (1, 4, 32, 32)).product.exact


def test_the_field_of_one_of_several_inputs():
    one, other = Node("a", Conv(4, 3, padding=1), "left"), Node("b", Conv(4, 5, padding=2), "right")
    net = Graph([one, other, Node("add", Add(), ("a", "b"))], inputs=["left", "right"])
    shapes = [(1, 4, 16), (1, 4, 16)]
    assert find_fields(net, shapes)["add"].axes[0].receptive_field == 3
    assert find_fields(net, shapes, of="right")["add"].axes[0].receptive_field == 5
    assert not find_fields(net, shapes)["b"].axes[0].reads_anything
    with pytest.raises(BadArgument, match="no input 'middle': the inputs are left, right"):
        find_fields(net, shapes, of="middle")


def test_a_temporal_network_reads_what_is_published():
    """TCN, kernel 8, dilations 1, 2, 4, 8, three stacks of two convolutions: 1 + 2*3*7*15 = 631."""

    def block(dilation):
        conv = Conv(4, 8, padding="causal", dilation=dilation)
        return Residual(Sequential(conv, ReLU(), conv, ReLU()), then=ReLU())

    net = Sequential(*(block(dilation) for _ in range(3) for dilation in (1, 2, 4, 8)))
    (axis,) = field(net, (1, 4, 1000)).axes
    assert (axis.receptive_field, axis.reach_after) == (631, 0)


# -- cost --------------------------------------------------------------------------------------------------------


def test_macs_of_transposed_grouped_dilated_and_same():
    assert inspect_graph(ConvTranspose(8, 4, stride=2, padding=1), (1, 4, 8, 8)).macs == 32_768
    assert inspect_graph(Conv(8, 3, padding=1), (1, 3, 16, 16)).macs == 55_296
    assert inspect_graph(Conv(8, 3, padding="same", dilation=2, groups=4), (1, 8, 16, 16)).macs == 8 * 2 * 9 * 256
    assert inspect_graph(Conv(8, 3, padding=1), (5, 3, 16, 16)).macs == 5 * 55_296


def test_costs_add_up_by_node_by_block_and_in_all():
    report = inspect_graph(load("resnet50"), dtype="float16")
    blocks = [fold_blocks(report, depth) for depth in (1, 2)]
    for reading in ("params", "macs", "flops", "trainable", "weight_bytes", "activation_bytes"):
        assert {getattr(folded, reading) for folded in blocks} == {getattr(report, reading)}
    for reading in ("params", "macs"):
        assert getattr(report, reading) == sum(getattr(row, reading) for row in report.layers)
    assert report.weight_bytes == 2 * report.params
    assert [row.name for row in blocks[0].layers][4:8] == ["layer1", "layer2", "layer3", "layer4"]
    inside = [row.params for row in report.layers if row.name.startswith("layer4.")]
    assert blocks[0]["layer4"].params == sum(inside) > 0


def test_costs_of_symbols_are_formulas():
    report = inspect_graph(Sequential(Conv(8, 3, padding=1), Flatten(), Linear(10)), (1, 3, "N", "N"))
    assert report.macs(N=16) == 55_296 + 8 * 256 * 10
    assert report.params(N=16) == 8 * 3 * 9 + 8 + 8 * 256 * 10 + 10


# -- the report --------------------------------------------------------------------------------------------------


def test_a_report_is_one_json_document():
    document = inspect_graph(load("lenet")).to_dict()
    assert json.loads(json.dumps(document)) == document
    assert {key: document[key] for key in ("model", "input", "output", "params", "macs", "flops", "error")} == {
        "model": "lenet",
        "input": [1, 1, 28, 28],
        "output": [1, 10],
        "params": 61_706,
        "macs": 416_520,
        "flops": 833_040,
        "error": None,
    }
    assert document["layers"][5] == {
        "name": "pool2",
        "op": "avgpool",
        "args": {"kernel_size": 2, "stride": 2},
        "inputs": ["act2"],
        "output": [1, 16, 5, 5],
        "outputs": [[1, 16, 5, 5]],
        "symbolic": [1, 16, "H//4 - 2", "W//4 - 2"],
        "params": 0,
        "shared": False,
        "macs": 0,
        "receptive_field": [16, 16],
        "stride": [4, 4],
        "offset": ["11/2", "11/2"],
        "covered": [16, 16],
        "global": False,
        "trainable": 0,
        "constant": False,
        "counted": True,
    }


def test_one_axis_is_a_number_and_a_fraction_exact():
    row = inspect_graph(ConvTranspose(4, 4, stride=2, padding=1), (1, 4, 8)).layers[0]
    assert row.offset == (Fraction(-1, 4),)
    record = row.to_dict()
    assert (record["receptive_field"], record["stride"], record["offset"]) == (2, "1/2", "-1/4")
    assert record["symbolic"] == [1, 4, "2*L"]


def test_a_refusal_ends_the_rows_and_is_told():
    net = Sequential(conv=Conv(8, 3), flatten=Flatten(), fc=Linear(10, in_features=99))
    report = inspect_graph(net, (1, 3, 8, 8))
    assert [row.name for row in report.layers] == ["conv", "flatten"]
    assert report.output is None
    document = report.to_dict()
    assert document["output"] is None
    assert document["error"] == {
        "place": "fc",
        "kind": "bad_shape",
        "message": "fc: in_features=99 but the last axis of (1, 288) is 288",
        "rule": "the last axis equals in_features",
        "fixes": ["in_features=288"],
    }


def test_names_stand_for_any_size_and_their_conditions_are_told():
    report = inspect_graph(Sequential(Conv(8, 5), MaxPool(2)), (1, 3, "N", "N"))
    assert report["1"].output == report["1"].symbolic
    assert str(report["1"].output[3]) == "N//2 - 2"
    assert report.to_dict()["output"] == [1, 8, "N//2 - 2", "N//2 - 2"]
    assert "N - 5 >= 0" in report.to_dict()["needs"]
    with pytest.raises(KeyError):
        report["2"]


def test_what_has_no_formula_is_none_from_there_on():
    net = Sequential(Conv(8, 3), Upsample(scale_factor=0.7), ReLU())
    assert [row.symbolic is None for row in inspect_graph(net, (1, 3, 20)).layers] == [False, True, True]


def test_inputs_of_one_size_share_their_letters():
    net = Graph(
        [Node("a", ReLU(), "image"), Node("b", ReLU(), "mask"), Node("c", ReLU(), "small")],
        inputs=["image", "mask", "small"],
        outputs=["a", "b", "c"],
    )
    report = inspect_graph(net, [(1, 3, 8), (1, 1, 8), (1, 1, 4)])
    assert [str(row.symbolic[2]) for row in report.layers] == ["L", "L", "L_small"]
    assert report.input == ((1, 3, 8), (1, 1, 8), (1, 1, 4))
    assert report.output == ((1, 3, 8), (1, 1, 8), (1, 1, 4))
    assert report.to_dict()["output"] == [[1, 3, 8], [1, 1, 8], [1, 1, 4]]


def test_where_a_call_was_written_is_kept():
    graph = Graph([Node("a", ReLU(), source="net.py:9")])
    assert inspect_graph(graph, (1, 3, 8)).to_dict()["layers"][0]["source"] == "net.py:9"
