"""What is wished of a stack of convolutions, and the bounds within which it is sought."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from convcalc.arithmetic.notation import read_number
from convcalc.errors import Unreadable, brief
from convcalc.sizes.axes import AXES

ORDER = {
    "layers": ("layers", "macs", "params"),
    "macs": ("macs", "params", "layers"),
    "params": ("params", "macs", "layers"),
}
"""What may be least, and what decides between equals."""
LONGEST_FIELD, MOST_LAYERS, MOST_VALUES, LARGEST = 20_000, 1_000, 256, 10**9
"""The longest receptive field, the most layers, values of a setting, and the largest number that may be asked for."""


class Span(NamedTuple):
    """Whole numbers from the least on, to the most where there is one.

    >>> Span(3, 7).text, Span(200, None).text, Span(5, 5).text, list(Span(3, 5).values)
    ('3..7', '200..', '5', [3, 4, 5])
    """

    least: int
    most: int | None

    @property
    def text(self) -> str:
        """As it is written."""
        if self.least == self.most:
            return str(self.least)
        return f"{self.least}..{'' if self.most is None else self.most}"

    @property
    def values(self) -> range:
        """All numbers of a span that ends."""
        return range(self.least, (self.least if self.most is None else self.most) + 1)


def read_span(name: str, given: Any, most: int, *, ends: bool = True) -> Span:
    """Read one number, or a span of them: 3, "3..7", "..6", "200.." unless it `ends`, a range or a `Span`.

    >>> read_span("layers", "..6", 1000), read_span("field", 201, 20_000)
    (Span(least=1, most=6), Span(least=201, most=201))
    >>> read_span("layers", "6..2", 1000)
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: layers 6..2 is empty: the first end is past the last
    """
    if isinstance(given, range) and given.step == 1 and given:
        given = Span(given[0], given[-1])
    if isinstance(given, Span):
        given = given.text
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise Unreadable(f"{name} is a number, or a span such as 3..7: got {brief(given)}")
    text = str(given).strip()
    if not text:
        raise Unreadable(f"{name} is empty: write a number")
    found = re.fullmatch(r"(-?[0-9]*)\.\.(-?[0-9]*)", text)
    first, last = found.groups() if found else (text, text)
    least, top = (read_number(first) if first else 1), (read_number(last) if last else None)
    if found and not (first or last):
        raise Unreadable(f"{name} {text} has no end: write 3..7, ..7{'' if ends else ' or 3..'}")
    if top is None and ends:
        raise Unreadable(f"{name} {text} has no last end: write {text}{least + 4}")
    for end in (least, top):
        if end is not None and not 1 <= end <= most:
            raise Unreadable(f"{name} must be from 1 to {most:,}: got {end}")
    if top is not None and top < least:
        raise Unreadable(f"{name} {text} is empty: the first end is past the last")
    return Span(least, top)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a stack of convolutions must be, along every axis, and what its layers may be.

    >>> wish = read_wish(field="200..260", stride=8)
    >>> wish.field, wish.strides.text, wish.size
    (Span(least=200, most=260), '1..2', (512,))
    """

    field: Span
    stride: int | None
    """The product of all strides; None for any."""
    kernel_size: Span
    layers: Span
    dilation: Span
    strides: Span
    channels: tuple[int, ...]
    """Of the first layer, the second, ...; the last for all that follow."""
    in_channels: int
    size: tuple[int, ...]
    """The input on which MACs are counted and every layer must run, one size an axis."""
    causal: bool
    padded: bool
    holes: bool
    minimize: str

    def record(self) -> dict[str, Any]:
        """What is wished, for JSON."""
        return {
            "field": _plain(self.field),
            "stride": self.stride,
            "causal": self.causal,
            "holes": self.holes,
            "minimize": self.minimize,
        }

    def bounds(self) -> dict[str, Any]:
        """Within what it is sought, for JSON."""
        return {
            "k": _plain(self.kernel_size),
            "layers": [self.layers.least, self.layers.most],
            "dilation": _plain(self.dilation),
            "strides": _plain(self.strides),
            "channels": list(self.channels),
            "in_channels": self.in_channels,
            "size": list(self.size),
            "padded": self.padded,
        }


def _plain(span: Span) -> int | list[int | None]:
    return span.least if span.least == span.most else [span.least, span.most]


def read_wish(
    field: Any,
    stride: Any = None,
    *,
    kernel_size: Any = 3,
    layers: Any = None,
    dilation: Any = 1,
    strides: Any = None,
    channels: Any = 64,
    in_channels: Any = 1,
    size: Any = 512,
    causal: bool = False,
    padded: bool = True,
    holes: bool = False,
    minimize: str = "layers",
) -> Wish:
    """Return a wish, read and checked; raises `Unreadable` for what makes no sense.

    >>> read_wish(201, kernel_size=0)
    Traceback (most recent call last):
    ...
    convcalc.errors.Unreadable: k must be from 1 to 1,000: got 0
    """
    if minimize not in ORDER:
        raise Unreadable(f"minimize is one of {', '.join(ORDER)}: got {brief(minimize)}")
    if causal and not padded:
        raise Unreadable("causal pads before the input: leave out padded=False")
    if not padded and read_span("dilation", dilation, LONGEST_FIELD).values[1:]:
        raise Unreadable("without padding the MACs depend on the order of dilations: give one dilation")
    steps = None if stride is None else read_span("stride", stride, LARGEST)
    if steps is not None and steps.least != steps.most:
        raise Unreadable(f"stride is one number, the product of all strides: got {brief(stride)}")
    found = Wish(
        field=read_span("field", field, LONGEST_FIELD, ends=False),
        stride=steps and steps.least,
        kernel_size=read_span("k", kernel_size, 1000),
        layers=Span(1, None) if layers is None else read_span("layers", layers, MOST_LAYERS, ends=False),
        dilation=read_span("dilation", dilation, LONGEST_FIELD),
        strides=read_span("strides", ("1" if stride is None else "1..2") if strides is None else strides, 1000),
        channels=_several("channels", channels),
        in_channels=read_span("in_channels", in_channels, LARGEST).least,
        size=_several("size", size),
        causal=bool(causal),
        padded=bool(padded),
        holes=bool(holes),
        minimize=minimize,
    )
    if len(found.size) not in AXES:
        raise Unreadable(f"size has 1 to 3 axes: got {len(found.size)}")
    for name, span in (("k", found.kernel_size), ("dilation", found.dilation), ("strides", found.strides)):
        if len(span.values) > MOST_VALUES:
            raise Unreadable(
                f"{name} {span.text} are {len(span.values):,} values to choose from: at most {MOST_VALUES}"
            )
    return found


def _several(name: str, given: Any) -> tuple[int, ...]:
    """One number, or several as 64x128x256."""
    parts = re.split(r"[xX×]", given) if isinstance(given, str) else given
    if isinstance(parts, int) or not hasattr(parts, "__iter__"):
        parts = [parts]
    return tuple(read_span(name, part, LARGEST).least for part in parts)
