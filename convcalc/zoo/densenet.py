"""DenseNet: every layer reads all layers before it in its block.

Source: G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, "Densely connected convolutional networks",
arXiv:1608.06993, table 1. Those with a number are named as in torchvision.
"""

from __future__ import annotations

from convcalc.layers import AdaptiveAvgPool, AvgPool, BatchNorm, Conv, Flatten, Linear, MaxPool, ReLU
from convcalc.network.blocks import Part, Sequential, Skip
from convcalc.network.graph import Graph
from convcalc.zoo.published import published


def densenet(
    in_channels: int = 1,
    classes: int = 10,
    blocks: tuple[int, ...] = (4, 4, 4, 4),
    growth: int = 32,
) -> Graph:
    """Return the small DenseNet that is taught: one 3x3 convolution, with bias, for each layer of a block.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(densenet())["block4.3.concat"]
    (1, 248, 3, 3)
    """
    stem: dict[str, Part] = {
        "conv1": Conv(64, 7, stride=2, padding=3),
        "bn1": BatchNorm(),
        "relu1": ReLU(),
        "pool1": MaxPool(3, stride=2, padding=1),
    }
    parts, channels = dict[str, Part](), 64
    for place, count in enumerate(blocks, start=1):
        layer = Sequential(bn=BatchNorm(), relu=ReLU(), conv=Conv(growth, 3, padding=1))
        parts[f"block{place}"] = Sequential(*(Skip(layer, mode="strict") for _ in range(count)))
        channels += count * growth
        if place < len(blocks):
            channels //= 2
            parts[f"transition{place}"] = Sequential(
                bn=BatchNorm(), relu=ReLU(), conv=Conv(channels, 1), pool=AvgPool(2, stride=2)
            )
    head: dict[str, Part] = {
        "bn2": BatchNorm(),
        "relu2": ReLU(),
        "avgpool": AdaptiveAvgPool(1),
        "flatten": Flatten(),
        "fc": Linear(classes),
    }
    return published(Sequential(**stem, **parts, **head), "densenet", (1, in_channels, 96, 96))


def densenet121(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return DenseNet-121: blocks of 6, 12, 24 and 16 bottleneck layers.

    >>> from convcalc import inspect
    >>> inspect(densenet121()).params
    7978856
    """
    return _bottlenecks("densenet121", (6, 12, 24, 16), in_channels, classes)


def densenet169(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return DenseNet-169: blocks of 6, 12, 32 and 32 bottleneck layers.

    >>> len([node for node in densenet169() if node.layer.op == "concat"])
    82
    """
    return _bottlenecks("densenet169", (6, 12, 32, 32), in_channels, classes)


def densenet201(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return DenseNet-201: blocks of 6, 12, 48 and 32 bottleneck layers.

    >>> len([node for node in densenet201() if node.layer.op == "concat"])
    98
    """
    return _bottlenecks("densenet201", (6, 12, 48, 32), in_channels, classes)


def _bottlenecks(name: str, blocks: tuple[int, ...], in_channels: int, classes: int, growth: int = 32) -> Graph:
    layer = Sequential(
        norm1=BatchNorm(),
        relu1=ReLU(),
        conv1=Conv(4 * growth, 1, bias=False),
        norm2=BatchNorm(),
        relu2=ReLU(),
        conv2=Conv(growth, 3, padding=1, bias=False),
    )
    parts: dict[str, Part] = {
        "conv0": Conv(64, 7, stride=2, padding=3, bias=False),
        "norm0": BatchNorm(),
        "relu0": ReLU(),
        "pool0": MaxPool(3, stride=2, padding=1),
    }
    channels = 64
    for place, count in enumerate(blocks, start=1):
        layers: dict[str, Part] = {f"denselayer{i + 1}": Skip(layer, mode="strict") for i in range(count)}
        parts[f"denseblock{place}"] = Sequential(**layers)
        channels += count * growth
        if place < len(blocks):
            channels //= 2
            parts[f"transition{place}"] = Sequential(
                norm=BatchNorm(), relu=ReLU(), conv=Conv(channels, 1, bias=False), pool=AvgPool(2, stride=2)
            )
    net = Sequential(
        features=Sequential(**parts, norm5=BatchNorm()),
        relu=ReLU(),
        avgpool=AdaptiveAvgPool(1),
        flatten=Flatten(),
        classifier=Linear(classes),
    )
    return published(net, name, (1, in_channels, 224, 224))
