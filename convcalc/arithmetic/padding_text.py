"""How torch, whose layers pad both sides of an axis alike, gets padding it has no word for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcalc.arithmetic.formulas import extent
from convcalc.sizes.size import is_symbolic

if TYPE_CHECKING:
    from convcalc.arithmetic.window_size import WindowedSize

NO_WORD = {
    "conv": "refuses padding='same' with a stride: ",
    "pool": "poolings take no padding='same': ",
}


def in_torch(axes: Sequence[WindowedSize], pooling: str = "max") -> str:
    """Return what to write in torch, of all axes at once; empty where a layer takes the padding as it is.

    Padding is no value: zeros would win over a negative maximum, so max pooling pads with -inf, and an average is
    divided by that of the ones which are really there. The layer itself then pads nothing, and rounds down, as all
    that it reads is padded: in ceil mode as far as its last window reaches.

    >>> from convcalc.arithmetic.window_size import conv_size, pool_size
    >>> in_torch([conv_size(28, 3, stride=2, padding="same")])
    "refuses padding='same' with a stride: F.pad(x, (0, 1)), and padding=0"
    >>> in_torch([pool_size(28, 3, stride=2, padding=(0, 1))] * 2)
    'F.pad(x, (0, 1, 0, 1), value=float("-inf")), and padding=0'
    >>> in_torch([pool_size(28, 3, stride=2, padding=1)]), in_torch([conv_size(28, 4, padding="same")])
    ('', '')
    """
    kind = axes[0].kind
    pairs = [axis.padding for axis in axes]
    if any(is_symbolic(side) or is_symbolic(axis.output_size) for axis in axes for side in axis.padding):
        return ""
    even = all(before == after for before, after in pairs)
    if kind == "conv" and all(axis.same and axis.stride == 1 and axis.padding[0] <= axis.padding[1] for axis in axes):
        return ""
    averages_what_is_there = pooling == "avg" and any(axis.same and any(axis.padding) for axis in axes)
    if even and not averages_what_is_there:
        return ""
    said = NO_WORD[kind] if any(axis.same and (kind == "pool" or axis.stride != 1) for axis in axes) else ""
    if even:
        sides = [before for before, _ in pairs]
        alike = sides[0] if len(set(sides)) == 1 else tuple(sides)
        return f"{said}padding={alike}, count_include_pad=False"
    pads = tuple(side for axis in reversed(axes) for side in _sides(axis))
    layer = f"padding=0{', ceil_mode=False' if axes[0].ceil_mode else ''}"
    if kind == "conv":
        return f"{said}F.pad(x, {pads}), and {layer}"
    if pooling == "avg":
        return f"{said}pool(F.pad(x, {pads})) / pool(F.pad(torch.ones_like(x), {pads})), where pool has {layer}"
    return f'{said}F.pad(x, {pads}, value=float("-inf")), and {layer}'


def _sides(axis: WindowedSize) -> tuple[int, int]:
    """The rows to put before and after: in ceil mode as many more as the last window reaches past them."""
    before, after = axis.padding
    if not axis.ceil_mode:
        return before, after
    end = (axis.output_size - 1) * axis.stride + extent(axis.kernel_size, axis.dilation)
    return before, max(after, end - axis.input_size - before)
