"""A capture leaves the module and the world as they were: tensors, caches, hooks, random states, switches."""

import gc
import random
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402

from convcalc.api import from_torch  # noqa: E402
from convcalc.bridge.trace import capture  # noqa: E402

SHAPE = (1, 3, 16, 16)


class Calls(nn.Module):
    """A module whose forward is a function."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


def seen(value, known=None):
    """All that can be seen of a module, tensors with identity, version and values."""
    known = {} if known is None else known
    if id(value) in known:
        return ("again", known[id(value)])
    known[id(value)] = len(known)
    if isinstance(value, nn.parameter.UninitializedTensorMixin):
        return ("lazy", id(value), type(value))
    if isinstance(value, torch.Tensor):
        values = None if value.is_meta else value.detach().double().flatten().tolist()
        return ("tensor", id(value), value._version, str(value.device), value.dtype, value.requires_grad, values)
    if isinstance(value, nn.Module):
        return (type(value), id(value), {name: seen(held, known) for name, held in vars(value).items()})
    if isinstance(value, dict):
        return (id(value), {str(key): seen(held, known) for key, held in value.items()})
    if isinstance(value, list | tuple | set):
        return (id(value), [seen(held, known) for held in value])
    if callable(value) and getattr(value, "__closure__", None):
        return (id(value), [seen(cell.cell_contents, known) for cell in value.__closure__])
    return value if isinstance(value, int | float | str | type(None)) else id(value)


def caching(self, x):
    if self.table is None:
        self.table = torch.arange(x.shape[2])
    self.rows.append(x)
    self.counts["runs"] = self.counts.get("runs", 0) + 1
    return x + self.table


def hooked():
    net, features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), []
    net[0].register_forward_hook(lambda module, args, out: features.append(out))
    net[1].register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    net.register_full_backward_hook(lambda module, into, out: None)
    net.kept = features
    return net


def patched():
    conv = nn.Conv2d(3, 4, 3)
    before = conv.forward
    conv.forward = lambda x: before(x) * 2
    return nn.Sequential(conv, nn.BatchNorm2d(4))


def closing_over_itself():
    net = Calls(None, norm=nn.BatchNorm2d(3))
    net.run = lambda self, x: net.norm(x)
    return net


def writing_buffers():
    def run(self, x):
        self.seen.add_(1)
        self.seen = self.seen * 2
        self.scale.data.mul_(2)
        return x * self.scale

    net = Calls(run, scale=nn.Parameter(torch.ones(3, 1, 1)))
    net.register_buffer("seen", torch.zeros(()))
    return net


def drawing(self, x):
    return self.conv(x) + torch.rand(1, generator=self.generator)


def growing(self, x):
    self.extra = nn.Linear(16, 16)
    self.register_buffer("late", torch.ones(1))
    self.conv.stride = (2, 2)
    self.conv.register_forward_hook(lambda *args: None)
    self.train()
    return self.extra(self.conv(x)[..., :1].expand(1, 4, 7, 16))


MODULES = {
    "batchnorm": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
    "lazy": lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d()),
    "caches": lambda: Calls(caching, table=None, rows=[], counts={}),
    "hooks": hooked,
    "patched forward": patched,
    "a closure over itself": closing_over_itself,
    "buffers written": writing_buffers,
    "a generator": lambda: Calls(drawing, conv=nn.Conv2d(3, 4, 3), generator=torch.Generator()),
    "parts added": lambda: Calls(growing, conv=nn.Conv2d(3, 4, 3)),
    "weight norm": lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))),
    "spectral norm": lambda: nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))),
    "a lock": lambda: Calls(lambda self, x: x + 1, lock=threading.Lock(), rows=(i for i in range(3))),
    "fails": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(5, 5)),
}


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_the_module_is_as_it_was(name, train):
    net = MODULES[name]()
    generator = getattr(net, "generator", None)
    drawn = generator.get_state() if generator is not None else None
    before = seen(net)
    graph = capture(net, SHAPE, train=train)
    assert (graph.capture.error is not None) == (name == "fails")
    assert len(graph) > 0
    assert seen(net) == before
    if generator is not None:
        assert torch.equal(generator.get_state(), drawn)


def test_the_check_of_being_untouched_can_fail():
    net = nn.Sequential(nn.BatchNorm2d(3))
    before = seen(net)
    net(torch.ones(SHAPE))
    assert seen(net) != before


# -- the world -------------------------------------------------------------------------------------------------------


def world():
    return {
        "torch": torch.random.get_rng_state().tolist(),
        "python": random.getstate(),
        "numpy": [part.tolist() if hasattr(part, "tolist") else part for part in np.random.get_state()],
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "grad": torch.is_grad_enabled(),
        "mha": torch.backends.mha.get_fastpath_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "recursion": sys.getrecursionlimit(),
        "modes": torch.overrides._get_current_function_mode_stack(),
        "cudnn": torch.backends.cudnn.benchmark,
        "matmul": torch.get_float32_matmul_precision(),
        "filters": list(__import__("warnings").filters),
        "threads": torch.get_num_threads(),
        "collecting": gc.isenabled(),
    }


def changing(self, x):
    torch.manual_seed(0)
    random.random()
    np.random.rand()
    torch.rand(3)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(True)
    torch.set_default_device("meta")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision("medium")
    sys.setrecursionlimit(4321)
    if self.then is not None:
        raise self.then
    return x * 2


@pytest.mark.parametrize("then", [None, ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_the_world_is_as_it_was(then):
    before = world()
    net = Calls(changing, then=then)
    if isinstance(then, KeyboardInterrupt | SystemExit):
        with pytest.raises(type(then)):
            capture(net, SHAPE)
    else:
        assert (capture(net, SHAPE).capture.error is None) == (then is None)
    assert world() == before


def test_the_check_of_the_world_can_fail():
    before = world()
    torch.rand(1)
    assert world() != before


def test_modes_outside_stay_and_are_no_hindrance():
    class Counting(TorchFunctionMode):
        calls = 0

        def __torch_function__(self, func, types, args=(), kwargs=None):
            Counting.calls += 1
            return func(*args, **(kwargs or {}))

    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with Counting() as mode, torch.device("cpu"), torch.autocast("cpu", dtype=torch.bfloat16):
        before = world()
        assert len(capture(net, SHAPE)) == 2
        assert world() == before
    assert mode.calls > 0
    with torch.inference_mode():
        assert len(capture(net, SHAPE)) == 2


HELD = {}


def test_the_original_keeps_its_state_where_code_outside_runs_it():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    HELD["net"] = net
    outer = Calls(lambda self, x: torch.relu(HELD["net"](x)), net=net)
    before = seen(net)
    graph = capture(outer, SHAPE, train=True)
    assert [node.layer.op for node in graph] == ["conv", "batchnorm", "relu"]
    assert graph["conv2d"].weights.names == ("net.0.weight", "net.0.bias")
    assert seen(net) == before


# -- memory ------------------------------------------------------------------------------------------------------------

HUGE = """
import resource, sys
import torch
from torch import nn
from convcalc.bridge.trace import capture

