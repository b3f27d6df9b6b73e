"""Repairs that give the model another input: a batch axis, channels first, inputs the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from convcalc.bridge.explain.bench import CHANNELS_LAST, Bench, Repair
from convcalc.bridge.explain.by_size import by_size, shaped
from convcalc.bridge.explain.failure import axes_of, is_last, is_surely_last, ranks_of
from convcalc.bridge.explain.operands import shape_of
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import BatchNorm, Conv, ConvTranspose, InstanceNorm, Linear
from convcalc.layers.base import written


def by_input(bench: Bench) -> Iterator[Repair]:
    """Yield other inputs at which the failing call may pass."""
    yield from _channels_first(bench)
    yield from _missing_axis(bench)
    yield from _channels(bench)
    yield from _batch(bench)
    yield from _swapped(bench)
    yield from by_size(bench)


def _given(bench: Bench) -> str | None:
    """The input that the failing call reads at once."""
    values = bench.failure.values
    return bench.inputs.get(id(values[0].call)) if values else None


def _channels_first(bench: Bench) -> Iterator[Repair]:
    name = _given(bench)
    shape = bench.failure.operands[0].shape if bench.failure.operands else ()
    if name is not None and is_last(bench.failure) and len(shape) > 2:
        cause = CHANNELS_LAST if is_surely_last(bench.failure) else ""
        yield shaped(bench, {name: (shape[0], shape[-1], *shape[1:-1])}, cause)


def _channels(bench: Bench) -> Iterator[Repair]:
    """As many channels as the first layer takes."""
    name, layer = _given(bench), bench.failure.layer
    if name is None or is_surely_last(bench.failure):
        return
    wanted = layer.in_channels if isinstance(layer, Conv | ConvTranspose) else None
    wanted = layer.num_features if isinstance(layer, BatchNorm | InstanceNorm) else wanted
    shape = bench.failure.operands[0].shape
    if wanted is not None and len(shape) > 2 and shape[1] != wanted:
        yield shaped(bench, {name: (shape[0], wanted, *shape[2:])})
    if isinstance(layer, Linear) and layer.in_features and len(shape) == 2:
        yield shaped(bench, {name: (shape[0], layer.in_features)})


def _batch(bench: Bench) -> Iterator[Repair]:
    """A batch axis in front, where an input may lack it."""
    given = {name: tuple(value.shape) for name, value in bench.first.run.inputs.items()}
    wanted = ranks_of(bench.failure)
    rank = len(bench.failure.operands[0].shape) + 1 if bench.failure.operands else 0
    windows = (call for call in bench.failure.journal.calls if call.layer is not None and call.layer.axes is not None)
    unbatched = any(call.inputs and shape_of(call.inputs[0]) in given.values() for call in windows)
    few = bench.failure.by_user and max(map(len, given.values()), default=0) < 4
    if unbatched or few or (wanted is not None and rank in wanted):
        shapes = {name: (1, *shape) for name, shape in given.items()}
        text = ", ".join(f"{name} {written(shape)}" for name, shape in shapes.items())
        cause = f"{', '.join(f'{name} {written(shape)}' for name, shape in given.items())} has no batch axis"
        yield Repair(f"a batch axis in front: {text}", shaped(bench, shapes).change, cause)


def _missing_axis(bench: Bench) -> Iterator[Repair]:
    """A spatial axis, where a batch of inputs with one too few would be read as one input without a batch."""
    first = _first_conv(bench)
    if first is None:
        return
    name, layer, axes = first
    shape = tuple(map(int, bench.first.run.inputs[name].shape))
    if len(shape) != axes + 1:
        return
    if layer.in_channels == shape[1] and axes > 1:
        missing = "depth axis" if axes == 3 else "second axis of positions"
        for size in dict.fromkeys((16, 32, shape[2])):
            repair = shaped(bench, {name: (*shape[:2], size, *shape[2:])}, f"{name} {written(shape)} has no {missing}")
            yield replace(repair, alone=True)
    elif layer.in_channels == 1 and shape[0] != 1:
        yield shaped(bench, {name: (shape[0], 1, *shape[1:])}, f"{name} {written(shape)} has no axis of channels")


def _first_conv(bench: Bench) -> tuple[str, Any, int] | None:
    """The first convolution that reads an input at once, the failing one too: that input, it, and its axes."""
    failure, inputs = bench.failure, bench.inputs
    calls = [(call.layer, call.inputs, call.function) for call in failure.journal.calls]
    for layer, values, function in (*calls, (failure.layer, failure.values, failure.function)):
        name, axes = inputs.get(id(values[0].call)) if values else None, axes_of(function)
        if name is not None and isinstance(layer, Conv | ConvTranspose) and axes is not None:
            return name, layer, axes
    return None


def by_batch(bench: Bench) -> Iterator[Repair]:
    """Yield larger batches: for what takes statistics of a batch, or compares the samples of a group."""
    given = {name: tuple(value.shape) for name, value in bench.first.run.inputs.items()}
    batches = {shape[0] for shape in given.values() if shape}
    if len(batches) != 1 or any(len(shape) < 2 for shape in given.values()):
        return
    (now,) = batches
    for batch in (2, 4, 8, 16):
        if batch > now:
            repair = shaped(bench, {name: (batch, *shape[1:]) for name, shape in given.items()}, f"the batch is {now}")
            yield replace(repair, command=f"--batch {batch}")


def _swapped(bench: Bench) -> Iterator[Repair]:
    """Two inputs the other way round."""
    given = bench.first.run.inputs
    for a, b in list(pairwise(given))[:2]:
        if given[a].shape != given[b].shape:

            def inputs(some: dict[str, Any], a: str = a, b: str = b) -> dict[str, Any]:
                return {**some, a: some[b], b: some[a]}

            shapes = f"{a} {written(tuple(given[b].shape))}, {b} {written(tuple(given[a].shape))}"
            cause = f"{a} and {b} may be the wrong way round"
            yield Repair(f"the inputs the other way round: {shapes}", Change(inputs=inputs), cause)
