"""Legal sizes in words: the answer, the nearest sizes, what to tell `torch.export`, and why the rest is out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcalc.analysis.validity.legal import Legal, Reason
from convcalc.errors import Unknown
from convcalc.render.words import Line, across, labelled
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.sets import SizeSet, only
from convcalc.sizes.text import PRETTY, PYTHON, Style
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

    >>> import convcalc as cc
    >>> legal = cc.valid_sizes(cc.Sequential(pool=cc.MaxPool(2)), (1, 3, "n"))
    >>> print(sizes_text(legal, [7], PYTHON).partition("  n is 0")[0])
    runs           n >= 2
    loses no rows  n even, n >= 2: 2, 4, 6, 8, ...
    proved         for every size
    near           7 runs; loses no rows: 6, 8
                   pool: 1 of 7 rows dropped: no window of 2 fits at the end with stride=2; use 6 or 8
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


# -- the rest: each reason once, and under it the classes of sizes it is for ----------------------------------------


def excluded_lines(reasons: Sequence[Reason], legal: Legal, style: Style = PYTHON) -> Iterator[str]:
    """Yield each reason and the classes below it: the sizes, the node that refuses them, an example.

    What the reasons of one cause say differently, as counts of rows, stands with the classes.

    >>> import convcalc as cc
    >>> legal = cc.valid_sizes(cc.Sequential(pool=cc.MaxPool(2), again=cc.MaxPool(2)), (1, 3, "n"))
    >>> for line in excluded_lines(legal.reasons[-2:], legal): print(line)
    excluded
    loses rows: no window of 2 fits at the end with stride=2
      n odd, n >= 5       pool   n = 5: 1 of 5 rows dropped; use 4 or 6
      n % 4 == 2, n >= 6  again  n = 6: 1 of 3 rows dropped; use 2 or 4
    """
    groups: dict[tuple[str, str], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.kind, max(_clauses(reason), key=len)), []).append(reason)
    if groups:
        yield "excluded"
    rows = {id(one): (_sizes(one, legal, style), one.node) for one in reasons}
    wide, long = (max((len(row[place]) for row in rows.values()), default=0) for place in (0, 1))
    for (kind, _), alike in groups.items():
        said = [_clauses(one) for one in alike]
        shared = [clause for clause in said[0] if all(clause in clauses for clauses in said)]
        yield f"{'loses rows: ' * (kind == 'exact')}{_joined(shared)}"
        for one, clauses in zip(alike, said, strict=True):
            own = "; ".join(clause.rstrip(":;") for clause in clauses if clause not in shared)
            sizes, node = rows[id(one)]
            last = ": ".join(filter(None, (_example(one, legal), own)))
            yield f"  {sizes:<{wide}}  {node:<{long}}  {last}".rstrip()


def _clauses(reason: Reason) -> list[str]:
    """A sentence cut behind its colons and semicolons, which stay at the end of what they close."""
    sentence = reason.sentence if reason.sizes is None else reason.sentence.removeprefix(f"axis {reason.axes[0]}: ")
    axis = re.match(r"axis \S+: ", sentence)
    start = axis.end() if axis else 0
    first, *others = re.split(r"(?<=[:;]) ", sentence[start:])
    return [sentence[:start] + first, *others]


def _joined(clauses: Sequence[str]) -> str:
    return " ".join(clauses).rstrip(":;")


def _sizes(reason: Reason, legal: Legal, style: Style) -> str:
    if reason.sizes is not None:
        return set_text(reason.sizes, reason.axes[0], style)
    return f"{'other' if _some(reason, legal) else 'every'} {' and '.join(reason.axes)}"


def _example(reason: Reason, legal: Legal) -> str:
    """The sizes that the numbers are of; nothing where they are those of the class, or any."""
    if reason.sizes is None and not _some(reason, legal):
        return ""
    if reason.sizes == only([reason.example[reason.axes[0]]]):
        return ""
    return ", ".join(f"{axis} = {reason.example[axis]}" for axis in reason.axes)


def _some(reason: Reason, legal: Legal) -> bool:
    """Whether other sizes than the reason's are legal."""
    return bool(legal.runs if reason.kind == "runs" else legal.exact)
