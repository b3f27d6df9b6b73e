"""Fields where past the ends stands what is inside, after a roll or a padding that repeats, against autograd.

Sequences of steps that cut, wrap, sum up or slide run on one short axis; every entry is compared.
"""

import itertools
import random

import pytest

from convcalc import find_fields

torch = pytest.importorskip("torch")

from test_fields_views import inside, read, said  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from convcalc.bridge.trace import capture  # noqa: E402

ONES = torch.ones(1, 1, 3, dtype=torch.float64)
STEPS = {
    "roll on": lambda x: x.roll(1, -1),
    "roll back": lambda x: x.roll(-2, -1),
    "pad around": lambda x: functional.pad(x, (2, 1), mode="circular"),
    "mirror": lambda x: functional.pad(x, (1, 2), mode="reflect"),
    "cut the end": lambda x: x[..., :-2],
    "cut the start": lambda x: x[..., 1:],
    "every other": lambda x: x[..., ::2],
    "sum up": lambda x: x.cumsum(-1),
    "slide": lambda x: functional.conv1d(x, ONES, padding=1),
    "shrink": lambda x: functional.conv1d(x, ONES),
    "add a roll": lambda x: x + x.roll(1, -1),
    "apart": lambda x: (
        x.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2).roll(1, -1) if x.shape[-1] % 2 == 0 else x
    ),
}


class Steps(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.names = names

    def forward(self, x):
        for name in self.names:
            x = STEPS[name](x)
        return x


def test_what_reads_inside_reads_no_more_than_its_field_says():
    signal = (torch.rand((1, 1, 8), dtype=torch.float64) + 0.5).requires_grad_()
    pairs = random.Random(1).sample(list(itertools.permutations(STEPS, 2)), 10)
    known = sum(compared(("roll on", *names), signal) + compared((*names, "sum up"), signal) for names in pairs)
    assert known > 5


@pytest.mark.parametrize("wrapping", ["roll on", "roll back", "pad around", "mirror"])
def test_a_running_sum_of_what_wraps_reads_everything_and_what_wraps_after_a_cut_is_unknown(wrapping):
    signal = (torch.rand((1, 1, 6), dtype=torch.float64) + 0.5).requires_grad_()
    assert compared((wrapping, "sum up"), signal)
    assert not compared(("cut the end", wrapping), signal)


def compared(names, signal):
    """Whether the field is known; all entries agree with gradients."""
    try:
        value = Steps(names)(signal)
    except RuntimeError:  # no room left
        return False
    captured = capture(Steps(names), tuple(signal.shape), dtype=torch.float64)
    graph = getattr(captured, "graph", captured)
    field = find_fields(graph, {graph.inputs[0]: tuple(signal.shape)})[graph.outputs[0]]
    sizes, shape = signal.shape[2:], tuple(value.shape)
    for flat in range(value.numel()):
        cells = said(field, shape, sizes, flat)
        if cells is None:
            return False
        if inside(cells, sizes):
            assert read(value, signal, flat) <= cells, names
    return True
