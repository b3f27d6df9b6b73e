"""Whether torch takes the types of a call: on `meta` it computes shapes, and lets pass what no kernel takes.

A call is made once more, on small tensors of the CPU; what was found holds for all calls of the same types and
settings, whatever their sizes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch.utils._python_dispatch import _disable_current_modes

from convcalc.bridge.capture.arguments import mapped, tensors_among
from convcalc.bridge.device import need_torch

torch = need_torch()
Tensor = torch.Tensor

WHOLE = 2**12
"""Calls on at most as many values are tried as they are, for their types; others on fewer values."""

MOST = 2**20
"""Calls on more values than this are tried on fewer alone."""

_SMALL = 8
"""What sizes are at most in a trial of big tensors, where the call lets them."""

_REDUCED = frozenset({torch.float16, torch.bfloat16})
"""Types that some devices compute with and others do not."""

_OF_TYPES = re.compile(
    r"not implemented for|not supported for|dtype|data ?type|scalar type|tensor of type|same type|bool tensor|overflow"
    r"|torch\.[a-z]+\d"
)
"""How torch says that types are what it refuses."""

_HELD = (1, 2, 128, 256, 2**15, 65505, 2**31, 2**63, 3.5e38)
"""The least numbers that types do not hold."""

_CASTING = ("cpu", "cuda", "mps", "xpu")
"""Where autocast makes types alike, which it does not on meta."""

_NAMES_TYPES = re.compile(r"\b(types?|bool(ean)?|complex|float(ing)?|int(eger)?|long|byte)\b", re.IGNORECASE)
"""How it may say so, and other things."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: the error that torch raises, or the types that come out; nothing where not `known`."""

    known: bool = True
    error: tuple[type[Exception], str] | None = None
    gives: tuple[Any, ...] = ()

    @property
    def raised(self) -> Exception | None:
        """The error, to be raised."""
        return None if self.error is None else self.error[0](self.error[1])


NOT_KNOWN = Outcome(known=False)


def tried(func: Any, args: Any, kwargs: Any, out: Any) -> Outcome:
    """Return whether torch makes a call, that gave `out` on meta, on values of these types.

    >>> whole, weight = (torch.empty(2, 2, dtype=kind, device="meta") for kind in (torch.int64, torch.float32))
    >>> for x in whole, weight:
    ...     print(tried(torch.matmul, (x, weight), {}, weight).raised)
    expected m1 and m2 to have the same dtype, but got: long int != float
    None
    """
    try:
        cast = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None
        key = (func, _sort(args), _sort(kwargs), torch.get_default_dtype(), cast)
    except TypeError:  # neither tensors nor settings, such as a function
        return NOT_KNOWN
    known = _TRIED.get(key)
    if known is None:
        with _disable_current_modes(), torch._C.DisableTorchFunction():
            state = torch.random.get_rng_state()
            try:
                known = _TRIED[key] = _of_all_sizes((func, args, kwargs), out)
            finally:
                torch.random.set_rng_state(state)
    return known


def of_types(func: Any, args: Any, kwargs: Any, out: Any) -> tuple[Exception | None, str]:
    """Return what a device raises for the types of a call that passed on meta, and what is not known of that.

    Where `func` is None, it is code that cannot be made alone, as scripted code.

    >>> mask = torch.empty(1, 3, 8, dtype=torch.bool, device="meta")
    >>> of_types(torch.rsub, (mask, 1), {}, mask)[0].__class__.__name__
    'RuntimeError'
    """
    some = list(tensors_among((args, kwargs)))
    if all(tensor.device.type != "meta" for tensor in some):
        return None, ""
    found = NOT_KNOWN if func is None else tried(func, args, kwargs, out)
    if found.error is not None and not any(map(torch.is_autocast_enabled, _CASTING)):
        return found.raised, ""
    kinds = {tensor.dtype for tensor in some}
    if found.error is None and (found.known or _are_usual(kinds)):
        return None, ""
    what = "scripted code" if func is None else getattr(func, "__name__", func)
    types = " and ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
    return None, f"whether {what} takes {types} depends on the device"


def as_other_types(func: Any, args: Any, kwargs: Any, error: Exception) -> Any:
    """Return what a call gives whose types meta refused with `error` and a device takes; None of any other.

    The shape is that of other types.

    >>> mask = torch.empty(2, 3, dtype=torch.bool, device="meta")
    >>> as_other_types(torch.bitwise_left_shift, (mask, 1), {}, TypeError("an integral dtype")).dtype
    torch.int64
    """
    name = getattr(func, "__name__", "_")
    writes = name.startswith("__i") if name.endswith("__") else name.endswith("_")
    said = _OF_TYPES.search(str(error)) or _NAMES_TYPES.search(str(error))
    if writes or not said or isinstance(error, NotImplementedError):
        return None
    found = tried(func, args, kwargs, None)
    if not found.known or found.error is not None:
        return None
    for kind in _OTHERS:
        try:
            some, named = (_made(part, _same, kind, "meta", torch.zeros) for part in (args, kwargs))
            out = func(*some, **named)
        except Exception:  # noqa: S112 -- nor are these taken
            continue
        if isinstance(out, Tensor):
            return out.to(found.gives[0])
    return None


