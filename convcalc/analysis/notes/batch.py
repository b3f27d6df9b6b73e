"""Notes on what runs and mixes values: of several samples, or of several places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc.analysis.notes.base import Facts, Remark
from convcalc.analysis.notes.ways import Change, Edit, Way, edits
from convcalc.layers import Concat, Flatten, Linear, Pad, Permute, View
from convcalc.layers.base import product, written
from convcalc.layers.merge import Elementwise
from convcalc.network.node import Node


def mixed_samples(facts: Facts) -> Iterator[Remark]:
    """`view(-1, features)` of maps where a sample has another number of values: rows that are no samples.

    Silent where the last axis stays, as where tokens become rows.
    """
    for node in facts.nodes:
        layer = node.layer
        if isinstance(layer, View) and len(layer.sizes) == 2 and isinstance(layer.sizes[0], int) and layer.sizes[0] < 0:
            shape, out = facts.shapes[node.inputs[0]], facts.shapes[node.name]
            if _known(shape, out) and len(shape) > 2 and out[0] != shape[0] and out[1] != shape[-1]:
                yield node, _message(shape[0], out[0], out[1]), (_flattened(node, product(shape[1:]), facts),)


def _message(samples: int, rows: int, features: int) -> str:
    before = "1 sample becomes" if samples == 1 else f"{samples} samples become"
    after = "1 row" if rows == 1 else f"{rows} rows"
    return f"{before} {after} of {features}: a sample has another number of values"


def _flattened(node: Node, features: int, facts: Facts) -> Way:
    """A flatten, and the linear layers that read it with the features of a sample."""
    change: Change = (Edit(node.name, "layer", Flatten()),)
    linear = [reader.name for reader in _next(node.name, facts) if isinstance(reader.layer, Linear)]
    change += tuple(Edit(name, "in_features", features) for name in linear)
    more = f", and in_features={features} in {' and '.join(linear)}" if linear else ""
    return Way("{}", ((f"x.flatten(1), which keeps each sample a row{more}", change),))


def _next(name: str, facts: Facts) -> Iterator[Node]:
    """The nodes that read a node, behind those that keep its shape."""
    for reader in facts.readers[name]:
        if not isinstance(reader.layer, Linear) and facts.shapes[reader.name] == facts.shapes[name]:
            yield from _next(reader.name, facts)
        else:
            yield reader


# -- shapes that broadcast by chance -------------------------------------------------------------------------------


def crossed_batches(facts: Facts) -> Iterator[Remark]:
    """(N, 1) beside (N,): one value a sample each, of which torch combines each with each, to (N, N).

    Silent of parameters and buffers, which are no batch.
    """
    for node in facts.nodes:
        shapes = [facts.shapes[name] for name in node.inputs]
        if not isinstance(node.layer, Elementwise) or len(shapes) != 2 or not _known(*shapes):
            continue
        for flat, column in ((0, 1), (1, 0)):
            n = shapes[flat][0] if len(shapes[flat]) == 1 else None
            ones = (1,) * (len(shapes[column]) - 1)
            if n and ones and shapes[column] == (n, *ones) and _of_a_batch(node.inputs[flat], facts):
                name, other = node.inputs[flat], node.inputs[column]
                index = f"[:{', None' * len(ones)}]"
                change = (Edit(name, f"into {node.name}", View((n, *ones))),)
                message = f"{other} {written((n, *ones))} and {name} ({n},) give {written(facts.shapes[node.name])}"
                text = f"{name}{index}, which keeps a value for each sample"
                way = Way("{}", ((text, change),))
                yield node, f"{message}: each sample meets all others", (way,)


def _of_a_batch(name: str, facts: Facts) -> bool:
    producer = facts.producer(name)
    return producer is None or not producer.layer.is_source


def view_for_permute(facts: Facts) -> Iterator[Remark]:
    """A view from (N, H, W, C) to (N, C, H, W), or back: the shape of a permute, and the values in another order.

    Silent where only sizes of 1 move, and of what was just padded or joined, whose rows a view shifts on purpose.
    """
    for node in facts.nodes:
        if not isinstance(node.layer, View):
            continue
        shape, out = facts.shapes[node.inputs[0]], facts.shapes[node.name]
        producer = facts.producer(node.inputs[0])
        if not _known(shape, out) or isinstance(producer and producer.layer, Pad | Concat):
            continue
        rank = len(shape)
        first, last = (0, rank - 1, *range(1, rank - 1)), (0, *range(2, rank), 1)
        fit = [order for order in (first, last) if rank > 2 and out == tuple(shape[axis] for axis in order) != shape]
        moved = [[axis for axis in order if shape[axis] != 1] for order in fit]
        if fit and all(axes != sorted(axes) for axes in moved):
            text = f"x.permute{written(fit[0])}, which moves the axis"
            way = Way("{}", ((text, edits(node.name, layer=Permute(fit[0]))),))
            message = f"a view from {written(shape)} to {written(out)} keeps the order of the values"
            yield node, f"{message}: the axes are not moved, but cut anew", (way,)


def _known(*shapes: Any) -> bool:
    return all(isinstance(size, int) for shape in shapes for size in shape)
