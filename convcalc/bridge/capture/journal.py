"""What happened in a run, in order: the calls, the values that tensors hold, their shapes in letters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convcalc.bridge.capture.arguments import has_size, tensors_among
from convcalc.bridge.capture.owning import count
from convcalc.bridge.capture.standing import Standing
from convcalc.bridge.capture.tensors import Tensors
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed, Value, shapes_of, work_out
from convcalc.bridge.hearing.chance import RANDOM, drawn
from convcalc.bridge.hearing.lines import line_here
from convcalc.bridge.hearing.watch import Watch
from convcalc.layers import Layer, Opaque, Shape, Source, Written

Tensor = need_torch().Tensor


class Journal:
    """The calls of one run. A tensor that no call made is found out as a parameter, a buffer, or something opaque."""

    def __init__(self, tensors: Tensors, standing: Standing, watch: Watch) -> None:
        self.tensors, self.standing, self.watch = tensors, standing, watch
        self.line = line_here
        self.calls: list[Call] = []
        self.taken: list[Value] = []
        """The network's inputs."""
        self.numbers: dict[str, int] = {}
        """What the letters are in this run."""
        self.owners: dict[str, Call] = {}
        """The call that is the first to use each parameter."""
        self.chance: dict[str, None] = {}
        """Where Python had a random number."""
        self.disagreements: list[str] = []
        """What torch gave otherwise than our rules."""
        self.untold: dict[str, None] = {}
        """What nothing tells of other sizes: answers there are not proved."""
        self.failed: Failed | None = None
        """The call at which the run ended."""
        self.asked = False
        """Whether the model was given a size with a formula: else it cannot act by it."""
        self._drawn = drawn()
        self._reading = 0

    @property
    def place(self) -> str:
        """The line of the user's code that is running, its file without folders."""
        return Path(self.line() or "an unknown line").name

    def draw(self) -> None:
        """Take note where Python or NumPy drew a random number since the last call."""
        before, self._drawn = self._drawn, drawn()
        if before != self._drawn:
            self.chance.setdefault(f"before {Path(self.line() or 'the end').name}")

    # -- calls --------------------------------------------------------------------------------------------------

    def take(self, name: str, tensor: Any, letters: Shape) -> Call:
        """Make a tensor an input of the network, its sizes called by these letters."""
        call = Call(name, None, None, (), (tuple(tensor.shape),), symbolic=(letters,), label=name)
        self.taken.append(self.tensors.hold(tensor, call))
        return call

    def call(
        self,
        name: str,
        layer: Layer,
        inputs: tuple[Value, ...],
        shapes: tuple[Shape, ...],
        weights: Sequence[Any] = (),
        *,
        live: bool | None = None,
    ) -> Call:
        """Keep a call, and return it."""
        frame = self.standing.frame
        call = Call(name, frame, layer, inputs, shapes, self.line())
        call.live = any(value.call.live for value in inputs) if live is None else live
        call.sized = any(value.call.sized for value in inputs)
        call.valued = all(value.call.valued or not value.call.live for value in inputs)
        call.number = len(self.calls)
        call.late = bool(self.watch.lost)
        call.chance = name in RANDOM or any(value.call.chance for value in inputs)
        self.draw()
        if frame is not None and not isinstance(layer, Source | Written):
            frame.calls += 1
        if weights:
            count(call, weights, self.tensors.kind, self.owners)
        self.calls.append(call)
        return call

    def opaque(
        self, name: str, args: Any, kwargs: Any, outs: Any, why: str, weights: Sequence[Any] = (), macs: Any = None
    ) -> None:
        """Keep a call of which nothing is known but what it reads, and the shapes that came out."""
        outs = list(tensors_among(outs))
        held = {id(tensor) for tensor in weights}
        read = tuple(self.value(tensor) for tensor in tensors_among((args, kwargs)) if id(tensor) not in held)
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        if not shapes:
            return
        layer, inputs = self.unknown(name, why, read, (args, kwargs), shapes, macs)
        call = self.call(name, layer, inputs, shapes, weights, live=any(value.call.live for value in read))
        call.sized = call.sized or (not call.live and has_size((args, kwargs)))
        if name == "pack_padded_sequence":  # of which the sizes of batches, on the CPU, are made of the lengths alone
            call.valued = read[1].call.valued or not read[1].call.live
        self.tensors.give(call, outs)

    def unknown(
        self, name: str, why: str, read: tuple[Value, ...], given: Any, shapes: tuple[Shape, ...], macs: int | None
    ) -> tuple[Opaque, tuple[Value, ...]]:
        """Return a layer of which nothing is known, and what its shapes hang on: all inputs where sizes may be in."""
        inputs = read
        if self.watch.lost or has_size(given) or any(value.call.sized for value in read):
            inputs = (*read, *(value for value in self.taken if value not in read))
        unread = len(inputs) - len(read)
        return Opaque(name, shapes=shapes, seen=shapes_of(inputs), why=why, mac_count=macs, unread=unread), inputs

    # -- values -------------------------------------------------------------------------------------------------

    def value(self, tensor: Any) -> Value:
        """Return the value that a tensor holds; what no call made becomes a source."""
        known = self.tensors.at(tensor)
        if known is None:
            return self._source(tensor)
        held = self.tensors.held(tensor)
        if held is not None:
            return held
        inputs = (known, *(Value(call, 0, 0) for call in self.tensors.writers(tensor, known)))
        return self.tensors.hold(tensor, self.call("written", Written("written"), inputs, (tuple(tensor.shape),)))

    def _source(self, tensor: Any) -> Value:
        kind, path = self.tensors.kind(tensor)
        shape = tuple(tensor.shape)
        if kind:
            call = self.call(kind, Source(kind, shape), (), (shape,), (tensor,) if kind == "parameter" else ())
            call.label = path
            call.live = False
        else:
            # on meta it was made while the model ran: of what, and whether by a size, is not known
            live = tensor.device.type == "meta" or bool(self.watch.lost)
            inputs = tuple(self.taken) if live else ()
            made = self.tensors.behind(tensor)
            made = self.value(made) if isinstance(made, Tensor) else made
            inputs = inputs if made is None else (made, *inputs)
            live = live and (made is None or made.call.live)
            why = "a tensor that no recorded call made" if made is None else "under vmap"
            macs = None if live and made is None else 0
            seen = shapes_of(inputs)
            layer = Opaque("tensor", shapes=(shape,), seen=seen, why=why, reads_input=live, mac_count=macs)
            call = self.call("tensor", layer, inputs, (shape,))
        return self.tensors.hold(tensor, call)

    def alias(self, tensor: Any, out: Any) -> None:
        """Keep that `out` holds the same values as `tensor`."""
        if not isinstance(out, Tensor) or not isinstance(tensor, Tensor) or out is tensor:
            return
        if self.tensors.is_own(tensor):
            self.tensors.rename(tensor, out)
            return
        value = self.value(tensor)
        self.tensors.hold(out, value.call, value.place)

    # -- sizes --------------------------------------------------------------------------------------------------

    def symbolic(self, value: Value) -> Shape | None:
        """Return the shape of a value in letters; None where it is unknown."""
        if value.call.symbolic is None:
            self.work_out(value.call.number + 1)
        assert value.call.symbolic is not None  # noqa: S101 -- worked out above
        return value.call.symbolic[value.place]

    def shape_of(self, tensor: Any) -> Shape | None:
        """Return the shape in letters of a tensor of this run; None where it is unknown, and of any other tensor."""
        return None if self.tensors.at(tensor) is None else self.symbolic(self.value(tensor))

    def work_out(self, end: int) -> None:
        """Work out the shapes in letters of the first `end` calls; a formula that is not torch's size is withheld."""
        for call in self.calls[self._reading : end]:
            if call.symbolic is None:
                withheld = work_out(call, self.numbers)
                if withheld is not None:
                    self.disagreements.append(withheld)
        self._reading = max(self._reading, end)
