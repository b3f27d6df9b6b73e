"""GoogLeNet: Inception blocks, four kinds of reading side by side.

After C. Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, without response normalization.
"""

from __future__ import annotations

from convcalc.layers import MaxPool
from convcalc.network.blocks import Branches, Part, Sequential, Wired
from convcalc.network.graph import Graph
from convcalc.zoo.published import named, published

BLOCKS = {
    "inception3a": (64, (96, 128), (16, 32), 32),
    "inception3b": (128, (128, 192), (32, 96), 64),
    "inception4a": (192, (96, 208), (16, 48), 64),
    "inception4b": (160, (112, 224), (24, 64), 64),
    "inception4c": (128, (128, 256), (24, 64), 64),
    "inception4d": (112, (144, 288), (32, 64), 64),
    "inception4e": (256, (160, 320), (32, 128), 128),
    "inception5a": (256, (160, 320), (32, 128), 128),
    "inception5b": (384, (192, 384), (48, 128), 128),
}
"""The widths of each block: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 after pooling (table 1 of the paper)."""


def googlenet(in_channels: int = 1, classes: int = 10, aux: bool = False) -> Graph:
    """Return GoogLeNet as it is taught, which is not the paper's: no response normalization, small grey images.

    With `aux` also the two heads used in training, whose sizes are those of 224x224 images.

    >>> from convcalc.network.shapes import infer_shapes
    >>> infer_shapes(googlenet())["inception5b.concat"], googlenet(aux=True).outputs
    ((1, 1024, 3, 3), ('fc', 'aux1.fc2', 'aux2.fc2'))
    """
    blocks = {name: _inception(*widths) for name, widths in BLOCKS.items()}
    stem = named(
        f"""
        {_conv("conv1", "64 k7 s2 p3")}; pool1: maxpool k3 s2 p1
        {_conv("conv2", "64 k1")}
        {_conv("conv3", "192 k3 p1")}; pool2: maxpool k3 s2 p1
        """
    )
    chain: dict[str, Part] = {"stem": Sequential(**stem)}
    for name, block in blocks.items():
        chain[name] = block
        if name in ("inception3b", "inception4e"):
            chain[f"pool{name[-2]}"] = MaxPool(3, stride=2, padding=1)
    chain |= named(f"avgpool: gap; flatten: flatten; fc: linear {classes}")
    before = ["input", *chain][:-1]
    steps = [(name, part, source) for (name, part), source in zip(chain.items(), before, strict=True)]
    if aux:
        heads = [("aux1", _head(classes), "inception4a"), ("aux2", _head(classes), "inception4d")]
        outputs = ["fc", "aux1", "aux2"]
        return published(Wired(*steps, *heads), "googlenet", (1, in_channels, 224, 224), outputs)
    return published(Wired(*steps), "googlenet", (1, in_channels, 96, 96))


def _conv(name: str, settings: str) -> str:
    return f"{name}: conv {settings}; {name}_relu: relu"


def _inception(c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int) -> Part:
    return Branches(
        p1=Sequential(**named(_conv("conv", f"{c1} k1"))),
        p2=Sequential(**named(f"{_conv('conv1', f'{c2[0]} k1')}; {_conv('conv2', f'{c2[1]} k3 p1')}")),
        p3=Sequential(**named(f"{_conv('conv1', f'{c3[0]} k1')}; {_conv('conv2', f'{c3[1]} k5 p2')}")),
        p4=Sequential(**named(f"pool: maxpool k3 s1 p1; {_conv('conv', f'{c4} k1')}")),
    )


def _head(classes: int) -> Part:
    convs = f"pool: avgpool k5 s3; {_conv('conv', '128 k1')}; flatten: flatten"
    linear = f"fc1: linear 1024 in_features={128 * 4 * 4}; relu: relu; drop: dropout 0.7; fc2: linear {classes}"
    return Sequential(**named(f"{convs}; {linear}"))
