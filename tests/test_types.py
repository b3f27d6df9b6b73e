"""Types of values: a model is refused for them exactly where torch refuses it on the CPU, and where it does."""

# ruff: noqa: E402 -- what captures needs torch, which is asked for first
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from torch import nn

import convcalc as cc
from convcalc.bridge.trace import capture

F = nn.functional

SHAPE = (2, 3, 8)

KINDS = (torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64, torch.complex64)

STEPS = {
    **{str(kind): (lambda m, x, y, kind=kind: x.to(kind)) for kind in KINDS},
    "gt": lambda m, x, y: x > 0,
    "one minus": lambda m, x, y: 1 - x,
    "not": lambda m, x, y: ~x,
    "and": lambda m, x, y: x & 1,
    "negative power": lambda m, x, y: x**-1,
    "half": lambda m, x, y: x * 0.5,
    "in place": lambda m, x, y: (x + 0).mul_(0.5),
    "modulo": lambda m, x, y: x % 3,
    "fft": lambda m, x, y: torch.fft.fft(x),
    "abs": lambda m, x, y: x.abs(),
    "relu": lambda m, x, y: x.relu(),
    "gelu": lambda m, x, y: F.gelu(x),
    "silu": lambda m, x, y: F.silu(x),
    "hardswish": lambda m, x, y: F.hardswish(x),
    "elu": lambda m, x, y: F.elu(x),
    "clamp": lambda m, x, y: x.clamp(0, 1),
    "softmax": lambda m, x, y: x.softmax(-1),
    "cumsum": lambda m, x, y: x.cumsum(-1),
    "centred": lambda m, x, y: x - x.mean(-1, keepdim=True),
    "spread": lambda m, x, y: x / (x.std(-1, keepdim=True) + 1),
    "largest": lambda m, x, y: x + x.amax(-1, keepdim=True),
    "max pool": lambda m, x, y: F.max_pool1d(x, 3, 1, 1),
    "average pool": lambda m, x, y: F.avg_pool1d(x, 3, 1, 1),
    "nearest": lambda m, x, y: F.interpolate(x, size=8),
    "linear": lambda m, x, y: F.interpolate(x, size=8, mode="linear"),
    "reflect": lambda m, x, y: F.pad(x, (1, 1), mode="reflect")[..., 1:-1],
    "unfold": lambda m, x, y: F.unfold(x[:, :, None], (1, 1)),
    "batch norm": lambda m, x, y: m.norm(x),
    "group norm": lambda m, x, y: F.group_norm(x, 3),
    "layer norm": lambda m, x, y: m.layer(x),
    "conv": lambda m, x, y: m.conv(x),
    "dilated": lambda m, x, y: F.conv1d(x, m.conv.weight, padding=2, dilation=2),
    "transposed": lambda m, x, y: m.up(x),
    "fc": lambda m, x, y: m.fc(x),
    "matmul": lambda m, x, y: (x @ y.transpose(1, 2)) @ y,
    "add": lambda m, x, y: x + y,
    "minus": lambda m, x, y: x - y,
    "times": lambda m, x, y: x * y,
    "largest of two": lambda m, x, y: torch.maximum(x, y),
    "cat": lambda m, x, y: torch.cat([x, y], 1)[:, :3],
    "choose": lambda m, x, y: torch.where(x, y, 0),
    "fill": lambda m, x, y: x.masked_fill(y > 0, 0.5),
    "fill far": lambda m, x, y: x.masked_fill(y == 0, -1e9),
    "write": lambda m, x, y: x.clone().copy_(y),
    "put": lambda m, x, y: x.index_copy(1, m.places, y),
    "pick": lambda m, x, y: y.gather(2, x % 8),
    "loss": lambda m, x, y: x + F.mse_loss(x, x),
    "logits": lambda m, x, y: x + F.binary_cross_entropy_with_logits(x, y.abs()),
    "table": lambda m, x, y: m.table(x % 8)[..., 0],
}
"""What keeps the shape of `x`; `y` is another tensor of it."""


class Steps(nn.Module):
    """Steps one after another; beside what the last one gave, each is given what it read."""

    def __init__(self, names):
        super().__init__()
        self.names = names
        self.norm, self.layer, self.fc = nn.BatchNorm1d(3), nn.LayerNorm(8), nn.Linear(8, 8)
        self.conv, self.up = nn.Conv1d(3, 3, 3, padding=1), nn.ConvTranspose1d(3, 3, 3, padding=1)
        self.table = nn.Embedding(8, 2)
        self.register_buffer("places", torch.arange(3))

    def forward(self, x):
        passed = []
        RUNS.append(passed)
        y = x
        for name in self.names:
            x, y = STEPS[name](self, x, y), x
            passed.append(name)
        return x


RUNS = []
"""The steps that each run passed."""


def passed_in_torch(names):
    RUNS.clear()
    with torch.no_grad(), suppress(RuntimeError, TypeError, IndexError):
        Steps(names).eval()(torch.arange(48.0).reshape(SHAPE) % 7 / 7)
    return RUNS[0]


