"""Fields of captured modules that take positions to other axes: windows, tokens, patches, attention, steps.

Each is checked at some outputs against the gradients of the module, with positive weights and inputs in float64.
"""

import pytest

from convcalc import find_fields, find_tiles, find_window
from convcalc.errors import NoSolution
from convcalc.footprints.stencils import (
    blocks,
    conv,
    crop,
    everything,
    everything_before,
    identity,
    nearest,
    pixel_unshuffle,
)

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 -- after the skip
from torch.nn import functional  # noqa: E402

from convcalc.bridge.trace import capture  # noqa: E402


def prepared(module):
    """The module in float64, with positive weights: nothing cancels."""
    module = module.double().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.rand_like(weight) * 0.1 + 0.05)
    return module


def field_of(module, shape):
    """The field of what a captured module gives."""
    captured = capture(module, shape)
    graph = getattr(captured, "graph", captured)
    return find_fields(graph, shape)[graph.outputs[-1]]


def read(module, shape, cell):
    """The positions of the input on which the outputs at a cell depend, all channels together."""
    torch.manual_seed(0)
    signal = (torch.rand(shape, dtype=torch.float64) + 0.5).requires_grad_()
    out = module(signal)
    out[(0, slice(None), *cell)].sum().backward()
    return {tuple(found) for found in signal.grad[0].abs().sum(0).nonzero().tolist()}


def said(field, sizes, cell):
    """The positions that the field says, of those that are inside."""
    cells = [()]
    for axis, size, j in zip(field.axes, sizes, cell, strict=True):
        local = set(axis.at(j))
        before = set(range(max(local, default=size))) if axis.all_before else set()
        after = set(range(min(local, default=0), size)) if axis.all_after else set()
        cells = [(*one, place) for one in cells for place in sorted(local | before | after)]
    return set(cells)


def holds(module, shape, cells):
    """The field of a module, which is what gradients reach of the outputs at these cells."""
    module = prepared(module)
    field = field_of(module, shape)
    assert None not in field.axes
    for cell in cells:
        wanted = said(field, shape[2:], cell)
        found = read(module, shape, cell)
        assert found == wanted if field.exact else found <= wanted, cell
    return field


