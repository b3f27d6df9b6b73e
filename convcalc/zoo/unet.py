"""U-Net, flat and in three dimensions: down, up, and what is copied across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.layers import BatchNorm, Concat, Conv, ConvTranspose, CropTo, Layer, MaxPool, PadTo, ReLU
from convcalc.network.blocks import Part, Sequential, Wired
from convcalc.network.graph import Graph
from convcalc.zoo.published import published


def unet(in_channels: int = 1, classes: int = 2, padded: bool = False, levels: int = 4) -> Graph:
    """Return U-Net: convolutions without padding and cropped copies, 572 -> 388.

    `padded` pads every 3x3 convolution and puts zeros around what comes up, so that any size from 16 on comes out
    as it went in. `levels` is how often it halves. Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional
    networks for biomedical image segmentation", arXiv:1505.04597.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(unet())["out"], infer_shapes(unet(padded=True), (1, 1, 37, 50))["out"]
    ((1, 2, 388, 388), (1, 2, 37, 50))
    """

    def convs(channels: int) -> Part:
        conv = Conv(channels, 3, padding=1 if padded else 0)
        return Sequential(conv1=conv, relu1=ReLU(), conv2=conv, relu2=ReLU())

    widths = [64 * 2**level for level in range(levels + 1)]
    ups = [ConvTranspose(width, 2, stride=2) for width in widths[:-1]]
    steps = _levels([convs(width) for width in widths], [convs(width) for width in widths[:-1]], ups, padded)
    net = Wired(*steps, ("out", Conv(classes, 1), "dec1"))
    return published(net, "unet", (1, in_channels, 572, 572))


def unet3d(in_channels: int = 3, classes: int = 3) -> Graph:
    """Return the 3-D U-Net: convolutions without padding, normalized, and cropped copies, 132 -> 44.

    Source: Ö. Çiçek, A. Abdulkadir, S. Lienkamp, T. Brox, O. Ronneberger, "3D U-Net: learning dense volumetric
    segmentation from sparse annotation", arXiv:1606.06650, figure 2.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(unet3d())["out"]
    (1, 3, 44, 44, 28)
    """

    def convs(*channels: int) -> Part:
        parts: dict[str, Part] = {}
        for place, width in enumerate(channels, start=1):
            parts |= {f"conv{place}": Conv(width, 3), f"bn{place}": BatchNorm(), f"relu{place}": ReLU()}
        return Sequential(**parts)

    down = [convs(width // 2, width) for width in (64, 128, 256, 512)]
    back = [convs(width, width) for width in (64, 128, 256)]
    ups = [ConvTranspose(width, 2, stride=2) for width in (128, 256, 512)]
    net = Wired(*_levels(down, back, ups, padded=False), ("out", Conv(classes, 1), "dec1"))
    return published(net, "unet3d", (1, in_channels, 132, 132, 116))


def _levels(down: Sequence[Part], back: Sequence[Part], ups: Sequence[Layer], padded: bool) -> list[tuple[Any, ...]]:
    """The steps of a U of as many levels as `down` has: down the left side, up the right, copies across."""
    steps: list[tuple[Any, ...]] = []
    last = "input"
    for level, part in enumerate(down, start=1):
        if level > 1:
            steps.append((f"pool{level - 1}", MaxPool(2, stride=2), last))
            last = f"pool{level - 1}"
        steps.append((f"enc{level}", part, last))
        last = f"enc{level}"
    for level in range(len(back), 0, -1):
        up, copy = f"up{level}", f"enc{level}"
        steps.append((up, ups[level - 1], last))
        if padded:
            steps.append((f"pad{level}", PadTo(), up, copy))
            up = f"pad{level}"
        else:
            steps.append((f"crop{level}", CropTo(), copy, up))
            copy = f"crop{level}"
        steps.append((f"concat{level}", Concat(), copy, up))
        steps.append((f"dec{level}", back[level - 1], f"concat{level}"))
        last = f"dec{level}"
    return steps
