"""Layers in torch's words: one op, one class, one place for its rules, output shape, parameters and MACs."""

from convcalc.layers.activation import (
    ELU,
    GELU,
    Dropout,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyReLU,
    Mish,
    Pointwise,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from convcalc.layers.align import CropTo, PadTo
from convcalc.layers.base import Layer, Shape
from convcalc.layers.conv import Conv, ConvTranspose
from convcalc.layers.fold import Fold, Unfold
from convcalc.layers.linear import Flatten, Linear
from convcalc.layers.merge import Add, Concat, Mul
from convcalc.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from convcalc.layers.pad import Crop, Pad
from convcalc.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, LpPool, MaxPool
from convcalc.layers.resize import PixelShuffle, PixelUnshuffle, Upsample

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Crop",
    "CropTo",
    "Dropout",
    "Flatten",
    "Fold",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "InstanceNorm",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LpPool",
    "MaxPool",
    "Mish",
    "Mul",
    "PReLU",
    "Pad",
    "PadTo",
    "PixelShuffle",
    "PixelUnshuffle",
    "Pointwise",
    "ReLU",
    "ReLU6",
    "Shape",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unfold",
    "Upsample",
]
