"""What a module does as it runs with values: every call and every module inside, under the names that a graph has."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.bridge.calls import name_of
from convcalc.bridge.capture.arguments import tensors_among
from convcalc.bridge.capture.drawing import labelled_outputs
from convcalc.bridge.device import need_torch
from convcalc.layers.base import Shape

torch = need_torch()


class Heard(NamedTuple):
    """One call, or one run of a module: the shapes that it gave, its multiply-accumulates, the tensors if kept."""

    shapes: tuple[Shape, ...]
    macs: int
    tensors: tuple[Any, ...] = ()


class Listener(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
    """Hears a module's calls and the runs of its parts; `counted` is how much was multiplied so far.

    >>> net, signal = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.ReLU()), torch.zeros(1, 1, 8)
    >>> with Listener(net) as listener:
    ...     out = net(signal)
    >>> [(name, found[0].shapes) for name, found in listener.heard.items() if ":" not in name]
    [('0', ((1, 2, 6),)), ('1', ((1, 2, 6),)), ('', ((1, 2, 6),))]
    """

    def __init__(self, module: Any, counted: Callable[[], int] = int, keep: str | None = None) -> None:
        super().__init__()
        self.heard: dict[str, list[Heard]] = defaultdict(list)
        self._counted, self._keep = counted, () if keep is None else (keep, unnumbered(keep))
        self._paths: list[str] = []
        for path, part in module.named_modules():
            if not isinstance(part, torch.jit.ScriptModule):
                part.__dict__["forward"] = self._around(part.forward, path)

    def _around(self, forward: Callable[..., Any], path: str) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            self._paths.append(path)
            before = self._counted()
            try:
                out = forward(*args, **kwargs)
            finally:
                self._paths.pop()
            self._note(path, [tensor for _, tensor in labelled_outputs(out, "")], before)
            return out

        return run

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a call, and note what it gave."""
        before = self._counted()
        out = func(*args, **(kwargs or {}))
        tensors = [out] if isinstance(out, torch.Tensor) else list(tensors_among(out))
        if tensors:
            path, name = (self._paths or [""])[-1], name_of(func)
            self._note(f"{path}:{name}" if path else name, tensors, before)
        return out

    def _note(self, name: str, tensors: Sequence[Any], before: int) -> None:
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        kept = tuple(tensors) if name in self._keep else ()
        self.heard[name].append(Heard(shapes, self._counted() - before, kept))


def unnumbered(name: str) -> str:
    """Return the name of a call without the number that tells it from others of that name.

    >>> unnumbered("relu_2"), unnumbered("layer1.0:add")
    ('relu', 'layer1.0:add')
    """
    return re.sub(r"_\d+$", "", name)


def heard_as(names: Sequence[str], heard: Mapping[str, Sequence[Heard]]) -> list[tuple[str, int] | None]:
    """Return under which name, and as the how-manieth, each node was heard; calls of one name are numbered.

    It is None for a name that ran more often than there are nodes, or less.

    >>> heard = {"conv": [Heard((), 0)], "relu": [Heard((), 0)] * 2, "act": [Heard((), 0)] * 3}
    >>> heard_as(["conv", "relu", "relu_2", "act", "gone"], heard)
    [('conv', 0), ('relu', 0), ('relu', 1), None, None]
    """
    keys = [name if name in heard else unnumbered(name) for name in names]
    nodes, places = Counter(keys), Counter[str]()
    found: list[tuple[str, int] | None] = []
    for key in keys:
        found.append((key, places[key]) if nodes[key] == len(heard.get(key, ())) else None)
        places[key] += 1
    return found
