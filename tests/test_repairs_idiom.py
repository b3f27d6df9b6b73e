"""Repairs of what is often forgotten: what is offered first, done to the model, is taken by torch."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import convcalc as cc  # noqa: E402


class Of(nn.Module):
    """Parts `a` and `b`, and a function of the module and its input."""

    def __init__(self, function, a, b=None):
        super().__init__()
        self.function, self.a, self.b = function, a, b

    def forward(self, x):
        return self.function(self, x)


def zeros(*shape):
    return nn.Parameter(torch.zeros(shape))


def rnn():
    return nn.LSTM(8, 16, batch_first=True)


WHOLE = torch.zeros(2, 20, dtype=torch.long)
CASES = {
    "tuple": (
        Of(lambda s, x: s.b(s.a(x)), rnn(), nn.Linear(16, 3)),
        torch.zeros(2, 11, 8),
        "a[0] before b",
        Of(lambda s, x: s.b(s.a(x)[0]), rnn(), nn.Linear(16, 3)),
    ),
    "axis": (
        Of(lambda s, x: s.a(x), nn.Conv1d(4, 8, 3)),
        torch.zeros(2, 1, 4, 50),
        "x.squeeze(1) before a",
        Of(lambda s, x: s.a(x.squeeze(1)), nn.Conv1d(4, 8, 3)),
    ),
    "rows": (
        Of(lambda s, x: s.a(x) + s.b(torch.arange(x.shape[1])), nn.Embedding(10, 4), nn.Embedding(16, 4)),
        WHOLE,
        "b: nn.Embedding(20, 4)",
        Of(lambda s, x: s.a(x) + s.b(torch.arange(x.shape[1])), nn.Embedding(10, 4), nn.Embedding(20, 4)),
    ),
    "matrix": (
        Of(lambda s, x: torch.bmm(x, s.a), zeros(8, 5)),
        torch.zeros(2, 10, 8),
        "torch.matmul(x, a) in place of bmm",
        Of(lambda s, x: torch.matmul(x, s.a), zeros(8, 5)),
    ),
    "mean": (
        Of(lambda s, x: s.b(s.a(x).mean((1, 2))), nn.Conv2d(3, 16, 3), nn.Linear(16, 3)),
        torch.zeros(2, 3, 12, 20),
        "a.mean((2, 3)) in place of mean",
        Of(lambda s, x: s.b(s.a(x).mean((2, 3))), nn.Conv2d(3, 16, 3), nn.Linear(16, 3)),
    ),
    "weight": (
        Of(lambda s, x: F.conv2d(x, s.a), zeros(8, 4, 3, 3)),
        torch.zeros(2, 3, 12, 20),
        "a: a parameter of shape (8, 3, 3, 3)",
        Of(lambda s, x: F.conv2d(x, s.a), zeros(8, 3, 3, 3)),
    ),
}


@pytest.mark.parametrize(("broken", "given", "fix", "mended"), CASES.values(), ids=CASES)
def test_what_is_offered_first_is_taken_by_torch(broken, given, fix, mended):
    with pytest.raises((RuntimeError, TypeError, IndexError)):
        broken(given)
    error = cc.inspect(broken, example_inputs=given).error
    assert error.fixes[0] == fix
    mended(given)


def test_what_fails_for_another_reason_gets_no_such_repair():
    for net, shape in (
        (Of(lambda s, x: s.a(x), nn.Conv1d(4, 8, 3)), (2, 5, 4, 50)),
        (Of(lambda s, x: s.b(s.a(x).mean((1, 2))), nn.Conv2d(3, 12, 3), nn.Linear(16, 3)), (2, 3, 12, 20)),
    ):
        error = cc.inspect(net, input_size=shape).error
        assert not any("squeeze" in fix or "in place of" in fix for fix in error.fixes)


def test_a_tensor_read_three_times_is_told_once():
    net = Of(lambda s, x: s.a(x, x, x)[0], nn.MultiheadAttention(32, 4, batch_first=True))
    assert cc.inspect(net, input_size=(2, 10, 24)).error.message.count("(10, 2, 24)") == 2
