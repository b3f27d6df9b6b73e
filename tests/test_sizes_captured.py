"""Legal sizes of torch modules: every answer against really running the module, at all sizes of a window and beyond.

What is exact is counted from hooks on the modules as they run: rows of a map that no window reads, uneven crops.
"""

from __future__ import annotations

import math
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.validity import of_captures as legal_captured
from convcalc.errors import ConvcalcError
from convcalc.sizes.sets import SizeSet, every, only

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


def runs_at(net, *shapes):
    """Whether the module itself runs, on meta."""
    try:
        with torch.no_grad():
            net(*(torch.empty(shape, device="meta") for shape in shapes))
    except Exception:
        return False
    return True


def loses_at(net, *shapes):
    """Whether a window of some module drops a row that a layer before it gave, counted from its position.

    What `F.pad` added just before it is no such row.
    """
    lost = []
    added = {}

    def pad(x, sides):
        out = torch.constant_pad_nd(x, sides)
        pairs = [*zip(sides[::2], sides[1::2], strict=True)][::-1]
        _, before = added.get(id(x), (None, [(0, 0)] * len(pairs)))
        added[id(out)] = (out, [(a + c, b + d) for (a, b), (c, d) in zip(before, pairs, strict=True)])
        return out

    def look(module, inputs, _):
        k, s, p, d = (_pair(getattr(module, name, 1)) for name in ("kernel_size", "stride", "padding", "dilation"))
        _, ends = added.get(id(inputs[0]), (None, [(0, 0)] * len(k)))
        for axis, n in enumerate(inputs[0].shape[2:]):
            lost.append(_rows_lost(n, k[axis], s[axis], p[axis], d[axis], ends[axis]))

    kinds = (nn.Conv1d, nn.Conv2d, nn.MaxPool1d, nn.MaxPool2d)
    hooks = [part.register_forward_hook(look) for part in net.modules() if isinstance(part, kinds)]
    try:
        with mock.patch.object(F, "pad", pad):
            assert runs_at(net, *shapes)
    finally:
        for hook in hooks:
            hook.remove()
    return any(lost)


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


def _rows_lost(n, k, s, p, d, ends=(0, 0)):
    windows = [[start + d * tap for tap in range(k)] for start in range(-p, 2 * n + p + k * d, s)]
    fits = [window[-1] < n + p for window in windows]
    hull = [set(range(window[0], window[-1] + 1)) for window in windows]
    read = set().union(*(one for one, fit in zip(hull, fits, strict=True) if fit))
    return bool((set().union(*hull) - read) & set(range(ends[0], n - ends[1])))


def assert_agrees(net, shape, window, far=()):
    """`valid_sizes` and the module itself agree at every size of the window, and at those far away."""
    net = net.to("meta").eval()
    v = cc.valid_sizes(net, shape)
    axes = [size for size in dict.fromkeys(shape) if isinstance(size, str)]
    for sizes in [*window, *far]:
        sizes = (sizes,) if isinstance(sizes, int) else sizes
        numbers = dict(zip(axes, sizes, strict=True))
        given_shape = tuple(numbers.get(size, size) for size in shape)
        runs = runs_at(net, given_shape)
        assert (sizes in v) == runs, (sizes, str(v))
        assert (sizes in v.exact) == (runs and not loses_at(net, given_shape)), (sizes, str(v.exact))
        if not runs:
            assert v.why_not(*sizes) is not None, sizes
    return v


FAR = [(1000, 1001), (4096, 4099), (999, 2048)]


def grid(start, stop, step=1):
    return [(h, w) for h in range(start, stop, step) for w in range(start, stop)]


# -- models as people write them ------------------------------------------------------------------------------------


def conv(inputs, outputs, kernel_size=3, stride=1, padding=1):
    return nn.Conv2d(inputs, outputs, kernel_size, stride, padding)


