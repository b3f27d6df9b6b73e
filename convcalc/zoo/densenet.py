"""DenseNet: every layer reads all layers before it in its block.

Source: G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, "Densely connected convolutional networks",
arXiv:1608.06993, table 1. Those with a number are named as in torchvision.
"""

from __future__ import annotations

from convcalc.layers import BatchNorm
from convcalc.network.blocks import Part, Sequential, Skip
from convcalc.network.graph import Graph
from convcalc.zoo.published import named, published


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
    parts, channels = dict[str, Part](), 64
    for place, count in enumerate(blocks, start=1):
        layer = Sequential(**named(f"bn: batchnorm; relu: relu; conv: conv {growth} k3 p1"))
        parts[f"block{place}"] = Sequential(*[Skip(layer, mode="strict")] * count)
        channels += count * growth
        if place < len(blocks):
            channels //= 2
            between = named(f"bn: batchnorm; relu: relu; conv: conv {channels} k1; pool: avgpool k2 s2")
            parts[f"transition{place}"] = Sequential(**between)
    stem = named("conv1: conv 64 k7 s2 p3; bn1: batchnorm; relu1: relu; pool1: maxpool k3 s2 p1")
    head = named(f"bn2: batchnorm; relu2: relu; avgpool: gap; flatten: flatten; fc: linear {classes}")
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
    layer = named(
        f"""
        norm1: batchnorm; relu1: relu; conv1: conv {4 * growth} k1 nobias
        norm2: batchnorm; relu2: relu; conv2: conv {growth} k3 p1 nobias
        """
    )
    parts = named("conv0: conv 64 k7 s2 p3 nobias; norm0: batchnorm; relu0: relu; pool0: maxpool k3 s2 p1")
    channels = 64
    for place, count in enumerate(blocks, start=1):
        layers: dict[str, Part] = {f"denselayer{i + 1}": Skip(Sequential(**layer), mode="strict") for i in range(count)}
        parts[f"denseblock{place}"] = Sequential(**layers)
        channels += count * growth
        if place < len(blocks):
            channels //= 2
            between = named(f"norm: batchnorm; relu: relu; conv: conv {channels} k1 nobias; pool: avgpool k2 s2")
            parts[f"transition{place}"] = Sequential(**between)
    head = named(f"relu: relu; avgpool: gap; flatten: flatten; classifier: linear {classes}")
    net = Sequential(features=Sequential(**parts, norm5=BatchNorm()), **head)
    return published(net, name, (1, in_channels, 224, 224))
