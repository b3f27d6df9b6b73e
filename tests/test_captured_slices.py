"""Slices, squeezes and broadcasts by sizes: formulas and legal sizes of captured models against torch at every size."""

import types

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import convcalc as cc
from convcalc.layers import Conv
from convcalc.sizes.expr import Expr

SIZES = range(1, 31)


class Model(nn.Module):
    """Lines of code on (1, 2, L): n is the length of x, y a pooled x."""

    def __init__(self, lines):
        super().__init__()
        start = ["n = x.shape[-1]", "y = F.max_pool1d(x, 2, 2)"]
        source = [*start, *(line for one in lines for line in (one, "n = x.shape[-1]")), "return x"]
        made = {"torch": torch, "F": nn.functional}
        exec("def forward(self, x):\n" + "".join(f"    {line}\n" for line in source), made)
        self.forward = types.MethodType(made["forward"], self)


def truth(model, sizes=SIZES):
    """What torch gives at each size, None where it refuses."""
    found = {}
    for n in sizes:
        try:
            found[n] = tuple(model(torch.zeros(1, 2, n)).shape)
        except (RuntimeError, IndexError, ValueError, ZeroDivisionError):
            found[n] = None
    return found


def holds(model, example, want):
    """Every formula that holds at a size gives torch's shape there; what is proved runs where torch does."""
    graph = cc.from_torch(model, (1, 2, example))
    (letters,) = graph.capture.letters
    if not isinstance(letters[2], Expr):
        return
    last = [one for one in cc.inspect(graph, (1, 2, example)).layers if one.name == graph.outputs[0]]
    form = last[0].symbolic if last else None
    for n, shape in want.items():
        if form is not None and shape is not None and graph.holds({graph.inputs[0]: (1, 2, n)}):
            assert tuple(s(L=n) if isinstance(s, Expr) else s for s in form) == shape, n
    valid = cc.valid_sizes(graph, (1, 2, "L"))
    for n, shape in want.items():
        assert (n in valid["L"]) <= (shape is not None), n
        assert not valid.proved or (n in valid["L"]) == (shape is not None), n


ENDS = st.sampled_from(
    [
        "1",
        "3",
        "7",
        "-1",
        "-4",
        "n//2",
        "n//3",
        "-(n//4)",
        "-(n//2)",
        "n-3",
        "5-n",
        "-(n-2)//2",
        "y.shape[-1]",
        "-y.shape[-1]",
        "(n-y.shape[-1])//2",
        "-((n-y.shape[-1])//2)",
    ]
)
SLICE = st.builds("x = x[..., {}:{}{}]".format, st.just("") | ENDS, st.just("") | ENDS, st.sampled_from(["", "", ":2"]))
NARROW = st.builds("x = x.narrow(-1, {}, {})".format, ENDS, st.sampled_from(["2", "5", "n//2", "y.shape[-1]"]))
SELECT = st.builds("x = x.select(2, {})[..., None]".format, ENDS)
CUT = st.builds("x = x.tensor_split([{}, {}], 2)[{}]".format, st.just("2"), ENDS, st.integers(0, 2))
ONES = st.sampled_from(
    [
        "x = x.squeeze(-1) if x.dim() == 3 and n < 3 else x",
        "x = x.expand(1, 2, 8)",
        "x = x.expand(1, 2, y.shape[-1])",
        "x = x + x[..., 5:]",
        "x = x * F.max_pool1d(x, 4, 1)",
        "x = torch.einsum('ncl,ncl->ncl', x, x[..., 3:])",
    ]
)


@settings(max_examples=25)
@given(st.lists(st.one_of(SLICE, SLICE, NARROW, SELECT, CUT, ONES), min_size=1, max_size=2), st.data())
def test_parts_by_sizes_are_torchs_at_every_size(lines, data):
    model = Model(lines)
    want = truth(model)
    runs = [n for n in SIZES if want[n]]
    if runs:
        holds(model, data.draw(st.sampled_from(runs)), want)


@pytest.mark.parametrize("example", [6, 17])
def test_a_call_that_is_refused_bounds_the_way_it_is_on(example):
    model = Model(["x = x[..., 6-n:-(n//3)]", "x = x.narrow(2, (n-(n+2)//3)//2, (n+2)//3)"])
    want = truth(model)
    if want[example]:
        holds(model, example, want)


class Squeezed(nn.Module):
    """A height that must be 1, squeezed: the squeeze alone, or a rank that decides."""

    def __init__(self, dims):
        super().__init__()
        self.conv, self.dims = nn.Conv2d(1, 4, 8, stride=2), dims

    def forward(self, x):
        x = self.conv(x)
        return x.squeeze().permute(1, 0) if self.dims is None else x.squeeze(self.dims).permute(2, 0, 1)


@pytest.mark.parametrize("dims", [None, 2])
def test_a_squeeze_that_decides_the_rank_is_a_branch(dims):
    model = Squeezed(dims)
    valid = cc.valid_sizes(cc.from_torch(model, (1, 1, 9, 30)), (1, 1, "H", "W"))
    assert valid.proved
    for h in range(1, 14):
        for w in range(1, 14):
            try:
                model(torch.zeros(1, 1, h, w))
                runs = True
            except RuntimeError:
                runs = False
            assert ((h, w) in valid) == runs, (h, w)


def test_where_a_squeeze_holds_is_said():
    report = cc.inspect(Squeezed(2), input_size=(1, 1, 9, 30))
    assert report.path == ("H//2 - 3 == 1",)
    assert [str(size) for size in report.layers[-1].symbolic] == ["W//2 - 3", "1", "4"]


# -- a formula that is not torch's size ----------------------------------------------------------------------------


def planted(monkeypatch, change):
    """Convolutions of one fault: in letters alone."""
    right = Conv.out_shape

    def wrong(self, shape, /, **check):
        return tuple(change(size) if isinstance(size, Expr) else size for size in right(self, shape, **check))

    monkeypatch.setattr(Conv, "out_shape", wrong)
    return cc.from_torch(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1)), (1, 3, 32, 32))


@pytest.mark.parametrize("change", [lambda size: size + 1, lambda size: size + size % 2], ids=["here", "elsewhere"])
def test_a_formula_that_is_not_torchs_size_is_withheld(monkeypatch, change):
    graph = planted(monkeypatch, change)
    report = cc.inspect(graph, (1, 3, 32, 32))
    assert report.layers[0].symbolic is None
    assert report.layers[0].output == (1, 4, 30, 30)
    assert graph.capture.remarks
    valid = cc.valid_sizes(graph, (1, 3, "H", "H"))
    assert not valid.proved
