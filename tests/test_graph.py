import dataclasses

import pytest

from convcalc.errors import BadArgument, BadShape, KernelDoesNotFit
from convcalc.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    CropTo,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Linear,
    LpPool,
    MaxPool,
    Mul,
    PReLU,
    ReLU,
    Softmax,
)
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes


def test_a_graph_is_a_value():
    def make():
        return Graph([Node("a", Conv(8, 3)), Node("b", ReLU(), "a")])

    assert make() == make()
    assert hash(make()) == hash(make())
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().name = "other"


def test_nodes_may_come_in_any_order_and_are_kept_in_one_that_runs():
    net = Graph([Node("add", Add(), ("b", "a")), Node("b", ReLU(), "a"), Node("a", ReLU())], outputs="add")
    assert [node.name for node in net] == ["a", "b", "add"]


def test_the_last_node_is_the_output_and_no_node_at_all_gives_the_input():
    assert Graph([Node("a", ReLU()), Node("b", ReLU(), "a")]).outputs == ("b",)
    assert Graph([]).outputs == ("input",)
    assert infer_shapes(Graph([]), (1, 3, 5)) == {"input": (1, 3, 5)}


@pytest.mark.parametrize(
    ("nodes", "settings", "message"),
    [
        ([Node("a", ReLU()), Node("a", ReLU())], {}, "names must be unique: 'a' is given twice"),
        ([Node("input", ReLU())], {}, "names must be unique: 'input' is given twice"),
        ([Node("", ReLU())], {}, "a node needs a name: ''"),
        ([Node("conv1", ReLU()), Node("b", ReLU(), "conv2")], {}, "'b' reads 'conv2', which is no node or input; did"),
        ([Node("a", ReLU(), "b"), Node("b", ReLU(), "a")], {}, "nodes go round in a circle: a -> b -> a"),
        ([Node("a", ReLU(), "a")], {}, "nodes go round in a circle: a -> a"),
        ([Node("a", Add())], {}, "'a': add takes 2 or more inputs, and 1 are given"),
        ([Node("a", ReLU(), ("input", "input"))], {}, "'a': relu takes 1 inputs, and 2 are given"),
        ([Node("a", CropTo(), ("input",) * 3)], {}, "'a': cropto takes 2 inputs, and 3 are given"),
        ([Node("a", ReLU())], {"outputs": "b"}, "the output 'b' is no node or input"),
        ([Node("a", ReLU())], {"inputs": ()}, "a graph has at least one input: 0 given"),
        ([Node("a", Conv(1, 1), shares="b")], {}, "'a' shares weights with 'b', which is no earlier node"),
        ([Node("a", ReLU())], {"example": [(1, 2), (1, 2)]}, "example needs a shape for each of 1 inputs: got 2"),
    ],
)
def test_what_is_wired_wrong_is_refused_once_by_name(nodes, settings, message):
    with pytest.raises(BadArgument) as refusal:
        Graph(nodes, **settings)
    assert message in str(refusal.value)


def test_a_circle_is_found_behind_nodes_that_run():
    nodes = [Node("a", ReLU()), Node("b", Add(), ("a", "d")), Node("c", ReLU(), "b"), Node("d", ReLU(), "c")]
    with pytest.raises(BadArgument, match=r": (b -> c -> d -> b|c -> d -> b -> c|d -> b -> c -> d)$"):
        Graph(nodes)


def test_a_class_in_the_place_of_a_layer_is_named():
    with pytest.raises(BadArgument, match=r"node 'a' takes a layer: .*; write ReLU\(\.\.\.\)"):
        Node("a", ReLU)


def test_any_number_of_inputs_and_outputs():
    net = Graph(
        [Node("a", Conv(8, 3), "left"), Node("b", Conv(8, 5), "right"), Node("add", Add(), ("a", "b"))],
        inputs=["left", "right"],
        outputs=["add", "a"],
    )
    by_order = infer_shapes(net, [(1, 3, 10), (1, 1, 12)])
    by_name = infer_shapes(net, {"right": (1, 1, 12), "left": (1, 3, 10)})
    assert by_order == by_name
    assert by_order["add"] == (1, 8, 8)
    for bad in ((1, 3, 10), [(1, 3, 10)], {"left": (1, 3, 10)}):
        with pytest.raises(BadShape, match="left, right"):
            infer_shapes(net, bad)


def test_the_same_name_is_the_same_size():
    net = Graph([Node("a", Conv(8, 3)), Node("b", Conv(8, 3, padding=1)), Node("add", Add(), ("a", "a"))])
    shapes = infer_shapes(net, (1, 3, "N", "N"))
    assert shapes["add"][2] == shapes["add"][3]
    assert str(shapes["add"][2]) == "N - 2"


def test_an_input_shape_that_is_none_is_refused():
    net = Graph([Node("a", ReLU())])
    with pytest.raises(BadShape, match=r"an input shape is needed, such as \(1, 3, 224, 224\), for input"):
        infer_shapes(net)
    with pytest.raises(BadShape, match="a size must be >= 0: -3"):
        infer_shapes(net, (1, 3, -3))
    with pytest.raises(BadArgument, match=r"size must be an integer: 2\.5"):
        infer_shapes(net, (1, 3, 2.5))


