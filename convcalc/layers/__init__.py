"""Layers in torch's words: one op, one class, one place for its rules, output shape, parameters and MACs."""

from convcalc.layers.base import Layer, Shape
from convcalc.layers.conv import Conv, ConvTranspose
from convcalc.layers.fold import Fold, Unfold
from convcalc.layers.pad import Crop, Pad
from convcalc.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, LpPool, MaxPool
from convcalc.layers.resize import PixelShuffle, PixelUnshuffle, Upsample

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AvgPool",
    "Conv",
    "ConvTranspose",
    "Crop",
    "Fold",
    "Layer",
    "LpPool",
    "MaxPool",
    "Pad",
    "PixelShuffle",
    "PixelUnshuffle",
    "Shape",
    "Unfold",
    "Upsample",
]
