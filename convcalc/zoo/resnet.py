"""ResNet, basic and bottleneck; named as in torchvision but for "shortcut", which is "downsample" there.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", arXiv:1512.03385, table 1.
The paper's bottlenecks have their stride on the first 1x1 convolution; torchvision's, on the 3x3 ("v1.5").
"""

from __future__ import annotations

from convcalc.errors import BadArgument
from convcalc.layers import AdaptiveAvgPool, BatchNorm, Conv, Flatten, Linear, MaxPool, ReLU
from convcalc.network.blocks import Part, Residual, Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import published

STRIDE_ON = ("3x3", "1x1")


def resnet18(in_channels: int = 3, classes: int = 1000, bias: bool = False, shortcut_norm: bool = True) -> Graph:
    """Return ResNet-18: basic blocks (2, 2, 2, 2).

    `bias=True, shortcut_norm=False` is how it is often taught: convolutions keep their biases, and the 1x1
    convolution of a shortcut has no normalization.

    >>> from convcalc import inspect
    >>> inspect(resnet18()).params, inspect(resnet18(bias=True, shortcut_norm=False)).params
    (11689512, 11692520)
    """
    return _Resnet(bias, shortcut_norm).graph("resnet18", (2, 2, 2, 2), in_channels, classes)


def resnet34(in_channels: int = 3, classes: int = 1000, bias: bool = False, shortcut_norm: bool = True) -> Graph:
    """Return ResNet-34: basic blocks (3, 4, 6, 3); arguments as of `resnet18`.

    >>> len([node for node in resnet34() if node.layer.op == "add"])
    16
    """
    return _Resnet(bias, shortcut_norm).graph("resnet34", (3, 4, 6, 3), in_channels, classes)


def resnet50(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-50: bottlenecks (3, 4, 6, 3), their stride on the "3x3" or on the first "1x1" convolution.

    >>> from convcalc.analysis.fields import find_fields
    >>> ends = [find_fields(resnet50(stride_on=on))["layer4.2.relu"].axes[0] for on in ("3x3", "1x1")]
    >>> [end.receptive_field for end in ends]
    [427, 483]
    """
    return _Resnet(bias, shortcut_norm, stride_on).graph("resnet50", (3, 4, 6, 3), in_channels, classes)


def resnet101(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-101: bottlenecks (3, 4, 23, 3); arguments as of `resnet50`.

    >>> len([node for node in resnet101() if node.layer.op == "add"])
    33
    """
    return _Resnet(bias, shortcut_norm, stride_on).graph("resnet101", (3, 4, 23, 3), in_channels, classes)


def resnet152(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-152: bottlenecks (3, 8, 36, 3); arguments as of `resnet50`.

    >>> len([node for node in resnet152() if node.layer.op == "add"])
    50
    """
    return _Resnet(bias, shortcut_norm, stride_on).graph("resnet152", (3, 8, 36, 3), in_channels, classes)


class _Resnet:
    """What all blocks of one network share; basic blocks where `stride_on` is None."""

    def __init__(self, bias: bool, shortcut_norm: bool, stride_on: str | None = None) -> None:
        if stride_on is not None and stride_on not in STRIDE_ON:
            raise BadArgument(f"unknown stride_on {stride_on!r}: use one of {', '.join(STRIDE_ON)}")
        self.bias = bias
        self.shortcut_norm = shortcut_norm
        self.stride_on = stride_on
        self.expansion = 1 if stride_on is None else 4

    def graph(self, name: str, blocks: tuple[int, ...], in_channels: int, classes: int) -> Graph:
        stages: dict[str, Part] = {}
        channels = 64
        for place, count in enumerate(blocks):
            width, stride = 64 * 2**place, 1 if place == 0 else 2
            stages[f"layer{place + 1}"] = Sequential(
                self.block(channels, width, stride),
                *(self.block(width * self.expansion, width, 1) for _ in range(count - 1)),
            )
            channels = width * self.expansion
        net = Sequential(
            conv1=self.conv(64, 7, stride=2),
            bn1=BatchNorm(),
            relu=ReLU(),
            maxpool=MaxPool(3, stride=2, padding=1),
            **stages,
            avgpool=AdaptiveAvgPool(1),
            flatten=Flatten(),
            fc=Linear(classes),
        )
        return published(net, name, (1, in_channels, 224, 224))

    def block(self, channels: int, width: int, stride: int) -> Part:
        out_channels = width * self.expansion
        shortcut: Part | None = None
        if stride != 1 or channels != out_channels:
            norm = [BatchNorm()] if self.shortcut_norm else []
            shortcut = Sequential(self.conv(out_channels, 1, stride), *norm)
        return Residual(self.body(width, stride), shortcut, then=ReLU())

    def body(self, width: int, stride: int) -> Part:
        if self.stride_on is None:
            return Sequential(
                conv1=self.conv(width, 3, stride),
                bn1=BatchNorm(),
                relu1=ReLU(),
                conv2=self.conv(width, 3),
                bn2=BatchNorm(),
            )
        first, second = (stride, 1) if self.stride_on == "1x1" else (1, stride)
        return Sequential(
            conv1=self.conv(width, 1, first),
            bn1=BatchNorm(),
            relu1=ReLU(),
            conv2=self.conv(width, 3, second),
            bn2=BatchNorm(),
            relu2=ReLU(),
            conv3=self.conv(width * self.expansion, 1),
            bn3=BatchNorm(),
        )

    def conv(self, channels: int, kernel_size: int, stride: int = 1) -> Conv:
        return Conv(channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=self.bias)
