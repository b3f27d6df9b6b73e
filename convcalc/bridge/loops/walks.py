"""What a model does with the pieces that a call cut a tensor into: tuples that hear it.

By default the number of pieces is a branch on the path. Where all that is done with them is to go over them in loops
that treat each alike, or to join them as they are, the shapes are known for any number: see `alike`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Value
from convcalc.bridge.hearing.lines import is_own
from convcalc.bridge.loops.effects import Effects, Ran
from convcalc.bridge.loops.numbers import Numbers, plain_range
from convcalc.bridge.loops.ranges import Round, Rounds
from convcalc.bridge.loops.syntax import Loop, loop_at
from convcalc.layers import Shape

Tensor = need_torch().Tensor


_LISTENED = 3
"""The rounds whose code is heard: where these leave no trace, the next has nothing to tell it from them."""


@dataclass(eq=False)
class Walk:
    """One time over the pieces of `call`: where each round began, and what was handed on to it."""

    call: Call | Rounds
    loop: Loop
    frame: FrameType | None
    """None once it is over."""
    asked_by: int
    """The frame that asked for it: those of one `zip` are asked for by one."""
    is_backwards: bool = False
    starts: list[int] = field(default_factory=list)
    """How many calls had been made when each piece was asked for."""
    end: int | None = None
    """How many when there was none left."""
    handed: list[tuple[Any, ...] | None] = field(default_factory=list)
    """The shapes of what rounds hand on, at the start of each and at the end; None where it is no tensor."""
    ran: Ran | None = None
    keeps: bool = False
    """Whether something that ran may tell one round from the next."""
    rounds: list[Round] = field(default_factory=list)
    """Those of a loop over a range."""

    def round_of(self, place: int) -> int:
        """Return which round the piece at a place is for, or which piece a round gets."""
        return len(self.call.shapes) - 1 - place if self.is_backwards else place


class Heard:
    """What is done with pieces while a module runs."""

    def __init__(
        self, calls: Sequence[Call], value_of: Callable[[Any], Value | None], shape_of: Callable[[Value], Shape | None]
    ) -> None:
        self.calls, self.value_of, self.shape_of_value = calls, value_of, shape_of
        self.walks: list[Walk] = []
        self.cut: dict[int, Call] = {}
        """The calls that cut a tensor into pieces, by their number."""
        self.spoiled: set[int] = set()
        """The numbers of those whose pieces are used in another way than alike."""
        self.effects = Effects()

    def pieces(self, call: Call, outs: Sequence[Any]) -> PieceTuple:
        """Return the pieces that a call gave, as a tuple that hears what is done with it."""
        self.cut[call.number] = call
        return PieceTuple.of(self, call, outs)

    def begin(self, over: PieceTuple | Numbers, backwards: bool) -> Iterator[Any]:
        """Yield the pieces, or the numbers of a range, to whoever asks for them from the frame above."""
        call, frame = over.call, _asking_frame()
        loop = None if frame is None else loop_at(frame)
        again = isinstance(call, Rounds) and (not call.count or any(walk.call is call for walk in self.walks))
        if frame is None or loop is None or again:
            self.spoiled.add(call.number)
            return over.plainly(backwards)
        walk = Walk(call, loop, frame, id(frame), backwards)
        self.walks.append(walk)
        return self._steps(walk, over)

    def _steps(self, walk: Walk, over: PieceTuple | Numbers) -> Iterator[Any]:
        walk.ran = self.effects.start(sys._getframe(1).f_code)
        walk.keeps = walk.frame is None or _reads_what_may_change(walk.loop, walk.frame)
        for number in plain_range(len(walk.call.shapes)):
            if number == _LISTENED:
                self._listen_no_more(walk)
            walk.handed.append(self._handed(walk))
            walk.starts.append(len(self.calls))
            place = walk.round_of(number)
            if isinstance(over, PieceTuple):
                yield tuple.__getitem__(over, place)
            else:
                value, round_ = over.ranges.begin(over.call, place, is_first=number == 0)
                walk.rounds.append(round_)
                yield value
                round_.is_now = False
        walk.end = len(self.calls)
        walk.handed.append(self._handed(walk))
        self._stop(walk)

    def _stop(self, walk: Walk) -> None:
        self._listen_no_more(walk)
        walk.frame = None

    def _listen_no_more(self, walk: Walk) -> None:
        if walk.ran is not None and self.effects.stop(walk.ran):
            walk.keeps = walk.keeps or not walk.ran.leaves_no_trace

    def close(self) -> None:
        """The run is over: a walk that did not come to its end is none, unless another ended it."""
        for walk in self.walks:
            self._stop(walk)

    def _handed(self, walk: Walk) -> tuple[Any, ...] | None:
        """The shapes of what rounds hand on; of what stands before the first, nothing is asked."""
        if walk.frame is None:
            return None
        if not walk.loop.carried or not walk.starts:
            return ()
        found = []
        for name in sorted(walk.loop.carried):
            value = walk.frame.f_locals.get(name)
            for one in value if isinstance(value, tuple) else (value,):
                held = self.value_of(one) if isinstance(one, Tensor) else None
                shape = None if held is None else self.shape_of_value(held)
                if shape is None:
                    return None
                found.append((name, shape, one.dtype))
        return tuple(found)


class PieceTuple(tuple[Any, ...]):
    """The pieces of a tensor: a tuple that tells `Heard` what is done with it."""

    heard: Heard
    call: Call

    @classmethod
    def of(cls, heard: Heard, call: Call, outs: Sequence[Any]) -> PieceTuple:
        """Return the pieces `outs` of a call."""
        self = cls(outs)
        self.heard, self.call = heard, call
        return self

    @property
    def plain(self) -> tuple[Any, ...]:
        """The pieces alone."""
        return tuple.__getitem__(self, slice(None))

    def plainly(self, backwards: bool) -> Iterator[Any]:
        """The pieces, where no loop that is known asks for them."""
        return iter(self.plain[::-1] if backwards else self.plain)

    def __iter__(self) -> Iterator[Any]:
        if _is_ours(sys._getframe(1)):
            return tuple.__iter__(self)
        return self.heard.begin(self, backwards=False)

    def __reversed__(self) -> Iterator[Any]:
        return self.heard.begin(self, backwards=True)

    def __reduce__(self) -> Any:
        self.heard.spoiled.add(self.call.number)
        return tuple, (self.plain,)


def _spoiling(name: str) -> Callable[..., Any]:
    plain = getattr(tuple, name)

    def method(self: PieceTuple, *args: Any) -> Any:
        if not _is_ours(sys._getframe(1)):
            self.heard.spoiled.add(self.call.number)
        return plain(self, *args)

    return method


for _name in (
    *("__len__", "__getitem__", "__add__", "__mul__", "__rmul__", "__contains__", "__eq__", "__ne__", "__lt__"),
    *("__le__", "__gt__", "__ge__", "__hash__", "__repr__", "__str__", "__format__", "index", "count"),
    "__getnewargs__",
):
    setattr(PieceTuple, _name, _spoiling(_name))


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("convcalc.")


def _asking_frame() -> FrameType | None:
    """The frame of the user's code that asks for an iterator; None where torch's own code does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (_is_ours(frame) or frame.f_code is Tensor.__iter__.__code__):  # which unbinds
        frame = frame.f_back
    return None if frame is None or is_own(frame.f_code.co_filename) else frame


def _reads_what_may_change(loop: Loop, frame: FrameType) -> bool:
    """Whether a round reads a list, a mapping or an iterator from outside, which may tell it which round it is."""
    values = (frame.f_locals.get(name, frame.f_globals.get(name)) for name in loop.read)
    return any(isinstance(value, list | dict | set | bytearray) or hasattr(type(value), "__next__") for value in values)
