"""How a result shows itself: `print` writes all of it, Python and notebooks no more than fits a screen."""

from __future__ import annotations


class Shown:
    """A result with a text: what `str` gives, cut to a screen in `repr`, and as HTML and LaTeX in notebooks.

    The text is the class's own `__str__`, or what `convcalc.render.shown` has for it. Rendering is a higher room,
    entered only here. A dataclass says `repr=False`, as its own would hide this one.
    """

    __slots__ = ()

    def __str__(self) -> str:
        from convcalc.render.shown import text

        return text(self)

    def __repr__(self) -> str:
        from convcalc.render.shown import short

        return short(self)

    def _repr_html_(self) -> str:
        """The same as `repr`, for notebooks; tables as tables."""
        from convcalc.render.shown import html

        return html(self)

    def _repr_latex_(self) -> str | None:
        """The formula, of a result that has one; else None."""
        from convcalc.render.shown import latex

        return latex(self)
