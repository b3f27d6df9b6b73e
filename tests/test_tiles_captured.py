"""Tiles of torch modules: their outputs, put together, are those of the whole image, value by value."""

from __future__ import annotations

import pytest

from convcalc import find_tiles
from convcalc.errors import NoSolution

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class UNet(nn.Module):
    """One level; what comes up is brought to the skip's size."""

    def __init__(self, join):
        super().__init__()
        self.join = join
        self.down, self.middle = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.up = nn.ConvTranspose2d(2, 2, 2, 2)
        self.register_buffer("scale", torch.full((1, 4, 1, 1), 0.5))

    def forward(self, x):
        skip = self.down(x)
        x = self.up(F.relu(self.middle(F.max_pool2d(skip, 2))))
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        if self.join == "pad":
            x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        elif self.join == "crop":
            skip = skip[:, :, dy // 2 : dy // 2 + x.shape[2], dx // 2 : dx // 2 + x.shape[3]]
        else:
            x = F.interpolate(x, size=skip.shape[2:])
        return torch.cat([skip, x], 1) * self.scale


class Parity(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.up = nn.Conv2d(1, 2, 3, 2, 1), nn.ConvTranspose2d(2, 1, 2, 2)

    def forward(self, x):
        if x.shape[2] % 2:
            x = F.pad(x, (0, 0, 0, 1))
        if x.shape[3] % 2:
            x = F.pad(x, (0, 1, 0, 0))
        return {"first": x.mean(), "last": self.up(self.conv(x)) + x}


class Gated(nn.Module):
    """Two pieces of the channels, in place, and a constant that every place shares."""

    def __init__(self):
        super().__init__()
        self.conv, self.bias = nn.Conv2d(1, 4, 3), nn.Parameter(torch.ones(2, 1, 1))

    def forward(self, x):
        a, b = F.relu(self.conv(x), inplace=True).chunk(2, 1)
        return a * torch.sigmoid(b) + self.bias + torch.zeros(b.shape[2:])


def together(net, x, tiles):
    """The output of a module, tile by tile."""
    rows = []
    for i in range(tiles.axes[0].count):
        row = []
        for j in range(tiles.axes[1].count):
            top, left = tiles.axes[0].starts[i], tiles.axes[1].starts[j]
            out = last(net(x[:, :, top : top + tiles.axes[0].tile, left : left + tiles.axes[1].tile]))
            (a, b), (c, d) = tiles.axes[0].kept(i), tiles.axes[1].kept(j)
            row.append(out[:, :, a:b, c:d])
        rows.append(torch.cat(row, 3))
    return torch.cat(rows, 2)


def last(out):
    return out["last"] if isinstance(out, dict) else out


@pytest.mark.parametrize("size", [(60, 52), (61, 53), (52, 61)])
@pytest.mark.parametrize(
    "make",
    [lambda: UNet("pad"), lambda: UNet("crop"), lambda: UNet("resize"), Parity, Gated],
    ids=["pad", "crop", "resize", "parity", "gated"],
)
def test_tiles_of_a_module_put_together_are_the_whole(make, size):
    torch.manual_seed(0)
    net = make().double().eval()
    if getattr(net, "join", "") == "resize" and size != (60, 52):
        with pytest.raises(NoSolution, match="interpolate forbids exact tiles"):  # 60 rows resized to 61
            find_tiles(net, (1, 1, "H", "W"), tile=30, image=size)
        return
    tiles = find_tiles(net, (1, 1, "H", "W"), tile=30, image=size)
    assert tiles.count > 3
    x = torch.randn(1, 1, *size, dtype=torch.float64)
    with torch.no_grad():
        whole, parts = last(net(x)), together(net, x, tiles)
    assert whole.shape == parts.shape
    assert torch.allclose(whole, parts, rtol=0, atol=1e-12)


class Grid(nn.Module):
    """Coordinates: in a tile they are others than in the image."""

    def forward(self, x):
        return x + torch.linspace(0, 1, x.shape[-1])


class Quarter(nn.Module):
    def forward(self, x):
        return x[:, :, x.shape[2] // 4 :]


class Tokens(nn.Module):
    def forward(self, x):
        tokens = x.flatten(2)
        return (torch.softmax(tokens.transpose(1, 2) @ tokens, -1) @ tokens.transpose(1, 2)).transpose(1, 2)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4)), "1 forbids exact tiles: groupnorm sees the whole"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1)), "1 forbids exact tiles: its size does not grow"),
        (Grid(), "forbids exact tiles: the values of linspace depend on the place"),
        (Quarter(), "forbids exact tiles"),
        (Tokens(), "flatten forbids exact tiles"),
        (nn.Sequential(nn.Flatten(), nn.Linear(100, 2)), "no period is known|only finitely many sizes|forbids"),
    ],
    ids=["groupnorm", "pool", "grid", "quarter", "attention", "flatten"],
)
def test_what_forbids_tiles_of_a_module_is_named(net, message):
    with pytest.raises(NoSolution, match=message):
        find_tiles(net, (1, 1, "H", "W"), tile=32)
