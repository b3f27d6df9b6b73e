"""Convolution arithmetic: what size comes out, what must go in, what each output reads, and why.

>>> import convcalc as cc
>>> cc.conv_out(28, k=5, p=2), cc.conv_transpose_out(14, k=4, s=2, p=1), cc.pool_out(54, k=3, s=2, ceil_mode=True)
(28, 28, 27)
>>> cc.hdc([1, 2, 9]).holes
(7, 8, 16, 17)
>>> cc.inspect(cc.zoo.lenet()).params
61706

Names are imported when they are first used, so that `import convcalc` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "analysis.comparison": "Comparison",
    "analysis.inspection": "check compare find_fields find_notes find_tiles find_window inspect valid_sizes",
    "analysis.report": "LayerReport Report",
    "analysis.verdict": "Legal",
    "blocks": "Block Branches Residual Sequential Skip Wired",
    "bridge.assemble": "to_torch",
    "bridge.entry": "from_torch",
    "chain": "Chain Step run_chain",
    "checkerboard": "Overlap overlap",
    "dilation": "HDC hdc",
    "errors": "BadArgument BadShape ConvcalcError Disagreement DivisionByZero KernelDoesNotFit NoOutput NoSolution "
    "NoSuchName Refused Unknown Unreadable",
    "expr": "Expr",
    "footprint": "Footprint",
    "formulas": "conv_out conv_transpose_out extent padding_pair pool_out",
    "graph": "Graph Node",
    "layers": "AdaptiveAvgPool AdaptiveMaxPool Add AvgPool BatchNorm Concat Conv ConvTranspose Crop CropTo Dropout ELU "
    "Flatten Fold GELU GroupNorm Hardsigmoid Hardswish Identity InstanceNorm Layer LayerNorm LeakyReLU Linear LpPool "
    "MaxPool Mish Mul PReLU Pad PadTo PixelShuffle PixelUnshuffle Pointwise ReLU ReLU6 SiLU Sigmoid Softmax Softplus "
    "Tanh Unfold Upsample",
    "reads": "Reads",
    "resizing": "adaptive_pool_out adaptive_pool_windows crop_out interpolate_out pad_out pixel_shuffle_out "
    "pixel_unshuffle_out",
    "shorthand": "read_stack",
    "sizeset": "SizeSet",
    "solve": "Solutions solve_conv solve_conv_transpose solve_pool",
    "transpose": "transposed_by_matrix transposed_by_stamps transposed_by_zeros",
    "transpose_size": "TransposedSize transposed_size transposed_sizes",
    "window_size": "WindowedSize conv_size pool_size",
}
"""The modules that public names live in; type checkers read the same from the imports below."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_HOME_OF, "zoo"])

if TYPE_CHECKING:
    from convcalc import zoo
    from convcalc.analysis.comparison import Comparison
    from convcalc.analysis.inspection import (
        check,
        compare,
        find_fields,
        find_notes,
        find_tiles,
        find_window,
        inspect,
        valid_sizes,
    )
    from convcalc.analysis.report import LayerReport, Report
    from convcalc.analysis.verdict import Legal
    from convcalc.blocks import Block, Branches, Residual, Sequential, Skip, Wired
    from convcalc.bridge.assemble import to_torch
    from convcalc.bridge.entry import from_torch
    from convcalc.chain import Chain, Step, run_chain
    from convcalc.checkerboard import Overlap, overlap
    from convcalc.dilation import HDC, hdc
    from convcalc.errors import (
        BadArgument,
        BadShape,
        ConvcalcError,
        Disagreement,
        DivisionByZero,
        KernelDoesNotFit,
        NoOutput,
        NoSolution,
        NoSuchName,
        Refused,
        Unknown,
        Unreadable,
    )
    from convcalc.expr import Expr
    from convcalc.footprint import Footprint
    from convcalc.formulas import conv_out, conv_transpose_out, extent, padding_pair, pool_out
    from convcalc.graph import Graph, Node
    from convcalc.layers import (
        ELU,
        GELU,
        AdaptiveAvgPool,
        AdaptiveMaxPool,
        Add,
        AvgPool,
        BatchNorm,
        Concat,
        Conv,
        ConvTranspose,
        Crop,
        CropTo,
        Dropout,
        Flatten,
        Fold,
        GroupNorm,
        Hardsigmoid,
        Hardswish,
        Identity,
        InstanceNorm,
        Layer,
        LayerNorm,
        LeakyReLU,
        Linear,
        LpPool,
        MaxPool,
        Mish,
        Mul,
        Pad,
        PadTo,
        PixelShuffle,
        PixelUnshuffle,
        Pointwise,
        PReLU,
        ReLU,
        ReLU6,
        Sigmoid,
        SiLU,
        Softmax,
        Softplus,
        Tanh,
        Unfold,
        Upsample,
    )
    from convcalc.reads import Reads
    from convcalc.resizing import (
        adaptive_pool_out,
        adaptive_pool_windows,
        crop_out,
        interpolate_out,
        pad_out,
        pixel_shuffle_out,
        pixel_unshuffle_out,
    )
    from convcalc.shorthand import read_stack
    from convcalc.sizeset import SizeSet
    from convcalc.solve import Solutions, solve_conv, solve_conv_transpose, solve_pool
    from convcalc.transpose import transposed_by_matrix, transposed_by_stamps, transposed_by_zeros
    from convcalc.transpose_size import TransposedSize, transposed_size, transposed_sizes
    from convcalc.window_size import WindowedSize, conv_size, pool_size


def __getattr__(name: str) -> Any:
    if name == "zoo":
        return import_module("convcalc.zoo")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'convcalc' has no attribute {name!r}")
    value = getattr(import_module(f"convcalc.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(["__version__", *__all__])
