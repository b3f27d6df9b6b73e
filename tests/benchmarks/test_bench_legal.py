"""How long legal sizes take: `pytest tests/benchmarks --benchmark-only`."""

from __future__ import annotations

from time import process_time

import pytest
from chain import valid_sizes

from convcalc.analysis.validity.conditions import Collector
from convcalc.analysis.validity.decide import decide
from convcalc.analysis.validity.of_graph import valid_sizes as legal
from convcalc.errors import BadShape
from convcalc.layers import Conv, Flatten, Linear, MaxPool
from convcalc.layers.base import must_equal
from convcalc.network.blocks import Sequential
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


def halvings(levels):
    return legal(Sequential(*[MaxPool(2)] * levels), (1, 1, "n"))


def halvings_that_lose_nothing(levels):
    return legal(Sequential(*[Conv(1, 3, stride=2, padding=1)] * levels), (1, 1, "n"))


def strides(count):
    return legal(Sequential(*map(MaxPool, (2, 3, 5, 7, 11, 13, 17)[:count])), (1, 1, "n"))


def features(count):
    return legal(Sequential(MaxPool(2), Flatten(), Linear(10, in_features=count)), (1, 1, "H", "W"))


@pytest.mark.parametrize(
    ("act", "sizes", "aim"),
    [
        (halvings, (5, 10, 15, 20), 50),
        (halvings_that_lose_nothing, (5, 10, 15, 20), 50),
        (strides, (3, 5, 7), 50),
        (features, (400, 5040, 25088, 10**6), 500),
    ],
)
def test_how_the_time_of_long_periods_and_many_features_grows(benchmark, act, sizes, aim):
    milliseconds = {}
    for size in sizes:
        times = []
        for _ in range(5):
            start = process_time()
            assert act(size).proved
            times.append(process_time() - start)
        milliseconds[size] = round(1e3 * min(times), 1)
    benchmark.extra_info["milliseconds"] = milliseconds
    benchmark.extra_info["share_of_the_aim"] = round(milliseconds[sizes[-1]] / aim, 2)
    benchmark.pedantic(act, args=(sizes[-1],), rounds=3)
