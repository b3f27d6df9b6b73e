"""How a result shows itself: `print` writes all of it, Python and notebooks no more than fits a screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 100, 24
"""A screen: what `repr` fits in."""


class Shown:
    """A result with a text: what `str` gives, cut to a screen in `repr`, and as HTML and LaTeX in notebooks.

    Each class has its own `__str__`, whose words stand beside it and know it as a type only. A dataclass says
    `repr=False`, as its own would hide this one.
    """

    __slots__ = ()

    def text_at(self, width: int) -> str:
        """Return its text for a screen of so many columns; the same as `str` unless it has a narrower one."""
        return str(self)

    def __repr__(self) -> str:
        return "\n".join(cut(fold(self.text_at(WIDTH).splitlines(), WIDTH)))

    def _repr_html_(self) -> str:
        """The same as `repr`, for notebooks; tables as tables."""
        return f"<pre>{escape(repr(self))}</pre>"

    def _repr_latex_(self) -> str | None:
        """The formula, of a result that has one; else None."""
        formula = getattr(self, "formula", None)
        formulas = formula if isinstance(formula, tuple) else (formula,)
        if len(formulas) != 1 or formulas[0] is None:
            return None
        latex = getattr(formulas[0], "latex", None)
        return f"$\\displaystyle {latex() if latex else formulas[0]}$"


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


def fold(lines: Sequence[str], width: int) -> list[str]:
    """Return the lines, those that are too long on several, the later ones further in.

    >>> fold(["a -> 1", "  b -> 1, 2, 3"], 10)
    ['a -> 1', '  b -> 1,', '    2, 3']
    """
    found = []
    for line in lines:
        label = re.match(r"\S.{,16}?\s{2,}", line)
        inside = " " * (label.end() if label else len(line) - len(line.lstrip()) + 2)
        found += textwrap.wrap(line, width, subsequent_indent=inside) if len(line) > width else [line]
    return found
