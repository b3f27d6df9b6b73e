"""Repairs that give a module of `torch.nn` other hyper-parameters, or the user's own parameters other sizes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from math import gcd
from typing import Any, TypeAlias

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Value
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.failure import axes_of
from convcalc.bridge.explain.modules import changed
from convcalc.bridge.explain.operands import ancestors
from convcalc.bridge.explain.reruns import Change
from convcalc.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Linear,
    MaxPool,
    Recurrent,
    Source,
)
from convcalc.layers.base import written
from convcalc.layers.merge import Elementwise
from convcalc.sizes.axes import per_axis

nn = need_torch().nn
_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

Sizes: TypeAlias = tuple[int, ...]


def by_module(bench: Bench) -> Iterator[Repair]:
    """Yield the failing module with hyper-parameters that suit what it reads, or one before it."""
    failure = bench.failure
    if failure.module is None or not failure.shapes:
        return
    shape = tuple(map(int, failure.shapes[0]))
    match failure.layer:
        case Linear() if shape:
            yield from with_settings(failure.path, failure.module, in_features=shape[-1])
        case Recurrent() if shape:
            yield from with_settings(failure.path, failure.module, input_size=shape[-1])
        case Conv() | ConvTranspose():
            yield from _of_conv(bench, shape, axes_of(failure.function) or len(shape) - 2)
        case MaxPool() | AvgPool():
            yield from _of_window(bench, shape)
        case BatchNorm() | InstanceNorm() if len(shape) > 1:
            yield from with_settings(failure.path, failure.module, num_features=shape[1])
        case GroupNorm() if len(shape) > 1:
            groups = gcd(failure.layer.num_groups, shape[1])
            yield from with_settings(failure.path, failure.module, num_groups=groups, num_channels=shape[1])
        case LayerNorm():
            last = shape[-len(failure.layer.sizes) :]
            yield from with_settings(failure.path, failure.module, normalized_shape=last)
        case Concat() | Elementwise() if len(failure.shapes) == 2:
            yield from _before_merge(bench)
        case None if isinstance(failure.module, _TRANSPOSED):
            yield from _output_size(bench, shape)
    yield from _of_producer(bench, shape)


def _of_producer(bench: Bench, shape: Sizes) -> Iterator[Repair]:
    """The layer that gave the channels or features, with as many as are wanted."""
    layer: Any = bench.failure.layer
    names = ("in_channels", "num_features", "in_features", "input_size", "num_channels")
    wanted = next((value for name in names if (value := getattr(layer, name, None))), None)
    before = bench.module_before(0, (nn.Linear, *_CONVS, *_TRANSPOSED))
    if wanted is None or before is None or len(shape) < 2:
        return
    path, module = before
    name = "out_features" if isinstance(module, nn.Linear) else "out_channels"
    given = getattr(module, name)
    axis = shape[-1] if name == "out_features" or hasattr(layer, "in_features") else shape[1]
    if given == axis != wanted and wanted % getattr(module, "groups", 1) == 0:
        yield from with_settings(path, module, **{name: wanted})


def _output_size(bench: Bench, shape: Sizes) -> Iterator[Repair]:
    """Another `output_size` of a transposed convolution: the other way round, or the nearest that it reaches."""
    failure = bench.failure
    module: Any = failure.module
    asked = failure.kwargs.get("output_size", failure.args[1] if len(failure.args) > 1 else None)
    axes = len(module.kernel_size)
    if asked is None or len(shape) not in (axes + 1, axes + 2):
        return
    wanted = tuple(map(int, asked))[-axes:]
    settings = zip(shape[-axes:], module.kernel_size, module.stride, module.padding, module.dilation, strict=True)
    least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in settings]
    ranges = list(zip(least, module.stride, strict=True))
    if len(wanted) != axes:
        return
    nearest = tuple(min(max(size, low), low + step - 1) for size, (low, step) in zip(wanted, ranges, strict=True))
    fits = all(low <= size < low + step for size, (low, step) in zip(wanted[::-1], ranges, strict=True))
    for sizes in dict.fromkeys([*([wanted[::-1]] if fits else []), nearest]):
        known = changed(module)
        if known is not None and min(sizes) > 0:
            build = partial(_sized, known[1], sizes)
            yield Repair(f"output_size={sizes} in {failure.place}", Change(modules={failure.path: build}))


def _sized(build: Any, sizes: Sizes) -> Any:
    """A transposed convolution that is always called with this output size."""
    module = build()
    module.forward = lambda x, output_size=None: type(module).forward(module, x, list(sizes))
    return module


def with_settings(path: str, module: Any, **changes: Any) -> Iterator[Repair]:
    """Yield a module with other hyper-parameters, if it is one of `torch.nn`: see `changed`."""
    known = changed(module, **changes)
    if known is not None:
        text, build = known
        yield Repair(f"{path}: {text}" if path else text, Change(modules={path: build}))


def _of_conv(bench: Bench, shape: Sizes, axes: int) -> Iterator[Repair]:
    failure = bench.failure
    layer: Any = failure.layer
    if len(shape) not in (axes + 1, axes + 2):
        return
    channels = shape[-axes - 1]
    if layer.in_channels not in (None, channels):
        depthwise = layer.groups == layer.in_channels and layer.out_channels % channels == 0
        groups = channels if depthwise else gcd(gcd(layer.groups, channels), layer.out_channels)
        yield from with_settings(failure.path, failure.module, in_channels=channels, groups=groups)
        return
    if isinstance(layer, ConvTranspose):
        if failure.refusal is not None:
            stride, dilation = (per_axis(name, getattr(layer, name), axes) for name in ("stride", "dilation"))
            extra = per_axis("output_padding", layer.output_padding, axes)
            fits = tuple(min(max(0, op), max(s, d) - 1) for op, s, d in zip(extra, stride, dilation, strict=True))
            yield from with_settings(failure.path, failure.module, output_padding=fits)
        return
    groups = gcd(gcd(layer.groups, channels), layer.out_channels)
    if groups != layer.groups:
        yield from with_settings(failure.path, failure.module, groups=groups)
    if layer.padding == "same":
        yield from with_settings(failure.path, failure.module, stride=(1,) * axes)
    yield from _of_window(bench, shape)


def _of_window(bench: Bench, shape: Sizes) -> Iterator[Repair]:
    """A kernel that is too large: more padding, a smaller kernel."""
    failure = bench.failure
    layer: Any = failure.layer
    module = failure.module
    axes = axes_of(failure.function)
    if axes is None or len(shape) not in (axes + 1, axes + 2) or isinstance(layer.padding, str):
        return
    sizes = shape[-axes:]
    kernel, padding = (per_axis(name, getattr(layer, name), axes) for name in ("kernel_size", "padding"))
    dilation = per_axis("dilation", getattr(layer, "dilation", 1), axes)
    if not all(isinstance(pad, int) for pad in padding):
        return
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if isinstance(layer, MaxPool | AvgPool) and any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        fits = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
        yield from with_settings(failure.path, module, padding=_like(module, "padding", fits))
        return
    short = [max(0, e - n - 2 * p) for e, n, p in zip(extents, sizes, padding, strict=True)]
    if not any(short):
        return
    more = tuple(p + (lack + 1) // 2 for p, lack in zip(padding, short, strict=True))
    if max(more) < 2**31:
        yield from with_settings(failure.path, module, padding=_like(module, "padding", more))
    fits = tuple(
        max(1, (n + 2 * p - 1) // d + 1) if lack else k
        for k, n, p, d, lack in zip(kernel, sizes, padding, dilation, short, strict=True)
    )
    if not isinstance(layer, MaxPool | AvgPool) or min(fits) > 1:  # pooling of one value is none
        yield from with_settings(failure.path, module, kernel_size=_like(module, "kernel_size", fits))


def _like(module: Any, name: str, values: Sizes) -> Any:
    """One number for equal entries where the module holds a number."""
    same = all(value == values[0] for value in values)
    return values[0] if isinstance(getattr(module, name, None), int) and same else values


def _before_merge(bench: Bench) -> Iterator[Repair]:
    """What stands before either operand, so that it gives the sizes of the other."""
    shapes = [tuple(map(int, shape)) for shape in bench.failure.shapes]
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) < 3:
        return
    for repaired in (_longer, _padded, _strided):
        for place in (0, 1):
            yield from repaired(bench, place, shapes[place], shapes[1 - place])


def _longer(bench: Bench, place: int, mine: Sizes, theirs: Sizes) -> Iterator[Repair]:
    """The transposed convolution before the smaller operand, with the output_padding that it lacks."""
    lacks = [more - size for size, more in zip(mine[2:], theirs[2:], strict=True)]
    up = bench.module_before(place, _TRANSPOSED)
    if up is not None and any(lacks):
        path, module = up
        extra = tuple(op + lack for op, lack in zip(module.output_padding, lacks, strict=True))
        if min(extra) >= 0 and all(op < s for op, s in zip(extra, module.stride, strict=True)):
            yield from with_settings(path, module, output_padding=extra)


def _strided(bench: Bench, place: int, mine: Sizes, theirs: Sizes) -> Iterator[Repair]:
    """The 1x1 convolution of a shortcut, with the stride or the channels of the other operand."""
    conv = bench.module_before(place, _CONVS)
    read = None if conv is None else _read_by(bench, place, conv[0])
    if conv is None or read is None or any(k != 1 for k in conv[1].kernel_size):
        return
    path, module = conv
    stride = strides(read[2:], theirs[2:])
    if stride is not None and stride != tuple(module.stride):
        yield from with_settings(path, module, stride=stride)
    if mine[1] != theirs[1] and isinstance(bench.failure.layer, Elementwise):
        yield from with_settings(path, module, out_channels=theirs[1])


def _padded(bench: Bench, place: int, mine: Sizes, theirs: Sizes) -> Iterator[Repair]:
    """The convolution before the smaller operand, with the padding that keeps the size."""
    conv = bench.module_before(place, _CONVS)
    lacks = [more - size for size, more in zip(mine[2:], theirs[2:], strict=True)]
    if conv is None or not any(lacks) or any(lack < 0 or lack % 2 for lack in lacks):
        return
    path, module = conv
    if isinstance(module.padding, str) or any(step != 1 for step in module.stride):
        return
    padding = tuple(pad + lack // 2 for pad, lack in zip(module.padding, lacks, strict=True))
    if all(2 * pad < d * (k - 1) + 1 for pad, d, k in zip(padding, module.dilation, module.kernel_size, strict=True)):
        yield from with_settings(path, module, padding=padding)


def _read_by(bench: Bench, operand: int, path: str) -> Sizes | None:
    """The shape that the module of a path read, on the way to an operand."""
    call = bench.failure.values[operand].call
    while call.inputs:
        before = call.inputs[0]
        if call.frame is not None and call.frame.path == path:
            return tuple(map(int, before.call.shapes[before.place]))
        call = before.call
    return None


def strides(sizes: Sizes, wanted: Sizes) -> Sizes | None:
    """Return the stride of a 1x1 convolution that takes each size to that wanted; None where there is none.

    (n - 1)//s + 1 = m for the smallest s.

    >>> strides((56, 57), (28, 29)), strides((28,), (56,))
    ((2, 2), None)
    """
    found = []
    for size, want in zip(sizes, wanted, strict=True):
        step = next((s for s in range(1, size + 1) if (size - 1) // s + 1 == want), None)
        if step is None:
            return None
        found.append(step)
    return tuple(found)


# -- parameters of the user's own --------------------------------------------------------------------------------


def by_table(bench: Bench) -> Iterator[Repair]:
    """Yield a parameter or buffer of other sizes, where one that is added to something else falls short of it."""
    failure = bench.failure
    shapes = [tuple(map(int, shape)) for shape in failure.shapes]
    if not isinstance(failure.layer, Elementwise) or len(shapes) != 2 or len(shapes[0]) != len(shapes[1]):
        return
    for value, mine, theirs in zip(failure.values, shapes, shapes[::-1], strict=True):
        kind, label, have = _held(value)
        short = [axis for axis in range(-len(mine), 0) if mine[axis] not in (1, theirs[axis])]
        if not label or not short or any(-axis > len(have) or have[axis] < mine[axis] for axis in short):
            continue
        sizes = [*have]
        for axis in short:
            sizes[axis] += theirs[axis] - mine[axis]
        if min(sizes) > 0:
            yield _shaped(label, kind, tuple(sizes))


def by_weight(bench: Bench) -> Iterator[Repair]:
    """Yield a weight that is a parameter of the user's own, as of `F.conv2d`, for the channels that come in."""
    failure = bench.failure
    own = failure.module is None or not type(failure.module).__module__.startswith("torch.nn.modules")
    weight = next(islice(tensors_among((failure.args, failure.kwargs)), 1, None), None)
    if not isinstance(failure.layer, Conv) or failure.layer.groups != 1 or not own or weight is None:
        return
    value, (kind, path) = failure.journal.tensors.at(weight), failure.journal.tensors.kind(weight)
    if value is not None and not path:
        kind, path, _ = _held(value)
    shape, (out, _, *kernel) = failure.shapes[0], map(int, weight.shape)
    if kind == "parameter" and path and len(shape) > len(kernel):
        yield _shaped(path, kind, (out, int(shape[-len(kernel) - 1]), *kernel))


def _held(value: Value) -> tuple[str, str, Sizes]:
    """The parameter or buffer that a value was computed from: its kind, its path and its shape."""
    source = ancestors(value)[-1]
    if not isinstance(source.layer, Source) or source.layer.kind not in ("parameter", "buffer"):
        return "", "", ()
    return source.layer.kind, source.label or "", tuple(map(int, source.shapes[0]))


def _shaped(path: str, kind: str, sizes: Sizes) -> Repair:
    return Repair(f"{path}: a {kind} of shape {written(sizes)}", Change(tensors={path: sizes}))
