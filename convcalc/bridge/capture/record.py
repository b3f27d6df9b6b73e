"""A call becomes a node: the layer that it is, held to what torch gave, on the values that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from convcalc.bridge.calls import Spec, name_of
from convcalc.bridge.capture.arguments import has_size, tensors_among
from convcalc.bridge.capture.indices import Indices
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.capture.laid import read_in_order
from convcalc.bridge.capture.origins import informed
from convcalc.bridge.capture.owning import fold, macs_of
from convcalc.bridge.capture.tensors import is_batched
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Failed, Value, given, shapes_of
from convcalc.bridge.hearing.joins import Joins
from convcalc.bridge.loops.alike import AnyNumber
from convcalc.bridge.loops.ranges import Ranges
from convcalc.bridge.loops.walks import Heard
from convcalc.errors import ConvcalcError, Refused
from convcalc.layers import Layer, Shape, Slice
from convcalc.layers.base import written
from convcalc.sizes.expr import Expr

torch = need_torch()
Tensor = torch.Tensor

_ASKS = frozenset({Tensor.grad.__get__, Tensor._base.__get__, Tensor.grad_fn.__get__})
"""What asks for a tensor that is no value of the network."""


class Record:
    """Writes calls into the journal of a run, each as the layer that is known of it."""

    def __init__(
        self, journal: Journal, joins: Joins, heard: Heard, ranges: Ranges, any_number: AnyNumber | None
    ) -> None:
        self.journal, self.joins, self.heard, self.ranges, self.any_number = journal, joins, heard, ranges, any_number
        self.raw: Layer | None = None
        """The layer of the call that is recorded, with the symbols of rounds."""
        self.counted: int | None = None
        """The multiply-accumulates inside the latest call that has no rule."""
        self._indices = Indices(journal.symbolic)
        self._in_order: set[int] = set()
        """Tensors that `contiguous` gave."""

    def call(
        self,
        func: Any,
        args: Any,
        kwargs: Any,
        out: Any,
        found: Spec | ConvcalcError | None,
        inputs: tuple[Value, ...],
    ) -> Any:
        """Record a call that gave `out`; returns that, or what hears what is done with it."""
        journal = self.journal
        if found is None:  # the same values
            if func is Tensor.contiguous:
                self._in_order.add(id(out))
            journal.alias(args[0] if args else next(iter(kwargs.values())), out)
            return out
        name = name_of(func)
        outs = [out] if isinstance(out, Tensor) else list(tensors_among(out))
        if isinstance(found, ConvcalcError) or any(map(is_batched, outs)):
            if func not in _ASKS:
                why = str(found) if isinstance(found, ConvcalcError) else "under vmap"
                held = [tensor for tensor in getattr(found, "weights", ()) if not is_batched(tensor)]
                journal.opaque(name, args, kwargs, outs, why, held, self.counted)
            return out
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        found = self._informed(name, found, inputs)
        try:
            layer, why = self._checked(self._for_any_number(found.layer, inputs), inputs, shapes)
        except Refused as refusal:  # torch takes on meta what it refuses on a device
            self.fail(func, args, kwargs, refusal, found)
            raise
        weighted = [journal.value(tensor) for tensor in found.weights if self._is_computed(tensor)]
        if any(value.call.live for value in weighted):
            layer, why = None, "weights that depend on the input"
            inputs = (*inputs, *weighted)
        live = any(value.call.live for value in inputs)
        if layer is None:
            macs = self._macs(found.layer, inputs[: len(found.inputs)], shapes)
            layer, inputs = journal.unknown(name, why, inputs, (args, kwargs), shapes, macs)
        call = journal.call(name, layer, inputs, shapes, found.weights, live=live)
        call.raw = self.raw
        if found.inputs and all(id(tensor) in self._in_order for tensor in found.inputs):
            read_in_order(call)
        if weighted and not any(value.call.live for value in weighted):
            fold(call, weighted, journal.owners)
        if not call.live:
            call.sized = call.sized or found.layer.depends_on_sizes or has_size((args, kwargs))
        journal.tensors.give(call, outs)
        numbered = (call.live or call.sized) and self._choose(layer, inputs)
        if not call.live and out is outs[0] and not out.is_floating_point():
            self._indices.note(name, journal.tensors.known.put(args), kwargs, layer, inputs, journal.value(out))
        hears = numbered and layer.is_walked and self.any_number is None
        return self.heard.pieces(call, out) if hears else out

    def fail(self, func: Any, args: Any, kwargs: Any, error: Exception, found: Any, of_types: bool = False) -> None:
        """Keep the call at which the run ends."""
        journal, watch, known = self.journal, self.journal.watch, isinstance(found, Spec)
        inputs = tuple(journal.value(tensor) for tensor in (found.inputs if known else tensors_among((args, kwargs))))
        muted, watch.muted = watch.muted, False
        if known and any(value.call.live or value.call.sized for value in inputs):
            found = self._informed(name_of(func), found, inputs)
            self._choose(found.layer, inputs)
        watch.muted = muted
        layer = found.layer if known else None
        frame, line = journal.standing.frame, journal.line()
        journal.failed = Failed(name_of(func), error, frame, line, layer, inputs, args, kwargs, func, of_types)

    def _informed(self, name: str, found: Spec, inputs: tuple[Value, ...]) -> Spec:
        """A call with what its inputs tell of it; what they do not tell is kept."""
        if any(id(tensor) in self._in_order for tensor in found.inputs):  # its values were laid one after another
            name = "reshape"
        layer, untold = informed(name, found.layer, found.inputs, inputs, self.journal.symbolic, self._indices.ends)
        if untold is not None and any(value.call.live or value.call.sized for value in inputs):
            self.journal.untold.setdefault(f"{untold}, at {self.journal.place}")
        return found if layer is found.layer else replace(found, layer=layer)

    def _for_any_number(self, layer: Layer, inputs: tuple[Value, ...]) -> Layer:
        """The layer of a call, where the run stands for any number of pieces."""
        if self.any_number is None:
            return layer
        raw = None if self.raw is None else self.ranges.for_any_number(self.raw)
        read = map(self.journal.symbolic, inputs)
        return raw or self.any_number.layer(len(self.journal.calls), layer, list(read))

    def _is_computed(self, tensor: Any) -> bool:
        return tensor is not None and self.journal.tensors.at(tensor) is not None

    def _choose(self, layer: Layer, inputs: tuple[Value, ...]) -> bool:
        """Keep as branches what makes a call what it is, such as to give as many tensors; no ways meet after these.

        Returns whether there are any with a formula.
        """
        if type(layer).path is Layer.path:
            return False
        watch = self.journal.watch
        known = [shape for shape in map(self.journal.symbolic, inputs) if shape is not None]
        if len(known) < len(inputs):
            if layer.path(*shapes_of(inputs)):
                watch.branch(None, "==", None, outcome=True)
            return False
        some = [one for one in layer.path(*known) if isinstance(one.left, Expr) or isinstance(one.right, Expr)]
        for one in some:
            if not one.is_everywhere:
                watch.path.setdefault(replace(one, source=self.journal.line()))
                self.joins.firm.setdefault(one)
        return bool(some)

    def _checked(self, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> tuple[Layer | None, str]:
        """The layer, if it gives what torch gave; None where it does not, or a formula is lost, and why.

        Raises what the layer refuses.
        """
        journal, frame, lost = self.journal, self.journal.standing.frame, self.journal.watch.lost
        if lost and _may_hide(layer, None if frame is None else frame.module):
            return None, f"a size lost its formula: {next(reversed(lost))}"
        seen = shapes_of(inputs)
        try:
            made = given(self._at_numbers(layer), seen)
        except Refused:
            raise
        except ConvcalcError as error:
            return None, str(error)
        if made != shapes:
            ours, theirs = _written(made), _written(shapes)
            journal.disagreements.append(f"{layer.op} on {_written(seen)}: {ours} by rule, {theirs} by torch")
            return None, f"torch gave {theirs}, the rule {ours}"
        return layer, ""

    def _macs(self, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> int | None:
        """The multiply-accumulates of a layer, if it is what torch ran."""
        with suppress(ConvcalcError):
            ready, seen = self._at_numbers(layer), shapes_of(inputs)
            return macs_of(ready, seen) if given(ready, seen) == shapes else None
        return None

    def _at_numbers(self, layer: Layer) -> Layer:
        return layer.at(self.journal.numbers) if layer.depends_on_sizes else layer


def _written(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(written, shapes))


def _may_hide(layer: Layer, module: Any) -> bool:
    """Whether a plain number among the sizes of a layer may come from a size; torch's own modules hold no such ones.

    >>> from convcalc.layers import Conv, Upsample
    >>> _may_hide(Upsample(size=(8, 8)), None), _may_hide(Conv(8, 3), None)
    (True, False)
    """
    if module is not None and type(module).__module__.startswith("torch.nn."):
        return False
    defaults = type(layer)
    return any(
        name in layer.sized and value != getattr(defaults, name, None) and _has_number(value)
        for name, value in vars(layer).items()
    )


def _has_number(value: Any) -> bool:
    """Whether a plain number is in a hyper-parameter, where it may have come from a size.

    >>> _has_number((1, -1)), _has_number((-1,)), _has_number(Slice(0, None))
    (True, False, True)
    """
    if isinstance(value, Slice):
        return _has_number((value.start, value.stop)) or value.step != 1
    if isinstance(value, tuple):
        return any(map(_has_number, value))
    return isinstance(value, int) and not isinstance(value, bool) and value != -1
