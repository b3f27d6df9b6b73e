"""Views of tensors whose axes lie in another order in memory: what is proved of them, against torch on the CPU."""

import pytest

from convcalc import from_torch, valid_sizes

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

TURNS = {
    "transposed": lambda x: x.transpose(2, 3),
    "in order": lambda x: x,
    "in order again": lambda x: x.transpose(2, 3).contiguous(),
}
KEEPS = {
    "relu": functional.relu,
    "sum": lambda x: x + x,
    "convolution": lambda x: functional.conv2d(x, torch.ones(2, 2, 1, 1, device=x.device)),
    "roll": lambda x: x.roll(1, -1),
    "softmax": lambda x: x.softmax(-1),
}


class Viewed(nn.Module):
    def __init__(self, turn, keep):
        super().__init__()
        self.turn, self.keep = TURNS[turn], KEEPS[keep]

    def forward(self, x):
        return self.keep(self.turn(x)).view(x.shape[0], -1)


def runs(module, width):
    try:
        module(torch.rand(1, 2, 4, width))
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("turn", TURNS)
def test_a_view_of_what_keeps_a_turned_order_is_proved_only_as_torch_has_it(turn, keep):
    """At a width of 1 all of them can be viewed; of what was turned that says nothing of other widths."""
    module = Viewed(turn, keep)
    legal = valid_sizes(from_torch(module, (1, 2, 4, 1)), (1, 2, 4, "W"))
    right = [runs(module, width) for width in (1, 2, 3)]
    assert not legal.proved or [width in legal for width in (1, 2, 3)] == right
    assert legal.proved or turn == "transposed"
