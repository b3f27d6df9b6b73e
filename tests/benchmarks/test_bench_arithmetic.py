"""How fast the arithmetic is, always beside a baseline timed in the same run; `extra_info` has the ratio.

Aims: the command at most 1.6 times `import click`; a million sizes at most 1.3 times the bare NumPy formula.
"""

import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import convcalc
from convcalc.arithmetic.formulas import conv_out, pool_out
from convcalc.arithmetic.solving.solutions import solve_conv
from convcalc.sizes.expr import Expr

SIZES = np.arange(10, 10**6 + 10)


def fastest(act, rounds):
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times)


def compared(benchmark, act, baseline, rounds):
    """Time `act`, and beside it `baseline`, turn and turn about, so that both meet the same machine."""
    pairs = [(fastest(act, 1), fastest(baseline, 1)) for _ in range(rounds)]
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    benchmark.extra_info["baseline_seconds"] = theirs
    benchmark.extra_info["ratio"] = round(ours / theirs, 3)
    benchmark.extra_info["ratio_of_medians"] = round(
        statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs), 3
    )
    benchmark.pedantic(act, rounds=rounds, warmup_rounds=1)


def test_the_command_beside_importing_click(benchmark, tmp_path):
    home = Path(convcalc.__file__).parents[1]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**inherited, "PYTHONPATH": str(home), "PYTHONPYCACHEPREFIX": str(tmp_path)}  # compiled, as installed

    def run(*arguments):
        subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)

    def command():
        run("-m", "convcalc", "conv", "--n", "28", "--k", "5", "--p", "2")

    def importing():
        run("-c", "import click")

    command(), importing()
    compared(benchmark, command, importing, rounds=20)


@pytest.mark.parametrize(("k", "s", "p", "d"), [(3, 2, 1, 1), (5, 1, 2, 1), (5, 3, 2, 2)])
def test_a_million_sizes_beside_the_bare_formula(benchmark, k, s, p, d):
    expected = (SIZES + 2 * p - d * (k - 1) - 1) // s + 1
    assert (conv_out(SIZES, k, s, p, d) == expected).all()
    compared(
        benchmark,
        lambda: conv_out(SIZES, k, s, p, d),
        lambda: (SIZES + 2 * p - d * (k - 1) - 1) // s + 1,
        rounds=60,
    )


def test_a_million_ceil_poolings_beside_the_bare_formula(benchmark):
    compared(benchmark, lambda: pool_out(SIZES, 3, 2, 1, ceil_mode=True), lambda: -(-(SIZES - 1) // 2) + 1, rounds=60)


def test_sizes_beside_torch_on_meta(benchmark):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Conv1d(1, 1, 3, stride=2, padding=1, device="meta")
    sizes = range(10, 1010)

    def by_torch():
        return [layer(torch.empty(1, 1, n, device="meta")).shape[-1] for n in sizes]

    assert by_torch() == conv_out(np.array(sizes), 3, 2, 1).tolist()
    compared(benchmark, lambda: conv_out(np.array(sizes), 3, 2, 1), by_torch, rounds=5)
    one_by_one = fastest(lambda: [conv_out(n, 3, 2, 1) for n in sizes], 5)
    benchmark.extra_info["ratio_of_ints"] = round(one_by_one / benchmark.extra_info["baseline_seconds"], 3)
    per_size = benchmark.extra_info["baseline_seconds"] / len(sizes)
    million = fastest(lambda: conv_out(SIZES, 3, 2, 1), 10)
    benchmark.extra_info["million_sizes_faster_than_torch"] = round(per_size * len(SIZES) / million)


def test_a_deep_chain_of_expressions_beside_ints(benchmark):
    def deep(size):
        for _ in range(50):
            size = pool_out(conv_out(size, 3, 2, 1), 3, 1, 1)
        return size

    compared(benchmark, lambda: deep(Expr.symbol("n")), lambda: deep(10**30), rounds=20)


def test_four_unknowns_beside_trying_everything(benchmark):
    def tried():
        return sum(
            (64 + 2 * p - d * (k - 1) - 1) // s + 1 == 32
            for k in range(1, 32)
            for s in range(1, k + 1)
            for d in range(1, 9)
            for p in range(d * (k - 1) + 1)
            if 64 + 2 * p >= d * (k - 1) + 1
        )

    assert solve_conv(n=64, out=32, solve=["k", "s", "d", "p"]).count == tried()
    compared(benchmark, lambda: solve_conv(n=64, out=32, solve=["k", "s", "d", "p"]), tried, rounds=3)


def nested(levels):
    size = Expr.symbol("n")
    for _ in range(levels):
        size = (2 * size + 1) // 3
    return size(n=10**9)


def summed(parts):
    n = Expr.symbol("n")
    return sum((n // (k + 2) for k in range(parts)), start=0 * n)(n=10**9)


@pytest.mark.parametrize(("act", "sizes"), [(nested, (15, 30, 60)), (summed, (100, 200, 400, 800))])
def test_how_the_time_of_long_formulas_grows(benchmark, act, sizes):
    """`power` is p where the time grows as size**p: about 1 for a sum, 2 for levels, as level k has k terms."""
    times = [fastest(lambda size=size: act(size), 5) for size in sizes]
    benchmark.extra_info["milliseconds"] = {size: round(1e3 * time, 2) for size, time in zip(sizes, times, strict=True)}
    benchmark.extra_info["power"] = round(math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0]), 2)
    benchmark.pedantic(act, args=(sizes[-1],), rounds=3)
