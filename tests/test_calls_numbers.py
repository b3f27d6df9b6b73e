"""Calls of torch that take a number where a tensor, or a plain number, may stand, given a size."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import convcalc as cc  # noqa: E402

CALLS = {
    "searchsorted": lambda x, n: torch.searchsorted(torch.arange(60), n),
    "searchsorted by name": lambda x, n: torch.searchsorted(torch.arange(60), n, right=True),
    "bucketize": lambda x, n: torch.bucketize(n, torch.arange(60)),
    "full_like": lambda x, n: torch.full_like(x, n),
    "new_full": lambda x, n: x.new_full((n, 2), n),
    "clamp": lambda x, n: torch.clamp(x, max=n),
    "clip": lambda x, n: x.clip(-n, n),
    "masked_fill": lambda x, n: x.masked_fill(x > 0, n),
    "eq": lambda x, n: torch.arange(n).eq(n),
    "linspace": lambda x, n: torch.linspace(0, 1, n),
    "linspace to it": lambda x, n: torch.linspace(0, n, 5),
    "logspace": lambda x, n: torch.logspace(0, 1, n),
    "eye": lambda x, n: torch.eye(n),
    "tril_indices": lambda x, n: torch.tril_indices(n, n),
    "cartesian_prod": lambda x, n: torch.cartesian_prod(torch.arange(n), torch.arange(n)),
    "where": lambda x, n: torch.where(x > 0, n, 0),
    "pow": lambda x, n: torch.pow(n, x),
    "remainder": lambda x, n: torch.remainder(n, x),
    "xlogy": lambda x, n: torch.xlogy(n, x.abs()),
    "zeta": lambda x, n: torch.special.zeta(x.abs() + 2, n),
    "isin": lambda x, n: torch.isin(n, torch.arange(5)),
    "scalar_tensor": lambda x, n: torch.scalar_tensor(n),
    "index_fill": lambda x, n: x.index_fill(1, torch.tensor([0]), n),
    "pad": lambda x, n: F.pad(x, (1, 1), value=n),
    "one_hot": lambda x, n: F.one_hot(torch.arange(n), n),
    "randint": lambda x, n: torch.randint(0, n, (3,)),
    "addcmul": lambda x, n: torch.addcmul(x, x, x, value=n),
    "bitwise_and": lambda x, n: torch.bitwise_and(n, torch.arange(5)),
    "float_power": lambda x, n: torch.float_power(x, n),
    "hardtanh": lambda x, n: F.hardtanh(x, 0, n),
    "fft": lambda x, n: torch.fft.rfft(x, n),
    "repeat_interleave": lambda x, n: torch.arange(3).repeat_interleave(n),
    "bincount": lambda x, n: torch.bincount(torch.arange(5), minlength=n),
    "quantile": lambda x, n: torch.quantile(x, 1 / n),
}


class Calls(nn.Module):
    """A call that is given the size of the input."""

    def __init__(self, then):
        super().__init__()
        self.then = then

    def forward(self, x):
        return self.then(x + 1, x.shape[-1])


@pytest.mark.parametrize("then", CALLS.values(), ids=CALLS)
def test_a_size_stands_for_a_number_as_in_torch(then):
    module = Calls(then)
    assert cc.inspect(module, (1, 3, 64)).output == tuple(module(torch.zeros(1, 3, 64)).shape)


@pytest.mark.parametrize("name", ["searchsorted", "bucketize"])
def test_a_number_that_is_searched_for_refuses_no_size(name):
    legal = cc.valid_sizes(Calls(CALLS[name]), (1, 3, "n"))
    assert legal.proved
    assert str(legal.runs) == "n >= 1"
