"""Network in network: a perceptron at every pixel, and no linear layer."""

from __future__ import annotations

from convcalc.layers import AdaptiveAvgPool, Conv, Dropout, Flatten, MaxPool, ReLU
from convcalc.network.blocks import Part, Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import published


def nin(in_channels: int = 1, classes: int = 10) -> Graph:
    """Return NiN with the stem of AlexNet; the last block has a channel for each class, which are averaged.

    Source: M. Lin, Q. Chen, S. Yan, "Network in network", arXiv:1312.4400.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(nin())["flatten"]
    (1, 10)
    """
    net = Sequential(
        block1=_block(96, 11, stride=4),
        pool1=MaxPool(3, stride=2),
        block2=_block(256, 5, padding=2),
        pool2=MaxPool(3, stride=2),
        block3=_block(384, 3, padding=1),
        pool3=MaxPool(3, stride=2),
        drop=Dropout(),
        block4=_block(classes, 3, padding=1),
        avgpool=AdaptiveAvgPool(1),
        flatten=Flatten(),
    )
    return published(net, "nin", (1, in_channels, 224, 224))


def _block(channels: int, kernel_size: int, stride: int = 1, padding: int = 0) -> Part:
    return Sequential(
        conv1=Conv(channels, kernel_size, stride=stride, padding=padding),
        relu1=ReLU(),
        conv2=Conv(channels, 1),
        relu2=ReLU(),
        conv3=Conv(channels, 1),
        relu3=ReLU(),
    )
