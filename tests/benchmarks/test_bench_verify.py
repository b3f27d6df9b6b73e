"""`verify layers` against a bare loop that builds and runs the same torch modules (aim: at most 1.3 times its time)."""

import random
import time
import warnings

import pytest

from convcalc.bridge.assembly.recipe import recipe
from convcalc.bridge.device import one_thread
from convcalc.bridge.verify.cases import draw_case
from convcalc.bridge.verify.layers import verify_layers

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

COUNT, SEED, ROUNDS = 3_000, 0, 7


def bare_loop(modules):
    for calls, shape in modules:
        try:
            value = torch.zeros(shape)
            for build, args, settings in calls:
                value = build(*args, **settings)(value)
        except (RuntimeError, ValueError, TypeError, IndexError):
            pass


@pytest.fixture(scope="module")
def modules():
    rng = random.Random(SEED)
    cases = [draw_case(rng) for _ in range(COUNT)]
    return [
        (
            [(getattr(torch.nn, call.name), call.args, call.settings) for call in recipe(case.layer, case.shape)],
            case.shape,
        )
        for case in cases
    ]


def seconds(work, *args):
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


@pytest.mark.benchmark(group="verify")
def test_verify_layers_against_the_bare_loop(benchmark, modules):
    bare = []

    def before_each_round():  # one of these beside each round: what slows the machine slows both
        torch.set_default_dtype(torch.float64)
        try:
            with one_thread(), torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                bare.append(seconds(bare_loop, modules))
        finally:
            torch.set_default_dtype(torch.float32)

    benchmark.pedantic(
        verify_layers, args=("cpu", COUNT, SEED), setup=before_each_round, rounds=ROUNDS, warmup_rounds=1
    )
    if benchmark.stats is not None:  # None where benchmarks are disabled
        benchmark.extra_info["bare loop, seconds"] = round(min(bare), 3)
        benchmark.extra_info["ratio"] = round(benchmark.stats.stats.min / min(bare), 3)
        benchmark.extra_info["cases a second"] = round(COUNT / benchmark.stats.stats.min)
