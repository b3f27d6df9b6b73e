"""Loops over pieces of a tensor: the number of pieces is a branch. Every answer against running the module."""

from __future__ import annotations

import pytest

import convcalc as cc
from convcalc.errors import ConvcalcError

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Net(nn.Module):
    """A forward as a function of the module and its input; parts by name."""

    def __init__(self, body, **parts):
        super().__init__()
        self.body = body
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.body(self, x)


def output_at(net, shape):
    """The shape that the module itself gives, on meta; None where it raises."""
    try:
        with torch.no_grad():
            return tuple(net.to("meta")(torch.empty(shape, device="meta")).shape)
    except Exception:
        return None


def asked(net, shape, axis, sizes=range(1, 81)):
    """The legal sizes of an axis, held against running the module at each size: never wrong where they are proved."""
    truth = {n: output_at(net, [*shape[:axis], n, *shape[axis + 1 :]]) for n in sizes}
    answer = cc.valid_sizes(cc.from_torch(net, shape), (*shape[:axis], "L", *shape[axis + 1 :]))
    for n, output in truth.items():
        try:
            said = n in answer
        except ConvcalcError:
            said = None  # not known
        if said or answer.proved:
            assert said == (output is not None), (n, str(answer))
    return answer


def conv(padding=0, kernel=3):
    return nn.Conv1d(2, 2, kernel, padding=padding)


def test_unpacked_chunks_are_proved_for_every_size_that_unpacks():
    def halves(s, x):
        a, b = x.chunk(2, 2)
        return torch.cat([s.c(b), s.c(a)], 2)

    def thirds(s, x):
        a, _, c = x.chunk(3, 2)
        return s.c(torch.cat([a, c], 2))

    for net in (Net(halves, c=conv(1)), Net(halves, c=conv()), Net(thirds, c=conv())):
        assert asked(net, (1, 2, 36), 2).proved


def test_one_piece_is_a_number_of_pieces():
    graph = cc.from_torch(Net(lambda s, x: s.c(x.split(16, 2)[0]), c=conv()), (1, 2, 9))
    assert [str(branch) for branch in graph.capture.path] == ["16 - L >= 0"]
