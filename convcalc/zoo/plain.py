"""Networks that are one layer after another: LeNet, AlexNet in two shapes that go by that name, NiN, VGG."""

from __future__ import annotations

from convcalc.layers import Flatten, MaxPool
from convcalc.network.blocks import Part, Sequential
from convcalc.network.graph import Graph
from convcalc.network.stack import read_stack
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
    net = Sequential(features=Sequential(**features), flatten=Flatten(), classifier=_three_layers(256 * 5 * 5, classes))
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


def _three_layers(features: int, classes: int) -> Part:
    """The classifier of AlexNet and VGG."""
    return Sequential(
        **named(
            f"""
            fc1: linear 4096 in_features={features}; relu1: relu; drop1: dropout
            fc2: linear 4096;                        relu2: relu; drop2: dropout
            fc3: linear {classes}
            """
        )
    )


def nin(in_channels: int = 1, classes: int = 10) -> Graph:
    """Return NiN with the stem of AlexNet; the last block has a channel for each class, which are averaged.

    Source: M. Lin, Q. Chen, S. Yan, "Network in network", arXiv:1312.4400.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(nin())["flatten"]
    (1, 10)
    """
    net = Sequential(
        block1=_perceptron("96 k11 s4"),
        pool1=MaxPool(3, stride=2),
        block2=_perceptron("256 k5 p2"),
        pool2=MaxPool(3, stride=2),
        block3=_perceptron("384 k3 p1"),
        **named("pool3: maxpool k3 s2; drop: dropout"),
        block4=_perceptron(f"{classes} k3 p1"),
        **named("avgpool: gap; flatten: flatten"),
    )
    return published(net, "nin", (1, in_channels, 224, 224))


def _perceptron(conv: str) -> Part:
    width = conv.split()[0]
    lines = enumerate([conv, width + " k1", width + " k1"], start=1)
    return Sequential(**named("; ".join(f"conv{place}: conv {text}; relu{place}: relu" for place, text in lines)))


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
    """Blocks of 3x3 convolutions, each block halved by pooling.

    Source: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
    arXiv:1409.1556, configurations A, B, D and E.
    """
    blocks = {
        f"block{place}": _block(count, width)
        for place, (count, width) in enumerate(zip(convs, (64, 128, 256, 512, 512), strict=True), start=1)
    }
    net = Sequential(**blocks, flatten=Flatten(), classifier=_three_layers(512 * 7 * 7, classes))
    return published(net, name, (1, in_channels, 224, 224))


def _block(convs: int, width: int) -> Part:
    lines = [f"conv{place}: conv {width} k3 p1; relu{place}: relu" for place in range(1, convs + 1)]
    return Sequential(**named("; ".join([*lines, "pool: maxpool k2 s2"])))
