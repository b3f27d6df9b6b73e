"""AlexNet, in two shapes that go by that name."""

from __future__ import annotations

from convcalc.layers import Flatten
from convcalc.network.blocks import Sequential
from convcalc.network.graph import Graph
from convcalc.network.stack import read_stack
from convcalc.zoo.published import named, published


def alexnet(in_channels: int = 1, classes: int = 10) -> Graph:
    """Return AlexNet as it is taught, which is not the paper's: its widths in one tower, not split over two GPUs.

    After A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012, first padding 1, without response normalization.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(alexnet())["features.pool3"]
    (1, 256, 5, 5)
    """
    features = named(
        """
        conv1: conv 96 k11 s4 p1; relu1: relu; pool1: maxpool k3 s2
        conv2: conv 256 k5 p2;    relu2: relu; pool2: maxpool k3 s2
        conv3: conv 384 k3 p1;    relu3: relu
        conv4: conv 384 k3 p1;    relu4: relu
        conv5: conv 256 k3 p1;    relu5: relu; pool3: maxpool k3 s2
        """
    )
    classifier = named(
        f"""
        fc1: linear 4096 in_features={256 * 5 * 5}; relu1: relu; drop1: dropout
        fc2: linear 4096;                           relu2: relu; drop2: dropout
        fc3: linear {classes}
        """
    )
    net = Sequential(features=Sequential(**features), flatten=Flatten(), classifier=Sequential(**classifier))
    return published(net, "alexnet", (1, in_channels, 224, 224))


def alexnet_torchvision(in_channels: int = 3, classes: int = 1000) -> Graph:
    """Return AlexNet as in torchvision, named as there: narrower, and pooled to 6x6 whatever the input.

    Source: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

    >>> from convcalc import inspect
    >>> inspect(alexnet_torchvision()).params
    61100840
    """
    features = read_stack(
        "conv 64 k11 s4 p2; relu; maxpool k3 s2; conv 192 k5 p2; relu; maxpool k3 s2; conv 384 k3 p1; relu;"
        "conv 256 k3 p1; relu; conv 256 k3 p1; relu; maxpool k3 s2"
    )
    classifier = read_stack(
        f"dropout; linear 4096 in_features={256 * 6 * 6}; relu; dropout; linear 4096; relu; linear {classes}"
    )
    middle = named("avgpool: adaptiveavgpool 6; flatten: flatten")
    net = Sequential(features=Sequential(*features), **middle, classifier=Sequential(*classifier))
    return published(net, "alexnet_torchvision", (1, in_channels, 224, 224))