def passed_in_capture(names):
    RUNS.clear()
    graph = capture(Steps(names), SHAPE, check=False)
    assert (graph.capture.error is None) == (RUNS[0] == names)
    return RUNS[0]


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@given(st.lists(st.sampled_from([*STEPS, *map(str, KINDS), *map(str, KINDS)]), min_size=2, max_size=5))
@example(["gt", "max pool"])
@example(["gt", "one minus"])
@example(["torch.uint8", "softmax"])
@example(["fft", "relu"])
@example(["torch.float64", "dilated"])
@example(["torch.int64", "batch norm"])
@example(["table"])
@example(["torch.uint8", "choose"])
@example(["torch.uint8", "fill far"])
@example(["torch.uint8", "fill"])
@example(["torch.float32", "cat", "torch.complex64", "cat", "torch.float32"])
@settings(max_examples=12, deadline=None)
def test_a_model_ends_at_the_step_whose_types_torch_refuses(names):
    assert passed_in_capture(names) == passed_in_torch(names)


class Of(nn.Module):
    def __init__(self, call, **parts):
        super().__init__()
        self.call = call
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.call(self, x)


FIXES = {
    "~gt in place of 1 - gt": (lambda m, x: 1 - (x > 0), lambda m, x: ~(x > 0)),
    "gt.float() before rsub": (lambda m, x: 1.0 - (x > 0), lambda m, x: 1.0 - (x > 0).float()),
    "gt.float() before max_pool1d": (
        lambda m, x: F.max_pool1d(x > 0, 2),
        lambda m, x: F.max_pool1d((x > 0).float(), 2),
    ),
    "fft.abs() before relu": (lambda m, x: torch.fft.fft(x).relu(), lambda m, x: torch.fft.fft(x).abs().relu()),
    "x.long() before table": (lambda m, x: m.table(x), lambda m, x: m.table(x.long())),
    "x.double() before wide": (lambda m, x: m.wide(x), lambda m, x: m.wide(x.double())),
    "x.float() before mse_loss": (
        lambda m, x: F.mse_loss(x.long(), x.long()),
        lambda m, x: F.mse_loss(x.long().float(), x.long().float()),
    ),
}


@pytest.mark.parametrize("fix", FIXES)
def test_a_call_is_repaired_with_the_types_that_it_takes(fix):
    x = torch.zeros(1, 3, 8)
    wrong, right = (Of(call, table=nn.Embedding(8, 3), wide=nn.Conv1d(3, 3, 3).double()) for call in FIXES[fix])
    with pytest.raises((RuntimeError, TypeError)):
        wrong(x)
    right(x)
    error = capture(wrong, (1, 3, 8), check=False).capture.error
    assert error.fixes[0] == fix
    assert error.explanation.source.startswith("tests/test_types.py:")


@pytest.mark.parametrize("side", [8, 4096])
def test_types_are_refused_and_taken_alike_at_all_sizes(side):
    shape = (1, 48, side, side)
    assert capture(Of(lambda m, x: F.max_pool2d(x > 0, 3)), shape, check=False).capture.error is not None
    for call in (
        lambda m, x: F.max_pool2d((x > 0).to(torch.uint8), 3),
        lambda m, x: F.pixel_shuffle(x > 0, 4),
        lambda m, x: F.conv2d(x.double(), torch.ones(12, 4, 3, 3, dtype=torch.float64), groups=12),
    ):
        captured = capture(Of(call), shape, check=False).capture
        assert (captured.error, captured.lost) == (None, ())


def test_what_a_caller_catches_is_what_torch_raises():
    def call(module, x):
        try:
            return F.max_pool1d(x > 0, 2)
        except NotImplementedError:
            return F.max_pool1d((x > 0).float(), 2)

    captured = capture(Of(call), (1, 3, 8), check=False).capture
    assert captured.error is None
    assert "is refused, and caught" in captured.lost[0]


def test_what_the_cpu_lacks_for_half_alone_is_observed():
    with pytest.raises(NotImplementedError):
        F.avg_pool3d(torch.zeros(1, 1, 4, 4, 4).half(), 2)
    halved = Of(lambda m, x: F.avg_pool3d(x.half(), 2))
    assert "takes float16 depends on the device" in capture(halved, (1, 1, 4, 4, 4), check=False).capture.lost[0]
    found = cc.valid_sizes(Of(lambda m, x: F.avg_pool1d(x.half(), 2)), (1, 1, "L"))
    assert found.proved


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_types_in_scripted_code_are_observed():
    scripted = Of(lambda m, x: m.part(x > 0), part=torch.jit.script(nn.MaxPool1d(2)))
    assert "whether scripted code takes bool" in capture(scripted, (1, 3, 8), check=False).capture.lost[0]
    plain = Of(lambda m, x: m.part(x), part=torch.jit.script(nn.Conv1d(3, 4, 3)))
    assert capture(plain, (1, 3, 8), check=False).capture.lost == ()


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_autocast_makes_types_one_as_torch_does(kind):
    def call(module, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return module.conv(x.to(kind))

    net, refused = Of(call, conv=nn.Conv1d(3, 4, 3)), False
    try:
        net(torch.zeros(1, 3, 8))
    except RuntimeError:
        refused = True
    assert (capture(net, (1, 3, 8), check=False).capture.error is not None) == refused == (kind is torch.float64)
