"""What a page of a report needs to stay alive: the report on letters, and the sizes that run."""

from __future__ import annotations

from contextlib import suppress

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.page import report_page
from convcalc.analysis.report.report import Report
from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph
from convcalc.network.letters import sizes_asked
from convcalc.sizes.expr import Expr


def page_of(graph: Graph, report: Report) -> str:
    """Return the page of a report on a graph, with all that follows from other sizes, the batch N among them.

    What has no letters, or is not known at other sizes, stands still.

    >>> from convcalc.zoo import lenet
    >>> page = page_of(lenet(), inspect_graph(lenet()))
    >>> 'role="status"' in page, "https:" in page
    (True, False)
    """
    symbolic = any(isinstance(size, Expr) for shape in report.inputs.values() for size in shape)
    wide, legal = report if symbolic else None, None
    with suppress(ConvcalcError):
        shapes = sizes_asked(report.inputs, () if graph.capture is None else graph.capture.letters)
        legal = valid_sizes(graph, shapes)
        if symbolic:
            return report_page(report, graph, wide, legal)
        wide = inspect_graph(graph, shapes, dtype=report.dtype)
        batched = {name: (Expr.symbol("N"), *shape[1:]) for name, shape in shapes.items()}
        wide = inspect_graph(graph, batched, dtype=report.dtype)
    return report_page(report, graph, wide, legal)
