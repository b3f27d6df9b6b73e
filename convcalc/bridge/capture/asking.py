"""Python asks what a tensor holds: what it is told, and what is to be said of that.

A capture has no values of the input. A condition on them goes as a user says, or as was found out; numbers that C
takes, as `float(x.mean())` and `x.numpy()` do, are guessed; where neither is settled, the run ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.bridge.capture.answers import CONDITIONS, NONE, answer
from convcalc.bridge.capture.arguments import on_meta, tensors_among
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.reading import asking

torch = need_torch()
Tensor = torch.Tensor

ENTRIES = 10**6
"""Arrays of more numbers than this are not made."""

_NUMBERS = {Tensor.__float__: float, Tensor.__int__: int, Tensor.__index__: int, Tensor.__complex__: complex}
_ARRAYS = frozenset({Tensor.numpy, Tensor.__array__, Tensor.tolist})
"""What gives Python as many numbers as the tensor has, by sizes that are plain."""

READS = frozenset({Tensor.item, Tensor.__format__, *_NUMBERS, *_ARRAYS, *CONDITIONS})
"""What gives Python the values of a tensor."""


class Place(NamedTuple):
    """Where values are asked for: the line of the user's code, the line that asks, and the call that it asks."""

    line: str
    asks: str
    function: str

    @property
    def written(self) -> str:
        """The user's line, as "net.py:9"."""
        return Path(self.line).name

    def answers_to(self, word: str) -> bool:
        """Whether a user means this by a line, "9" or "net.py:9", or by the name of the call.

        >>> place = Place("/home/me/net.py:9", "/home/me/net.py:9", "any")
        >>> [place.answers_to(word) for word in ("9", "net.py:9", "me/net.py:9", "any", "t.py:9", "19")]
        [True, True, True, True, False, False]
        """
        return word in (self.function, self.line.rpartition(":")[2]) or f"/{self.line}".endswith(f"/{word}")


@dataclass(frozen=True)
class Assumed:
    """What a condition is taken to be, and why in words."""

    outcome: bool
    why: str
    is_idle: bool = False
    """Whether the model does the same either way."""


@dataclass(frozen=True)
class Guess:
    """What all numbers that C takes out of values are taken to be in a run, and what is to be said of that."""

    number: float
    whole: bool = False
    """Whether no number is an `Answer`, as where the model compares it, or gives it to C."""
    why: str = ""

    def given(self, func: Any, args: Any) -> Any:
        """Return what a function of torch that asks for values gives.

        >>> Guess(2.5).given(Tensor.__int__, [torch.empty((), device="meta")])
        2
        >>> Guess(2.5).given(Tensor.tolist, [torch.empty(2, device="meta")])
        [2.5, 2.5]
        """
        if func in _NUMBERS:
            return _NUMBERS[func](0 if self.number != self.number and func is not Tensor.__float__ else self.number)
        return getattr(self._filled(args[0]), func.__name__)(*args[1:])

    def _filled(self, tensor: Any) -> Any:
        whole = not (tensor.is_floating_point() or tensor.is_complex())
        number = int(self.number) if whole and self.number == self.number else 0 if whole else self.number
        kind = torch.float32 if tensor.dtype is torch.bfloat16 else tensor.dtype
        with torch._C.DisableTorchFunctionSubclass():
            return torch.empty(tuple(map(int, tensor.shape)), dtype=torch.float64, device="cpu").fill_(number).to(kind)


def can_guess(func: Any, tensor: Any) -> bool:
    """Return whether a function that asks for the values of a tensor on meta gives numbers, of which some can be made.

    >>> [can_guess(Tensor.item, torch.empty(n, device="meta")) for n in (1, 2)]
    [True, False]
    """
    most = ENTRIES if func in _ARRAYS else 1
    return tensor.device.type == "meta" and tensor.numel() <= most and func in READS - CONDITIONS


class Asking:
    """What a run is asked of values, and what it tells."""

    def __init__(
        self, journal: Journal, assume: Mapping[str, bool], assumed: Mapping[Place, Assumed], guess: Guess | None
    ) -> None:
        self.journal = journal
        self.assume, self.assumed, self.guess = assume, assumed, guess
        """What a user says of conditions on values, what was found out of them, what numbers are taken to be."""
        self.answered = False
        """Whether Python asked for a value of the input, and got an `Answer`."""
        self.assumptions: dict[str, None] = {}
        """What is to be said of values that nobody knows."""
        self.guessed: dict[str, None] = {}
        """What holds only where a condition on values goes as assumed."""
        self.undecided: Place | None = None
        """The condition on values at which the run ended."""
        self.guesses: list[Place] = []
        """Where numbers were guessed."""
        self.wanting = False
        """Whether the run ended for want of such a number."""

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
                self._assume(f"{value.call.label} has the values of its example, used at {self.journal.place}")

    def answer(self, func: Any, args: Any) -> Any:
        """Return what Python gets for a value of the input; `NONE` where it needs the value itself."""
        if func not in CONDITIONS:
            return self._number(func, args)
        if all(tensor.device.type != "meta" for tensor in tensors_among(args)):
            return NONE
        place = self._place(args)
        found = self.assumed.get(place) or self._said(place)
        if found is None:
            self.undecided = place
            return NONE
        self._assume(found.why, is_idle=found.is_idle)
        return found.outcome

    def _number(self, func: Any, args: Any) -> Any:
        """An answer, or a number as it is guessed in this run; `NONE`, which ends it, where it is not."""
        told = NONE if self.guess is not None and self.guess.whole else answer(func, args[0])
        if told is not NONE:
            self.answered = True
            self._assume(f"a value of the input, asked for at {self.journal.place}, is not known", is_idle=True)
            return told
        if not can_guess(func, args[0]):
            return NONE
        if self.guess is None:
            self.wanting = True
            return NONE
        if func in _ARRAYS and args[0].dim():
            self.journal.watch.lose("the sizes of an array of NumPy or a list")
        self.guesses.append(self._place(args))
        if self.guess.why:
            self._assume(self.guess.why)
        return self.guess.given(func, args)

    def _assume(self, why: str, *, is_idle: bool = False) -> None:
        self.assumptions.setdefault(why)
        if not is_idle:
            self.guessed.setdefault(why)

    def _said(self, place: Place) -> Assumed | None:
        """What a user says of a condition; None where that is nothing."""
        for word, outcome in self.assume.items():
            if place.answers_to(word):
                return Assumed(outcome, f"{place.written} is taken as {str(outcome).lower()}, as asked for")
        return None

    def _place(self, args: Any) -> Place:
        """Where values are asked for now."""
        frame, function = asking(), self.journal.value(args[0]).call.function
        asks = "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return Place(self.journal.line() or "an unknown line", asks, function)
