"""The checkerboard of a transposed convolution: how many terms each output sums, borders included."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convcalc.arithmetic.transposed.checkerboard import overlap
from convcalc.arithmetic.transposed.size import TransposedSize, transposed_size
from convcalc.arithmetic.transposed.stamps import Stamps
from convcalc.arithmetic.window_picture import each, output_drawn
from convcalc.render.cells import Panel, line
from convcalc.render.picture import HEAD, MARGIN, Picture, fitted
from convcalc.render.svg import text, written


def overlap_picture(sizes: Sequence[TransposedSize]) -> Picture:
    """Draw how many stamps meet in each output, darker where more do. Raises as `window_picture`.

    >>> print(overlap_picture([transposed_size(4, 3, stride=2)] * 2))
    tconv 4x4 -> 9x9: 1 to 4 terms an output
    uneven, as 2 does not divide 3: use kernel_size 2 or 4, or upsample by 2 and convolve
    """
    output_drawn(sizes, None)
    axes = [Stamps(size) for size in ([transposed_size(1, 1)] * (2 - len(sizes)) + list(sizes))]
    outs = [int(axis.size.output_size) for axis in axes]
    cell = fitted(max(outs), len(str(prod(int(axis.size.kernel_size) for axis in axes))))
    panel = Panel(line(0, outs[0] - 1, cell), line(0, outs[1] - 1, cell), cell, MARGIN + 14, HEAD + 12)
    terms = {place: prod(len(axis.meeting(at)) for axis, at in zip(axes, place, strict=True)) for place in panel}
    most = max(terms.values())
    marks = []
    for place, count in terms.items():
        kind = "lost" if count == 0 else "tap"
        marks += panel.mark(place, kind, str(count), "on" if 2 * count > most else "word", shade=count / most)
    into, out = ("x".join(str(getattr(size, name)) for size in sizes) for name in ("input_size", "output_size"))
    title = f"tconv {into} -> {out}: {min(terms.values())} to {most} terms an output"
    about = _verdict(sizes)
    return Picture(
        title=title,
        description=about,
        width=max(panel.right, written(title, 14) + MARGIN, written(about, 11) + MARGIN) + MARGIN,
        height=panel.bottom + 34,
        marks=(
            text("word", MARGIN, 24, title, size=14),
            text("faint", MARGIN, 44, about, size=11),
            *marks,
            *panel.numbers(below=True),
        ),
    )


def _verdict(sizes: Sequence[TransposedSize]) -> str:
    found = [overlap(int(size.kernel_size), int(size.stride), int(size.dilation)) for size in sizes]
    if all(one.even for one in found):
        return f"even away from the borders, as {each([one.reason for one in found])}"
    worst = next(one for one in found if not one.even)
    return f"uneven, as {worst.reason}: {worst.remedy}"
