"""Every result as text, as a short text for the prompt, and as HTML and LaTeX for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any

from convcalc.render.words import fold
from convcalc.sizes.expr import Expr
from convcalc.sizes.text import LATEX, write

WIDTH, HEIGHT = 100, 24
"""A screen: what `repr` fits in."""

WRITERS = {
    "AxisTiles": "render.parts.axis_tiles_line",
    "AxisWindow": "render.parts.axis_window_line",
    "Chain": "analysis.chain_text.stack_text",
    "Comparison": "analysis.comparison_text.compare_text",
    "Count": "render.parts.count_line",
    "Field": "render.parts.field_line",
    "Footprint": "render.parts.footprint_line",
    "HDC": "arithmetic.dilation.text.hdc_text",
    "LayerReport": "render.parts.layer_line",
    "Network": "analysis.catalogue_text.network_text",
    "Node": "render.parts.node_line",
    "Notes": "analysis.notes.text.notes_text",
    "Overlap": "render.parts.overlap_line",
    "Reads": "render.parts.reads_text",
    "Report": "analysis.report.text.report_text",
    "Solutions": "arithmetic.solving.text.solutions_text",
    "Step": "render.parts.step_line",
    "Tiles": "analysis.tiles_text.tiles_text",
    "TransposedSize": "arithmetic.transposed.text.transposed_text",
    "VerifyReport": "bridge.verify.text.render_report",
    "WindowedSize": "arithmetic.window_size_text.windowed_text",
    "WorkedExample": "arithmetic.transposed.drawing.render_example",
}
"""Who writes a class of results; imported when the first of them is shown."""

NARROW = {"Report": "analysis.report.text.report_text", "Comparison": "analysis.comparison_text.compare_text"}
"""Those who can write it for a number of columns: `width=`."""

TABLES = {"Report": "analysis.report.text.report_html", "Comparison": "analysis.comparison_text.compare_html"}
"""Those who write HTML of their own."""


def _writer(table: dict[str, str], result: object) -> Any:
    module, _, name = table[type(result).__name__].rpartition(".")
    return getattr(import_module(f"convcalc.{module}"), name)


def text(result: object) -> str:
    """Return all of a result as text.

    >>> from convcalc.arithmetic.transposed.checkerboard import overlap
    >>> text(overlap(3, stride=2))
    'taps by phase 2 1: uneven, as 2 does not divide 3; use kernel_size 2 or 4, or upsample by 2 and convolve'
    """
    written: str = _writer(WRITERS, result)(result)
    return written


def short(result: object) -> str:
    """Return a result as `print` shows it, folded and cut in the middle to a screen of `HEIGHT` lines.

    >>> from convcalc.arithmetic.dilation.stack import hdc
    >>> short(hdc([1, 2])) == str(hdc([1, 2]))
    True
    """
    narrow = type(result).__name__ in NARROW
    whole = _writer(NARROW, result)(result, width=WIDTH) if narrow else str(result)
    return "\n".join(cut(fold(whole.splitlines(), WIDTH)))


def cut(lines: Sequence[str], most: int = HEIGHT) -> list[str]:
    """Return the lines; of more than `most` the first and the last, and between them how many there are.

    >>> cut(["a", "b", "c", "d", "e"], 4)
    ['a', 'b', '... 2 lines more; print() shows them', 'e']
    >>> len(cut(["line"] * 100))
    24
    """
    if len(lines) <= most:
        return list(lines)
    before = most * 13 // 24
    after = most - 1 - before
    return [*lines[:before], f"... {len(lines) - most + 1} lines more; print() shows them", *lines[-after:]]


def html(result: object) -> str:
    """Return a result for notebooks: a table, or its text as it stands.

    >>> from convcalc.arithmetic.transposed.checkerboard import overlap
    >>> html(overlap(2, stride=2))
    '<pre>taps by phase 1 1: even, as 2 divides 2</pre>'
    """
    if type(result).__name__ in TABLES:
        written: str = _writer(TABLES, result)(result)
        return written
    return f"<pre>{escape(short(result))}</pre>"


def latex(result: object) -> str | None:
    r"""Return the formula of a result that has one, else None.

    >>> from convcalc.arithmetic.window_size import conv_size
    >>> print(latex(conv_size(28, 5, stride=2)), latex("none"))
    $\displaystyle \left\lfloor \frac{n + 1}{2} \right\rfloor - 2$ None
    """
    formula = getattr(result, "formula", None)
    formulas = formula if isinstance(formula, tuple) else (formula,)
    if len(formulas) != 1 or formulas[0] is None:
        return None
    return f"$\\displaystyle {write(Expr.const(0) + formulas[0], LATEX)}$"
