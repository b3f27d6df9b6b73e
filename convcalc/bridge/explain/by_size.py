"""Repairs that give the model an input of other sizes: the nearest of all at which it runs, by the algebra of sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from itertools import product
from operator import and_
from typing import Any

from convcalc.analysis.validity.legal import Legal
from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.bridge.capture.run import EXAMPLES, Run
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import taken_at
from convcalc.bridge.explain.bench import Bench, Repair
from convcalc.bridge.explain.failure import Failure
from convcalc.bridge.explain.reruns import Change
from convcalc.errors import ConvcalcError
from convcalc.layers import Concat, Layer, Shape, View
from convcalc.layers.base import written
from convcalc.layers.merge import Elementwise
from convcalc.network.capture import Capture
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.branch import Branch
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, every
from convcalc.sizes.words import words

torch = need_torch()

Sizes = Mapping[str, int]
"""A number for each letter."""


def by_size(bench: Bench) -> Iterator[Repair]:
    """The nearest sizes at which the whole model runs, of all that there are.

    First those at which the failing call passes. Where the model runs at the nearest of them, all its calls are known,
    and with them all the sizes at which it runs; where another call fails there, it is run at larger ones.
    """
    now, failure = _numbers(bench.first.run), bench.failure
    merges = isinstance(failure.layer, Concat | Elementwise)
    if not now or (merges and len(set(map(len, failure.shapes))) > 1):  # no size helps
        return
    found = _legal(bench.first, now)
    if found is None:
        yield from _by_branch(bench, now)
        return
    if not _is_near(found[0], now):
        return
    near = _at(bench, *found)
    outcome = bench.run(near.change)
    if outcome is not None and outcome.raised is None:
        yield _of_all(bench, near, outcome, found[1], now)
    elif outcome is not None:
        whole = _whole(bench, now) if bench.passes(outcome) else None
        yield whole or replace(near, known=outcome)


def _of_all(bench: Bench, near: Repair, outcome: Any, said: str, now: Sizes) -> Repair:
    """The nearest sizes of those at which the whole model runs, as a run that does has them."""
    found = _seen(outcome, now) if said else None
    if found is None or not _is_near(found[0], now):
        return replace(near, known=outcome)
    whole = _at(bench, *found)
    return replace(whole, known=outcome) if whole.what.partition(" (")[0] == near.what.partition(" (")[0] else whole


def _seen(outcome: Any, now: Sizes) -> tuple[Sizes, str] | None:
    """The nearest sizes, and the range they are from, by the graph of a run."""
    graph = outcome.graph()
    if graph.capture is not None:  # this way alone: no other run
        graph = replace(graph, capture=replace(graph.capture, again=None))
    return _nearest_of(_strictly(graph, outcome), _letters(outcome), now)


def _strictly(graph: Graph, outcome: Any) -> Graph:
    """A graph that refuses what would only hide a wrong size: another batch, or a size of 1 that serves all.

    Only where neither is so at the sizes at which it ran.
    """
    shapes = infer_shapes(graph, {name: tuple(map(int, value.shape)) for name, value in outcome.inputs.items()})
    nodes: list[Node] = []
    for node in graph:
        given = [shapes[name] for name in node.inputs]
        if isinstance(node.layer, View) and given[0][:1] == shapes[node.name][:1]:
            node = replace(node, layer=_with_batch(node.layer, given[0]))
        nodes.append(node)
        same = isinstance(node.layer, Elementwise) and len(given) > 1 and len({shape[1:] for shape in given}) == 1
        if same and len(given[0]) > 2 and 1 not in given[0][2:]:
            nodes.append(Node(f"{node.name} of equal sizes", Concat(0), node.inputs))
    return replace(graph, nodes=tuple(nodes))


def _with_batch(layer: View, shape: Shape) -> View:
    """A view to (-1, ...) with the batch in place of the -1."""
    flows = isinstance(layer.sizes[0], int) and layer.sizes[0] == -1
    return View((shape[0], *layer.sizes[1:])) if flows else layer


def usual_sizes(bench: Bench) -> Iterator[Repair]:
    """Yield the sizes that models are made for, the nearest three: for where nothing tells which."""
    now = _numbers(bench.first.run)
    near = sorted(EXAMPLES, key=lambda n: max((abs(n - size) for size in now.values()), default=0))
    for size in near[:3] if now else ():
        sizes = dict.fromkeys(now, size)
        if _is_near(sizes, now):
            yield _at(bench, sizes, "")


def _whole(bench: Bench, now: Sizes) -> Repair | None:
    """The nearest sizes at which the model runs, from a run at larger ones."""
    failure: Failure | None = bench.first
    for _ in range(2):
        large = None if failure is None else _legal(failure, {name: 4 * n for name, n in now.items()})
        outcome = None if large is None else bench.run(_at(bench, *large).change)
        if outcome is None:
            return None
        if outcome.raised is None:
            found = _seen(outcome, now)
            return None if found is None or not _is_near(found[0], now) else _at(bench, *found)
        failure = outcome.failure
    return None


def _at(bench: Bench, sizes: Sizes, said: str) -> Repair:
    """The inputs at these sizes."""
    shapes = {name: taken_at(shape, sizes) for name, shape in _letters(bench.first.run).items()}
    repair, more = shaped(bench, shapes), f" ({said})" if said else ""
    return replace(repair, what=f"{repair.what}{more}", command=f"{repair.command}{more}", sizes=True)


def _numbers(run: Run) -> Sizes:
    """The sizes that may change, as they are."""
    free = (size for shape in _letters(run).values() for size in shape if isinstance(size, Expr))
    return {str(size): run.journal.numbers[str(size)] for size in free}


def _is_near(sizes: Sizes, now: Sizes) -> bool:
    """Whether sizes are others, and such as the user may have meant: within four times."""
    return dict(sizes) != dict(now) and all(n <= 4 * now[name] and now[name] <= 4 * n for name, n in sizes.items())


def _letters(run: Run) -> dict[str, Shape]:
    """The input shapes in letters; inputs of different sizes have the same where there would be too many to decide."""
    letters = dict(zip(run.inputs, run.letters, strict=True))
    spatial = {shape[2:] for shape in letters.values()}
    if len(set().union(*spatial)) > 2 and len({len(some) for some in spatial}) == 1:
        first = next(iter(letters.values()))[2:]
        return {name: (*shape[:2], *first) for name, shape in letters.items()}
    return letters


def _legal(failure: Failure, now: Sizes) -> tuple[Sizes, str] | None:
    """The sizes at which all calls up to the failing one pass, by the algebra of sizes."""
    run = failure.run
    if failure.layer is None:
        return None
    drawn = run.drawn(failure.values)
    try:
        nodes = drawn.nodes()
        last = Node(failure.place, _strict(failure), [drawn.reference(value) for value in failure.values])
        capture = Capture(letters=run.letters, path=tuple(run.journal.watch.path))
        graph = Graph([*nodes, last], tuple(run.inputs), (last.name,), capture=capture)
    except (ConvcalcError, KeyError):
        return None
    return _nearest_of(graph, _letters(run), now)


def _strict(failure: Failure) -> Layer:
    """The failing layer, without what would only hide a wrong size.

    A view to (-1, features) with the batch in place of the -1; an addition without sizes of 1 that serve all.
    """
    layer, shapes = failure.layer, failure.shapes
    assert layer is not None  # noqa: S101 -- it has a rule
    if isinstance(layer, View) and shapes:
        return _with_batch(layer, shapes[0])
    if isinstance(layer, Elementwise) and len(set(map(len, shapes))) == 1:
        axes = [set(sizes) for sizes in zip(*shapes, strict=True)]
        agreed = [axis for axis, sizes in enumerate(axes) if len(sizes) == 1 or (axis == 0 and 1 in sizes)]
        if agreed and all(len(sizes) == 1 or 1 not in sizes for axis, sizes in enumerate(axes) if axis != agreed[0]):
            return Concat(agreed[0])
    return layer


def _nearest_of(graph: Graph, letters: Mapping[str, Shape], now: Sizes) -> tuple[Sizes, str] | None:
    """The sizes near those now at which a graph runs, and the range they are from."""
    try:
        legal = valid_sizes(graph, letters)
    except ConvcalcError:
        return None
    sizes = _nearest(legal, tuple(now[axis] for axis in legal.axes)) if legal.runs else None
    return None if sizes is None else (dict(zip(legal.axes, sizes, strict=True)), _words(legal, sizes))


def _nearest(legal: Legal, now: tuple[int, ...]) -> tuple[int, ...] | None:
    """Legal sizes near those given: all equal where those are, unless an axis may stay as it is.

    Without a dropped row where some of a run are.
    """
    boxes = legal.runs.boxes
    found = None
    kept = len(boxes) == 1 and any(n in one for n, one in zip(now, boxes[0], strict=True))  # no axis needs the others
    if len(set(now)) == 1 and not kept:
        equal = [near for box in boxes for near in reduce(and_, box).nearest(now[0]) if near]
        if equal:
            best = min(equal, key=lambda n: (abs(n - now[0]), n))
            found = (best,) * len(now)
    if found is None:
        near = [sizes for sizes in legal.runs.nearest(now) if all(sizes)]
        found = near[0] if near else None
    if found is None:
        return None
    around = product(*(_around(box, n) for box, n in zip(_box(boxes, found), found, strict=True)))
    square = len(set(found)) == 1
    clean = [n for n in around if n in legal.exact and (not square or len(set(n)) == 1)]
    return min(clean, key=lambda n: (sum(abs(a - b) for a, b in zip(n, found, strict=True)), n)) if clean else found


def _box(boxes: Any, sizes: tuple[int, ...]) -> Any:
    return next(box for box in boxes if all(n in one for n, one in zip(sizes, box, strict=True)))


def _around(sizes: SizeSet, n: int) -> list[int]:
    """The members around n without a gap, where there are few: 16 to each side at most."""
    first = last = n
    while sizes.is_finite and first - 1 in sizes and first > max(1, n - 16):
        first -= 1
    while sizes.is_finite and last + 1 in sizes and last < n + 16:
        last += 1
    return list(range(first, last + 1))


def _words(legal: Legal, sizes: tuple[int, ...]) -> str:
    """The range that these sizes are from, and how many more there are."""
    box = _box(legal.runs.boxes, sizes)
    if len(box) > 1 and all(one == box[0] for one in box):
        text = words(box[0], " and ".join(legal.axes)).replace(" is ", " = ")
    else:
        pairs = zip(legal.axes, box, strict=True)
        text = ", ".join(words(one, axis) for axis, one in pairs if one != every())
    more = len(legal.runs.boxes) - 1
    others = f"; {more:,} more range{'s' if more > 1 else ''}" if more else ""
    seen = "" if legal.window is None else f"{'' if more else ', seen'} below {min(legal.window.values()):,}"
    return f"{text}{others}{seen}"


def _by_branch(bench: Bench, now: Sizes) -> Iterator[Repair]:
    """The nearest sizes at which the last comparison goes the other way, where the user's code raises after it.

    One axis alone is changed where that is enough.
    """
    path = list(bench.first.journal.watch.path)
    if not bench.first.by_user or not path or not path[-1].is_known:
        return
    tried = [sizes for sizes in _other_way(path[-1], now) if _is_near(sizes, now)]
    outcomes = [(_at(bench, sizes, ""), bench.run(_at(bench, sizes, "").change)) for sizes in tried]
    ran = next(((near, one) for near, one in outcomes if one is not None and one.raised is None), None)
    if ran is not None:
        yield _of_all(bench, *ran, "as captured", now)
    else:
        yield from (replace(near, known=one) for near, one in outcomes[-1:] if one is not None)


def _other_way(branch: Branch, now: Sizes) -> Iterator[Sizes]:
    """The nearest sizes at which a comparison goes the other way: one axis changed, all equal, all moved."""
    even = dict.fromkeys(now, max(now.values()))
    ways = [(now, [name]) for name in now] + [(even, list(now)), (now, list(now))]
    for start, moved in ways:
        steps = (sign * distance for distance in range(1, 1025) for sign in (1, -1))
        shifted = ({name: n + step * (name in moved) for name, n in start.items()} for step in steps)
        found = next((sizes for sizes in shifted if min(sizes.values()) > 0 and not branch.holds(sizes)), None)
        if found is not None:
            yield found


def shaped(bench: Bench, shapes: Mapping[str, Shape], cause: str = "") -> Repair:
    """Return the inputs of other shapes: `input_size=` in Python, and without the batch on the command line."""

    def inputs(given: dict[str, Any]) -> dict[str, Any]:
        return {name: _blank(value, shapes.get(name, tuple(value.shape))) for name, value in given.items()}

    given = bench.first.run.inputs
    every = {name: shapes.get(name, tuple(value.shape)) for name, value in given.items()}
    texts = [written(tuple(map(int, shape))) for shape in every.values()]
    command = " ".join(f"--input {'x'.join(map(str, shape[1:]))}" for shape in every.values())
    if not all(value.is_floating_point() for value in given.values()):
        what = f"inputs of shape {', '.join(f'{name} {text}' for name, text in zip(every, texts, strict=True))}"
    else:
        what = f"input_size={texts[0]}" if len(texts) == 1 else f"input_size=({', '.join(texts)})"
    return Repair(what, Change(inputs=inputs), cause, command=command)


def _blank(value: Any, shape: Shape) -> Any:
    return torch.empty(tuple(map(int, shape)), dtype=value.dtype, device="meta")
