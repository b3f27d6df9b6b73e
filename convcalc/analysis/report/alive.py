"""A report with what is needed to tell it anew at other sizes: the same on letters, and the sizes that run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import Report
from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph
from convcalc.network.letters import sizes_asked
from convcalc.sizes.expr import Expr


@dataclass(frozen=True)
class Alive:
    """A report on a graph, the same on letters (`wide`, None where that is not known), and the sizes that run."""

    report: Report
    graph: Graph
    wide: Report | None = None
    legal: Legal | None = None

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """What may be changed; nothing where the network refuses its input, or other sizes are not known."""
        if self.wide is None or self.wide.error is not None or self.report.error is not None:
            return ()
        if len(self.wide.layers) != len(self.report.layers):
            return ()
        sizes = [str(size) for shape in self.wide.inputs.values() for size in shape if isinstance(size, Expr)]
        return tuple(letter for letter in dict.fromkeys(sizes) if letter.isidentifier())

    @cached_property
    def example(self) -> dict[str, int]:
        """The sizes of the letters in the report; of a report on letters sizes that run, near 64."""
        if self.wide is None:
            return {}
        pairs = zip(self.wide.inputs.values(), self.report.inputs.values(), strict=True)
        sizes = {str(a): b for one, other in pairs for a, b in zip(one, other, strict=True) if isinstance(a, Expr)}
        return {letter: size if isinstance(size, int) else self._near(letter) for letter, size in sizes.items()}

    def _near(self, letter: str) -> int:
        if self.legal is None or letter not in self.legal.axes or not self.legal.runs:
            return 1
        return next((size for size in reversed(self.legal.runs[letter].nearest(64)) if size is not None), 64)


def enliven(graph: Graph, report: Report) -> Alive:
    """Return a report on a graph with all that follows from other sizes, the batch N among them.

    >>> from convcalc.zoo import lenet
    >>> alive = enliven(lenet(), inspect_graph(lenet()))
    >>> alive.letters, alive.example
    (('N', 'H', 'W'), {'N': 1, 'H': 28, 'W': 28})
    """
    symbolic = any(isinstance(size, Expr) for shape in report.inputs.values() for size in shape)
    wide, legal = report if symbolic else None, None
    with suppress(ConvcalcError):
        shapes = sizes_asked(report.inputs, () if graph.capture is None else graph.capture.letters)
        legal = valid_sizes(graph, shapes)
        if not symbolic:
            wide = inspect_graph(graph, shapes, dtype=report.dtype)
            batched = {name: (Expr.symbol("N"), *shape[1:]) for name, shape in shapes.items()}
            wide = inspect_graph(graph, batched, dtype=report.dtype)
    return Alive(report, graph, wide, legal)
