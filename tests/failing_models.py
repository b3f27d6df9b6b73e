"""Models that break, each as people write it, with what is wrong, and the same model as it should be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

F = nn.functional


@dataclass(frozen=True)
class Case:
    """A model, its inputs, and what is to be said: the sentence, the failing line, the repairs in order.

    `rewritten` has, for each repair that is a change of code, a model in which that code is changed.
    """

    name: str
    make: Callable[[], nn.Module]
    shapes: Sequence[tuple[int, ...]]
    message: str
    line: str
    fixes: Sequence[str]
    kind: str = "bad_shape"
    rewritten: Mapping[str, Callable[[], nn.Module]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def number(self) -> int | None:
        """The number of the failing line in its file."""
        if not self.line:
            return None
        lines, first = inspect.getsourcelines(type(self.make()))
        return first + next(place for place, text in enumerate(lines) if text.strip() == self.line)


class Net(nn.Module):
    """Two convolutions and a linear layer that was counted for 32 x 32."""

    before: nn.Module = nn.Identity()

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(2048, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.before(x).flatten(1)
        return self.fc(x)


class PooledNet(Net):
    before = nn.AdaptiveAvgPool2d(8)


class ChannelsLastNet(Net):
    def forward(self, x):
        return super().forward(x.permute(0, 3, 1, 2))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 8, 3, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, padding=1)
        self.mid = nn.Conv2d(16, 16, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.dec2 = nn.Conv2d(32, 8, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.dec1 = nn.Conv2d(16, 1, 3, padding=1)

    def join(self, up, skip):
        return torch.cat([up, skip], 1)

    def forward(self, x):
        one = F.relu(self.down1(x))
        two = F.relu(self.down2(F.max_pool2d(one, 2)))
        up = self.up2(self.mid(F.max_pool2d(two, 2)))
        up = self.up1(F.relu(self.dec2(self.join(up, two))))
        return self.dec1(self.join(up, one))


class InterpolatedUNet(UNet):
    def join(self, up, skip):
        return super().join(F.interpolate(up, size=tuple(skip.shape[2:])), skip)


class CroppedUNet(UNet):
    """Cropped at the inner join alone."""

    def join(self, up, skip):
        return super().join(up, skip[..., :24, :24] if skip.shape[1] == 16 else skip)


class Block(nn.Module):
    def __init__(self, shortcut=None):
        super().__init__()
        self.conv1 = nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.shortcut = shortcut

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        skip = x if self.shortcut is None else self.shortcut(x)
        return F.relu(y + skip)


class CutBlock(Block):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x)[..., :16, :16])


class WideBlock(Block):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(F.interpolate(y, size=(32, 32)) + self.shortcut(x))


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.dec = nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1)

    def forward(self, x):
        return x - self.dec(self.enc(x))


class CutAutoEncoder(AutoEncoder):
    def forward(self, x):
        return x[..., :27, :27] - self.dec(self.enc(x))


class WideAutoEncoder(AutoEncoder):
    def forward(self, x):
        return x - F.interpolate(self.dec(self.enc(x)), size=(28, 28))


class HardCoded(nn.Module):
    """A view counted for 28 x 28."""

    pool: nn.Module = nn.Identity()

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 5)
        self.fc = nn.Linear(16 * 12 * 12, 10)

    def forward(self, x):
        x = self.pool(F.max_pool2d(self.conv(x), 2))
        x = x.view(-1, 16 * 12 * 12)
        return self.fc(x)


class PooledHardCoded(HardCoded):
    pool = nn.AdaptiveAvgPool2d(12)


class FlattenedHardCoded(HardCoded):
    def forward(self, x):
        return self.fc(F.max_pool2d(self.conv(x), 2).flatten(1))


class Permuted(nn.Module):
    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        return x.view(1, -1)


class PermutedReshaped(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).reshape(1, -1)


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        gate = self.fc(x.mean((2, 3)))
        return x * gate


class BroadcastGate(Gate):
    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(64, 64)

    def forward(self, x):
        x = x.flatten(2)
        return self.proj(x)


class MovedTokens(Tokens):
    def forward(self, x):
        return self.proj(x.flatten(2).movedim(1, -1))


class Product(nn.Module):
    def forward(self, query, key):
        return query @ key


class FirstTransposed(nn.Module):
    def forward(self, query, key):
        return query.transpose(-2, -1) @ key


class SecondTransposed(nn.Module):
    def forward(self, query, key):
        return query @ key.transpose(-2, -1)


class Stacked(nn.Module):
    def forward(self, a, b):
        return torch.stack([a, b])


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)

    def forward(self, words):
        return self.emb(words)


class LongWords(Words):
    def forward(self, words):
        return self.emb(words.long())


class Sentence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(10, 8, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Conditioned(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(10, 8)

    def forward(self, image, vector):
        x = self.conv(image)
        return x + self.fc(vector)[:, :, None, None]


class Checked(nn.Module):
    def forward(self, x):
        assert x.shape[-1] == 224, f"made for 224, got {x.shape[-1]}"
        return x


class Asserting(nn.Module):
    def forward(self, x):
        torch._assert(x.shape[-1] % 32 == 0, "width in steps of 32")
        return x


class Patches(nn.Module):
    """Patches of 16 with a learned position for each of 14 x 14."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 64, 16, stride=16)
        self.position = nn.Parameter(torch.zeros(1, 196, 64))

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        return x + self.position


