"""How a decoder is written: a table of its transposed layers, and the torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convcalc.render.table import plain_table
from convcalc.render.words import across, labelled, number, same_text
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size
from convcalc.sizes.text import PYTHON, Style, grouped

if TYPE_CHECKING:
    from convcalc.designs.decoder import Decoder, Up


def decoder_text(found: Decoder, style: Style = PYTHON) -> str:
    """Return the layers of a decoder and its code.

    >>> from convcalc.designs.decoder import decoder
    >>> from convcalc.layers import Conv
    >>> from convcalc.network.blocks import as_graph
    >>> text = decoder_text(decoder(as_graph(Conv(16, 3, stride=2, padding=1)), {"input": (1, 3, 9, 8)}))
    >>> print(text.partition("sizes")[0])
    layer  undoes  transposed              gives back  output_padding                at 9x8
    up1    conv    tconv 16 -> 3 k3 s2 p1  HxW         (H + 1) mod 2, (W + 1) mod 2  0, 1
    from       the output of conv
    <BLANKLINE>
    """
    return "\n".join([plain_table(*decoder_table(found, style)), *decoder_lines(found), "", found.source])


def decoder_table(found: Decoder, style: Style) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of a decoder."""
    head = ["layer", "undoes", "transposed", "gives back", "output_padding"]
    at = "x".join(str(found.at[letter]) for letter in found.letters) if len(found.at) == len(found.letters) else ""
    rows = []
    for up in found.layers:
        row = [up.name, up.undoes, _settings(up), across(up.size, style)]
        row.append(_each([_modulo(rest, stride, style) for rest, stride in zip(up.rest, up.stride, strict=True)]))
        rows.append([*row, *([_each([str(_value(size, found.at)) for size in up.output_padding])] if at else [])])
    return [*head, *([f"at {at}"] if at else [])], rows


def decoder_lines(found: Decoder) -> list[str]:
    """Return what stands below the table."""
    sizes = "x".join(found.letters)
    return labelled(
        [
            ("from", f"the output of {found.end}"),
            ("sizes", f"every {sizes} that {found.model} takes comes back; values do not"),
        ]
    ).splitlines()


def _settings(up: Up) -> str:
    words = [f"tconv {up.in_channels} -> {up.out_channels}", f"k{same_text([*map(str, up.kernel_size)])}"]
    for letter, values, usual in (("s", up.stride, 1), ("p", up.padding, 0), ("d", up.dilation, 1)):
        if set(values) != {usual}:
            words.append(f"{letter}{same_text([*map(str, values)])}")
    if up.cut:
        words.append(f"cut {same_text([f'{first}:{last}' for first, last in up.cut])}")
    return " ".join(words)


def _modulo(rest: Size, stride: int, style: Style, sign: str = "mod") -> str:
    """The rest of a division by the stride, whose constant is as small as can be."""
    if isinstance(rest, Expr):
        rest = rest - rest.constant + rest.constant % stride
    return "0" if stride == 1 else f"{grouped(number(rest, style))} {sign} {stride}"


def _each(texts: Sequence[str]) -> str:
    """One text an axis, once where they agree."""
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def _value(size: Size, at: Mapping[str, int]) -> int:
    return int(size(**{name: at[name] for name in size.symbols})) if isinstance(size, Expr) else int(size)


def decoder_code(found: Decoder) -> str:
    """Return the torch module of a decoder.

    torch finds the output_padding of each layer from the size that is to come out.
    """
    axes, letters, sizes = len(found.letters), ", ".join(found.letters), "x".join(found.letters)
    lines = [
        "from torch import nn",
        "",
        "",
        "class Decoder(nn.Module):",
        f'    """From the output of {found.end} back to every size {sizes} that {found.model} takes."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        *(f"        self.{up.name} = nn.ConvTranspose{axes}d({_arguments(up)})" for up in found.layers),
        "",
        f"    def forward(self, x, {letters}):",
        *(f"        x = self.{up.name}(x, output_size=({_sizes(up)})){_cut(up)}" for up in found.layers),
        "        return x",
    ]
    return "\n".join(lines)


def _arguments(up: Up) -> str:
    values = [str(up.in_channels), str(up.out_channels), _python(up.kernel_size)]
    for name, given, usual in (("stride", up.stride, 1), ("padding", up.padding, 0), ("dilation", up.dilation, 1)):
        if set(given) != {usual}:
            values.append(f"{name}={_python(given)}")
    return ", ".join(values)


def _python(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else str(values)


def _sizes(up: Up) -> str:
    """The sizes to come out, with the padding that is cut off afterwards."""
    more = up.cut or ((0, 0),) * len(up.size)
    sizes = [str(size + sum(pair)) for size, pair in zip(up.size, more, strict=True)]
    return ", ".join(sizes) if len(sizes) > 1 else f"{sizes[0]},"


def _cut(up: Up) -> str:
    if up.cut is None:
        return ""
    slices = [f"{first or ''}:{-last or ''}" for first, last in up.cut]
    return f"[..., {', '.join(slices)}]"


def decoder_record(found: Decoder) -> dict[str, Any]:
    """Return the record of `convcalc design decoder --json`."""
    return {
        "kind": "decoder",
        "model": found.model,
        "end": found.end,
        "layers": [
            {
                "name": up.name,
                "undoes": up.undoes,
                "in_channels": up.in_channels,
                "out_channels": up.out_channels,
                "kernel_size": list(up.kernel_size),
                "stride": list(up.stride),
                "padding": list(up.padding),
                "dilation": list(up.dilation),
                "cut": None if up.cut is None else [list(pair) for pair in up.cut],
                "size": [str(size) for size in up.size],
                "output_padding": [
                    _modulo(rest, stride, PYTHON, "%") for rest, stride in zip(up.rest, up.stride, strict=True)
                ],
            }
            for up in found.layers
        ],
        "source": found.source,
    }