# -- channels last -----------------------------------------------------------------------------------------------


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 4 * channels)
        self.back = nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        y = self.mix(x).permute(0, 2, 3, 1)
        y = self.scale * self.back(functional.gelu(self.wide(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


def test_a_block_that_works_channels_last_reads_its_convolution_alone():
    field = holds(ConvNeXtBlock(), (1, 3, 9, 10), [(4, 4), (3, 5)])
    assert field.axes == (conv(5, padding=2),) * 2
    assert field.exact
    assert field.is_plain


def test_a_norm_over_channels_in_the_middle_keeps_what_follows_on_its_axes():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.down = nn.LayerNorm(3), nn.Conv2d(3, 4, (2, 3), stride=2)

        def forward(self, x):
            return self.down(self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))

    assert holds(Net(), (1, 3, 8, 9), [(0, 0), (2, 3)]).axes == (conv(2, stride=2), conv(3, stride=2))


def test_a_turned_image_has_its_axes_turned():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, (3, 1))

        def forward(self, x):
            return self.conv(x.transpose(2, 3)).transpose(2, 3)

    assert holds(Turned(), (1, 2, 6, 7), [(2, 2), (5, 0)]).axes == (identity(), conv(3))


# -- patches and windows -----------------------------------------------------------------------------------------


class Patches(nn.Module):
    """Patches by views, each mapped as a vector."""

    def __init__(self, size=2):
        super().__init__()
        self.size, self.linear = size, nn.Linear(3 * size * size, 5)

    def forward(self, x):
        b, c, h, w = x.shape
        p = self.size
        x = x.view(b, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
        x = self.linear(x.reshape(b, (h // p) * (w // p), c * p * p))
        return x.transpose(1, 2).reshape(b, 5, h // p, w // p)


def test_patches_by_views_are_a_convolution_as_wide_as_its_stride():
    assert holds(Patches(), (1, 3, 6, 8), [(0, 0), (1, 2), (2, 3)]).axes == (pixel_unshuffle(2),) * 2


class Shuffle(nn.Module):
    """Pixel shuffle by views."""

    def forward(self, x):
        b, c, h, w = x.shape
        x = x.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(b, c // 4, 2 * h, 2 * w)


def test_pixel_shuffle_by_views_reads_as_nearest():
    assert holds(Shuffle(), (1, 8, 3, 4), [(0, 0), (5, 6), (3, 1)]).axes == (nearest(2),) * 2


def test_channels_made_of_positions_are_all_read_by_a_convolution():
    class Unshuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 2, 3)

        def forward(self, x):
            b, c, h, w = x.shape
            x = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
            return self.conv(x.reshape(b, 4 * c, h // 2, w // 2))

    assert holds(Unshuffle(), (1, 2, 8, 10), [(0, 0), (1, 2)]).axes == (conv(6, stride=2),) * 2


attended = functional.scaled_dot_product_attention


def test_columns_are_the_windows_of_a_convolution():
    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.conv = nn.Linear(18, 4), nn.Conv1d(4, 4, 1)

        def forward(self, x):
            x = functional.unfold(x, 3, stride=2)
            x = self.conv(self.linear(x.transpose(1, 2)).transpose(1, 2))
            return functional.fold(x, (8, 6), 2, stride=2)[:, :, :7, :5]

    field = holds(Columns(), (1, 2, 9, 7), [(0, 0), (3, 2), (6, 4)])
    assert field.axes == (conv(3, stride=2).then(nearest(2)),) * 2
    assert field.exact


def test_padding_and_slices_shift_positions_wherever_they_lie():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 2)

        def forward(self, x):
            x = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 0, 2, 1))
            return self.conv(x[:, 1:, 3:].permute(0, 3, 1, 2))

    assert holds(Shifted(), (1, 2, 8, 9), [(2, 0), (4, 3)]).axes == (crop(-1).then(conv(2)), crop(2).then(conv(2)))


class WindowAttention(nn.Module):
    """Attention within shifted windows, channels last, as a block of a Swin transformer, written out."""

    def __init__(self, channels=4, window=3, shift=0, fused=False):
        super().__init__()
        self.window, self.shift, self.fused = window, shift, fused
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x):
        b, h, w, c = x.shape
        s = self.window
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        y = x.view(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        qkv = self.qkv(y).reshape(y.shape[0], s * s, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        y = attended(q, k, v) if self.fused else (q @ k.transpose(-2, -1)).softmax(-1) @ v
        y = self.out(y.transpose(1, 2).reshape(-1, s * s, c))
        y = y.view(b, h // s, w // s, s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y


class Swin(nn.Module):
    def __init__(self, fused=False, shifts=(0, 1)):
        super().__init__()
        self.blocks = nn.ModuleList(WindowAttention(shift=shift, fused=fused) for shift in shifts)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        for block in self.blocks:
            x = x + block(x)
        return x.permute(0, 3, 1, 2)


@pytest.mark.parametrize("fused", [False, True])
def test_attention_in_windows_is_periodic(fused):
    field = holds(Swin(fused, (0,)), (1, 4, 9, 12), [(0, 0), (4, 7), (8, 3)])
    assert field.axes == (blocks(3),) * 2
    assert field.exact


@pytest.mark.parametrize("fused", [False, True])
def test_shifted_windows_reach_beyond_their_own(fused):
    field = holds(Swin(fused), (1, 4, 15, 15), [(5, 5), (6, 8), (9, 7)])
    shifted = crop(1).then(blocks(3)).then(crop(-1))
    assert field.axes == (blocks(3).then(shifted),) * 2
    assert field.exact


def test_every_other_position_by_slices_is_a_stride():
    class Merging(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Linear(8, 4)

        def forward(self, x):
            x = x.permute(0, 2, 3, 1)
            some = [x[:, i::2, j::2, :] for j in range(2) for i in range(2)]
            return self.down(torch.cat(some, -1)).permute(0, 3, 1, 2)

    field = holds(Merging(), (1, 2, 6, 8), [(0, 0), (2, 3)])
    assert field.axes == (pixel_unshuffle(2),) * 2
    assert field.exact


# -- tokens ------------------------------------------------------------------------------------------------------


class Tokens(nn.Module):
    """Patches by a convolution, tokens, something on them, back to a map."""

    def __init__(self, body, channels=4):
        super().__init__()
        self.patch, self.body = nn.Conv2d(2, channels, 2, stride=2), body

    def forward(self, x):
        x = self.patch(x)
        b, c, h, w = x.shape
        x = self.body(x.flatten(2).transpose(1, 2))
        return x.transpose(1, 2).reshape(b, c, h, w)


class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(1, 2)
        return x + torch.softmax(scores * 0.01, -1) @ self.v(x)


class ByEinsum(ByHand):
    def forward(self, x):
        b, n, c = x.shape
        q, k, v = (one(x).view(b, n, 2, c // 2) for one in (self.q, self.k, self.v))
        scores = torch.einsum("bnhd,bmhd->bhnm", q, k) * 0.01
        return x + torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v).reshape(b, n, c)


class ByModule(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        self.attention = nn.MultiheadAttention(4, 2, batch_first=batch_first)

    def forward(self, x):
        y = x if self.batch_first else x.transpose(0, 1)
        y, _ = self.attention(y, y, y, need_weights=False)
        return x + (y if self.batch_first else y.transpose(0, 1))


class TokenMixing(nn.Module):
    """The mixing of tokens of an MLP-Mixer."""

    def __init__(self, tokens):
        super().__init__()
        self.norm, self.one, self.two = nn.LayerNorm(4), nn.Linear(tokens, 5), nn.Linear(5, tokens)

    def forward(self, x):
        return x + self.two(functional.gelu(self.one(self.norm(x).transpose(1, 2)))).transpose(1, 2)


@pytest.mark.parametrize(
    "body", [ByHand, ByEinsum, ByModule, lambda: ByModule(batch_first=False), lambda: TokenMixing(12)]
)
def test_what_mixes_tokens_sees_everything_beside_its_patch(body):
    field = holds(Tokens(body()), (1, 2, 6, 8), [(0, 0), (1, 2)])
    assert field.axes == (conv(2, stride=2) | everything(),) * 2
    assert field.exact


def test_tokens_that_nothing_mixes_stay_patches():
    class Mlp(nn.Sequential):
        def __init__(self):
            super().__init__(nn.LayerNorm(4), nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))

    assert holds(Tokens(Mlp()), (1, 2, 6, 8), [(0, 0), (2, 3)]).axes == (conv(2, stride=2),) * 2


class Vit(nn.Module):
    """A class token before the others; its answer, or that of all."""

    def __init__(self, fused):
        super().__init__()
        self.patch, self.token = nn.Conv2d(2, 4, 2, stride=2), nn.Parameter(torch.zeros(1, 1, 4))
        self.places = nn.Parameter(torch.zeros(1, 13, 4))
        self.body, self.head = ByModule() if fused else ByHand(), nn.Linear(4, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.head(self.body(x)[:, 0])


@pytest.mark.parametrize("fused", [False, True])
def test_a_class_token_sees_everything_once_attention_has_joined_it(fused):
    model = prepared(Vit(fused))
    captured = capture(model, (1, 2, 6, 8))
    graph = getattr(captured, "graph", captured)
    fields = find_fields(graph, (1, 2, 6, 8))
    cat = next(node.name for node in graph if node.layer.op == "concat")
    assert fields[cat].axes == (None, None)
    assert fields[graph.outputs[-1]].axes == (everything(),) * 2
    assert read(model, (1, 2, 6, 8), ()) == {(i, j) for i in range(6) for j in range(8)}


def test_a_gate_on_channels_sees_everything_beside_the_block():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2), nn.Linear(2, 4)

        def forward(self, x):
            x = self.conv(x)
            gate = torch.sigmoid(self.two(functional.relu(self.one(x.mean((2, 3))))) * 0.01)
            return x * gate.view(x.shape[0], -1, 1, 1)

    assert holds(Gate(), (1, 3, 7, 8), [(3, 3), (2, 5)]).axes == (conv(3, padding=1) | everything(),) * 2


# -- one axis ----------------------------------------------------------------------------------------------------


def test_a_running_sum_reads_what_comes_before():
    class Running(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(2, 2, 3)

        def forward(self, x):
            return self.conv(x).cumsum(-1)

    (axis,) = holds(Running(), (1, 2, 12), [(0,), (5,), (9,)]).axes
    assert (axis.all_before, axis.all_after, axis.receptive_field) == (True, False, 3)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_a_recurrent_network_reads_the_steps_before_and_both_ways_all(kind, batch_first, both):
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = kind(2, 3, batch_first=batch_first, bidirectional=both)

        def forward(self, x):
            x = x.transpose(1, 2) if batch_first else x.permute(2, 0, 1)
            x, _ = self.cell(x * 0.01)
            return x.transpose(1, 2) if batch_first else x.permute(1, 2, 0)

    module = Steps().double()
    field = field_of(module, (1, 2, 7))
    assert field.axes == (identity() | everything() if both else everything_before(),)
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(0.3)
    for j in (0, 3, 6):
        torch.manual_seed(0)
        signal = torch.rand(1, 2, 7, dtype=torch.float64).requires_grad_()
        module(signal)[0, :, j].sum().backward()
        found = {place for place, slope in enumerate(signal.grad[0].sum(0).tolist()) if slope}
        assert found == (set(range(7)) if both else set(range(j + 1)))


def test_the_last_state_of_a_recurrent_network_sees_everything():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn.GRU(2, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x):
            return self.head(self.cell(x.transpose(1, 2))[1][-1])

    assert field_of(Last(), (1, 2, 7)).axes == (everything(),)


def test_attention_to_what_came_before_is_one_sided():
    class Causal(nn.Module):
        def forward(self, x):
            x = x.transpose(1, 2)
            return functional.scaled_dot_product_attention(x * 0.01, x, x, is_causal=True).transpose(1, 2)

    assert holds(Causal(), (1, 2, 8), [(0,), (4,), (7,)]).axes == (everything_before(),)


def test_a_part_of_the_positions_that_no_map_gives_is_unknown():
    class Picked(nn.Module):
        def forward(self, x):
            return x.flip(-1)

    assert field_of(Picked(), (1, 2, 8)).axes == (None,)


# -- the analyses that read fields ---------------------------------------------------------------------------------


class Rolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.conv(torch.roll(x, 2, -1))


def test_a_roll_reads_the_other_end_in_a_window():
    module = prepared(Rolled())
    graph = capture(module, (1, 1, 6, 8))
    graph = getattr(graph, "graph", graph)
    for cell in [(0, 0), (3, 2), (5, 7)]:
        rows, columns = find_window(graph, graph.outputs[-1], cell, (1, 1, 6, 8))
        assert {(i, j) for i in rows.reads for j in columns.reads} == read(module, (1, 1, 6, 8), cell)


def test_there_are_no_tiles_through_a_roll():
    with pytest.raises(NoSolution, match="around the ends"):
        find_tiles(Rolled(), (1, 1, "H", "W"), tile=32)


def test_there_is_no_window_where_positions_have_moved():
    class Last(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1)

    graph = capture(Last(), (1, 3, 6, 8))
    graph = getattr(graph, "graph", graph)
    assert [axis.pattern for axis in find_window(graph, graph.outputs[-1], (1, 1), (1, 3, 6, 8))] == [None, None]
