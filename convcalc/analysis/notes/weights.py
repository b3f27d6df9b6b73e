"""Notes on what a layer learns: uneven stamps, biases that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.analysis.notes.base import Facts, Remark, Sentence, by_axis
from convcalc.axes import per_axis
from convcalc.checkerboard import overlap
from convcalc.graph import Node
from convcalc.layers import BatchNorm, Conv, ConvTranspose, Linear


def uneven_overlap(facts: Facts) -> Iterator[Remark]:
    """A transposed convolution whose stamps overlap unevenly; see `convcalc.checkerboard`."""
    for node in facts.nodes:
        layer = node.layer
        if isinstance(layer, ConvTranspose):
            axes = len(facts.sizes(node.name))
            settings = (per_axis(name, getattr(layer, name), axes) for name in ("kernel_size", "stride", "dilation"))
            yield from by_axis(node, [_uneven(*entry) for entry in zip(*settings, strict=True)])


def _uneven(kernel_size: int, stride: int, dilation: int) -> Sentence | None:
    found = overlap(kernel_size, stride, dilation)
    if found.even:
        return None
    message = f"stamps of kernel_size {kernel_size}, {stride} apart, meet {found.fewest} to {found.most} at an output"
    return f"{message}: {found.reason}", found.remedy


def bias_before_batchnorm(facts: Facts) -> Iterator[Remark]:
    """A bias that only batch normalizations read: the mean they take away holds it.

    Source: S. Ioffe and C. Szegedy, "Batch normalization", arXiv:1502.03167, section 3.2.
    """
    for node in facts.nodes:
        readers = facts.readers[node.name]
        seen_elsewhere = node.name in facts.graph.outputs
        if _adds_to_channels(node, facts) and readers and not seen_elsewhere:
            values = facts.shapes[node.name][1]
            if all(isinstance(reader.layer, BatchNorm) for reader in readers):
                yield node, f"the batch normalization after it takes this bias of {values} away again", "bias=False"


def _adds_to_channels(node: Node, facts: Facts) -> bool:
    """Whether a bias is added, the same all over a channel: not by a linear layer whose features are positions."""
    layer = node.layer
    if isinstance(layer, Linear):
        return layer.bias and len(facts.shapes[node.name]) == 2
    return isinstance(layer, Conv | ConvTranspose) and layer.bias
