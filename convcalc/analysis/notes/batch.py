"""Notes on the batch: views that mix samples."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.analysis.notes.base import Facts, Remark
from convcalc.layers import View


def mixed_samples(facts: Facts) -> Iterator[Remark]:
    """`view(-1, features)` of maps where a sample has another number of values: rows that are no samples.

    Silent where the last axis stays, as where tokens become rows.
    """
    for node in facts.nodes:
        layer = node.layer
        if isinstance(layer, View) and len(layer.sizes) == 2 and isinstance(layer.sizes[0], int) and layer.sizes[0] < 0:
            shape, out = facts.shapes[node.inputs[0]], facts.shapes[node.name]
            known = all(isinstance(size, int) for size in (*shape, *out))
            if known and len(shape) > 2 and out[0] != shape[0] and out[1] != shape[-1]:
                yield node, _message(shape[0], out[0], out[1]), "x.flatten(1), which keeps each sample a row"


def _message(samples: int, rows: int, features: int) -> str:
    before = "1 sample becomes" if samples == 1 else f"{samples} samples become"
    after = "1 row" if rows == 1 else f"{rows} rows"
    return f"{before} {after} of {features}: a sample has another number of values"
