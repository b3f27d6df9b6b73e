"""What outputs read, borders included, against the gradients of a network whose weights and inputs are positive.

A position with a gradient must be one that is read. Where every layer on the way lets a positive gradient through to
all that it reads, the two are the same: so convolutions, linear layers, normalization by stored numbers, averages and
the like; a max-pooling is given an average beside it, which reads the same.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.verify.network.listening import Listener, heard_as
from convcalc.bridge.verify.network.subject import Subject, skipped
from convcalc.bridge.verify.report import Comparison, Mismatch

torch = need_torch()

KIND = "footprints"

NODES, CELLS = 4, 4
"""How many nodes are looked at, and about how many of the outputs of each."""

CLEAR = frozenset(
    {
        *("conv", "tconv", "linear", "maxpool", "avgpool", "adaptiveavgpool", "batchnorm", "relu", "leakyrelu", "elu"),
        *("softplus", "add", "concat", "identity", "dropout", "pad", "crop", "cropto", "padto", "flatten", "view"),
        *("pixelshuffle", "pixelunshuffle"),
    }
)
"""The ops that let a positive gradient through to all that they read."""


def nodes_to_try(subject: Subject) -> list[str]:
    """Return the last node whose output has positions on the axes of the input, and some more, drawn."""
    subject = subject.smaller
    report = subject.report
    rank = len(next(iter(report.inputs.values())))
    kept = {key for key in subject.heard_names if subject.heard_names.count(key) == 1}
    some = [
        row.name
        for row, key in zip(report.layers, subject.heard_names, strict=True)
        if key in kept and len(row.outputs) == 1 and len(row.output) == rank > 2 and not row.constant
        if max(row.output[2:]) > 1 and row.field.is_plain and row.field.reads_anything
    ]
    rng = random.Random(f"{subject.seed} {KIND}")  # noqa: S311 -- cases, not secrets
    return [*rng.sample(some[:-1], min(NODES - 1, len(some) - 1)), some[-1]] if some else []


def compare_footprints(subject: Subject, node: str, case: str) -> Comparison:
    """Compare what some outputs of a node read with the places where they have a gradient."""
    subject = subject.smaller
    if subject.report.error is not None:
        return skipped(KIND, "the network does not run")
    rows = {row.name: row for row in subject.report.layers}
    if node not in rows:
        return skipped(KIND, f"there is no node {node}")
    cells = _cells(rows[node].output[2:], random.Random(f"{subject.seed} {case}"))  # noqa: S311 -- as above
    windows = {cell: subject.window(node, cell) for cell in cells}
    with torch.enable_grad():
        image, out = _run(subject, node)
        if out is None:
            return skipped(KIND, "what torch ran has no call under that name, or more than one")
        if not out.requires_grad:
            return skipped(KIND, f"torch has no gradient of {node}")
        found = {cell: _places(image, out, cell) for cell in cells}
    exact = all(row.op in CLEAR for row in _before(subject, node))
    mismatches, unchecked, compared = list[Mismatch](), list[tuple[str, str]](), 0
    for cell, axes in windows.items():
        if any(axis.reads is None for axis in axes):
            unchecked.append((KIND, "convcalc does not know what is read"))
            continue
        compared += 1
        inside = all(axis.reads for axis in axes)  # what reads nothing on one axis reads nothing
        for axis, places in zip(axes, found[cell], strict=True):
            wanted = set(axis.reads or ()) if inside else set()
            if places - wanted or (exact and places != wanted):
                at = "x".join(map(str, cell))
                message = (
                    f"{node} at {at} on axis {axis.axis}: convcalc says that it reads {_told(wanted)}, "
                    f"torch has gradients at {_told(places)}"
                )
                mismatches.append(subject.mismatch(KIND, case, message))
    return Comparison(
        kinds=(KIND,) * compared, checked=compared, mismatches=tuple(mismatches), unchecked=tuple(unchecked)
    )


def _cells(sizes: Any, rng: random.Random) -> list[tuple[int, ...]]:
    """The two corners, the middle, and some that are drawn."""
    drawn = (tuple(rng.randrange(size) for size in sizes) for _ in range(CELLS - 3))
    corners = tuple(0 for _ in sizes), tuple(size - 1 for size in sizes), tuple(size // 2 for size in sizes)
    return list(dict.fromkeys([*corners, *drawn]))


def _run(subject: Subject, node: str) -> tuple[Any, Any]:
    """The first input, and the output of the node, of the network in float64 with positive weights."""
    shapes = subject.shapes
    module = _positive(subject.module(shapes).double())
    kind = subject.dtype if subject.dtype is not None and not subject.dtype.is_floating_point else torch.float64
    image, *others = subject.inputs(shapes, kind=kind)
    if not image.is_floating_point():
        return image, image
    image.requires_grad_()
    place = [row.name for row in subject.report.layers].index(node)
    with _Smoothed(), Listener(module, keep=subject.heard_names[place]) as listener:
        subject.run(module, image, *others)
    found = heard_as(subject.heard_names, listener.heard)[place]
    return image, None if found is None else listener.heard[found[0]][found[1]].tensors[0]


def _positive(module: Any) -> Any:
    """The module with positive weights that keep the size of values, and normalization that changes nothing."""
    with torch.no_grad():
        for weight in module.parameters():
            if weight.is_floating_point():
                weight.uniform_(0.5, 1.5)
                weight /= max(1, weight[0].numel()) if weight.dim() > 1 else 1
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.zero_()
            elif name.endswith("running_var"):
                buffer.fill_(1.0)
    return module


def _places(image: Any, out: Any, cell: tuple[int, ...]) -> list[set[int]]:
    """The positions on each axis at which an output has a gradient."""
    (slopes,) = torch.autograd.grad(out[(..., *cell)].sum(), image, retain_graph=True, allow_unused=True)
    if slopes is None:
        return [set() for _ in cell]
    some = (slopes != 0).flatten(0, 1).any(0)[..., None]
    return [set(some.transpose(0, axis).flatten(1).any(1).nonzero().flatten().tolist()) for axis in range(len(cell))]


def _before(subject: Subject, node: str) -> list[Any]:
    """The rows that a node depends on, and its own."""
    rows = {row.name: row for row in subject.report.layers}
    wanted, found = [node], {}
    while wanted:
        name = wanted.pop()
        row = rows.get(name) or rows.get(name.partition("[")[0])
        if row is not None and row.name not in found:
            found[row.name] = row
            wanted += row.inputs
    return list(found.values())


class _Smoothed(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
    """Adds to a max-pooling the sum of its windows, so that all of them have a gradient."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        axes = _POOLINGS.get(func)
        return out + _windows(axes, out, *args, **kwargs) if axes and isinstance(out, torch.Tensor) else out


