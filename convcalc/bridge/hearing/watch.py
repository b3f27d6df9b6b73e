"""What is heard of sizes while a model runs: the comparisons, and where a size became a plain number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcalc.bridge.hearing.reading import asking, fate, keys
from convcalc.sizes.branch import Branch

if TYPE_CHECKING:
    from convcalc.bridge.loops.ranges import Ranges

_SYMBOLIC = frozenset({"einops"})
"""Libraries that keep answers by the sizes they were given, but for sizes without a hash."""


@dataclass
class Watch:
    """What happens to sizes while a model runs: branches taken, formulas lost, each with its line of code.

    >>> watch = Watch(line=lambda: "net.py:9")
    >>> watch.lose("int(size)")
    >>> list(watch.lost)
    ['int(size) at net.py:9']
    """

    path: dict[Branch, None] = field(default_factory=dict)
    lost: dict[str, None] = field(default_factory=dict)
    line: Callable[[], str | None] = lambda: None
    muted: bool = False
    """While a call is looked up in the table, nothing is kept."""
    raised: dict[str, None] = field(default_factory=dict)
    """Where sizes became text of an exception: lost if the model goes on."""
    over: bool = False
    """Whether the run has ended; what is left of its sizes are plain numbers."""

    heard: Callable[[Branch], None] = lambda branch: None
    """Told of every branch that is kept, each time."""
    rounds: Ranges | None = None
    """The rounds of loops over ranges of sizes, whose numbers are symbols: `loops.ranges`."""
    answer: Callable[[Any, str, Any, bool], bool] | None = None
    """What comparisons come to while a test is asked what else it may come to; then nothing is kept."""

    def branch(self, left: Any, relation: str, right: Any, outcome: bool) -> bool:
        """Keep a comparison that depends on a size, and return its outcome: as it is, or as `answer` has it."""
        rounds = self.rounds
        if self.answer is not None:
            if rounds is not None and rounds.of(left, right):
                raise ValueError("the number of a round: what it may be is not known")
            return self.answer(left, relation, right, outcome)
        if not (self.muted or self.over):
            line = self.line()
            if rounds is not None and rounds.of(left, right):
                rounds.compare(left, relation, right, outcome, line)
                return outcome
            taken = Branch.taken(left, relation, right, outcome, line)
            if not taken.is_everywhere:
                self.path.setdefault(taken)
                self.heard(taken)
        return outcome

    def lose(self, how: str, size: Any = None) -> None:
        """Keep that a size was made a plain number, or text, unless that is told to a reader alone.

        The number of a round of a loop, of which there are as many as on the path, loses nothing.
        """
        self._refuse_to_guess(how)
        if self.muted or self.over:
            return
        what = fate(asking())
        if what != "told" and not (size is not None and size.expr is not None and size.expr.is_constant):
            kept = self.lost if what == "kept" else self.raised
            kept.setdefault(f"{how} at {Path(self.line() or 'an unknown line').name}")

    def look_up(self, size: Any) -> None:
        """A size is looked up: compared with every key where these are seen, lost elsewhere.

        Raises `TypeError`, as torch's own symbolic sizes do, for a library that asks whether sizes are numbers so.
        """
        self._refuse_to_guess("a size as a key")
        if self.muted or self.over:
            return
        frame = asking()
        if frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _SYMBOLIC:
            raise TypeError("a symbolic size has no hash")
        found = keys(frame)
        if found is None:
            self.lose("a size as a key", size)
            return
        numbers = [key for key in found if isinstance(key, int | float)]
        for key in [key for key in numbers if key == size.plain] or numbers:
            bool(size == key)

    def _refuse_to_guess(self, how: str) -> None:
        """A test that is asked what else it may come to ends where it takes the number of a size."""
        if self.answer is not None:
            raise ValueError(f"{how}: what it may be is not known")
