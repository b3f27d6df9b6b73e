"""Loops over pieces of a tensor: the number of pieces is a branch. Every answer against running the module."""

from __future__ import annotations

import pytest

import convcalc as cc
from convcalc.errors import ConvcalcError

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
capture = pytest.importorskip("convcalc.bridge.trace").capture


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
    """The shape that the module itself gives; None where it raises."""
    try:
        with torch.no_grad():
            return tuple(net(torch.zeros(shape)).shape)
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


# -- loops that treat their pieces alike ----------------------------------------------------------------------------


def appends(s, x):
    results = []
    for piece in x.split(7, 2):
        y = s.c(piece)
        if y.shape[2] > 2:
            y = F.avg_pool1d(y, 2)
        results.append(y)
    return torch.cat(results, dim=2)


def numbered(s, x):
    results = []
    for _, piece in enumerate(x.unbind(2)):
        results += [s.l(piece)]
    return s.c(torch.stack(results, -1))


def carries(s, x):
    state, states = None, []
    for step in x.unbind(2):
        state = s.l(step) if state is None else torch.tanh(s.l(step) + state)
        states.append(state)
    return s.c(torch.stack(states, dim=2)) + state[..., None]


def side_by_side(s, x):
    return torch.cat(
        [s.c(a) * b.mean(2, keepdim=True) for a, b in zip(x.split(6, 2), (2 * x).split(6, 2), strict=False)], 2
    )


def nested(s, x):
    rows = []
    for strip in x.split(5, 2):
        columns = []
        for tile in strip.split(4, 3):
            columns.append(s.c(tile))
        rows.append(torch.cat(columns, 3))
    return torch.cat(rows, 2)


