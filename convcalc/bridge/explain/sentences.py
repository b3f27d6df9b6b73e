"""What a failing call wants and what it got, in one sentence with both sides named."""

from __future__ import annotations

import inspect
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.explain.by_type import refused_types
from convcalc.bridge.explain.failure import DECIDE_SHAPES, Failure, axes_of, is_surely_last, needs_values, ranks_of
from convcalc.errors import BadArgument, BadShape, ConvcalcError, Operand, Refused, Unknown
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
from convcalc.layers.merge import Elementwise
from convcalc.layers.reduce import Pairwise
from convcalc.sizes.axes import AXES, axis_names


def sentence(failure: Failure) -> ConvcalcError:
    """Return what is to be said of a failure: the sentence and the rule, without repairs."""
    if failure.by_user:
        return _of_user(failure)
    if needs_values(failure):
        return _of_values(failure)
    said = of_layer(failure) or of_rank(failure)
    if said is not None:
        return said
    if failure.of_types:
        return refused_types(failure)
    refusal = failure.refusal or (failure.error if isinstance(failure.error, Refused) else None)
    if refusal is not None:
        message = f"{failure.label}: {_without_way_out(failure, refusal.message)}{_given(failure)}"
        return type(refusal)(message, rule=refusal.rule, place=failure.place)
    return _of_torch(failure)


def _of_user(failure: Failure) -> ConvcalcError:
    error, run = failure.error, failure.run
    wanted = _signature(run) if isinstance(error, TypeError) and failure.path == "" else ""
    if wanted:
        return BadArgument(wanted, rule="forward gets an input for each argument", place=run.name)
    text = " ".join(str(error).split())
    what = f"{failure.source or failure.place} raises {type(error).__name__}{f': {text}' if text else ''}"
    return Refused(f"{what}{_given(failure)}", rule="the model's own code runs on this input", place=failure.place)


def _signature(run: Any) -> str:
    """What forward takes, where that is not what it got."""
    try:
        signature = inspect.signature(getattr(run.twin.forward, "__wrapped__", run.twin.forward))
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*run.args, **run.kwargs)
    except TypeError:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, entry in signature.parameters.items() if entry.kind in kinds]
        least = sum(signature.parameters[name].default is inspect.Parameter.empty for name in names)
        many = f"{least}" if least == len(names) else f"{least} to {len(names)}"
        takes = f"{run.name}.forward takes {many} input{'' if many == '1' else 's'} ({', '.join(names)})"
        got = len(run.args) + len(run.kwargs)
        return f"{takes}, and {got} {'is' if got == 1 else 'are'} given."
    return ""


def _of_values(failure: Failure) -> ConvcalcError:
    pairs = zip(failure.operands, tensors_among((failure.args, failure.kwargs)), strict=False)
    masks = [operand for operand, tensor in pairs if str(tensor.dtype) == "torch.bool"]
    read = next(iter((*masks, *failure.operands)), None)
    whose = f"of {read.label}" if read is not None else "of a tensor"
    if failure.function in ("bool", "is_nonzero"):
        way = "say how it goes with --assume LINE=true or false (assume= in Python), or choose with torch.where"
    elif failure.function == "one_hot":
        way = "the largest of them decides the shape: give num_classes="
    elif failure.function in DECIDE_SHAPES:
        way = "the shape it gives depends on them: keep the shape fixed, as with torch.where"
    else:
        way = "give the number as a Python constant, or stay with tensors"
    text = f"needs the values {whose}, and a capture has shapes without values; {way}."
    return failure.says(text, "shapes and branches do not depend on values", Unknown)


def _of_torch(failure: Failure) -> ConvcalcError:
    """The call, what it read, and what torch says, quoted."""
    text = " ".join(str(failure.error).split())
    text = text if len(text) <= 200 else f"{text[:200]}..."
    read = " and ".join(f"{operand.label} {written(operand.shape)}" for operand in failure.operands[:4])
    kind = BadArgument if isinstance(failure.error, TypeError) else BadShape
    quoted = f': "{text}"' if text else ""
    what = f"torch refuses {failure.function}{f' on {read}' if read else ''}"
    return kind(f"{failure.label}: {what}: {type(failure.error).__name__}{quoted}", place=failure.place)


def _without_way_out(failure: Failure, message: str) -> str:
    """A refusal without its own name, and without ways out that are about the layer alone: repairs stand below."""
    op = "" if failure.layer is None else failure.layer.op
    for tail in ("; use ", "; 'same-upper'"):
        message = message.split(tail)[0]
    return message.removeprefix(f"{op}: ")


def _given(failure: Failure) -> str:
    some = list(dict.fromkeys(f"{operand.label} gives {written(operand.shape)}" for operand in failure.operands))[:4]
    return f"; {', '.join(some)}" if some else ""


