"""Small networks as people write them, captured: shapes, formulas, parameters and MACs are those of torch."""

# ruff: noqa: E402 -- what captures needs torch, which is asked for first
import copy
import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from calls import flat, outputs
from torch.utils.flop_counter import FlopCounterMode

from convcalc import inspect
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.bridge.trace import capture
from convcalc.layers import Opaque

nn, F = torch.nn, torch.nn.functional


class Block(nn.Module):
    """A residual block, its shortcut a projection where the shape changes."""

    def __init__(self, inner, out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.short = nn.Sequential(nn.Conv2d(inner, out, 1, stride), nn.BatchNorm2d(out)) if stride > 1 else None
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(out, 4, 1), nn.ReLU(), nn.Conv2d(4, out, 1))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        y *= self.gate(y).sigmoid()
        y += x if self.short is None else self.short(x)
        return y.relu_()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.layers = nn.Sequential(Block(8, 8), Block(8, 16, 2), Block(16, 32, 2))
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.layers(self.stem(x))
        return {"logits": self.fc(torch.flatten(x.mean((2, 3)), 1)), "features": x}


class UNet(nn.Module):
    """Skips by `interpolate(size=...)`, so that any size fits."""

    def __init__(self):
        super().__init__()
        widths = (3, 8, 16, 32)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b + a, a, 3, padding=1) for a, b in ((8, 16), (16, 32)))
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        size, skips = x.shape[-2:], []
        for conv in self.down:
            x = F.relu(conv(x))
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = F.interpolate(x, size=skips.pop().shape[2:])
        for conv in reversed(self.up):
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = F.relu(conv(torch.cat([x, skip], dim=1)))
        return F.interpolate(self.head(x), size)


