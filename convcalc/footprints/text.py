"""What is read, in words: of a field, a footprint, and of every output."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcalc.render.words import same_text

if TYPE_CHECKING:
    from convcalc.footprints.field import Field
    from convcalc.footprints.footprint import Footprint
    from convcalc.footprints.reads import Reads
    from convcalc.footprints.taps import Taps


def field_texts(footprints: Sequence[Footprint | None]) -> list[str]:
    """Return field, stride, offset and covered as texts, once where the axes agree.

    >>> from convcalc.footprints.stencils import conv, everything
    >>> field_texts([conv(3, stride=2), conv(5, stride=2)]), field_texts([everything()])
    (['3x5', '2', '1x2', '3x5'], ['all', '-', '-', 'all'])
    """
    return [
        same_text([_text(None if footprint is None else read(footprint)) for footprint in footprints])
        for read in (_field, local_stride, lambda f: f.offset, _covered)
    ]


def _field(footprint: Footprint) -> Any:
    return "all" if footprint.is_global else footprint.receptive_field


def _covered(footprint: Footprint) -> Any:
    return "all" if footprint.is_global else footprint.covered


def local_stride(footprint: Footprint) -> Fraction | None:
    """Return the stride of the local part; None without one.

    >>> from convcalc.footprints.stencils import everything
    >>> local_stride(everything())
    """
    return footprint.stride if any(footprint.phases) else None


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


SHOWN = 8
"""So many phases, and outputs of a map, are written; the rest are counted."""


def field_line(field: Field) -> str:
    """Return a field: what is read on each axis, once where the axes agree.

    >>> from convcalc.footprints.field import Field
    >>> from convcalc.footprints.stencils import conv
    >>> field_line(Field((conv(3), conv(5, stride=2))))
    'receptive field 3x5, stride 1x2, offset 1x2'
    """
    if field.terms:
        return "; or ".join(map(field_line, field.terms))
    if all(axis is None for axis in field.axes):
        return "receptive field not known"
    reach, *settings, covered = field_texts(field.axes)
    named = [f", {name} {text}" for name, text in zip(("stride", "offset"), settings, strict=True) if text != "-"]
    holes = "" if covered == reach else f", covered {covered}"
    rest = "" if field.exact else "; not every place between is read"
    return f"receptive field {reach}{''.join(named)}{holes}{rest}"


def footprint_line(footprint: Footprint) -> str:
    """Return what the outputs read, phase by phase; output a of each is `a` steps further.

    >>> from convcalc.footprints.stencils import conv, conv_transpose, everything
    >>> footprint_line(conv(3, stride=2, padding=1)), footprint_line(conv_transpose(4, stride=2, padding=1))
    ('reads -1..1 + 2a', 'reads -1..0, 0..1 by phase, + a')
    >>> footprint_line(everything())
    'reads everything'
    """
    if footprint.is_unbounded:
        return "reads everything"
    sides = [side for side, all_ in (("before", footprint.all_before), ("after", footprint.all_after)) if all_]
    besides = f"; and all {' and '.join(sides)}" if sides else ""
    phases = list(map(taps_text, footprint.phases[:SHOWN]))
    if not any(footprint.phases):
        return f"reads {'nothing' if not sides else f'all {sides[0]}'}"
    more = f", ... ({len(footprint.phases)})" if len(footprint.phases) > SHOWN else ""
    by = f"{more} by phase," if len(footprint.phases) > 1 else ""
    step = "a" if footprint.step == 1 else f"{footprint.step}a"
    shifted = "" if footprint.shift == 0 else f" + ({footprint.shift})"
    return f"reads {', '.join(phases)}{by} + {step}{shifted}{besides}"


def taps_text(taps: Taps) -> str:
    """Return the positions of one set, of several runs in braces."""
    inside = repr(taps).partition("(")[2][:-1]
    return f"{{{inside}}}" if "," in inside else inside or "nothing"


def reads_text(reads: Reads) -> str:
    """Return what each output reads, line by line.

    >>> from convcalc.footprints.reads import Reads
    >>> print(reads_text(Reads.conv(4, 3)))
    2 outputs of 4 inputs
    0  0..2
    1  1..3
    """
    rows = [f"{place}  {taps_text(reads.at(place))}" for place in range(len(reads.rows))]
    return "\n".join([f"{len(reads.rows)} outputs of {reads.size} inputs", *rows])
