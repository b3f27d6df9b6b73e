"""Why a module does not run: one sentence, where it stands, what it read, and repairs that were run."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.explain.bench import CHANNELS_LAST
from convcalc.bridge.explain.failure import read_failure
from convcalc.bridge.explain.repairs import repairs
from convcalc.bridge.explain.sentences import sentence
from convcalc.errors import BadShape, ConvcalcError, Explanation


def explain(error: Exception, run: Any, *, repair: bool = True) -> ConvcalcError:
    """Return what is to be said of an exception that ended a run; the call and its operands in `.explanation`.

    Where not `repair`, no repair is looked for, and the module is not run again.

    Never raises: what cannot be explained is said as torch says it.
    """
    try:
        failure = read_failure(error, run)
        said = sentence(failure)
    except Exception:  # an explanation that fails must not hide the failure
        return BadShape(f"{type(error).__name__}: {' '.join(str(error).split())}")
    try:
        fixes, cause = repairs(failure) if repair else ((), "")
    except Exception:
        fixes, cause = (), ""
    told = bool(cause) and cause != CHANNELS_LAST
    message = f"{said.message.removesuffix('.')}; {cause}" if told else said.message
    message = message if message.endswith((".", '"')) else f"{message}."
    whole = type(said)(message, rule=said.rule, fixes=[fix.text() for fix in fixes], place=said.place)
    whole.explanation = Explanation(
        place=failure.place,
        call=failure.function,
        source=failure.source,
        line=failure.line,
        operands=failure.operands,
        fixes=fixes,
        torch=f"{type(failure.error).__name__}: {failure.error}",
    )
    return whole