class UNet(nn.Module):
    """Two levels; the skip is joined as it is, cropped, or what comes up is resized or padded to it."""

    def __init__(self, join="cat", padding=1):
        super().__init__()
        self.join = join
        self.down = nn.ModuleList([conv(1, 2, padding=padding), conv(2, 4, padding=padding)])
        self.pools = nn.ModuleList([nn.MaxPool2d(2), nn.MaxPool2d(2)])
        self.middle = conv(4, 8, padding=padding)
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 4, 2, 2), nn.ConvTranspose2d(4, 2, 2, 2)])
        self.after = nn.ModuleList([conv(8, 4, padding=padding), conv(4, 2, padding=padding)])

    def forward(self, x):
        skips = []
        for down, pool in zip(self.down, self.pools, strict=True):
            x = down(x)
            skips.append(x)
            x = pool(x)
        x = self.middle(x)
        for up, after in zip(self.up, self.after, strict=True):
            x, skip = up(x), skips.pop()
            if self.join == "resize":
                x = F.interpolate(x, size=skip.shape[2:])
            elif self.join == "pad":
                dy, dx = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
                x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            x = after(torch.cat([skip, x], 1))
        return x


class Cropped(nn.Module):
    """A skip past valid convolutions, cut to its middle by a slice or by negative padding."""

    def __init__(self, pads=False):
        super().__init__()
        self.pads, self.pool = pads, nn.MaxPool2d(2)
        self.conv, self.up = conv(1, 2, 3, padding=0), nn.ConvTranspose2d(2, 2, 3, 2)

    def forward(self, skip):
        x = self.up(self.conv(self.pool(skip)))
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        if self.pads:
            skip = F.pad(skip, (-(dx // 2), dx // 2 - dx, -(dy // 2), dy // 2 - dy))
        else:
            top, left = dy // 2, dx // 2
            skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        return torch.cat([skip, x], 1)


class PatchNet(nn.Module):
    """Patches of 4, as many as the table of positions has: 224 -> 14x14 in small."""

    def __init__(self, strict=False):
        super().__init__()
        self.strict = strict
        self.embed = nn.Conv2d(3, 8, 4, 4)
        self.positions = nn.Parameter(torch.zeros(1, 36, 8))

    def forward(self, x):
        if self.strict:
            assert x.shape[2] == 24, f"height {x.shape[2]} is not 24"
            assert x.shape[3] == 24, f"width {x.shape[3]} is not 24"
        return self.embed(x).flatten(2).transpose(1, 2) + self.positions


class Asserted(nn.Module):
    def forward(self, x):
        torch._assert(x.shape[2] == 20, f"height {x.shape[2]} is not 20")
        return x


class Divisible(nn.Module):
    def __init__(self, by=8):
        super().__init__()
        self.by, self.conv = by, conv(3, 4, 3, 2)

    def forward(self, x):
        for size in x.shape[2:]:
            if size % self.by != 0:
                raise ValueError(f"{size} is not divisible by {self.by}")
        return self.conv(x)


class Same(nn.Module):
    """TensorFlow's padding, by arithmetic on shapes, with the max(..., 0) that it comes with."""

    def __init__(self, kernel_size=3, stride=2):
        super().__init__()
        self.k, self.s = kernel_size, stride
        self.conv = nn.Conv2d(3, 4, kernel_size, stride)

    def forward(self, x):
        h, w = x.shape[-2:]
        up = max((math.ceil(h / self.s) - 1) * self.s + self.k - h, 0)
        side = max((math.ceil(w / self.s) - 1) * self.s + self.k - w, 0)
        if up > 0 or side > 0:
            x = F.pad(x, [side // 2, side - side // 2, up // 2, up - up // 2])
        return self.conv(x)


class Parity(nn.Module):
    """An odd size gets a row."""

    def __init__(self):
        super().__init__()
        self.conv, self.pool, self.up = conv(3, 4), nn.MaxPool2d(2), nn.ConvTranspose2d(4, 4, 2, 2)

    def forward(self, x):
        if x.shape[-2] % 2:
            x = F.pad(x, (0, 0, 0, 1))
        if x.shape[-1] % 2 == 1:
            x = F.pad(x, (0, 1, 0, 0))
        x = self.conv(x)
        return x + self.up(self.pool(x))


class ToMultiple(nn.Module):
    def __init__(self, by=8):
        super().__init__()
        self.by, self.body = by, nn.Sequential(conv(1, 2, 2, 2, 0), conv(2, 2, 2, 2, 0), nn.ConvTranspose2d(2, 1, 4, 4))

    def forward(self, x):
        h, w = x.shape[-2:]
        padded = F.pad(x, (0, -w % self.by, 0, -h % self.by))
        return self.body(padded)[..., :h, :w] + x


class Small(nn.Module):
    """Small inputs are padded first."""

    def __init__(self):
        super().__init__()
        self.conv = conv(3, 4, 7, 2, 0)

    def forward(self, x):
        if x.shape[2] < 7 or x.shape[3] < 7:
            x = F.pad(x, (3, 3, 3, 3))
        return self.conv(x)


def flat():
    return nn.Sequential(conv(1, 2, 5, 1, 2), nn.MaxPool2d(2), conv(2, 4, 5, 1, 0), nn.Flatten(), nn.Linear(4 * 9, 10))


NETS = {
    "unet": (lambda: UNet(), 1),
    "unet, resized": (lambda: UNet("resize"), 1),
    "unet, padded": (lambda: UNet("pad"), 1),
    "unet without padding": (lambda: UNet("resize", padding=0), 1),
    "patches": (lambda: PatchNet(), 3),
    "patches, strict": (lambda: PatchNet(strict=True), 3),
    "asserted": (lambda: Asserted(), 3),
    "divisible": (lambda: Divisible(), 3),
    "same k3 s2": (lambda: Same(), 3),
    "same k2 s3": (lambda: Same(2, 3), 3),
    "parity": (lambda: Parity(), 3),
    "to multiple": (lambda: ToMultiple(), 1),
    "small": (lambda: Small(), 3),
    "flat": (flat, 1),
    "strided": (lambda: nn.Sequential(conv(3, 4, 7, 2, 3), nn.MaxPool2d(3, 2, 1), conv(4, 4, 3, 2, 0)), 3),
}


@pytest.mark.parametrize("name", NETS)
def test_every_size_of_a_window_agrees_with_running_the_module(name):
    make, channels = NETS[name]
    v = assert_agrees(make(), (1, channels, "H", "W"), grid(1, 28), FAR)
    assert v.proved, str(v)


def test_what_is_proved_of_modules():
    assert cc.valid_sizes(UNet(), (1, 1, "H", "W"))["H"] == SizeSet(4, (0,), 4)
    assert cc.valid_sizes(Divisible(), (1, 3, "H", "W"))["W"] == SizeSet(8, (0,), 8)
    assert cc.valid_sizes(Parity(), (1, 3, "H", "W"))["H"] == every(1)
    assert cc.valid_sizes(PatchNet(strict=True), (1, 3, "H", "W")).runs.boxes == ((only([24]), only([24])),)


@pytest.mark.parametrize("pads", [False, True])
def test_a_crop_to_the_middle_is_exact_where_it_is_one(pads):
    net = Cropped(pads).to("meta")
    v = cc.valid_sizes(net, (1, 1, "H", "W"))
    assert v.proved
    for n in range(1, 60):
        runs = runs_at(net, (1, 1, n, 41))
        assert ((n, 41) in v) == runs, n
        if runs:
            up = 2 * (n // 2 - 2 - 1) + 3
            assert ((n, n) in v.exact) == (n % 2 == 0 and (n - up) % 2 == 0), n
    assert not v.exact  # n - up is 3 where n is even, and a row is dropped where it is odd
    assert "take 1 before and 2 after" in v.why_not(40, 40).sentence


class Wrapping(nn.Module):
    """A start below 0 counts from the end: it is another slice."""

    def forward(self, x):
        return x[..., x.shape[-1] - 20 : x.shape[-1] - 10].reshape(1, 1, -1, 2)


def test_a_start_that_turns_negative_is_never_taken_for_the_formula():
    v = cc.valid_sizes(Wrapping(), (1, 1, "n"))
    for n in range(10, 300):
        if (n in v) != runs_at(Wrapping(), (1, 1, n)):
            assert not v.proved
            assert n < 20


def test_equal_names_are_equal_sizes():
    v = cc.valid_sizes(Divisible(12), (1, 3, "N", "N"))
    assert v["N"] == SizeSet(12, (0,), 12)
    assert v.proved


def test_numbers_ask_for_all_spatial_sizes():
    v = cc.valid_sizes(Divisible(), (1, 3, 20, 20))
    assert v.axes == ("H", "W")
    assert v["H"] == SizeSet(8, (0,), 8)


# -- two inputs --------------------------------------------------------------------------------------------------


class Resized(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(1, 2, 5, 1, 0), conv(3, 2, 3, 2, 0)

    def forward(self, x, y):
        x = self.a(x)
        return x + F.interpolate(self.b(y), size=x.shape[2:])


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 2, 2, 2), nn.Conv1d(1, 2, 4, 2, 1)

    def forward(self, x, y):
        return torch.cat([self.a(x), self.b(y)], 1)


def test_two_inputs_with_sizes_of_their_own():
    net = Resized().to("meta")
    v = cc.valid_sizes(net, ((1, 1, "H", 9), (1, 3, "A", 9)))
    assert v.proved
    for h in range(1, 15):
        for a in range(1, 15):
            assert ((h, a) in v) == runs_at(net, (1, 1, h, 9), (1, 3, a, 9)), (h, a)


def test_two_inputs_of_one_size():
    net = Joined().to("meta")
    v = cc.valid_sizes(net, ((1, 1, "n"), (1, 1, "n")))
    assert v.proved
    assert [n for n in range(1, 60) if n in v] == [n for n in range(1, 60) if runs_at(net, (1, 1, n), (1, 1, n))]


def test_inputs_whose_sizes_tie_each_other_are_observed():
    net = Joined().to("meta")
    v = cc.valid_sizes(net, ((1, 1, "n"), (1, 1, "m")))
    assert not v.proved
    for n in range(200, 240):
        assert ((n, n) in v) <= runs_at(net, (1, 1, n), (1, 1, n))


# -- what is not proved --------------------------------------------------------------------------------------------


class Root(nn.Module):
    """A size that no formula follows: it may be anything elsewhere."""

    def forward(self, x):
        side = int(x.shape[-1] ** 0.5)
        if side % 2:
            raise ValueError(f"{side} is odd")
        return x[..., : side * side].reshape(1, 1, side, side)


class Caught(nn.Module):
    """A refusal that the model catches is a branch that no comparison tells of."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 5)

    def forward(self, x):
        try:
            return self.conv(x).reshape(1, 4, -1)
        except RuntimeError:
            return x


class Doubling(nn.Module):
    """As many steps as the size has digits: more ways than are looked for."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 2, 2)

    def forward(self, x):
        while x.shape[-1] > 1:
            x = self.conv(x)
        return x


@pytest.mark.parametrize("net", [Root(), Caught()], ids=["root", "caught"])
def test_what_cannot_be_proved_is_what_was_seen_in_a_window_that_is_stated(net):
    v = cc.valid_sizes(net, (1, 1, "n"))
    assert not v.proved
    assert "n in 192..255" in str(v)
    assert v.record()["proved"] is False
    for n in range(192, 256):
        assert (n in v) == runs_at(net.to("meta"), (1, 1, n)), n
        assert (v.why_not(n) is None) == (n in v)


def test_more_ways_than_are_looked_for_are_said_to_be_what_was_seen():
    v = cc.valid_sizes(Doubling(), (1, 1, "n"))
    assert not v.proved
    assert "observed       for 12 ways of the model" in str(v)
    assert all(n in v.runs for n in range(1, 4096))
    assert 10**6 in v.unknown
    assert 10**6 in v  # asked for, it is tried


class Smaller(nn.Module):
    """What compares two axes has regions that are no boxes."""

    def forward(self, x):
        return F.pad(x, (3, 3, 3, 3)) if min(x.shape[2:]) < 7 else x


def test_a_comparison_of_two_axes_is_observed():
    v = cc.valid_sizes(Smaller(), (1, 3, "H", "W"))
    assert not v.proved
    assert (224, 224) in v
    assert (224, 230) in v
    assert (5, 9) in v.unknown  # it was not tried
    assert (5, 9) not in v.runs
    assert (5, 9) in v
    assert v.is_exact(5, 9)
    assert v.why_not(5, 9) is None


def test_a_size_without_a_class_is_never_taken_for_one_that_runs():
    v = cc.valid_sizes(Root(), (1, 1, "n"))
    for n in (10**6, 1001**2):
        assert n in v.unknown
        assert n not in v.runs
        assert (n in v) == runs_at(Root(), (1, 1, n))
        assert (v.why_not(n) is None) == (n in v)


# -- reasons -------------------------------------------------------------------------------------------------------


def test_what_a_model_raises_is_the_reason_with_its_line():
    v = cc.valid_sizes(Divisible(), (1, 3, "H", "W"))
    reason = v.why_not(20, 16)
    assert reason.axes
    assert "divisible by 8" in reason.sentence
    assert "H % 8 != 0, test_sizes_captured.py:" in reason.sentence
    assert v.why_not(16, 16) is None


def test_a_refusing_layer_is_named_by_its_path():
    v = cc.valid_sizes(flat(), (1, 1, "H", "W"))
    assert v.why_not(40, 40).node == "4"
    assert "in_features=36" in v.why_not(40, 40).sentence


def test_a_refusal_is_checked_where_no_time_is_left(monkeypatch):
    class Catching(nn.Module):
        def forward(self, x):
            try:
                return x.view(1, 2, 5, -1).sum(2)
            except RuntimeError:
                return F.pad(x, (0, 1))

    monkeypatch.setattr(legal_captured, "SECONDS", 0.0)
    v = cc.valid_sizes(Catching(), (1, 2, 20))
    assert not v.proved
    for n in range(1, 41):
        assert runs_at(Catching(), (1, 2, n))
        assert n in v.runs or n in v.unknown


@pytest.mark.parametrize("sizes", [(29,), ("W", 12), ("B", "A")])
def test_a_call_that_refused_has_its_formulas_in_the_letters_of_the_question(sizes, monkeypatch):
    monkeypatch.setattr(legal_captured, "AROUND", 1)

    class Parted(nn.Module):
        def forward(self, x):
            return x.reshape(1, 2, 5, x.shape[2] // 5, *x.shape[3:]).amax(2)

    v = cc.valid_sizes(Parted(), (1, 2, *sizes))
    for first in (*range(1, 31), 159, 160):
        asked = first if len(v.axes) == 1 else (first, 12)
        if v.proved or asked not in v.unknown:
            assert (asked in v.runs) == runs_at(Parted(), (1, 2, first, 12)[: len(sizes) + 2])


def test_a_model_that_never_runs_says_what_it_raises():
    class Broken(nn.Module):
        def forward(self, x):
            raise ValueError("not yet")

    with pytest.raises(ConvcalcError, match="not yet"):
        cc.valid_sizes(Broken(), (1, 3, "H", "W"))


def test_sizes_without_a_name_are_a_bad_argument():
    with pytest.raises(ConvcalcError, match="no spatial axis"):
        cc.valid_sizes(nn.Linear(3, 4), (1, 3))


# -- random networks -------------------------------------------------------------------------------------------------


class Steps(nn.Module):
    """Random steps on one axis, with branches and refusals by size between them."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.parts = nn.ModuleList(self._part(step) for step in steps)

    @staticmethod
    def _part(step):
        kind, a, b = step
        match kind:
            case "conv":
                return nn.Conv1d(1, 1, a, b, padding=a // 2)
            case "valid":
                return nn.Conv1d(1, 1, a, b)
            case "pool":
                return nn.MaxPool1d(a, b)
            case "up":
                return nn.ConvTranspose1d(1, 1, a, b)
            case "skip":
                return nn.Conv1d(1, 1, a, padding=a // 2)
            case _:
                return nn.Identity()

    def forward(self, x):
        for (kind, a, b), part in zip(self.steps, self.parts, strict=True):
            n = x.shape[-1]
            y = part(x)
            if kind == "skip":
                x = x + y
            elif kind == "even" and n % a == 0:
                x = F.pad(x, (0, b))
            elif kind == "short" and n < 5 * a:
                x = F.pad(x, (a, b))
            elif kind == "assert" and n % a:
                raise ValueError(f"{n} % {a}")
            elif kind == "multiple":
                x = F.pad(x, (0, -n % a))
            else:
                x = y
        return x


KINDS = ("conv", "valid", "pool", "up", "skip", "even", "short", "assert", "multiple")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(2, 4), st.integers(1, 3)), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_random_networks_agree_with_running_them(steps):
    net = Steps(steps).to("meta").eval()
    try:
        v = cc.valid_sizes(net, (1, 1, "n"))
    except ConvcalcError:  # whatever the size
        assert not any(runs_at(net, (1, 1, n)) for n in range(1, 300))
        return
    far = [1000, 1001, 1002, 1003, 5040, 9999] if v.proved else []
    window = range(1, 90) if v.proved else range(192, 256)
    for n in (*window, *far):
        runs = runs_at(net, (1, 1, n))
        assert (n in v) == runs, (n, str(v))
        assert (n in v.exact) == (runs and not loses_at(net, (1, 1, n))), (n, str(v))
