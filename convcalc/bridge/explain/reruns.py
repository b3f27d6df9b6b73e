"""A model run once more with one thing changed: a module, the arguments of one call, or the inputs.

Each run is on a fresh copy on meta; the user's module is never touched. A change counts where the call that failed
now passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from convcalc.bridge.capture.inputs import with_tensors
from convcalc.bridge.capture.isolation import silent
from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.recorder import Recorder
from convcalc.bridge.capture.run import Run
from convcalc.bridge.capture.settings import Settings
from convcalc.bridge.device import need_torch
from convcalc.bridge.explain.failure import Failure, read_failure

torch = need_torch()


class Site(NamedTuple):
    """One call among all of a run: the `number`th of a function in the forward of a module, from 0."""

    path: str
    function: Any
    number: int


@dataclass(frozen=True)
class Change:
    """What is other in a run: modules by path, arguments and results of calls, inputs by name, and so on."""

    modules: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    calls: Mapping[Site, Callable[[Any, Any], Any]] = field(default_factory=dict)
    results: Mapping[Site, Any] = field(default_factory=dict)
    functions: Mapping[Site, Any] = field(default_factory=dict)
    """The functions that are called in the place of others."""
    inputs: Callable[[dict[str, Any]], dict[str, Any]] = dict
    feeds: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """What is done to the first input of a module, by path, and to the same tensor where it is read again."""
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Parameters and buffers of other shapes, by path."""

    def __or__(self, other: Change) -> Change:
        """Both, the inputs by this one first."""
        names = [entry.name for entry in fields(self) if entry.name != "inputs"]
        both = {name: {**getattr(self, name), **getattr(other, name)} for name in names}
        return Change(**both, inputs=lambda inputs: other.inputs(self.inputs(inputs)))


class Changed(Recorder):
    """A recorder that changes calls on their way, and remembers which passed."""

    def __init__(self, change: Change, copier: Copier, settings: Settings) -> None:
        super().__init__(copier, settings)
        self.change = change
        self.counts: Counter[tuple[str, Any]] = Counter()
        self.passed: set[Site] = set()
        self.last: Site | None = None
        """The latest call that did not pass."""
        self.sites: dict[int, Site] = {}
        """The site of each recorded call, by its place among them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """As the recorder, with the change at this call."""
        path = self.standing.frame.path if self.standing.frame else ""
        site = Site(path, func, self.counts[path, func])
        self.counts[path, func] += 1
        if site in self.change.results:
            self.passed.add(site)
            return self.change.results[site]
        alter = self.change.calls.get(site)
        if alter is not None:
            args, kwargs = alter(args, kwargs or {})
        self.last = site
        out = super().__torch_function__(self.change.functions.get(site, func), types, args, kwargs)
        self.passed.add(site)
        self.sites[len(self.journal.calls) - 1] = site
        return out


class Rerun(Run):
    """A run once more of what another ran, with a change."""

    recorder: Changed

    def __init__(self, run: Run, change: Change) -> None:
        self.change = change
        fresh = change.inputs(dict(run.inputs))
        given = with_tensors((run.args, run.kwargs), [fresh[name] for name in run.inputs])
        with silent():
            super().__init__(run.original, given, run.settings.tried(plain=""))

    def _recorder(self, copier: Copier) -> Changed:
        return Changed(self.change, copier, self.settings)

    def _changed(self, twin: Any) -> Any:
        for path, build in self.change.modules.items():
            twin = replaced(twin, path, build())
        for path, shape in self.change.tensors.items():
            _resize(twin, path, shape)
        for path, feed in self.change.feeds.items():
            twin.get_submodule(path).register_forward_pre_hook(_fed(feed))
        return twin

    @property
    def failure(self) -> Failure | None:
        """Where it fails; None where it runs."""
        return None if self.raised is None else read_failure(self.raised, self)


def replaced(twin: Any, path: str, module: Any) -> Any:
    """Put a module at a path; returns the root, which is the module itself where the path is empty."""
    if not path:
        return module
    parent, _, name = path.rpartition(".")
    twin.get_submodule(parent)._modules[name] = module
    return twin


def _resize(twin: Any, path: str, shape: tuple[int, ...]) -> None:
    """Put a parameter or buffer of another shape at a path."""
    parent, _, name = path.rpartition(".")
    module = twin.get_submodule(parent)
    new = torch.empty(shape, dtype=getattr(module, name).dtype, device="meta")
    if name in module._parameters:
        module._parameters[name] = torch.nn.Parameter(new, requires_grad=module._parameters[name].requires_grad)
    else:
        setattr(module, name, new)


def _fed(feed: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda module, args: tuple(feed(args[0]) if arg is args[0] else arg for arg in args)