_POOLINGS = {getattr(room, f"max_pool{axes}d"): axes for room in (torch, torch.nn.functional) for axes in (1, 2, 3)}


def _windows(
    axes: int,
    out: Any,
    image: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Any:
    """The sum over each window of a max-pooling, by a convolution with ones on zeros."""

    def each(value: Any) -> list[int]:
        return [value] * axes if isinstance(value, int) else list(value) * (axes if len(value) == 1 else 1)

    k, p, d = each(kernel_size), each(padding), each(dilation)
    s = k if stride in (None, [], ()) else each(stride)
    channels = image.shape[1]
    sides = [
        (before, max(0, (size - 1) * step + apart * (length - 1) + 1 - n - before))
        for n, size, length, step, before, apart in zip(image.shape[2:], out.shape[2:], k, s, p, d, strict=True)
    ]
    padded = torch.nn.functional.pad(image, list(itertools.chain(*reversed(sides))))
    ones = torch.ones(channels, 1, *k, dtype=image.dtype, device=image.device)
    call = getattr(torch.nn.functional, f"conv{axes}d")
    summed = call(padded, ones, stride=s, dilation=d, groups=channels)
    return summed[(..., *(slice(size) for size in out.shape[2:]))] / ones[0].numel()


def _told(places: set[int]) -> str:
    """Some positions, in words."""
    if not places:
        return "nothing"
    span = f"{min(places)}..{max(places)}"
    return span if len(places) == max(places) - min(places) + 1 else f"{len(places)} of {span}"
