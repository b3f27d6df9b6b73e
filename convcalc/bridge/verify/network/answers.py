"""What convcalc says of a network, as functions that are handed in: each takes a graph and the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from convcalc.analysis.cell import AxisWindow
    from convcalc.analysis.report.report import Report
    from convcalc.analysis.tiles import Tiles
    from convcalc.analysis.validity.legal import Legal


class Answers(NamedTuple):
    """The functions that answer what is verified."""

    inspect: Callable[..., Report]
    valid_sizes: Callable[..., Legal]
    find_window: Callable[..., tuple[AxisWindow, ...]]
    find_tiles: Callable[..., Tiles]
