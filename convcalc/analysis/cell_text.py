"""What one position reads, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcalc.footprints.text import taps_text

if TYPE_CHECKING:
    from convcalc.analysis.cell import AxisWindow


def axis_window_line(window: AxisWindow) -> str:
    """Return what one position reads on one axis.

    >>> from convcalc.analysis.cell import AxisWindow
    >>> from convcalc.footprints.taps import TapSet
    >>> axis_window_line(AxisWindow(axis="H", cell=0, size=9, pattern=(-3, 3), reads=TapSet.of(range(4))))
    'H: cell 0 reads 0..3 of 9; 3 before and 0 after lie in padding'
    """
    reads = "an unknown part" if window.reads is None else taps_text(window.reads)
    padding = window.padding
    outside = (
        "" if padding is None or not any(padding) else f"; {padding[0]} before and {padding[1]} after lie in padding"
    )
    return f"{window.axis}: cell {window.cell} reads {reads} of {window.size}{outside}"
