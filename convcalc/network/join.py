"""An `if` on sizes after which a model goes on alike, whichever way it took: `if x.shape != y.shape: x = resize(x)`."""

from __future__ import annotations

from dataclasses import dataclass

from convcalc.sizes.branch import Branch
from convcalc.sizes.size import Size


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
