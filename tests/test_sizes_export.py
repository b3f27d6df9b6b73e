"""Every line for `torch.export` that is printed is one that the exporter takes."""

from __future__ import annotations

import pytest
from chain import valid_sizes_of_chain

import convcalc as cc
from convcalc.analysis.validity.text import sizes_text
from convcalc.network.stack import read_stack

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class UNet(nn.Module):
    """One level, padded, or two with skips that are cut to their middle."""

    def __init__(self, padding):
        super().__init__()
        self.padding = padding
        self.conv, self.up = nn.Conv2d(1, 1, 3, padding=padding), nn.ConvTranspose2d(1, 1, 2, 2)

    def forward(self, x):
        skips = []
        for _ in range(2 - self.padding):
            x = self.conv(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        for skip in reversed(skips):
            x = self.up(x)
            if not self.padding:
                top, left = (skip.size(2) - x.size(2)) // 2, (skip.size(3) - x.size(3)) // 2
                skip = skip[:, :, top : top + x.size(2), left : left + x.size(3)]
            x = x + skip
        return x


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, 1, 2)

    def forward(self, x):
        return self.a(x) + self.b(x)


class Resized(nn.Module):
    def forward(self, x):
        return F.interpolate(F.max_pool2d(x, 4), size=x.shape[2:]) + x


class Multiple(nn.Module):
    def forward(self, x):
        return F.pad(x, (0, 0, 0, -x.shape[2] % 8))


class Pool1d(nn.Module):
    """Which the exporter never takes as dynamic."""

    def forward(self, x):
        return F.max_pool1d(x[0], 2)


class Odd(nn.Module):
    def forward(self, x):
        return F.max_pool2d(x, 2) if x.shape[2] % 2 else x


NETS = {
    "pool": (lambda: nn.Sequential(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2)), ('Dim("n", min=6)',)),
    "ceil pool": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.MaxPool2d(3, 2, ceil_mode=True)), None),
    "padded": (lambda: UNet(1), None),
    "residual": (Residual, ('Dim("n", min=3)',)),
    "resized": (Resized, ('Dim("n", min=8)',)),
    "flat": (lambda: nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(130, 1)), None),
    "shuffled": (lambda: nn.Sequential(nn.Conv2d(1, 1, 4, 4), nn.Upsample(scale_factor=2), nn.AvgPool2d(3, 2)), None),
}


def exported(net, v):
    """The sizes of one example that each printed dimension is exported at."""
    (box,) = v.export.boxes
    found = []
    for text in v.export["n"].dims("n"):
        size = eval(text, {"Dim": torch.export.Dim})
        example = size if isinstance(size, int) else next(n for n in box[0] if n > 20 or box[0].is_finite)
        shapes = None if isinstance(size, int) else ({2: size},)
        torch.export.export(net.eval(), (torch.zeros(1, 1, example, 26),), dynamic_shapes=shapes)
        found.append(example)
    return found


@pytest.mark.parametrize("name", NETS)
def test_every_printed_line_is_taken_by_the_exporter(name):
    make, dims = NETS[name]
    net = make()
    v = cc.valid_sizes(net, (1, 1, "n", 26))
    assert all(n in v.runs for n in exported(net, v))
    assert dims is None or v.export["n"].dims("n") == dims
    assert "export" in sizes_text(v, None)


@pytest.mark.parametrize("net", [Multiple(), Pool1d(), Odd()], ids=lambda net: type(net).__name__)
def test_no_line_is_printed_that_the_exporter_refuses(net):
    v = cc.valid_sizes(net, (1, 1, "n", 26))
    assert v.proved
    assert "export" not in sizes_text(v, None)


@pytest.mark.parametrize(
    ("stack", "least"),
    [
        ("conv 8 k3; maxpool k2 s2", 6),
        ("conv 8 k10 s5; conv 8 k3 s2 *4; conv 8 k2 s2 *2", 720),
        ("conv 64 k7 s2 p3; maxpool k3 s2 p1; conv 64 k3 s2 p1 *3", 33),
    ],
)
def test_no_map_inside_has_one_row(stack, least):
    v = valid_sizes_of_chain(read_stack(stack), (1, 1, "n", 999))
    assert v.export["n"].dims("n") == (f'Dim("n", min={least})',)


def test_a_cropping_unet_is_exported_where_no_division_leaves_a_remainder():
    assert cc.valid_sizes(cc.zoo.unet(), (1, 1, "H", "W")).export["H"].dims("H") == ('16*Dim("h", min=11) + 12',)
