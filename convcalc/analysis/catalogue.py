"""The networks of the zoo as a list: what each is measured at, what it costs, how far it sees."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from convcalc.analysis.catalogue_text import network_text
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import PerAxis, Report
from convcalc.shown import Shown
from convcalc.zoo import MODELS, load


@dataclass(frozen=True, kw_only=True, repr=False)
class Network(Shown):
    """A network of the zoo on its own input."""

    name: str
    arguments: tuple[str, ...]
    """Each with its default, as it is written in a call: "classes=10"."""
    doc: str
    source: str
    report: Report

    @property
    def receptive_field(self) -> PerAxis:
        """The field of the last layer that sees a part of the input only."""
        return self._local[0]

    @property
    def stride(self) -> PerAxis:
        """The stride of that layer."""
        return self._local[1]

    @property
    def _local(self) -> tuple[PerAxis, PerAxis]:
        local = [
            (row.receptive_field, row.stride)
            for row in self.report.layers
            if None not in row.receptive_field and not row.is_global
        ]
        return local[-1] if local else ((), ())

    def __str__(self) -> str:
        return network_text(self)


def list_networks(names: Iterable[str] | None = None) -> tuple[Network, ...]:
    """Return the networks of these names or calls, such as "resnet18(classes=10)"; of all unless given, oldest first.

    >>> (lenet,) = list_networks(["lenet"])
    >>> lenet.report.params, lenet.receptive_field, lenet.arguments[-1]
    (61706, (16, 16), 'modern=False')
    """
    return tuple(_network(name) for name in (MODELS if names is None else names))


def _network(call: str) -> Network:
    graph = load(call)
    name = call.partition("(")[0].strip()
    build, source = MODELS[name]
    arguments = tuple(f"{entry.name}={entry.default!r}" for entry in inspect.signature(build).parameters.values())
    doc = (inspect.getdoc(build) or "").partition(">>>")[0].strip()
    return Network(name=name, arguments=arguments, doc=doc, source=source, report=inspect_graph(graph))
