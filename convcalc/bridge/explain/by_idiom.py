"""Repairs of what is often forgotten, each told from one call: an entry of a tuple, a row of a table, an axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.by_module import by_weight, with_settings
from convcalc.bridge.explain.failure import is_last, ranks_of
from convcalc.bridge.explain.operands import ancestors, maker_of, shape_of
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import (
    Conv,
    ConvTranspose,
    Flatten,
    LayerNorm,
    Linear,
    Matmul,
    MultiheadAttention,
    Recurrent,
    View,
)
from convcalc.layers.base import product, written

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
    yield from by_weight(bench)


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
    cause = f"row {least - 1} is asked for, and {failure.path} has {table.num_embeddings} rows, from 0 on"
    for repair in with_settings(failure.path, table, num_embeddings=least):
        yield replace(repair, cause=cause, alone=True)


def _pooled_axes(bench: Bench) -> Iterator[Repair]:
    """A mean over the spatial axes, where one over others leaves as many features as there are channels no more."""
    layer, failure = bench.failure.layer, bench.failure
    if not isinstance(layer, Linear) or not failure.values:
        return
    call = maker_of(failure.values[0])
    before = tuple(map(int, shape_of(call.inputs[0]))) if call.inputs else ()
    site, pools = bench.site_of(call), call.function in ("mean", "amax", "sum")
    if not pools or site is None or len(before) < 3 or before[1] != layer.in_features:
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


# -- the numbers wanted are there, on other axes -----------------------------------------------------------------


def by_axis(bench: Bench) -> Iterator[Repair]:
    """Yield what puts the axes of the first operand where the failing call wants them."""
    if bench.site is None and bench.failure.path == "":
        return
    failure = bench.failure
    shape = tuple(map(int, failure.shapes[0])) if failure.shapes else ()
    yield from _samples_whole(bench)
    match failure.layer:
        case Linear() if failure.layer.in_features and len(shape) > 2:
            yield from _to_features(bench, shape, failure.layer.in_features)
        case Conv() | ConvTranspose() if len(shape) == 3 and is_last(failure):
            yield bench.fed(".transpose(1, 2)")
        case Matmul() if len(failure.shapes) == 2 and len(failure.shapes[1]) > 1:
            for operand in (1, 0) if len(shape) > 1 else (1,):  # the second, as of queries and keys, first
                yield bench.altered(operand, ".transpose(-2, -1)")
        case LayerNorm() if len(failure.layer.sizes) == 1 and isinstance(failure.layer.sizes[0], int):
            yield from _moved(bench, shape, failure.layer.sizes[0])
        case MultiheadAttention():
            yield from _to_tokens(bench)
        case Recurrent() if shape and failure.layer.input_size not in (None, shape[-1]):
            yield from _to_steps(bench, shape, failure.layer.input_size, failure.layer.batch_first)


def _samples_whole(bench: Bench) -> Iterator[Repair]:
    """Samples kept whole, where a flatten or a view cuts or joins them and one has the values that are asked for."""
    failure = bench.failure
    if not failure.values:
        return
    call = maker_of(failure.values[0])
    if not isinstance(call.layer, Flatten | View) or not call.inputs:
        return
    before, after = (tuple(map(int, shape)) for shape in (shape_of(call.inputs[0]), call.shapes[0]))
    match failure.layer:
        case Linear() if failure.layer.in_features and len(before) > 2:
            sizes: tuple[int, ...] = (failure.layer.in_features,)
            text = ".flatten(1)"
        case Conv() | ConvTranspose() if failure.layer.in_channels and len(before) == 2 and len(after) > 2:
            sizes = (failure.layer.in_channels, *after[2:])
            text = f".view{written((-1, *sizes))}"
        case _:
            return
    if not before or after[:1] == before[:1] or product(sizes) != product(before[1:]):
        return
    source, name = bench.name_of(call.inputs[0].call), bench.name_of(call)
    each = "·".join(map(str, before[1:] if len(sizes) == 1 else sizes))
    cause = f"{product(sizes)} = {each}, one sample of {source}, which {name} does not keep whole"
    change = bench.feed(lambda x: x.reshape(before[0], *sizes))
    yield Repair(f"{source}{text} in place of {name}", change, cause, alone=True)


def _to_features(bench: Bench, shape: tuple[int, ...], wanted: int) -> Iterator[Repair]:
    if product(shape[1:]) == wanted:
        cause = f"{wanted} = {'·'.join(map(str, shape[1:]))}, so a flatten is missing"
        yield bench.fed(".flatten(1)", cause, alone=True)
    yield from _moved(bench, shape, wanted)


def _moved(bench: Bench, shape: tuple[int, ...], wanted: int) -> Iterator[Repair]:
    """The axis after the batch that has the size wanted, moved last."""
    if wanted in shape[1:-1] and shape[-1] != wanted:
        yield bench.fed(f".movedim({shape.index(wanted, 1)}, -1)")


def _to_tokens(bench: Bench) -> Iterator[Repair]:
    """Channels as the features of tokens, before the module of torch that the user calls: attention, or what has it."""
    failure, module = bench.failure, bench.failure.module
    parts = failure.path.split(".")
    root = next(
        (path for count in range(len(parts)) if _is_torchs(bench, path := ".".join(parts[: count + 1]))), failure.path
    )
    before = (
        call for call in ancestors(failure.values[0]) if call.frame is None or not _is_under(call.frame.path, root)
    )
    outside = list(before)
    if not root or not outside or not isinstance(module, torch.nn.MultiheadAttention):
        return
    shape = tuple(map(int, outside[0].shapes[0]))
    if len(shape) == 3 and shape[1] == module.embed_dim != shape[2]:
        order = (0, 2, 1) if module.batch_first else (2, 0, 1)
        name = bench.name_of(outside[0])
        cause = f"{name} has {shape[1]} channels on another axis than the last"
        change = Change(feeds={root: lambda x: x.permute(order)})
        yield Repair(f"{name}.permute{order} before {root}", change, cause, alone=True)


def _is_torchs(bench: Bench, path: str) -> bool:
    """Whether a module is a transformer of torch's, or part of one, whose inside no user writes."""
    module = type(bench.first.run.twin.get_submodule(path)).__module__ if path else ""
    return module == "torch.nn.modules.transformer"


def _is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}.")


def _to_steps(bench: Bench, shape: tuple[int, ...], wanted: int, batch_first: bool) -> Iterator[Repair]:
    """Channels as the features of a step: from (N, C, L), or from maps, whose rows are then features or steps."""
    ends = "" if batch_first else ".transpose(0, 1)"
    cause = f"{bench.name(0)} has {wanted} channels on another axis than the last"
    ways = {
        ".transpose(1, 2)": len(shape) == 3 and shape[1] == wanted,
        ".flatten(2).transpose(1, 2)": len(shape) == 4 and shape[1] == wanted,
        ".flatten(1, 2).transpose(1, 2)": len(shape) == 4 and shape[1] * shape[2] == wanted,
    }
    yield from (bench.fed(f"{text}{ends}", cause, alone=True) for text, fits in ways.items() if fits)
    if len(shape) == 3 and shape[0] == wanted and not batch_first:
        yield bench.fed(".permute(2, 1, 0)", alone=True)
