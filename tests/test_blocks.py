import pytest

from convcalc import find_fields
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.errors import BadArgument, BadShape
from convcalc.layers import (
    AdaptiveAvgPool,
    Add,
    Concat,
    Conv,
    ConvTranspose,
    Linear,
    MaxPool,
    Mul,
    ReLU,
    Sigmoid,
)
from convcalc.network.blocks import Branches, Residual, Sequential, Skip, Wired, as_graph
from convcalc.network.shapes import infer_shapes
from convcalc.zoo import unet


def names(net):
    return [node.name for node in as_graph(net)]


def out(net, shape):
    graph = as_graph(net)
    return infer_shapes(graph, shape)[graph.outputs[0]]


def test_sequential_is_one_after_another_by_place_or_name():
    net = Sequential(Conv(8, 3), Sequential(ReLU(), ReLU()), last=ReLU())
    assert names(net) == ["0", "1.0", "1.1", "last"]
    assert as_graph(net)["last"].inputs == ("1.1",)


def test_an_empty_sequential_is_nothing_at_all():
    assert names(Sequential(Sequential(), ReLU(), Sequential())) == ["1"]
    assert out(Residual(Sequential()), (1, 4, 9)) == (1, 4, 9)


def test_in_channels_are_inferred_on_the_way():
    net = Sequential(Conv(8, 3), Conv(16, 3), Conv(16, 3, groups=4))
    assert [row.params for row in inspect_graph(net, (1, 3, 9, 9)).layers] == [
        8 * 3 * 9 + 8,
        16 * 8 * 9 + 16,
        16 * 4 * 9 + 16,
    ]


def test_branches_concatenate_channels_unless_told_otherwise():
    shape = (1, 3, 8, 8)
    assert out(Branches(Conv(8, 1), Conv(4, 3, padding=1)), shape) == (1, 12, 8, 8)
    assert out(Branches(Conv(8, 1), Conv(8, 3, padding=1), merge=Add()), shape) == (1, 8, 8, 8)
    with pytest.raises(BadArgument, match="at least one part"):
        Branches()


def test_branches_of_unequal_sizes_are_refused_where_they_meet():
    net = Sequential(stem=Conv(4, 1), mix=Branches(Conv(8, 1), Conv(4, 3)))
    with pytest.raises(BadShape, match=r"^mix\.concat: concat takes equal sizes on axis H: got \(1, 8, 8, 8\) and \(1"):
        infer_shapes(net, (1, 3, 8, 8))


def test_a_residual_adds_its_input_or_its_shortcut():
    body = Sequential(Conv(8, 3, stride=2, padding=1), ReLU(), Conv(8, 3, padding=1))
    assert names(Residual(body, Conv(8, 1, stride=2))) == ["0", "1", "2", "shortcut", "add"]
    assert names(Residual(Conv(8, 1))) == ["body", "add"]
    assert out(Residual(body, Conv(8, 1, stride=2)), (1, 3, 9, 9)) == (1, 8, 5, 5)
    with pytest.raises(BadShape, match=r"^add: add takes equal sizes, or 1, on axis C: got \(1, 8, 5, 5\) and"):
        infer_shapes(Residual(body), (1, 3, 9, 9))


def level(mode, inner=None):
    return Skip(Sequential(MaxPool(2), inner or Conv(6, 3), ConvTranspose(4, 2, stride=2)), mode=mode)


def test_a_skip_crops_its_input_to_what_comes_up():
    assert out(level("crop"), (1, 3, 13, 12)) == (1, 3 + 4, 8, 8)


def test_a_skip_pads_what_comes_up_to_its_input():
    assert out(level("pad"), (1, 3, 13, 12)) == (1, 3 + 4, 13, 12)


def test_a_strict_skip_refuses_unequal_sizes():
    same = Conv(6, 3, padding=1)
    assert out(level("strict", same), (1, 3, 12, 12)) == (1, 7, 12, 12)
    with pytest.raises(BadShape, match=r"^concat: concat takes equal sizes on axis H"):
        infer_shapes(level("strict", same), (1, 3, 13, 12))


