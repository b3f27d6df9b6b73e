"""Tests of sizes after which a model goes on alike: proved in every usual spelling, and never where it does not.

Every answer is held against really running the module on meta, at random sizes small and large.
"""

from __future__ import annotations

import math
import random

import pytest

import convcalc as cc
from convcalc.analysis.validity import of_captures as legal_captured

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


def runs_at(net, sizes):
    try:
        with torch.no_grad():
            net(torch.empty((1, 1, *sizes), device="meta"))
    except Exception:
        return False
    return True


def some_sizes(count):
    draw = random.Random(count)
    small = [(draw.randint(1, 40), draw.randint(1, 40)) for _ in range(count)]
    return [*small, *((draw.randint(100, 999), draw.randint(100, 999)) for _ in range(count // 8))]


def assert_right(net, count=32):
    """What is said to run runs, and what is said not to run does not."""
    net = net.to("meta").eval()
    v = cc.valid_sizes(net, (1, 1, "H", "W"))
    for sizes in some_sizes(count):
        if sizes not in v.unknown:
            assert (sizes in v.runs) == runs_at(net, sizes), (sizes, str(v))
    return v


# -- spellings that meet -------------------------------------------------------------------------------------------


def resize(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def as_large(a, b):
    return a.shape[2:] == b.shape[2:]


def matched(x, like):
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:])


def centre(x, like):
    h, w = like.shape[2:]
    top, left = (x.shape[2] - h) // 2, (x.shape[3] - w) // 2
    return x[:, :, top : top + h, left : left + w]


def not_equal(x, skip):
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, size=skip.shape[2:])
    return x + skip


def either_axis(x, skip):
    if x.size(2) != skip.size(2) or x.size(3) != skip.size(3):
        x = resize(x, skip)
    return x + skip


def by_helper(x, skip):
    if not as_large(x, skip):
        x = resize(x, skip)
    return x + skip


def early_return(x, skip):
    return matched(x, skip) + skip


def named_test(x, skip):
    same = x.shape == skip.shape
    x = x if same else resize(x, skip)
    return x + skip


def other_side(x, skip):
    if x.shape[2:] == skip.shape[2:]:  # noqa: SIM108 -- this spelling is the point
        y = x
    else:
        y = F.interpolate(x, skip.shape[2:])
    return y + skip


def padded(x, skip):
    down, right = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
    if down > 0 or right > 0:
        x = F.pad(x, [right // 2, right - right // 2, down // 2, down - down // 2])
    return x + skip


def each_axis(x, skip):
    if x.shape[2] != skip.shape[2]:
        x = F.pad(x, (0, 0, 0, skip.shape[2] - x.shape[2]))
    if x.shape[3] != skip.shape[3]:
        x = F.pad(x, (0, skip.shape[3] - x.shape[3]))
    return x + skip


def any_axis(x, skip):
    if any(a != b for a, b in zip(x.shape[2:], skip.shape[2:], strict=True)):
        x = resize(x, skip)
    return x + skip


def cropped(x, skip):
    if skip.shape[2] > x.shape[2] or skip.shape[3] > x.shape[3]:
        skip = centre(skip, x)
    return x + skip


class UNet(nn.Module):
    def __init__(self, join, depth):
        super().__init__()
        self.join, self.depth = join, depth
        self.conv, self.pool, self.up = nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2), nn.ConvTranspose2d(1, 1, 2, 2)

    def forward(self, x):
        skips = []
        for _ in range(self.depth):
            x = self.conv(x)
            skips.append(x)
            x = self.pool(x)
        for skip in reversed(skips):
            x = self.join(self.up(x), skip)
        return x


JOINS = [
    *(not_equal, either_axis, by_helper, early_return, named_test, other_side),
    *(padded, each_axis, any_axis, cropped),
]


@pytest.mark.parametrize("join", JOINS, ids=lambda join: join.__name__)
def test_a_skip_that_is_matched_where_it_must_be_is_proved_in_every_spelling(join):
    v = assert_right(UNet(join, 2), 12)
    assert v.proved
    assert v.runs.lines() == ["H >= 4, W >= 4"]


def test_five_levels_on_two_axes_are_proved():
    v = assert_right(UNet(not_equal, 5), 16)
    assert v.proved
    assert v.runs.lines() == ["H >= 32, W >= 32"]
    assert v.exact.lines() == ["H >= 32 and H % 32 == 0, W >= 32 and W % 32 == 0"]


class To(nn.Module):
    """A function as a module, with some layers to call."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.strided, self.patch, self.back = (
            nn.Conv2d(1, 1, 3, 2),
            nn.Conv2d(1, 1, 4, 4),
            nn.ConvTranspose2d(1, 1, 4, 4),
        )
        self.flag, self.count = False, 0

    def forward(self, x):
        return self.function(self, x)


def to_a_multiple(net, x):
    h, w = x.shape[-2:]
    down, right = (8 - h % 8) % 8, (8 - w % 8) % 8
    if down > 0 or right > 0:
        x = F.pad(x, (0, right, 0, down), mode="reflect")
    x = net.back(net.patch(x))
    if down > 0 or right > 0:
        x = x[:, :, :h, :w].contiguous()
    return x


def by_remainder(net, x):
    h, w = x.shape[-2:]
    if h % 8:
        x = F.pad(x, (0, 0, 0, 8 - h % 8))
    if w % 8:
        x = F.pad(x, (0, 8 - w % 8))
    return net.back(net.patch(x))[..., :h, :w]


def same_padding(net, x):
    h, w = x.shape[-2:]
    down, right = (max((math.ceil(n / 2) - 1) * 2 + 3 - n, 0) for n in (h, w))
    if down > 0 or right > 0:
        x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
    return net.strided(x)


def windows(net, x):
    n, c, h, w = x.shape
    right, down = (4 - w % 4) % 4, (4 - h % 4) % 4
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, 0, right, 0, down))
    _, rows, columns, _ = x.shape
    x = x.view(n, rows // 4, 4, columns // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c).softmax(1)
    x = x.view(n, rows // 4, columns // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, c)
    if right > 0 or down > 0:
        x = x[:, :h, :w, :].contiguous()
    return x.permute(0, 3, 1, 2)


def made_large_enough(net, x):
    if x.shape[2] < 9 or x.shape[3] < 9:
        x = F.interpolate(x, size=(9, 9))
    return net.strided(x)


@pytest.mark.parametrize("function", [to_a_multiple, by_remainder, same_padding, windows, made_large_enough])
def test_what_is_padded_only_where_it_must_be_is_proved(function):
    assert assert_right(To(function)).proved


def a_large_batch(net, x):
    x = net.strided(x)
    if x.numel() * 4 > 2**31:
        x = x.contiguous()
    return net.strided(F.interpolate(x, scale_factor=2.0))


def test_a_branch_on_a_product_of_sizes_that_changes_no_size_is_proved():
    v = assert_right(To(a_large_batch), 16)
    assert v.proved
    assert v.runs.lines() == ["H >= 5, W >= 5"]
    assert (50_000, 50_000) in v.runs


# -- ways that do not meet -----------------------------------------------------------------------------------------


def counted(net, x):
    times, y = 0, net.strided(x)
    if x.shape[2] % 2:
        y, times = F.pad(y, (0, 0, 0, 1)), times + 1
    if x.shape[3] % 2:
        y, times = F.pad(y, (0, 1, 0, 0)), times + 1
    if times == 2:
        raise ValueError("both are odd")
    return y


def flagged(net, x):
    y = F.interpolate(net.strided(x), scale_factor=2)
    net.flag = False
    if y.shape[2:] != x.shape[2:]:
        y = F.interpolate(y, size=x.shape[2:])
        net.flag = True
    return net.patch(net.patch(y)) if net.flag else y


def logged(net, x):
    log, y = [], F.interpolate(net.strided(x), scale_factor=2)
    if y.shape[2:] != x.shape[2:]:
        log.append(y)
        y = F.interpolate(y, size=x.shape[2:])
    return net.patch(net.patch(y)) if log else y


def other_size(net, x):
    y = net.strided(x)
    if x.shape[2] % 3 == 0:
        y = F.interpolate(y, size=(5, 5))
    return net.patch(y)


def refusing(net, x):
    if x.shape[2] != 20:
        x = F.pad(x, (0, 0, 0, 20 - x.shape[2]), mode="circular")
    return net.patch(x)


def laid_out(net, x):
    y = x.permute(0, 1, 3, 2)
    even = (x.shape[3] // 2 * 2, x.shape[2] // 2 * 2)
    if tuple(y.shape[2:]) != even:
        y = F.interpolate(y, size=even)
    return y.view(1, -1)


@pytest.mark.parametrize("function", [counted, flagged, logged, other_size, refusing, laid_out])
def test_ways_that_leave_something_else_behind_are_kept_apart(function, monkeypatch):
    monkeypatch.setattr(legal_captured, "SECONDS", 1.0)  # what is not proved is not of interest here
    assert_right(To(function), 40)


class Entries(dict):
    """A dict whose entries are attributes; one that it lacks is a `KeyError`."""

    __getattr__ = dict.__getitem__


def test_what_only_the_way_that_is_not_taken_asks_for_need_not_be_there():
    missing = Entries()

    def fixed(net, x):
        if x.shape[2] % 8 != 0:
            x = missing.fix(x)
        return net.patch(x)

    path = cc.from_torch(To(fixed), (1, 1, 64, 64)).capture.path
    assert "H % 8 == 0" in [str(branch) for branch in path]
