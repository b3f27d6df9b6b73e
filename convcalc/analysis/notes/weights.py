"""Notes on what a layer learns: uneven stamps, biases that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import gcd
from typing import Any

from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis
from convcalc.analysis.notes.ways import Edit, Way, edits, in_words
from convcalc.arithmetic.transposed.checkerboard import overlap
from convcalc.layers import Conv, Upsample
from convcalc.network.node import Node


def uneven_overlap(facts: Facts) -> Iterator[Remark]:
    """A transposed convolution whose stamps overlap unevenly; see `convcalc.arithmetic.transposed.checkerboard`."""
    for node in facts.nodes:
        each = node.layer.stamps(len(facts.sizes(node.name)))
        yield from by_axis(node, [_uneven(node, *entry, alone=len(set(each)) > 1) for entry in each])


def _uneven(node: Node, k: int, s: int, p: Any, extra: int, d: int, *, alone: bool) -> Sentence | None:
    found = overlap(k, s, d)
    if found.even:
        return None
    message = f"stamps of kernel_size {k}, {s} apart, meet {found.fewest} to {found.most} at an output"
    ways = [*_even(node, k, s, p, extra, d), *(() if alone else _resampled(node, k, s, p, extra, d))]
    return f"{message}: {found.reason}, a checkerboard", tuple(ways)


def _even(node: Node, k: int, s: int, p: Any, extra: int, d: int) -> Iterator[Way]:
    """The kernels next to this one that overlap evenly, with what keeps the output size, the nearest first."""
    if not isinstance(p, int):
        return
    now = {"kernel_size": k, "padding": p, "output_padding": extra, "dilation": d}
    rate = d if gcd(s, d) == 1 else 1
    sizes = {k - k % s, k + -k % s} - {0}
    tried = (_keeping(size, s, rate, now) for size in sorted(sizes, key=lambda size: (abs(size - k), size)))
    found = [kept for kept in tried if kept is not None]
    if found:
        yield Way("{} overlaps evenly", tuple((in_words(kept), edits(node.name, **kept)) for kept in found))


def _keeping(size: int, s: int, d: int, now: dict[str, Any]) -> dict[str, Any] | None:
    """Other settings of the same output size, (n - 1)s + total; None where no padding gives it."""
    total = now["dilation"] * (now["kernel_size"] - 1) + now["output_padding"] - 2 * now["padding"]
    least = max(0, -(-(d * (size - 1) - total) // 2))  # 0 <= output_padding = total + 2*padding - d(k - 1)
    extra = total + 2 * least - d * (size - 1)
    if extra >= max(s, d):
        return None
    new = {"kernel_size": size, "dilation": d, "padding": least, "output_padding": extra}
    return {name: value for name, value in new.items() if value != now[name]}


def _resampled(node: Node, k: int, s: int, p: Any, extra: int, d: int) -> Iterator[Way]:
    """Nearest neighbours s times, then a convolution: where the output is s times the input."""
    layer: Any = node.layer
    if isinstance(p, int) and d * (k - 1) + extra + 1 - 2 * p == s:
        odd = k if k % 2 else k + 1
        conv = Conv(layer.out_channels, odd, padding=odd // 2, groups=layer.groups, bias=layer.bias)
        text = f"nn.Upsample(scale_factor={s}) and a convolution of kernel_size={odd}, padding={odd // 2} in its place"
        up = Edit(node.inputs[0], f"into {node.name}", Upsample(scale_factor=s))
        yield Way("{}", ((text, (Edit(node.name, "layer", conv), up)),))


# -- biases --------------------------------------------------------------------------------------------------------


def _biases(facts: Facts, what: str, mean_of: str) -> Iterator[Remark]:
    """A bias that only normalizations read: the mean they take away holds it."""
    for node in facts.nodes:
        readers = facts.readers[node.name]
        if node.layer.adds_bias(facts.shapes[node.name]) and readers and node.name not in facts.graph.outputs:
            channels = facts.shapes[node.name][1]
            if all(reader.layer.levels(channels) == mean_of for reader in readers):
                way = Way("{}", (("bias=False", edits(node.name, bias=False)),))
                yield node, f"the {what} after it takes this bias of {channels} away again", (way,)


bias_before_batchnorm = partial(_biases, what="batch normalization", mean_of="batch")
"""S. Ioffe and C. Szegedy, "Batch normalization", arXiv:1502.03167, section 3.2."""

bias_before_instancenorm = partial(_biases, what="normalization of each channel", mean_of="sample")
"""D. Ulyanov, A. Vedaldi and V. Lempitsky, "Instance normalization", arXiv:1607.08022.

So does a group normalization of one channel a group.
"""
