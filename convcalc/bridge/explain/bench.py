"""Where repairs are tried: the failing run, reproduced so that each of its calls can be found again."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among, with_tensor
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Value
from convcalc.bridge.explain.failure import Failure
from convcalc.bridge.explain.operands import ancestors
from convcalc.bridge.explain.reruns import Change, Rerun, Site

torch = need_torch()

RUNS = 12
"""How often a failing model is run again at most, its reproduction included."""


CHANNELS_LAST = "its channels are last"


@dataclass(frozen=True)
class Repair:
    """What might help: in words, and as a change of the run."""

    what: str
    change: Change
    cause: str = ""
    """What is wrong, where this repair tells: with it, no other repair is meant."""
    sizes: bool = False
    """Whether it is other input sizes alone."""
    command: str = ""
    """How the command line writes it, where that is another way than Python's."""
    alone: bool = False
    """Whether no other repair is meant where the model runs with this one."""
    known: Rerun | None = None
    """The run with it, where it was run already."""


@dataclass
class Bench:
    """A failure that was reproduced: `failure` is that of the reproduction, `first` that of the user's run."""

    first: Failure
    failure: Failure
    outcome: Rerun
    left: int = RUNS - 1

    @property
    def site(self) -> Site | None:
        """The failing call; None where no call of torch was under way."""
        return self.outcome.recorder.last if self.failure.raw is not None else None

    @property
    def inputs(self) -> dict[int, str]:
        """The names of the network's inputs, by the identity of what stands for them."""
        return {id(call): name for name, call in self.failure.run.calls.items()}

    def site_of(self, call: Call) -> Site | None:
        """Where an earlier call is found again."""
        return self.outcome.recorder.sites.get(self.time_of(call))

    def run(self, change: Change) -> Rerun | None:
        """Run with a change; None where that was done often enough."""
        if self.left <= 0:
            return None
        self.left -= 1
        try:
            return Rerun(self.first.run, change)
        except Exception:  # what cannot be built is no repair
            return None

    def passes(self, outcome: Rerun) -> bool:
        """Whether the failing call, or line, passes in another run."""
        if outcome.raised is None:
            return True
        if self.site is not None:
            return self.site in outcome.recorder.passed
        here, there = self.failure, outcome.failure
        assert there is not None  # noqa: S101 -- it has an error
        same = (here.place, here.source) == (there.place, there.source)
        return not same and len(there.journal.calls) >= len(here.journal.calls)

    # -- names -------------------------------------------------------------------------------------------------------

    def name(self, operand: int) -> str:
        """What an operand of the failing call is called."""
        return self.failure.operands[operand].name

    def name_of(self, call: Call) -> str:
        """What a call is called in the graph."""
        name: str = self.failure.run.drawn(self.failure.values).names.get(id(call), call.function)
        return name

    def dtype(self, operand: int) -> Any:
        """The type of the values of an operand of the failing call."""
        return next((tensor.dtype for _, tensor in self._given(self.failure.values[operand])), None)

    def _given(self, wanted: Value) -> list[tuple[int, Any]]:
        """The tensors among the arguments that are a value, each with its place."""
        some, known = tensors_among((self.failure.args, self.failure.kwargs)), self.failure.journal.tensors
        values = ((place, tensor, known.at(tensor)) for place, tensor in enumerate(some))
        return [(place, tensor) for place, tensor, value in values if value is not None and _same(value, wanted)]

    def time_of(self, call: Call) -> int:
        """When a call was made: its place among all, -1 for an input."""
        return next((place for place, known in enumerate(self.failure.journal.calls) if known is call), -1)

    # -- changes of calls ------------------------------------------------------------------------------------------

    def alter(self, operand: int, change: Callable[[Any], Any]) -> Change:
        """Change one operand of the failing call."""
        if self.site is None:
            return Change()
        mine = self.failure.values[operand]
        places = [place for place, _ in self._given(mine)]
        earlier = sum(_same(value, mine) for value in self.failure.values[:operand])
        return Change(calls={self.site: _altered(places[min(earlier, len(places) - 1)] if places else 0, change)})

    def feed(self, change: Callable[[Any], Any]) -> Change:
        """Change what the failing module reads first, or the failing call where it is no module's own."""
        path, module = self.failure.path, self.failure.module
        if module is None or not type(module).__module__.startswith("torch.nn.modules"):
            return self.alter(0, change)
        return Change(feeds={path: change})

    def fed(self, text: str, cause: str = "", *, alone: bool = False) -> Repair:
        """Methods on what the failing module reads first, as in `x.flatten(1) before fc`."""
        what = f"{self.name(0)}{text} before {self.failure.place}"
        return Repair(what, self.feed(methods(text)), cause, alone=alone)

    def altered(self, operand: int, text: str) -> Repair:
        """Methods on an operand, as in `y.transpose(1, 2) in matmul`."""
        return Repair(f"{self.name(operand)}{text} in {self.failure.place}", self.alter(operand, methods(text)))

    def before(self, call: Call, change: Callable[[Any], Any]) -> Change | None:
        """Change the first tensor that an earlier call reads."""
        site = self.site_of(call)
        return None if site is None else Change(calls={site: _altered(0, change)})

    def module_before(self, operand: int, kinds: tuple[type, ...]) -> tuple[str, Any] | None:
        """The nearest module of some kinds on the way to an operand, with its path."""
        frames = [call.frame for call in ancestors(self.failure.values[operand]) if call.frame is not None]
        return next(((frame.path, frame.module) for frame in frames if isinstance(frame.module, kinds)), None)


def methods(text: str) -> Callable[[Any], Any]:
    """Return what calls the methods of a text on a tensor.

    >>> methods(".flatten(2).transpose(1, 2)")(torch.zeros(2, 3, 4, 5)).shape
    torch.Size([2, 20, 3])
    """
    calls = [(name, literal_eval(f"({args},)")) for name, args in re.findall(r"\.(\w+)\(([^()]+)\)", text)]
    return lambda x: reduce(lambda value, call: getattr(value, call[0])(*call[1]), calls, x)


def _same(a: Value, b: Value) -> bool:
    return (a.call, a.place) == (b.call, b.place)


def _altered(place: int, change: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Arguments with one tensor changed."""

    def altered(args: Any, kwargs: Any) -> Any:
        tensor = list(tensors_among((args, kwargs)))[place]
        return with_tensor((args, kwargs), place, change(tensor))

    return altered


def reproduce(failure: Failure) -> Bench | None:
    """Run the module once more as it is; None where it does not fail in the same way."""
    outcome = Rerun(failure.run, Change())
    again = outcome.failure
    if again is None or (again.place, again.function) != (failure.place, failure.function):
        return None
    return Bench(failure, again, outcome)
