"""Letters where a model takes other sizes, and inputs whose sizes depend on each other; values from torch."""

import random

import pytest
import torch
from torch import nn
from torch.nn import functional

import convcalc as cc
from convcalc.bridge.trace import capture
from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr


class Calls(nn.Module):
    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args):
        return self.run(self, *args)


def torch_gives(net, shapes):
    try:
        with torch.no_grad():
            return tuple(net(*map(torch.zeros, shapes)).shape)
    except (RuntimeError, ValueError, IndexError):
        return None


def pair(rng):
    """A model of two inputs, one of which must have as many columns as the other gives; their shapes."""
    k, s, p = rng.randint(1, 5), rng.randint(1, 4), 0
    merge = rng.choice([torch.sub, torch.add, lambda a, b: torch.cat([a, b], 1), functional.l1_loss])
    n = rng.randint(12, 40)
    if rng.random() < 0.5:
        net = nn.ConvTranspose1d(2, 3, k, s)
    else:
        k, s = rng.randint(1, 5), 1
        p = rng.randint(0, k // 2)
        net = nn.Conv1d(2, 3, k, padding=p)
    m = net(torch.zeros(1, 2, n)).shape[2]
    shapes, run = [(1, 2, n), (1, 3, m)], lambda self, x, y: merge(self.c(x), y)
    if rng.random() < 0.5:
        shapes, run = shapes[::-1], lambda self, y, x: merge(self.c(x), y)
    return Calls(run, c=net), shapes


@pytest.mark.parametrize("seed", range(3))
def test_a_size_of_one_input_is_a_formula_in_those_of_the_other(seed):
    net, shapes = pair(random.Random(seed))
    graph = capture(net, shapes)
    letters = {str(size) for shape in graph.capture.letters for size in shape if isinstance(size, Expr)}
    (letter,) = {
        name for shape in graph.capture.letters for size in shape if isinstance(size, Expr) for name in size.symbols
    }
    if shapes[0][2] == shapes[1][2]:
        assert len(letters) == 1
    else:
        assert "the inputs belong together" in graph.capture.remarks[0]
    for n in (7, 20, 33):
        there = [
            tuple(size(**{letter: n}) if isinstance(size, Expr) else size for size in shape)
            for shape in graph.capture.letters
        ]
        given = torch_gives(net, there)
        assert given is not None
        assert cc.inspect(graph, there).output == given
        other = [there[0], (*there[1][:2], there[1][2] + 2)]
        assert torch_gives(net, other) is None
        assert cc.inspect(graph, other).error is not None


def test_legal_sizes_are_told_of_inputs_that_belong_together():
    net = Calls(lambda self, m, y: self.u(m) - y, u=nn.ConvTranspose1d(8, 1, 16, 8, 4))
    v = cc.valid_sizes(net, [(1, 8, "L"), (1, 1, "M")])
    assert v.proved
    assert v.asked == "input_1 (1, 8, L), input_2 (1, 1, 8*L)"
    assert v.runs.lines() == ["L >= 1"]
    assert cc.inspect(net, [(1, 8, 32), (1, 1, 256)]).layers[-1].symbolic[2] == 8 * Expr.symbol("L")


def sampled(self, x, grid):
    return functional.grid_sample(x, grid, align_corners=False)


def segmented(self, x, y):
    return functional.cross_entropy(self.c(x), y.long(), reduction="none")


def tokens(self, x):
    return self.c(self.l(x).transpose(1, 2))


def samples(self, x):
    return self.c(x.unsqueeze(1))


def samples_normed(self, x):
    return self.c((x - x.mean(-1, keepdim=True))[:, None])


ELSEWHERE = [
    (Calls(sampled), [(1, 3, 12, 14), (1, 8, 9, 2)], [(1, 3, 7, 30), (1, 5, 1, 2)]),
    (Calls(segmented, c=nn.Conv2d(3, 5, 3, padding=1)), [(1, 3, 12, 14), (1, 12, 14)], [(1, 3, 7, 9), (1, 7, 9)]),
    (nn.Transformer(8, 2, 1, 1, 8, batch_first=True).eval(), [(1, 10, 8), (1, 7, 8)], [(1, 3, 8), (1, 20, 8)]),
    (Calls(tokens, l=nn.Linear(6, 6), c=nn.Conv1d(6, 2, 3, 2)), [(1, 20, 6)], [(1, 33, 6)]),
    (Calls(samples, c=nn.Conv1d(1, 8, 4, 2)), [(1, 400)], [(1, 1001)]),
    (Calls(samples_normed, c=nn.Conv1d(1, 8, 4, 2)), [(1, 400)], [(1, 1001)]),
]


@pytest.mark.parametrize(("net", "shapes", "other"), ELSEWHERE)
def test_letters_stand_where_the_model_takes_other_sizes(net, shapes, other):
    graph = capture(net, shapes)
    assert not any("not checked" in remark for remark in graph.capture.remarks)
    for there in (shapes, other):
        assert cc.inspect(graph, there).output == torch_gives(net, there)
    symbolic = cc.inspect(graph, shapes).layers[-1].symbolic
    numbers = {
        str(letter): size
        for letters, shape in zip(graph.capture.letters, other, strict=True)
        for letter, size in zip(letters, shape, strict=True)
        if isinstance(letter, Expr)
    }
    there = tuple(
        size(**{name: numbers[name] for name in size.symbols}) if isinstance(size, Expr) else size for size in symbolic
    )
    assert there == torch_gives(net, other)


def test_legal_sizes_are_asked_where_the_letters_stand():
    v = cc.valid_sizes(Calls(samples, c=nn.Conv1d(1, 8, 4, 2)), (1, 400))
    assert (v.proved, v.runs.lines()) == (True, ["L >= 4"])


def test_samples_that_forward_gives_channels_have_a_receptive_field():
    row = cc.inspect(Calls(samples, c=nn.Conv1d(1, 8, 4, 2)), (1, 16000)).layers[-1]
    assert (str(row.symbolic[2]), row.receptive_field, row.stride) == ("L//2 - 1", (4,), (2,))
    x = torch.zeros(1, 64, requires_grad=True)
    nn.Conv1d(1, 1, 4, 2)(x.unsqueeze(1))[0, 0, 5].backward()
    assert torch.count_nonzero(x.grad) == 4


def test_features_of_a_table_are_no_positions():
    net = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3))
    graph = capture(net, (1, 10))
    assert graph.capture.letters == ((1, 10),)
    with pytest.raises(ConvcalcError, match="no spatial axis"):
        cc.valid_sizes(net, (1, 10))


