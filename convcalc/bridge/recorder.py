"""What a module does while it runs: every public call of torch, with the shapes that remember their formula.

A mode sees the calls whatever Python stands around them. Each becomes a `Call`: a layer, the values it reads, the
shapes that came out. Values are known by the tensor that holds them; a tensor that no call made is found out as a
parameter, a buffer, or something opaque.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from torch.overrides import TorchFunctionMode

from convcalc.bridge.calls import SPECS, NotKnown, Spec, name_of
from convcalc.bridge.calls.parts import setitem
from convcalc.bridge.calls.registry import in_torch_words
from convcalc.bridge.device import need_torch
from convcalc.bridge.sizeint import SizeInt, Watch, sized
from convcalc.errors import ConvcalcError, Refused
from convcalc.expr import Expr
from convcalc.layers import Layer, Opaque, Shape, Source, Written
from convcalc.layers.base import written

torch = need_torch()
Tensor = torch.Tensor

_HERE = str(Path(__file__).parent)
_TORCH = str(Path(str(torch.__file__)).parent)

_SIZED = frozenset({"sizes", "size", "counts", "sides", "padding", "output_size", "shifts", "items", "scale_factor"})
"""The hyper-parameters that a lost formula may hide in."""


@dataclass(eq=False, slots=True)
class Value:
    """One tensor as it came out of a call: output `place` of it. `version` counts what was written into it."""

    call: Call
    place: int
    version: int


@dataclass(eq=False, slots=True)
class Frame:
    """One run of a module's forward: where it stands, and whether another module ran inside."""

    path: str
    module: Any
    nested: bool = False
    calls: int = 0


@dataclass(eq=False, slots=True)
class Call:
    """One call: what, where, on which values, with which shapes."""

    function: str
    frame: Frame | None
    layer: Layer | None
    inputs: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    source: str | None = None
    weights: tuple[tuple[str, Any], ...] = ()
    """The parameters that it is the first to use."""
    shares: Call | None = None
    live: bool = True
    """Whether it depends on the network's input."""
    symbolic: tuple[Shape | None, ...] | None = None
    """The shapes in letters; None until they are asked for."""
    label: str | None = None


@dataclass(slots=True)
class Failed:
    """The call at which the run ended: its function, arguments and exception, and what it would have been."""

    function: str
    error: BaseException
    frame: Frame | None
    source: str | None
    layer: Layer | None
    inputs: tuple[Value, ...]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    raw: Any = None


