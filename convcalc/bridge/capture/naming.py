"""What calls, inputs and outputs are named."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed


def place_of(failed: Failed) -> str:
    """Return what the call that ended a run would have been called."""
    frame = failed.frame
    if frame is None or not frame.path:
        return failed.function
    return frame.path if not frame.calls and not frame.nested else f"{frame.path}:{failed.function}"


def argument_names(module: Any, count: int) -> list[str]:
    """Return what forward calls its first arguments."""
    try:
        known = [
            entry.name
            for entry in inspect.signature(module.forward).parameters.values()
            if entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        known = []
    known = ["input" if name == "_" else name for name in known]
    return [*known, *(f"input_{place + 1}" for place in range(len(known), count))][:count]


def labelled_outputs(output: Any, label: str) -> list[tuple[str, Any]]:
    """Return every tensor of an output, with the keys and places that lead to it."""
    torch = need_torch()
    if isinstance(output, torch.Tensor):
        return [(label, output)]
    if isinstance(output, Mapping):
        pairs = [(str(key), value) for key, value in output.items()]
    elif isinstance(output, tuple | list):
        pairs = [(str(place), value) for place, value in enumerate(output)]
        pairs = pairs if len(pairs) > 1 else [("", value) for _, value in pairs]
    elif hasattr(output, "__dict__") and not isinstance(output, type):
        pairs = [(key, value) for key, value in vars(output).items() if not key.startswith("_")]
    else:
        return []
    return [
        found
        for key, value in pairs
        for found in labelled_outputs(value, f"{label}.{key}" if label and key else label or key)
    ]


def names_of(calls: Sequence[Call], taken: Sequence[str]) -> dict[int, str]:
    """Return a name for each call: the module's path where it is all that the module does, else path:function."""
    counts = Counter(taken)
    inside = Counter(id(call.frame) for call in calls if call.label is None and call.function != "written")
    names = {}
    for call in calls:
        if call.label is not None:
            base = call.label
        elif call.frame is None:
            base = call.function
        elif call.frame.path and inside[id(call.frame)] == 1 and not call.frame.nested:
            base = call.frame.path
        else:
            base = f"{call.frame.path}:{call.function}" if call.frame.path else call.function
        name = base
        while name in counts:
            counts[base] += 1
            name = f"{base}_{counts[base]}"
        counts[name] += 1
        names[id(call)] = name
    return names
