"""Hears, while a model runs, after which tests of sizes it goes on alike whichever way it takes: `network.capture`.

Where a comparison is part of such a test (`forks`) and both sides are pure (`purity`), the test is asked
for every other outcome of its comparisons; then the frame is watched until the sides meet, where what they leave is
compared.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.forks import Fork, fork_at
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.purity import Purity, assigned
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.bridge.hearing.watch import Watch
from convcalc.network.capture import Join
from convcalc.sizes.branch import Branch
from convcalc.sizes.size import Size

torch = need_torch()

LEAVES = 64
"""The most outcomes of the comparisons in one test that are followed."""

FRAMES = 4
"""How far out from a comparison the test it is part of is looked for."""


class _Unseen(Exception):
    """What a test may come to is not seen."""


@dataclass(eq=False)
class _Open:
    """A test that a frame is at, or whose side it is in."""

    fork: Fork
    frame: FrameType
    others: tuple[tuple[Branch, ...], ...]
    before: Mapping[str, Any]
    first: int
    branches: dict[Branch, None] = field(default_factory=dict)
    changes: tuple[Size, ...] | None = None
    last: int = 0
    moved: bool = False
    """Whether what it leaves may lie otherwise in memory."""
    failed: bool = False


class Joins:
    """The joins of one run."""

    def __init__(self, journal: Any) -> None:
        self.journal = journal
        self.watch: Watch = journal.watch
        self.open: list[_Open] = []
        self.closed: list[_Open] = []
        self.idle: dict[tuple[tuple[Branch, ...], ...], None] = {}
        self.firm: dict[Branch, None] = {}
        """What was compared elsewhere too."""
        self._before: list[tuple[FrameType, Any, Any]] = []

    def heard(self, branch: Branch) -> None:
        """Take note of a comparison that was just made."""
        found = self._found()
        if found is None:
            self.firm.setdefault(branch)
        else:
            found.branches.setdefault(branch)

    def _found(self) -> _Open | None:
        frame: FrameType | None = sys._getframe(2)
        seen = 0
        while frame is not None and seen < FRAMES:
            if self.journal.lines.is_own(frame.f_code):
                frame = frame.f_back
                continue
            seen += 1
            place = fork_at(frame)
            if place is not None:
                fork, frame = place
                for one in self.open:
                    if one.fork is fork and one.frame is frame:
                        return one
                return self._opened(fork, frame)
            frame = frame.f_back
        return None

    def _opened(self, fork: Fork, frame: FrameType) -> _Open | None:
        scope = {**frame.f_globals, **frame.f_locals}
        inner = Purity(scope).without(assigned([*fork.sides[0], *fork.sides[1]]))
        if not Purity(scope, asks=True).of(fork.test) or not all(map(inner.of_body, fork.sides)):
            return None
        calls = len(self.journal.calls)
        try:
            outcome, others = _outcomes(fork.test, scope, self.watch)
        except Exception:  # a test that fails where it comes out otherwise: it is one way like others
            return None
        idle = fork.idle(not outcome)
        if len(self.journal.calls) != calls or not others:
            return None
        if idle is None:
            if fork.idle(outcome) is not None:
                self.idle.setdefault(others)
            return None
        names = {name: idle.get(name, name) for name in fork.left}
        before = {name: scope[other] for name, other in names.items() if other in scope}
        if len(before) < len(names):
            return None
        made = _Open(fork, frame, others, before, calls)
        self.open.append(made)
        self._follow(made)
        return made

    # -- following a frame ---------------------------------------------------------------------------------------

    def _follow(self, made: _Open) -> None:
        frame = made.frame
        self._before.append((frame, frame.f_trace, sys.gettrace()))

        def trace(here: FrameType, event: str, value: Any) -> Any:
            if event == "exception":
                made.failed = True
            elif event == "return":
                self._close(made, {**here.f_locals, "return": value})
            elif event == "line" and here.f_lineno not in made.fork.lines and not made.fork.returns:
                self._close(made, here.f_locals)
            return trace

        frame.f_trace = trace
        sys.settrace(_nothing)

    def _close(self, made: _Open, after: Mapping[str, Any]) -> None:
        if made not in self.open:
            return
        while self.open[-1] is not made:  # what did not end by itself
            self._drop(self.open[-1])
        self._leave(made)
        made.last = len(self.journal.calls)
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
        frame, own, whole = self._before.pop()
        frame.f_trace = own
        sys.settrace(whole)

    def _compare(self, before: Any, after: Any, changes: list[Size], made: _Open) -> bool:
        """Add by how much sizes of a value differ from those of another; whether that is all they differ in."""
        match before, after:
            case torch.Tensor(), torch.Tensor():
                if before is after:
                    return True
                shapes = [self._shape(tensor) for tensor in (before, after)]
                if None in shapes or before.dtype != after.dtype or len(shapes[0] or ()) != len(shapes[1] or ()):
                    return False
                made.moved |= not (before.is_contiguous() and after.is_contiguous())
                pairs = zip(shapes[0] or (), shapes[1] or (), strict=True)
                changes.extend(new - old for old, new in pairs if new is not old)
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

    def _shape(self, tensor: Any) -> Any:
        known = self.journal.tensors.at(tensor) is not None
        return self.journal.symbolic(self.journal.value(tensor)) if known else None

    # -- the answer ----------------------------------------------------------------------------------------------

    def ended(self) -> None:
        """Take note that the run is over."""
        while self.open:
            self._drop(self.open[-1])

    def found(self, names: Mapping[int, str]) -> tuple[Join, ...]:
        """Return the joins, where calls are called by these names in the graph."""
        calls = self.journal.calls
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


def _nothing(frame: FrameType, event: str, value: Any) -> None:
    return None


def _outcomes(test: ast.expr, scope: dict[str, Any], watch: Watch) -> tuple[bool, tuple[tuple[Branch, ...], ...]]:
    """What a test comes to, and every way for its comparisons to make it come out otherwise."""
    code = compile(ast.fix_missing_locations(ast.Expression(test)), "<test>", "eval")
    watch.muted = True
    try:
        outcome = bool(eval(code, scope))  # noqa: S307 -- an expression of the model's own, which is pure
        leaves = list(_leaves(code, scope, watch))
    finally:
        watch.muted, watch.answer = False, None
    return outcome, tuple(taken for value, taken in leaves if value != outcome)


def _leaves(code: CodeType, scope: dict[str, Any], watch: Watch) -> Any:
    waiting: list[tuple[bool, ...]] = [()]
    for _ in range(LEAVES):
        if not waiting:
            return
        given = waiting.pop()
        trail: list[bool] = []
        taken: dict[Branch, None] = {}
        watch.answer = _answering(given, trail, taken, waiting)
        value = bool(eval(code, dict(scope)))  # noqa: S307 -- as above
        yield value, tuple(taken)
    if waiting:
        raise _Unseen


def _answering(
    given: tuple[bool, ...], trail: list[bool], taken: dict[Branch, None], waiting: list[tuple[bool, ...]]
) -> Callable[[Any, str, Any, bool], bool]:
    def answer(left: Any, relation: str, right: Any, outcome: bool) -> bool:
        true, false = (Branch.taken(left, relation, right, one) for one in (True, False))
        if not true.is_known:
            raise _Unseen
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

    return answer
