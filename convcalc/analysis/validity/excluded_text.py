"""Sizes that are not legal, in words: each reason once, and under it the classes of sizes it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcalc.analysis.validity.legal import Legal, Reason
from convcalc.sizes.sets import only
from convcalc.sizes.text import PYTHON, Style
from convcalc.sizes.words import set_text


def excluded_lines(reasons: Sequence[Reason], legal: Legal, style: Style = PYTHON) -> Iterator[str]:
    """Yield each reason and the classes below it: the sizes, the node that refuses them, an example.

    What the reasons of one cause say differently, as counts of rows, stands with the classes.

    >>> from convcalc.analysis.validity.decide import valid_sizes_of_chain
    >>> from convcalc.layers import MaxPool
    >>> legal = valid_sizes_of_chain([MaxPool(2), MaxPool(2)], (1, 3, "n"))
    >>> for line in excluded_lines(legal.reasons[-2:], legal): print(line)
    excluded
    loses rows: no window of 2 fits at the end with stride=2
      n odd, n >= 5       maxpool1  n = 5: 1 of 5 rows dropped; use 4 or 6
      n % 4 == 2, n >= 6  maxpool2  n = 6: 1 of 3 rows dropped; use 2 or 4
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