def test_a_missing_node_is_answered_with_the_nearest():
    with pytest.raises(BadArgument, match="no node 'conv3'; did you mean 'conv1'"):
        Graph([Node("conv1", ReLU())])["conv3"]


IMAGE = (1, 6, 8, 8)


@pytest.mark.parametrize(
    ("layer", "reads", "error", "message"),
    [
        (Conv(8, 3, in_channels=3), "input", BadShape, "in_channels=3 but the input has 6 channels"),
        (Conv(8, 3, groups=4), "input", BadShape, "`groups`=4 must divide `in_channels`=6"),
        (Conv(7, 3, groups=3), "input", BadShape, "`groups`=3 must divide `out_channels`=7"),
        (Conv(7, 9), "input", KernelDoesNotFit, "axis H: kernel does not fit: it spans 9"),
        (Linear(5, in_features=9), "input", BadShape, "in_features=9 but the last axis of (1, 6, 8, 8) is 8"),
        (BatchNorm(4), "input", BadShape, "num_features=4 but the input has 6 channels"),
        (InstanceNorm(4), "input", BadShape, "num_features=4 but the input has 6 channels"),
        (GroupNorm(4), "input", BadShape, "`num_groups`=4 must divide `num_channels`=6"),
        (LayerNorm((8, 9)), "input", BadShape, "normalized_shape is (8, 9) but the input ends with (8, 8)"),
        (PReLU(5), "input", BadShape, "num_parameters=5 but the input has 6 channels"),
        (Softmax(dim=4), "input", BadArgument, "softmax: dim=4 but the shape (1, 6, 8, 8) has 4 axes"),
        (Add(), ("input", "small"), BadShape, "axis H: got (1, 6, 8, 8) and (1, 6, 6, 6)"),
        (Mul(), ("input", "wide"), BadShape, "mul takes equal sizes, or 1, on axis C: got (1, 6, 8, 8) and (1, 12, 8"),
        (Concat(), ("input", "small"), BadShape, "concat takes equal sizes on axis H: got (1, 6, 8, 8) and (1, 6, 6"),
        (CropTo(), ("small", "input"), BadShape, "axis H: a crop to 8 needs at least as much: got 6; pad instead"),
    ],
)
def test_refusals_name_the_node_and_the_numbers(layer, reads, error, message):
    nodes = [Node("small", Conv(6, 3)), Node("wide", Conv(12, 1)), Node("here", layer, reads)]
    with pytest.raises(error) as refusal:
        infer_shapes(Graph(nodes), IMAGE)
    assert str(refusal.value).startswith("here: ")
    assert str(refusal.value).count("here") == 1
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("paste", "fix"),
    [
        (lambda: Conv(6, 16, 5), "Conv(16, 5)"),
        (lambda: Conv(1, 6, kernel_size=5, padding=2), "Conv(6, 5, padding=2)"),
        (lambda: Conv(3, 64, 7, 2, 3), "Conv(64, 7, stride=2, padding=3)"),
        (lambda: ConvTranspose(64, 32, 2, 2), "ConvTranspose(32, 2, stride=2)"),
        (lambda: ConvTranspose(64, 32, 2, 2, 0, 1), "ConvTranspose(32, 2, stride=2, padding=0, output_padding=1)"),
        (lambda: Linear(400, 120), "Linear(120)"),
        (lambda: Linear(400, 120, False), "Linear(120, bias=False)"),
        (lambda: MaxPool(3, 2), "MaxPool(3, stride=2)"),
        (lambda: AvgPool(3, 2, 1), "AvgPool(3, stride=2, padding=1)"),
        (lambda: LpPool(2, 3, stride=2), "LpPool(3, norm_type=2, stride=2)"),
    ],
)
def test_a_pasted_torch_call_is_refused_with_the_line_that_is_meant(paste, fix):
    with pytest.raises(BadArgument) as refusal:
        paste()
    assert refusal.value.fixes == (fix,)
    assert fix in str(refusal.value)


def test_what_torch_has_no_order_for_is_refused_plainly():
    with pytest.raises(BadArgument, match=r"ReLU takes nothing by position, all else by keyword: ReLU\(True\)"):
        ReLU(True)


def test_norms_take_torch_counts_by_position():
    assert BatchNorm(6).out_shape(IMAGE) == IMAGE
    assert GroupNorm(3, 6).out_shape(IMAGE) == IMAGE


def test_shared_weights_belong_to_an_earlier_node():
    net = Graph([Node("a", Conv(6, 3, padding=1)), Node("b", Conv(6, 3, padding=1), "a", shares="a")])
    assert net["b"].shares == "a"
    with pytest.raises(BadArgument, match="'c' shares weights with 'b', which is no earlier node with weights"):
        Graph([*net, Node("c", Conv(6, 3), "b", shares="b")])
