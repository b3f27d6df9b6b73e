"""What is proved of networks with scale factors ends where torch's float64 begins to round."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc as cc
from convcalc.arithmetic.resizing import interpolate_out
from convcalc.errors import Unknown
from convcalc.sizes.expr import Expr

n = Expr.symbol("n")


def twice(scale=2):
    return cc.Graph(
        [
            cc.Node("up", cc.Upsample(scale_factor=scale)),
            cc.Node("stamps", cc.ConvTranspose(3, 2, stride=2), ("input",)),
            cc.Node("add", cc.Add(), ("up", "stamps")),
        ]
    )


def test_nothing_is_said_past_the_last_exact_product():
    found = cc.valid_sizes(twice(), (1, 3, "n"))
    assert found.proved
    assert found.up_to == 2**52
    assert 2**52 in found
    with pytest.raises(Unknown, match="past 4503599627370496 torch's float64 rounds"):
        2**53 + 1 in found  # noqa: B015
    assert str(found).endswith(
        "proved         for all sizes up to 4,503,599,627,370,496; torch's float64 rounds beyond"
    )
    assert interpolate_out(2**53 + 1, scale_factor=2) != 2 * (2**53 + 1)  # what torch computes, and the formula


def test_a_network_without_scale_factors_has_no_end():
    found = cc.valid_sizes(cc.Sequential(cc.Conv(8, 3), cc.Upsample(size=9)), (1, 3, "n"))
    assert found.up_to is None
    assert 10**30 in found


@pytest.mark.parametrize("scale", [2, 3, 0.5, 1.25, 0.75])
@given(st.data())
def test_up_to_the_end_the_formula_is_the_float_product(scale, data):
    net = cc.Sequential(cc.MaxPool(3, stride=2), cc.Upsample(scale_factor=scale))
    end = cc.valid_sizes(net, (1, 3, "n")).up_to
    size = data.draw(st.one_of(st.integers(end - 2**20, end), st.integers(3, end)))
    small = cc.pool_out(size, 3, 2)
    assert interpolate_out(n, scale_factor=scale)(n=small) == math.floor(float(small) * scale)


def test_a_captured_model_has_the_same_end():
    torch = pytest.importorskip("torch")

    class Up(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.interpolate(x, scale_factor=2.0)

    assert cc.valid_sizes(Up(), (1, 3, "n")).up_to == 2**52
