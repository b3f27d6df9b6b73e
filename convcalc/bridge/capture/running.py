"""Runs calls of a model on meta; one that a device would refuse ends the run, also where meta takes it."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls import Spec
from convcalc.bridge.calls.recurrent import one_step
from convcalc.bridge.capture.arguments import in_numbers, on_meta, tensors_among
from convcalc.bridge.capture.counted import Counter
from convcalc.bridge.capture.quick import at_once
from convcalc.bridge.capture.record import Record
from convcalc.bridge.capture.tensors import under_vmap
from convcalc.bridge.capture.trial import as_other_types, of_types, tried
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import shapes_of
from convcalc.errors import ConvcalcError
from convcalc.layers import Recurrent

torch = need_torch()
Tensor = torch.Tensor

SETITEM = Tensor.__setitem__
"""What writes into a tensor, and gives nothing."""


class Running:
    """Runs the calls of one run, which are then recorded in `record`."""

    def __init__(self, record: Record) -> None:
        self.record, self.journal = record, record.journal
        self.known = record.journal.tensors.known

    def run(self, func: Any, args: Any, kwargs: Any, found: Any, *, everywhere: bool) -> Any:
        """Return what a call gives; where it must run `everywhere`, of types that a device takes too.

        Raises what ends the run.
        """
        args, kwargs = in_numbers(args), in_numbers(kwargs)
        try:
            out = self._run(func, args, kwargs, found)
        except Exception as error:
            out = self._once_more(func, args, kwargs, error, found)
        if everywhere:
            self._try_types(func, args, kwargs, out, found)
        return out

    def script(self, module: Any, forward: Any, args: Any, kwargs: Any) -> Any:
        """Run scripted or traced code, in which no call is seen: one opaque call."""
        with torch._C.DisableTorchFunction():
            with Counter() as counter:
                out = forward(*in_numbers(args), **in_numbers(kwargs))
            name, read = str(module.original_name), list(module.parameters())
            self._try_types(None, (args, read), kwargs, out, None)
            self.journal.opaque(name, args, kwargs, out, "scripted or traced code", read, counter.macs)
        return out

    def _run(self, func: Any, args: Any, kwargs: Any, found: Any) -> Any:
        """Run a call; what is inside one that has no rule is counted."""
        if isinstance(found, Spec) and isinstance(found.layer, Recurrent) and not under_vmap():
            return one_step(func, args, kwargs, found.layer)
        if found is None or (isinstance(found, Spec) and not under_vmap()):
            out = at_once(func, args, kwargs) if isinstance(found, Spec) else None
            return func(*args, **kwargs) if out is None else out
        with Counter() as counter:
            out = func(*args, **kwargs)
        self.record.counted = counter.macs
        return out

    def _try_types(self, func: Any, args: Any, kwargs: Any, out: Any, found: Any) -> None:
        """End the run where a device refuses the types that meta takes; keep where that is not known."""
        error, untold = of_types(func, args, kwargs, out)
        if untold:
            self.journal.untold.setdefault(f"{untold}, at {self.journal.place}")
        if error is not None:
            self.record.fail(func, args, kwargs, error, found, of_types=True)
            raise error

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
                if args and isinstance(args[0], Tensor) and (out is moved[0] or func is SETITEM):
                    # a constant was written into: it has no values from now on
                    torch.autograd.graph.increment_version(args[0])
                    self.known.forget(args[0])
                    return args[0]
                return out
        by_rule = func is torch.istft and isinstance(found, Spec)
        out = self._by_rule(found) if by_rule else as_other_types(func, args, kwargs, error)
        if out is not None:
            return out
        of_types = tried(func, args, kwargs, None).raised
        self.record.fail(func, args, kwargs, of_types or error, found, of_types=of_types is not None)
        raise of_types or error

    def _by_rule(self, found: Spec) -> Any:
        """What an inverse transform gives, where torch looks at the window's values before; None if unknown."""
        layer, read = found.layer, shapes_of(map(self.journal.value, found.inputs))
        try:
            shape = (layer.at(self.journal.numbers) if layer.depends_on_sizes else layer).out_shapes(*read)[0]
        except ConvcalcError:
            return None
        real = torch.empty((), dtype=next(tensors_among(found.inputs)).dtype, device="meta").real.dtype
        return torch.empty(shape, dtype=real, device="meta")

    def fills(self, func: Any, args: Any, kwargs: Any) -> bool:
        """Whether a call sets a parameter or buffer in place, from nothing else: initialisation, counters."""
        name = getattr(func, "__name__", "")
        in_place = name.endswith("_") and not name.endswith("__")
        return in_place and next(tensors_among((args[1:], kwargs)), None) is None

    def fill(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Set a parameter or buffer in place, and its values where they are known."""
        values = self.known.of(args[0])
        out = func(*args, **kwargs)
        if values is not None:
            func(values, *args[1:], **kwargs)
            self.known.fill(args[0], values)
        return out

    def stay(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.to("cuda")`, `x.cpu()` while nothing is anywhere: only the type changes."""
        tensor = args[0]
        if func is not Tensor.to:
            return tensor
        wanted = [value for value in (*args[1:], *kwargs.values()) if isinstance(value, torch.dtype | Tensor)]
        kind = wanted[0].dtype if wanted and isinstance(wanted[0], Tensor) else next(iter(wanted), tensor.dtype)
        if kind == tensor.dtype:
            return tensor
        out = self.known.put(tensor).to(kind)
        self.journal.alias(tensor, out)
        return out
