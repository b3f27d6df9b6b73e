"""Windows in the spellings of public models are proved: against torch at every size of a window."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.quotients import quotients
from convcalc.analysis.validity.untied import untied
from convcalc.bridge.hearing.quotient import Quotient
from convcalc.errors import BadShape
from convcalc.sizes.expr import Expr

torch = pytest.importorskip("torch")
nn = torch.nn


H, W = Expr.symbol("H"), Expr.symbol("W")


def of_swin(x: Any, a: int) -> Any:
    """Windows, and back by the batch that a float division finds."""
    n, h, w, c = x.shape
    windows = x.view(n, h // a, a, w // a, a, c).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, a, a, c)
    n = int(windows.shape[0] / (h * w / a / a))
    return windows.view(n, h // a, w // a, a, a, -1).permute(0, 1, 3, 2, 4, 5).contiguous().view(n, h, w, -1)


def shifted(x: Any, a: int) -> Any:
    """The same after a roll of a map whose axes were turned."""
    return of_swin(torch.roll(x, (1, 1), (1, 2)), a)


def grid(x: Any, a: int) -> Any:
    """A grid of a by a, whose batch is what is left."""
    n, h, w, c = x.shape
    cells = x.reshape(n, a, h // a, a, w // a, c).permute(0, 2, 4, 1, 3, 5).contiguous().view(-1, a, a, c)
    return cells.view(-1, h // a, w // a, a, a, c).permute(0, 3, 1, 4, 2, 5).contiguous().view(-1, h, w, c)


def strips(x: Any, a: int) -> Any:
    """Windows on one axis, as many as there are."""
    n, _, w, c = x.shape
    return x.reshape(n, -1, a, w, c).flatten(0, 1).view(n, -1, a, w, c)


def merged(x: Any, a: int) -> Any:
    """Every second of each axis, joined."""
    return torch.cat([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], -1).view(1, -1, 4 * x.shape[-1])


class Windows(nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self, cut: Any, a: int, before: Any) -> None:
        super().__init__()
        self.cut, self.a, self.before = cut, a, before

    def forward(self, x: Any) -> Any:
        return self.cut(
            self.before(x).permute(0, 2, 3, 1).contiguous() if self.cut is of_swin else self.turned(x), self.a
        )

    def turned(self, x: Any) -> Any:
        return self.before(x).permute(0, 2, 3, 1)


def runs(module: Any, *shape: int) -> bool:
    try:
        module(torch.zeros(shape))
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize(
    ("cut", "a", "before"),
    [
        (of_swin, 3, nn.Identity()),
        (of_swin, 2, nn.MaxPool2d(2)),
        (shifted, 4, nn.Identity()),
        (grid, 3, nn.ReLU()),
        (strips, 5, nn.Identity()),
        (merged, 2, nn.Identity()),
    ],
)
def test_windows_in_public_spellings_are_proved(cut: Any, a: int, before: Any) -> None:
    module = Windows(cut, a, before)
    found = cc.valid_sizes(module, (1, 3, "H", "W"))
    assert found.proved
    for h in range(1, 13):
        for w in range(1, 13):
            assert ((h, w) in found) == runs(module, 1, 3, h, w), (h, w)


def _refuse(_: Any) -> BadShape:
    return BadShape("no")


def _at(condition: Condition, h: int, w: int) -> Any:
    value = condition.value
    return value.constant if isinstance(value, Expr) and value.is_constant else value(H=h, W=w)  # type: ignore[operator]


_number = st.integers(1, 6)


@settings(max_examples=15)
@given(_number, _number, _number, _number, st.integers(-3, 3), st.sampled_from([-2, -1, 1, 3]), st.integers(0, 2))
@example(4, 4, 16, 1, -1, 1, 0)
@example(4, 4, 16, 1, 1, -1, 0)
def test_conditions_on_quotients_hold_as_they_did_without_them(
    a: int, b: int, above: int, below: int, more: int, factor: int, kind: int
) -> None:
    """Of H and W on whole windows, on any, and of products that have a factor in common."""
    windows = (above * (H // a) * (W // b)) // (below * H * W)
    quotient = [windows, (above * H * W) // (below * W), (above * (H // a) * W) // (below * (W // b) + W)][kind]
    condition = Condition(factor * quotient + more, _refuse)
    known = [Condition(H - 1, _refuse), Condition(W - 1, _refuse)]
    whole = [Condition(H // a * a - H, _refuse)] if kind == 0 else []
    said = untied([*known, *whole, condition], ["H", "W"])
    for h in range(1, 11):
        for w in range(1, 11):
            old = all(_at(one, h, w) >= 0 for one in (*whole, condition))
            new = all(_at(one, h, w) >= 0 for one in said)
            assert old == new, (h, w, [str(one.value) for one in said])
    assert kind == 2 or not any(any(quotients(one.value)) for one in said)


@settings(max_examples=200)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 400), st.integers(1, 400), st.integers(1, 9))
@example(7, 7, 49, 7, 1)
@example(1, 1, 7, 7, 49)
def test_int_of_a_float_division_is_the_floor_where_that_is_said(a: int, b: int, h: int, w: int, n: int) -> None:
    windows = Quotient(n * (H // a) * (W // b), Expr.const(1))
    quotient = windows.over(Quotient(H * W, Expr.const(a * b)))
    number = quotient.whole(H=h, W=w)
    if quotient.tells(number):
        assert int(n * (h // a) * (w // b) / (h * w / a / b)) == number
