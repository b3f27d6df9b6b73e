"""LeNet-5 for 28x28 images."""

from __future__ import annotations

from convcalc.network.blocks import Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import named, published


def lenet(in_channels: int = 1, classes: int = 10, modern: bool = False) -> Graph:
    """Return LeNet: two convolutions and three linear layers, as taught today for 28x28 images.

    Sigmoid and average pooling; `modern`: ReLU and max pooling. Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner,
    "Gradient-based learning applied to document recognition", Proc. IEEE 86(11), 1998.

    >>> from convcalc import inspect
    >>> inspect(lenet()).params
    61706
    """
    act, pool = ("relu", "maxpool k2 s2") if modern else ("sigmoid", "avgpool k2 s2")
    net = named(
        f"""
        conv1: conv 6 k5 p2; act1: {act}; pool1: {pool}
        conv2: conv 16 k5;   act2: {act}; pool2: {pool}
        flatten: flatten
        fc1: linear 120 in_features={16 * 5 * 5}; act3: {act}
        fc2: linear 84;                           act4: {act}
        fc3: linear {classes}
        """
    )
    return published(Sequential(**net), "lenet", (1, in_channels, 28, 28))