def of_layer(failure: Failure) -> ConvcalcError | None:
    """Return the sentence of a layer that refuses what it reads; None where nothing more is known than its rule."""
    layer, refused = failure.layer, failure.refusal is not None
    if layer is None or not failure.operands:
        return None
    first, shape = failure.operands[0], failure.operands[0].shape
    match layer:
        case Linear() if refused and shape:
            return _takes(failure, f"{layer.in_features} features", _last(first), "the last axis", "in_features")
        case Recurrent() if refused and len(shape) in (2, 3) and layer.input_size != shape[-1]:
            return _takes(failure, f"{layer.input_size} features a step", _last(first), "the last axis", "input_size")
        case Conv() | ConvTranspose() if axes_of(failure.function) in AXES:
            return _of_conv(failure, layer, axes_of(failure.function) or 0)
        case BatchNorm() | InstanceNorm() if len(shape) > 1 and layer.num_features not in (None, shape[1]):
            return _takes(failure, f"{layer.num_features} channels", shape[1], "axis C", "num_features")
        case GroupNorm() if len(shape) > 1 and layer.num_channels not in (None, shape[1]):
            return _takes(failure, f"{layer.num_channels} channels", shape[1], "axis C", "num_channels")
        case LayerNorm() if refused:
            ends = written(shape[-len(layer.sizes) :])
            return failure.says(
                f"normalizes axes of sizes {written(layer.sizes)}, {first.label} gives {written(shape)}, which "
                f"ends with {ends}; the last axes must equal normalized_shape.",
                "the last axes equal normalized_shape",
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
                text = f"takes indices, whole numbers of type int64, {first.label} gives {kind}."
                return failure.says(text, "indices are int64 or int32", BadArgument)
    return None


def _of_conv(failure: Failure, layer: Any, axes: int) -> ConvcalcError | None:
    shape = failure.operands[0].shape
    if len(shape) not in (axes + 1, axes + 2):
        return _rank(failure, axes)
    channels = shape[-axes - 1]
    if layer.in_channels in (None, channels):
        return None
    last = f"; {written(shape)} has {layer.in_channels} last, as in channels-last (NHWC)"
    got = f"{channels}{last if is_surely_last(failure) else ''}"
    is_grouped = 1 < layer.groups < layer.in_channels
    each = f" = {layer.groups}·{layer.in_channels // layer.groups}" if is_grouped else ""
    return _takes(failure, f"{layer.in_channels}{each} channels", got, "input channels", "in_channels")


def _takes(failure: Failure, wanted: str, got: Any, what: str, name: str) -> ConvcalcError:
    """A hyper-parameter that what it reads must equal."""
    text = f"takes {wanted}, {failure.operands[0].label} gives {got}; {what} must equal {name}."
    rule = f"the last axis equals {name}" if what == "the last axis" else f"input channels equal {name}"
    return failure.says(text, rule)


def _of_merge(failure: Failure, layer: Any) -> ConvcalcError:
    shapes = [operand.shape for operand in failure.operands]
    given = " and ".join(f"{operand.label} gives {written(operand.shape)}" for operand in failure.operands[:4])
    ranks = set(map(len, shapes))
    broadcast = isinstance(layer, Elementwise)
    if len(ranks) > 1 and not broadcast:
        return failure.says(f"needs shapes of equally many axes: {given}.", "all have equally many axes")
    rank = max(ranks)
    joined = layer.dim % rank if isinstance(layer, Concat) else None
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
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
    return failure.says(f"{wants}: {given}; {tail}.", rule)


def _of_view(failure: Failure, layer: View) -> ConvcalcError:
    first = failure.operands[0]
    wanted = tuple(int(size(**failure.journal.numbers)) if callable(size) else size for size in layer.sizes)
    have = product(first.shape)
    many = f"{have} = {'·'.join(map(str, first.shape))}"
    known = product([size for size in wanted if size != -1])
    must = f"a multiple of {known}" if -1 in wanted else f"exactly {known}"
    rule = "a view keeps the number of values"
    return failure.says(f"to {written(wanted)} needs {must} values, {first.label} gives {many}; {rule}.", rule)


def _of_matmul(failure: Failure) -> ConvcalcError | None:
    a, b = failure.operands
    if not a.shape or not b.shape:
        return None
    columns, rows = a.shape[-1], b.shape[-2] if len(b.shape) > 1 else b.shape[0]
    if columns == rows:
        return None
    return failure.says(
        f"needs as many columns as rows: {a.label} {written(a.shape)} has {columns} columns, "
        f"{b.label} {written(b.shape)} has {rows} rows.",
        "columns of the first equal rows of the second",
    )


def of_rank(failure: Failure) -> ConvcalcError | None:
    """Return the sentence of a call that reads too many or too few axes; None where that is not it."""
    wanted = ranks_of(failure)
    if wanted is None or not failure.operands or len(failure.operands[0].shape) in wanted:
        return None
    return _rank(failure, axes_of(failure.function) or 0)


def _rank(failure: Failure, axes: int) -> ConvcalcError:
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
    many = f"{len(first.shape)} ax{'i' if len(first.shape) == 1 else 'e'}s"
    return failure.says(
        f"takes {shapes}, {first.label} gives {written(first.shape)}, which has {many}.",
        f"the input has {' or '.join(map(str, sorted(wanted)))} axes",
    )


def _last(operand: Operand) -> str:
    return operand.factors or str(operand.shape[-1])


def _dtype(failure: Failure) -> Any:
    return next((arg.dtype for arg in failure.args if hasattr(arg, "dtype")), None)


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
