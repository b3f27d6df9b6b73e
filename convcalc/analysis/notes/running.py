"""Which ways out leave a network that runs: those that would not are not offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convcalc.analysis.notes.base import Facts
from convcalc.analysis.notes.ways import Change, Edit, Option, Way, applied
from convcalc.errors import ConvcalcError
from convcalc.layers import Linear
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.shapes import infer_shapes, node_shapes


def that_run(ways: Sequence[Way], facts: Facts) -> tuple[Way, ...]:
    """Return the ways, without the options after which another layer refuses what it gets.

    Where it is one linear layer that then gets other features, these are added to the option. Other sizes of a map
    inside are offered as they are: nothing says which input gives them.
    """
    kept = []
    for way in ways:
        options = tuple(new for option in way.options if (new := _running(way, option, facts)) is not None)
        if options or not way.options:
            kept.append(replace(way, options=options))
    return tuple(kept)


def _running(way: Way, option: Option, facts: Facts) -> Option | None:
    words, change = option
    if _runs(way, change, facts):
        return option
    if any(edit.setting == "size" for edit in change):
        return None
    more = _refitted(*applied(facts.known, facts.shapes, way, change))
    if more is None:
        return None
    (linear,) = more
    return f"{words} with in_features={linear.value} in {linear.node}", (*change, linear)


def _refitted(graph: Graph, given: dict[str, Shape]) -> Change | None:
    """The linear layer that refuses, with the features that it gets: where then all runs."""
    shapes, found = dict(given), None
    for node in graph:
        try:
            shapes |= node_shapes(node, shapes)
        except ConvcalcError:
            if found is not None or not isinstance(node.layer, Linear):
                return None
            found = Edit(node.name, "in_features", shapes[node.inputs[0]][-1])
            shapes |= node_shapes(replace(node, layer=replace(node.layer, in_features=found.value)), shapes)
    return None if found is None else (found,)


def runs_at(way: Way, change: Change, facts: Facts) -> bool:
    """Return whether the network runs on an input of another size: on the axes of a way, or on all axes alike."""
    graph = facts.graph.with_formulas if len(facts.nodes) == len(facts.graph) else facts.known
    if graph.capture is not None:  # this way alone: no other run
        graph = replace(graph, capture=replace(graph.capture, again=None))
    for axes in (way.axes, None):
        _, given = applied(graph, facts.shapes, replace(way, axes=axes), change)
        try:
            infer_shapes(graph, given)
        except ConvcalcError:
            continue
        return True
    return False


def _runs(way: Way, change: Change, facts: Facts) -> bool:
    if any(edit.setting == "size" for edit in change):
        return any(edit.node not in facts.graph.inputs for edit in change) or runs_at(way, change, facts)
    if any(edit.setting in ("bias", "before") for edit in change):
        return True
    graph, given = applied(facts.known, facts.shapes, way, change)
    if _keeps_shapes(graph, change, facts):
        return True
    try:
        infer_shapes(graph, given)
    except ConvcalcError:
        return False
    return True


def _keeps_shapes(graph: Graph, change: Change, facts: Facts) -> bool:
    """Whether the nodes that are changed give what they gave: then all behind them runs as before."""
    if any(edit.setting.startswith("into ") for edit in change):
        return False
    try:
        given = {name: shape for edit in change for name, shape in node_shapes(graph[edit.node], facts.shapes).items()}
    except ConvcalcError:
        return False
    return all(facts.shapes[name] == shape for name, shape in given.items())
