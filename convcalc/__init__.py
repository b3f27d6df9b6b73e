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

from convcalc.version import __version__

_HOMES = {
    "analysis.comparison": "Comparison",
    "api": "check compare find_fields find_notes find_tiles find_window from_torch inspect valid_sizes verify",
    "analysis.report.layer": "LayerReport",
    "analysis.report.report": "Report",
    "analysis.validity.legal": "Legal",
    "network.blocks": "Block Branches Residual Sequential Skip Wired",
    "bridge.assembly.assemble": "to_torch",
    "analysis.chain": "Chain Step run_chain",
    "arithmetic.transposed.checkerboard": "Overlap overlap",
    "arithmetic.dilation.stack": "HDC hdc",
    "designs.design": "Design",
    "designs.designing": "Designs design",
    "export.code.emit": "Emitted emit",
    "errors": "BadArgument BadShape ConvcalcError Disagreement DivisionByZero KernelDoesNotFit NoOutput NoSolution "
    "NoSuchName Refused Unknown Unreadable",
    "sizes.expr": "Expr",
    "footprints.footprint": "Footprint",
    "footprints.product": "Product",
    "arithmetic.formulas": "conv_out conv_transpose_out extent padding_pair pool_out",
    "network.graph": "Graph Node",
    "layers": "AdaptiveAvgPool AdaptiveMaxPool Add AvgPool BatchNorm Concat Conv ConvTranspose Crop CropTo Dropout ELU "
    "Flatten Fold GELU GroupNorm Hardsigmoid Hardswish Identity InstanceNorm Layer LayerNorm LeakyReLU Linear LpPool "
    "MaxPool Mish Mul PReLU Pad PadTo PixelShuffle PixelUnshuffle Pointwise ReLU ReLU6 SiLU Sigmoid Softmax Softplus "
    "Tanh Unfold Upsample",
    "footprints.reads": "Reads",
    "arithmetic.resizing": "adaptive_pool_out adaptive_pool_windows crop_out interpolate_out pad_out pixel_shuffle_out "
    "pixel_unshuffle_out",
    "network.stack": "read_stack",
    "sizes.sets": "SizeSet",
    "arithmetic.solving.solutions": "Solutions solve_conv solve_conv_transpose solve_pool",
    "arithmetic.transposed.views": "transposed_by_matrix transposed_by_stamps transposed_by_zeros",
    "arithmetic.transposed.size": "TransposedSize transposed_size transposed_sizes",
    "arithmetic.window_size": "WindowedSize conv_size pool_size",
}
"""The modules that public names live in; type checkers read the same from the imports below."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

_ROOMS = {"draw": "export.draw", "layers": "layers", "stencils": "footprints.stencils", "zoo": "zoo"}
"""The modules that are public as a whole: pictures, every layer, footprints of single layers, the classic networks."""

__all__ = sorted([*_HOME_OF, *_ROOMS])

if TYPE_CHECKING:
    from convcalc import layers, zoo
    from convcalc.analysis.chain import Chain, Step, run_chain
    from convcalc.analysis.comparison import Comparison
    from convcalc.analysis.report.layer import LayerReport
    from convcalc.analysis.report.report import Report
    from convcalc.analysis.validity.legal import Legal
    from convcalc.api import (
        check,
        compare,
        find_fields,
        find_notes,
        find_tiles,
        find_window,
        from_torch,
        inspect,
        valid_sizes,
        verify,
    )
    from convcalc.arithmetic.dilation.stack import HDC, hdc
    from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, extent, padding_pair, pool_out
    from convcalc.arithmetic.resizing import (
        adaptive_pool_out,
        adaptive_pool_windows,
        crop_out,
        interpolate_out,
        pad_out,
        pixel_shuffle_out,
        pixel_unshuffle_out,
    )
    from convcalc.arithmetic.solving.solutions import Solutions, solve_conv, solve_conv_transpose, solve_pool
    from convcalc.arithmetic.transposed.checkerboard import Overlap, overlap
    from convcalc.arithmetic.transposed.size import TransposedSize, transposed_size, transposed_sizes
    from convcalc.arithmetic.transposed.views import transposed_by_matrix, transposed_by_stamps, transposed_by_zeros
    from convcalc.arithmetic.window_size import WindowedSize, conv_size, pool_size
    from convcalc.bridge.assembly.assemble import to_torch
    from convcalc.designs.design import Design
    from convcalc.designs.designing import Designs, design
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
    from convcalc.export import draw
    from convcalc.export.code.emit import Emitted, emit
    from convcalc.footprints import stencils
    from convcalc.footprints.footprint import Footprint
    from convcalc.footprints.product import Product
    from convcalc.footprints.reads import Reads
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
    from convcalc.network.blocks import Block, Branches, Residual, Sequential, Skip, Wired
    from convcalc.network.graph import Graph
    from convcalc.network.node import Node
    from convcalc.network.stack import read_stack
    from convcalc.sizes.expr import Expr
    from convcalc.sizes.sets import SizeSet


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"convcalc.{_ROOMS[name]}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'convcalc' has no attribute {name!r}")
    value = getattr(import_module(f"convcalc.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(["__version__", *__all__])