def test_a_crop_cannot_make_larger():
    with pytest.raises(BadShape, match=r"^crop: axis H: a crop to 18 needs at least as much: got 9; pad instead"):
        infer_shapes(Skip(ConvTranspose(4, 2, stride=2)), (1, 3, 9, 9))


def test_an_unknown_mode_is_refused():
    with pytest.raises(BadArgument, match="unknown mode 'cut' of Skip: use one of crop, pad, strict"):
        Skip(ReLU(), mode="cut")


@pytest.mark.parametrize("padded", [False, True])
def test_the_u_net_is_four_skips_inside_each_other(padded):
    def convs(width):
        conv = Conv(width, 3, padding=1 if padded else 0)
        return Sequential(conv, ReLU(), conv, ReLU())

    def u(width):
        if width == 1024:
            return convs(width)
        below = Sequential(MaxPool(2), u(2 * width), ConvTranspose(width, 2, stride=2))
        return Sequential(convs(width), Skip(below, mode="pad" if padded else "crop"), convs(width))

    nested = as_graph(Sequential(u(64), Conv(2, 1)))
    flat = unet(padded=padded)
    shape = (1, 1, 200, 213)
    assert out(nested, shape) == out(flat, shape)
    assert inspect_graph(nested, shape).params == inspect_graph(flat, shape).params
    assert inspect_graph(nested, shape).macs == inspect_graph(flat, shape).macs
    assert find_fields(nested, shape)[nested.outputs[0]] == find_fields(flat, shape)["out"]


def test_wired_names_what_it_reads():
    gate = Sequential(AdaptiveAvgPool(1), Conv(4, 1), ReLU(), Conv(8, 1), Sigmoid())
    net = Wired(("conv", Conv(8, 3), "input"), ("gate", gate, "conv"), ("mul", Mul(), "conv", "gate"))
    assert names(Sequential(se=net)) == [
        "se.conv",
        *(f"se.gate.{place}" for place in range(5)),
        "se.mul",
    ]
    assert out(net, (1, 3, 9, 9)) == (1, 8, 7, 7)


def test_wired_has_several_inputs_and_outputs():
    net = as_graph(
        Wired(
            ("left", Sequential(Conv(8, 3), ReLU()), "image"),
            ("both", Add(), "left", "mask"),
            inputs=["image", "mask"],
        ),
        outputs=["both", "left"],
    )
    assert net.inputs == ("image", "mask")
    assert net.outputs == ("both", "left.1")


def test_a_sequential_may_begin_by_uniting_inputs():
    net = as_graph(Sequential(Concat(), Conv(8, 3)), inputs=["a", "b"])
    assert infer_shapes(net, [(1, 3, 9), (1, 4, 9)])["0"] == (1, 7, 9)
    with pytest.raises(BadArgument, match="nothing unites its 2 inputs; begin with Concat or Add"):
        as_graph(Sequential(), inputs=["a", "b"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(Conv(8, 3), ReLU), "Sequential takes layers and blocks: 1 is <class"),
        (lambda: Sequential(64), "Sequential takes layers and blocks: 0 is 64"),
        (lambda: Residual(5), "Residual takes layers and blocks: 0 is 5"),
        (lambda: Wired(("a", ReLU())), "Wired takes (name, part, what it reads, ...): ('a', "),
        (lambda: Wired(), "Wired takes at least one"),
        (lambda: as_graph(Wired(("a", ReLU(), "b"))), "'a' reads 'b', which does not stand before it: input"),
        (lambda: as_graph(Wired(("a", ReLU(), "input"), ("a", ReLU(), "input"))), "'a' is given twice"),
        (lambda: as_graph("resnet18"), "as_graph takes layers and blocks: 0 is 'resnet18'"),
        (lambda: as_graph(Residual(Sequential(add=ReLU()))), "names must be unique: 'add' is given twice"),
    ],
)
def test_what_is_no_part_is_refused(make, message):
    with pytest.raises(BadArgument) as refusal:
        make()
    assert message in str(refusal.value)


def test_a_layer_alone_is_a_graph_of_one_node():
    assert out(Linear(10), (2, 5)) == (2, 10)
    assert names(Linear(10)) == ["linear"]
