"""What was recorded in a run, drawn as nodes: which calls are kept, what each is named, what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed, Value
from convcalc.layers import Layer
from convcalc.network.node import Node, Weights


@dataclass(frozen=True)
class Drawing:
    """The calls of a graph, and its inputs by name."""

    inputs: Mapping[str, Call]
    calls: Sequence[Call]

    @cached_property
    def names(self) -> dict[int, str]:
        """What each call and input is named, by its identity."""
        counts = Counter(list(self.inputs))
        names = {id(call): name for name, call in self.inputs.items()}
        inside = Counter(id(call.frame) for call in self.calls if call.label is None and call.function != "written")
        for call in self.calls:
            base = name = call.label or _place(call, inside[id(call.frame)])
            while name in counts:
                counts[base] += 1
                name = f"{base}_{counts[base]}"
            counts[name] += 1
            names[id(call)] = name
        return names

    def nodes(self) -> list[Node]:
        """Return a node for each call."""
        return [
            Node(
                self.names[id(call)],
                _layer(call),
                [self.reference(value) for value in call.inputs],
                shares=None if call.shares is None else self.names[id(call.shares)],
                source=call.source,
                weights=replace(weighed(call.weights), macs=call.made),
            )
            for call in self.calls
        ]

    def reference(self, value: Value) -> str:
        """Return what a node that reads this value says."""
        name = self.names[id(value.call)]
        return name if value.place == 0 else f"{name}[{value.place}]"

    def refused(self, failed: Failed | None) -> Node | None:
        """Return the call that ended the run as a node, if it is known as a layer."""
        if failed is None or failed.layer is None:
            return None
        name = _place(failed, 1 if failed.frame is None else failed.frame.calls + 1)
        while name in self.names.values():
            name += "_again"
        return Node(name, failed.layer, [self.reference(value) for value in failed.inputs], source=failed.source)


def kept(calls: Sequence[Call], ends: Sequence[Value]) -> list[Call]:
    """Return the calls without those that make constants which nobody reads."""
    needed = {id(value.call) for value in ends}
    found = []
    for call in reversed(calls):
        if call.live or call.weights or id(call) in needed:
            needed.update(id(value.call) for value in call.inputs)
            found.append(call)
    return found[::-1]


def _place(call: Call | Failed, inside: int) -> str:
    """The module's path where the call is all, of what is `inside`, that the module does; else path:function."""
    frame = call.frame
    if frame is None or not frame.path:
        return call.function
    return frame.path if inside == 1 and not frame.nested else f"{frame.path}:{call.function}"


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


def _layer(call: Call) -> Layer:
    assert call.layer is not None  # noqa: S101 -- only inputs have none
    return call.layer


def weighed(some: Iterable[tuple[str, Any]]) -> Weights:
    """Return parameters, by path, as what a node says of them."""
    pairs = list(some)
    return Weights(
        tuple(path for path, _ in pairs),
        sum(value.numel() for _, value in pairs),
        sum(value.numel() for _, value in pairs if value.requires_grad),
        sum(value.numel() * value.element_size() for _, value in pairs),
    )


def some_of(names: Sequence[str]) -> str:
    """Return the first of many names, and how many there are besides.

    >>> some_of(["a", "b"]), some_of(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
