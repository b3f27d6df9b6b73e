"""`design`: the stacks of convolutions that meet a wish, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convcalc.designs.design import Design, as_design
from convcalc.designs.reasons import Reason, why_none
from convcalc.designs.search import best_stacks, front_of_stacks
from convcalc.designs.text import designs_text, wish_notes
from convcalc.designs.wish import Wish, read_wish
from convcalc.errors import Unreadable, brief
from convcalc.render.words import Line
from convcalc.shown import Shown

LISTED, MOST_LISTED = 10, 1_000
"""How many stacks are listed, and the most that may be asked for."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Designs(Shown):
    """The stacks that meet a wish, best first; where there is none, why.

    >>> import convcalc as cc
    >>> cc.design(field=200).reason
    '--k 3 forbids it: every layer makes the field a multiple of 2 longer'
    """

    wish: Mapping[str, Any]
    """What was wished: field, stride, causal, holes, minimize."""
    best: tuple[Design, ...]
    """The best, as many as were asked for; or the front of layers, parameters and MACs."""
    complete: bool
    """Whether all within the bounds was searched: then these are the best, and where there are none there is none."""
    bounds: Mapping[str, Any]
    """Within what they were sought, and on what input they are counted."""
    reason: str
    """What was proved: that fewer do not do, or what forbids it."""
    fixes: tuple[str, ...] = ()
    """Where there is none, options with which there is."""
    preset: str | None = None
    """The published kind of network that was asked for."""
    notes: tuple[Line, ...] = ()
    """What stands below the table."""

    def record(self) -> dict[str, Any]:
        """Return it for JSON.

        >>> import convcalc as cc
        >>> cc.design(field=3).record()["best"][0]["layers"]
        1
        """
        return {
            "kind": "design",
            "preset": self.preset,
            "wish": dict(self.wish),
            "best": [one.record() for one in self.best],
            "complete": self.complete,
            "bounds": dict(self.bounds),
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return designs_text(self)


def design(
    field: Any, stride: int | str | None = None, *, pareto: bool = False, limit: int = LISTED, **wished: Any
) -> Designs:
    """Return the stacks of convolutions with this receptive field and stride, best first, without holes.

    `field` is a number (exactly that), or a span as text: "200..260", "200..". `stride` is the product of the strides:
    any where None. Besides may be given `kernel_size` (3), `dilation` (1) and `layers` (any number), each a number or a
    span such as "3..7" and "..6"; `strides`, what a single layer may have ("1..2" where a stride is wished, else 1);
    `channels` of each layer (64; (64, 128) for the first, the second and all others), `in_channels` (1); `size` of the
    input (512), one an axis, on which MACs are counted; `causal`, to pad before the input alone; `padded` (True), else
    not at all; `holes`, to let those pass too; `minimize`: "layers", "macs" or "params", the others decide between
    equals. `pareto` gives the front of the three instead. Of stacks that cost the same and differ in dilations or order
    alone one is given, whose largest dilation is least. The search is exact within these bounds; what a field misses is
    decided as in `convcalc.hdc`. Raises `Unreadable` for bounds that make no sense.

    >>> import convcalc as cc
    >>> found = cc.design(field=31, stride=4)
    >>> found.best[0].stack, found.reason
    ('conv 64 k3 s2 p1 *2; conv 64 k3 p1 *3', 'no stack of 4 layers does; 5 is the least')
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_LISTED:
        raise Unreadable(f"limit must be from 1 to {MOST_LISTED:,}: got {brief(limit)}")
    return designs_of(read_wish(field, stride, **wished), limit, pareto=bool(pareto))


def designs_of(wish: Wish, limit: int = LISTED, *, pareto: bool = False) -> Designs:
    """Return the stacks that meet a wish that was read.

    >>> designs_of(read_wish(3), pareto=True).reason
    'no stack within the bounds betters one of these in layers, parameters and MACs at once'
    """
    found = front_of_stacks(wish) if pareto else best_stacks(wish, limit)
    best = tuple(as_design(wish, stack) for stack in found.stacks)
    none = why_none(wish) if found.complete and not best else Reason("")
    reason = none.text or _proved(wish, best, complete=found.complete, pareto=pareto)
    return Designs(
        wish=wish.record(),
        best=best,
        complete=found.complete,
        bounds=wish.bounds(),
        reason=reason,
        fixes=none.fixes,
        notes=wish_notes(wish, reason if best else "", complete=found.complete, pareto=pareto),
    )


def _proved(wish: Wish, best: tuple[Design, ...], *, complete: bool, pareto: bool) -> str:
    """What the search has shown."""
    if not complete:
        return "the bounds hold too many stacks to look at all: narrower ones are searched to the end"
    if pareto:
        return "no stack within the bounds betters one of these in layers, parameters and MACs at once"
    if wish.minimize != "layers":
        return f"no stack within the bounds has fewer {'MACs' if wish.minimize == 'macs' else 'parameters'}"
    least = best[0].layers
    if least == wish.layers.least:
        return f"{least} {'layer is' if least == 1 else 'layers are'} the least that the bounds allow"
    return f"no stack of {least - 1} layer{'s' * (least > 2)} does; {least} is the least"
