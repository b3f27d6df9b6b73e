"""Repairs of what was plainly forgotten: the numbers wanted are there, on other axes."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.failure import is_last
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


def plain(bench: Bench) -> Iterator[Repair]:
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