ALIKE = {
    "cat of a comprehension": lambda s, x: torch.cat([s.c(t) for t in x.split(9, 2)], 2),
    "cat of a named list": appends,
    "as they are": lambda s, x: s.c(torch.cat(x.split(4, dim=2), 2)),
    "stack": lambda s, x: s.c(torch.stack([s.l(t) for t in x.unbind(2)], 2)),
    "numbered": numbered,
    "state": carries,
    "sum": lambda s, x: sum(s.l(t) for t in x.unbind(2)),
    "sum of a list": lambda s, x: sum([s.c(t).mean(2) for t in x.split(6, 2)]),
    "iteration over a tensor": lambda s, x: torch.stack([s.l(t) for t in x.permute(2, 0, 1)]),
    "side by side": side_by_side,
    "backwards": lambda s, x: torch.cat([s.c(t) for t in reversed(x.split(6, 2))], 2),
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_loop_that_treats_its_pieces_alike_is_proved_for_all_sizes(name):
    net = Net(ALIKE[name], c=conv(), l=nn.Linear(2, 2))
    assert asked(net, (1, 2, 24), 2, range(1, 40)).proved


@pytest.mark.parametrize("name", ["cat of a comprehension", "stack", "state", "side by side"])
def test_the_formula_that_a_report_shows_is_that_of_any_number_of_pieces(name):
    net = Net(ALIKE[name], c=conv(), l=nn.Linear(2, 2))
    shown = cc.inspect(net, (1, 2, 24)).layers[-1].symbolic
    for n in range(1, 60):
        given = output_at(net, (1, 2, n))
        if given is not None and n > 9:
            assert tuple(size if isinstance(size, int) else size(L=n) for size in shown) == given


def test_loops_in_loops_are_proved_on_two_axes():
    answer = cc.valid_sizes(cc.from_torch(net := Net(nested, c=nn.Conv2d(1, 1, 2)), (1, 1, 13, 12)), (1, 1, "H", "W"))
    assert answer.proved
    for h in range(1, 18):
        for w in range(1, 14):
            assert ((h, w) in answer) == (output_at(net, (1, 1, h, w)) is not None)


class Counting(nn.Module):
    """Forgets all but the first calls, which no shape tells."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x if self.calls % 12 < 4 else x[:, :, :1]


def breaks(s, x):
    results = []
    for number, piece in enumerate(x.split(5, 2)):
        if number == 3:
            break
        results.append(s.c(piece))
    return torch.cat(results, 2)


def counts(s, x):
    results = []
    for number, piece in enumerate(x.split(5, 2)):
        results.append(s.c(piece) if number < 3 else s.c(piece[:, :, 2:]))
    return torch.cat(results, 2)


def counts_by_hand(s, x):
    results, number = [], 0
    for piece in x.split(5, 2):
        number += 1  # noqa: SIM113 -- by hand
        results.append(s.c(piece) if number < 4 else s.c(piece[:, :, 2:]))
    return torch.cat(results, 2)


def looks_at_the_list(s, x):
    results = []
    for piece in x.split(5, 2):
        results.append(s.c(piece))
    return torch.cat(results[:2], 2) if len(results) < 4 else s.c(results[4])


def takes_from_a_list(s, x):
    left = [3, 3, 3, 4, 5, 6]
    return torch.cat([s.c(t[:, :, : left.pop()]) for t in x.split(7, 2)], 2)


def goes_through_an_iterator(s, x):
    kernels = iter([1, 1, 1, 3, 3])
    return torch.cat([F.avg_pool1d(t, next(kernels)) for t in x.split(7, 2)], 2)


def grows(s, x):
    whole = x[:, :, :1]
    for piece in x.split(5, 2):
        whole = torch.cat([whole, s.c(piece)], 2)
    return F.conv1d(whole, whole.new_zeros(2, 2, 9))


UNLIKE = {
    "break": breaks,
    "number": counts,
    "number by hand": counts_by_hand,
    "length of the list": looks_at_the_list,
    "list that shrinks": takes_from_a_list,
    "iterator": goes_through_an_iterator,
    "growing tensor": grows,
    "modules of their own": lambda s, x: torch.cat([s.m[i](t) for i, t in enumerate(x.split(9, 2))], 2),
    "as many as modules": lambda s, x: torch.cat([m(t) for m, t in zip(s.m, x.split(5, 2), strict=False)], 2),
    "the last": lambda s, x: s.c(x.split(9, 2)[-1]),
    "how many": lambda s, x: F.conv1d(x, x.new_zeros(1, 2, len(x.split(9, 2)) ** 2)),
    "hidden counter": lambda s, x: s.c(torch.cat([s.k(t) for t in x.split(9, 2)], 2)),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_a_loop_that_tells_its_pieces_apart_is_known_where_it_was_captured_alone(name):
    net = Net(UNLIKE[name], c=conv(), m=nn.ModuleList([conv(), conv(kernel=2), conv(1)]), k=Counting())
    assert cc.from_torch(net, (1, 2, 25)).capture.any_number is None


def test_what_is_done_with_pieces_is_torch_s_own_business():
    def looks(s, x):
        pieces = x.split(7, 2)
        assert isinstance(pieces, tuple)
        assert pieces == tuple(pieces)
        assert (len(pieces), pieces[-1].shape[2]) == (4, 3)
        first, *rest = pieces
        return torch.cat([first, *rest, *pieces[1:]], 2)

    assert cc.from_torch(Net(looks), (1, 2, 24)).capture.any_number is None


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_recurrent_network_that_ran_one_step_gives_what_torch_gives(kind):
    for batch_first, shape in [(True, (2, 3, 4)), (False, (2, 3, 4)), (True, (3, 4)), (False, (1, 1, 4))]:
        net = getattr(nn, kind)(4, 6, num_layers=2, batch_first=batch_first, bidirectional=True)
        steps, states = net(torch.zeros(shape))
        ends = [steps, *(states if isinstance(states, tuple) else [states])]
        assert cc.inspect(net, shape).output == tuple(tuple(end.shape) for end in ends)


def test_pieces_that_no_known_loop_goes_over_come_last_first_where_they_are_reversed():
    net = Net(lambda s, x: next(reversed(x.split(4, 2))))
    assert cc.inspect(net, (1, 2, 6)).outputs == {"split[1]": output_at(net, (1, 2, 6))}


def test_each_number_of_pieces_that_many_chunks_may_give_is_a_way():
    net = Net(lambda s, x: torch.cat([piece + 1 for piece in x.chunk(15, 2)], 2))
    assert asked(net, (1, 2, 40), 2, range(1, 48)).proved


def test_a_loop_whose_rounds_are_alike_is_looked_at_with_few_of_them():
    alike = Net(lambda s, x: torch.stack([piece + 1 for piece in x.unbind(2)], 2))
    assert capture(alike, (1, 2, "L")).example == ((1, 2, 28),)
    none = Net(lambda s, x: x + 1)
    assert capture(none, (1, 2, "L")).example == ((1, 2, 224),)