def _are_usual(kinds: set[Any]) -> bool:
    """Whether these are floats of one full type, and indices beside them: what every kernel is written for."""
    floats = kinds - {torch.int64}
    return len(floats) == 1 and floats <= {torch.float32, torch.float64}


_Fill = Callable[..., Any]

_TRIED: dict[Any, Outcome] = {}


def _sort(value: Any) -> Any:
    """All that the types taken may depend on, as a key."""
    match value:
        case Tensor():
            plain = type(value) in (Tensor, torch.nn.Parameter) and value.layout is torch.strided
            if not plain or value.is_quantized:
                raise TypeError
            return value.dtype, value.dim(), value.numel() == 0
        case bool() | str() | None:
            return value
        case int() | float():  # as much as types hold, if they are small
            return type(value), value < 0, bisect_right(_HELD, abs(value)), value != value
        case complex():
            return complex
        case tuple() | list():
            return tuple(map(_sort, value))
        case dict():
            return tuple((name, _sort(entry)) for name, entry in value.items())
        case slice():
            return slice, _sort(value.start), _sort(value.stop), _sort(value.step)
        case torch.dtype() | torch.device() | torch.layout() | torch.memory_format():
            return value
    if value is Ellipsis:
        return value
    raise TypeError


_Call = tuple[Any, Any, Any]
"""A function, and its arguments."""


def _outcome(call: _Call, size: Callable[[int], int], kind: Callable[[Any], Any], device: str = "cpu") -> Outcome:
    """What becomes of a call with other sizes and types; the best for some values."""
    error = None
    for filled in (torch.zeros, torch.ones, _unit):
        args, kwargs = (_made(part, size, kind, device, filled) for part in call[1:])
        try:
            out = call[0](*args, **kwargs)
        except Exception as raised:
            error = error or (type(raised), str(raised))
        else:
            return Outcome(gives=tuple(tensor.dtype for tensor in tensors_among(out)))
    return Outcome(error=error)


def _of_all_sizes(call: _Call, out: Any) -> Outcome:
    many = sum(tensor.numel() for tensor in tensors_among((call, out)))
    for size in _sizes(many):
        found = _outcome(call, size, _same)
        if found.error is None:
            return found
        if _is_of_types(call, size, found.error[1]):
            another = "overflow" not in found.error[1] and _lacks_reduced(call, size)  # device may have it
            return NOT_KNOWN if another else found
    return NOT_KNOWN


def _sizes(many: int) -> Iterator[Callable[[int], int]]:
    """Ways to make sizes small, of which one fits the call: equal ones stay equal, and at best multiples multiples."""
    if many <= WHOLE:
        yield lambda size: size
    yield lambda size: min(size, _SMALL)
    for parts in (64, 16, 4):
        yield lambda size, parts=parts: size if size <= 2 * _SMALL else _SMALL if size % parts else size // parts  # type: ignore[misc]
    if WHOLE < many <= MOST:
        yield lambda size: size


def _is_of_types(call: _Call, size: Callable[[int], int], said: str) -> bool:
    """Whether an error is about types: torch says so, or the same call passes with others."""
    if _OF_TYPES.search(said):
        return True
    if not _NAMES_TYPES.search(said) and _outcome(call, size, _same, "meta").error is not None:
        return False
    return any(_outcome(call, size, kind).error is None for kind in _OTHERS)


def _unit(shape: tuple[int, ...], **kwargs: Any) -> Any:
    """Matrices that have an inverse."""
    out = torch.zeros(shape, **kwargs)
    if len(shape) > 1:
        out.diagonal(dim1=-2, dim2=-1).fill_(1)
    return out


def _same(kind: Any) -> Any:
    return kind


_OTHERS: tuple[Callable[[Any], Any], ...] = (
    lambda kind: torch.float32,
    lambda kind: torch.int64,
    lambda kind: torch.float32 if kind.is_floating_point or kind.is_complex else torch.int64,
    lambda kind: kind if kind is torch.bool else torch.float32,
    lambda kind: torch.bool,
    lambda kind: torch.complex64,
)


def _lacks_reduced(call: _Call, size: Callable[[int], int]) -> bool:
    """Whether a call passes with a full type for each reduced one, different ones where these are."""
    kinds = {tensor.dtype for tensor in tensors_among(call)}
    full = iter([kind for kind in (torch.float32, torch.float64) if kind not in kinds])
    instead = {kind: next(full, torch.float32) for kind in kinds & _REDUCED}
    return bool(instead) and _outcome(call, size, lambda kind: instead.get(kind, kind)).error is None


def _made(value: Any, size: Callable[[int], int], kind: Callable[[Any], Any], device: str, filled: _Fill) -> Any:
    """Arguments on a device, with other sizes and types: constants as they are, where nothing is other."""

    def made(one: Any) -> Any:
        match one:
            case Tensor():
                wanted, shape = kind(one.dtype), tuple(map(size, one.shape))
                if one.device.type == device == "cpu" and shape == tuple(one.shape) and one.numel() <= WHOLE:
                    return one.detach().to(wanted, copy=True)
                return filled(shape, dtype=wanted, device=device)
            case bool():
                return one
            case int():
                return size(one) if one > 0 else one
            case slice():
                return slice(*map(made, (one.start, one.stop, one.step)))
            case torch.device():
                return torch.device(device)
        return one

    return mapped(value, made)
