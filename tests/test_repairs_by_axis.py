"""Repairs change no axis that may stay; each is run in torch."""

import re

import pytest
import torch
from torch import nn

from convcalc.bridge.trace import capture
from convcalc.errors import ConvcalcError


class Crnn(nn.Module):
    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Conv2d(4, 8, 8)
        self.cnn = nn.Sequential(*conv)

    def forward(self, x):
        f = self.cnn(x)
        assert f.shape[2] == 1, "feature height must be 1"
        return f.squeeze(2)


class Columns(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.l = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(15, 2)

    def forward(self, x):
        return self.l(self.c(x))


class Multiples(nn.Module):
    def forward(self, x):
        if x.shape[2] % 32 or x.shape[3] % 32:
            raise ValueError("multiples of 32, please")
        return x


@pytest.mark.parametrize(
    ("net", "shape", "kept"),
    [
        (Crnn(), (1, 1, 64, 600), {3}),
        (Crnn(), (1, 1, 64, 64), {3}),
        (Columns(), (1, 3, 64, 64), {2}),
        (Multiples(), (1, 3, 64, 70), {2}),
        (Multiples(), (1, 3, 50, 70), set()),
    ],
)
def test_a_repair_by_size_keeps_the_axes_that_may_stay(net, shape, kept):
    graph = capture(net, shape)
    assert graph.capture is not None
    assert isinstance(graph.capture.error, ConvcalcError)
    fix = next(fix for fix in graph.capture.error.fixes if "input_size=" in fix)
    sizes = tuple(map(int, re.search(r"input_size=\(([^)]*)\)", fix)[1].split(",")))
    net(torch.zeros(sizes))
    assert {axis for axis in (2, 3) if sizes[axis] == shape[axis]} == kept
