"""Repairs of what is often forgotten, each told from one call: an entry of a tuple, an axis, a row of a table."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.failure import ranks_of
from convcalc.bridge.explain.operands import ancestors, maker_of, shape_of
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import Conv, Linear, Source
from convcalc.layers.base import written

torch = need_torch()


def by_idiom(bench: Bench) -> Iterator[Repair]:
    """Yield what mends a fault that has one usual cause."""
    yield from _first_of_tuple(bench)
    if bench.site is None:
        return
    yield from _without_axis(bench)
    yield from _rows(bench)
    yield from _pooled_axes(bench)
    yield from _same_matrix(bench)
    yield from _weight(bench)


def _first_of_tuple(bench: Bench) -> Iterator[Repair]:
    """What a recurrent layer or attention gives beside its output is left out."""
    args, path = bench.failure.args, bench.failure.path
    if not path or not args or type(args[0]) is not tuple or not args[0] or not isinstance(args[0][0], torch.Tensor):
        return
    value = bench.failure.journal.tensors.at(args[0][0])
    if value is not None:
        name = bench.name_of(value.call).partition(":")[0]
        cause = f"{name} gives a tuple, of which its output is the first"
        yield Repair(f"{name}[0] before {bench.failure.place}", Change(feeds={path: itemgetter(0)}), cause, alone=True)


def _without_axis(bench: Bench) -> Iterator[Repair]:
    """An axis of size 1 too many is taken away."""
    ranks = ranks_of(bench.failure)
    shape = bench.failure.shapes[0] if bench.failure.shapes else ()
    if ranks is None or len(shape) != max(ranks) + 1:
        return
    for axis, size in enumerate(shape):
        if size == 1 and axis > 0:
            yield bench.fed(f".squeeze({axis})")


def _rows(bench: Bench) -> Iterator[Repair]:
    """A table of as many rows as the indices ask for, where these have values."""
    failure = bench.failure
    index = next(iter(tensors_among(failure.args)), None)
    if failure.function != "embedding" or index is None or index.device.type == "meta" or not index.numel():
        return
    least, table = int(index.max()) + 1, failure.module
    if type(table) is not torch.nn.Embedding or least <= table.num_embeddings:
        return
    more = "" if table.padding_idx is None else f", padding_idx={table.padding_idx}"

    def build() -> Any:
        kind = table.weight.dtype
        return torch.nn.Embedding(least, table.embedding_dim, table.padding_idx, device="meta", dtype=kind)

    cause = f"row {least - 1} is asked for, and {failure.path} has {table.num_embeddings} rows, from 0 on"
    what = f"{failure.path}: nn.Embedding({least}, {table.embedding_dim}{more})"
    yield Repair(what, Change(modules={failure.path: build}), cause, alone=True)


def _pooled_axes(bench: Bench) -> Iterator[Repair]:
    """A mean over the spatial axes, where one over others leaves as many features as there are channels no more."""
    layer, failure = bench.failure.layer, bench.failure
    if not isinstance(layer, Linear) or not failure.values:
        return
    call = maker_of(failure.values[0])
    before = tuple(map(int, shape_of(call.inputs[0]))) if call.inputs else ()
    site = bench.site_of(call)
    if (
        call.function not in ("mean", "amax", "sum")
        or site is None
        or len(before) < 3
        or before[1] != layer.in_features
    ):
        return
    axes = tuple(range(2, len(before)))

    def mended(args: Any, kwargs: Any) -> Any:
        return args[:1], {name: value for name, value in kwargs.items() if name == "keepdim"} | {"dim": axes}

    what = f"{bench.name_of(call.inputs[0].call)}.{call.function}({written(axes)}) in place of {bench.name_of(call)}"
    cause = f"{layer.in_features} are the channels of {written(before)}, which are on axis 1"
    yield Repair(what, Change(calls={site: mended}), cause, alone=True)


def _same_matrix(bench: Bench) -> Iterator[Repair]:
    """`bmm` wants a matrix for each sample; one for all is a matter of `matmul`."""
    failure = bench.failure
    some = list(tensors_among(failure.args))
    if failure.function != "bmm" or len(some) != 2 or {one.dim() for one in some} != {2, 3} or not failure.operands:
        return
    small = 0 if some[0].dim() == 2 else 1
    many = some[1 - small].shape[0]
    names = ", ".join(operand.name for operand in failure.operands)
    what = f"torch.matmul({names}) in place of {failure.place}"
    yield Repair(what, bench.alter(small, lambda x: x.expand(many, *x.shape)))


def _weight(bench: Bench) -> Iterator[Repair]:
    """A weight that is a parameter of the user's own, as of `F.conv2d`, for the channels that come in."""
    failure = bench.failure
    own = failure.module is None or not type(failure.module).__module__.startswith("torch.nn.modules")
    if not isinstance(failure.layer, Conv) or not own or not failure.shapes or failure.layer.groups != 1:
        return
    weight = list(tensors_among((failure.args, failure.kwargs)))[1:2]
    value = failure.journal.tensors.at(weight[0]) if weight else None
    kind, path = failure.journal.tensors.kind(weight[0]) if weight else ("", "")
    if value is not None and not path:
        source = ancestors(value)[-1]
        kind, path = (source.layer.kind, source.label) if isinstance(source.layer, Source) else ("", "")
    axes = weight[0].dim() - 2 if weight else 0
    shape = failure.shapes[0]
    if kind != "parameter" or not path or len(shape) < axes + 1:
        return
    wanted = (int(weight[0].shape[0]), int(shape[-axes - 1]), *map(int, weight[0].shape[2:]))
    what = f"{path}: a parameter of shape {written(wanted)}"
    yield Repair(what, Change(tensors={path: wanted}))
