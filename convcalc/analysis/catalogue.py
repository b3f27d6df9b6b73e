"""The networks of the zoo as a list: what each is measured at, what it costs, how far it sees."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.analysis.report.report import Report
from convcalc.analysis.report.text import shapes_text
from convcalc.render.words import count, labelled, picked, plain, same_text
from convcalc.shown import Shown
from convcalc.sizes.text import PRETTY, Style
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

    def __str__(self) -> str:
        return "\n".join(network_lines(self))


def list_networks(names: Iterable[str] | None = None) -> tuple[Network, ...]:
    """Return the networks of these names or calls, such as "resnet18(classes=10)"; of all unless given, oldest first.

    >>> (lenet,) = list_networks(["lenet"])
    >>> lenet.report.params, lenet.report.reach.field, lenet.arguments[-1]
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


SPARE = ("source", "stride", "output", "receptive field")
"""What a narrow terminal can do without, first to last."""


def zoo_columns(networks: Sequence[Network], style: Style = PRETTY) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts a network.

    >>> zoo_columns(list_networks(["lenet"]))[1][0][:7]
    ['lenet', '1x28x28', '10', '61,706', '416,520', '16', '4']
    """
    columns = ["network", "input", "output", "params", "MACs", "receptive field", "stride", "source"]
    return columns, [_row(network, style) for network in networks]


def _row(network: Network, style: Style) -> list[str]:
    report = network.report
    return [
        network.name,
        shapes_text(report.inputs, style),
        shapes_text(report.outputs, style),
        count(report.params, style),
        count(report.macs, style),
        same_text([str(value) for value in network.report.reach.field]),
        same_text([str(value) for value in network.report.reach.stride]),
        network.source,
    ]


def network_lines(network: Network, style: Style = PRETTY) -> list[str]:
    """Return one network: call, sizes, costs, field, source, and what its arguments mean.

    >>> network_lines(list_networks(["lenet"])[0])[0]
    'lenet(in_channels=1, classes=10, modern=False)'
    """
    _, size, out, params, macs, field, stride, source = _row(network, style)
    facts = [
        ("shape", f"{size} -> {out}"),
        ("costs", f"{params} parameters, {macs} MACs"),
        ("receptive field", f"{field}, stride {stride}"),
        ("source", source),
    ]
    return [f"{network.name}({', '.join(network.arguments)})", labelled(facts, len("receptive field") + 2), network.doc]


def zoo_record(networks: Sequence[Network]) -> dict[str, Any]:
    """Return the JSON record: sizes and costs by the names of `inspect`."""
    return {"kind": "zoo", "networks": [_record(network) for network in networks]}


def _record(network: Network) -> dict[str, Any]:
    reach = network.report.reach
    return {
        **picked(network, "name arguments"),
        **picked(network.report, "input output params macs flops"),
        "receptive_field": plain(reach.field),
        "stride": plain(reach.stride),
        "source": network.source,
    }
