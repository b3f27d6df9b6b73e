"""Why a module does not run, in one sentence, with its place and ways out."""

from __future__ import annotations

from typing import Any

from convcalc.errors import BadShape, ConvcalcError


def explain(error: Exception, recorder: Any, run: Any) -> ConvcalcError:
    """Return what is to be said of an exception that ended a run."""
    return BadShape(f"{type(error).__name__}: {error}")
