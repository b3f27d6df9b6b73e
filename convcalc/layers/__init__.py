"""Layers in torch's words: one op, one class, one place for its rules, output shape, parameters and MACs."""

from convcalc.layers.activation import (
    ELU,
    GELU,
    GLU,
    Dropout,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyReLU,
    Map,
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
from convcalc.layers.attention import Attention, MultiheadAttention
from convcalc.layers.base import Layer, Shape
from convcalc.layers.constant import Fresh, Source
from convcalc.layers.conv import Conv, ConvTranspose
from convcalc.layers.embedding import Embedding, EmbeddingBag, OneHot
from convcalc.layers.expand import Expand, Interleave, Repeat
from convcalc.layers.fold import Fold, Unfold, Windows
from convcalc.layers.indexing import Index, Narrow, Slice, Take, Written
from convcalc.layers.matmul import Einsum, Linear, Matmul
from convcalc.layers.merge import Add, Combine, Concat, Mul, Stack
from convcalc.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from convcalc.layers.opaque import Opaque
from convcalc.layers.pad import Crop, CropTo, Pad, PadAxes, PadTo
from convcalc.layers.permute import Moved, Permute
from convcalc.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, LpPool, MaxPool
from convcalc.layers.recurrent import Recurrent, RecurrentCell
from convcalc.layers.reduce import Compare, Cumulative, Reduce
from convcalc.layers.reshape import Flatten, Squeeze, Unflatten, Unsqueeze, View
from convcalc.layers.resize import GridSample, PixelShuffle, PixelUnshuffle, Upsample
from convcalc.layers.split import Chunk, Pieces, Split, Unbind