class Biased(nn.Module):
    """A table of 49 by 49 that a lookup makes, which has no formula."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(4))
        self.register_buffer("index", torch.zeros(784, 784, dtype=torch.long))

    def forward(self, x):
        x = x.flatten(2)
        x = torch.fft.fft(x).real
        return x @ self.table[self.index]


class Unpadded(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3, bias=False)

    def forward(self, x):
        x = self.conv1(x)
        return x + self.conv2(x)


class CutUnpadded(Unpadded):
    def forward(self, x):
        x = self.conv1(x)
        return x[..., :12, :12] + self.conv2(x)


class WideUnpadded(Unpadded):
    def forward(self, x):
        x = self.conv1(x)
        return x + F.interpolate(self.conv2(x), size=(14, 14))


class Unnamed(nn.Module):
    def forward(self, x):
        return self.layer(x)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        x = self.fc(x)
        if x.sum() > 0:
            return -x
        return x


class Negative(Branching):
    def forward(self, x):
        return -self.fc(x)


class Straight(Branching):
    def forward(self, x):
        return self.fc(x)


class Masked(nn.Module):
    def forward(self, x):
        mask = x > 0
        return x[mask]


class Counted(nn.Module):
    def forward(self, x):
        return x[:, : int(x.max().item())]


class Misspelt(nn.Module):
    def forward(self, x):
        features = {"x4": x}
        return features["x5"]


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(8, 3, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.weight, groups=3)


class Deep(nn.Sequential):
    """Convolution and pooling until nothing is left."""

    def __init__(self):
        super().__init__(*(part for _ in range(6) for part in (nn.Conv2d(3, 3, 3), nn.MaxPool2d(2))))


class TwoArguments(nn.Module):
    def forward(self, a, b, c=None):
        return a


def stride_shortcut(stride):
    return nn.Sequential(nn.Conv2d(16, 32, 1, stride=stride, bias=False), nn.BatchNorm2d(32))


class ProjectedBlock(Block):
    def __init__(self):
        super().__init__(nn.Conv2d(16, 32, 1, stride=2))


class StridedTwice(Block):
    def __init__(self):
        super().__init__(stride_shortcut(1))
        self.more = nn.Conv2d(32, 32, 1, stride=2)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.more(self.shortcut(x)))


CASES = [
    Case(
        "flatten into linear",
        Net,
        [(1, 3, 64, 64)],
        "fc takes 2048 features, flatten gives 8192 = 32·16·16; the last axis must equal in_features.",
        "return self.fc(x)",
        [
            "fc: nn.Linear(8192, 10)",
            "input_size=(1, 3, 32, 32) (H and W in 32..35; 6 more ranges)",
            "nn.AdaptiveAvgPool2d(8) before flatten",
        ],
        rewritten={"nn.AdaptiveAvgPool2d(8) before flatten": PooledNet},
    ),
    Case(
        "channels last",
        Net,
        [(1, 32, 32, 3)],
        "conv1 takes 3 channels, x gives 32; (1, 32, 32, 3) has 3 last, as in channels-last (NHWC); "
        "input channels must equal in_channels.",
        "x = F.max_pool2d(F.relu(self.conv1(x)), 2)",
        [
            "input_size=(1, 3, 32, 32)",
            "x.permute(0, 3, 1, 2) before conv1",
        ],
        rewritten={"x.permute(0, 3, 1, 2) before conv1": ChannelsLastNet},
    ),
    Case(
        "no batch axis",
        Net,
        [(3, 32, 32)],
        "fc takes 2048 features, flatten gives 64 = 8·8; the last axis must equal in_features; "
        "x (3, 32, 32) has no batch axis.",
        "return self.fc(x)",
        ["a batch axis in front: x (1, 3, 32, 32)"],
    ),
    Case(
        "u-net of an odd size",
        UNet,
        [(1, 1, 50, 50)],
        "cat joins along axis C, so all others must agree: up2 gives (1, 16, 24, 24) and relu_2 gives "
        "(1, 16, 25, 25); H and W differ.",
        "return torch.cat([up, skip], 1)",
        [
            "up2: nn.ConvTranspose2d(16, 16, 2, stride=2, output_padding=1)",
            "input_size=(1, 1, 48, 48) (H and W >= 4 and H and W % 4 == 0)",
            "F.interpolate(up2, size=(25, 25)) in cat",
            "relu_2[..., :24, :24] in cat; then cat_2 fails",
        ],
        rewritten={
            "F.interpolate(up2, size=(25, 25)) in cat": InterpolatedUNet,
            "relu_2[..., :24, :24] in cat": CroppedUNet,
        },
    ),
    Case(
        "shortcut without projection",
        Block,
        [(1, 16, 32, 32)],
        "add needs equal sizes, or 1: bn2 gives (1, 32, 16, 16) and x gives (1, 16, 32, 32); C, H and W differ.",
        "return F.relu(y + skip)",
        ["nn.Conv2d(16, 32, 1, stride=2) on x before add"],
        rewritten={"nn.Conv2d(16, 32, 1, stride=2) on x before add": ProjectedBlock},
    ),
    Case(
        "shortcut without stride",
        lambda: Block(stride_shortcut(1)),
        [(1, 16, 32, 32)],
        "add needs equal sizes, or 1: bn2 gives (1, 32, 16, 16) and batchnorm shortcut.1 gives (1, 32, 32, 32); "
        "H and W differ.",
        "return F.relu(y + skip)",
        [
            "shortcut.0: nn.Conv2d(16, 32, 1, stride=2, bias=False)",
            "nn.Conv2d(32, 32, 1, stride=2) on batchnorm shortcut.1 before add",
            "shortcut.1[..., :16, :16] in add",
            "F.interpolate(bn2, size=(32, 32)) in add",
        ],
        rewritten={
            "nn.Conv2d(32, 32, 1, stride=2) on batchnorm shortcut.1 before add": StridedTwice,
            "shortcut.1[..., :16, :16] in add": lambda: CutBlock(stride_shortcut(1)),
            "F.interpolate(bn2, size=(32, 32)) in add": lambda: WideBlock(stride_shortcut(1)),
        },
    ),
    Case(
        "transposed convolution off by one",
        AutoEncoder,
        [(1, 1, 28, 28)],
        "sub needs equal sizes, or 1: x gives (1, 1, 28, 28) and dec gives (1, 1, 27, 27); H and W differ.",
        "return x - self.dec(self.enc(x))",
        [
            "dec: nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1)",
            "input_size=(1, 1, 27, 27) (H and W % 2 == 1)",
            "x[..., :27, :27] in sub",
            "F.interpolate(dec, size=(28, 28)) in sub",
        ],
        rewritten={
            "x[..., :27, :27] in sub": CutAutoEncoder,
            "F.interpolate(dec, size=(28, 28)) in sub": WideAutoEncoder,
        },
    ),
    Case(
        "a convolution without padding beside a shortcut",
        Unpadded,
        [(1, 3, 16, 16)],
        "add needs equal sizes, or 1: conv1 gives (1, 8, 14, 14) and conv2 gives (1, 8, 12, 12); H and W differ.",
        "return x + self.conv2(x)",
        [
            "conv2: nn.Conv2d(8, 8, 3, padding=1, bias=False)",
            "conv1[..., :12, :12] in add",
            "F.interpolate(conv2, size=(14, 14)) in add",
        ],
        rewritten={
            "conv1[..., :12, :12] in add": CutUnpadded,
            "F.interpolate(conv2, size=(14, 14)) in add": WideUnpadded,
        },
    ),
    Case(
        "output_padding as large as the stride",
        lambda: nn.Sequential(nn.ConvTranspose2d(3, 8, 3, stride=2, output_padding=2)),
        [(1, 3, 4, 4)],
        "tconv 0: axis H: output_padding must be >= 0 and < max(stride, dilation): 2 with stride=2, dilation=1; "
        "input gives (1, 3, 4, 4).",
        "",
        ["0: nn.ConvTranspose2d(3, 8, 3, stride=2, output_padding=1)"],
        kind="bad_argument",
    ),
    Case(
        "channels",
        lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1, bias=False)),
        [(1, 3, 9, 9)],
        "conv 2 takes 32 channels, relu 1 gives 16; input channels must equal in_channels.",
        "",
        [
            "2: nn.Conv2d(16, 64, 3, padding=1, bias=False)",
            "0: nn.Conv2d(3, 32, 3)",
        ],
    ),
    Case(
        "channels of a transposed convolution, which meta lets pass",
        lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.ConvTranspose2d(32, 8, 2, stride=2)),
        [(1, 3, 9, 9)],
        "tconv 1 takes 32 channels, conv 0 gives 16; input channels must equal in_channels.",
        "",
        [
            "1: nn.ConvTranspose2d(16, 8, 2, stride=2)",
            "0: nn.Conv2d(3, 32, 3)",
        ],
    ),
    Case(
        "depthwise channels",
        lambda: nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(32, 32, 3, groups=32)),
        [(1, 3, 8, 8)],
        "conv 1 takes 32 channels, conv 0 gives 16; input channels must equal in_channels.",
        "",
        [
            "1: nn.Conv2d(16, 32, 3, groups=16)",
            "0: nn.Conv2d(3, 32, 1)",
        ],
    ),
    Case(
        "channels of groups",
        lambda: nn.Sequential(nn.Conv2d(3, 18, 1), nn.Conv2d(24, 12, 3, groups=4)),
        [(1, 3, 8, 8)],
        "conv 1 takes 24 = 4·6 channels, conv 0 gives 18; input channels must equal in_channels.",
        "",
        [
            "1: nn.Conv2d(18, 12, 3, groups=2)",
            "0: nn.Conv2d(3, 24, 1)",
        ],
    ),
    Case(
        "groups that do not divide",
        Functional,
        [(1, 9, 4, 4)],
        "conv2d: `groups`=3 must divide `out_channels`=8; x gives (1, 9, 4, 4).",
        "return F.conv2d(x, self.weight, groups=3)",
        [],
    ),
    Case(
        "an input channel too few",
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3)),
        [(1, 1, 8, 8)],
        "conv 0 takes 3 channels, input gives 1; input channels must equal in_channels.",
        "",
        [
            "0: nn.Conv2d(1, 8, 3)",
            "input_size=(1, 3, 8, 8)",
        ],
    ),
    Case(
        "kernel too large",
        Deep,
        [(1, 3, 64, 64)],
        "conv 8: axis H: kernel does not fit: it spans 3 (kernel_size=3, dilation=1) but the padded input is 2 "
        "(2 + 0 + 0); maxpool 7 gives (1, 3, 2, 2).",
        "",
        [
            "input_size=(1, 3, 190, 190) (H and W >= 190)",
            "8: nn.Conv2d(3, 3, 3, padding=1); then 10 fails",
            "8: nn.Conv2d(3, 3, 2); then 9 fails",
        ],
        kind="kernel_does_not_fit",
    ),
    Case(
        "pooling too large",
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.AvgPool2d(7)),
        [(1, 3, 8, 8)],
        "avgpool 1: axis H: kernel does not fit: it spans 7 (kernel_size=7, dilation=1) but the padded input is 6 "
        "(6 + 0 + 0); conv 0 gives (1, 8, 6, 6).",
        "",
        [
            "input_size=(1, 3, 9, 9) (H and W >= 9)",
            "1: nn.AvgPool2d(7, padding=1)",
            "1: nn.AvgPool2d(6, stride=7)",
        ],
        kind="kernel_does_not_fit",
    ),
    Case(
        "a dilation beyond 64 bits",
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, dilation=2**62)),
        [(1, 3, 4, 4)],
        "conv 0: axis H: kernel does not fit: it spans 9223372036854775809 (kernel_size=3, "
        "dilation=4611686018427387904) but the padded input is 4 (4 + 0 + 0); input gives (1, 3, 4, 4).",
        "",
        ["0: nn.Conv2d(3, 8, 1, dilation=4611686018427387904)"],
        kind="kernel_does_not_fit",
    ),
    Case(
        "pooling padded too far",
        lambda: nn.Sequential(nn.MaxPool2d(3, padding=2)),
        [(1, 3, 8, 8)],
        "maxpool 0: axis H: pooling needs padding <= kernel_size/2: padding=2 with kernel_size=3; "
        "input gives (1, 3, 8, 8).",
        "",
        ["0: nn.MaxPool2d(3, padding=1)"],
        kind="bad_argument",
    ),
    Case(
        "batch normalization of other channels",
        lambda: nn.Sequential(nn.Conv2d(3, 16, 1), nn.BatchNorm2d(32)),
        [(1, 3, 8, 8)],
        "batchnorm 1 takes 32 channels, conv 0 gives 16; axis C must equal num_features.",
        "",
        [
            "1: nn.BatchNorm2d(16)",
            "0: nn.Conv2d(3, 32, 1)",
        ],
    ),
    Case(
        "batch normalization of maps, given vectors",
        lambda: nn.Sequential(nn.Linear(8, 16), nn.BatchNorm2d(16)),
        [(4, 8)],
        "batchnorm 1 takes (N, C, H, W), linear 0 gives (4, 16), which has 2 axes.",
        "",
        [],
    ),
    Case(
        "instance normalization of other channels",
        lambda: nn.Sequential(nn.Conv2d(3, 16, 1), nn.InstanceNorm2d(8, affine=True)),
        [(1, 3, 8, 8)],
        "instancenorm 1 takes 8 channels, conv 0 gives 16; axis C must equal num_features.",
        "",
        [
            "1: nn.InstanceNorm2d(16, affine=True)",
            "0: nn.Conv2d(3, 8, 1)",
        ],
    ),
    Case(
        "group normalization of other channels",
        lambda: nn.Sequential(nn.Conv2d(3, 12, 1), nn.GroupNorm(8, 16)),
        [(1, 3, 8, 8)],
        "groupnorm 1 takes 16 channels, conv 0 gives 12; axis C must equal num_channels.",
        "",
        [
            "1: nn.GroupNorm(4, 12)",
            "0: nn.Conv2d(3, 16, 1)",
        ],
    ),
    Case(
        "layer normalization of another shape",
        lambda: nn.Sequential(nn.Linear(8, 12), nn.LayerNorm(16)),
        [(1, 5, 8)],
        "layernorm 1 normalizes axes of sizes (16), linear 0 gives (1, 5, 12), which ends with (12); "
        "the last axes must equal normalized_shape.",
        "",
        ["1: nn.LayerNorm(12)"],
    ),
    Case(
        "vectors into a convolution",
        lambda: nn.Sequential(nn.Linear(8, 16), nn.Conv2d(16, 8, 3)),
        [(1, 8)],
        "conv 1 takes (N, C, H, W) or (C, H, W), linear 0 gives (1, 16), which has 2 axes.",
        "",
        [],
    ),
    Case(
        "images into a convolution of sequences",
        lambda: nn.Sequential(nn.Conv1d(3, 8, 3)),
        [(1, 3, 8, 8)],
        "conv 0 takes (N, C, L) or (C, L), input gives (1, 3, 8, 8), which has 4 axes.",
        "",
        [],
    ),
    Case(
        "a view with a hard-coded size",
        HardCoded,
        [(1, 3, 32, 32)],
        "view to (-1, 2304) needs a multiple of 2304 values, max_pool2d gives 3136 = 1·16·14·14; "
        "a view keeps the number of values.",
        "x = x.view(-1, 16 * 12 * 12)",
        [
            "input_size=(1, 3, 28, 28) (H and W in 28, 29; 14 more ranges)",
            "nn.AdaptiveAvgPool2d(12) before view",
            "max_pool2d.flatten(1) in place of view(-1, 2304) and fc: nn.Linear(3136, 10)",
        ],
        rewritten={
            "nn.AdaptiveAvgPool2d(12) before view": PooledHardCoded,
            "max_pool2d.flatten(1) in place of view(-1, 2304)": FlattenedHardCoded,
        },
    ),
    Case(
        "a view of what was permuted",
        Permuted,
        [(1, 3, 4, 4)],
        "",
        "return x.view(1, -1)",
        ["permute.reshape(1, -1) in place of view"],
        rewritten={"permute.reshape(1, -1) in place of view": PermutedReshaped},
    ),
    Case(
        "a gate without its axes",
        Gate,
        [(1, 8, 5, 5)],
        "mul needs equal sizes, or 1: x gives (1, 8, 5, 5) and fc gives (1, 8); "
        "sizes are compared from the last axis on.",
        "return x * gate",
        ["fc[:, :, None, None] in mul"],
        rewritten={"fc[:, :, None, None] in mul": BroadcastGate},
    ),
    Case(
        "channels first into a linear layer",
        Tokens,
        [(1, 64, 7, 7)],
        "proj takes 64 features, flatten gives 49; the last axis must equal in_features.",
        "return self.proj(x)",
        [
            "flatten.movedim(1, -1) before proj",
            "proj: nn.Linear(49, 64)",
            "input_size=(1, 64, 8, 8) (H and W = 8; 6 more ranges)",
        ],
        rewritten={"flatten.movedim(1, -1) before proj": MovedTokens},
    ),
    Case(
        "a product of matrices",
        Product,
        [(3, 4), (3, 4)],
        "matmul needs as many columns as rows: query (3, 4) has 4 columns, key (3, 4) has 3 rows.",
        "return query @ key",
        ["key.transpose(-2, -1) in matmul", "query.transpose(-2, -1) in matmul"],
        rewritten={
            "key.transpose(-2, -1) in matmul": SecondTransposed,
            "query.transpose(-2, -1) in matmul": FirstTransposed,
        },
    ),
    Case(
        "a stack of unequal shapes",
        Stacked,
        [(3, 4), (3, 5)],
        "stack needs equal shapes: a gives (3, 4) and b gives (3, 5); C differs.",
        "return torch.stack([a, b])",
        [],
    ),
    Case(
        "an embedding of floats",
        Words,
        [(1, 12)],
        "emb takes indices, whole numbers of type int64, words gives float32.",
        "return self.emb(words)",
        ["words.long() before emb"],
        kind="bad_argument",
        rewritten={"words.long() before emb": LongWords},
    ),
    Case(
        "features of a recurrent network",
        Sentence,
        [(1, 5, 12)],
        "lstm takes 10 features a step, x gives 12; the last axis must equal input_size.",
        "return self.lstm(x)[0]",
        [
            "lstm: nn.LSTM(12, 8, batch_first=True)",
            "input_size=(1, 5, 10) (L is 10)",
        ],
    ),
    Case(
        "two inputs swapped",
        Conditioned,
        [(1, 10), (1, 3, 32, 32)],
        "conv takes (N, C, H, W) or (C, H, W), image gives (1, 10), which has 2 axes; "
        "image and vector may be the wrong way round.",
        "x = self.conv(image)",
        ["the inputs the other way round: image (1, 3, 32, 32), vector (1, 10)"],
    ),
    Case(
        "an input missing",
        Conditioned,
        [(1, 3, 32, 32)],
        "Conditioned.forward takes 2 inputs (image, vector), and 1 is given.",
        "",
        [],
        kind="bad_argument",
    ),
    Case(
        "an input too many",
        Checked,
        [(1, 3, 224, 224), (1, 3, 224, 224)],
        "Checked.forward takes 1 input (x), and 2 are given.",
        "",
        [],
        kind="bad_argument",
    ),
    Case(
        "an assertion of the model",
        Checked,
        [(1, 3, 200, 200)],
        "{source} raises AssertionError: made for 224, got 200; x gives (1, 3, 200, 200).",
        'assert x.shape[-1] == 224, f"made for 224, got {x.shape[-1]}"',
        [
            "input_size=(1, 3, 200, 224)",
        ],
        kind="refused",
    ),
    Case(
        "an assertion by torch",
        Asserting,
        [(1, 3, 200, 200)],
        "{source} raises AssertionError: width in steps of 32; x gives (1, 3, 200, 200).",
        'torch._assert(x.shape[-1] % 32 == 0, "width in steps of 32")',
        [
            "input_size=(1, 3, 200, 192)",
        ],
        kind="refused",
    ),
    Case(
        "positions of a fixed number",
        Patches,
        [(1, 3, 200, 200)],
        "add needs equal sizes, or 1: transpose gives (1, 144, 64) and position gives (1, 196, 64); C differs.",
        "return x + self.position",
        [
            "input_size=(1, 3, 224, 224) (H and W in 224..239; 8 more ranges)",
            "position: a parameter of shape (1, 144, 64)",
        ],
    ),
    Case(
        "a fixed number behind a call without a formula",
        Biased,
        [(1, 3, 24, 24)],
        "matmul needs as many columns as rows: real (1, 3, 576) has 576 columns, getitem (784, 784) has 784 rows.",
        "return x @ self.table[self.index]",
        [
            "input_size=(1, 3, 28, 28) (H and W = 28; 14 more ranges)",
        ],  # 784 has 15 divisors
    ),
    Case(
        "a key of the model",
        Misspelt,
        [(1, 3)],
        "{source} raises KeyError: 'x5'; x gives (1, 3).",
        'return features["x5"]',
        [],
        kind="refused",
    ),
    Case(
        "an attribute of the model",
        Unnamed,
        [(1, 3)],
        "{source} raises AttributeError: 'Unnamed' object has no attribute 'layer'; x gives (1, 3).",
        "return self.layer(x)",
        [],
        kind="refused",
    ),
    Case(
        "a list of modules is no model",
        lambda: nn.ModuleList([nn.Conv2d(3, 3, 3)]),
        [(1, 3, 4, 4)],
        'ModuleList: torch refuses ModuleList on input_1 (1, 3, 4, 4): NotImplementedError: "Module [ModuleList] is '
        'missing the required "forward" function"',
        "",
        [],
    ),
    Case(
        "a branch on values",
        Branching,
        [(1, 8)],
        "bool needs the values of gt, and a capture has shapes without values; say how it goes with --assume "
        "LINE=true or false (assume= in Python), or choose with torch.where.",
        "if x.sum() > 0:",
        ["--assume {source}=true", "--assume {source}=false"],
        kind="unknown",
        rewritten={
            "--assume {source}=true": Negative,
            "--assume {source}=false": Straight,
        },
    ),
    Case(
        "a mask",
        Masked,
        [(1, 8)],
        "getitem needs the values of gt, and a capture has shapes without values; the shape it gives depends on "
        "them: keep the shape fixed, as with torch.where.",
        "return x[mask]",
        [],
        kind="unknown",
    ),
    Case(
        "a number read from a tensor",
        Counted,
        [(1, 8)],
        "int needs the values of max, and a capture has shapes without values; give the number as a Python "
        "constant, or stay with tensors.",
        "return x[:, : int(x.max().item())]",
        [],
        kind="unknown",
    ),
    Case(
        "a module that is the whole model",
        lambda: nn.Conv2d(3, 8, 3),
        [(1, 4, 8, 8)],
        "conv2d takes 3 channels, input gives 4; input channels must equal in_channels.",
        "",
        [
            "nn.Conv2d(4, 8, 3)",
            "input_size=(1, 3, 8, 8)",
        ],
    ),
    Case(
        "one value a channel in training",
        lambda: nn.Sequential(nn.BatchNorm1d(16)),
        [(1, 16)],
        'batchnorm 0: torch refuses batch_norm on input (1, 16): ValueError: "Expected more than 1 value per channel '
        'when training, got input size torch.Size([1, 16])"; the batch is 1.',
        "",
        [
            "input_size=(2, 16)",
        ],
        settings={"train": True},
    ),
]
