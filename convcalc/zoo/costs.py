"""What the networks of the zoo cost on their own inputs, so that a list of them counts nothing; a test counts again."""

from __future__ import annotations

from typing import NamedTuple

from convcalc.layers.base import Shape


class Costs(NamedTuple):
    """Shapes, parameters, MACs; field and stride of the last layer that sees a part of the input, alike on all axes."""

    input: Shape
    output: Shape
    params: int
    macs: int
    field: int
    stride: int


COSTS = {
    "lenet": Costs((1, 1, 28, 28), (1, 10), 61_706, 416_520, 16, 4),
    "alexnet": Costs((1, 1, 224, 224), (1, 10), 46_764_746, 938_146_176, 195, 32),
    "alexnet_torchvision": Costs((1, 3, 224, 224), (1, 1000), 61_100_840, 714_188_480, 195, 32),
    "vgg11": Costs((1, 3, 224, 224), (1, 1000), 132_863_336, 7_609_090_048, 150, 32),
    "vgg13": Costs((1, 3, 224, 224), (1, 1000), 133_047_848, 11_308_466_176, 156, 32),
    "vgg16": Costs((1, 3, 224, 224), (1, 1000), 138_357_544, 15_470_264_320, 212, 32),
    "vgg19": Costs((1, 3, 224, 224), (1, 1000), 143_667_240, 19_632_062_464, 268, 32),
    "nin": Costs((1, 1, 224, 224), (1, 10), 1_992_166, 762_297_352, 195, 32),
    "googlenet": Costs((1, 1, 96, 96), (1, 10), 5_977_530, 276_066_304, 715, 32),
    "resnet18": Costs((1, 3, 224, 224), (1, 1000), 11_689_512, 1_814_073_344, 435, 32),
    "resnet34": Costs((1, 3, 224, 224), (1, 1000), 21_797_672, 3_663_761_408, 899, 32),
    "resnet50": Costs((1, 3, 224, 224), (1, 1000), 25_557_032, 4_089_184_256, 427, 32),
    "resnet101": Costs((1, 3, 224, 224), (1, 1000), 44_549_160, 7_801_405_440, 971, 32),
    "resnet152": Costs((1, 3, 224, 224), (1, 1000), 60_192_808, 11_513_626_624, 1451, 32),
    "densenet": Costs((1, 1, 96, 96), (1, 10), 758_226, 129_077_168, 519, 32),
    "densenet121": Costs((1, 3, 224, 224), (1, 1000), 7_978_856, 2_834_161_664, 2071, 32),
    "densenet169": Costs((1, 3, 224, 224), (1, 1000), 14_149_480, 3_359_843_328, 3351, 32),
    "densenet201": Costs((1, 3, 224, 224), (1, 1000), 20_013_928, 4_291_365_888, 3863, 32),
    "unet": Costs((1, 1, 572, 572), (1, 2, 388, 388), 31_030_658, 150_428_424_448, 204, 1),
    "unet3d": Costs((1, 3, 132, 132, 116), (1, 3, 44, 44, 28), 19_075_523, 266_731_018_496, 100, 1),
}
"""Of each network as it is without arguments."""
