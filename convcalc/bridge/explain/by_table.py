"""Repairs of a table that is too short: a parameter of positions with as many rows as are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.operands import ancestors
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import Source
from convcalc.layers.base import written
from convcalc.layers.merge import Elementwise

torch = need_torch()


def by_table(bench: Bench) -> Iterator[Repair]:
    """Yield a parameter or buffer of other sizes, where one that is added to something else falls short of it."""
    failure = bench.failure
    if not isinstance(failure.layer, Elementwise) or len(failure.values) != 2:
        return
    shapes = [tuple(map(int, shape)) for shape in failure.shapes]
    for place, other in ((0, 1), (1, 0)):
        mine, theirs = shapes[place], shapes[other]
        source = ancestors(failure.values[place])[-1]
        if not isinstance(source.layer, Source) or source.layer.kind not in ("parameter", "buffer") or not source.label:
            continue
        if len(mine) != len(theirs):
            continue
        have = tuple(map(int, source.shapes[0]))
        short = [axis for axis in range(1, len(mine) + 1) if mine[-axis] not in (1, theirs[-axis])]
        if not short or any(axis > len(have) or have[-axis] < mine[-axis] for axis in short):
            continue
        sizes = [*have]
        for axis in short:
            sizes[-axis] += theirs[-axis] - mine[-axis]
        if min(sizes) > 0:
            shape = tuple(sizes)
            what = f"{source.label}: a {source.layer.kind} of shape {written(shape)}"
            yield Repair(what, Change(tensors={source.label: shape}))
