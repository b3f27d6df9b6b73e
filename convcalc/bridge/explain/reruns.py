"""A model run once more with one thing changed: a module, the arguments of one call, or the inputs.

Each run is on a fresh copy on meta; the user's module is never touched. A change counts where the call that failed
now passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from convcalc.bridge.copying import Copier
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.failure import Failure, read_failure
from convcalc.bridge.recorder import Recorder
from convcalc.bridge.state import unchanged
from convcalc.bridge.trace import Run

torch = need_torch()


class Site(NamedTuple):
    """One call among all of a run: the `number`th of a function in the forward of a module, from 0."""

    path: str
    function: Any
    number: int


@dataclass(frozen=True)
class Change:
    """What is other in a run: new modules by path, arguments of calls, results of calls, the inputs by name."""

    modules: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    calls: Mapping[Site, Callable[[Any, Any], Any]] = field(default_factory=dict)
    results: Mapping[Site, Any] = field(default_factory=dict)
    inputs: Callable[[dict[str, Any]], dict[str, Any]] = dict

    def __or__(self, other: Change) -> Change:
        """Both, the inputs by this one first."""
        return Change(
            {**self.modules, **other.modules},
            {**self.calls, **other.calls},
            {**self.results, **other.results},
            lambda inputs: other.inputs(self.inputs(inputs)),
        )


class Changed(Recorder):
    """A recorder that changes calls on their way, and remembers which passed."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change
        self.counts: Counter[tuple[str, Any]] = Counter()
        self.passed: set[Site] = set()
        self.last: Site | None = None
        """The latest call that did not pass."""
        self.sites: dict[int, Site] = {}
        """The site of each recorded call, by its place among them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """As the recorder, with the change at this call."""
        path = self.stack[-1].path if self.stack else ""
        site = Site(path, func, self.counts[path, func])
        self.counts[path, func] += 1
        if site in self.change.results:
            self.passed.add(site)
            return self.change.results[site]
        alter = self.change.calls.get(site)
        if alter is not None:
            args, kwargs = alter(args, kwargs or {})
        self.last = site
        out = super().__torch_function__(func, types, args, kwargs)
        self.passed.add(site)
        self.sites[len(self.calls) - 1] = site
        return out


class Rerun(Run):
    """A run once more of what another ran, with a change."""

    recorder: Changed

    def __init__(self, run: Run, change: Change) -> None:
        self.original, self.settings, self.name = run.original, run.settings, run.name
        self.recorder = Changed(change)
        self.error, self.raised, self.output = None, None, None
        self.inputs, self.calls = {}, {}
        fresh = change.inputs(dict(run.inputs))
        known = {id(value): fresh[name] for name, value in run.inputs.items()}
        args = [known.get(id(value), value) for value in run.args]
        kwargs = {name: known.get(id(value), value) for name, value in run.kwargs.items()}
        with unchanged():
            copier = Copier()
            twin = copier.module(run.original).train(run.settings["train"])
            for path, build in change.modules.items():
                twin = replaced(twin, path, build())
            self.twin = twin
            self.args, self.kwargs = self._receive(twin, args, kwargs)
            self.recorder.know(twin, copier.attributes)
            try:
                with self.recorder:
                    self.output = twin(*self.args, **self.kwargs)
            except Exception as error:
                self.raised = error

    @property
    def failure(self) -> Failure | None:
        """Where it fails; None where it runs."""
        return None if self.raised is None else read_failure(self.raised, self.recorder, self)


def replaced(twin: Any, path: str, module: Any) -> Any:
    """Put a module at a path; returns the root, which is the module itself where the path is empty."""
    if not path:
        return module
    parent, _, name = path.rpartition(".")
    twin.get_submodule(parent)._modules[name] = module
    return twin
