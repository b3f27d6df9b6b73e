"""How designs are written: a table, what was proved, and within what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.designs.wish import ORDER, Wish
from convcalc.render.table import plain_table
from convcalc.render.words import Line, labelled

if TYPE_CHECKING:
    from convcalc.designs.design import Design
    from convcalc.designs.designing import Designs

SPARE = ("stride", "params", "holes")
"""What a narrow terminal does without."""


def designs_text(found: Designs) -> str:
    """Return designs as text, best first.

    >>> import convcalc as cc
    >>> print(cc.design(field=7, stride=2, limit=1))
    layers  receptive field  stride  params  MACs       stack
    2       7                2       12,608  3,194,880  conv 64 k3 s2 p1; conv 64 k3 p1
    proved     no stack of 1 layer does; 2 is the least
    within     k 3, any number of layers, dilation 1, strides 1..2, without holes
    counted    64 channels a layer, on an input of 1x512
    order      layers, then MACs, then parameters
    """
    table = [plain_table(*design_table(found.best))] if found.best else []
    return "\n".join([*table, labelled(found.notes)])


def design_table(best: tuple[Design, ...]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table of designs."""
    with_holes = any(one.holes != 0 for one in best)
    with_source = any(one.source for one in best)
    head = ["layers", "receptive field", "stride", "params", "MACs", "stack"]
    rows = []
    for one in best:
        row = [
            str(one.layers),
            str(one.receptive_field),
            str(one.stride),
            f"{one.params:,}",
            f"{one.macs:,}",
            one.stack,
        ]
        if with_holes:
            row.insert(2, "?" if one.holes is None else str(one.holes))
        if with_source:
            row.append(one.source or "")
        rows.append(row)
    if with_holes:
        head.insert(2, "holes")
    return head + ["source"] * with_source, rows


def wish_notes(wish: Wish, reason: str, *, complete: bool, pareto: bool) -> tuple[Line, ...]:
    """Return what stands below the table: what was proved, within what bounds, how it was counted and ordered.

    >>> from convcalc.designs.wish import read_wish
    >>> wish_notes(read_wish(7), "", complete=True, pareto=False)[1]
    ('counted', '64 channels a layer, on an input of 1x512')
    """
    lines = [("proved" if complete else "not proved", reason)] if reason else []
    lines += [("within", _bounds(wish)), ("counted", _counted(wish))]
    if reason and not pareto:
        names = {"layers": "layers", "macs": "MACs", "params": "parameters"}
        lines.append(("order", ", then ".join(names[key] for key in ORDER[wish.minimize])))
    return tuple(lines)


def _bounds(wish: Wish) -> str:
    layers = wish.layers
    any_number = layers.least == 1 and layers.most is None
    return ", ".join(
        [
            f"k {wish.kernel_size.text}",
            "any number of layers" if any_number else f"{layers.text} layer{'s' * (layers.text != '1')}",
            f"dilation {wish.dilation.text}",
            f"strides {wish.strides.text}",
            "with holes or without" if wish.holes else "without holes",
        ]
    )


def _counted(wish: Wish) -> str:
    channels = "x".join(map(str, wish.channels))
    several = f"{channels} channels by layer, the last for all others" if len(wish.channels) > 1 else ""
    size = "x".join(map(str, (wish.in_channels, *wish.size)))
    padding = "" if wish.padded else ", nothing padded"
    return f"{several or f'{channels} channels a layer'}, on an input of {size}{padding}"
