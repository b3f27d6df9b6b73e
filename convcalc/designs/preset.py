"""Published kinds of networks, solved for a wish: PatchGAN, temporal convolutional networks, front ends of audio."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from convcalc.analysis.chain import run_chain
from convcalc.designs.design import Design, as_line
from convcalc.designs.designing import LISTED, Designs, designs_of
from convcalc.designs.wish import LARGEST, LONGEST_FIELD, ORDER, read_span, read_wish
from convcalc.errors import NoSolution, Unreadable

WAV2VEC = "conv 512 k10 s5; conv 512 k3 s2 *4; conv 512 k2 s2 *2"
"""The feature encoder of wav2vec 2.0, arXiv:2006.11477."""


def _family(
    name: str,
    field: int,
    best: Sequence[Design],
    reason: str,
    source: str,
    bounds: dict[str, Any],
    near: Sequence[int] = (),
) -> Designs:
    """The members of a family with a field: where that comes from in numbers, or why there is none."""
    size = "x".join(map(str, (bounds["in_channels"], *bounds["size"])))
    lines = [("from", reason), ("source", source), ("counted", f"on an input of {size}")]
    return Designs(
        wish={"field": field, "stride": None, "causal": name == "tcn", "holes": False, "minimize": "layers"},
        best=tuple(best),
        complete=True,
        bounds=bounds,
        reason=reason,
        fixes=tuple(f"--field {one}" for one in near),
        preset=name,
        notes=tuple(lines if best else lines[1:2]),
    )


def patchgan(field: Any) -> Designs:
    """Return the PatchGAN discriminator with this field: convolutions of 4 taps, of stride 2 and then two of stride 1.

    >>> patchgan(70).best[0].stack
    'conv 64 k4 s2 p1; conv 128 k4 s2 p1; conv 256 k4 s2 p1; conv 512 k4 p1; conv 1 k4 p1'
    >>> patchgan(71).reason
    'the fields of PatchGAN are 16, 34, 70, 142, 286, ...: with one layer of stride 2 more twice the field and 2'
    """
    wanted = read_span("field", field, LONGEST_FIELD).least
    fields = [9 * 2**strided - 2 for strided in range(1, 12)]
    bounds = {"k": 4, "in_channels": 3, "size": [256, 256]}
    source = "Isola, Zhu, Zhou, Efros, arXiv:1611.07004"
    if wanted not in fields:
        few = ", ".join(map(str, fields[:5]))
        reason = f"the fields of PatchGAN are {few}, ...: with one layer of stride 2 more twice the field and 2"
        near = [*[one for one in fields if one < wanted][-1:], *[one for one in fields if one > wanted][:1]]
        return _family("patchgan", wanted, [], reason, source, bounds, near)
    strided = 1 + fields.index(wanted)
    size = max(256, 2 ** (strided + 3))
    widths = [64 * min(2**place, 8) for place in range(strided + 1)]
    words = [f"conv {width} k4 s2 p1" for width in widths[:-1]]
    found = inspected(as_line([*words, f"conv {widths[-1]} k4 p1", "conv 1 k4 p1"]), (1, 3, size, size))
    reason = f"{wanted} = 1 + 3·({' + '.join(str(2**place) for place in range(strided))} + 2·{2**strided})"
    return _family("patchgan", wanted, [found], reason, source, {**bounds, "size": [size, size]})


def tcn(field: Any, kernel_size: Any = 3, channels: Any = 64) -> Designs:
    """Return the temporal convolutional networks with this field: blocks of two causal layers, dilations 1, 2, 4, ...

    The dilations start anew in each stack of blocks. Residual connections add nothing to a field.

    >>> tcn(631, 8).best[0].layers, tcn(631, 8).reason
    (24, '631 = 1 + 2·(8 − 1)·45, and 45 = 3·(1 + 2 + 4 + 8)')
    """
    wanted = read_span("field", field, LONGEST_FIELD).least
    taps = read_span("k", kernel_size, 1000).least
    width = read_span("channels", channels, LARGEST).least
    if taps == 1:
        raise Unreadable("k must be at least 2: a kernel of 1 reads no past")
    step, source = 2 * (taps - 1), "Bai, Kolter, Koltun, arXiv:1803.01271"
    bounds = {"k": taps, "channels": [width], "in_channels": 1, "size": [wanted]}
    total, left = divmod(wanted - 1, step)
    if left or not total:
        near = [one for one in (1 + step * total, 1 + step * (total + 1)) if one > 1]
        reason = f"every block of two layers makes the field a multiple of 2·({taps} − 1) = {step} longer"
        return _family("tcn", wanted, [], reason, source, bounds, near)
    found = []
    for levels in range(total.bit_length(), 0, -1):
        stacks, left = divmod(total, 2**levels - 1)
        if not left and 2 * levels * stacks <= 2000:
            found.append((levels * stacks, levels, stacks))
    _, levels, stacks = min(found, default=(0, 1, total))
    dilations = " + ".join(str(2**level) for level in range(levels))
    reason = f"{wanted} = 1 + 2·({taps} − 1)·{total}, and {total} = {stacks}·({dilations})"
    best = [inspected(_line(width, taps, *one), (1, 1, wanted)) for _, *one in sorted(found)]
    return _family("tcn", wanted, best, reason, source, bounds)


def _line(channels: int, taps: int, levels: int, stacks: int) -> str:
    """Stacks of blocks of two layers, each of twice the dilation of the one before."""
    words = [
        f"conv {channels} k{taps} pcausal{f' d{2**level}' if level else ''}" for level in range(levels) for _ in "12"
    ]
    return f"({as_line(words)}) *{stacks}" if stacks > 1 and levels > 1 else as_line(words * stacks)


def inspected(line: str, shape: tuple[int, ...], source: str | None = None) -> Design:
    """Return a stack that is there, with what it comes to on an input of this shape.

    >>> found = inspected(WAV2VEC, (1, 1, 16000))
    >>> found.receptive_field, found.stride, found.layers, found.holes
    (400, 320, 7, 0)
    """
    steps = run_chain(line, shape).steps
    footprint = steps[-1].footprints[0]
    if footprint is None:
        raise AssertionError(f"{line} is made of convolutions")
    return Design(
        stack=line,
        receptive_field=footprint.receptive_field,
        stride=int(footprint.stride),
        layers=len(steps),
        params=sum(int(step.params) for step in steps),
        macs=sum(int(step.macs) for step in steps),
        holes=footprint.receptive_field - footprint.covered,
        source=source,
    )


def samples(text: Any, rate: int, what: str) -> int:
    """Return a time in samples; raises `NoSolution` where that is not whole, `Unreadable` for what is no time.

    >>> samples("20ms", 16000, "hop"), samples("0.025s", 16000, "field"), samples("400", 16000, "field")
    (320, 400, 400)
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|)\s*", str(text))
    if not found:
        raise Unreadable(f"{what} is a time such as 20ms, or a number of samples: got {str(text)[:60]!r}")
    count = Fraction(found[1]) * {"": Fraction(1), "s": Fraction(rate), "ms": Fraction(rate, 1000)}[found[2]]
    if count.denominator > 1:
        near = round(count)
        raise NoSolution(
            f"a {what} of {text} is {float(count):g} samples at {rate} Hz: not a whole number",
            rule="a field and a stride are whole numbers of samples",
            fixes=[f"--{what} {near}"],
        )
    if count < 1:
        raise Unreadable(f"{what} must be at least one sample: got {text}")
    return int(count)


