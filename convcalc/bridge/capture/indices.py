"""The values of index tensors that are made from sizes: from where to where they point, as formulas.

`arange(n)`, shifted, turned, added across axes (`arange(n)[:, None] - arange(n)`), cut and reversed, is a number and a
step for each axis; what keeps the order of its values (`// 4`, `clamp`) keeps its ends. Of all else nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Value
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.layers import Permute, Shape
from convcalc.sizes.signs import least_of, most_of, sign_everywhere
from convcalc.sizes.size import Size

torch = need_torch()

Ends = tuple[Size, Size]
"""The least value and the largest."""


@dataclass(frozen=True)
class Steps:
    """Values `first` + the sum of place * step over the axes."""

    first: Size
    steps: tuple[Size, ...]

    def ends(self, shape: Shape) -> Ends | None:
        """Return the ends, where the tensor has this shape; None where the sign of a step is open."""
        low = high = self.first
        for step, size in zip(self.steps, shape, strict=True):
            sign = (step > 0) - (step < 0) if isinstance(step, int) else sign_everywhere(step)
            if sign is None:
                return None
            if sign > 0:
                high = high + step * (size - 1)
            elif sign < 0:
                low = low + step * (size - 1)
        return low, high


class Indices:
    """What is known of the values of tensors of one run."""

    def __init__(self, symbolic: Callable[[Value], Shape | None]) -> None:
        self.symbolic = symbolic
        self._known: dict[tuple[int, int], Steps | Ends] = {}

    def ends(self, tensor: Any, value: Value) -> Ends | None:
        """Return from where to where the values of a tensor go, which does not depend on the network's input."""
        if not value.call.sized and tensor.device.type != "meta" and tensor.numel():
            return None if tensor.is_floating_point() else (int(tensor.min()), int(tensor.max()))
        return self._ends(value)

    def _ends(self, value: Value) -> Ends | None:
        known, shape = self._known.get((id(value.call), value.place)), self.symbolic(value)
        if isinstance(known, Steps):
            return None if shape is None else known.ends(shape)
        return known

    def note(
        self, name: str, args: Sequence[Any], kwargs: Any, layer: Any, inputs: Sequence[Value], out: Value
    ) -> None:
        """Keep what is known of the values that a call gave."""
        shape = self.symbolic(out)
        if shape is None or kwargs.keys() - {"device", "dtype"}:
            return
        known = [self._known.get((id(value.call), value.place)) for value in inputs]
        tensors = [one for one in args if isinstance(one, torch.Tensor)]
        if len(tensors) == len(inputs):
            pairs = zip(known, tensors, inputs, strict=True)
            known = [_steps_of(tensor, value) if one is None else one for one, tensor, value in pairs]
        found = self._found(name, args, layer, inputs, known, shape)
        if found is not None:
            self._known[id(out.call), out.place] = found

    def _found(
        self, name: str, args: Sequence[Any], layer: Any, inputs: Sequence[Value], known: Sequence[Any], shape: Shape
    ) -> Steps | Ends | None:
        if name == "arange":
            return _counted(args)
        if name in ("zeros", "zeros_like"):
            return Steps(0, (0,) * len(shape))
        if not known or any(one is None for one in known):
            return None
        before = [self.symbolic(value) for value in inputs]
        if name == "rsub" and len(args) == 2:
            return _shifted(_times(known[0], -1), formula(args[1]), 1)
        if name in ("add", "radd", "sub") and len(args) == 2:
            sign = -1 if name == "sub" else 1
            if len(known) == 2:
                return _together(known, before, sign, shape)
            return _shifted(known[0], formula(args[1]), sign) if args[0] is not args[1] else None
        if len(known) > 1:
            return None
        (one,), (old,) = known, before
        if name in ("mul", "rmul") and len(args) == 2:
            return _times(one, formula(args[1]))
        if name == "neg":
            return _times(one, -1)
        ends = self._ends(inputs[0])
        if name in ("floordiv", "floor_divide") and len(args) == 2:
            below = formula(args[1])
            return (ends[0] // below, ends[1] // below) if ends and isinstance(below, int) and below > 0 else None
        if name in ("mod", "remainder") and len(args) == 2:
            return _remainders(one, ends, formula(args[1]))
        if name in ("clamp", "clip"):
            return _clamped(ends, args)
        if isinstance(one, Steps):
            moved = _moved(name, args, layer, one, old or (), shape)
            if moved is not None:
                return moved
        return ends if name in _SAME else None


_SAME = frozenset({"view", "reshape", "flatten", "permute", "transpose", "t", "flip", "repeat", "expand", "tile"})
"""What keeps the values, if not their places."""


def _steps_of(tensor: Any, value: Value) -> Steps | None:
    """Those of a tensor whose values are known and do not depend on sizes, as a buffer of positions."""
    if value.call.live or value.call.sized or tensor.device.type == "meta" or tensor.is_floating_point():
        return None
    if not tensor.numel() or tensor.is_complex() or tensor.dtype == torch.bool:
        return None
    with torch._C.DisableTorchFunction():
        first, grid = tensor[(0,) * tensor.dim()], torch.zeros_like(tensor)
        steps = []
        for axis, size in enumerate(tensor.shape):
            along = tensor.select(axis, min(1, size - 1))[(0,) * (tensor.dim() - 1)] - first
            steps.append(int(along))
            places = torch.arange(size).reshape(-1, *(1,) * (tensor.dim() - 1 - axis))
            grid = grid + along * places
        return Steps(int(first), tuple(steps)) if torch.equal(grid + first, tensor) else None


def _counted(args: Sequence[Any]) -> Steps | None:
    """`arange(end)`, `arange(start, end, step)`."""
    numbers = [None if isinstance(value, float | SizeFloat) else formula(value) for value in args]
    if not numbers or None in numbers:
        return None
    first = 0 if len(numbers) == 1 else numbers[0]
    step = numbers[2] if len(numbers) > 2 else 1
    return Steps(first, (step,)) if isinstance(step, int) else None


def _together(known: Sequence[Any], before: Sequence[Shape | None], sign: int, shape: Shape) -> Steps | None:
    """The sum or difference of two, axis by axis; one that is repeated along an axis has no step there."""
    wide = []
    for one, old in zip(known, before, strict=True):
        steps = _spread(one, old, shape)
        if steps is None:
            return None
        wide.append(steps)
    (a, ours), (b, theirs) = ((one.first, steps) for one, steps in zip(known, wide, strict=True))
    return Steps(a + sign * b, tuple(x + sign * y for x, y in zip(ours, theirs, strict=True)))


def _spread(one: Any, old: Shape | None, shape: Shape) -> tuple[Size, ...] | None:
    """The steps of a tensor that is broadcast to another shape."""
    if not isinstance(one, Steps) or old is None or len(old) > len(shape):
        return None
    more = len(shape) - len(old)
    if any(a != 1 and a != b for a, b in zip(old, shape[more:], strict=True)):
        return None
    return (0,) * more + tuple(0 if size == 1 else step for size, step in zip(old, one.steps, strict=True))


def _shifted(one: Steps | Ends | None, by: Size | None, sign: int) -> Steps | Ends | None:
    if by is None or one is None:
        return None
    if isinstance(one, Steps):
        return Steps(one.first + sign * by, one.steps)
    return one[0] + sign * by, one[1] + sign * by


def _times(one: Steps | Ends, factor: Size | None) -> Steps | Ends | None:
    if factor is None:
        return None
    if isinstance(one, Steps):
        return Steps(one.first * factor, tuple(step * factor for step in one.steps))
    if not isinstance(factor, int):
        return None
    low, high = (end * factor for end in one)
    return (low, high) if factor >= 0 else (high, low)


def _remainders(one: Steps | Ends, ends: Ends | None, below: Size | None) -> Ends | None:
    """The remainders of 0, 1, 2, ..., of which none is left out."""
    if not isinstance(one, Steps) or ends is None or not isinstance(below, int) or below < 1 or one.first != 0:
        return None
    steps = [step for step in one.steps if step != 0]
    return (0, least_of(ends[1], below - 1)) if steps == [1] else None


def _clamped(ends: Ends | None, args: Sequence[Any]) -> Ends | None:
    if ends is None:
        return None
    bounds = [None if value is None else formula(value) for value in args[1:]]
    if any(bound is None and value is not None for bound, value in zip(bounds, args[1:], strict=True)):
        return None
    low, high = ends
    if bounds and bounds[0] is not None:
        low, high = most_of(low, bounds[0]), most_of(high, bounds[0])
    if len(bounds) > 1 and bounds[1] is not None:
        low, high = least_of(low, bounds[1]), least_of(high, bounds[1])
    return low, high


def _moved(name: str, args: Sequence[Any], layer: Any, one: Steps, old: Shape, shape: Shape) -> Steps | None:
    """The same values, or some of them, on other axes."""
    if isinstance(layer, Permute):
        return Steps(one.first, tuple(one.steps[dim] for dim in layer.dims))
    if name == "expand":
        steps = _spread(one, old, shape)
        return None if steps is None else Steps(one.first, steps)
    if name == "getitem":
        return _cut(args[1], one, shape)
    if name in ("unsqueeze", "view", "reshape", "squeeze"):
        kept = [(size, step) for size, step in zip(old, one.steps, strict=True) if size != 1]
        if [size for size, _ in kept] == [size for size in shape if size != 1]:
            left = iter([step for _, step in kept])
            return Steps(one.first, tuple(0 if size == 1 else next(left) for size in shape))
    return None


def _cut(items: Any, one: Steps, shape: Shape) -> Steps | None:
    """Slices from a place that is counted from the start on, single places, new axes."""
    items = items if isinstance(items, tuple) else (items,)
    if any(item is Ellipsis for item in items):
        place = next(place for place, item in enumerate(items) if item is Ellipsis)
        named = sum(item is not None and item is not Ellipsis for item in items)
        items = (*items[:place], *[slice(None)] * (len(one.steps) - named), *items[place + 1 :])
    rest = list(one.steps)
    first, steps = one.first, list[Size]()
    for item in items:
        if item is None:
            steps.append(0)
            continue
        step = rest.pop(0)
        start = item.start if isinstance(item, slice) else item
        start = 0 if start is None else start
        if not isinstance(start, int) or start < 0 or formula(start) is None:
            return None
        first = first + step * formula(start)
        if isinstance(item, slice):
            steps.append(step * (1 if item.step is None else int(item.step)))
    found = (*steps, *rest)
    return Steps(first, found) if len(found) == len(shape) else None