class Recorder(TorchFunctionMode):
    """The mode under which a copied module runs; `calls` is what happened, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.values: dict[int, Value] = {}
        self.named: dict[int, tuple[str, str]] = {}
        """Parameters, buffers and tensor attributes: what each is, and its path."""
        self.owners: dict[int, Call] = {}
        """The call that is the first to use each parameter."""
        self.kept: list[Any] = []
        self.stack: list[Frame] = []
        self.watch = Watch(line=self.line)
        self.failed: Failed | None = None
        self.disagreements: list[str] = []
        self._reading = 0
        self._codes: dict[CodeType, bool] = {}

    # -- before the run -----------------------------------------------------------------------------------------

    def know(self, module: Any, attributes: Iterable[tuple[str, Any]]) -> None:
        """Name the tensors of a module, and stand around the forward of each of its modules."""
        for kind, some in (
            ("buffer", attributes),
            ("buffer", module.named_buffers(remove_duplicate=False)),
            ("parameter", module.named_parameters(remove_duplicate=False)),
        ):
            for path, tensor in some:
                known = self.named.get(id(tensor))
                if known is None or known[0] != kind:
                    self.named[id(tensor)] = (kind, path)
                    self.kept.append(tensor)
        for path, part in module.named_modules():
            part.__dict__["forward"] = self._around(part, path)

    def _around(self, module: Any, path: str) -> Callable[..., Any]:
        forward = module.forward
        stack = self.stack
        if isinstance(module, torch.jit.ScriptModule):
            return self._around_script(module, path, forward)

        def run(*args: Any, **kwargs: Any) -> Any:
            if stack:
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
                    out = forward(*args, **kwargs)
                    self._record_opaque(type(module).__name__, args, kwargs, out, "scripted or traced code")
                return out
            finally:
                self.stack.pop()

        return run

    def take(self, name: str, tensor: Any, letters: Shape) -> Call:
        """Make a tensor an input of the network, its sizes called by these letters."""
        call = Call(name, None, None, (), (tuple(tensor.shape),), symbolic=(letters,), label=name)
        self._remember(tensor, Value(call, 0, tensor._version))
        return call

    # -- every call -----------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer questions about sizes with their formula, run everything else and record it."""
        kwargs = kwargs or {}
        query = _QUERIES.get(func)
        if query is not None:
            return query(self, *args, **kwargs)
        changed = _MOVES.get(func)
        if changed is not None:
            args, kwargs = changed(args, kwargs)
        muted, self.watch.muted = self.watch.muted, True
        before = self._found(func, args, kwargs)
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            out = self._once_more(func, args, kwargs, error, before)
        finally:
            self.watch.muted = muted
        if func is _SETITEM:
            self._record(func, args, kwargs, args[0], before)
        elif isinstance(out, Tensor) or (isinstance(out, tuple | list) and next(_tensors(out), None) is not None):
            self._record(func, args, kwargs, out, before)
        return out

    def _found(self, func: Any, args: Any, kwargs: Any) -> Spec | ConvcalcError | None:
        """What a call is, before it changes its arguments; why it is not known; None where it makes no values."""
        made = SPECS.get(func)
        if made is None:
            return NotKnown(f"no rule for {name_of(func)}")
        try:
            return made(*args, **in_torch_words(kwargs))
        except ConvcalcError as error:
            return error
        except (TypeError, ValueError, AttributeError, IndexError, StopIteration, KeyError, RuntimeError) as error:
            return NotKnown(f"called as no rule expects: {type(error).__name__}")

    def _once_more(self, func: Any, args: Any, kwargs: Any, error: Exception, found: Any) -> Any:
        """Run a call again with constants moved to meta, if it mixed devices; otherwise it is where the run ends."""
        some = list(_tensors((args, kwargs)))
        if len({tensor.device.type for tensor in some}) > 1:
            try:
                return func(*_on_meta(args), **_on_meta(kwargs))
            except Exception as again:
                error = again
        layer = found.layer if isinstance(found, Spec) else None
        read = found.inputs if isinstance(found, Spec) else some
        self.failed = Failed(
            name_of(func),
            error,
            self.stack[-1] if self.stack else None,
            self.line(),
            layer,
            tuple(self.value(tensor) for tensor in read),
            args,
            kwargs,
            func,
        )
        raise error

    # -- recording ------------------------------------------------------------------------------------------------

    def _record(self, func: Any, args: Any, kwargs: Any, out: Any, found: Spec | ConvcalcError | None) -> None:
        if found is None:  # the same values
            self._alias(args[0] if args else next(iter(kwargs.values())), out)
            return
        name = name_of(func)
        outs = [out] if isinstance(out, Tensor) else list(_tensors(out))
        if isinstance(found, ConvcalcError):
            if func in _ASKS:
                return
            self._record_opaque(name, args, kwargs, outs, str(found))
            return
        inputs = tuple(map(self.value, found.inputs))
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        layer, why = self._checked(found.layer, inputs, shapes)
        weighted = [self.value(tensor) for tensor in found.weights if self._is_computed(tensor)]
        if any(value.call.live for value in weighted):
            layer, why = None, "weights that depend on the input"
            inputs = (*inputs, *weighted)
        if layer is None:
            macs = self._macs(found.layer, inputs[: len(found.inputs)])
            layer = Opaque(name, shapes=shapes, seen=_seen(inputs), why=why, mac_count=macs)
        call = self._call(name, layer, inputs, shapes, found.weights)
        self._give(call, outs)
        if len(outs) > 1 and call.live:
            self._count_outputs(call)

    def _count_outputs(self, call: Call) -> None:
        """Keep as branches what makes a call give as many tensors as it gave."""
        read = [self.symbolic(value) for value in call.inputs]
        if call.layer is not None and not any(shape is None for shape in read):
            for value in call.layer.path(*(shape for shape in read if shape is not None)):
                if isinstance(value, Expr):
                    self.watch.branch(value, ">=", 0, outcome=True)

    def _checked(self, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...]) -> tuple[Layer | None, str]:
        """The layer, if it gives what torch gave; None where it does not, or a formula is lost, and why."""
        if self.watch.lost and self._may_hide(layer):
            return None, f"a size lost its formula: {next(reversed(self.watch.lost))}"
        seen = _seen(inputs)
        try:
            ready = layer.at(self.numbers) if layer.depends_on_sizes else layer
            given = ready.out_shapes(*seen)
        except Refused:  # torch on meta takes what it refuses on a device: the report will say so
            return layer, ""
        except ConvcalcError as error:
            return None, str(error)
        if given != shapes:
            ours, theirs = (", ".join(map(written, some)) for some in (given, shapes))
            self.disagreements.append(
                f"{layer.op} on {', '.join(map(written, seen))}: {ours} by rule, {theirs} by torch"
            )
            return None, f"torch gave {theirs}, the rule {ours}"
        return layer, ""

    def _may_hide(self, layer: Layer) -> bool:
        """Whether a plain number among the sizes of a layer may come from a size that lost its formula."""
        if self.stack and type(self.stack[-1].module).__module__.startswith("torch.nn."):
            return False
        return any(name in _SIZED and _has_number(value) for name, value in vars(layer).items())

    def _macs(self, layer: Layer, inputs: tuple[Value, ...]) -> int | None:
        try:
            return int(layer.macs(*_seen(inputs)))
        except (ConvcalcError, TypeError):
            return None

    def _record_opaque(self, name: str, args: Any, kwargs: Any, out: Any, why: str) -> None:
        outs = list(_tensors(out))
        inputs = tuple(map(self.value, _tensors((args, kwargs))))
        shapes = tuple(tuple(tensor.shape) for tensor in outs)
        if not shapes:
            return
        layer = Opaque(name, shapes=shapes, seen=_seen(inputs), why=why)
        self._give(self._call(name, layer, inputs, shapes), outs)

    def _call(
        self, name: str, layer: Layer, inputs: tuple[Value, ...], shapes: tuple[Shape, ...], weights: Sequence[Any] = ()
    ) -> Call:
        frame = self.stack[-1] if self.stack else None
        call = Call(name, frame, layer, inputs, shapes, self.line())
        call.live = any(value.call.live for value in inputs)
        if frame is not None:
            frame.calls += 1
        if weights:
            self._count(call, weights)
        self.calls.append(call)
        return call

    def _count(self, call: Call, weights: Sequence[Any]) -> None:
        fresh = []
        for tensor in weights:
            if tensor is None:
                continue
            kind, path = self.named.get(id(tensor), ("", ""))
            owner = self.owners.setdefault(id(tensor), call) if kind == "parameter" else None
            if owner is call:
                fresh.append((path, tensor))
            elif owner is not None and call.shares is None:
                call.shares = owner
        call.weights = tuple(dict(fresh).items())
        if call.weights:
            call.shares = None

    def _give(self, call: Call, outs: Sequence[Any]) -> None:
        for place, tensor in enumerate(outs):
            self._remember(tensor, Value(call, place, tensor._version))

    def _remember(self, tensor: Any, value: Value) -> None:
        self.values[id(tensor)] = value
        self.kept.append(tensor)

    def _alias(self, tensor: Any, out: Any) -> None:
        """`out` holds the same values as `tensor`."""
        if not isinstance(out, Tensor) or not isinstance(tensor, Tensor):
            return
        if id(tensor) in self.named and id(tensor) not in self.values:
            self.named.setdefault(id(out), self.named[id(tensor)])
            if id(tensor) in self.owners:
                self.owners.setdefault(id(out), self.owners[id(tensor)])
            self.kept.append(out)
            return
        value = self.value(tensor)
        self._remember(out, Value(value.call, value.place, out._version))

    def _is_computed(self, tensor: Any) -> bool:
        return tensor is not None and id(tensor) in self.values

    def value(self, tensor: Any) -> Value:
        """Return the value that a tensor holds; what no call made becomes a source."""
        known = self.values.get(id(tensor))
        if known is not None:
            if known.version == tensor._version:
                return known
            if known.call.label is None or known.call.layer is not None:
                call = self._call("written", Written("written"), (known,), (tuple(tensor.shape),))
                value = Value(call, 0, tensor._version)
                self._remember(tensor, value)
                return value
            return known
        kind, path = self.named.get(id(tensor), ("", ""))
        shape = tuple(tensor.shape)
        if kind:
            call = self._call(kind, Source(kind, shape), (), (shape,), (tensor,) if kind == "parameter" else ())
            call.label = path
            call.live = False
        else:
            why = "a tensor that no recorded call made"
            call = self._call("tensor", Opaque("tensor", shapes=(shape,), seen=(), why=why), (), (shape,))
            call.live = tensor.numel() > 1 and tensor.device.type == "meta"
        value = Value(call, 0, tensor._version)
        self._remember(tensor, value)
        return value

    # -- sizes ----------------------------------------------------------------------------------------------------

    numbers: dict[str, int]
    """What the letters are in this run."""

    def shape(self, tensor: Any) -> Any:
        """Return the shape of a tensor, of sizes that remember their formula."""
        plain = Tensor.shape.__get__(tensor)
        if id(tensor) not in self.values and id(tensor) in self.named:
            return plain
        known = self.symbolic(self.value(tensor))
        if known is None:
            return torch.Size([SizeInt(size, None, self.watch) for size in plain])
        if all(isinstance(size, int) for size in known):
            return plain
        return torch.Size(
            [
                size if isinstance(form, int) else sized(size, form, self.watch)
                for size, form in zip(plain, known, strict=True)
            ]
        )

    def symbolic(self, value: Value) -> Shape | None:
        """Return the shape of a value in letters; None where it is unknown."""
        if value.call.symbolic is None:
            last = self.calls.index(value.call, self._reading)
            for call in self.calls[self._reading : last + 1]:
                if call.symbolic is None:
                    call.symbolic = _in_letters(call)
            self._reading = last + 1
        assert value.call.symbolic is not None  # noqa: S101 -- worked out above
        return value.call.symbolic[value.place]

    # -- where ----------------------------------------------------------------------------------------------------

    def line(self) -> str | None:
        """Return the file and line of the user's code that is running, as "net.py:9"."""
        frame: FrameType | None = sys._getframe(1)
        known = self._codes
        while frame is not None:
            code = frame.f_code
            ours = known.get(code)
            if ours is None:
                name = code.co_filename
                ours = known[code] = name.startswith((_HERE, _TORCH, "<frozen"))
            if not ours:
                return f"{code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    @contextmanager
    def inside(self) -> Iterator[Recorder]:
        """Run a block under this mode."""
        with self:
            yield self