def frontend(rate: Any, hop: Any, field: Any, *, limit: int = LISTED, **wished: Any) -> Designs:
    """Return front ends of audio: unpadded convolutions of 512 channels with a field and a hop given in time.

    Kernels have 2 to 10 taps and strides are 2 to 5 unless others are given; MACs are of one second. The encoder of
    wav2vec 2.0 is among the answers where it meets the wish.

    >>> found = frontend(16000, "20ms", "25ms", limit=2)
    >>> [(one.layers, one.receptive_field, one.stride, one.source) for one in found.best]
    [(4, 400, 320, None), (4, 400, 320, None), (7, 400, 320, 'wav2vec 2.0, arXiv:2006.11477')]
    """
    hertz = read_span("rate", rate, LARGEST).least
    stride, long = samples(hop, hertz, "hop"), samples(field, hertz, "field")
    given = {"kernel_size": "2..10", "strides": "2..5", "channels": 512, "size": hertz, **wished, "padded": False}
    wish = read_wish(long, stride, **given)
    found = designs_of(wish, limit)
    times = f"hop {hop} and field {field} at {hertz} Hz are {stride} and {long} samples"
    known = inspected(WAV2VEC, (1, 1, max(hertz, 400)), "wav2vec 2.0, arXiv:2006.11477")
    best, reason, fixes = list(found.best), found.reason, found.fixes
    if (known.receptive_field, known.stride) == (long, stride):
        best = [one for one in best if one.stack != known.stack]
        insort(best, known, key=lambda one: [getattr(one, name) for name in ORDER[wish.minimize]])
        reason, fixes = (reason, fixes) if found.best else ("none within the bounds but what is published", ())
    notes = (("from", times), *found.notes)
    return replace(found, best=tuple(best), reason=reason, fixes=fixes, preset="frontend", notes=notes)
