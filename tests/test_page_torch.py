"""The page of a torch module's report tells of other sizes what is known of them, and of no others."""

from __future__ import annotations

import pytest

import convcalc as cc

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.conv = nn.Parameter(torch.zeros(1, 64, 4)), nn.Conv2d(3, 4, 8, 8)

    def forward(self, x):
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        return tokens + self.table[:, : tokens.size(1)]


class Square(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2)

    def forward(self, x):
        if x.shape[2] != x.shape[3]:
            raise ValueError("must be square")
        assert x.shape[2] % 2 == 0, f"size {x.shape[2]} is odd"
        return self.conv(x)


class Longer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv1d(2, 4, 5, 3), nn.Conv1d(4, 4, 3, 2, 1)

    def forward(self, x):
        x = self.conv(x)
        return self.last(functional.pad(x, (0, 6 - x.size(-1))) if x.size(-1) < 6 else x)


@pytest.mark.parametrize(
    ("model", "shape", "sizes", "said"),
    [
        (Positions, (1, 3, 40, 40), (62, 5), "Does not run. conv: axis W: kernel does not fit: it spans 8"),
        (
            Positions,
            (1, 3, 40, 40),
            (99, 150),
            "Does not run. add: add takes equal sizes, or 1, on axis C: got (1, 216",
        ),
        (Positions, (1, 3, 40, 40), (32, 76), "Runs, but loses rows. conv: axis W: 4 of 76 rows dropped"),
        (Square, (1, 3, 32, 32), (13, 5), "Not told here."),
        (Square, (1, 3, 32, 32), (32, 32), "Runs, but loses rows. conv: axis H: 1 of 32 rows dropped"),
        (
            Longer,
            (1, 2, 100),
            (94,),
            "Runs, but loses rows. conv: 2 of 94 rows dropped: no window of 5 fits",
        ),
        (Longer, (1, 2, 12), (12,), "Runs, but loses rows. conv: 1 of 12 rows dropped"),
        (Longer, (1, 2, 12), (50,), "Not told here."),
        (lambda: nn.PixelUnshuffle(2), (1, 3, 20, 20), (31, 31), "2 must divide the size 31; use 30 or 32. Closest"),
        (lambda: nn.PixelUnshuffle(2), (1, 3, 20, 20), (1, 1), "2 must divide the size 1; use 2. Closest"),
    ],
)
def test_what_a_module_does_at_other_sizes_is_told_as_far_as_it_is_known(model, shape, sizes, said, visit):
    page = visit(cc.inspect(model(), shape).to_html())
    for letter, size in zip("HW" if len(sizes) > 1 else "L", sizes, strict=True):
        page.get_by_label(letter, exact=True).fill(str(size))
    assert said in page.get_by_role("status").inner_text()
