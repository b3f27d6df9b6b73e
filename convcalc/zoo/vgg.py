"""VGG: blocks of 3x3 convolutions, each block halved by pooling.

Source: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
arXiv:1409.1556, configurations A, B, D and E.
"""

from __future__ import annotations

from convcalc.layers import Flatten
from convcalc.network.blocks import Part, Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import named, published

WIDTHS = (64, 128, 256, 512, 512)


def vgg11(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return VGG-11.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(vgg11(in_channels=1))["block5.pool"]
    (1, 512, 7, 7)
    """
    return _vgg("vgg11", (1, 1, 2, 2, 2), in_channels, classes)


def vgg13(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return VGG-13.

    >>> len([node for node in vgg13() if node.layer.op == "conv"])
    10
    """
    return _vgg("vgg13", (2, 2, 2, 2, 2), in_channels, classes)


def vgg16(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return VGG-16.

    >>> from convcalc import inspect
    >>> inspect(vgg16()).params
    138357544
    """
    return _vgg("vgg16", (2, 2, 3, 3, 3), in_channels, classes)


def vgg19(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return VGG-19.

    >>> len([node for node in vgg19() if node.layer.op == "conv"])
    16
    """
    return _vgg("vgg19", (2, 2, 4, 4, 4), in_channels, classes)


def _vgg(name: str, convs: tuple[int, ...], in_channels: int, classes: int) -> Graph:
    blocks = {
        f"block{place}": _block(count, width)
        for place, (count, width) in enumerate(zip(convs, WIDTHS, strict=True), start=1)
    }
    classifier = named(
        f"""
        fc1: linear 4096 in_features={512 * 7 * 7}; relu1: relu; drop1: dropout
        fc2: linear 4096;                           relu2: relu; drop2: dropout
        fc3: linear {classes}
        """
    )
    net = Sequential(**blocks, flatten=Flatten(), classifier=Sequential(**classifier))
    return published(net, name, (1, in_channels, 224, 224))


def _block(convs: int, width: int) -> Part:
    lines = [f"conv{place}: conv {width} k3 p1; relu{place}: relu" for place in range(1, convs + 1)]
    return Sequential(**named("; ".join([*lines, "pool: maxpool k2 s2"])))
