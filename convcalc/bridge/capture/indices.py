"""The values of index tensors that are made from sizes: from where to where they point, as formulas.

`arange(n)`, shifted, turned, added across axes (`arange(n)[:, None] - arange(n)`), cut and reversed, is a number and a
step for each axis; what keeps the order of its values (`// 4`, `clamp`) keeps its ends. Of all else nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.bridge.capture.laid import Symbolic
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Value
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.sizefloat import SizeFloat
from convcalc.layers import Permute, Shape
from convcalc.layers.indexing import Ends
from convcalc.sizes.signs import least_of, most_of, sign_everywhere
from convcalc.sizes.size import Size

torch = need_torch()


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

    def __init__(self, symbolic: Symbolic) -> None:
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
        by = formula(args[1]) if len(args) == 2 else None
        before = [self.symbolic(value) for value in inputs]
        match name, list(known):
            case "arange", _:
                return _counted(args)
            case "zeros" | "zeros_like", _:
                return Steps(0, (0,) * len(shape))
            case _, some if not some or None in some:
                return None
            case "rsub", [one, *_] if by is not None:
                return _scaled(one, -1, by)
            case "add" | "radd" | "sub", [_, _] if len(args) == 2:
                return _together(known, before, -1 if name == "sub" else 1, shape)
            case "add" | "radd" | "sub", [one] if by is not None:
                return _scaled(one, 1, -by if name == "sub" else by)
            case "mul" | "rmul", [one] if by is not None:
                return _scaled(one, by)
            case "neg", [one]:
                return _scaled(one, -1)
            case "floordiv" | "floor_divide", [_]:
                ends = self._ends(inputs[0])
                return (ends[0] // by, ends[1] // by) if ends and isinstance(by, int) and by > 0 else None
            case "mod" | "remainder", [one]:
                return _remainders(one, self._ends(inputs[0]), by)
            case "clamp" | "clip", [_]:
                return _clamped(self._ends(inputs[0]), args)
            case _, [Steps() as one] if (moved := _moved(name, args, layer, one, before[0] or (), shape)) is not None:
                return moved
            case _, [_] if name in _SAME:
                return self._ends(inputs[0])
        return None


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
    one, other = (_spread(some, old, shape) for some, old in zip(known, before, strict=True))
    if one is None or other is None:
        return None
    return Steps(one.first + sign * other.first, tuple(map(lambda a, b: a + sign * b, one.steps, other.steps)))


def _spread(one: Any, old: Shape | None, shape: Shape) -> Steps | None:
    """A tensor that is broadcast to another shape."""
    if not isinstance(one, Steps) or old is None or len(old) > len(shape):
        return None
    more = len(shape) - len(old)
    if any(a != 1 and a != b for a, b in zip(old, shape[more:], strict=True)):
        return None
    steps = (0 if size == 1 else step for size, step in zip(old, one.steps, strict=True))
    return Steps(one.first, (0,) * more + tuple(steps))


def _scaled(one: Steps | Ends, factor: Size, more: Size = 0) -> Steps | Ends | None:
    """Values times `factor`, and `more`."""
    if isinstance(one, Steps):
        return Steps(one.first * factor + more, tuple(step * factor for step in one.steps))
    if not isinstance(factor, int):
        return None
    low, high = one if factor >= 0 else one[::-1]
    return low * factor + more, high * factor + more


def _remainders(one: Steps | Ends, ends: Ends | None, below: Size | None) -> Ends | None:
    """The remainders of 0, 1, 2, ..., of which none is left out."""
    if not isinstance(one, Steps) or ends is None or not isinstance(below, int) or below < 1 or one.first != 0:
        return None
    steps = [step for step in one.steps if step != 0]
    return (0, least_of(ends[1], below - 1)) if steps == [1] else None


def _clamped(ends: Ends | None, args: Sequence[Any]) -> Ends | None:
    for bound, bounded in zip(args[1:], (most_of, least_of), strict=False):
        at = formula(bound)
        if ends is None or (at is None and bound is not None):
            return None
        if at is not None:
            ends = bounded(ends[0], at), bounded(ends[1], at)
    return ends


def _moved(name: str, args: Sequence[Any], layer: Any, one: Steps, old: Shape, shape: Shape) -> Steps | None:
    """The same values, or some of them, on other axes."""
    if isinstance(layer, Permute):
        return Steps(one.first, tuple(one.steps[dim] for dim in layer.dims))
    if name == "expand":
        return _spread(one, old, shape)
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
