"""What a graph knows of the torch module it was captured from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convcalc.errors import ConvcalcError
from convcalc.layers.base import Shape
from convcalc.network.join import Join
from convcalc.network.node import Node, Weights
from convcalc.sizes.branch import Branch

if TYPE_CHECKING:
    from convcalc.network.graph import Graph


@dataclass(frozen=True)
class Capture:
    """How a graph was recorded from a module that ran once.

    `letters` are the input shapes with a symbol for each size that may change: formulas in layers are in them.
    `path` has the branches that depended on sizes; where one goes the other way, the graph is another, unless `joins`
    say that the ways meet. `assumed` says how conditions on values of the input were taken to go. `again`
    records the module at other input shapes (with `whole=True` checked, and with repairs where it fails). `lost` says
    where sizes lost their formula, `unused` which parameters were not read. Where the run ended early, `why` tells it:
    at the call `refused`, where that is known as a layer, or because the model itself raised something (`raised`).
    `any_number` is the graph whose shapes and conditions are those at any number of pieces, where loops go over pieces
    of a tensor and treat them alike; its path says where.
    """

    letters: tuple[Shape, ...]
    path: tuple[Branch, ...] = ()
    joins: tuple[Join, ...] = ()
    again: Callable[..., Graph] | None = None
    lost: tuple[str, ...] = ()
    unused: Weights = field(default_factory=Weights)
    remarks: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    why: Callable[[], ConvcalcError | None] | None = None
    refused: Node | None = None
    raised: bool = False
    any_number: Graph | None = None

    @property
    def error(self) -> ConvcalcError | None:
        """Why the run ended early, as a sentence that is written when it is asked for; None where it did not."""
        return None if self.why is None else self.why()
