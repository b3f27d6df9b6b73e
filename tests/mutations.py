"""Working models with one thing made wrong: what is wrong, where it must be found, and what undoes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

F = nn.functional


@dataclass
class Mutant:
    """A model that fails on inputs of these shapes at `place`; `undone` is whether a repair undoes what was done."""

    kind: str
    module: nn.Module
    shapes: list[tuple[int, ...]]
    place: str
    undone: Callable[[str], bool]
    settings: dict[str, Any] = field(default_factory=dict)


def starts(*texts: str) -> Callable[[str], bool]:
    return lambda what: what.startswith(texts)


class Chain(nn.Module):
    """A classifier as in every course: blocks, a flatten or none, two linear layers."""

    def __init__(self, draw, axes=2, norm=True, flat=True):
        super().__init__()
        conv = (nn.Conv1d, nn.Conv2d)[axes - 1]
        self.pool, widths = (F.max_pool1d, F.max_pool2d)[axes - 1], [3]
        for at in range(draw.randint(1, 3)):
            widths.append(draw.choice([8, 12, 16, 20, 24]))
            setattr(self, f"conv{at}", conv(widths[-2], widths[-1], draw.choice([1, 3, 5]), padding="same"))
            setattr(
                self, f"norm{at}", (nn.BatchNorm1d, nn.BatchNorm2d)[axes - 1](widths[-1]) if norm else nn.Identity()
            )
        self.depth, self.flat = len(widths) - 1, flat
        self.size = draw.choice([16, 24, 32, 40])
        rest = (self.size // 2**self.depth) ** axes
        self.fc = nn.Linear(widths[-1] * rest, 32)
        self.head = nn.Linear(32, 10)
        self.widths, self.axes = widths, axes

    def forward(self, x):
        for at in range(self.depth):
            x = self.pool(F.relu(getattr(self, f"norm{at}")(getattr(self, f"conv{at}")(x))), 2)
        x = torch.flatten(x, 1) if self.flat else x
        return self.head(F.relu(self.fc(x)))


class Steps(nn.Module):
    """Convolution, then a recurrent layer or tokens, with or without the turn between them."""

    def __init__(self, draw, what):
        super().__init__()
        self.channels = draw.choice([8, 16, 20])
        self.conv = nn.Conv1d(4, self.channels, draw.choice([3, 5]), stride=draw.randint(1, 2))
        if what is nn.Linear:
            self.r = nn.Linear(self.channels, 12)
        else:
            self.r = what(self.channels, 12, batch_first=True, bidirectional=draw.random() < 0.3)
        self.fc = nn.Linear(24 if getattr(self.r, "bidirectional", False) else 12, 3)

    def forward(self, x):
        y = self.r(self.conv(x))
        return self.fc((y[0] if isinstance(y, tuple) else y)[:, -1])


class Attend(nn.Module):
    """Convolution, then attention over its positions, without the turn between them."""

    def __init__(self, width, part):
        super().__init__()
        self.conv, self.t = nn.Conv1d(4, width, 5, 2), part

    def forward(self, x):
        x = self.conv(x)
        return self.t(x, x, x)[0] if isinstance(self.t, nn.MultiheadAttention) else self.t(x)


class Up(nn.Module):
    """A U-Net of some levels."""

    def __init__(self, draw, kernel=2):
        super().__init__()
        self.levels, base = draw.randint(1, 3), draw.choice([4, 6, 8])
        self.inc = nn.Conv2d(1, base, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(base, base, 3, padding=1) for _ in range(self.levels))
        extra = {"padding": 1} if kernel == 3 else {}
        self.up = nn.ModuleList(nn.ConvTranspose2d(base, base, kernel, stride=2, **extra) for _ in range(self.levels))
        self.dec = nn.ModuleList(nn.Conv2d(2 * base, base, 3, padding=1) for _ in range(self.levels))

    def forward(self, x):
        kept = [self.inc(x)]
        for conv in self.down:
            kept.append(conv(F.max_pool2d(kept[-1], 2)))
        y = kept.pop()
        for up, dec in zip(self.up, self.dec, strict=True):
            y = dec(torch.cat([up(y), kept.pop()], 1))
        return y


class Res(nn.Module):
    """A residual block."""

    def __init__(self, c, out, stride, padding=1, shortcut=None):
        super().__init__()
        self.a = nn.Conv2d(c, out, 3, stride=stride, padding=1)
        self.b = nn.Conv2d(out, out, 3, padding=padding)
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x):
        return F.relu(self.b(F.relu(self.a(x))) + self.shortcut(x))


class Sized(nn.Module):
    """A transposed convolution with an output size."""

    def __init__(self, wanted):
        super().__init__()
        self.down, self.up, self.wanted = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 3, 2, 1), wanted

    def forward(self, x):
        return self.up(self.down(x), output_size=self.wanted(x.shape[2:]))


class Grouped(nn.Module):
    """The deviation over groups of samples as one more channel, as in generative networks."""

    def __init__(self, group):
        super().__init__()
        self.conv, self.fc, self.group = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(9 * 16, 1), group

    def forward(self, x):
        x = self.conv(x)
        c, h, w = x.shape[1:]
        y = x.view(self.group, -1, c, h, w)
        y = (y - y.mean(0)).pow(2).mean(0).mean([1, 2, 3], keepdim=True).repeat(self.group, 1, h, w)
        return self.fc(torch.cat([x, y], 1).flatten(1))


class Table(nn.Module):
    """Patches and a table of positions."""

    def __init__(self, tokens, width, patch):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.pos = nn.Parameter(torch.zeros(1, tokens, width))

    def forward(self, x):
        return self.patch(x).flatten(2).transpose(1, 2) + self.pos


class Scores(nn.Module):
    """Queries times keys."""

    def forward(self, q, k):
        return (q @ k).softmax(-1)


class Flat(nn.Module):
    """A view with a hard-coded number."""

    def __init__(self, channels, count):
        super().__init__()
        self.conv, self.fc, self.count = nn.Conv2d(3, channels, 3, padding=1), nn.Linear(count, 5), count

    def forward(self, x):
        return self.fc(F.max_pool2d(self.conv(x), 2).view(x.shape[0], self.count))


def mutants(seed: int) -> Iterator[Mutant]:
    """One mutant of each kind, drawn."""
    draw = random.Random(seed)
    n = draw.choice([1, 2, 4])

    def image(net):
        return [(n, 3, *(net.size,) * net.axes)]

    net = Chain(draw, draw.randint(1, 2))
    right = net.fc.in_features
    net.fc = nn.Linear(right + draw.choice([-8, 16, 100]), 32)
    yield Mutant("features", net, image(net), "fc", starts(f"fc: nn.Linear({right}, 32)"))

    net = Chain(draw, draw.randint(1, 2))
    net.head = nn.Linear(32 + draw.choice([-8, 8]), 10)
    yield Mutant("features after features", net, image(net), "head", starts("head: nn.Linear(32, 10)"))

    net = Chain(draw, draw.randint(1, 2))
    at = draw.randrange(net.depth)
    old = getattr(net, f"conv{at}")
    wrong = type(old)(old.in_channels + draw.choice([1, 5, 8]), old.out_channels, old.kernel_size, padding="same")
    setattr(net, f"conv{at}", wrong)
    name = type(old).__name__
    text = f"conv{at}: nn.{name}({old.in_channels}, {old.out_channels},"
    yield Mutant("channels", net, image(net), f"conv{at}", starts(text))

    net = Chain(draw, draw.randint(1, 2))
    at = draw.randrange(net.depth)
    old = getattr(net, f"norm{at}")
    setattr(net, f"norm{at}", type(old)(old.num_features + draw.choice([-4, 4, 8])))
    text = f"norm{at}: nn.{type(old).__name__}({old.num_features})"
    yield Mutant("features of a norm", net, image(net), f"norm{at}", starts(text))

    net = Chain(draw, draw.randint(1, 2), flat=False)
    yield Mutant("a flatten forgotten", net, image(net), "fc", lambda what: what.endswith(".flatten(1) before fc"))

    width = draw.choice([8, 16])
    first = draw.random() < 0.5
    order = (0, 2, 1) if first else (2, 0, 1)
    part = draw.choice(
        [
            nn.MultiheadAttention(width, 2, batch_first=first),
            nn.TransformerEncoderLayer(width, 2, 16, batch_first=first),
            nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 2, 16, batch_first=first), 1),
        ]
    )
    yield Mutant("attention", Attend(width, part), [(n, 4, 50)], "t*", starts(f"conv.permute{order} before t"))

    kind = draw.choice([nn.LSTM, nn.GRU, nn.RNN])
    length = draw.choice([47, 50, 61])
    net = Steps(draw, kind)
    yield Mutant("a turn forgotten", net, [(n, 4, length)], "r", starts("conv.transpose(1, 2) before r"))

    net = Steps(draw, nn.Linear)
    yield Mutant("tokens", net, [(n, 4, length)], "r", starts("conv.movedim(1, -1) before r"))

    net = Up(draw)
    step = 2**net.levels
    sizes = [draw.randint(2, 5) * step + draw.randint(1, step - 1), draw.randint(2, 5) * step]
    yield Mutant("an odd size", net, [(n, 1, *draw.sample(sizes, 2))], "cat*", lambda what: True)

    net = Up(draw, kernel=3)
    sizes = [draw.randint(2, 5) * 2**net.levels for _ in range(2)]
    yield Mutant("output_padding", net, [(n, 1, *sizes)], "cat*", lambda what: "output_padding=1" in what)

    c, out = draw.choice([8, 16]), draw.choice([8, 16, 24])
    stride = draw.randint(1, 2)
    if (c, stride) != (out, 1):
        size = draw.choice([16, 20, 24])
        yield Mutant(
            "no projection", Res(c, out, stride), [(n, c, size, size)], "add", lambda what: " on x before add" in what
        )
        short = nn.Conv2d(c, out, 1, stride=3 - stride)
        yield Mutant(
            "stride of a shortcut",
            Res(c, out, stride, shortcut=short),
            [(n, c, size, size)],
            "add",
            starts(f"shortcut: nn.Conv2d({c}, {out}, 1{', stride=2' if stride == 2 else ''})"),
        )
    yield Mutant(
        "padding", Res(c, c, 1, padding=0), [(n, c, 12, 15)], "add", starts(f"b: nn.Conv2d({c}, {c}, 3, padding=1)")
    )

    net = Chain(draw, 2, norm=False)
    yield Mutant(
        "channels last", net, [(n, net.size, net.size, 3)], "conv0", starts(f"input_size=({n}, 3, {net.size},")
    )
    net = Chain(draw, 2)
    yield Mutant("no batch", net, [(3, net.size, net.size)], "norm0", starts("a batch axis in front"))

    h, w = draw.sample([12, 20, 30, 41], 2)
    yield Mutant(
        "output_size",
        Sized(lambda sizes: (sizes[1], sizes[0])),
        [(n, 3, h, w)],
        "up",
        starts(f"output_size=({h}, {w}) in up"),
    )

    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    yield Mutant("batch of one", net, [(1, 6)], "1", starts("input_size=(2, 6)"), {"train": True})
    group = draw.choice([2, 4])
    few = draw.choice([1, 2]) if group == 4 else 1
    yield Mutant(
        "groups of samples", Grouped(group), [(few, 3, 4, 4)], "view", starts(f"input_size=({group}, 3, 4, 4)")
    )

    patch, side, width = draw.choice([2, 4]), draw.randint(3, 6), draw.choice([8, 12])
    other = side + draw.choice([-1, 1, 2])
    yield Mutant(
        "positions",
        Table(side**2, width, patch),
        [(n, 3, other * patch, other * patch)],
        "add",
        starts(f"input_size=({n}, 3, {side * patch}, {side * patch})", "pos: a parameter"),
    )

    t, d = draw.sample([5, 7, 9, 16], 2)
    yield Mutant("keys", Scores(), [(n, t, d), (n, t, d)], "matmul", starts("k.transpose(-2, -1) in matmul"))

    channels, size = draw.choice([4, 8]), draw.choice([12, 16, 20])
    other = size + draw.choice([-4, 4, 8])
    net = Flat(channels, channels * (size // 2) ** 2)
    yield Mutant("a view", net, [(n, 3, other, other)], "view", starts(f"input_size=({n}, 3, {size}, {size})"))

    width, wrong = draw.sample([8, 12, 16, 20], 2)
    net = nn.Sequential(nn.Linear(5, width), nn.LayerNorm(wrong), nn.Linear(width, 2))
    yield Mutant("normalized_shape", net, [(n, 7, 5)], "1", starts(f"1: nn.LayerNorm({width})"))

    net = nn.Sequential(*(part for _ in range(3) for part in (nn.Conv2d(3, 3, 3), nn.MaxPool2d(2))))
    yield Mutant("an image too small", net, [(n, 3, 20, 20)], "5", starts(f"input_size=({n}, 3, 22, 22)"))

    net = nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 4, 3))
    yield Mutant("no depth", net, [(n, 2, 9, 11)], "0", starts(f"input_size=({n}, 2, 16, 9, 11)"))
