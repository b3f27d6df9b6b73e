"""The networks of the zoo as a list: what each is measured at, what it costs, how far it sees."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.analysis.report.layer import PerAxis
from convcalc.analysis.report.text import shapes_text
from convcalc.layers.base import Shape
from convcalc.render.words import count, labelled, picked, plain, same_text, single
from convcalc.shown import Shown
from convcalc.sizes.size import Size
from convcalc.sizes.text import PRETTY, Style
from convcalc.zoo import MODELS, load
from convcalc.zoo.costs import COSTS


@dataclass(frozen=True, kw_only=True, repr=False)
class Network(Shown):
    """A network of the zoo on its own input."""

    name: str
    arguments: tuple[str, ...]
    """Each with its default, as it is written in a call: "classes=10"."""
    doc: str
    source: str
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    params: Size
    macs: Size
    field: PerAxis
    stride: PerAxis
    """Of the last layer that sees a part of the input, as `convcalc.analysis.report.report.Reach`."""

    def __str__(self) -> str:
        return "\n".join(network_lines(self))


def list_networks(names: Iterable[str] | None = None) -> tuple[Network, ...]:
    """Return the networks of these names or calls, such as "resnet18(classes=10)"; of all unless given, oldest first.

    >>> (lenet,) = list_networks(["lenet"])
    >>> lenet.params, lenet.field, lenet.arguments[-1]
    (61706, (16, 16), 'modern=False')
    """
    return tuple(_network(name) for name in (MODELS if names is None else names))


def _network(call: str) -> Network:
    name = call.partition("(")[0].strip()
    known = known_costs(name) if call in COSTS else counted_costs(call)
    build, source = MODELS[name]
    arguments = tuple(f"{entry.name}={entry.default!r}" for entry in inspect.signature(build).parameters.values())
    doc = (inspect.getdoc(build) or "").partition(">>>")[0].strip()
    return Network(name=name, arguments=arguments, doc=doc, source=source, **known)


def known_costs(name: str) -> dict[str, Any]:
    """Return the sizes and costs of a network without arguments, as they are written down.

    >>> known_costs("lenet")["params"]
    61706
    """
    costs = COSTS[name]
    axes = len(costs.input) - 2
    return {
        "inputs": {"input": costs.input},
        "outputs": {"output": costs.output},
        "params": costs.params,
        "macs": costs.macs,
        "field": (costs.field,) * axes,
        "stride": (costs.stride,) * axes,
    }


def counted_costs(call: str) -> dict[str, Any]:
    """Return the same of any network of the zoo, counted.

    >>> counted_costs("lenet")["params"]
    61706
    """
    from convcalc.analysis.report.inspection import inspect_graph  # the list is read without it

    report = inspect_graph(load(call))
    return {
        **{name: getattr(report, name) for name in ("inputs", "outputs", "params", "macs")},
        "field": report.reach.field,
        "stride": report.reach.stride,
    }


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
    return [
        network.name,
        shapes_text(network.inputs, style),
        shapes_text(network.outputs, style),
        count(network.params, style),
        count(network.macs, style),
        same_text([str(value) for value in network.field]),
        same_text([str(value) for value in network.stride]),
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
    inputs, outputs = (plain(list(shapes.values())) for shapes in (network.inputs, network.outputs))
    return {
        **picked(network, "name arguments"),
        "input": single(inputs),
        "output": single(outputs) if outputs else None,
        **picked(network, "params macs"),
        "flops": plain(2 * network.macs),
        "receptive_field": plain(network.field),
        "stride": plain(network.stride),
        "source": network.source,
    }
