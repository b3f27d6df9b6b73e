"""Which input sizes a captured model accepts: its ways, one after another, until they cover all sizes.

Each capture settles a region (`of_capture`); the model is captured again at a size that none has settled yet.
Each way is then checked: at some sizes of its region the model is captured once more, to see whether it does what
was said. Where the regions cover every size, the answer is proved. What is left after `CAPTURES` of them is tried, by
really capturing the model at each size of a window; of the rest nothing is known, until one asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from convcalc.analysis.validity.decide import with_export
from convcalc.analysis.validity.joins import other_sizes
from convcalc.analysis.validity.legal import Legal, all_sizes, one_size
from convcalc.analysis.validity.of_capture import Seen, letters_of, merged, see, see_one_size
from convcalc.analysis.validity.one_axis import near as first_from
from convcalc.errors import Unknown
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.sizes.boxes import united
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet

CAPTURES = 12
"""The most ways that are looked for; `chunk(k)`, which gives 1 to k pieces, may have as many more."""

AROUND = 32
"""How far around the first size single sizes are tried where ways do not cover all."""

CHECKS = 24
"""At how many sizes the answer is checked, the same number on each way; on any way at `FEWEST`."""

FEWEST = 4
"""On each way at least at so many sizes."""

SECONDS = 10.0
"""Seconds of processor time after which no more ways are looked for: the sizes that are left are not known."""


def valid_sizes_of_captured(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str]) -> Legal:
    """Return the sizes that a captured model accepts, where `shapes` are its input shapes with `axes` as symbols.

    Raises what the model raises whatever the sizes.
    """
    return _Search(graph, shapes, axes).legal()


class _Search:
    """Captures of one model, and what they have settled so far."""

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str]) -> None:
        self.graph, self.shapes, self.axes = graph, shapes, tuple(axes)
        self.end = time.process_time() + SECONDS
        self.seen: list[Seen] = []
        self.captured: list[tuple[Graph, Mapping[str, int]]] = []
        self.points: set[tuple[int, ...]] = set()
        self.trusted = True
        self.checked = 0
        self.left = all_sizes(self.axes, 1)  # an image of no rows is none
        self.start = self._example()
        self.most = CAPTURES + sum(node.layer.ways for node in graph)

    def _example(self) -> dict[str, int]:
        """The sizes that the graph was captured at."""
        numbers = zip(self.graph.inputs, self.graph.example or (), strict=True)
        pairs = [pair for name, shape in numbers for pair in zip(self.shapes[name], shape, strict=True)]
        return {str(letter): int(size) for letter, size in pairs if str(letter) in self.axes}

    def legal(self) -> Legal:
        self._look(self.graph, self.start)
        self._tell_axes_apart()
        capture = self.graph.capture
        whatever = capture is not None and not (capture.path or capture.lost)
        if capture is not None and capture.error is not None and capture.raised and whatever:
            raise capture.error
        self._cover()
        tried = ""
        while not self._as_said() or (self.left and not tried):
            tried = self._try()
        runs = united(self.axes, (one.runs for one in self.seen))
        unknown = self.left - united(self.axes, (one.known for one in self.seen if not one.is_way))
        errors = [one.error for one in self.seen if not one.is_way]
        if not runs and not unknown and len(errors) == len(self.seen) and errors[0] is not None:
            raise errors[0]
        captures = [graph.capture for graph, _ in self.captured if graph.capture is not None]
        legal = Legal(
            axes=self.axes,
            runs=runs,
            exact=united(self.axes, (one.exact for one in self.seen)),
            proved=not unknown,
            window={axis: n + AROUND for axis, n in self.start.items()} if unknown else None,
            reasons=merged([reason for one in self.seen for reason in one.reasons]),
            ways=tuple(sorted((way for one in self.seen for way in one.ways), key=lambda way: way.only_at is None)),
            tried=tried,
            unknown=unknown,
            lost=tuple(dict.fromkeys(text for one in captures for text in one.lost)),
            assumed=tuple(dict.fromkeys(text for one in captures for text in one.assumed)),
            ask=self._asked,
        )
        for one, (graph, _) in zip(self.seen, self.captured, strict=True):
            branches = graph.capture is not None and graph.capture.path  # which the exporter bounds sizes by
            if one.inner is not None and not branches and not (runs - one.runs):
                return replace(legal, export=with_export(replace(legal, ways=one.ways), one.inner).export)
        return legal

    def _asked(self, sizes: Mapping[str, int]) -> Legal:
        """What capturing the model at one size tells."""
        graph = self._capture(sizes)
        if graph is None:
            raise Unknown(f"whether {', '.join(f'{axis} = {n}' for axis, n in sizes.items())} runs is not known")
        seen = see_one_size(graph, self.shapes, self.axes, sizes)
        if not seen.known and seen.error is not None:
            raise seen.error
        runs, exact = bool(seen.runs), bool(seen.exact)
        return one_size(self.axes, sizes, runs=runs, exact=exact, reasons=seen.reasons, ways=seen.ways)

    def _tell_axes_apart(self) -> None:
        """Sizes with names of their own get letters of their own where they differ."""
        if self.seen[0].is_way or self.graph.capture is None:
            return
        apart = {axis: n + AROUND * place for place, (axis, n) in enumerate(self.start.items())}
        if len(self.graph.inputs) > 1 and len(set(self.start.values())) < len(self.start):
            again = self._capture(apart)
            if again is not None:
                self._look(again, apart)
                self.start = apart if self.seen[-1].is_way else self.start

    def _cover(self) -> None:
        """Look for ways until they cover all sizes, or no more are found."""
        while self.left and len(self.seen) < self.most and time.process_time() < self.end:
            sizes = self._other_sizes()
            if sizes is None and self.seen[-1].is_way:
                sizes = self.left.nearest(tuple(self.start[axis] for axis in self.axes), 1)[0]
            if sizes is None or sizes in self.points or not self._at(dict(zip(self.axes, sizes, strict=True))):
                return

    def _other_sizes(self) -> tuple[int, ...] | None:
        """Sizes at which the way that was seen last shows what its tests do where they come out otherwise."""
        graph, sizes = self.captured[-1]
        letters = {} if graph.capture is None else letters_of(graph, graph.capture, self.shapes) or {}
        return other_sizes(graph, letters, sizes, self.left)

    def _try(self) -> str:
        """Try the sizes around the first that no way has settled; what was tried, in words."""
        sizes = [one for one in self._window() if tuple(one.values()) in self.left]
        done = 0
        for one in sizes:
            new = tuple(one.values()) in self.left and tuple(one.values()) not in self.points
            if new and (time.process_time() > self.end or not self._at(one)):
                break
            done += 1
        return self._words(done, len(sizes))

    def _window(self) -> Iterator[dict[str, int]]:
        """Each axis alone, then all together, from `AROUND` before the first size to as many after it."""
        steps = sorted(range(-AROUND, AROUND), key=abs)
        moved = [(axis,) for axis in self.axes] + ([self.axes] if len(self.axes) > 1 else [])
        for step in steps:
            for some in moved:
                sizes = {axis: n + step * (axis in some) for axis, n in self.start.items()}
                if min(sizes.values()) >= 1:
                    yield {axis: sizes[axis] for axis in self.axes}

    def _words(self, done: int, count: int) -> str:
        ways = sum(one.is_way for one in self.seen)
        known = f"{ways} way{'s' if ways > 1 else ''} of the model" if ways else ""
        if not done:
            return known or "no size"
        first = "x".join(str(self.start[axis]) for axis in self.axes)
        if len(self.axes) == 1:
            n = self.start[self.axes[0]]
            where = f"{self.axes[0]} in {max(1, n - AROUND)}..{n + AROUND - 1}"
        else:
            where = f"{', '.join(self.axes)} up to {AROUND} around {first}, alone and together"
        part = "" if done == count else f"the {done} nearest sizes of "
        return f"{known + ' and ' if known else ''}{part}{where}"

    def _at(self, sizes: Mapping[str, int]) -> bool:
        graph = self._capture(sizes)
        if graph is not None:
            self._look(graph, sizes)
        return graph is not None

    def _capture(self, sizes: Mapping[str, int]) -> Graph | None:
        capture = self.graph.capture
        if capture is None or capture.again is None:
            return None
        shapes = [self.shapes[name] for name in self.graph.inputs]
        return capture.again(
            [tuple(size(**sizes) if isinstance(size, Expr) else size for size in shape) for shape in shapes]
        )

    def _look(self, graph: Graph, sizes: Mapping[str, int]) -> None:
        seen = (see if self.trusted else see_one_size)(graph, self.shapes, self.axes, sizes)
        self.seen.append(seen)
        self.captured.append((graph, sizes))
        self.points.add(tuple(sizes[axis] for axis in self.axes))
        if seen.is_way:
            self.left = self.left - seen.known

    # -- checking ----------------------------------------------------------------------------------------------

    def _as_said(self) -> bool:
        """Whether the model does what its ways say where it is captured once more; if not, no way is believed.

        It may not where it catches what a layer refuses: that is a branch which no comparison tells of.
        """
        ways = [one for one in self.seen[self.checked :] if one.is_way]
        self.checked = len(self.seen)
        count = max(FEWEST, CHECKS // max(1, len(ways)))
        alone = [one for one in self.seen if not one.is_way]
        if all(_agree(way, one) for way in ways for one in alone) and all(
            self._does(way, sizes, place == 0) for way in ways for place, sizes in enumerate(self._samples(way, count))
        ):
            return True
        self._trust_single_sizes_alone()
        return False

    def _samples(self, way: Seen, count: int) -> list[tuple[int, ...]]:
        """Some sizes of a way that were not captured yet: of those it refuses, and of those it takes."""
        near = [self.start[axis] for axis in self.axes]
        refused = [tuple(one.example[axis] for axis in self.axes) for one in way.reasons if one.kind == "runs"]
        runs = [sizes for box in way.runs.boxes for sizes in _some(box, near)]
        some = [*dict.fromkeys(refused)][: count // 2]
        both = (*some, *[*dict.fromkeys(runs)][: count - len(some)])
        return [sizes for sizes in both if 0 not in sizes and sizes not in self.points]

    def _does(self, way: Seen, sizes: tuple[int, ...], is_first: bool) -> bool:
        """Whether the model does at these sizes what a way says, as far as there is time; at the first in any case."""
        late = time.process_time() > self.end and not is_first
        if sizes not in way.known or late:
            return True
        numbers = dict(zip(self.axes, sizes, strict=True))
        graph = self._capture(numbers)
        if graph is None:
            return True
        there = see_one_size(graph, self.shapes, self.axes, numbers)
        return not there.known or (bool(there.runs), bool(there.exact)) == (sizes in way.runs, sizes in way.exact)

    def _trust_single_sizes_alone(self) -> None:
        captured, self.captured, self.seen, self.trusted = self.captured, [], [], False
        self.left = all_sizes(self.axes, 1)
        for graph, sizes in captured:
            self._look(graph, sizes)


def _agree(way: Seen, alone: Seen) -> bool:
    """Whether a way says what was seen at sizes that were captured alone, as far as it speaks of them."""
    point = alone.known
    said = bool(way.runs & point), bool(way.exact & point)
    return not way.known & point or said == (bool(alone.runs), bool(alone.exact))


def _some(box: Sequence[SizeSet], near: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Sizes of a box: the smallest, one beside a size, one far beyond it, and these in turn along the axes."""
    beside = [first_from(one, n + 1) for one, n in zip(box, near, strict=True)]
    smallest = [next(iter(one)) for one in box]
    far = [first_from(one, 5 * n + 7 * place) for place, (one, n) in enumerate(zip(box, near, strict=True))]
    yield from map(tuple, (smallest, beside, far))
    for turn in range(1, len(box)):
        yield tuple((smallest, beside, far)[(place + turn) % 3][place] for place in range(len(box)))
        yield tuple((far, smallest, beside)[(place + turn) % 3][place] for place in range(len(box)))
