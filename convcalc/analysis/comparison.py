"""Two networks side by side: what each costs and sees, and which layers they share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from convcalc.analysis.comparison_text import compare_html, compare_text, count_line
from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.living import PageMaker, living_page
from convcalc.analysis.report.report import Reach, Report
from convcalc.errors import NoSuchName, brief
from convcalc.render.words import picked
from convcalc.shown import Shown
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

QUANTITIES = ("params", "macs", "flops", "activations")
"""What is counted of each network, and has a difference and a ratio."""


@dataclass(frozen=True, repr=False)
class Count(Shown):
    """One quantity of both networks.

    >>> pair = Count("params", 18, 25)
    >>> pair.difference, pair.ratio
    (7, Fraction(25, 18))
    """

    name: str
    a: Size
    b: Size
    least: tuple[bool, ...] = ()
    """Whether there are more than `a`, and than `b`, in layers that are not counted; empty where all are."""

    @property
    def difference(self) -> Size:
        """b - a."""
        return self.b - self.a

    @property
    def ratio(self) -> Fraction | None:
        """b/a; None where a is 0, or where it depends on symbols.

        >>> C = Expr.symbol("C")
        >>> Count("params", 18 * C * C, 25 * C * C).ratio, Count("params", 18 * C * C, 25 * C).ratio
        (Fraction(25, 18), None)
        """
        return _quotient(self.b, self.a)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        return picked(self, "a b difference ratio")

    def __str__(self) -> str:
        return count_line(self)


def _quotient(b: Size, a: Size) -> Fraction | None:
    if not (isinstance(a, Expr) or isinstance(b, Expr)):
        return Fraction(b, a) if a else None
    above, below = (value.terms if isinstance(value, Expr) else (Expr.const(value)).terms for value in (b, a))
    quotients = {Fraction(above[term], below[term]) for term in below if term in above}
    return quotients.pop() if above.keys() == below.keys() and len(quotients) == 1 else None


@dataclass(frozen=True)
class Row:
    """A layer of either network, or of both: `same` where op, hyper-parameters, output and cost agree."""

    a: LayerReport | None
    b: LayerReport | None
    same: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record; the record of a layer is that of `inspect`."""
        return {"same": self.same, **{side: getattr(self, side) and getattr(self, side).to_dict() for side in "ab"}}


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two reports and their differences, b against a."""

    a: Report
    b: Report
    rows: tuple[Row, ...]
    page: PageMaker | None = field(default=None, repr=False, compare=False)
    """Makes its page; see `analysis.comparison_page`."""

    @property
    def counts(self) -> tuple[Count, ...]:
        """Parameters, MACs, FLOPs and activations (elements of all outputs on the way) of both."""
        least = bool(self.a.uncounted), bool(self.b.uncounted)
        return tuple(
            Count(name, getattr(self.a, name), getattr(self.b, name), least if name in ("macs", "flops") else ())
            for name in QUANTITIES
        )

    def __getitem__(self, name: str) -> Count:
        """Return one of `counts` by its name; raises `NoSuchName`, a `KeyError` too."""
        known = {count.name: count for count in self.counts}
        if not isinstance(name, str) or name not in known:
            raise NoSuchName(f"no total {brief(name)}: there are {', '.join(known)}")
        return known[name]

    @property
    def reach(self) -> tuple[Reach, Reach]:
        """What the outputs of each read."""
        return self.a.reach, self.b.reach

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of `compare`."""
        kept = f"model input output {' '.join(QUANTITIES)} uncounted"
        a, b = ({**picked(report, kept), **report.reach.to_dict()} for report in (self.a, self.b))
        return {
            "a": a,
            "b": b,
            "totals": {count.name: count.to_dict() for count in self.counts},
            "layers": [row.to_dict() for row in self.rows],
        }

    def __str__(self) -> str:
        return compare_text(self)

    def text_at(self, width: int) -> str:
        """Return its text with tables of no more than so many columns."""
        return compare_text(self, width=width)

    def to_html(self) -> str:
        """Return a page of its own, in which sizes may be typed or dragged where `convcalc.compare` made it.

        >>> import convcalc as cc
        >>> cc.compare(cc.zoo.lenet(), cc.zoo.lenet()).to_html()[:15]
        '<!doctype html>'
        """
        return self.page.make(self) if self.page is not None else living_page("two networks", [compare_html(self)])

    def _repr_html_(self) -> str:
        """Its page in a frame where it is made at once, and its tables, for notebooks."""
        table = compare_html(self)
        return table if self.page is None else self.page.beside(self, table)


def compare_reports(a: Report, b: Report) -> Comparison:
    """Return two reports side by side; raises the refusal of the one that has an `error`."""
    for side, report in (("A", a), ("B", b)):
        if report.error is not None:
            raise report.error.at(report.model or side)
    return Comparison(a, b, tuple(_paired(a.layers, b.layers)))


def _paired(a: Sequence[LayerReport], b: Sequence[LayerReport]) -> Iterator[Row]:
    """Layers of the same op and hyper-parameters face each other, in order; between them, those of the same op."""
    for equal, left, right in _matched(a, b, lambda layer: (layer.op, repr(sorted(layer.args.items())))):
        if equal:
            yield from (Row(*pair, same=_alike(*pair)) for pair in zip(left, right, strict=True))
            continue
        for faces, some, others in _matched(left, right, lambda layer: layer.op):
            if faces:
                yield from (Row(*pair, same=False) for pair in zip(some, others, strict=True))
            else:
                yield from (Row(layer, None, same=False) for layer in some)
                yield from (Row(None, layer, same=False) for layer in others)


def _matched(
    a: Sequence[LayerReport], b: Sequence[LayerReport], key: Callable[[LayerReport], Any]
) -> Iterator[tuple[bool, Sequence[LayerReport], Sequence[LayerReport]]]:
    """The stretches of both that are equal by a key, and those between."""
    matcher = difflib.SequenceMatcher(None, list(map(key, a)), list(map(key, b)), autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        yield tag == "equal", a[i:i_end], b[j:j_end]


def _alike(a: LayerReport, b: LayerReport) -> bool:
    """Whether two layers of the same op and hyper-parameters also give and cost the same here."""
    return (a.output, a.params, a.macs) == (b.output, b.params, b.macs)
