"""Legal sizes in words: the answer, the nearest sizes, what to tell `torch.export`, and why the rest is out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcalc.analysis.validity.excluded_text import excluded_lines
from convcalc.analysis.validity.legal import Legal, Reason
from convcalc.errors import Unknown
from convcalc.render.words import Line, across, labelled
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.sets import SizeSet
from convcalc.sizes.text import PRETTY, PYTHON, Style  # noqa: F401 -- PYTHON serves the examples
from convcalc.sizes.words import set_text

LOSSLESS = "loses no rows"
"""What sizes are called that `exact` holds: no window drops a row, every crop is symmetric."""

DIMS = 4
"""The most dimensions for `torch.export` that are written out; more are counted."""


FEW = 9
"""As many reasons are shown as they are."""

SHOWN = 6
"""The most boxes, and of more reasons, that are shown unless all are asked for."""


def sizes_text(legal: Legal, near: Sequence[int] | None, style: Style = PRETTY, *, everything: bool = False) -> str:
    """Return legal sizes as text, with those nearest to the sizes `near`.

    Of reasons, those that say most; with `everything`, each.

    >>> from convcalc.analysis.validity.decide import valid_sizes_of_chain
    >>> from convcalc.layers import MaxPool
    >>> print(sizes_text(valid_sizes_of_chain([MaxPool(2)], (1, 3, "n")), [7], PYTHON).partition("  n is 0")[0])
    runs           n >= 2
    loses no rows  n even, n >= 2: 2, 4, 6, 8, ...
    proved         for every size
    near           7 runs; loses no rows: 6, 8
                   maxpool1: 1 of 7 rows dropped: no window of 2 fits at the end with stride=2; use 6 or 8
    excluded
    input size must be >= 1: 0
    <BLANKLINE>
    """
    lines = [
        *([("of inputs", legal.asked)] if legal.inputs else []),
        *_boxes("runs", legal.runs, style, everything),
        *_boxes(LOSSLESS, legal.exact, style, everything),
        _proved(legal),
        *(("where", one) for one in legal.assumed if one not in legal.lost[:1]),
        *(_boxes("not known", legal.unknown, style, everything) if legal.unknown else ()),
        *(_near(legal, near, style) if near is not None and (legal.runs or legal.unknown) else ()),
        *(_export(legal.export) if legal.export else ()),
    ]
    reasons = _told(legal)
    shown = reasons if everything or len(reasons) <= FEW else _telling(reasons)
    more = len(reasons) - len(shown)
    rest = [f"{more} class{'es' if more > 1 else ''} more: --all"] if more else []
    return "\n".join([labelled(lines, len(LOSSLESS) + 2), *excluded_lines(shown, legal, style), *rest])


def _boxes(label: str, boxes: Boxes, style: Style, everything: bool) -> Iterator[Line]:
    """One line for each box; axes that may have the same sizes are named together."""
    if not boxes:
        yield label, "at no size"
    most = len(boxes.boxes) if everything or len(boxes.boxes) <= SHOWN + 4 else SHOWN
    for box in boxes.boxes[:most]:
        yield label, _box(boxes.axes, box, style)
        label = ""
    if most < len(boxes.boxes):
        yield "", f"and {len(boxes.boxes) - most:,} more boxes: --all"


def _box(axes: Sequence[str], box: Sequence[SizeSet], style: Style) -> str:
    if len(set(box)) > 1:
        return ", ".join(set_text(one, axis, style) for axis, one in zip(axes, box, strict=True))
    first = box[0]
    members = [str(first.nearest(first.minimum + step * first.modulus)[1]) for step in range(4)]
    such = f": {', '.join(members)}, ..." if first.modulus > 1 and len(first.residues) == 1 and not first.finite else ""
    same = f"; {', '.join(axes[1:])} the same" if len(axes) > 1 else ""
    return f"{set_text(first, axes[0], style)}{such}{same}"


def _proved(legal: Legal) -> Line:
    if legal.proved:
        return "proved", f"for every size{legal.end}"
    why = f", as not all is heard: {legal.lost[0]}" if legal.lost else ""
    return "observed", f"for {legal.observed}; not proved beyond{why}"


def _near(legal: Legal, near: Sequence[int], style: Style) -> Iterator[Line]:
    """Whether sizes are legal, and if not those beside them, and why."""
    sizes = tuple(near)
    asked = across(sizes, style)
    try:
        about = legal.about(sizes)
    except Unknown:
        yield "near", f"whether {asked} runs is not known; runs: {_nearest(legal.runs, sizes, style)}"
        return
    if sizes in about.exact:
        yield "near", f"{asked} {LOSSLESS}"
        return
    runs = sizes in about.runs
    found = {LOSSLESS: legal.exact} if runs else {"runs": legal.runs, LOSSLESS: legal.exact}
    beside = [f"{kind}: {_nearest(boxes, sizes, style)}" for kind, boxes in found.items()]
    yield "near", "; ".join([f"{asked} {'runs' if runs else 'does not run'}", *beside])
    reason = about.why_not(*sizes)
    if reason is not None:
        yield "", f"{reason.node + ': ' if reason.node else ''}{reason.sentence}"


def _nearest(boxes: Boxes, sizes: tuple[int, ...], style: Style) -> str:
    return ", ".join(across(one, style) for one in boxes.nearest(sizes)) or "at no size"


def _export(boxes: Boxes) -> Iterator[Line]:
    """The dimensions for `torch.export`, of each box."""
    label = "export"
    for box in boxes.boxes[:DIMS]:
        texts = []
        for axis, one in zip(boxes.axes, box, strict=True):
            dims = one.dims(axis)
            rest = f" and {len(dims) - DIMS:,} more, an export each" if len(dims) > DIMS else ""
            texts.append(f"{axis}: {' or '.join(dims[:DIMS])}{rest}")
        yield label, ", ".join(texts)
        label = ""
    more = len(boxes.boxes) - DIMS
    if more > 0:
        yield "", f"and {more:,} more box{'es, an export each' if more > 1 else ', an export of its own'}"


def _told(legal: Legal) -> list[Reason]:
    """The reasons; of axes that are refused alike those of the first."""
    seen: dict[tuple[object, ...], str] = {}
    for axis in legal.axes:
        own = [one for one in legal.reasons if one.axes == (axis,)]
        seen.setdefault(tuple((one.kind, one.node, one.sizes) for one in own), axis)
    return [one for one in legal.reasons if len(one.axes) != 1 or one.axes[0] in seen.values()]


def _telling(reasons: Sequence[Reason]) -> list[Reason]:
    """Those that matter at many sizes, and of small sizes, layer after layer, the last to refuse any."""
    last = {one.axes: one for one in reasons if one.sizes is not None and one.sizes.is_finite}
    return [one for one in reasons if one.sizes is None or not one.sizes.is_finite or one is last[one.axes]][:SHOWN]
