"""Multiply-accumulates of captured calls: those that torch's own counter has, and by hand where it has none."""

# ruff: noqa: E402 -- what captures needs torch, which is asked for first
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from calls import Of
from torch.utils.flop_counter import FlopCounterMode

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.bridge.trace import capture

F = torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")  # about speed


def macs(module, *shapes):
    return inspect_graph(capture(module, shapes)).macs


def by_torch(module, *shapes):
    """What FlopCounterMode counts, over 2."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            module.to("meta").eval()(*(torch.empty(shape) for shape in shapes))
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops() // 2


@settings(max_examples=40)
@given(
    axes=st.integers(1, 3),
    k=st.integers(1, 3),
    s=st.integers(1, 3),
    d=st.integers(1, 2),
    groups=st.sampled_from([1, 2, 4]),
    transposed=st.booleans(),
    same=st.booleans(),
)
def test_convolutions(axes, k, s, d, groups, transposed, same):
    kind = getattr(torch.nn, f"Conv{'Transpose' * transposed}{axes}d")
    settings = {"stride": s} if transposed or not same else {"padding": "same"}
    module = kind(4, 8, k, groups=groups, dilation=d, **settings)
    shape = (2, 4, *(9, 8, 7)[:axes])
    assert macs(module, shape) == by_torch(module, shape)


def test_a_convolution_counted_by_hand():
    assert macs(torch.nn.ConvTranspose2d(4, 8, 4, 2, 1), (1, 4, 8, 8)) == 8 * 8 * 4 * 8 * 4 * 4
    assert macs(torch.nn.Conv2d(3, 8, 3, padding=1), (1, 3, 16, 16)) == 16 * 16 * 3 * 8 * 9
    assert macs(torch.nn.Conv2d(8, 8, 3, padding="same", groups=8), (1, 8, 16, 16)) == 16 * 16 * 8 * 9


class Functional(torch.nn.Module):
    """Parameters that no module of torch holds."""

    def __init__(self, function):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.rand(6, 12))
        self.bias = torch.nn.Parameter(torch.rand(6))
        self.function = function

    def forward(self, x):
        return self.function(x, self.weight, self.bias)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b: F.linear(x, w, b),
        lambda x, w, b: x @ w.T,
        lambda x, w, b: x @ x.mT,
        lambda x, w, b: torch.bmm(x, x.mT),
        lambda x, w, b: torch.addmm(b, x[0], w.T),
        lambda x, w, b: torch.baddbmm(x, x @ x.mT, x),
        lambda x, w, b: torch.einsum("bij,kj->bik", x, w),
        lambda x, w, b: torch.einsum("bij,kj->bk", x, w),
        lambda x, w, b: torch.einsum("bij,bkj,bkl->bil", x, x, x),
        lambda x, w, b: torch.tensordot(x, x, ([1, 2], [1, 2])),
        lambda x, w, b: torch.inner(x, w),
        lambda x, w, b: torch.linalg.multi_dot([x[0], x[0].T, x[0], w.T]),
        lambda x, w, b: F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None]),
        lambda x, w, b: F.conv1d(x.mT, w[:, :, None], b, padding=1),
        lambda x, w, b: F.conv2d(x[:, None], w[:, None, None, :3], b, stride=2),
        lambda x, w, b: F.conv_transpose1d(x.mT, w.T[:, :, None], b, stride=3),
        lambda x, w, b: x.matmul(w.T).relu() + b,
        lambda x, w, b: torch.outer(x[0, 0], x[0, 1]),
    ],
)
def test_functions_count_as_torch_counts(function):
    module = Functional(function)
    assert macs(module, (2, 5, 12)) == by_torch(module, (2, 5, 12))


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.RNN(12, 7, 2),
        torch.nn.GRU(12, 7, bidirectional=True),
        torch.nn.LSTM(12, 7, 2, batch_first=True, bidirectional=True, bias=False),
        torch.nn.LSTM(12, 7, proj_size=3),
        torch.nn.MultiheadAttention(12, 3),
        torch.nn.MultiheadAttention(12, 3, batch_first=True),
        torch.nn.TransformerEncoderLayer(12, 3, 16, batch_first=True),
    ],
    ids=lambda module: type(module).__name__,
)
def test_recurrent_networks_and_attention(module):
    inputs = [(2, 5, 12)] * (3 if isinstance(module, torch.nn.MultiheadAttention) else 1)
    assert macs(module, *inputs) == by_torch(module, *inputs)


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
def test_cells(kind):
    module = getattr(torch.nn, kind)(12, 7)
    assert macs(module, (2, 12)) == by_torch(module, (2, 12))


def test_what_torchs_counter_leaves_out_is_counted_by_hand():
    bilinear = torch.nn.Bilinear(4, 5, 6)
    assert by_torch(bilinear, (3, 4), (3, 5)) == 0
    assert macs(bilinear, (3, 4), (3, 5)) == 3 * 6 * 4 * 5
    vector = Of(lambda x: x @ x[0])
    assert by_torch(vector, (3, 4)) == 0
    assert macs(vector, (3, 4)) == 3 * 4
    tbc = Of(lambda x: torch.conv_tbc(x, torch.rand(3, 12, 4), torch.rand(4), 1))
    assert macs(tbc, (9, 2, 12)) == 9 * 2 * 4 * 12 * 3


def test_a_module_that_runs_twice_costs_twice_and_has_its_parameters_once():
    conv = torch.nn.Conv2d(4, 4, 3, padding=1)
    once, twice = torch.nn.Sequential(conv), torch.nn.Sequential(conv, conv)
    a, b = (inspect_graph(capture(net, (1, 4, 8, 8))) for net in (once, twice))
    assert (b.macs, b.params) == (2 * a.macs, a.params)
    assert b.macs == by_torch(twice, (1, 4, 8, 8))


def test_tied_weights_count_once():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(50, 8)
            self.head = torch.nn.Linear(8, 50, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, index):
            return self.head(self.embedding(index))

    cost = inspect_graph(capture(Tied(), (2, 5), dtype=torch.long))
    assert (cost.params, cost.macs) == (50 * 8, 2 * 5 * 8 * 50)
