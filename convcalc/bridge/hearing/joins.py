"""Hears, while a model runs, after which tests of sizes it goes on alike whichever way it takes: `network.capture`.

Where a comparison is part of such a test (`forks`) and both sides are pure (`purity`), the test is asked
for every other outcome of its comparisons; then the frame is watched until the sides meet, where what they leave is
compared.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call
from convcalc.bridge.hearing.forks import Fork, fork_at
from convcalc.bridge.hearing.lines import frames
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.purity import Purity
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.source import assigned
from convcalc.bridge.hearing.watch import Watch
from convcalc.layers import Shape
from convcalc.network.capture import Join
from convcalc.sizes.branch import Branch
from convcalc.sizes.size import Size

torch = need_torch()

LEAVES = 64
"""The most outcomes of the comparisons in one test that are followed."""

FRAMES = 4
"""How far out from a comparison the test it is part of is looked for."""


@dataclass(eq=False)
class _Open:
    """A test that a frame is at, or whose side it is in."""

    fork: Fork
    frame: FrameType
    others: tuple[tuple[Branch, ...], ...]
    before: Mapping[str, Any]
    """What its names would be left as on the other way."""
    first: int
    tracing: tuple[Any, Any]
    """How the frame, and all that is called, was traced before."""
    branches: dict[Branch, None] = field(default_factory=dict)
    changes: tuple[Size, ...] | None = None
    last: int = 0
    moved: bool = False
    """Whether what it leaves may lie otherwise in memory."""
    failed: bool = False


class Joins:
    """The joins of one run: of its `calls`, with the shapes in letters of the tensors that they gave."""

    def __init__(self, watch: Watch, calls: Sequence[Call], shape_of: Callable[[Any], Shape | None]) -> None:
        self.watch, self.calls, self.shape_of = watch, calls, shape_of
        self.open: list[_Open] = []
        self.closed: list[_Open] = []
        self.idle: dict[tuple[tuple[Branch, ...], ...], None] = {}
        self.firm: dict[Branch, None] = {}
        """What was compared elsewhere too."""

    def heard(self, branch: Branch) -> None:
        """Take note of a comparison that was just made."""
        places = (fork_at(frame) for frame in islice(frames(), FRAMES))
        place = next((place for place in places if place is not None), None)
        found = None if place is None else self._opened(*place)
        kept = self.firm if found is None else found.branches
        kept.setdefault(branch)

    def _opened(self, fork: Fork, frame: FrameType) -> _Open | None:
        """The test that a frame is at, from its first comparison; None where its two ways are not alike."""
        for one in self.open:
            if one.frame is frame and one.fork.lines == fork.lines:
                return one
        scope = {**frame.f_globals, **frame.f_locals}
        inner = Purity(scope).without(assigned([*fork.sides[0], *fork.sides[1]]))
        if not Purity(scope, asks=True).of(fork.test) or not all(map(inner.of_body, fork.sides)):
            return None
        calls = len(self.calls)
        try:
            outcome, others = _outcomes(fork.test, scope, self.watch)
        except Exception:  # a test that fails where it comes out otherwise: it is one way like others
            return None
        idle = fork.idle(not outcome)
        if len(self.calls) != calls or not others:
            return None
        if idle is None:
            if fork.idle(outcome) is not None:
                self.idle.setdefault(others)
            return None
        names = {name: idle.get(name, name) for name in fork.left}
        before = {name: scope[other] for name, other in names.items() if other in scope}
        if len(before) < len(names):
            return None
        made = _Open(fork, frame, others, before, calls, (frame.f_trace, sys.gettrace()))
        self.open.append(made)
        self._follow(made)
        return made

    # -- following a frame ---------------------------------------------------------------------------------------

    def _follow(self, made: _Open) -> None:
        def trace(here: FrameType, event: str, value: Any) -> Any:
            if event == "exception":
                made.failed = True
            elif event == "return":
                self._close(made, {**here.f_locals, "return": value})
            elif event == "line" and here.f_lineno not in made.fork.lines and not made.fork.returns:
                self._close(made, here.f_locals)
            return trace

        made.frame.f_trace = trace
        sys.settrace(lambda *event: None)

    def _close(self, made: _Open, after: Mapping[str, Any]) -> None:
        if made not in self.open:
            return
        while self.open[-1] is not made:  # what did not end by itself
            self._drop(self.open[-1])
        self._leave(made)
        made.last = len(self.calls)
        changes: list[Size] = []
        with torch._C.DisableTorchFunction():
            for name, before in made.before.items():
                if name not in after or not self._compare(before, after[name], changes, made):
                    made.failed = True
        made.changes = tuple(changes)
        if made.failed:
            self.firm.update(made.branches)
        else:
            self.closed.append(made)

    def _drop(self, made: _Open) -> None:
        self._leave(made)
        self.firm.update(made.branches)

    def _leave(self, made: _Open) -> None:
        self.open.remove(made)
        made.frame.f_trace, whole = made.tracing
        sys.settrace(whole)

    def _compare(self, before: Any, after: Any, changes: list[Size], made: _Open) -> bool:
        """Add by how much sizes of a value differ from those of another; whether that is all they differ in."""
        match before, after:
            case torch.Tensor(), torch.Tensor():
                if before is after:
                    return True
                was, is_now = self.shape_of(before), self.shape_of(after)
                if was is None or is_now is None or before.dtype != after.dtype or len(was) != len(is_now):
                    return False
                made.moved |= not (before.is_contiguous() and after.is_contiguous())
                changes.extend(new - old for old, new in zip(was, is_now, strict=True) if new is not old)
                return True
            case bool() | float() | SizeFloat() | None | str(), _:
                return type(before) is type(after) and not isinstance(after, SizeFloat) and bool(before == after)
            case int(), int():
                old, new = formula(before), formula(after)
                if old is None or new is None or isinstance(after, bool):
                    return False
                changes.append(new - old)
                return True
            case tuple() | list(), tuple() | list():
                same = type(before) is type(after) and len(before) == len(after)
                return same and all(self._compare(a, b, changes, made) for a, b in zip(before, after, strict=True))
            case _:
                return before is after

    # -- the answer ----------------------------------------------------------------------------------------------

    def ended(self) -> None:
        """Take note that the run is over."""
        while self.open:
            self._drop(self.open[-1])

    def found(self, names: Mapping[int, str]) -> tuple[Join, ...]:
        """Return the joins, where calls are called by these names in the graph."""
        calls = self.calls
        laid_out = [one for one in self.closed if one.moved and any(c.function in _LAID_OUT for c in calls[one.last :])]
        firm = {*self.firm, *(branch for one in laid_out for branch in one.branches)}
        found = [Join((), others, None) for others in self.idle]
        for one in self.closed:
            if one not in laid_out:
                branches = tuple(branch for branch in one.branches if branch not in firm)
                inside = tuple(names[id(call)] for call in calls[one.first : one.last] if id(call) in names)
                found.append(Join(branches, one.others, one.changes, inside))
        return tuple(found)


_LAID_OUT = frozenset({"view", "view_as", "as_strided", "unflatten", "view_as_real", "view_as_complex"})
"""What depends on how values lie in memory."""


def _outcomes(test: ast.expr, scope: dict[str, Any], watch: Watch) -> tuple[bool, tuple[tuple[Branch, ...], ...]]:
    """What a test comes to, and every way for its comparisons to make it come out otherwise."""
    code = compile(ast.fix_missing_locations(ast.Expression(test)), "<test>", "eval")
    others: list[tuple[Branch, ...]] = []
    waiting: list[tuple[bool, ...]] = [()]
    watch.muted = True
    try:
        outcome = bool(eval(code, scope))  # noqa: S307 -- an expression of the model's own, which is pure
        for _ in range(LEAVES):
            if not waiting:
                break
            taken: dict[Branch, None] = {}
            watch.answer = partial(_answer, waiting.pop(), [], taken, waiting)
            if bool(eval(code, dict(scope))) != outcome:  # noqa: S307 -- as above
                others.append(tuple(taken))
    finally:
        watch.muted, watch.answer = False, None
    if waiting:
        raise ValueError("a test of too many outcomes")
    return outcome, tuple(others)


def _answer(
    given: tuple[bool, ...],
    trail: list[bool],
    taken: dict[Branch, None],
    waiting: list[tuple[bool, ...]],
    left: Any,
    relation: str,
    right: Any,
    outcome: bool,
) -> bool:
    """Let a comparison come to what is `given` to it, or else to true, and the other keep `waiting`."""
    true, false = (Branch.taken(left, relation, right, one) for one in (True, False))
    if not true.is_known:
        raise ValueError("a comparison of what is not known")
    if true in taken or false in taken:
        return true in taken
    if true.is_everywhere or false.is_everywhere:
        return bool(true.is_everywhere)
    if len(trail) == len(given):
        waiting.append((*trail, False))
    choice = given[len(trail)] if len(trail) < len(given) else True
    trail.append(choice)
    taken[true if choice else false] = None
    return choice
