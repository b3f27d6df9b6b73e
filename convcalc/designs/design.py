"""A stack that meets a wish, as a value: its line, its field, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from math import prod
from typing import Any

from convcalc.arithmetic.dilation.stack import hdc
from convcalc.designs.search import Layer, Stack
from convcalc.designs.space import Choice, Cost, Space
from convcalc.designs.wish import Wish
from convcalc.layers import Layer as Part
from convcalc.network.stack import read_stack
from convcalc.shown import Shown


@dataclass(frozen=True, kw_only=True, repr=False)
class Design(Shown):
    """One stack of convolutions: the line that `convcalc stack` and `inspect` read, and what it comes to.

    >>> import convcalc as cc
    >>> found = cc.design(field=15, stride=4).best[0]
    >>> found.stack, found.layers, found.receptive_field, found.holes
    ('conv 64 k3 s2 p1 *2; conv 64 k3 p1', 3, 15, 0)
    """

    stack: str
    receptive_field: int
    stride: int
    layers: int
    """How many."""
    params: int
    macs: int
    holes: int | None
    """Positions of the field that are not read; None where there are too many to count."""
    source: str | None = None
    """Where a published one is from."""

    def parts(self) -> tuple[Part, ...]:
        """Return its layers, as `convcalc.read_stack` reads them.

        >>> import convcalc as cc
        >>> cc.design(field=5).best[0].parts()
        (Conv(64, 3, padding=1), Conv(64, 3, padding=1))
        """
        return read_stack(self.stack)

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return self.stack


def as_design(wish: Wish, stack: Stack, source: str | None = None) -> Design:
    """Return a stack with what it comes to on the input of a wish.

    >>> from convcalc.designs.wish import read_wish
    >>> as_design(read_wish(7), (Layer(3, 1, 1), Layer(3, 1, 2))).stack
    'conv 64 k3 p1; conv 64 k3 p2 d2'
    """
    space, scale, total, costs = Space(wish), 1, 0, []
    for place, (taps, stride, dilation) in enumerate(stack):
        total += (taps - 1) * dilation * scale
        costs.append(space.cost(Choice(taps, stride), place, scale, total))
        scale *= stride
    kernels, strides, dilations = zip(*stack, strict=True)
    cost = Cost(*map(sum, zip(*costs, strict=True)))
    holes = hdc(dilations, kernel_size=kernels, stride=strides).hole_count
    if holes and not wish.holes:
        raise AssertionError(f"{stack} leaves holes")  # the exact rule re-checks every answer
    return Design(
        stack=stack_line(wish, stack),
        receptive_field=total + 1,
        stride=prod(strides),
        holes=holes,
        source=source,
        **cost._asdict(),
    )


def stack_line(wish: Wish, stack: Stack) -> str:
    """Return the one line of a stack, equal layers once."""
    return as_line(
        _word(wish, wish.channels[min(place, len(wish.channels) - 1)], layer) for place, layer in enumerate(stack)
    )


def as_line(layers: Iterable[str]) -> str:
    """Return layers as one line, those that follow one another alike once.

    >>> as_line(["conv 8 k3", "conv 8 k3", "conv 1 k1"])
    'conv 8 k3 *2; conv 1 k1'
    """
    counted = ((word, len(list(same))) for word, same in groupby(layers))
    return "; ".join(f"{word} *{times}" if times > 1 else word for word, times in counted)


def _word(wish: Wish, channels: int, layer: Layer) -> str:
    return " ".join([f"conv {channels} k{layer.kernel_size}", *_settings(wish, layer)])


def _settings(wish: Wish, layer: Layer) -> Iterator[str]:
    """Stride, padding that keeps the size at stride 1, and dilation, where they are not the usual ones."""
    missing = (layer.kernel_size - 1) * layer.dilation
    if layer.stride > 1:
        yield f"s{layer.stride}"
    if missing and wish.causal:
        yield "pcausal"
    elif missing and wish.padded:
        yield f"p{missing // 2}" if missing % 2 == 0 else f"p{missing // 2}:{missing // 2 + 1}"
    if layer.dilation > 1:
        yield f"d{layer.dilation}"
