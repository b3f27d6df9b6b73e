"""Layers whose weights are computed from parameters: one row each, counts as torch's, bytes as summed by hand."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import convcalc as cc  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # some of these ways are old, and say so


class LowRank(nn.Module):
    """What is added to a weight: a product of two thin matrices, as in LoRA."""

    def __init__(self, weight):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(weight.shape[0], 2))
        self.b = nn.Parameter(torch.zeros(2, weight[0].numel()))

    def forward(self, weight):
        return weight + (self.a @ self.b).view_as(weight)


def low_rank(layer):
    nn.utils.parametrize.register_parametrization(layer, "weight", LowRank(layer.weight))
    return layer


def standardized(layer):
    """Weight standardization, as a hook."""

    def before(module, args):
        weight = module.weight_raw
        module.weight = (weight - weight.mean()) / (weight.std() + 1e-5)

    weight = layer.weight
    del layer.weight
    layer.register_parameter("weight_raw", weight)
    layer.weight = weight.detach()
    layer.register_forward_pre_hook(before)
    return layer


WAYS = {
    "plain": lambda layer: layer,
    "spectral": nn.utils.spectral_norm,
    "weight": nn.utils.weight_norm,
    "spectral, parametrized": nn.utils.parametrizations.spectral_norm,
    "weight, parametrized": nn.utils.parametrizations.weight_norm,
    "low rank": low_rank,
    "standardized": standardized,
}


def by_torch(module, shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(shape))
    return counter.get_total_flops() // 2


def check(module, shape, rows, values):
    report = cc.inspect(module, shape)
    assert report.error is None
    assert [row.name for row in report.layers] == rows
    assert report.macs == by_torch(module, shape)
    some = list(module.parameters())
    assert report.params == report.trainable == sum(p.numel() for p in some)
    assert report.weight_bytes == 4 * report.params
    assert report.unused.params == 0
    assert report.activation_bytes == 4 * sum(values)
    ends = [torch.Size(shape).numel(), *values]
    assert report.peak == 4 * max(a + b for a, b in pairwise(ends))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(list(WAYS)), min_size=2, max_size=2), st.integers(1, 5), st.integers(1, 3), st.booleans()
)
def test_a_layer_is_one_row_with_all_its_parameters(ways, channels, kernel, transposed):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    conv = kind(3, channels, kernel)
    size = conv(torch.zeros(2, 3, 6, 6)).shape[-1]
    linear = nn.Linear(channels * size * size, 4)
    module = nn.Sequential(WAYS[ways[0]](conv), nn.ReLU(), nn.Flatten(), WAYS[ways[1]](linear)).eval()
    many = 2 * channels * size * size
    check(module, (2, 3, 6, 6), ["0", "1", "2", "3"], [many, many, many, 8])


@pytest.mark.parametrize("way", WAYS)
def test_weights_past_those_whose_values_are_kept(way):
    module = nn.Sequential(WAYS[way](nn.Linear(300, 40)), nn.ReLU()).eval()
    check(module, (1, 300), ["0", "1"], [40, 40])


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_that_runs_twice_has_its_parameters_once(way):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = WAYS[way](nn.Conv2d(3, 3, 3, padding=1))

        def forward(self, x):
            return self.conv(self.conv(x))

    module = Twice().eval()
    report = cc.inspect(module, (1, 3, 5, 5))
    assert report.params == sum(p.numel() for p in module.parameters())
    assert report.macs == by_torch(module, (1, 3, 5, 5))
    assert [row.shared for row in report.layers] == [False, True]


def test_published_counts():
    def params(way):
        return cc.inspect(WAYS[way](nn.Conv2d(3, 64, 4, 2, 1)), (1, 3, 64, 64)).params

    assert [params(way) for way in ("plain", "spectral", "weight", "weight, parametrized")] == [3136, 3136, 3200, 3200]


def test_lazy_modules_own_what_they_make():
    module = nn.Sequential(nn.LazyConv2d(16, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(10))
    report = cc.inspect(module, (2, 3, 8, 8))
    assert [row.params for row in report.layers] == [448, 32, 0, 5770]
    assert not any(row.shared for row in report.layers)
    assert report.macs == 2 * (36 * 16 * 27 + 5760)
    assert isinstance(module[0].weight, nn.UninitializedParameter)
