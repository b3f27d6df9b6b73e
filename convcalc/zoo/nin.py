"""Network in network: a perceptron at every pixel, and no linear layer."""

from __future__ import annotations

from convcalc.layers import MaxPool
from convcalc.network.blocks import Part, Sequential
from convcalc.network.graph import Graph
from convcalc.zoo.published import named, published


def nin(in_channels: int = 1, classes: int = 10) -> Graph:
    """Return NiN with the stem of AlexNet; the last block has a channel for each class, which are averaged.

    Source: M. Lin, Q. Chen, S. Yan, "Network in network", arXiv:1312.4400.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(nin())["flatten"]
    (1, 10)
    """
    net = Sequential(
        block1=_block("96 k11 s4"),
        pool1=MaxPool(3, stride=2),
        block2=_block("256 k5 p2"),
        pool2=MaxPool(3, stride=2),
        block3=_block("384 k3 p1"),
        **named("pool3: maxpool k3 s2; drop: dropout"),
        block4=_block(f"{classes} k3 p1"),
        **named("avgpool: gap; flatten: flatten"),
    )
    return published(net, "nin", (1, in_channels, 224, 224))


def _block(conv: str) -> Part:
    width = conv.split()[0]
    lines = enumerate([conv, width + " k1", width + " k1"], start=1)
    return Sequential(**named("; ".join(f"conv{place}: conv {text}; relu{place}: relu" for place, text in lines)))
