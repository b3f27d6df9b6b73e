"""Calls that make values, and those that leave them as they are."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, lcm
from typing import Any

from convcalc.bridge.calls.arguments import call, each, size, sizes
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec, spec_each
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.layers import Fresh, Source
from convcalc.sizes.size import Size

# -- new values ----------------------------------------------------------------------------------------------------


def _filled(name: str) -> Any:
    def made(*args: Any, **kwargs: Any) -> Spec:
        shape = args or (kwargs["size"],)
        first = shape[0]
        if not isinstance(first, tuple | list) and any(map(is_tensor, shape)):
            raise NotKnown("a size that is a tensor")
        wanted = first if isinstance(first, tuple | list) else [value for value in shape if isinstance(value, int)]
        return Spec(Source(name, sizes(wanted)), ())

    return made


for _name in ("zeros", "ones", "empty", "rand", "randn"):
    spec(_name)(_filled(_name))


call("linspace logspace", Source, "| start end steps:sizes=100 ...", kind="linspace")
call("randperm", Source, "| n:sizes ...", kind="randperm")
call("fft.fftfreq", Source, "| n:sizes ...", kind="fftfreq")
for _name in ("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"):
    each(_name, Source, "| window_length:sizes ...", kind=_name)
call("zeros_like ones_like empty_like full_like rand_like randn_like randint_like", Fresh, "input | ...")
call("new_zeros new_ones new_empty", Fresh, "input | *size:sizes ...")
call("new_full", Fresh, "input | size:sizes ...")


@spec("full")
def full(size: Any, *args: Any, **kwargs: Any) -> Spec:
    """One value at all places."""
    return Spec(Source("full", sizes(size)), ())


@spec("arange")
def arange(*args: Any, **kwargs: Any) -> Spec:
    """Numbers from start to end: ceil((end - start)/step) of them, by fractions that floats hold exactly."""
    numbers = [*args, *(kwargs[name] for name in ("start", "end", "step") if name in kwargs)]
    fractions = [_fraction(value) for value in numbers]
    below = lcm(*(below for _, below in fractions))
    ends = [top * (below // own) for top, own in fractions]
    start, end, step = (0, ends[0], below) if len(ends) == 1 else (*ends, below)[:3]
    if not isinstance(step, int) or step == 0:
        raise NotKnown("arange with a step that depends on sizes")
    if step < 0:
        start, end, step = end, start, -step
    return Spec(Source("arange", ((end - start + step - 1) // step,)), ())


def _fraction(value: Any) -> tuple[Size, int]:
    """A number as a formula over a number."""
    if isinstance(value, SizeFloat):
        if value.top is None:
            raise NotKnown("a number without a formula")
        return value.top, value.below
    if isinstance(value, float):
        if not isfinite(value) or Fraction(value).denominator > 2**16:
            raise NotKnown(f"a number of numbers by a fraction such as {value}")
        return Fraction(value).numerator, Fraction(value).denominator
    return size(value), 1


@spec("eye")
def eye(n: Any, m: Any = None, **kwargs: Any) -> Spec:
    """The identity matrix."""
    return Spec(Source("eye", (size(n), size(n if m is None else m))), ())


@spec("randint")
def randint(*args: Any, **kwargs: Any) -> Spec:
    """Random numbers."""
    wanted = kwargs.get("size", next((value for value in args if isinstance(value, tuple | list)), None))
    if wanted is None:
        raise NotKnown("randint without a size")
    return Spec(Source("randint", sizes(wanted)), ())


@spec("tensor", "as_tensor", "scalar_tensor", "from_numpy")
def tensor(data: Any, *args: Any, **kwargs: Any) -> Spec | None:
    """Values that are written down; a tensor stays itself."""
    if is_tensor(data):
        return None
    return Spec(Source("tensor", _shape(data)), ())


def _shape(data: Any) -> tuple[int, ...]:
    """The shape of nested lists."""
    if hasattr(data, "shape"):
        return tuple(map(int, data.shape))
    if isinstance(data, tuple | list):
        return (len(data), *(_shape(data[0]) if data else ()))
    return ()


@spec("new_tensor")
def new_tensor(input: Any, data: Any, *args: Any, **kwargs: Any) -> Spec:
    """Values that are written down."""
    if is_tensor(data):
        raise NotKnown("a copy of another tensor")
    return Spec(Source("tensor", _shape(data)), ())


@spec("fft.rfftfreq")
def rfftfreq(n: Any, *args: Any, **kwargs: Any) -> Spec:
    """The frequencies of the transform of a real signal."""
    return Spec(Source("rfftfreq", (size(n) // 2 + 1,)), ())


# -- the same values -----------------------------------------------------------------------------------------------

_SAME = """
    contiguous detach clone to type type_as float double half bfloat16 int long short bool byte char cpu cuda
    requires_grad resolve_conj resolve_neg alias pin_memory share_memory lift_fresh rename refine_names dequantize
"""


def same(input: Any, *args: Any, **kwargs: Any) -> None:
    """The same values, perhaps of another type or elsewhere."""


spec_each(_SAME.split(), lambda name: same)
add([need_torch().Tensor.data.__get__], same, "data")
