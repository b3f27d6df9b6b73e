"""What each kind of layer wants and what it got, in one sentence."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.explain.failure import Failure, axes_of, is_surely_last, ranks_of
from convcalc.errors import BadArgument, BadShape, ConvcalcError
from convcalc.layers import (
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Embedding,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Linear,
    Matmul,
    Recurrent,
    Stack,
    View,
)
from convcalc.layers.base import named_axis, product, written
from convcalc.layers.losses import Pairwise
from convcalc.layers.merge import Elementwise
from convcalc.sizes.axes import AXES, axis_names


def of_layer(failure: Failure) -> ConvcalcError | None:
    """Return the sentence of a layer that refuses what it reads; None where nothing more is known than its rule."""
    layer, place = failure.layer, failure.label
    refused = failure.refusal is not None
    if layer is None or not failure.operands:
        return None
    first = failure.operands[0]
    shape = first.shape
    match layer:
        case Linear() if refused and shape:
            return BadShape(
                f"{place} takes {layer.in_features} features, {first.label} gives {_last(first)}; "
                "the last axis must equal in_features.",
                rule="the last axis equals in_features",
                place=failure.place,
            )
        case Recurrent() if refused and len(shape) in (2, 3) and layer.input_size != shape[-1]:
            return BadShape(
                f"{place} takes {layer.input_size} features a step, {first.label} gives {_last(first)}; "
                "the last axis must equal input_size.",
                rule="the last axis equals input_size",
                place=failure.place,
            )
        case Conv() | ConvTranspose() if axes_of(failure) in AXES:
            return _of_conv(failure, layer, axes_of(failure) or 0)
        case BatchNorm() | InstanceNorm() if len(shape) > 1 and layer.num_features not in (None, shape[1]):
            return _channels(failure, layer.num_features, "num_features", shape[1])
        case GroupNorm() if len(shape) > 1 and layer.num_channels not in (None, shape[1]):
            return _channels(failure, layer.num_channels, "num_channels", shape[1])
        case LayerNorm() if refused:
            ends = written(shape[-len(layer.sizes) :])
            return BadShape(
                f"{place} normalizes axes of sizes {written(layer.sizes)}, {first.label} gives {written(shape)}, which "
                f"ends with {ends}; the last axes must equal normalized_shape.",
                rule="the last axes equal normalized_shape",
                place=failure.place,
            )
        case Concat() | Stack() | Elementwise() if refused and not isinstance(layer, Pairwise):
            return _of_merge(failure, layer)
        case View() if refused:
            return _of_view(failure, layer)
        case Matmul() if refused and len(failure.operands) == 2:
            return _of_matmul(failure)
        case Embedding() if not refused:
            kind = str(_dtype(failure)).removeprefix("torch.")
            if kind not in ("int64", "int32"):
                return BadArgument(
                    f"{place} takes indices, whole numbers of type int64, {first.label} gives {kind}.",
                    rule="indices are int64 or int32",
                    place=failure.place,
                )
    return None


def _of_conv(failure: Failure, layer: Any, axes: int) -> ConvcalcError | None:
    first, place = failure.operands[0], failure.label
    shape = first.shape
    if len(shape) not in (axes + 1, axes + 2):
        return _rank(failure, axes)
    channels = shape[-axes - 1]
    if layer.in_channels in (None, channels):
        return None
    named = "; {} has {} last, as in channels-last (NHWC)" if is_surely_last(failure) else ""
    how = named.format(written(shape), layer.in_channels)
    many = (
        f"{layer.in_channels} = {layer.groups}·{layer.in_channels // layer.groups}"
        if layer.groups > 1 and layer.in_channels > layer.groups
        else ""
    )
    return BadShape(
        f"{place} takes {many or layer.in_channels} channels, {first.label} gives {channels}{how}; "
        "input channels must equal in_channels.",
        rule="input channels equal in_channels",
        place=failure.place,
    )


def _channels(failure: Failure, wanted: int | None, name: str, got: int) -> BadShape:
    return BadShape(
        f"{failure.label} takes {wanted} channels, {failure.operands[0].label} gives {got}; axis C must equal {name}.",
        rule=f"input channels equal {name}",
        place=failure.place,
    )


def _of_merge(failure: Failure, layer: Any) -> BadShape:
    shapes = [operand.shape for operand in failure.operands]
    given = " and ".join(f"{operand.label} gives {written(operand.shape)}" for operand in failure.operands[:4])
    ranks = set(map(len, shapes))
    if len(ranks) > 1 and not isinstance(layer, Elementwise):
        rule = "all have equally many axes"
        return BadShape(f"{failure.label} needs shapes of equally many axes: {given}.", rule=rule, place=failure.place)
    rank = max(ranks)
    joined = layer.dim % rank if isinstance(layer, Concat) else None
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    broadcast = isinstance(layer, Elementwise)
    differ = [
        named_axis(axis, rank).removeprefix("axis ")
        for axis in range(rank)
        if axis != joined and len({shape[axis] for shape in aligned} - ({1} if broadcast else set())) > 1
    ]
    if joined is not None:
        rule = f"all axes but {named_axis(joined, rank).removeprefix('axis ')} are equal"
        wants = f"joins along {named_axis(joined, rank)}, so all others must agree"
    else:
        rule = "sizes are equal, or 1" if broadcast else "all sizes are equal"
        wants = "needs equal sizes, or 1" if broadcast else "needs equal shapes"
    tail = f"{_and(differ)} differ{'s' if len(differ) == 1 else ''}"
    if len(ranks) > 1:
        tail = "sizes are compared from the last axis on"
    return BadShape(f"{failure.label} {wants}: {given}; {tail}.", rule=rule, place=failure.place)


def _of_view(failure: Failure, layer: View) -> BadShape:
    first = failure.operands[0]
    wanted = tuple(int(size(**failure.journal.numbers)) if callable(size) else size for size in layer.sizes)
    have = product(first.shape)
    many = f"{have} = {'·'.join(map(str, first.shape))}"
    known = product([size for size in wanted if size != -1])
    must = f"a multiple of {known}" if -1 in wanted else f"exactly {known}"
    return BadShape(
        f"{failure.label} to {written(wanted)} needs {must} values, {first.label} gives {many}; "
        "a view keeps the number of values.",
        rule="a view keeps the number of values",
        place=failure.place,
    )


def _of_matmul(failure: Failure) -> BadShape | None:
    a, b = failure.operands
    if not a.shape or not b.shape:
        return None
    columns, rows = a.shape[-1], b.shape[-2] if len(b.shape) > 1 else b.shape[0]
    rule = "columns of the first equal rows of the second"
    if columns == rows:
        return None
    return BadShape(
        f"{failure.label} needs as many columns as rows: {a.label} {written(a.shape)} has {columns} columns, "
        f"{b.label} {written(b.shape)} has {rows} rows.",
        rule=rule,
        place=failure.place,
    )


def of_rank(failure: Failure) -> BadShape | None:
    """Return the sentence of a call that reads too many or too few axes; None where that is not it."""
    wanted = ranks_of(failure)
    if wanted is None or not failure.operands or len(failure.operands[0].shape) in wanted:
        return None
    return _rank(failure, axes_of(failure) or 0)


def _rank(failure: Failure, axes: int) -> BadShape:
    first = failure.operands[0]
    wanted = ranks_of(failure) or ()
    spatial = axis_names(axes) if axes in AXES else ()
    if isinstance(failure.layer, Recurrent):
        texts = {2: "(T, features)", 3: "(T, N, features)"}
    else:
        texts = {axes + 1: f"({', '.join(('C', *spatial))})", axes + 2: f"({', '.join(('N', 'C', *spatial))})"}
        if failure.function == "BatchNorm1d":
            texts = {2: "(N, C)", 3: "(N, C, L)"}
    shapes = " or ".join(texts[rank] for rank in sorted(wanted, reverse=True) if rank in texts)
    count = len(first.shape)
    return BadShape(
        f"{failure.label} takes {shapes}, {first.label} gives {written(first.shape)}, which has {count} "
        f"ax{'i' if count == 1 else 'e'}s.",
        rule=f"the input has {' or '.join(map(str, sorted(wanted)))} axes",
        place=failure.place,
    )


def _last(operand: Any) -> str:
    factors: str = operand.factors
    return factors or str(operand.shape[-1])


def _dtype(failure: Failure) -> Any:
    return next((arg.dtype for arg in failure.args if hasattr(arg, "dtype")), None)


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
