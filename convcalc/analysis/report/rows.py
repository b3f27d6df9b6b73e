"""A report with fewer rows: blocks summed, or some ops alone. Totals stay the sums of the rows that are left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from convcalc.analysis.report.layer import LayerReport
from convcalc.analysis.report.report import Report
from convcalc.layers.base import product
from convcalc.network.node import path_at


def fold_blocks(report: Report, depth: int) -> Report:
    """Return the report with a row for each block: nodes that share the first `depth` steps of their path.

    A block has the op "block", the costs of its nodes together, and the output and field of the last of those that
    are read outside of it. A single node stays itself, and so do the nodes of a block that refuses its input.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import resnet18
    >>> [(row.name, row.op, row.params) for row in fold_blocks(inspect_graph(resnet18()), 1).layers][3:6]
    [('maxpool', 'maxpool', 0), ('layer1', 'block', 147968), ('layer2', 'block', 525568)]
    """
    blocks: dict[str, list[LayerReport]] = {}
    failed = path_at(report.error.place, depth) if report.error else None
    for row in report.layers:
        path = path_at(row.name, depth)
        blocks.setdefault(row.name if path == failed else path, []).append(row)
    home = {row.name: path for path, rows in blocks.items() for row in rows}
    read = {name for row in report.layers for name in row.inputs if home.get(name) != home[row.name]}
    read |= set(report.ends)
    folded = (
        replace(rows[0], inputs=_homes(rows[0].inputs, home))
        if len(rows) == 1 and rows[0].name == path
        else _block(path, rows, read, home)
        for path, rows in blocks.items()
    )
    return replace(report, layers=tuple(folded))


def _block(path: str, rows: Sequence[LayerReport], read: Collection[str], home: dict[str, str]) -> LayerReport:
    ends = [row for row in rows if row.name in read] or [rows[-1]]
    last = ends[-1]
    outside = [name for row in rows for name in row.inputs if home.get(name) != path]
    return LayerReport(
        name=path,
        op="block",
        args={"nodes": len(rows)},
        inputs=_homes(outside, home),
        output=last.output,
        outputs=tuple(row.output for row in ends),
        symbolic=last.symbolic,
        params=sum(row.params for row in rows),
        shared=all(row.shared for row in rows),
        macs=sum(row.macs for row in rows),
        field=last.field,
        trainable=sum(row.trainable for row in rows),
        weight_bytes=sum(row.weight_bytes for row in rows),
        constant=all(row.constant for row in rows),
        counted=all(row.counted for row in rows),
    )


def _homes(names: Sequence[str], home: dict[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(home.get(name, name) for name in names))


def select_ops(report: Report, ops: Collection[str]) -> Report:
    """Return the report with the rows of some ops alone; a remark says what all rows have.

    >>> from convcalc.analysis.report.inspection import inspect_graph
    >>> from convcalc.zoo import lenet
    >>> convs = select_ops(inspect_graph(lenet()), ["conv"])
    >>> [row.name for row in convs.layers], convs.params, convs.remarks
    (['conv1', 'conv2'], 2572, ('2 of 12 rows: conv; all rows have 61706 parameters and 416520 MACs',))
    """
    rows = tuple(row for row in report.layers if row.op in ops)
    remark = (
        f"{len(rows)} of {len(report.layers)} rows: {', '.join(sorted(ops))}; all rows have {report.params} "
        f"parameters and {report.macs} MACs"
    )
    elements = sum((product(shape) for row in rows for shape in row.outputs), 0)
    return replace(report, layers=rows, activations=elements, peak=None, remarks=(*report.remarks, remark))
