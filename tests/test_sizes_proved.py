"""Idioms whose legal sizes are proved, and those that must not be: against torch at every size of a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.untied import untied
from convcalc.errors import BadShape
from convcalc.sizes.expr import Expr

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional

laid = pytest.importorskip("convcalc.bridge.capture.laid")


def runs(module: Any, *shape: int, dtype: Any = torch.float32) -> bool:
    """Whether torch runs a module on zeros."""
    try:
        with torch.no_grad():
            module(torch.zeros(shape, dtype=dtype))
    except (RuntimeError, IndexError, ValueError, AssertionError):
        return False
    return True


class Windows(nn.Module):  # type: ignore[misc, name-defined]
    """Windows of a by b, as `spelled`, of a map that `before` made."""

    def __init__(self, spelled: str, a: int, b: int, before: Any = None) -> None:
        super().__init__()
        self.spelled, self.a, self.b = spelled, a, b
        self.before = before or nn.Identity()

    def forward(self, x: Any) -> Any:
        x, a, b = self.before(x), self.a, self.b
        n, c, h, w = x.shape
        match self.spelled:
            case "view":
                return x.view(n, c, h // a, a, w // b, b).permute(0, 2, 4, 3, 5, 1).reshape(-1, a * b, c)
            case "channels last":
                x = x.permute(0, 2, 3, 1).view(n, h // a, a, w // b, b, c).permute(0, 1, 3, 2, 4, 5)
                return x.reshape(-1, a, b, c).view(n, h // a, w // b, a, b, c).transpose(2, 3).reshape(n, h, w, c)
            case "one axis":
                return x.reshape(n, c, h, w // b, b)
            case _:
                return x.reshape(n, c, a, h // a, b, w // b).flatten(1)


@pytest.mark.parametrize("spelled", ["view", "channels last", "one axis", "grid"])
@pytest.mark.parametrize(("a", "b", "before"), [(4, 4, None), (2, 5, nn.Conv2d(2, 2, 3)), (3, 2, nn.MaxPool2d(2))])
def test_windows_are_proved_to_need_whole_ones_on_each_axis(spelled: str, a: int, b: int, before: Any) -> None:
    module = Windows(spelled, a, b, before)
    found = cc.valid_sizes(module, (1, 2, "H", "W"))
    assert found.proved
    for h in range(1, 15):
        for w in range(1, 15):
            assert ((h, w) in found) == runs(module, 1, 2, h, w), (h, w)


def _refuse(_: Any) -> BadShape:
    return BadShape("no")


_factors = st.tuples(st.integers(1, 3), st.integers(-3, 3), st.integers(1, 5), st.integers(0, 4), st.integers(-2, 2))


@settings(max_examples=30)
@given(st.lists(_factors, min_size=2, max_size=3), st.integers(-3, 3), st.integers(1, 3), st.integers(1, 6))
@example([(1, 0, 4, 0, 0), (1, 0, 4, 0, 0)], 0, 1, 1)
def test_conditions_put_on_each_size_alone_hold_where_the_product_does(
    factors: list[tuple[int, ...]], more: int, scale: int, least: int
) -> None:
    wide, cut = Expr.const(1), Expr.const(1)
    names = ["D", "H", "W"][: len(factors)]
    for name, (a, b, m, shift, off) in zip(names, factors, strict=True):
        n = a * Expr.symbol(name) + b
        wide, cut = wide * n, cut * ((n + shift) // m * m + off)
    value = scale * cut - wide + more
    shape = (12,) * len(names)
    sizes = dict(zip(names, np.ix_(*[np.arange(least, least + 12)] * len(names)), strict=True))
    known = [Condition(Expr.symbol(name) - least, _refuse) for name in names]
    for sign in (1, -1):
        condition = Condition(sign * value, _refuse)
        said = untied([*known, condition], names)
        holds = True
        for one in said:
            holds = holds & (one.value(**sizes) >= 0)
        assert np.array_equal(np.broadcast_to(holds, shape), np.broadcast_to(sign * value(**sizes) >= 0, shape))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_what_is_said_to_be_viewed_torch_views(shape: list[int], data: Any) -> None:
    tensor = torch.zeros(shape).permute(data.draw(st.permutations(range(len(shape)))))
    steps = data.draw(st.tuples(*[st.tuples(st.integers(0, 1), st.integers(1, 2))] * len(shape)))
    tensor = tensor[
        tuple(
            slice(start if rows > 1 else 0, None, step) for (start, step), rows in zip(steps, tensor.shape, strict=True)
        )
    ]
    left, wanted = tensor.numel(), list[int]()
    for _ in range(data.draw(st.integers(0, 4))):
        wanted.append(data.draw(st.sampled_from([d for d in range(1, left + 1) if left % d == 0])))
        left //= wanted[-1]
    wanted.append(left)
    if laid.can_be_viewed(tuple(tensor.shape), tensor.stride(), tuple(wanted)):
        assert tensor.view(wanted).numel() == tensor.numel()


@pytest.mark.parametrize(
    ("factor", "ends"),
    [
        (0.7, lambda x: x[:, :, :9].view(1, 36)),
        (1.3, lambda x: x.reshape(1, 24)),
        (0.3, lambda x: functional.linear(x, torch.zeros(3, 7))),
    ],
)
def test_what_a_size_without_formula_refuses_at_one_size_is_not_refused_at_all(factor: float, ends: Any) -> None:
    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return ends(functional.interpolate(x, scale_factor=factor))

    module = Net()
    found = cc.valid_sizes(module, (1, 4, "L"))
    assert not found.proved
    assert all((n in found) == runs(module, 1, 4, n) for n in (4, 5, 12, 13, 14, 15, 23, 24, 26))


class Positions(nn.Module):  # type: ignore[misc, name-defined]
    """A table of positions, read as `spelled`."""

    def __init__(self, spelled: str, rows: int) -> None:
        super().__init__()
        self.spelled, self.table = spelled, nn.Embedding(rows, 4)
        self.register_buffer("ids", 2 + torch.arange(9)[None])
        self.register_buffer("between", torch.arange(6)[:, None] - torch.arange(6) + 5)

    def forward(self, x: Any) -> Any:
        n = x.shape[1]
        places = torch.arange(n)
        match self.spelled:
            case "buffer":
                return x + self.table(self.ids[:, :n])
            case "row":
                return x + self.table(self.ids[0, 1 : n + 1])
            case "square":
                return x + self.table(self.between[:n, :n]).sum(0)
            case "relative":
                return x + self.table(places[None] - places[:, None] + 7).sum(0)
            case _:
                return x + self.table(places.flip(0) + 1)


@pytest.mark.parametrize("spelled", ["buffer", "row", "square", "relative", "made"])
@pytest.mark.parametrize("rows", [8, 15])
def test_tables_of_positions_are_proved_to_bound_the_length(spelled: str, rows: int) -> None:
    module = Positions(spelled, rows)
    found = cc.valid_sizes(module, (1, "T", 4))
    assert found.proved
    for n in range(1, 24):
        assert (n in found) == runs(module, 1, n, 4), n


def test_a_buffer_without_even_steps_is_not_proved() -> None:
    module = Positions("buffer", 8)
    module.ids = torch.tensor([[0, 1, 9, 2, 3]])
    found = cc.valid_sizes(module, (1, "T", 4))
    assert not found.proved
    assert all((n in found) == runs(module, 1, n, 4) for n in range(1, 8))


@pytest.mark.parametrize("pad_mode", ["reflect", "circular", "replicate", "constant"])
@pytest.mark.parametrize("n_fft", [8, 9])
def test_windowed_transforms_are_proved_to_need_what_their_padding_does(pad_mode: str, n_fft: int) -> None:
    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            window = torch.ones(n_fft)
            return torch.stft(x, n_fft, 3, window=window, pad_mode=pad_mode, return_complex=True).abs()

    module = Net()
    found = cc.valid_sizes(module, (1, "T"))
    assert found.proved
    for n in range(1, 24):
        assert (n in found) == runs(module, 1, n), n
