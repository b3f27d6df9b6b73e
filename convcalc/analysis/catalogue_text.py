"""The networks of the zoo as a table, and one of them with its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcalc.analysis.report.text import shapes_text
from convcalc.render.words import count, labelled, plain, same_text
from convcalc.sizes.text import PRETTY, Style

if TYPE_CHECKING:
    from convcalc.analysis.catalogue import Network

SPARE = ("source", "stride", "output", "receptive field")
"""What a narrow terminal can do without, first to last."""


def zoo_columns(networks: Sequence[Network], style: Style = PRETTY) -> tuple[list[str], list[list[str]]]:
    """Return the headings and one row of texts a network.

    >>> from convcalc.analysis.catalogue import list_networks
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
        same_text([str(value) for value in network.receptive_field]),
        same_text([str(value) for value in network.stride]),
        network.source,
    ]


def network_lines(network: Network, style: Style = PRETTY) -> list[str]:
    """Return one network: call, sizes, costs, field, source, and what its arguments mean.

    >>> from convcalc.analysis.catalogue import list_networks
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


def network_text(network: Network) -> str:
    """Return the lines of one network as one text."""
    return "\n".join(network_lines(network))


def zoo_record(networks: Sequence[Network]) -> dict[str, Any]:
    """Return the JSON record: sizes and costs by the names of `inspect`."""
    return {"kind": "zoo", "networks": [_record(network) for network in networks]}


def _record(network: Network) -> dict[str, Any]:
    report = network.report
    return {
        "name": network.name,
        "arguments": list(network.arguments),
        "input": plain(report.input),
        "output": plain(report.output),
        "params": report.params,
        "macs": report.macs,
        "flops": report.flops,
        "receptive_field": plain(network.receptive_field),
        "stride": plain(network.stride),
        "source": network.source,
    }
