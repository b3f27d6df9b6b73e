"""LeNet-5 for 28x28 images."""

from __future__ import annotations

from convcalc.layers import AvgPool, Conv, Flatten, Linear, MaxPool, ReLU, Sigmoid
from convcalc.network.blocks import Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import published


def lenet(in_channels: int = 1, classes: int = 10, modern: bool = False) -> Graph:
    """Return LeNet: two convolutions and three linear layers, as taught today for 28x28 images.

    Sigmoid and average pooling; `modern`: ReLU and max pooling. Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner,
    "Gradient-based learning applied to document recognition", Proc. IEEE 86(11), 1998.

    >>> from convcalc import inspect
    >>> inspect(lenet()).params
    61706
    """
    act = ReLU() if modern else Sigmoid()
    pool = MaxPool(2, stride=2) if modern else AvgPool(2, stride=2)
    net = Sequential(
        conv1=Conv(6, 5, padding=2),
        act1=act,
        pool1=pool,
        conv2=Conv(16, 5),
        act2=act,
        pool2=pool,
        flatten=Flatten(),
        fc1=Linear(120, in_features=16 * 5 * 5),
        act3=act,
        fc2=Linear(84),
        act4=act,
        fc3=Linear(classes),
    )
    return published(net, "lenet", (1, in_channels, 28, 28))
