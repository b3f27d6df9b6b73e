"""What a module does while it runs: every public call of torch, with the shapes that remember their formula.

A mode sees the calls whatever Python stands around them. Each becomes a `Call`: a layer, the values it reads, the
shapes that came out. Values are known by the tensor that holds them; a tensor that no call made is found out as a
parameter, a buffer, or something opaque.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convcalc.bridge.calls import SPECS, NotKnown, Spec, name_of
from convcalc.bridge.calls.parts import setitem
from convcalc.bridge.calls.recurrent import one_step
from convcalc.bridge.calls.registry import in_torch_words
from convcalc.bridge.capture.answers import NONE, as_tensors, is_told
from convcalc.bridge.capture.arguments import has_size, in_numbers, on_meta, storage_of, tensors_among
from convcalc.bridge.capture.asking import READS, Asking
from convcalc.bridge.capture.constants import MANY, somewhere, without_values
from convcalc.bridge.capture.counted import Counter, behind, is_batched, under_vmap
from convcalc.bridge.capture.hiding import may_hide
from convcalc.bridge.capture.indices import Indices
from convcalc.bridge.capture.known import Known
from convcalc.bridge.capture.lacking import made_elsewhere
from convcalc.bridge.capture.laid import read_in_order
from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.origins import informed
from convcalc.bridge.capture.owning import count, fold
from convcalc.bridge.capture.queries import QUERIES, QUIET
from convcalc.bridge.capture.quick import at_once
from convcalc.bridge.capture.trial import of_types, refusal
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed, Frame, Value, given, shapes_of, work_out
from convcalc.bridge.hearing.chance import RANDOM, drawn
from convcalc.bridge.hearing.joins import Joins
from convcalc.bridge.hearing.lines import Lines
from convcalc.bridge.hearing.watch import Watch
from convcalc.bridge.loops.again import AnyNumber
from convcalc.bridge.loops.alike import Plan
from convcalc.bridge.loops.ranges import Ranges, Round
from convcalc.bridge.loops.walks import Heard
from convcalc.errors import ConvcalcError, Refused
from convcalc.layers import Index, Layer, Opaque, Recurrent, Shape, Source, Written
from convcalc.layers.base import written
from convcalc.sizes.expr import Expr

torch = need_torch()
Tensor = torch.Tensor

_INTERNAL = ("torch._refs", "torch._prims", "torch._decomp", "torch._meta_registrations", "torch._library")
"""Rooms of torch that compute what a call gives on meta: what they call is no call of the model."""


class Recorder(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
    """The mode under which a copied module runs; `calls` is what happened, in order."""

    def __init__(self, copied: Copier, plain: str = "", plan: Plan | None = None) -> None:
        super().__init__()
        self.plain = plain
        """Why sizes are plain numbers in this run, if they are."""
        self.calls: list[Call] = []
        self.any_number = None if plan is None else AnyNumber(plan)
        self.heard = Heard(self.calls, self._held, self.symbolic)
        self.values: dict[int, Value] = {}
        self.taken: list[Value] = []
        """The network's inputs."""
        self.named: dict[int, tuple[str, str]] = {}
        """Parameters, buffers and tensor attributes: what each is, and its path."""
        self.owners: dict[str, Call] = {}
        """The call that is the first to use each parameter."""
        self.strays: dict[str, None] = {}
        """Parameters of modules that torch does not know as parts."""
        self.copied = copied
        self.known = Known(copied.small)
        self.kept: list[Any] = []
        self.stack: list[Frame] = []
        self.lines = Lines()
        self.line, self.is_own = self.lines.line, self.lines.is_own
        self.asking = Asking(self)
        self.watch = Watch(line=self.line, lost={plain: None} if plain else {})
        self.ranges = Ranges(self, None if plan is None else plan.ranges)
        self.watch.rounds = None if plain else self.ranges
        self._raw: Layer | None = None
        """The layer of the call that is recorded, with the symbols of rounds."""
        self.joins = Joins(self)
        self.watch.heard = self.joins.heard
        self.chance: dict[str, None] = {}
        """Where Python had a random number."""
        self._drawn = drawn()
        self.failed: Failed | None = None
        self.disagreements: list[str] = []
        self.indices = Indices(self.symbolic)
        self.in_order: set[int] = set()
        """Tensors that `contiguous` gave."""
        self.untold: dict[str, None] = {}
        """What nothing tells of other sizes: answers there are not proved."""
        self.counted: int | None = None
        """The multiply-accumulates inside the latest call that has no rule."""
        self.asked = False
        """Whether the model was given a size with a formula: else it cannot act by it."""
        self._stood: list[tuple[Any, Any]] = []
        self._reading = 0
        self._rooms: dict[str, bool] = {}
        self._behind: dict[int, Value] = {}
        """What was computed under `vmap`, by the storage that outlasts it."""
        self._writes: dict[int, list[Call]] = {}
        """The calls that wrote into each storage."""

    # -- before the run -----------------------------------------------------------------------------------------

    def know(self, module: Any) -> None:
        """Name the tensors of a copied module, and stand around the forward of each of its modules."""
        for path, tensor in self.copied.attributes:
            self._name(tensor, "parameter" if isinstance(tensor, torch.nn.Parameter) else "buffer", path)
        seen: set[int] = set()
        for start, root in (("", module), *self.copied.strays):
            for path, part in torch.nn.Module.named_modules(root):
                if id(part) not in seen:
                    seen.add(id(part))
                    self._know(part, f"{start}.{path}" if start and path else start or path, stray=bool(start))

    def _know(self, part: Any, path: str, stray: bool) -> None:
        prefix = f"{path}." if path else ""
        for name, tensor in part._buffers.items():
            self._name(tensor, "buffer", prefix + name)
        for name, tensor in part._parameters.items():
            self._name(tensor, "parameter", prefix + name)
            if stray and tensor is not None:
                self.strays[prefix + name] = None
        self._stood.append((part, part.__dict__.get("forward")))
        part.__dict__["forward"] = self._around(part, path)

    def leave(self) -> None:
        """Stand around the modules no longer: what leads round in circles is kept until it is searched for."""
        self.watch.over = True
        for part, forward in self._stood:
            if forward is None:
                part.__dict__.pop("forward", None)
            else:
                part.__dict__["forward"] = forward
        self._stood.clear()

    def _name(self, tensor: Any, kind: str, path: str) -> None:
        if tensor is not None:
            known = self.named.get(id(tensor))
            if known is None or known[0] != kind == "parameter":
                self.named[id(tensor)] = (kind, path)
                self.kept.append(tensor)

    def _around(self, module: Any, path: str) -> Callable[..., Any]:
        forward = module.forward
        stack = self.stack
        if isinstance(module, torch.jit.ScriptModule):
            return self._around_script(module, path, forward)

        makes_weights = isinstance(module, torch.nn.utils.parametrize.ParametrizationList)

        def run(*args: Any, **kwargs: Any) -> Any:
            if stack and not makes_weights:
                stack[-1].nested = True
            stack.append(Frame(path, module))
            try:
                return forward(*args, **kwargs)
            finally:
                stack.pop()

        run.__dict__["__wrapped__"] = forward  # some models ask for the signature
        return run

    def _around_script(self, module: Any, path: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if self.stack:
                self.stack[-1].nested = True
            self.stack.append(Frame(path, module))
            try:
                with torch._C.DisableTorchFunction():
                    with Counter() as counter:
                        out = forward(*in_numbers(args), **in_numbers(kwargs))
                    self.counted = counter.macs
                    name, read = str(module.original_name), list(module.parameters())
                    self._try_types(None, (args, read), kwargs, out, None)
                    self._record_opaque(name, args, kwargs, out, "scripted or traced code", read)
                return out
            finally:
                self.stack.pop()

        return run

    def take(self, name: str, tensor: Any, letters: Shape) -> Call:
        """Make a tensor an input of the network, its sizes called by these letters."""
        call = Call(name, None, None, (), (tuple(tensor.shape),), symbolic=(letters,), label=name)
        value = Value(call, 0, self._version(tensor))
        self._remember(tensor, value)
        self.taken.append(value)
        return call

    # -- every call -----------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer questions about sizes with their formula, run everything else and record it."""
        kwargs = kwargs or {}
        if self._is_internal(sys._getframe(1).f_globals.get("__name__", "")):
            return func(*in_numbers(args), **in_numbers(kwargs))
        if self.asking.answered:
            args, kwargs = as_tensors(args), as_tensors(kwargs)
        query = QUERIES.get(func)
        if query is not None:
            self.asked = self.asked or bool(self.plain)
            return func(*args, **kwargs) if self.plain else query(self, *args, **kwargs)
        if self._is_foreign(args) or (kwargs and self._is_foreign(kwargs.values())):
            args, kwargs = self.copied.owned(args), self.copied.owned(kwargs)
        if func in _OF_NUMBERS:  # which are asked for what the call makes of them
            return func(*args, **kwargs)
        if func in _STAYS:
            return self._stay(func, args, kwargs)
        if "device" in kwargs:
            kwargs = somewhere(kwargs)
        if args and id(args[0]) in self.named and self._fills(func, args, kwargs):
            if has_size((args, kwargs)):
                self.watch.lose("a size written into a buffer")
            return self._fill(func, in_numbers(args), in_numbers(kwargs))
        self._raw = None
        if self.ranges.rounds and (found_in := self.ranges.among((args, kwargs))):
            self._raw = self._in_rounds(found_in, func, args, kwargs)
            args, kwargs = self.ranges.settled(args), self.ranges.settled(kwargs)
        known = func not in _WHERE and self.known.decides(args, kwargs)
        if func in READS:
            read = self.asking.read(args)
            args = self.known.put(args) if known else read
            told = NONE if known else self.asking.answer(func, args)
            if told is not NONE:
                return told
        muted, self.watch.muted = self.watch.muted, True
        try:
            found = self._found(func, args, kwargs)
        finally:
            self.watch.muted = muted
        # what is read is looked up before the call, which may write into it
        inputs = tuple(map(self.value, found.inputs)) if isinstance(found, Spec) else ()
        try:
            given = (args, kwargs)
            if known or func is _PACK:
                self.asking.say_examples(args, kwargs)
                args, kwargs = self.known.put(args), self.known.put(kwargs)
            if isinstance(found, Spec) and isinstance(found.layer, Source) and func is not torch.tensor:
                kwargs = without_values(found.layer, kwargs, self.numbers)
            out = self._run(func, in_numbers(args), in_numbers(kwargs), found)
        except Exception as error:
            out = self._once_more(func, in_numbers(args), in_numbers(kwargs), error, found)
        if found is not None and not known:
            self._try_types(func, in_numbers(args), in_numbers(kwargs), out, found)
        args, kwargs = given
        if func is _SETITEM:
            self._record(func, args, kwargs, args[0], found, inputs)
        elif isinstance(out, Tensor) or (isinstance(out, tuple | list) and next(tensors_among(out), None) is not None):
            out = self._record(func, args, kwargs, out, found, inputs)
        elif out is not None and name_of(func) not in QUIET and func not in READS:
            self._say(func, args, kwargs)
        return out

    def _in_rounds(self, rounds: list[Round], func: Any, args: Any, kwargs: Any) -> Layer | None:
        """The layer of a call that is given the number of a round, if it takes a slice or a place by it alone."""
        if func in _CUTS and len(set(rounds)) == 1 and rounds[0].is_now:
            muted, self.watch.muted, self.ranges.shown = self.watch.muted, True, True
            try:
                found = self._found(func, args, kwargs)
            finally:
                self.watch.muted, self.ranges.shown = muted, False
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
        elif args and isinstance(args[0], Tensor) and id(args[0]) in self.values and self.value(args[0]).call.live:
            self.watch.lose(f"what {name_of(func)} says of a tensor")

    def _run(self, func: Any, args: Any, kwargs: Any, found: Any) -> Any:
        """Run a call; what is inside one that has no rule is counted."""
        if isinstance(found, Spec) and isinstance(found.layer, Recurrent) and not under_vmap():
            return one_step(func, args, kwargs, found.layer)
        if found is None or (isinstance(found, Spec) and not under_vmap()):
            out = at_once(func, args, kwargs) if isinstance(found, Spec) else None
            return func(*args, **kwargs) if out is None else out
        with Counter() as counter:
            out = func(*args, **kwargs)
        self.counted = counter.macs
        return out

    def _try_types(self, func: Any, args: Any, kwargs: Any, out: Any, found: Any) -> None:
        """End the run where a device refuses the types that meta takes; keep where that is not known."""
        error, untold = of_types(func, args, kwargs, out)
        if untold:
            self.untold.setdefault(f"{untold}, at {Path(self.line() or 'an unknown line').name}")
        if error is not None:
            self._fail(func, args, kwargs, error, found, of_types=True)
            raise error

    def _is_internal(self, room: str) -> bool:
        known = self._rooms.get(room)
        if known is None:
            known = self._rooms[room] = room.startswith(_INTERNAL)
        return known

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
        if id(tensor) in self.values or id(tensor) in self.named or tensor.device.type != "cpu":
            return False
        if tensor.layout is not torch.strided or tensor.is_quantized or is_batched(tensor):
            return False
        self.copied.adopt(tensor, tensor.detach().clone() if tensor.numel() <= MANY else tensor.to("meta"))
        return True

    def _fills(self, func: Any, args: Any, kwargs: Any) -> bool:
        """Whether a call sets a parameter or buffer in place, from nothing else: initialisation, counters."""
        name = getattr(func, "__name__", "")
        if id(args[0]) in self.values or not name.endswith("_") or name.endswith("__"):
            return False
        return next(tensors_among((args[1:], kwargs)), None) is None

    def _fill(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Set a parameter or buffer in place, and its values where they are known."""
        values = self.known.of(args[0])
        out = func(*args, **kwargs)
        if values is not None:
            func(values, *args[1:], **kwargs)
            self.known.fill(args[0], values)
        return out

    def _stay(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.to("cuda")`, `x.cpu()` while nothing is anywhere: only the type changes."""
        tensor = args[0]
        if func is not Tensor.to:
            return tensor
        wanted = [value for value in (*args[1:], *kwargs.values()) if isinstance(value, torch.dtype | Tensor)]
        kind = wanted[0].dtype if wanted and isinstance(wanted[0], Tensor) else next(iter(wanted), tensor.dtype)
        if kind == tensor.dtype:
            return tensor
        out = self.known.put(tensor).to(kind)
        self._alias(tensor, out)
        return out

    def _found(self, func: Any, args: Any, kwargs: Any) -> Spec | ConvcalcError | None:
        """What a call is, before it changes its arguments; why it is not known; None where it makes no values."""
        made = SPECS.get(func)
        if made is None:
            return NotKnown(f"no rule for {name_of(func)}")
        try:
            if "out" in kwargs:
                kwargs = {name: value for name, value in kwargs.items() if name != "out"}
            return made(*args, **in_torch_words(kwargs))
        except ConvcalcError as error:
            return error
        except (TypeError, ValueError, AttributeError, IndexError, StopIteration, KeyError, RuntimeError) as error:
            return NotKnown(f"called as no rule expects: {type(error).__name__}")

    def _once_more(self, func: Any, args: Any, kwargs: Any, error: Exception, found: Any) -> Any:
        """Run a call again with constants moved to meta, if it mixed devices; otherwise it is where the run ends."""
        some = list(tensors_among((args, kwargs)))
        if len({tensor.device.type for tensor in some}) > 1:
            moved = on_meta(args)
            try:
                out = self._run(func, moved, on_meta(kwargs), found)
            except Exception as again:
                error = again
            else:
                if args and isinstance(args[0], Tensor) and (out is moved[0] or func is _SETITEM):
                    # a constant was written into: it has no values from now on
                    torch.autograd.graph.increment_version(args[0])
                    self.known.forget(args[0])
                    return args[0]
                return out
        shapes = shapes_of(map(self.value, found.inputs)) if isinstance(found, Spec) else ()
        out = made_elsewhere(func, args, kwargs, error, found, shapes, self.numbers)
        if out is not None:
            return out
        of_types = refusal(func, args, kwargs)
        self._fail(func, args, kwargs, of_types or error, found, of_types=of_types is not None)
        raise of_types or error

    def _fail(self, func: Any, args: Any, kwargs: Any, error: Exception, found: Any, of_types: bool = False) -> None:
        """Keep the call at which the run ends."""
        known = isinstance(found, Spec)
        inputs = tuple(self.value(tensor) for tensor in (found.inputs if known else tensors_among((args, kwargs))))
        muted, self.watch.muted = self.watch.muted, False
        if known and any(value.call.live or value.call.sized for value in inputs):
            found = self._informed(name_of(func), found, inputs)
            self._choose(found.layer, inputs)
        self.watch.muted = muted
        self.failed = Failed(
            name_of(func),
            error,
            self.stack[-1] if self.stack else None,
            self.line(),
            found.layer if known else None,
            inputs,
            args,
            kwargs,
            func,
            of_types,
        )

    # -- recording ------------------------------------------------------------------------------------------------

    def _record(
        self,
        func: Any,
        args: Any,
        kwargs: Any,
        out: Any,
        found: Spec | ConvcalcError | None,
        inputs: tuple[Value, ...],
    ) -> Any:
        if found is None:  # the same values
            if func is Tensor.contiguous:
                self.in_order.add(id(out))
            self._alias(args[0] if args else next(iter(kwargs.values())), out)
            return out
        name = name_of(func)
        outs = [out] if isinstance(out, Tensor) else list(tensors_among(out))
        if isinstance(found, ConvcalcError) or any(map(is_batched, outs)):
            if func not in _ASKS:
                why = str(found) if isinstance(found, ConvcalcError) else "under vmap"
                held = [tensor for tensor in getattr(found, "weights", ()) if not is_batched(tensor)]
                self._record_opaque(name, args, kwargs, outs, why, held)
            return out
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        found = self._informed(name, found, inputs)
        try:
            layer, why = self._checked(self._for_any_number(found.layer, inputs), inputs, shapes)
        except Refused as refusal:  # torch takes on meta what it refuses on a device
            self._fail(func, args, kwargs, refusal, found)
            raise
        weighted = [self.value(tensor) for tensor in found.weights if self._is_computed(tensor)]
        if any(value.call.live for value in weighted):
            layer, why = None, "weights that depend on the input"
            inputs = (*inputs, *weighted)
        live = any(value.call.live for value in inputs)
        if layer is None:
            macs = self._macs(found.layer, inputs[: len(found.inputs)], shapes)
            read, inputs = len(inputs), self._deciding(inputs, args, kwargs)
            unread = len(inputs) - read
            layer = Opaque(name, shapes=shapes, seen=shapes_of(inputs), why=why, mac_count=macs, unread=unread)
        call = self._call(name, layer, inputs, shapes, found.weights, live=live)
        call.raw = self._raw
        if found.inputs and all(id(tensor) in self.in_order for tensor in found.inputs):
            read_in_order(call)
        if weighted and not any(value.call.live for value in weighted):
            fold(call, weighted, self.owners)
        if not call.live:
            call.sized = call.sized or found.layer.depends_on_sizes or has_size((args, kwargs))
        self._give(call, outs)
        numbered = (call.live or call.sized) and self._choose(layer, inputs)
        if not call.live and out is outs[0] and not out.is_floating_point():
            self.indices.note(name, self.known.put(args), kwargs, layer, inputs, self.values[id(out)])
        hears = numbered and layer.is_walked and self.any_number is None
        return self.heard.pieces(call, out) if hears else out

    def _informed(self, name: str, found: Spec, inputs: tuple[Value, ...]) -> Spec:
        """A call with what its inputs tell of it; what they do not tell is kept."""
        if any(id(tensor) in self.in_order for tensor in found.inputs):  # its values were laid one after another
            name = "reshape"
        layer, untold = informed(name, found.layer, found.inputs, inputs, self.symbolic, self.indices.ends)
        if untold is not None and any(value.call.live or value.call.sized for value in inputs):
            self.untold.setdefault(f"{untold}, at {Path(self.line() or 'an unknown line').name}")
        return found if layer is found.layer else replace(found, layer=layer)

    def _for_any_number(self, layer: Layer, inputs: tuple[Value, ...]) -> Layer:
        """The layer of a call, where the run stands for any number of pieces."""
        if self.any_number is None:
            return layer
        raw = None if self._raw is None else self.ranges.for_any_number(self._raw)
        return raw or self.any_number.layer(len(self.calls), layer, [self.symbolic(value) for value in inputs])

    def _held(self, tensor: Any) -> Value | None:
        """The value that a tensor holds, if it is known."""
        value = self.values.get(id(tensor))
        return value if value is not None and value.version == self._version(tensor) else None

    def _choose(self, layer: Layer, inputs: tuple[Value, ...]) -> bool:
        """Keep as branches what makes a call what it is, such as to give as many tensors; no ways meet after these.

        Returns whether there are any with a formula.
        """
        if type(layer).path is Layer.path:
            return False
        read = [self.symbolic(value) for value in inputs]
        known = [shape for shape in read if shape is not None]
        if len(known) < len(read):
            if layer.path(*shapes_of(inputs)):
                self.watch.branch(None, "==", None, outcome=True)
            return False
        depends = False
        for one in layer.path(*known):
            if isinstance(one.left, Expr) or isinstance(one.right, Expr):
                depends = True
                if not one.is_everywhere:
                    self.watch.path.setdefault(replace(one, source=self.line()))
                    self.joins.firm.setdefault(one)
        return depends

    def _checked(self, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> tuple[Layer | None, str]:
        """The layer, if it gives what torch gave; None where it does not, or a formula is lost, and why.

        Raises what the layer refuses.
        """
        if self.watch.lost and may_hide(layer, self.stack[-1].module if self.stack else None):
            return None, f"a size lost its formula: {next(reversed(self.watch.lost))}"
        seen = shapes_of(inputs)
        try:
            made = given(layer.at(self.numbers) if layer.depends_on_sizes else layer, seen)
        except Refused:
            raise
        except ConvcalcError as error:
            return None, str(error)
        if made != shapes:
            ours, theirs = (", ".join(map(written, some)) for some in (made, shapes))
            self.disagreements.append(
                f"{layer.op} on {', '.join(map(written, seen))}: {ours} by rule, {theirs} by torch"
            )
            return None, f"torch gave {theirs}, the rule {ours}"
        return layer, ""

    def draw(self) -> None:
        """Take note where Python or NumPy drew a random number since the last call."""
        before, self._drawn = self._drawn, drawn()
        if before != self._drawn:
            self.chance.setdefault(f"before {Path(self.line() or 'the end').name}")

    def _macs(self, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> int | None:
        """The multiply-accumulates of a layer, if it is what torch ran."""
        try:
            ready = layer.at(self.numbers) if layer.depends_on_sizes else layer
            seen = shapes_of(inputs)
            return int(ready.macs(*seen)) if ready.out_shapes(*seen) == shapes else None
        except (ConvcalcError, TypeError):
            return None

    def _deciding(self, inputs: tuple[Value, ...], args: Any, kwargs: Any) -> tuple[Value, ...]:
        """What decides the shapes of an opaque call: what it reads, and the network's inputs where sizes may be in."""
        if self.watch.lost or has_size((args, kwargs)) or any(value.call.sized for value in inputs):
            return (*inputs, *(value for value in self.taken if value not in inputs))
        return inputs

    def _record_opaque(
        self, name: str, args: Any, kwargs: Any, out: Any, why: str, weights: Sequence[Any] = ()
    ) -> None:
        outs = list(tensors_among(out))
        held = {id(tensor) for tensor in weights}
        read = tuple(self.value(tensor) for tensor in tensors_among((args, kwargs)) if id(tensor) not in held)
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        if not shapes:
            return
        inputs = self._deciding(read, args, kwargs)
        seen, unread = shapes_of(inputs), len(inputs) - len(read)
        layer = Opaque(name, shapes=shapes, seen=seen, why=why, mac_count=self.counted, unread=unread)
        call = self._call(name, layer, inputs, shapes, weights, live=any(value.call.live for value in read))
        call.sized = call.sized or (not call.live and has_size((args, kwargs)))
        if name == "pack_padded_sequence":  # of which the sizes of batches, on the CPU, are made of the lengths alone
            call.valued = read[1].call.valued or not read[1].call.live
        self._give(call, outs)

    def _call(
        self,
        name: str,
        layer: Layer,
        inputs: tuple[Value, ...],
        shapes: tuple[Shape, ...],
        weights: Sequence[Any] = (),
        *,
        live: bool | None = None,
    ) -> Call:
        frame = self.stack[-1] if self.stack else None
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
            count(call, weights, self.named, self.owners)
        self.calls.append(call)
        return call

    def path_of(self, tensor: Any, path: str) -> str:
        """Return the path that a parameter is counted under; the one given where it is not known."""
        return self.named.get(id(tensor), ("", path))[1]

    def _give(self, call: Call, outs: Sequence[Any]) -> None:
        for place, tensor in enumerate(outs):
            before, version = self.values.get(id(tensor)), self._version(tensor)
            if before is not None and before.version != version:
                if call.live:
                    self.known.forget(tensor)
                self._writes.setdefault(self.known.home(tensor), []).append(call)
                version = self._version(tensor)
            value = Value(call, place, version)
            self._remember(tensor, value)
            if is_batched(tensor):
                self._behind[storage_of(behind(tensor))] = value

    def _remember(self, tensor: Any, value: Value) -> None:
        self.values[id(tensor)] = value
        self.kept.append(tensor)

    def _version(self, tensor: Any) -> int:
        """How often a tensor was written into."""
        if tensor.is_inference():  # which torch does not count
            return len(self._writes.get(self.known.home(tensor), ()))
        return int(tensor._version)

    def _alias(self, tensor: Any, out: Any) -> None:
        """`out` holds the same values as `tensor`."""
        if not isinstance(out, Tensor) or not isinstance(tensor, Tensor) or out is tensor:
            return
        if id(tensor) in self.named and id(tensor) not in self.values:
            self.named.setdefault(id(out), self.named[id(tensor)])
            self.kept.append(out)
            return
        self.holds(out, self.value(tensor))

    def holds(self, tensor: Any, value: Value) -> None:
        """Keep that a tensor holds what is known as this value."""
        self._remember(tensor, Value(value.call, value.place, self._version(tensor)))

    def _is_computed(self, tensor: Any) -> bool:
        return tensor is not None and id(tensor) in self.values

    def value(self, tensor: Any) -> Value:
        """Return the value that a tensor holds; what no call made becomes a source."""
        known = self.values.get(id(tensor))
        if known is None:
            return self._source(tensor)
        version = self._version(tensor)
        if known.version == version:
            return known
        # a view of it was written into, or what it is a view of
        writers = [call for call in self._writes.get(self.known.home(tensor), ()) if call.number > known.call.number]
        inputs = (known, *(Value(call, 0, 0) for call in writers))
        call = self._call("written", Written("written"), inputs, (tuple(tensor.shape),))
        value = Value(call, 0, version)
        self._remember(tensor, value)
        return value

    def _source(self, tensor: Any) -> Value:
        kind, path = self.named.get(id(tensor), ("", ""))
        shape = tuple(tensor.shape)
        if kind:
            call = self._call(kind, Source(kind, shape), (), (shape,), (tensor,) if kind == "parameter" else ())
            call.label = path
            call.live = False
        else:
            # on meta it was made while the model ran: of what, and whether by a size, is not known
            live = tensor.device.type == "meta" or bool(self.watch.lost)
            inputs = tuple(self.taken) if live else ()
            made = self._behind_it(tensor)
            inputs = inputs if made is None else (made, *inputs)
            live = live and (made is None or made.call.live)
            why = "a tensor that no recorded call made" if made is None else "under vmap"
            macs = None if live and made is None else 0
            seen = shapes_of(inputs)
            layer = Opaque("tensor", shapes=(shape,), seen=seen, why=why, reads_input=live, mac_count=macs)
            call = self._call("tensor", layer, inputs, (shape,))
        value = Value(call, 0, self._version(tensor))
        self._remember(tensor, value)
        return value

    def _behind_it(self, tensor: Any) -> Value | None:
        """What a tensor that `vmap` gives, or takes apart, was before."""
        storage = storage_of(behind(tensor))
        if not is_batched(tensor) or storage in self._behind:
            return self._behind.get(storage)
        known = (some for some in self.kept if not is_batched(some) and storage_of(some) == storage)
        return next(map(self.value, known), None)

    # -- sizes ----------------------------------------------------------------------------------------------------

    numbers: dict[str, int]
    """What the letters are in this run."""

    def symbolic(self, value: Value) -> Shape | None:
        """Return the shape of a value in letters; None where it is unknown."""
        if value.call.symbolic is None:
            self.work_out(value.call.number + 1)
        assert value.call.symbolic is not None  # noqa: S101 -- worked out above
        return value.call.symbolic[value.place]

    def work_out(self, end: int) -> None:
        """Work out the shapes in letters of the first `end` calls; a formula that is not torch's size is withheld."""
        for call in self.calls[self._reading : end]:
            if call.symbolic is None:
                withheld = work_out(call, self.numbers)
                if withheld is not None:
                    self.disagreements.append(withheld)
        self._reading = max(self._reading, end)


_CUTS = frozenset({Tensor.__getitem__, Tensor.narrow, Tensor.select, torch.narrow, torch.select})
"""What takes a slice or a place of a tensor."""

_SETITEM = Tensor.__setitem__
SPECS.setdefault(_SETITEM, setitem)

_ASKS = frozenset({Tensor.grad.__get__, Tensor._base.__get__, Tensor.grad_fn.__get__})


_WHERE = frozenset(
    {Tensor.device.__get__, Tensor.is_cuda.__get__, Tensor.is_cpu.__get__, Tensor.is_meta.__get__, Tensor.get_device}
)
"""What asks where a tensor is: the module's are all in one place."""

_PACK = torch._VF._pack_padded_sequence
"""Takes the values of lengths, beside a tensor without any."""

_OF_NUMBERS = frozenset({torch.sym_max, torch.sym_min, torch.sym_int, torch.sym_float})
"""What takes numbers alone, and passes for Python."""

_STAYS = frozenset({Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.xpu, Tensor.pin_memory})
