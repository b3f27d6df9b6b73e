"""The picture of a dilated stack: one line a layer, then the two verdicts, why they differ, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.arithmetic.dilation.repair import Try
    from convcalc.arithmetic.dilation.stack import HDC

WIDEST = 4096
"""Columns of a picture where the width is not limited: longer fields are cut even there."""
LISTED = 20
"""Rates, offsets and terms named in one line before it is shortened."""
ASCII = str.maketrans({"−": "-", "·": "*", "≤": "<=", "…": "...", "→": "->"})
"""How each sign outside ASCII is written inside it."""
SIGNS = str.maketrans("01", ".#")
"""A missed offset, a read one."""


def hdc_text(found: HDC, width: int | None = 80, *, ascii: bool = False) -> str:  # noqa: A002 - the flag's name
    """Return the result as text: `width` columns for the picture, None for no limit; `ascii` keeps to ASCII.

    `+` for 10 and more.

       >>> from convcalc.arithmetic.dilation.stack import hdc
       >>> print(hdc_text(hdc([1, 2]), ascii=True))
       rates 1 2, K 3: receptive field 7, all read
       r=1        ###      M1 = max(2-2, 2-2, 1) = 1
       r=2        #######  M2 = 2 <= K
       times      1121211
       published  yes: M2 = 2 <= K = 3, no common factor
       exact      yes: no rate, in ascending order, passes 1 + the reach of those before it
       sawtooth   one rise only
    """
    lines = [_headline(found), *_layers(found, width), *(f"{label:9}  {text}" for label, text in _notes(found))]
    text = "\n".join(lines)
    return text.translate(ASCII) if ascii else text


def _headline(found: HDC) -> str:
    kernels = _run(found.kernel_size)
    strides = f", stride {_run(found.stride)}" if set(found.stride[:-1]) - {1} else ""
    head = f"rates {_list(found.rates)}, K {kernels}{strides}: receptive field {found.receptive_field}, "
    if found.exact_ok:
        return f"{head}all read"
    if found.hole_count is None:
        return f"{head}read not counted, missed {_missed(found)}"
    return f"{head}read {found.covered}, missed {found.hole_count}: {_missed(found)}"


def _run(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else _list(values)


def _list(values: Sequence[int]) -> str:
    return " ".join(map(str, values[:LISTED])) + (" …" if len(values) > LISTED else "")


def _missed(found: HDC) -> str:
    """All holes, or where they are many the first of them as ranges."""
    if found.hole_count is not None and found.hole_count <= LISTED:
        return _list(found.holes)
    first = [f"{gap.start}..{gap.stop - 1}" if gap.stop - gap.start > 1 else f"{gap.start}" for gap in found.gaps[:8]]
    return " ".join(first) + (" …" if len(found.gaps) > 8 or found.hole_count is None else "")


def _layers(found: HDC, width: int | None) -> Iterator[str]:
    """Label, picture and step of each layer; the steps come below where they do not fit beside."""
    labels = [_label(*pair) for pair in zip(found.rates, found.effective_rates, strict=True)]
    margin = max(11, 2 + max(map(len, labels)))
    room = WIDEST if width is None else max(2, min(width - margin, WIDEST))
    drawn = min(found.receptive_field, room)
    rows = [_row(*pair, room) for pair in zip(found.prefixes(drawn), found.fields, strict=True)]
    steps = list(_steps(found))
    beside = width is None or margin + drawn + 2 + max(map(len, steps), default=0) <= width
    for label, row, step in zip_longest(labels, rows, steps if beside else (), fillvalue=""):
        yield f"{label:{margin}}{row:{drawn}}  {step}".rstrip()
    if drawn == found.receptive_field and found.counts is not None:
        yield f"{'times':{margin}}" + "".join(str(count) if count < 10 else "+" for count in found.counts)
    if not beside:
        yield from (f"{'':{margin}}{step}" for step in steps)


def _label(rate: int, scaled: int) -> str:
    return f"r={rate}" if rate == scaled else f"r={rate}·{scaled // rate}"


def _row(bits: int, field: int, room: int) -> str:
    columns = field if field <= room else room - 1
    drawn = f"{bits & (1 << columns) - 1:0{columns}b}"[::-1].translate(SIGNS)
    return drawn if field <= room else f"{drawn}>"


def _steps(found: HDC) -> Iterator[str]:
    if found.M is None:
        return
    for place, step in enumerate(found.steps, 1):
        twice = 2 * step.rate
        terms = (f"{step.following}−{twice}", f"{twice}−{step.following}", f"{step.rate}")
        winner = f"{terms[step.winner]} = " if step.winner < 2 else ""
        yield f"M{place} = max({', '.join(terms)}) = {winner}{step.M}{_against(found, place)}"
    yield f"M{len(found.M)} = {found.M[-1]}{_against(found, len(found.M))}"


def _against(found: HDC, place: int) -> str:
    return "" if place != 2 else " ≤ K" if found.m2_ok else " > K"


def _notes(found: HDC) -> Iterator[tuple[str, str]]:
    if found.M is not None:
        common = "no common factor" if found.gcd == 1 else f"common factor {found.gcd}"
        sign = "≤" if found.m2_ok else ">"
        yield "published", f"{_yes(found.paper_ok)}: M2 = {found.M[1]} {sign} K = {found.kernel_size[0]}, {common}"
    yield "exact", f"{_yes(found.exact_ok)}: {_certificate(found)}"
    yield from (("note", remark) for remark in found.remarks)
    if found.sawtooth:
        group, times = found.sawtooth
        yield "sawtooth", f"{_list(group)}, {times} times" if times > 1 else "one rise only"
    else:
        yield "sawtooth", "no: the rates do not repeat a rising group"
    yield from (("try", _try(found, one)) for one in found.tries)
    if found.tries_remark:
        yield "try" if not found.tries else "note", found.tries_remark


def _yes(answer: bool | None) -> str:
    return "yes" if answer else "no"


def _certificate(found: HDC) -> str:
    """The rate past 1 + the reach of the smaller ones, and the offset missed for it."""
    if found.breaking_rate is None or found.breaking_layer is None:
        return "no rate, in ascending order, passes 1 + the reach of those before it"
    return (
        f"{found.breaking_rate} > {_bound(found)}, "
        f"so offset {found.smallest_missed} is missed (layer {found.breaking_layer + 1})"
    )


def _bound(found: HDC) -> str:
    """1 + 2·(1 + 2) = 7, or 1 + 2·1 + 4·3 = 15 where the kernel sizes differ."""
    pairs = zip(found.effective_rates, found.kernel_size, strict=True)
    below = sorted((rate, taps - 1) for rate, taps in pairs if taps > 1 and rate < (found.breaking_rate or 0))
    if not below:
        return "1"
    if len(below) > LISTED:
        return f"1 + the reach of {len(below)} smaller rates = {found.reach + 1}"
    if len({more for _, more in below}) > 1:
        terms = " + ".join(f"{more}·{rate}" for rate, more in below)
    else:
        terms = " + ".join(str(rate) for rate, _ in below)
        more = below[0][1]
        terms = terms if more == 1 else f"{more}·({terms})" if len(below) > 1 else f"{more}·{terms}"
    return f"1 + {terms} = {found.reach + 1}"


def _try(found: HDC, one: Try) -> str:
    """The rates; of many, those that change."""
    layers = len(one.rates)
    largest = f", the largest for {layers} layer{'s' * (layers > 1)}" if one.largest else ""
    rates = _list(one.rates)
    if layers > LISTED:
        moves = [
            f"{old} → {new} (layer {place})"
            for place, (old, new) in enumerate(zip(found.rates, one.rates, strict=True), 1)
            if old != new
        ]
        rates = ", ".join(moves[:LISTED]) + (f", … {len(moves)} in all" if len(moves) > LISTED else "")
    return f"{rates} (receptive field {one.receptive_field}{largest})"
