"""ResNet, basic and bottleneck; named as in torchvision but for "shortcut", which is "downsample" there.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", arXiv:1512.03385, table 1.
The paper's bottlenecks have their stride on the first 1x1 convolution; torchvision's, on the 3x3 ("v1.5").
"""

from __future__ import annotations

from convcalc.errors import BadArgument
from convcalc.layers import ReLU
from convcalc.network.blocks import Part, Residual, Sequential
from convcalc.network.graph import Graph
from convcalc.network.stack import read_stack
from convcalc.zoo.published import named, published

STRIDE_ON = ("3x3", "1x1")


def resnet18(in_channels: int = 3, classes: int = 1000, bias: bool = False, shortcut_norm: bool = True) -> Graph:
    """Return ResNet-18: basic blocks (2, 2, 2, 2).

    `bias=True, shortcut_norm=False` is how it is often taught: convolutions keep their biases, and the 1x1
    convolution of a shortcut has no normalization.

    >>> from convcalc import inspect
    >>> inspect(resnet18()).params, inspect(resnet18(bias=True, shortcut_norm=False)).params
    (11689512, 11692520)
    """
    return _resnet("resnet18", (2, 2, 2, 2), in_channels, classes, bias, shortcut_norm)


def resnet34(in_channels: int = 3, classes: int = 1000, bias: bool = False, shortcut_norm: bool = True) -> Graph:
    """Return ResNet-34: basic blocks (3, 4, 6, 3); arguments as of `resnet18`.

    >>> len([node for node in resnet34() if node.layer.op == "add"])
    16
    """
    return _resnet("resnet34", (3, 4, 6, 3), in_channels, classes, bias, shortcut_norm)


def resnet50(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-50: bottlenecks (3, 4, 6, 3), their stride on the "3x3" or on the first "1x1" convolution.

    >>> from convcalc.analysis.fields import find_fields
    >>> ends = [find_fields(resnet50(stride_on=on))["layer4.2.relu"].axes[0] for on in ("3x3", "1x1")]
    >>> [end.receptive_field for end in ends]
    [427, 483]
    """
    return _resnet("resnet50", (3, 4, 6, 3), in_channels, classes, bias, shortcut_norm, stride_on)


def resnet101(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-101: bottlenecks (3, 4, 23, 3); arguments as of `resnet50`.

    >>> len([node for node in resnet101() if node.layer.op == "add"])
    33
    """
    return _resnet("resnet101", (3, 4, 23, 3), in_channels, classes, bias, shortcut_norm, stride_on)


def resnet152(
    in_channels: int = 3, classes: int = 1000, stride_on: str = "3x3", bias: bool = False, shortcut_norm: bool = True
) -> Graph:
    """Return ResNet-152: bottlenecks (3, 8, 36, 3); arguments as of `resnet50`.

    >>> len([node for node in resnet152() if node.layer.op == "add"])
    50
    """
    return _resnet("resnet152", (3, 8, 36, 3), in_channels, classes, bias, shortcut_norm, stride_on)


def _resnet(
    name: str,
    blocks: tuple[int, ...],
    in_channels: int,
    classes: int,
    bias: bool,
    shortcut_norm: bool,
    stride_on: str | None = None,
) -> Graph:
    """Four stages of blocks: basic ones where `stride_on` is None, else bottlenecks, which end four times as wide."""
    if stride_on not in (None, *STRIDE_ON):
        raise BadArgument(f"unknown stride_on {stride_on!r}: use one of {', '.join(STRIDE_ON)}")
    more = "" if bias else " nobias"

    def block(width: int, stride: int, widens: bool) -> Part:
        if stride_on is None:
            out, convs = width, [f"{width} k3 s{stride} p1", f"{width} k3 p1"]
        else:
            first, second = (stride, 1) if stride_on == "1x1" else (1, stride)
            out, convs = 4 * width, [f"{width} k1 s{first}", f"{width} k3 s{second} p1", f"{4 * width} k1"]
        lines = [f"conv{place}: conv {conv}{more}; bn{place}: batchnorm" for place, conv in enumerate(convs, start=1)]
        lines[:-1] = [f"{line}; relu{place}: relu" for place, line in enumerate(lines[:-1], start=1)]
        norm = "; batchnorm" if shortcut_norm else ""
        aside = Sequential(*read_stack(f"conv {out} k1 s{stride}{more}{norm}")) if widens or stride > 1 else None
        return Residual(Sequential(**named("; ".join(lines))), aside, then=ReLU())

    stages: dict[str, Part] = {}
    for place, count in enumerate(blocks):
        width, stride = 64 * 2**place, 1 if place == 0 else 2
        first = block(width, stride, widens=stride_on is not None)
        stages[f"layer{place + 1}"] = Sequential(first, *[block(width, 1, widens=False)] * (count - 1))
    stem = named(f"conv1: conv 64 k7 s2 p3{more}; bn1: batchnorm; relu: relu; maxpool: maxpool k3 s2 p1")
    head = named(f"avgpool: gap; flatten: flatten; fc: linear {classes}")
    return published(Sequential(**stem, **stages, **head), name, (1, in_channels, 224, 224))