def _in_letters(call: Call) -> tuple[Shape | None, ...]:
    shapes = [value.call.symbolic[value.place] if value.call.symbolic else None for value in call.inputs]
    unknown: tuple[Shape | None, ...] = (None,) * len(call.shapes)
    if call.layer is None or any(shape is None for shape in shapes):
        return unknown
    try:
        return tuple(
            tuple(size.constant if isinstance(size, Expr) and size.is_constant else size for size in shape)
            for shape in call.layer.out_shapes(*(shape for shape in shapes if shape is not None))
        )
    except ConvcalcError:
        return unknown


def _seen(inputs: Iterable[Value]) -> tuple[Shape, ...]:
    return tuple(value.call.shapes[value.place] for value in inputs)


def _has_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_number, value))
    return isinstance(value, int) and not isinstance(value, bool) and value != -1


def _tensors(value: Any) -> Iterator[Any]:
    """Every tensor among arguments, lists and tuples in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _tensors(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _tensors(entry)


def _on_meta(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value if value.device.type == "meta" else value.to("meta")
    if isinstance(value, dict):
        return {name: _on_meta(entry) for name, entry in value.items()}
    return type(value)(map(_on_meta, value)) if type(value) in (tuple, list) else value


# -- questions about sizes ---------------------------------------------------------------------------------------


def _size(recorder: Recorder, tensor: Any, dim: Any = None) -> Any:
    shape = recorder.shape(tensor)
    return shape if dim is None else shape[dim]


def _numel(recorder: Recorder, tensor: Any) -> Any:
    total: int = 1
    for size in recorder.shape(tensor):
        total = total * size
    return total


def _len(recorder: Recorder, tensor: Any) -> Any:
    return recorder.shape(tensor)[0] if tensor.dim() else len(tensor)


def _stride(recorder: Recorder, tensor: Any, dim: Any = None) -> Any:
    strides = tensor.stride()
    if any(isinstance(size, SizeInt) for size in recorder.shape(tensor)):
        strides = tuple(SizeInt(stride, None, recorder.watch) for stride in strides)
    return strides if dim is None else strides[dim]


_QUERIES: dict[Any, Callable[..., Any]] = {
    Tensor.shape.__get__: Recorder.shape,
    Tensor.size: _size,
    Tensor.numel: _numel,
    Tensor.nelement: _numel,
    torch.numel: _numel,
    Tensor.__len__: _len,
    Tensor.stride: _stride,
}

_SETITEM = Tensor.__setitem__
SPECS.setdefault(_SETITEM, setitem)

_ASKS = frozenset({Tensor.grad.__get__, Tensor._base.__get__, Tensor.grad_fn.__get__})


def _stay(args: Any, kwargs: Any) -> Any:
    """`x.to("cuda")` while nothing is anywhere: only the type changes."""
    kwargs = {name: value for name, value in kwargs.items() if name not in ("device", "non_blocking", "copy")}
    kept = [arg for arg in args[1:] if not isinstance(arg, str | torch.device | int)]
    if not kept and not kwargs:
        kept = [args[0].dtype]
    return (args[0], *kept), kwargs


_MOVES: dict[Any, Callable[[Any, Any], Any]] = {Tensor.to: _stay}