def test_a_skip_that_the_model_resizes_to_is_not_tied():
    def run(self, x, skip):
        x = functional.interpolate(x, scale_factor=2)
        if x.shape[2:] != skip.shape[2:]:
            x = functional.interpolate(x, size=skip.shape[2:])
        return x + skip

    graph = capture(Calls(run), [(1, 3, 8, 8), (1, 3, 16, 16)])
    assert not any("belong together" in remark for remark in graph.capture.remarks)
    for there in ([(1, 3, 8, 8), (1, 3, 17, 30)], [(1, 3, 5, 6), (1, 3, 10, 12)]):
        assert cc.inspect(graph, there).output == torch_gives(Calls(run), there)


def test_a_grid_in_samples_without_channels_is_noted_in_words():
    net = Calls(lambda self, x: self.c(x.unsqueeze(1)), c=nn.Sequential(nn.Conv1d(1, 4, 1, 2), nn.Conv1d(4, 2, 2)))
    (note,) = [note for note in cc.inspect(net, (1, 72)).notes if "holes" in str(note)]
    assert "before all others reads what is missed" in str(note)


class Masked(nn.Module):
    """Takes whole numbers, a mask by name in a mapping, and a flag."""

    def __init__(self):
        super().__init__()
        self.words, self.conv = nn.Embedding(9, 4), nn.Conv1d(4, 5, 3, padding=1)

    def forward(self, tokens, *, masks, odd):
        if tokens.shape[1] > 20 and not odd:
            raise ValueError("too long")
        return self.conv(self.words(tokens).transpose(1, 2)).masked_fill(~masks["pad"], 0.0)


def test_inputs_keep_their_types_and_names_at_other_sizes():
    tokens, pad = torch.zeros(2, 16, dtype=torch.int64), torch.ones(1, 1, 16, dtype=torch.bool)
    for odd, expected in ((True, ">= 1"), (False, "in 1..20")):
        v = cc.valid_sizes(Masked(), example_inputs={"tokens": tokens, "masks": {"pad": pad}, "odd": odd})
        assert (str(v.runs).split(" ", 1)[1], v.proved) == (expected, True)
