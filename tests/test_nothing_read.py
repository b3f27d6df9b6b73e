"""Outputs that read nothing: their field is 0, which is known, and not None, which is not."""

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc import find_window
from convcalc.cli import main
from convcalc.footprints.product import Product
from convcalc.footprints.stencils import conv, conv_transpose, crop, everything, identity
from convcalc.network.shapes import open_net

BETWEEN = conv_transpose(1, stride=2).then(crop(1)).then(conv(1, stride=2))  # the zeros between the inputs


def test_what_reads_zeros_alone_has_a_field_of_zero():
    net = cc.Sequential(cc.ConvTranspose(4, 1, stride=2), cc.Crop(1), cc.Conv(4, 1, stride=2))
    row = cc.inspect(net, input_size=(1, 3, 9)).layers[-1]
    assert (row.receptive_field, row.covered, row.stride, row.is_global) == ((0,), (0,), (None,), False)
    assert (row.to_dict()["receptive_field"], row.to_dict()["covered"]) == (0, 0)


def test_the_commands_say_zero():
    stack = "tconv 4 k1 s2; crop 1; conv 4 k1 s2"
    shown = CliRunner().invoke(main, ["field", stack, "--input", "3x9", "--at", "conv1"]).output.splitlines()
    assert shown[2].split() == ["L", "0", "-", "-", "0", "0", "-", "-", "no"]


def test_a_branch_that_reads_nothing_on_one_axis_reads_nothing():
    assert not Product((BETWEEN, conv(7, padding=3))).reads_anything
    united = Product((conv(7, padding=3), BETWEEN)) | Product((identity(), identity()))
    assert (united.receptive_field, united.covered, united.exact) == ((1, 1), 1, True)


def test_what_reads_everything_and_nothing_in_particular_has_no_field():
    assert everything().is_unbounded
    assert not BETWEEN.is_unbounded
    row = cc.inspect(cc.AdaptiveAvgPool(1), input_size=(1, 3, 9)).layers[-1]
    assert row.receptive_field == (None,)


@pytest.mark.parametrize("stack", ["gap", "conv 8 k3; gap", "flatten; linear 10"])
def test_the_formula_of_a_constant_output_is_its_number(stack):
    shown = CliRunner().invoke(main, ["stack", stack, "--n", "n", "--latex"])
    assert shown.exception is None or isinstance(shown.exception, SystemExit)


@pytest.mark.parametrize(
    ("net", "size", "cell", "reads"),
    [
        ((cc.Conv(2, 1, stride=3, padding=1),), 1, 0, []),  # position -1: padding alone
        ((cc.Conv(2, 3, padding=10),), 1, 18, []),
        ((cc.AdaptiveAvgPool(1), cc.Conv(2, 1, stride=7, padding=10)), 5, 2, []),
        ((cc.Conv(2, 2, stride=20, padding=10), cc.AdaptiveAvgPool(1)), 1, 0, []),
        ((cc.Conv(2, 2, stride=2), cc.AdaptiveAvgPool(1)), 5, 0, [0, 1, 2, 3]),
        ((cc.Conv(2, 3, padding=1),), 1, 0, [0]),
    ],
)
def test_one_position_reads_what_its_gradient_reaches(net, size, cell, reads):
    torch = pytest.importorskip("torch")
    net = cc.Sequential(*net)
    graph, _ = open_net(net, (1, 2, size))
    (window,) = find_window(graph, graph.nodes[-1].name, [cell], (1, 2, size))
    module, signal = cc.to_torch(net, (1, 2, size)), torch.ones(1, 2, size, requires_grad=True)
    for weight in module.parameters():
        torch.nn.init.ones_(weight)
    (gradient,) = torch.autograd.grad(module(signal)[0, :, cell].sum(), signal)
    assert list(window.reads) == reads == gradient[0, 0].nonzero().flatten().tolist()
