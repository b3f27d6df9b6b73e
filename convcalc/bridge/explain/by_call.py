"""Repairs that give a call another argument: what a line more, or another word, in `forward` would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import CHANNELS_LAST, Bench, Repair, methods
from convcalc.bridge.explain.by_module import strides
from convcalc.bridge.explain.failure import axes_of, is_surely_last
from convcalc.bridge.explain.operands import flattened
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import Concat, Linear, Stack, View
from convcalc.layers.base import product, written
from convcalc.layers.merge import Elementwise
from convcalc.layers.reduce import Pairwise

torch = need_torch()
nn, F = torch.nn, torch.nn.functional


def by_call(bench: Bench) -> Iterator[Repair]:
    """Yield what may be done to what the failing call reads."""
    failure = bench.failure
    if bench.site is None or not failure.operands:
        return
    layer, shape = failure.layer, failure.operands[0].shape
    if is_surely_last(failure):
        axis = len(shape) - (axes_of(failure.function) or 0) - 1  # of the channels: 0 without a batch
        order = (*range(axis), len(shape) - 1, *range(axis, len(shape) - 1))
        what = f"{bench.name(0)}.permute{order} before {failure.place}"
        yield Repair(what, bench.alter(0, lambda x: x.permute(order)), cause=CHANNELS_LAST)
    match layer:
        case Linear():
            yield from _to_linear(bench, layer)
        case Concat() | Elementwise() | Stack() if len(failure.operands) == 2:
            yield from _to_merge(bench)
        case View():
            yield from _to_view(bench, layer, shape)


# -- linear --------------------------------------------------------------------------------------------------------


def _to_linear(bench: Bench, layer: Linear) -> Iterator[Repair]:
    wanted = layer.in_features or 0
    call, sizes = flattened(bench.failure.values[0]) or (None, ())
    pool = _pool(sizes, wanted)
    if call is not None and pool is not None:
        change = bench.before(call, pool[1])
        if change is not None:
            yield Repair(f"{pool[0]} before {bench.name_of(call)}", change)


def _pool(sizes: Sequence[int], wanted: int) -> tuple[str, Any] | None:
    """Adaptive pooling so that channels * positions are the features wanted: the square that is, unless it enlarges."""
    channels, axes = (sizes[0], len(sizes) - 1) if sizes else (0, 0)
    if axes not in (1, 2, 3) or not channels or wanted % channels:
        return None
    side = round((wanted // channels) ** (1 / axes))
    if side < 1 or side**axes != wanted // channels or side > min(sizes[1:]):
        return None
    cls = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[axes - 1]
    return f"nn.{cls.__name__}({side})", cls(side)


# -- merges --------------------------------------------------------------------------------------------------------


def _to_merge(bench: Bench) -> Iterator[Repair]:
    shapes = [operand.shape for operand in bench.failure.operands]
    a, b = shapes
    if isinstance(bench.failure.layer, Pairwise):
        yield from _one_less(bench, shapes)
        return
    if len(a) != len(b):
        yield from _fewer_axes(bench, shapes)
        return
    if len(a) < 3:
        return
    channels = isinstance(bench.failure.layer, Elementwise) and a[1] != b[1] and 1 not in (a[1], b[1])
    computed = all(value.call.live for value in bench.failure.values)
    if channels:
        yield from _project(bench, shapes) if computed else ()
        return
    if a[0] != b[0] or a[2:] == b[2:] or (a[1] != b[1] and not isinstance(bench.failure.layer, Concat)):
        return
    if isinstance(bench.failure.layer, Elementwise):
        yield from _project(bench, shapes)
    yield from _resize(bench, shapes)


def _project(bench: Bench, shapes: Sequence[tuple[int, ...]]) -> Iterator[Repair]:
    """A 1x1 convolution on the shortcut: the operand that was made first."""
    order = sorted((0, 1), key=lambda place: bench.time_of(bench.failure.values[place].call))
    for place in order:
        mine, theirs = shapes[place], shapes[1 - place]
        stride = strides(mine[2:], theirs[2:])
        if stride is None or len(mine) - 2 not in (1, 2, 3):
            continue
        step = stride[0] if len(set(stride)) == 1 else stride
        cls = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(mine) - 3]
        more = f", stride={step}" if step != 1 else ""
        text = f"nn.{cls.__name__}({mine[1]}, {theirs[1]}, 1{more})"
        kind = bench.dtype(place)
        conv = cls(mine[1], theirs[1], 1, stride=stride, device="meta", dtype=kind)
        what = f"{text} on {bench.failure.operands[place].label} before {bench.failure.place}"
        yield Repair(what, bench.alter(place, conv))
        return


def _resize(bench: Bench, shapes: Sequence[tuple[int, ...]]) -> Iterator[Repair]:
    """The larger cut, or the smaller interpolated."""
    place = bench.failure.place
    for large, small in ((0, 1), (1, 0)):
        sizes, fewer = shapes[large][2:], shapes[small][2:]
        if all(n >= m for n, m in zip(sizes, fewer, strict=True)):
            cut = ", ".join(f":{m}" if n > m else ":" for n, m in zip(sizes, fewer, strict=True))
            index = (Ellipsis, *(slice(None, m) for m in fewer))
            yield Repair(f"{bench.name(large)}[..., {cut}] in {place}", bench.alter(large, itemgetter(index)))
            what = f"F.interpolate({bench.name(small)}, size={written(sizes)}) in {place}"
            yield Repair(what, bench.alter(small, partial(F.interpolate, size=sizes)))
            return


def _one_less(bench: Bench, shapes: Sequence[tuple[int, ...]]) -> Iterator[Repair]:
    """The axis of size 1 taken away that the other has not, as of the single output that a target does not have."""
    large = 0 if len(shapes[0]) > len(shapes[1]) else 1
    for axis, size in reversed(tuple(enumerate(shapes[large]))):
        if size == 1 and (*shapes[large][:axis], *shapes[large][axis + 1 :]) == shapes[1 - large]:
            yield bench.altered(large, f".squeeze({axis})")
            return


def _fewer_axes(bench: Bench, shapes: Sequence[tuple[int, ...]]) -> Iterator[Repair]:
    """Axes of size 1 behind a vector, as for a gate or an embedding of time; broadcast for cat."""
    small = 0 if len(shapes[0]) < len(shapes[1]) else 1
    mine, theirs = shapes[small], shapes[1 - small]
    if len(mine) != 2 or mine[0] != theirs[0] or len(theirs) < 3:
        return
    missing = len(theirs) - 2
    ends = f".expand{(-1, -1, *theirs[2:])}" if isinstance(bench.failure.layer, Concat) else ""
    what = f"{bench.name(small)}[:, :{', None' * missing}]{ends} in {bench.failure.place}"
    yield Repair(what, bench.alter(small, lambda x: methods(ends)(x.reshape(*mine, *(1,) * missing))))


# -- views ---------------------------------------------------------------------------------------------------------


def _to_view(bench: Bench, layer: View, shape: tuple[int, ...]) -> Iterator[Repair]:
    failure, name, site = bench.failure, bench.name(0), bench.site
    assert site is not None  # noqa: S101 -- a view is a call
    wanted = tuple(int(size(**failure.journal.numbers)) if callable(size) else size for size in layer.sizes)

    def to(sizes: tuple[int, ...]) -> Change:
        return Change(calls={site: lambda args, kwargs: ((args[0].contiguous(), *sizes), {})})

    have = product(shape)
    if failure.refusal is None:
        yield Repair(f"{name}.reshape{written(wanted)} in place of {failure.function}", to(wanted))
        return
    is_flat = len(wanted) == 2 and wanted[0] in (-1, shape[0])
    pool = _pool(shape[1:], wanted[1]) if is_flat else None
    if pool is not None:
        yield Repair(f"{pool[0]} before {failure.place}", bench.alter(0, pool[1]))
    if is_flat and len(shape) > 2:
        yield Repair(f"{name}.flatten(1) in place of {failure.function}{written(wanted)}", to((shape[0], -1)))
        return
    for place in reversed(range(len(wanted))) if len(wanted) != len(shape) else ():
        others = product([size for at, size in enumerate(wanted) if at != place and size != -1])
        if -1 not in (*wanted[:place], *wanted[place + 1 :]) and others and have % others == 0:
            sizes = (*wanted[:place], -1, *wanted[place + 1 :])
            if sizes != wanted:
                yield Repair(f"{name}.{failure.function}{written(sizes)}", to(sizes))


# -- branches on values --------------------------------------------------------------------------------------------


def by_value(bench: Bench) -> Iterator[Repair]:
    """Yield both ways of a branch on a tensor."""
    site, failure = bench.site, bench.failure
    if site is None or failure.function not in ("bool", "is_nonzero"):
        return
    for outcome in (True, False):
        yield Repair(f"--assume {failure.source}={str(outcome).lower()}", Change(results={site: outcome}))
