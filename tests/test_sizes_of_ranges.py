"""Loops over `range` of sizes: proved where their rounds are alike, for every number of them; against the module."""

from __future__ import annotations

import builtins

import pytest
from test_sizes_of_loops import Net, asked, conv

import convcalc as cc

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


def net_of(body):
    return Net(body, c=conv(1), l=nn.Linear(2, 2), g=nn.GRUCell(2, 2), m=nn.ModuleList([conv(1), conv(), conv(1)]))


def appends(s, x):
    parts = []
    for i in range(x.shape[2] // 4):
        start = 4 * i
        parts.append(s.c(x[:, :, start : start + 4]))
    return torch.cat(parts, 2)


def steps(s, x):
    n = x.shape[2]
    return torch.cat([s.c(x[:, :, i : min(i + 5, n)]) for i in range(0, n, 5)], 2)


def carries(s, x):
    h, hs = x.new_zeros(x.shape[0], 2), []
    for t in range(x.shape[2]):
        h = s.g(x[:, :, t], h)
        hs.append(h)
    return s.c(torch.stack(hs, 2)) + h[..., None]


def starts(s, x):
    h, hs = None, []
    for t in range(x.size(2)):
        h = s.l(x[..., t]) if t == 0 else s.l(x[..., t]) + h
        hs += [h]
    return torch.stack(hs, dim=2)


ALIKE = {
    "appends": appends,
    "steps with a minimum": steps,
    "steps": lambda s, x: torch.cat([s.c(x[..., i : i + 6]) for i in range(0, x.shape[-1], 6)], 2),
    "narrow": lambda s, x: torch.cat([s.c(x.narrow(2, 3 * i, 3)) for i in range(x.shape[2] // 3)], 2),
    "overlapping": lambda s, x: torch.stack([s.c(x[..., 2 * i : 2 * i + 5]) for i in range((x.shape[2] - 3) // 2)]),
    "entries": lambda s, x: torch.stack([s.l(x[:, :, t]) for t in range(x.shape[2])], 2),
    "backwards": lambda s, x: torch.stack([s.l(x[:, :, t]) for t in range(x.shape[2] - 1, -1, -1)], 2),
    "reversed": lambda s, x: torch.stack([s.l(x[:, :, t]) for t in reversed(range(x.shape[2]))], 2),
    "from the end": lambda s, x: torch.stack([s.l(x[:, :, -1 - t]) for t in range(x.shape[2])], 2),
    "state": carries,
    "first apart": starts,
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_loop_over_a_range_whose_rounds_are_alike_is_proved_for_all_sizes(name):
    assert asked(net_of(ALIKE[name]), (1, 2, 13), 2, range(1, 30)).proved


def counter(s, x):
    outs, k = [], 0
    for i in range(x.shape[2] // 4):
        outs.append(s.c(x[:, :, 4 * i : 4 * i + 4 + k]))
        k += 1  # noqa: SIM113 -- by hand
    return torch.cat(outs, 2)


def breaks(s, x):
    outs = []
    for i in range(x.shape[2] // 3):
        if i == 3:
            break
        outs.append(s.c(x[:, :, 3 * i : 3 * i + 3]))
    return torch.cat(outs, 2)


def returns(s, x):
    for i in range(x.shape[2] // 3):
        if i == 2:
            return s.c(x[:, :, i:])
    return x


def written(s, x):
    out = x.new_zeros(x.shape[0], 2, 12)
    for t in range(x.shape[2]):
        out[:, :, t] = s.l(x[:, :, t])
    return out


def twice(s, x):
    rounds = range(x.shape[2] // 3)
    first = torch.cat([s.c(x[:, :, 3 * i : 3 * i + 3]) for i in rounds], 2)
    return torch.cat([first[:, :, i : i + 3] for i in rounds], 2)


def late(s, x):
    for i in range(x.shape[2] // 2):
        y = s.c(x[:, :, i : i + 2])
    return y + s.m[i - 4](x[:, :, :2])


def remembers(s, x):
    outs, before = [], 0
    for i in range(x.shape[2] // 3):
        outs.append(s.c(x[:, :, before : before + 3]))
        before = 5 * i
    return torch.cat(outs, 2)


def by_halves(s, x):
    return torch.cat([s.c(x[:, :, i : 3 + i - i // 4]) for i in range(x.shape[2] // 3)], 2)


def limited(s, x):
    return torch.cat([s.c(x[..., 2 * i : 2 * i + 2] if i < 5 else x[..., :1, :1]) for i in range(x.shape[2] // 2)], 2)


UNLIKE = {
    "counter": counter,
    "break": breaks,
    "return": returns,
    "written in place": written,
    "range twice": twice,
    "number after the loop": late,
    "number of the round before": remembers,
    "quotient of the number": by_halves,
    "condition that turns": limited,
    "length of the range": lambda s, x: F.conv1d(x, x.new_zeros(2, 2, len(range(x.shape[2] // 2)))),
    "entry of the range": lambda s, x: F.conv1d(x, x.new_zeros(2, 2, range(0, x.shape[2] ** 2, 5)[1])),
    "padding": lambda s, x: torch.cat([F.pad(x[:, :, i : i + 2], (0, i)) for i in range(x.shape[2] // 2)], 2),
    "size": lambda s, x: torch.cat([x.new_zeros(1, 2, i) for i in range(x.shape[2] // 2)], 2),
    "modules of their own": lambda s, x: torch.cat([s.m[i](x[..., i : i + 3]) for i in range(x.shape[2] // 3)], 2),
    "table": lambda s, x: torch.cat([x[..., : [1, 2, 3, 4][i]] for i in range(x.shape[2] // 3)], 2),
    "key": lambda s, x: torch.cat([x[..., : {0: 1, 1: 2, 2: 3}[i]] for i in range(x.shape[2] // 3)], 2),
    "index tensor": lambda s, x: torch.stack(
        [F.embedding(torch.tensor(i), x.new_zeros(4, 2)) for i in range(x.shape[2] // 3)]
    ),
    "growing window": lambda s, x: torch.cat([s.c(x[..., : i + 1]) for i in range(x.shape[2])], 2),
    "past the end": lambda s, x: torch.cat([s.c(x[..., 3 * i : 3 * i + 4]) for i in range(x.shape[2] // 3)], 2),
    "another axis": lambda s, x: torch.stack([s.c(x)[:, t // 9, t] for t in range(x.shape[2])], 0),
    "remainder": lambda s, x: torch.cat([x[..., i % 3 : i % 3 + 2] for i in range(x.shape[2] // 3)], 2),
    "list of numbers": lambda s, x: torch.cat([s.c(x[..., i : i + 2]) for i in list(range(x.shape[2] // 3))], 2),
    "halo": lambda s, x: torch.cat([s.c(x[..., max(0, i - 1) : i + 5]) for i in range(0, x.shape[2], 4)], 2),
    "number as a value": lambda s, x: torch.cat([x[..., 2 * i : 2 * i + 2] * i for i in range(x.shape[2] // 2)], 2),
    "float": lambda s, x: torch.cat([x[..., : int(i / 2) + 1] for i in range(x.shape[2] // 2)], 2),
    "range in a range": lambda s, x: torch.cat(
        [x[..., j : j + 1] for i in range(x.shape[2] // 4) for j in range(i)], 2
    ),
}


IN_PART = (
    "key",
    "past the end",
    "condition that turns",
    "another axis",
    "halo",
    "number as a value",
    "number after the loop",
)
"""Some of them are alike at some sizes, or in shapes alone."""


@pytest.mark.parametrize("name", IN_PART)
def test_a_loop_over_a_range_that_is_alike_in_part_is_never_wrong(name):
    asked(net_of(UNLIKE[name]), (1, 2, 10), 2, range(1, 26))


@pytest.mark.parametrize("name", sorted({*UNLIKE} - {*IN_PART}))
def test_a_loop_over_a_range_that_tells_rounds_apart_is_known_where_it_was_captured_alone(name):
    graph = cc.from_torch(net_of(UNLIKE[name]), (1, 2, 10))
    assert graph.capture.any_number is None
    assert graph.capture.path or graph.capture.lost


def test_a_slice_of_one_row_from_a_size_on_is_too_short_for_a_window_and_that_is_said():
    net = Net(lambda s, x: F.avg_pool1d(x[..., x.shape[2] - 1 : x.shape[2]], min(3, x.shape[2] // 4)))
    assert asked(net, (1, 2, 7), 2, range(4, 20)).runs


def test_range_is_a_range_while_a_model_runs_and_as_before_afterwards():
    def looks(s, x):
        rounds = range(x.shape[2])
        assert isinstance(rounds, range)
        assert isinstance(range(3), range)
        assert issubclass(range, range)
        assert (len(rounds), rounds[-1], 3 in rounds, rounds == range(6)) == (6, 5, True, True)
        assert (rounds.stop, list(rounds), list(range(2))) == (6, [0, 1, 2, 3, 4, 5], [0, 1])
        return s.c(x)

    before = builtins.range
    assert cc.inspect(net_of(looks), (1, 2, 6)).output == (1, 2, 6)
    assert builtins.range is before


def test_the_number_of_a_round_that_is_compared_with_the_last_is_heard():
    last = net_of(lambda s, x: sum(x[..., i].mean() for i in range(x.shape[2]) if i != x.shape[2] - 1))
    assert not cc.from_torch(last, (1, 2, 10)).capture.lost


@pytest.mark.parametrize("before", [0, 2])
def test_formulas_of_windows_that_overlap_hold_where_the_branches_do(before):
    class Overlap(nn.Module):
        def forward(self, x):
            return torch.cat([x[..., max(0, i - before) : i + 10] for i in range(0, x.shape[-1], 8)], -1)

    net = Overlap()
    report = cc.inspect(net, (1, 3, 40))  # at 33 the last window but one meets the end, too
    for length in range(33, 41):
        assert report.layers[-1].symbolic[2](L=length) == net(torch.zeros(1, 3, length)).shape[2]