base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.device("meta"):
    block = lambda: nn.Sequential(nn.LayerNorm(8192), nn.Linear(8192, 28672), nn.GELU(), nn.Linear(28672, 8192))
    net = nn.Sequential(*[block() for _ in range(150)])

class Big(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        mask = torch.zeros(4096, 65536)
        return self.net(x) + mask.sum() + torch.ones(x.shape[1], 8192)

graph = capture(Big(), (1, 2048, 8192), check=False)
params = sum(node.weights.params for node in graph if node.weights)
print(params, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


def test_seventy_billion_parameters_take_no_memory():
    result = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True, timeout=300)
    params, grown = map(int, result.stdout.split())
    assert params == 150 * (2 * 8192 * 28672 + 28672 + 8192 + 2 * 8192) > 70e9
    assert grown < 300, "MiB above what torch itself takes"


def test_captures_in_several_threads_leave_the_world_as_it_was():
    net = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(4)])
    before = list(warnings.filters), sys.getrecursionlimit(), gc.isenabled()
    found = []

    def work(more):
        found.extend(from_torch(net, (1, 3, 16 + more, 16)).example for _ in range(3))

    threads = [threading.Thread(target=work, args=(more,)) for more in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (list(warnings.filters), sys.getrecursionlimit(), gc.isenabled()) == before
    assert sorted(found) == sorted([((1, 3, 16 + more, 16),) for more in range(3)] * 3)
