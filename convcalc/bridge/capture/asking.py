"""Python asks what a tensor holds: what it is told, and what is to be said of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.bridge.capture.answers import CONDITIONS, NONE, answer
from convcalc.bridge.capture.arguments import on_meta, tensors_among
from convcalc.bridge.capture.assuming import Assumed, Place, given, place_here, place_text
from convcalc.bridge.capture.guessing import ARRAYS, Guess, can_guess
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.device import need_torch

Tensor = need_torch().Tensor

READS = frozenset(
    {
        Tensor.item,
        Tensor.tolist,
        Tensor.numpy,
        Tensor.__array__,
        Tensor.__int__,
        Tensor.__float__,
        Tensor.__bool__,
        Tensor.__index__,
        Tensor.__complex__,
        Tensor.__format__,
    }
    | CONDITIONS
)
"""What gives Python the values of a tensor."""


class Asking:
    """What a run is asked of values, and what it tells."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.answered = False
        """Whether Python asked for a value of the input, and got an `Answer`."""
        self.assume: Mapping[str, bool] = {}
        """What a user says of conditions on values."""
        self.assumed: Mapping[Place, Assumed] = {}
        """What was found out about them."""
        self.assumptions: dict[str, None] = {}
        """What is to be said of values that nobody knows."""
        self.guessed: dict[str, None] = {}
        """What holds only where a condition on values goes as assumed."""
        self.undecided: Place | None = None
        """The condition on values at which the run ended."""
        self.guess: Guess | None = None
        """What numbers of the input are taken to be, where Python must have some."""
        self.guesses: list[Place] = []
        """Where it took them."""
        self.wanting = False
        """Whether the run ended for want of such a number."""

    @property
    def open(self) -> bool:
        """Whether the run ended at what may still be found out."""
        return self.wanting or self.undecided is not None

    def read(self, args: Any) -> Any:
        """Return arguments of which a size loses its formula, and what depends on the input has no value."""
        journal = self.journal
        if journal.tensors.at(args[0]) is None:
            return args
        known = journal.value(args[0])
        if known.call.chance:
            journal.chance.setdefault(f"at {journal.place}")
        if known.call.sized and not known.call.live:
            journal.watch.lose("the value of a tensor made from sizes")
        if not known.call.live or known.call.valued:
            return args
        blank = on_meta(args)
        journal.tensors.hold(blank[0], known.call, known.place)
        return blank

    def say_examples(self, args: Any, kwargs: Any) -> None:
        """Keep that values of an example are used, which hold for it alone."""
        for tensor in tensors_among((args, kwargs)):
            value = self.journal.tensors.at(tensor)
            if value is not None and value.call.valued and value.call.layer is None:
                line = place_text(self.journal.line())
                said = f"{value.call.label} has the values of its example, used at {line}"
                self.assumptions.setdefault(said)
                self.guessed.setdefault(said)

    def answer(self, func: Any, args: Any) -> Any:
        """Return what Python gets for a value of the input; `NONE` where it needs the value itself."""
        line = self.journal.line()
        if func not in CONDITIONS:
            told = NONE if self.guess is not None and self.guess.whole else answer(func, args[0])
            if told is not NONE:
                self.answered = True
                self.assumptions.setdefault(f"a value of the input, asked for at {place_text(line)}, is not known")
            elif can_guess(func, args[0]):
                return self._guessed(func, args, line)
            return told
        if all(tensor.device.type != "meta" for tensor in tensors_among(args)):
            return NONE
        place = place_here(line, self.journal.value(args[0]).call.function)
        found = self.assumed.get(place) or given(place, self.assume)
        if found is None:
            self.undecided = place
            return NONE
        self.assumptions.setdefault(found.why)
        if not found.is_idle:
            self.guessed.setdefault(found.why)
        return found.outcome

    def _guessed(self, func: Any, args: Any, line: str | None) -> Any:
        """Numbers of the input, as they are guessed in this run; `NONE`, which ends it, where they are not."""
        if self.guess is None:
            self.wanting = True
            return NONE
        if func in ARRAYS and args[0].dim():
            self.journal.watch.lose("the sizes of an array of NumPy or a list")
        self.guesses.append(place_here(line, self.journal.value(args[0]).call.function))
        if self.guess.why:
            self.assumptions.setdefault(self.guess.why)
            self.guessed.setdefault(self.guess.why)
        return self.guess.given(func, args)
