"""Memory in reports: what is counted is counted here once more, another way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.report.memory import ITEMSIZES, itemsize, peak_values
from convcalc.errors import BadArgument
from convcalc.layers import Add, Chunk, Conv
from convcalc.network.graph import Graph
from convcalc.network.node import Node


@st.composite
def graphs(draw):
    """Convolutions and additions, each reading any one or two values before it; shapes of one size."""
    names = ["input"]
    nodes = []
    for place in range(draw(st.integers(1, 7))):
        reads = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
        layer = Conv(2, 1) if len(reads) == 1 else Add()
        nodes.append(Node(f"n{place}", layer, reads))
        names.append(f"n{place}")
    outputs = draw(st.lists(st.sampled_from(names[1:]), min_size=1, max_size=2, unique=True))
    return Graph(nodes, outputs=outputs)


@given(graphs())
def test_the_peak_is_the_worst_moment(graph):
    report = cc.inspect(graph, (1, 2, 5))
    sizes = {"input": 10} | {row.name: math.prod(row.output) for row in report.layers}
    order = ["input", *(node.name for node in graph)]
    moments = [sizes["input"]]
    for now, node in enumerate(graph, 1):
        needed_later = {
            name
            for name in order[: now + 1]
            if name in graph.outputs or any(name in later.inputs for later in list(graph)[now:])
        }
        moments.append(sum(sizes[name] for name in needed_later | {node.name, *node.inputs}))
    assert report.peak == 4 * max(moments)
    assert report.activation_bytes == 4 * sum(size for name, size in sizes.items() if name != "input")


def test_every_output_of_a_node_counts():
    graph = Graph([Node("halves", Chunk(2, dim=1)), Node("sum", Add(), ("halves", "halves[1]"))])
    report = cc.inspect(graph, (1, 6, 5))
    assert report.activations == 30 + 15
    assert report.peak == 4 * 60  # the input and both halves; then both halves and their sum are 45


@pytest.mark.parametrize("dtype", list(ITEMSIZES))
def test_bytes_are_values_times_their_size(dtype):
    small, float32 = cc.inspect(cc.zoo.lenet(), dtype=dtype), cc.inspect(cc.zoo.lenet())
    for name in ("weight_bytes", "activation_bytes", "peak"):
        assert getattr(small, name) * 4 == getattr(float32, name) * itemsize(dtype)
    assert float32.weight_bytes == 4 * 61_706


def test_sizes_of_types_are_those_of_torch():
    torch = pytest.importorskip("torch")
    for name, size in ITEMSIZES.items():
        assert torch.empty(0, dtype=getattr(torch, name)).element_size() == size
    with pytest.raises(BadArgument, match="unknown dtype 'float3'"):
        itemsize("float3")


def test_symbols_leave_the_peak_open_and_totals_are_formulas():
    report = cc.inspect(cc.Sequential(Conv(8, 3), Conv(1, 3)), (1, 3, "n"))
    assert report.peak is None
    assert str(report.activations) == str(8 * (cc.Expr.symbol("n") - 2) + cc.Expr.symbol("n") - 4)
    assert "memory" not in str(report)
    assert peak_values(cc.zoo.lenet(), {"input": (1, 1, 28, 28)}) == 784  # a run that ended before the first node


@pytest.mark.parametrize("kind", ["complex64", "complex128"])
def test_complex_modules_take_complex_inputs_and_two_numbers_a_value(kind):
    torch = pytest.importorskip("torch")
    module = torch.nn.Conv2d(3, 8, 3, dtype=getattr(torch, kind))
    example = torch.zeros(1, 3, 8, 8, dtype=getattr(torch, kind))
    one = example.element_size()
    for report in (cc.inspect(module, (1, 3, 8, 8)), cc.inspect(module, example_inputs=example)):
        assert report.output == tuple(module(example).shape)
        assert (report.dtype, report.peak, report.weight_bytes) == (kind, (192 + 288) * one, 224 * one)
