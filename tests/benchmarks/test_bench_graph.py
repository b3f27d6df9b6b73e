"""How long graphs take. Nothing here is asserted against a clock; run with --benchmark-only."""

from time import perf_counter

import pytest

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.walk import walk
from convcalc.network.shapes import infer_shapes
from convcalc.zoo import load

AIM = 0.150
"""Seconds for shapes, formulas, footprints, cost and legal sizes of ResNet-152, after import."""


def everything(text):
    graph = load(text)
    return walk(graph, graph.shapes_of())


@pytest.mark.parametrize(
    ("text", "nodes"), [("lenet", 12), ("resnet50", 175), ("resnet152", 515), ("densenet201", 707), ("unet", 53)]
)
def test_a_report(benchmark, text, nodes):
    report = benchmark(lambda: inspect_graph(load(text)))
    assert len(report.layers) == nodes
    benchmark.extra_info["microseconds_a_node"] = round(1e6 * benchmark.stats["min"] / nodes, 1)


def test_resnet152_shapes_formulas_footprints_and_cost(benchmark):
    symbolic, fields, cost = benchmark(everything, "resnet152")
    assert str(symbolic["layer4.2.relu"][2]) == "(H + 31)//32"
    assert fields["layer4.2.relu"].axes[0].receptive_field == 1451
    assert cost.total.params == 60_192_808
    benchmark.extra_info["share_of_the_aim"] = round(benchmark.stats["min"] / AIM, 3)


def test_a_thousand_sizes_cost_as_much_as_a_few(benchmark):
    import numpy as np

    graph, sizes = load("resnet50"), np.arange(1, 1001)
    shapes = benchmark(infer_shapes, graph, (1, 3, sizes, sizes))
    assert shapes["layer4.2.relu"][2].tolist() == [(n + 31) // 32 for n in range(1, 1001)]
    start = perf_counter()
    infer_shapes(graph, (1, 3, 224, 224))
    benchmark.extra_info["times_one_size"] = round(benchmark.stats["min"] / (perf_counter() - start), 2)
