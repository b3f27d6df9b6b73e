"""AlexNet, in two shapes that go by that name."""

from __future__ import annotations

from convcalc.layers import AdaptiveAvgPool, Conv, Dropout, Flatten, Linear, MaxPool, ReLU
from convcalc.network.blocks import Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import published


def alexnet(in_channels: int = 1, classes: int = 10) -> Graph:
    """Return AlexNet as it is taught, which is not the paper's: its widths in one tower, not split over two GPUs.

    After A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012, first padding 1, without response normalization.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(alexnet())["features.pool3"]
    (1, 256, 5, 5)
    """
    features = Sequential(
        conv1=Conv(96, 11, stride=4, padding=1),
        relu1=ReLU(),
        pool1=MaxPool(3, stride=2),
        conv2=Conv(256, 5, padding=2),
        relu2=ReLU(),
        pool2=MaxPool(3, stride=2),
        conv3=Conv(384, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv(384, 3, padding=1),
        relu4=ReLU(),
        conv5=Conv(256, 3, padding=1),
        relu5=ReLU(),
        pool3=MaxPool(3, stride=2),
    )
    classifier = Sequential(
        fc1=Linear(4096, in_features=256 * 5 * 5),
        relu1=ReLU(),
        drop1=Dropout(),
        fc2=Linear(4096),
        relu2=ReLU(),
        drop2=Dropout(),
        fc3=Linear(classes),
    )
    net = Sequential(features=features, flatten=Flatten(), classifier=classifier)
    return published(net, "alexnet", (1, in_channels, 224, 224))


def alexnet_torchvision(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return AlexNet as in torchvision, named as there: narrower, and pooled to 6x6 whatever the input.

    Source: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

    >>> from convcalc import inspect
    >>> inspect(alexnet_torchvision()).params
    61100840
    """
    features = Sequential(
        Conv(64, 11, stride=4, padding=2),
        ReLU(),
        MaxPool(3, stride=2),
        Conv(192, 5, padding=2),
        ReLU(),
        MaxPool(3, stride=2),
        Conv(384, 3, padding=1),
        ReLU(),
        Conv(256, 3, padding=1),
        ReLU(),
        Conv(256, 3, padding=1),
        ReLU(),
        MaxPool(3, stride=2),
    )
    classifier = Sequential(
        Dropout(),
        Linear(4096, in_features=256 * 6 * 6),
        ReLU(),
        Dropout(),
        Linear(4096),
        ReLU(),
        Linear(classes),
    )
    net = Sequential(features=features, avgpool=AdaptiveAvgPool(6), flatten=Flatten(), classifier=classifier)
    return published(net, "alexnet_torchvision", (1, in_channels, 224, 224))