class Shifted(nn.Module):
    """Attention in shifted windows, padded to whole ones."""

    def __init__(self, dim=16, heads=4, window=4):
        super().__init__()
        self.window, self.heads = window, heads
        self.patch = nn.Conv2d(3, dim, 4, 4)
        self.norm = nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("index", torch.zeros(window**2, window**2, dtype=torch.long))
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Dropout(0.1), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        b, h, w, c = x.shape
        m = self.window
        y = F.pad(self.norm(x), (0, 0, 0, (m - w % m) % m, 0, (m - h % m) % m))
        _, hp, wp, _ = y.shape
        y = torch.roll(y, (-m // 2, -m // 2), (1, 2))
        y = y.view(b, hp // m, m, wp // m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m, c)
        q, k, v = self.qkv(y).reshape(-1, m * m, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)
        bias = self.table[self.index.view(-1)].view(m * m, m * m, -1).permute(2, 0, 1).contiguous()
        y = (scores + bias.unsqueeze(0)).softmax(-1) @ v
        y = self.proj(y.transpose(1, 2).reshape(-1, m, m, c))
        y = y.view(b, hp // m, wp // m, m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(b, hp, wp, c)
        x = x + torch.roll(y, (m // 2, m // 2), (1, 2))[:, :h, :w].contiguous()
        return x + self.mlp(self.norm(x))


class ConvNeXt(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 4, 4)
        self.dw = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6))
        self.shrink = nn.Sequential(nn.GroupNorm(1, dim), nn.Conv2d(dim, 2 * dim, 2, 2))

    def forward(self, x):
        x = self.stem(x)
        y = self.norm(self.dw(x).permute(0, 2, 3, 1))
        y = self.gamma * self.down(F.gelu(self.up(y)))
        return self.shrink(x + y.permute(0, 3, 1, 2))


class Tagger(nn.Module):
    """Frames of sound to labels, and a summary."""

    def __init__(self):
        super().__init__()
        self.front = nn.Sequential(nn.Conv1d(8, 16, 5, stride=2), nn.ReLU(), nn.MaxPool1d(2))
        self.lstm = nn.LSTM(16, 12, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        y, (hidden, _) = self.lstm(self.front(x).transpose(1, 2))
        return self.head(y).log_softmax(-1), torch.cat([hidden[-2], hidden[-1]], dim=1)


class Detector(nn.Module):
    """A transformer over positions with sine embeddings, and learned queries."""

    def __init__(self, dim=16, queries=7):
        super().__init__()
        self.dim = dim
        self.backbone = nn.Sequential(nn.Conv2d(3, dim, 3, 4, 1), nn.ReLU(), nn.Conv2d(dim, dim, 3, 4, 1))
        self.queries = nn.Embedding(queries, dim)
        self.transformer = nn.Transformer(dim, 4, 1, 1, 32, batch_first=True)
        self.classes, self.boxes = nn.Linear(dim, 4), nn.Linear(dim, 4)

    def positions(self, x):
        b, _, h, w = x.shape
        rows = torch.arange(1, h + 1, dtype=torch.float32, device=x.device) / h * 2 * math.pi
        columns = torch.arange(1, w + 1, dtype=torch.float32, device=x.device) / w * 2 * math.pi
        rates = 10000 ** (2 * torch.arange(self.dim // 4, device=x.device) / (self.dim / 2))
        y = rows[:, None, None].expand(h, w, 1) / rates
        z = columns[None, :, None].expand(h, w, 1) / rates
        some = [torch.stack((p.sin(), p.cos()), dim=3).flatten(2) for p in (y, z)]
        return torch.cat(some, dim=2).permute(2, 0, 1).unsqueeze(0).repeat(b, 1, 1, 1)

    def forward(self, x):
        x = self.backbone(x)
        x = (x + self.positions(x)).flatten(2).transpose(1, 2)
        y = self.transformer(x, self.queries.weight.unsqueeze(0).expand(x.shape[0], -1, -1))
        return {"logits": self.classes(y), "boxes": self.boxes(y).sigmoid()}


class Same(nn.Conv2d):
    """TensorFlow's SAME padding, worked out from the size."""

    def forward(self, x):
        (h, w), (k, _), (s, _) = x.shape[-2:], self.kernel_size, self.stride
        down, right = ((math.ceil(n / s) - 1) * s + k - n for n in (h, w))
        down, right = max(down, 0), max(right, 0)
        if down > 0 or right > 0:
            x = F.pad(x, [right // 2, right - right // 2, down // 2, down - down // 2])
        return super().forward(x)


class EfficientNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Same(3, 8, 3, 2)
        self.grow, self.dw = nn.Conv2d(8, 16, 1), Same(16, 16, 5, 2, groups=16)
        self.squeeze, self.excite = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.project = nn.Conv2d(16, 8, 1)

    def forward(self, x):
        x = self.dw(F.silu(self.grow(F.silu(self.stem(x)))))
        x = x * self.excite(F.silu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))).sigmoid()
        return self.project(x)


class Shuffle(nn.Module):
    """Half of the channels goes around, then the groups are shuffled."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.branch = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, groups=4))

    def forward(self, x):
        a, b = self.stem(x).chunk(2, dim=1)
        x = torch.cat((a, self.branch(b)), dim=1)
        n, c, h, w = x.size()
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


MODELS = {
    "resnet": (ResNet, (1, 3, 64, 80)),
    "unet": (UNet, (1, 3, 64, 48)),
    "swin": (Shifted, (1, 3, 64, 48)),
    "convnext": (ConvNeXt, (1, 3, 64, 48)),
    "tagger": (Tagger, (2, 8, 100)),
    "detr": (Detector, (1, 3, 96, 64)),
    "efficientnet": (EfficientNet, (1, 3, 64, 48)),
    "shufflenet": (Shuffle, (1, 3, 64, 48)),
}
STEPS = ((32, 16), (1, 3), (-9, 13), (7, -6), (17, 34))


def tensors(value):
    """The tensors of an output."""
    return list(value.values()) if isinstance(value, dict) else value


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    make, shape = MODELS[request.param]
    torch.manual_seed(0)
    net = make().eval()
    return net, shape, capture(net, shape)


def run(net, shape):
    with torch.no_grad():
        return flat(tensors(net(torch.rand(shape))))


def test_nothing_is_opaque_and_no_size_is_lost(model):
    _, _, graph = model
    assert graph.capture.error is None
    assert (graph.capture.lost, graph.capture.remarks) == ((), ())
    assert not any(isinstance(node.layer, Opaque) for node in graph)


def test_output_shapes_are_those_of_a_forward_pass(model):
    net, shape, graph = model
    assert outputs(graph, [shape]) == run(net, shape)


def test_formulas_give_the_shapes_of_other_sizes(model):
    net, shape, graph = model
    report = inspect(graph)
    rows = {row.name: row for row in report.layers}
    letters = [str(size) for size in graph.capture.letters[0][2:]]
    held = 0
    for step in STEPS:
        other = (*shape[:2], *(size + change for size, change in zip(shape[2:], step, strict=False)))
        theirs = run(net, other)
        assert outputs(graph, [other]) == theirs  # where the model takes another way, it is captured again
        if not graph.holds({graph.inputs[0]: other}):
            continue
        held += 1
        values = dict(zip(letters, other[2:], strict=True))
        for name, expected in zip(graph.outputs, theirs, strict=True):
            row = rows[name.partition("[")[0]]
            if row.name == name:
                formula = row.symbolic
                assert tuple(s if isinstance(s, int) else s(**{n: values[n] for n in s.symbols}) for s in formula) == (
                    expected
                )
    assert held >= 1


def test_parameters_are_counted_once(model):
    net, _, graph = model
    assert inspect_graph(graph).params == sum(value.numel() for value in net.parameters())


def test_multiply_accumulates_are_those_of_torchs_counter(model):
    net, shape, graph = model
    net = copy.deepcopy(net).to("meta").requires_grad_(requires_grad=False)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            net(torch.rand(shape))
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    assert inspect_graph(graph).macs == counter.get_total_flops() // 2


def test_outputs_keep_their_names():
    graph = capture(ResNet(), (1, 3, 64, 64))
    assert graph.labels == ("logits", "features")


class Sound(nn.Module):
    """Raw sound (N, T), as wav2vec 2.0 takes it (arXiv:2006.11477): its convolutions have total stride 320."""

    def __init__(self):
        super().__init__()
        windows = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
        sizes = (1, *[4] * len(windows))
        self.convs = nn.Sequential(
            *(nn.Conv1d(a, b, k, s) for (a, b), (k, s) in zip(pairwise(sizes), windows, strict=True))
        )

    def forward(self, x):
        return self.convs(x[:, None]).transpose(1, 2)


def test_a_size_asked_for_by_name_is_a_letter_on_any_axis():
    (_, frames, _) = inspect(Sound(), (1, "T")).output
    for samples in (400, 719, 720, 16000, 16001):
        with torch.no_grad():
            assert frames(T=samples) == Sound()(torch.rand(1, samples)).shape[1] == (samples - 80) // 320
    batch, channels, *_ = inspect(nn.Flatten(0, 1), ("B", 3, 4, "W")).output
    assert str(batch) == "3*B"
    assert channels == 4
