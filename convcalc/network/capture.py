"""What a graph knows of the torch module it was captured from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convcalc.errors import ConvcalcError
from convcalc.layers.base import Shape
from convcalc.network.node import Node, Weights
from convcalc.sizes.branch import Branch
from convcalc.sizes.size import Size

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


@dataclass(frozen=True)
class Join:
    """A test of sizes whose two ways differ by nothing but the sizes of what they leave.

    One way calls something and the other leaves all as it is; neither does anything else, which is read from the code.
    So where the test comes out otherwise, the model goes on as it was captured if there the `changes` are all 0 and
    no call between would be refused.

    >>> from convcalc.sizes.expr import Expr
    >>> H = Expr.symbol("H")
    >>> evened = Join((Branch(H % 2, "!=", 0),), ((Branch(H % 2, "==", 0),),), (H % 2,), ("pad",))
    >>> str(evened.branches[0]), [str(one) for one in evened.others[0]]
    ('H % 2 != 0', ['H % 2 == 0'])
    """

    branches: tuple[Branch, ...]
    """What the test compared, on its way: less what was compared elsewhere too."""
    others: tuple[tuple[Branch, ...], ...]
    """The comparisons with which it comes out otherwise: all of one entry hold."""
    changes: tuple[Size, ...] | None
    """The sizes it leaves, less those that would be left otherwise; None where the way without calls was taken."""
    nodes: tuple[str, ...] = ()
    """What was called in between."""
