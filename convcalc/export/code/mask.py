"""The code of masks: which frames of a padded batch exist, and which are the same as in each sequence alone."""

from __future__ import annotations

from convcalc.errors import BadArgument
from convcalc.export.code.along import Along
from convcalc.export.code.length import EXTREMES, python
from convcalc.export.code.walk import Rows, walk
from convcalc.footprints.taps import Taps

MASK = '''{extremes}

INPUT = {source!r}
MAPS = (
    # name, its size for an input of n, [(what it reads, the rows for each phase of its own, step)], past the ends,
    # whether zeros stay zeros
{maps}
)
"""Every map of the network that reads other rows than its own place, or makes something of zeros."""


def frames_that_exist(lengths, total):
    """Return which frames each sequence of a batch has: True where the sequence alone would give one.

    `lengths` are those of the sequences before padding, `total` the padded length; what comes back is a tensor of
    booleans, batch x frames. A frame that exists may still have another value than in the sequence alone: see
    `frames_unchanged`. A sequence too short to run has none. Raises ValueError for a length past `total`.
    """
    lengths = _checked(lengths, total)
    own = torch.where(runs(lengths), frames(lengths), 0)
    return torch.arange(frames(total), device=lengths.device) < own[:, None]


def frames_unchanged(lengths, total):
    """Return which frames have the value that the sequence alone gives, when the batch is padded with zeros after it.

    They are among the frames that exist. A frame near the end reads what stands behind the sequence: alone that is the
    padding of each layer; in the batch it is what the layers made of the zeros. Both are alike at the first layer, and
    differ from there on where a bias, a norm or an activation makes something of zeros. Every map of the network is
    gone over for it. Norms are by stored statistics; values agree but for rounding.
    Arguments as in `frames_that_exist`.
    """
    lengths = _checked(lengths, total)
    inside = torch.arange(total, device=lengths.device) < lengths[:, None]
    same, zero, sizes = {{INPUT: inside}}, {{INPUT: ~inside}}, {{INPUT: lambda n: n}}
    for name, size, reads, past, keeps in MAPS:
        count = size(total)
        exists = torch.arange(count, device=lengths.device) < size(lengths)[:, None]
        same[name], zero[name], sizes[name] = exists, torch.full_like(exists, keeps), size
        for before, phases, step in reads:
            good, empty = same[before], zero[before]
            if past == "zeros":  # a row of zeros behind the sequence is as good as padding
                beyond = torch.arange(good.shape[1], device=lengths.device) >= sizes[before](lengths)[:, None]
                good = good | (empty & beyond)
            for phase, rows in enumerate(phases):
                turns = torch.arange(len(range(phase, count, len(phases))), device=lengths.device) * step
                for row in rows:
                    same[name][:, phase :: len(phases)] &= _read(good, turns + row, past)
                    zero[name][:, phase :: len(phases)] &= _read(empty, turns + row, past)
    unchanged = same[MAPS[-1][0]] | (lengths == total)[:, None]
    return unchanged & frames_that_exist(lengths, total)


def _read(mask, rows, past):
    """Return the entries of a mask at some rows; past the ends, where that is so in both runs, all is alike."""
    last = mask.shape[1] - 1
    if past == "reflect":
        rows = rows.abs()
    elif past == "replicate":
        rows = rows.clamp(min=0)
    found = mask[:, rows.clamp(0, last)]
    if past in ("reflect", "replicate"):
        return found & (rows <= last)  # at the end another row is repeated
    return found | (rows < 0) | (rows > last)


def _checked(lengths, total):
    """Return lengths as a tensor, none past `total`, which runs."""
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool or lengths.dim() != 1:
        raise TypeError(f"lengths are whole numbers, one for each sequence: {{lengths}}")
    output_length(total)
    if lengths.numel() and (int(lengths.max()) > total or int(lengths.min()) < 0):
        raise ValueError(f"lengths are from 0 to the padded length {{total}}: {{lengths.tolist()}}")
    return lengths.long()
'''


def mask_code(along: Along, maps: tuple[Rows, ...]) -> str:
    """Return `frames_that_exist` and `frames_unchanged` of a network, to stand behind the code of its lengths.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import Conv
    >>> along = look_along(Conv(8, 3, padding=1), (1, 4, "T"))
    >>> print(table(walk(along), "T"))
        ('conv', lambda n: n, [('input', [range(-1, 2)], 1)], 'zeros', False),
    >>> "frames_unchanged" in mask_code(along, walk(along))
    True
    """
    maps_text = table(maps, along.letter)
    known = any(word in python(along.formula, along.letter) for word in ("least(", "most("))
    extremes = "" if known or not ("least(" in maps_text or "most(" in maps_text) else EXTREMES
    return MASK.format(source=along.graph.inputs[0], extremes=extremes, maps=maps_text)


def maps_of(along: Along) -> tuple[Rows, ...]:
    """Return the maps of a network that a mask goes over; raises as `walk`.

    >>> from convcalc.export.code.along import look_along
    >>> from convcalc.layers import Conv
    >>> [one.name for one in maps_of(look_along(Conv(8, 3), (1, 4, "T")))]
    ['conv']
    """
    if not (maps := walk(along)):
        raise BadArgument("a mask is of a network that has a layer: it gives what it is given")
    return maps


def table(maps: tuple[Rows, ...], letter: str) -> str:
    """Return the maps as lines of Python.

    >>> table((), "T")
    ''
    """
    lines = []
    for one in maps:
        reads = ", ".join(
            f"({name!r}, [{', '.join(map(_taps, field.phases))}], {field.step})" for name, field in one.reads
        )
        size = python(one.size, letter)
        lines.append(f"    ({one.name!r}, lambda n: {size}, [{reads}], {one.outside!r}, {one.keeps}),")
    return "\n".join(lines)


def _taps(taps: Taps) -> str:
    """Rows that are read, as a range where they are one."""
    rows = list(taps)
    if len(rows) > 1 and rows == list(range(rows[0], rows[-1] + 1, rows[1] - rows[0])):
        step = rows[1] - rows[0]
        return f"range({rows[0]}, {rows[-1] + 1}{'' if step == 1 else f', {step}'})"
    return str(rows)
