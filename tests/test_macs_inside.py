"""Multiply-accumulates of what has no rule: counted inside, or the totals say "at least"."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import convcalc as cc  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Calls(nn.Module):
    """A module whose forward is a function of its parts and the input."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.function = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def by_torch(module, shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(shape))
    return counter.get_total_flops() // 2


def mixed(self, x):
    """Weights mixed for each sample, as in CondConv."""
    n, c, h, w = x.shape
    weight = (self.route(x.mean((2, 3))).sigmoid() @ self.experts).view(n * 8, c, 3, 3)
    return F.conv2d(x.reshape(1, n * c, h, w), weight, groups=n, padding=1).view(n, 8, h, w)


def mixed_twice(self, x):
    """What follows a convolution of weights from the input."""
    return self.after(mixed(self, x))


def restored(self, x):
    """A transposed convolution to a size that lost its formula."""
    x = F.interpolate(x, size=(int(x.shape[2] * 1.3), int(x.shape[3] * 1.7)))
    return self.up(self.down(x), output_size=x.shape[2:])


def route():
    return {"route": nn.Linear(4, 3), "experts": nn.Parameter(torch.zeros(3, 8 * 4 * 9))}


def scripted(*layers):
    return torch.jit.script(nn.Sequential(*layers))


MODULES = {
    "mixed": lambda: Calls(mixed, **route()),
    "mixed, then convolved": lambda: Calls(mixed_twice, **route(), after=nn.Conv2d(8, 5, 3, stride=2)),
    "vmap": lambda: Calls(lambda self, x: torch.vmap(self.conv)(x[:, None])[:, 0], conv=nn.Conv2d(4, 6, 3)),
    "vmap of linear": lambda: Calls(lambda self, x: torch.vmap(self.map)(x), map=nn.Linear(9, 7)),
    "vmap of vmap": lambda: Calls(lambda self, x: torch.vmap(torch.vmap(lambda y: y @ y.mT))(x)),
    "vmap over weights": lambda: Calls(
        lambda self, x: torch.vmap(lambda weight: F.conv2d(x, weight))(self.weight),
        weight=nn.Parameter(torch.zeros(3, 5, 4, 2, 2)),
    ),
    "scripted": lambda: nn.Sequential(nn.Conv2d(4, 8, 3), scripted(nn.Conv2d(8, 8, 3, groups=2), nn.ReLU())),
    "scripted linear": lambda: scripted(nn.Flatten(), nn.Linear(4 * 8 * 9, 5)),
    "traced": lambda: torch.jit.trace(nn.Sequential(nn.Conv2d(4, 8, 3), nn.Conv2d(8, 2, 1)), torch.zeros(1, 4, 8, 9)),
    "restored": lambda: Calls(restored, down=nn.Conv2d(4, 4, 3, 2, 1), up=nn.ConvTranspose2d(4, 3, 3, 2, 1)),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("batch", [1, 3])
def test_what_runs_inside_counts_as_torch_counts(name, batch):
    module = MODULES[name]().eval()
    report = cc.inspect(module, (batch, 4, 8, 9))
    assert report.error is None
    assert report.uncounted == ()
    assert report.macs == by_torch(module, (batch, 4, 8, 9)) > 0
    some = sum(p.numel() for p in module.parameters())
    assert (report.params, report.trainable) == (some, some)


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.sampled_from([1, 2]), st.integers(1, 3), st.booleans(), st.booleans())
def test_random_parts_count_alike_scripted_under_vmap_and_plain(batch, channels, stride, kernel, transposed, bias):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    part = kind(2, channels, kernel, stride=stride, bias=bias).eval()
    shape = (batch, 2, 7, 6)
    wanted = by_torch(part, shape)
    whole = torch.jit.script(part)
    each = Calls(lambda self, x: torch.vmap(self.part)(x), part=part)
    assert [cc.inspect(module, shape).macs for module in (part, whole, each)] == [wanted] * 3


def test_a_total_that_misses_something_says_at_least():
    def lost(self, x):
        made = torch.ops.convcalc_test.double(self.conv(x))
        return self.conv(made)

    if not hasattr(torch.ops.convcalc_test, "double"):
        torch.library.define("convcalc_test::double", "(Tensor x) -> Tensor")
        torch.library.impl("convcalc_test::double", ("CPU", "Meta"), lambda x: x * 2)
    report = cc.inspect(Calls(lost, conv=nn.Conv2d(4, 4, 1)), (1, 4, 8, 9))
    assert report.macs == 2 * 16 * 72
    assert report.uncounted == ("double",)
    assert "at least 2,304 MACs (4,608 FLOPs)" in str(report)
    assert "the MACs of double are not known" in str(report)
    document = json.loads(report.to_json())
    assert document["uncounted"] == ["double"]
    assert [row["counted"] for row in document["layers"]] == [True, False, True]


def lost_power(self, x):
    return torch.zeros(1, int(x.shape[2] ** 1.0))


def lost_product(self, x):
    return torch.ones(1, int(0.3 * x.shape[2]), x.shape[1])


def lost_scale(self, x):
    y = F.interpolate(x, scale_factor=0.3333)
    return y + torch.zeros(1, 1, *y.shape[2:])


def lost_numbers(self, x):
    return torch.arange(int(x.shape[2] * 0.7)).unique()


def lost_after_pooling(self, x):
    return F.adaptive_avg_pool1d(x, 4).repeat_interleave(int(x.shape[2] * 0.3), dim=2)


@pytest.mark.parametrize("forward", [lost_power, lost_product, lost_scale, lost_numbers, lost_after_pooling])
@pytest.mark.parametrize("size", [20, 50, 77])
def test_what_is_made_of_a_lost_size_is_never_the_same_at_another(forward, size):
    module = Calls(forward)
    graph = cc.from_torch(module, (1, 4, 34))
    assert cc.inspect(graph, (1, 4, size)).output == tuple(module(torch.zeros(1, 4, size)).shape)
