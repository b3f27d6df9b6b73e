"""What a failing call wants and what it got, in one sentence with both sides named."""

from __future__ import annotations

import inspect
from typing import Any

from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.explain.by_type import refused_types
from convcalc.bridge.explain.failure import DECIDE_SHAPES, Failure, needs_values
from convcalc.bridge.explain.layer_sentences import of_layer, of_rank
from convcalc.errors import BadArgument, BadShape, ConvcalcError, Refused, Unknown
from convcalc.layers.base import written


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
