"""How long a capture takes, against the model's own forward on meta. Nothing here is asserted against a clock.

Run with --benchmark-only. Every figure is a ratio to a baseline of the same run, each the best of several.
"""

import subprocess
import sys
import warnings
from time import process_time

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from convcalc.analysis.report.inspection import inspect_graph  # noqa: E402
from convcalc.analysis.report.walk import walk  # noqa: E402
from convcalc.bridge.assembly.assemble import to_torch  # noqa: E402
from convcalc.bridge.trace import capture  # noqa: E402
from convcalc.zoo import load  # noqa: E402

COST_AIM, REPORT_AIM, TRACE_AIM = 1.5, 2.5, 1 / 20
"""Times the forward on meta: shapes and cost; formulas and footprints too. Times torch's own symbolic trace."""


class Block(nn.Module):
    """Attention and a perceptron, as in ViT-B/16."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        out = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, width)
        x = x + self.proj(out)
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """A vision transformer with a table of positions that is resized."""

    def __init__(self, width=768, depth=12, heads=12):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, stride=16)
        self.positions = nn.Parameter(torch.empty(1, width, 14, 14))
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.head = nn.Linear(width, 1000)

    def forward(self, x):
        x = self.patches(x)
        x = x + nn.functional.interpolate(self.positions, size=x.shape[2:], mode="bicubic")
        return self.head(self.blocks(x.flatten(2).transpose(1, 2)).mean(1))


def build(name):
    with torch.device("meta"):
        if name == "vit":
            return ViT().eval(), (1, 3, 224, 224)
        shape = (1, 1, 572, 572) if name == "unet" else (1, 3, 224, 224)
        return to_torch(load(name), device="meta").eval(), shape


def forward(net, shape):
    with torch.no_grad():
        return net(torch.empty(shape, device="meta"))


def best(*works, times=7):
    """The least seconds of processor time of each, run in turn so that all see the same machine."""
    found = [float("inf")] * len(works)
    for _ in range(times):
        for place, work in enumerate(works):
            start = process_time()
            work()
            found[place] = min(found[place], process_time() - start)
    return found


def with_cost(net, shape):
    graph = capture(net, shape, check=False)
    return walk(graph, {graph.inputs[0]: shape})


NAMES = ["resnet18", "resnet50", "densenet121", "unet", "vit"]


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_against_the_forward_on_meta(benchmark, name):
    net, shape = build(name)
    plain, cost, report, checked = best(
        lambda: forward(net, shape),
        lambda: with_cost(net, shape),
        lambda: inspect_graph(capture(net, shape, check=False), shape),
        lambda: inspect_graph(capture(net, shape), shape),
    )
    graph = benchmark.pedantic(capture, args=(net, shape), kwargs={"check": False}, rounds=5)
    assert inspect_graph(graph).params == sum(p.numel() for p in net.parameters())
    benchmark.extra_info["nodes"] = len(graph)
    benchmark.extra_info["forward_ms"] = round(1e3 * plain, 1)
    benchmark.extra_info["times_forward_shapes_and_cost"] = round(cost / plain, 2)
    benchmark.extra_info["times_forward_report"] = round(report / plain, 2)
    benchmark.extra_info["times_forward_report_checked"] = round(checked / plain, 2)
    benchmark.extra_info["share_of_the_aims"] = [
        round(cost / plain / COST_AIM, 2),
        round(report / plain / REPORT_AIM, 2),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_against_torchinfo(benchmark, name):
    torchinfo = pytest.importorskip("torchinfo", reason="torchinfo is measured where it is installed")
    net, shape = build(name)
    theirs, ours, checked = best(
        lambda: torchinfo.summary(net, input_size=shape, device="meta", verbose=0),
        lambda: with_cost(net, shape),
        lambda: inspect_graph(capture(net, shape), shape),
    )
    benchmark.pedantic(with_cost, args=(net, shape), rounds=3)
    benchmark.extra_info["times_torchinfo_shapes_and_cost"] = round(ours / theirs, 2)
    benchmark.extra_info["times_torchinfo_report_checked"] = round(checked / theirs, 2)


@pytest.mark.parametrize("name", ["resnet50", "vit"])
def test_a_capture_against_the_flop_counter_of_torch(benchmark, name):
    from torch.utils.flop_counter import FlopCounterMode

    net, shape = build(name)

    def counted():
        with FlopCounterMode(display=False) as mode:
            forward(net, shape)
        return mode.get_total_flops()

    theirs, ours = best(counted, lambda: with_cost(net, shape))
    assert counted() == 2 * with_cost(net, shape).total.macs
    benchmark.pedantic(with_cost, args=(net, shape), rounds=3)
    benchmark.extra_info["times_flop_counter"] = round(ours / theirs, 2)


def faked(net, shape):
    """The forward on fake tensors whose sizes are symbols: shapes alone, no graph is made of them."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

    with torch.no_grad(), FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True) as mode:
        dynamic = StatelessSymbolicContext(dynamic_sizes=[DimDynamic.STATIC] * 2 + [DimDynamic.DYNAMIC] * 2)
        return net(mode.from_tensor(torch.empty(shape, device="meta"), symbolic_context=dynamic))


def traced(net, shape):
    """A graph of ATen calls with symbols for sizes."""
    from torch.fx.experimental.proxy_tensor import make_fx

    with torch.no_grad():
        return make_fx(net, tracing_mode="symbolic", _allow_non_fake_inputs=True)(torch.empty(shape, device="meta"))


def exported(net, shape):
    """The same by `torch.export`, with constraints on the symbols."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sizes = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
        return torch.export.export(net, (torch.empty(shape, device="meta"),), dynamic_shapes=((sizes,),))


@pytest.mark.parametrize("way", [faked, traced, exported])
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_formulas_against_the_symbolic_traces_of_torch(benchmark, name, way):
    net, shape = build(name)

    def ours():
        return inspect_graph(capture(net, shape, check=False), shape)

    way(net, shape)  # imports
    theirs, mine = best(lambda: way(net, shape), ours, times=2)
    report = benchmark.pedantic(ours, rounds=2)
    assert any(str(layer.symbolic[-1]) == "(W + 31)//32" for layer in report.layers if len(layer.symbolic) == 4)
    benchmark.extra_info["times_symbolic_trace"] = round(mine / theirs, 3)
    benchmark.extra_info["share_of_the_aim"] = round(mine / theirs / TRACE_AIM, 2)


PEAK = """
import resource, torch
from torch import nn
from convcalc.bridge.trace import capture
with torch.device("meta"):
    make = lambda: nn.Sequential(nn.LayerNorm(8192), nn.Linear(8192, 28672), nn.GELU(), nn.Linear(28672, 8192))
    net = nn.Sequential(*[make() for _ in range(150)])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
graph = capture(net, (1, 2048, 8192))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(sum(node.weights.params for node in graph if node.weights), before, after)
"""


def test_seventy_billion_parameters(benchmark):
    def run():
        result = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
        return [int(value) for value in result.stdout.split()]

    params, before, after = benchmark.pedantic(run, rounds=1)
    assert params > 70e9
    assert after < 1024 * 1024, "KiB, all of torch included"
    benchmark.extra_info["peak_mib"] = after // 1024
    benchmark.extra_info["grown_mib"] = (after - before) // 1024
