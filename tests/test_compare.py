"""Two networks side by side: what the notes claim of blocks and heads, recounted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

import convcalc as cc
from convcalc import compare, zoo
from convcalc.analysis.comparison import compare_reports
from convcalc.errors import KernelDoesNotFit
from convcalc.layers import AdaptiveAvgPool, Conv, Flatten, Linear, MaxPool, ReLU
from convcalc.network.blocks import Branches, Residual, Sequential
from convcalc.sizes.expr import Expr

C, H, W = map(Expr.symbol, "CHW")


def same(kernel, channels=None):
    """A convolution without bias that keeps the size."""
    return Conv(channels, kernel, padding=kernel // 2, bias=False)


TWO, ONE = Sequential(same(3), same(3)), same(5)


def test_two_3x3_against_one_5x5_on_any_number_of_channels():
    found = compare(TWO, ONE, (1, "C", "H", "W"))
    assert (found["params"].a, found["params"].b) == (2 * 9 * C * C, 25 * C * C)
    assert (found["macs"].a, found["macs"].b) == (18 * C * C * H * W, 25 * C * C * H * W)
    assert found["params"].difference == 7 * C * C
    assert found["params"].ratio == found["macs"].ratio == Fraction(25, 18)
    assert [reach.field for reach in found.reach] == [(5, 5), (5, 5)]


def test_with_biases_the_ratio_depends_on_the_channels():
    found = compare(Sequential(Conv(None, 3), Conv(None, 3)), Conv(None, 5), (1, "C", "H", "W"))
    assert (found["params"].a, found["params"].b) == (18 * C * C + 2 * C, 25 * C * C + C)
    assert found["params"].ratio is None


@pytest.mark.parametrize("channels", [1, 64, 512])
def test_numbers_agree_with_the_symbols(channels):
    found = compare(TWO, ONE, (1, channels, 7, 7))
    assert (found["params"].a, found["params"].b) == (18 * channels**2, 25 * channels**2)
    assert found["params"].ratio == Fraction(25, 18)


def test_three_3x3_against_one_7x7():
    found = compare(Sequential(same(3), same(3), same(3)), same(7), (1, "C", "H", "W"))
    assert found["params"].ratio == Fraction(49, 27)
    assert [reach.field for reach in found.reach] == [(7, 7), (7, 7)]


def test_bottleneck_against_basic_at_256_channels():
    bottleneck = Residual(Sequential(same(1, 64), same(3, 64), same(1, 256)))
    basic = Residual(Sequential(same(3, 256), same(3, 256)))
    found = compare(basic, bottleneck, (1, 256, 56, 56))
    assert found["params"].a == 2 * 9 * 256 * 256 == 1_179_648
    assert found["params"].b == 256 * 64 + 9 * 64 * 64 + 64 * 256 == 69_632
    assert found["macs"].a == 56 * 56 * 1_179_648
    assert found["params"].ratio == Fraction(69_632, 1_179_648)
    assert [reach.field for reach in found.reach] == [(5, 5), (3, 3)]


def inception(reduced):
    def way(narrow, wide, kernel):
        conv = Conv(wide, kernel, padding=kernel // 2)
        return Sequential(Conv(narrow, 1), conv) if reduced else conv

    pool = Sequential(MaxPool(3, stride=1, padding=1), Conv(32, 1))
    return Branches(Conv(64, 1), way(96, 128, 3), way(16, 32, 5), pool)


def test_inception_with_and_without_1x1():
    found = compare(inception(reduced=True), inception(reduced=False), (1, 192, 28, 28))
    ends = (192 * 64 + 64) + (192 * 32 + 32)  # the 1x1 way and the one after pooling
    with_1x1 = ends + (192 * 96 + 96) + (9 * 96 * 128 + 128) + (192 * 16 + 16) + (25 * 16 * 32 + 32)
    without = ends + (9 * 192 * 128 + 128) + (25 * 192 * 32 + 32)
    assert (found["params"].a, found["params"].b) == (with_1x1, without) == (163_696, 393_472)
    assert found.a.output == found.b.output == (1, 64 + 128 + 32 + 32, 28, 28)


def test_pooling_of_everything_against_fully_connected():
    gap = Sequential(AdaptiveAvgPool(1), Flatten(), Linear(10))
    connected = Sequential(Flatten(), Linear(4096), ReLU(), Linear(4096), ReLU(), Linear(10))
    found = compare(gap, connected, (1, 512, 7, 7))
    assert found["params"].a == 512 * 10 + 10
    assert found["params"].b == 512 * 7 * 7 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 10 + 10 == 119_586_826
    assert all(reach.everything for reach in found.reach)


def test_vgg_against_nin():
    found = compare(zoo.vgg11(in_channels=1, classes=10), zoo.nin())
    convs = [(1, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 512), (512, 512)]
    vgg = sum(9 * a * b + b for a, b in convs) + 119_586_826
    blocks = [(1, 96, 11), (96, 256, 5), (256, 384, 3), (384, 10, 3)]
    nin = sum(k * k * a * b + b + 2 * (b * b + b) for a, b, k in blocks)
    assert (found["params"].a, found["params"].b) == (vgg, nin) == (128_806_154, 1_992_166)
    # VGG-11, convolutions and pooling: 1 + (2 + 1) + (4 + 2) + (16 + 4) + (32 + 8) + (64 + 16) = 150
    # NiN, likewise: 1 + (10 + 8) + (32 + 16) + (32 + 32) + 64 = 195
    assert [reach.field for reach in found.reach] == [(150, 150), (195, 195)]


# -- pairs ---------------------------------------------------------------------------------------------------------


def shown(found):
    return [(row.a and row.a.name, row.b and row.b.name, row.same) for row in found.rows]


def test_equal_layers_face_each_other():
    a = Sequential(conv=Conv(8, 3), act=ReLU(), pool=MaxPool(2))
    b = Sequential(conv=Conv(8, 3), pool=MaxPool(2))
    assert shown(compare(a, b, (1, 3, 9, 9))) == [
        ("conv", "conv", True),
        ("act", None, False),
        ("pool", "pool", True),
    ]


def test_unequal_layers_of_one_op_face_each_other_and_others_stand_alone():
    a = Sequential(conv=Conv(8, 3), pool=MaxPool(2))
    b = Sequential(conv=Conv(8, 5), act=ReLU())
    assert shown(compare(a, b, (1, 3, 9, 9))) == [
        ("conv", "conv", False),
        ("pool", None, False),
        (None, "act", False),
    ]


def test_a_longer_network_of_one_family_has_all_layers_but_the_ones_that_are_wider():
    found = compare(zoo.densenet121(), zoo.densenet169())
    unlike = [row.a.name for row in found.rows if row.a and not row.same]
    assert unlike[0] == "features.transition3.conv"  # 1024 channels halved there, 1280 in DenseNet-169
    assert "features.denseblock4.denselayer1.norm1" in unlike  # of as many hyper-parameters, on more channels


@pytest.mark.parametrize("pair", [("vgg11", "vgg16"), ("resnet18", "resnet34"), ("lenet", "nin"), ("alexnet", "unet")])
def test_every_layer_stands_in_one_row_and_rows_add_up(pair):
    found = compare(*map(zoo.load, pair))
    for side, report in (("a", found.a), ("b", found.b)):
        layers = [getattr(row, side) for row in found.rows if getattr(row, side)]
        assert layers == list(report.layers)
        assert sum(layer.params for layer in layers) == getattr(found["params"], side)


@pytest.mark.parametrize("name", zoo.MODELS)
def test_a_network_differs_in_nothing_from_itself(name):
    found = compare(zoo.load(name), zoo.load(name))
    assert all(row.same for row in found.rows)
    assert [(count.difference, count.ratio) for count in found.counts] == [(0, 1)] * 4


# -- the rest ------------------------------------------------------------------------------------------------------


def test_flops_are_twice_the_macs_and_activations_all_outputs():
    found = compare(Sequential(Conv(8, 3), ReLU()), Conv(8, 3), (1, 3, 6, 6))
    assert (found["macs"].a, found["flops"].a) == (8 * 16 * 27, 2 * 8 * 16 * 27)
    assert (found["activations"].a, found["activations"].b) == (2 * 8 * 16, 8 * 16)


def test_nothing_has_no_ratio():
    assert compare(ReLU(), Conv(8, 1), (1, 3, 6, 6))["params"].ratio is None


def test_each_has_its_own_example_unless_a_shape_is_given():
    found = compare(zoo.lenet(), zoo.resnet18())
    assert (found.a.input, found.b.input) == ((1, 1, 28, 28), (1, 3, 224, 224))
    with pytest.raises(KernelDoesNotFit, match=r"^lenet: pool1: axis H: kernel does not fit"):
        compare(zoo.lenet(), zoo.nin(), (1, 1, 1, 64))  # one row stays one row, and pooling takes two


def test_the_document():
    record = compare(TWO, ONE, (1, "C", "H", "W")).to_dict()
    assert record["totals"]["params"] == {"a": "18*C**2", "b": "25*C**2", "difference": "7*C**2", "ratio": "25/18"}
    assert record["a"]["output"] == [1, "C", "H", "W"]
    assert (record["b"]["receptive_field"], record["b"]["stride"], record["b"]["global"]) == ([5, 5], [1, 1], False)
    assert [(row["same"], row["a"]["name"], row["b"] and row["b"]["name"]) for row in record["layers"]] == [
        (False, "0", "conv"),
        (False, "1", None),
    ]


def test_a_total_that_misses_something_says_at_least():
    counted = cc.Conv(4, 3)
    report = cc.inspect(counted, (1, 3, 8, 8))
    missing = replace(report, layers=(replace(report.layers[0], counted=False),))
    found = compare_reports(report, missing)
    assert found["macs"].least == (False, True)
    assert str(found["macs"]) == "MACs: 3,888, at least 3,888; -, -"
    assert found.to_dict()["b"]["uncounted"] == ["conv"]
    assert str(found["params"]).startswith("params: 112, 112; 0")
