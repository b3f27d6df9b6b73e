"""Front ends and decoders by their published kernels, strides, paddings and norms; few channels, as none matters here.

Sources: wav2vec 2.0 (arXiv:2006.11477), HuBERT (arXiv:2106.07447), Whisper (arXiv:2212.04356), HiFi-GAN
(arXiv:2010.05646), WaveNet (arXiv:1609.03499), Conv-TasNet (arXiv:1809.07454), and the files `subsampling.py` of
ESPnet, WeNet and NeMo (September 2026).
"""

import torch
from torch import nn


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of each frame."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


def wav2vec(norm=None, bias=True):
    layers, before = [], 1
    for place, (k, s) in enumerate([(10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2]):
        layers.append(nn.Conv1d(before, 4, k, s, bias=bias))
        layers += [ChannelNorm(4)] if norm == "layer" else [nn.GroupNorm(4, 4)] if norm and place == 0 else []
        layers.append(nn.GELU())
        before = 4
    return nn.Sequential(*layers)


def whisper():
    return nn.Sequential(nn.Conv1d(8, 4, 3, padding=1), nn.GELU(), nn.Conv1d(4, 4, 3, 2, 1), nn.GELU())


def one_dimensional(*windows):
    layers, before = [], 8
    for k, s in windows:
        layers += [nn.Conv1d(before, 4, k, s), nn.ReLU()]
        before = 4
    return nn.Sequential(*layers)


class Subsampling(nn.Module):
    """Layers over time and frequency, then one vector a frame."""

    def __init__(self, layers, features):
        super().__init__()
        self.conv = nn.Sequential(*layers)
        self.out = nn.Linear(features, 5)

    def forward(self, x):
        x = self.conv(x.unsqueeze(1))
        b, c, t, f = x.size()
        return self.out(x.transpose(1, 2).contiguous().view(b, t, c * f))


def two_dimensional(*windows, padding=0, features=40, depthwise=False):
    layers, before = [], 1
    for k, s in windows:
        if depthwise and before > 1:
            layers += [nn.Conv2d(4, 4, k, s, padding, groups=4), nn.Conv2d(4, 4, 1), nn.ReLU()]
        else:
            layers += [nn.Conv2d(before, 4, k, s, padding), nn.ReLU()]
        before, features = 4, (features + 2 * padding - k) // s + 1
    return Subsampling(layers, 4 * features)


def vgg():
    layers, before = [], 1
    for channels in (2, 4):
        for _ in range(2):
            layers += [nn.Conv2d(before, channels, 3, 1, 1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2, 2, 0, ceil_mode=True))
    return Subsampling(layers, 4 * 10)


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


def hifigan():
    """Of the generator V1 the upsampling and the first block of each stage."""
    layers, channels = [nn.Conv1d(8, 4, 7, padding=3)], 4
    for k, s in ((16, 8), (16, 8), (4, 2), (4, 2)):
        layers += [nn.LeakyReLU(0.1), nn.ConvTranspose1d(channels, channels, k, s, (k - s) // 2)]
        for d in (1, 3, 5):
            layers.append(
                Residual(
                    nn.LeakyReLU(0.1),
                    nn.Conv1d(channels, channels, 3, padding=d, dilation=d),
                    nn.LeakyReLU(0.1),
                    nn.Conv1d(channels, channels, 3, padding=1),
                )
            )
    return nn.Sequential(*layers, nn.LeakyReLU(), nn.Conv1d(channels, 1, 7, padding=3), nn.Tanh())


class Gate(nn.Module):
    """A layer of a WaveNet: a causal convolution of kernel 2, gated, and added."""

    def __init__(self, dilation):
        super().__init__()
        self.pad = nn.ConstantPad1d((dilation, 0), 0.0)
        self.filter, self.gate = (nn.Conv1d(4, 4, 2, dilation=dilation) for _ in range(2))
        self.out = nn.Conv1d(4, 4, 1)

    def forward(self, x):
        padded = self.pad(x)
        return x + self.out(torch.tanh(self.filter(padded)) * torch.sigmoid(self.gate(padded)))


def wavenet():
    return nn.Sequential(nn.Conv1d(1, 4, 1), *[Gate(2**i) for i in range(6)], nn.ReLU(), nn.Conv1d(4, 4, 1))


def tasnet():
    """Encoder, separator with stored statistics, decoder."""

    def block(dilation):
        return Residual(
            nn.Conv1d(4, 6, 1),
            nn.PReLU(),
            nn.BatchNorm1d(6),
            nn.Conv1d(6, 6, 3, padding=dilation, dilation=dilation, groups=6),
            nn.PReLU(),
            nn.BatchNorm1d(6),
            nn.Conv1d(6, 4, 1),
        )

    return nn.Sequential(
        nn.Conv1d(1, 4, 16, 8, bias=False),
        *[block(2**i) for i in range(4)],
        nn.ConvTranspose1d(4, 1, 16, 8, bias=False),
    )


WAVE, MEL, FRAMES = (1, "T"), (8, "T"), ("T", 40)

FRONT_ENDS = {
    "wav2vec 2.0, base": (lambda: wav2vec("group", bias=False), WAVE),
    "wav2vec 2.0, large; HuBERT, large": (lambda: wav2vec("layer"), WAVE),
    "Whisper": (whisper, MEL),
    "ESPnet Conv1dSubsampling1": (lambda: one_dimensional((3, 1), (3, 1)), MEL),
    "ESPnet Conv1dSubsampling2": (lambda: one_dimensional((3, 1), (3, 2)), MEL),
    "ESPnet Conv1dSubsampling3": (lambda: one_dimensional((3, 1), (5, 3)), MEL),
    "ESPnet Conv2dSubsampling1": (lambda: two_dimensional((3, 1), (3, 1)), FRAMES),
    "ESPnet Conv2dSubsampling2": (lambda: two_dimensional((3, 2), (3, 1)), FRAMES),
    "ESPnet Conv2dSubsampling, WeNet Conv2dSubsampling4": (lambda: two_dimensional((3, 2), (3, 2)), FRAMES),
    "ESPnet Conv2dSubsampling6": (lambda: two_dimensional((3, 2), (5, 3)), FRAMES),
    "ESPnet Conv2dSubsampling8": (lambda: two_dimensional((3, 2), (3, 2), (3, 2)), FRAMES),
    "NeMo striding, 4": (lambda: two_dimensional((3, 2), (3, 2), padding=1), FRAMES),
    "NeMo dw_striding, 8": (lambda: two_dimensional((3, 2), (3, 2), (3, 2), padding=1, depthwise=True), FRAMES),
    "NeMo vggnet, 4": (vgg, FRAMES),
    "HiFi-GAN V1, one block a stage": (hifigan, MEL),
    "WaveNet, 6 layers": (wavenet, WAVE),
    "Conv-TasNet, batch norm": (tasnet, WAVE),
}
"""Each network, and the shape of its input without the batch."""
