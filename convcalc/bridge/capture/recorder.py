"""What a module does while it runs: every public call of torch, with the shapes that remember their formula.

A mode sees the calls whatever Python stands around them. Each is answered, if it asks for a size or a value; or it
runs (`running`), and becomes a node (`record`) in the order of the calls (`journal`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from convcalc.bridge.calls import SPECS, NotKnown, Spec, name_of
from convcalc.bridge.calls.registry import in_torch_words
from convcalc.bridge.capture.answers import NONE, as_tensors, is_told
from convcalc.bridge.capture.arguments import has_size, in_numbers, mapped, tensors_among
from convcalc.bridge.capture.asking import READS, Asking
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.capture.known import MANY, Known, somewhere, without_values
from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.queries import QUERIES, QUIET
from convcalc.bridge.capture.record import Record
from convcalc.bridge.capture.running import SETITEM, Running
from convcalc.bridge.capture.settings import Settings
from convcalc.bridge.capture.standing import Standing
from convcalc.bridge.capture.tensors import Tensors, is_batched
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.joins import Joins
from convcalc.bridge.hearing.lines import line_here
from convcalc.bridge.hearing.watch import Watch
from convcalc.bridge.loops.alike import AnyNumber
from convcalc.bridge.loops.ranges import Ranges, Round
from convcalc.bridge.loops.walks import Heard
from convcalc.errors import ConvcalcError
from convcalc.layers import Index, Layer, Source

torch = need_torch()
Tensor = torch.Tensor

_INTERNAL = ("torch._refs", "torch._prims", "torch._decomp", "torch._meta_registrations", "torch._library")
"""Rooms of torch that compute what a call gives on meta: what they call is no call of the model."""


@cache
def _is_internal(room: str) -> bool:
    return room.startswith(_INTERNAL)


class Recorder(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
    """The mode under which a copied module runs; `journal` is what happened."""

    def __init__(self, copied: Copier, settings: Settings) -> None:
        super().__init__()
        self.plain = plain = settings.plain
        """Why sizes are plain numbers in this run, if they are."""
        self.copied = copied
        self.known = Known(copied.small)
        self.tensors = Tensors(self.known)
        self.watch = Watch(line=line_here, lost={plain: None} if plain else {})
        self.standing = Standing(copied, self.tensors, lambda *code: self._running.script(*code))
        self.journal = Journal(self.tensors, self.standing, self.watch)
        self.any_number = None if settings.plan is None else AnyNumber(settings.plan)
        self.heard = Heard(self.journal.calls, self.tensors.held, self.journal.symbolic)
        self.joins = Joins(self.watch, self.journal.calls, self.journal.shape_of)
        self.ranges = Ranges(self.watch, self.journal.numbers, self.heard, self.joins, self.any_number)
        self.watch.heard = self.joins.heard
        self.watch.rounds = None if plain else self.ranges
        self.asking = Asking(self.journal, settings.assume, settings.assumed, settings.guess)
        self._record = Record(self.journal, self.joins, self.heard, self.ranges, self.any_number)
        self._running = Running(self._record)

    def end(self) -> None:
        """Take note that the run is over."""
        self.journal.draw()
        self.joins.ended()
        self.heard.close()
        self.watch.over = True
        self.standing.leave()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer questions about sizes with their formula, run everything else and record it."""
        kwargs = kwargs or {}
        if _is_internal(sys._getframe(1).f_globals.get("__name__", "")):
            return func(*in_numbers(args), **in_numbers(kwargs))
        if self.asking.answered:
            args, kwargs = as_tensors(args), as_tensors(kwargs)
        query = QUERIES.get(func)
        if query is not None:
            self.journal.asked = self.journal.asked or bool(self.plain)
            return func(*args, **kwargs) if self.plain else query(self.journal, *args, **kwargs)
        if self._is_foreign(args) or (kwargs and self._is_foreign(kwargs.values())):
            args, kwargs = self.copied.owned(args), self.copied.owned(kwargs)
        if func in _OF_NUMBERS:  # which are asked for what the call makes of them
            return func(*args, **kwargs)
        if func in _STAYS:
            return self._running.stay(func, args, kwargs)
        if "device" in kwargs:
            kwargs = somewhere(kwargs)
        if args and self.tensors.is_own(args[0]) and self._running.fills(func, args, kwargs):
            if has_size((args, kwargs)):
                self.watch.lose("a size written into a buffer")
            return self._running.fill(func, in_numbers(args), in_numbers(kwargs))
        self._record.raw = None
        if self.ranges.rounds and (found_in := self.ranges.among((args, kwargs))):
            self._record.raw = self._in_rounds(found_in, func, args, kwargs)
            args, kwargs = mapped(args, self.ranges.settled), mapped(kwargs, self.ranges.settled)
        known = func not in _WHERE and self.known.decides(args, kwargs)
        if func in READS:
            read = self.asking.read(args)
            args = self.known.put(args) if known else read
            told = NONE if known else self.asking.answer(func, args)
            if told is not NONE:
                return told
        found = self._found(func, args, kwargs)
        # what is read is looked up before the call, which may write into it
        inputs = tuple(map(self.journal.value, found.inputs)) if isinstance(found, Spec) else ()
        given = (args, kwargs)
        if known or func is _PACK:
            self.asking.say_examples(args, kwargs)
            args, kwargs = self.known.put(args), self.known.put(kwargs)
        if isinstance(found, Spec) and isinstance(found.layer, Source) and func is not torch.tensor:
            kwargs = without_values(found.layer, kwargs, self.journal.numbers)
        out = self._running.run(func, args, kwargs, found, everywhere=found is not None and not known)
        args, kwargs = given
        if func is SETITEM:
            self._record.call(func, args, kwargs, args[0], found, inputs)
        elif isinstance(out, Tensor) or (isinstance(out, tuple | list) and next(tensors_among(out), None) is not None):
            out = self._record.call(func, args, kwargs, out, found, inputs)
        elif out is not None and name_of(func) not in QUIET and func not in READS:
            self._say(func, args, kwargs)
        return out

    def _found(self, func: Any, args: Any, kwargs: Any) -> Spec | ConvcalcError | None:
        """What a call is, before it changes its arguments; why it is not known; None where it makes no values."""
        made = SPECS.get(func)
        if made is None:
            return NotKnown(f"no rule for {name_of(func)}")
        muted, self.watch.muted = self.watch.muted, True
        try:
            return made(*args, **in_torch_words({name: value for name, value in kwargs.items() if name != "out"}))
        except ConvcalcError as error:
            return error
        except (TypeError, ValueError, AttributeError, IndexError, StopIteration, KeyError, RuntimeError) as error:
            return NotKnown(f"called as no rule expects: {type(error).__name__}")
        finally:
            self.watch.muted = muted

    def _in_rounds(self, rounds: list[Round], func: Any, args: Any, kwargs: Any) -> Layer | None:
        """The layer of a call that is given the number of a round, if it takes a slice or a place by it alone."""
        if func in _CUTS and len(set(rounds)) == 1 and rounds[0].is_now:
            self.ranges.shown = True
            try:
                found = self._found(func, args, kwargs)
            finally:
                self.ranges.shown = False
            if isinstance(found, Spec) and isinstance(found.layer, Index):
                return found.layer
        self.ranges.spoil(rounds)
        return None

    def _say(self, func: Any, args: Any, kwargs: Any) -> None:
        """A call gave no tensor, but something else that may depend on sizes."""
        if func is Tensor.__repr__ and is_told():
            return
        if has_size((args, kwargs)):
            self.watch.lose(f"what {name_of(func)} makes of a size")
        elif args and self.tensors.at(args[0]) is not None and self.journal.value(args[0]).call.live:
            self.watch.lose(f"what {name_of(func)} says of a tensor")

    def _is_foreign(self, values: Iterable[Any]) -> bool:
        """Whether a tensor of the original, or of the world outside, is among arguments."""
        originals = self.copied.tensors
        return any(
            id(value) in originals
            or (isinstance(value, Tensor) and self._adopt(value))
            or (type(value) in (tuple, list) and self._is_foreign(value))
            for value in values
        )

    def _adopt(self, tensor: Any) -> bool:
        """Copy a tensor that is no part of the module, such as a global one: the model may write into it."""
        if self.tensors.is_known(tensor) or tensor.device.type != "cpu":
            return False
        if tensor.layout is not torch.strided or tensor.is_quantized or is_batched(tensor):
            return False
        self.copied.adopt(tensor, tensor.detach().clone() if tensor.numel() <= MANY else tensor.to("meta"))
        return True


_CUTS = frozenset({Tensor.__getitem__, Tensor.narrow, Tensor.select, torch.narrow, torch.select})
"""What takes a slice or a place of a tensor."""

_WHERE = frozenset(
    {Tensor.device.__get__, Tensor.is_cuda.__get__, Tensor.is_cpu.__get__, Tensor.is_meta.__get__, Tensor.get_device}
)
"""What asks where a tensor is: the module's are all in one place."""

_PACK = torch._VF._pack_padded_sequence
"""Takes the values of lengths, beside a tensor without any."""

_OF_NUMBERS = frozenset({torch.sym_max, torch.sym_min, torch.sym_int, torch.sym_float})
"""What takes numbers alone, and passes for Python."""

_STAYS = frozenset({Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.xpu, Tensor.pin_memory})
