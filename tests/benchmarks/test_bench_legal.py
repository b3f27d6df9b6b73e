"""How long legal sizes take: `pytest tests/benchmarks --benchmark-only`."""

from __future__ import annotations

import pytest
from chain import valid_sizes

from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import decide
from convcalc.errors import BadShape
from convcalc.layers import Conv, MaxPool
from convcalc.layers.base import must_equal
from convcalc.sizes.expr import Expr


def resnet(blocks):
    """The sizes of a ResNet with bottlenecks, stride on the 3x3."""

    def net(shape, check):
        def apply(layer, shape):
            layer.check_exact(shape, check=check.exact)
            return layer.out_shape(shape, check=check)

        shape = apply(MaxPool(3, stride=2, padding=1), apply(Conv(64, 7, stride=2, padding=3), shape))
        for stage, count in enumerate(blocks):
            for block in range(count):
                stride = 2 if stage and not block else 1
                x = apply(Conv(64 * 2**stage, 1), shape)
                x = apply(Conv(256 * 2**stage, 1), apply(Conv(64 * 2**stage, 3, stride=stride, padding=1), x))
                skip = shape if block else apply(Conv(256 * 2**stage, 1, stride=stride), shape)
                for a, b in zip(x, skip, strict=True):
                    must_equal(a, b, check, lambda at: BadShape("skip"))
                shape = x

    return net


@pytest.mark.parametrize("blocks", [(3, 4, 6, 3), (3, 8, 36, 3)], ids=["resnet50", "resnet152"])
def test_legal_sizes_of_a_resnet_propagation_included(benchmark, blocks):
    assert benchmark(valid_sizes, resnet(blocks), (1, 3, "H", "W")).proved


def test_the_decision_alone(benchmark):
    check = Collector()
    resnet((3, 4, 6, 3))((1, 3, Expr.symbol("H"), Expr.symbol("W")), check)
    assert benchmark(decide, check.conditions, ("H", "W")).proved


def test_a_flattened_map_of_7_by_7(benchmark):
    def vgg(shape, check):
        for _ in range(5):
            shape = MaxPool(2).out_shape(shape, check=check)
        must_equal(shape[2] * shape[3], 49, check, lambda at: BadShape("fc"))

    assert benchmark(valid_sizes, vgg, (1, 3, "H", "W")).proved
