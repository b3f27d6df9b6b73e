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
from itertools import product

from convcalc.analysis.validity.exporting import exported
from convcalc.analysis.validity.joins import other_sizes
from convcalc.analysis.validity.legal import Legal, all_sizes, one_size
from convcalc.analysis.validity.of_capture import Seen, letters_of, merged, see, see_one_size
from convcalc.analysis.validity.one_axis import near as first_from
from convcalc.analysis.validity.ties import is_letter, together
from convcalc.errors import Unknown
from convcalc.layers.base import Shape
from convcalc.network.capture import Capture
from convcalc.network.graph import Graph
from convcalc.network.shapes import shape_at
from convcalc.sizes.boxes import Boxes, united
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


def valid_sizes(graph: Graph, shapes: Mapping[str, Shape]) -> Legal:
    """Return the sizes that a captured model accepts, where `shapes` are its input shapes with names as symbols.

    Raises what the model raises whatever the sizes.
    """
    legal = _Search(graph, shapes).legal()
    # an exporter would have to be told how inputs belong together
    return replace(legal, inputs=shapes, export=None) if together(shapes) else legal


class _Search:
    """Captures of one model, and what they have settled so far."""

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape]) -> None:
        self.graph, self.shapes = graph, shapes
        self.capture = graph.capture or Capture(letters=())
        self.axes = tuple(dict.fromkeys(str(size) for shape in shapes.values() for size in shape if is_letter(size)))
        self.end = time.process_time() + SECONDS
        self.seen: list[Seen] = []
        self.captured: dict[tuple[int, ...], Graph] = {}
        """The captures that were looked at, one for each of `seen`, by the sizes they were made at."""
        self.trusted = True
        self.checked = 0
        self.left = all_sizes(self.axes, 1)  # an image of no rows is none
        numbers = zip(graph.inputs, graph.example or (), strict=True)
        start = {str(letter): n for name, shape in numbers for letter, n in zip(shapes[name], shape, strict=True)}
        self.start = tuple(int(start[axis]) for axis in self.axes)
        """The sizes that the graph was captured at."""
        self.most = CAPTURES + sum(node.layer.ways for node in graph)

    def legal(self) -> Legal:
        self._look(self.graph, self.start)
        self._tell_axes_apart()
        capture = self.capture
        if capture.error is not None and capture.raised and not (capture.path or capture.lost):
            raise capture.error
        self._cover()
        tried = ""
        while not self._as_said() or (self.left and not tried):
            tried = self._try()
        alone = [one for one in self.seen if not one.is_way]
        runs = united(self.axes, (one.runs for one in self.seen))
        unknown = self.left - united(self.axes, (one.known for one in alone))
        if not runs and not unknown and len(alone) == len(self.seen) and alone[0].error is not None:
            raise alone[0].error
        captures = [graph.capture for graph in self.captured.values() if graph.capture is not None]
        return Legal(
            axes=self.axes,
            runs=runs,
            exact=united(self.axes, (one.exact for one in self.seen)),
            proved=not unknown,
            window={axis: n + AROUND for axis, n in zip(self.axes, self.start, strict=True)} if unknown else None,
            reasons=merged([reason for one in self.seen for reason in one.reasons]),
            ways=tuple(sorted((way for one in self.seen for way in one.ways), key=lambda way: way.only_at is None)),
            tried=tried,
            unknown=unknown,
            export=None if unknown else self._export(runs),
            lost=tuple(dict.fromkeys(text for one in captures for text in one.lost)),
            assumed=tuple(dict.fromkeys(text for one in captures for text in one.assumed)),
            ask=self._asked,
        )

    def _export(self, runs: Boxes) -> Boxes | None:
        """What an exporter takes, where one way without branches, which it bounds sizes by, is all that runs."""
        for one, graph in zip(self.seen, self.captured.values(), strict=True):
            if one.inner is not None and not (graph.capture and graph.capture.path) and not runs - one.runs:
                return exported(one.ways[0], self.axes, one.inner)
        return None

    def _asked(self, sizes: Mapping[str, int]) -> Legal:
        """What capturing the model at one size tells."""
        seen = self._alone(tuple(sizes[axis] for axis in self.axes))
        if not seen.known and seen.error is not None:
            raise seen.error
        runs, exact = bool(seen.runs), bool(seen.exact)
        return one_size(self.axes, sizes, runs=runs, exact=exact, reasons=seen.reasons, ways=seen.ways)

    # -- capturing ---------------------------------------------------------------------------------------------

    def _capture(self, sizes: Sequence[int]) -> Graph:
        if self.capture.again is None:
            raise Unknown("the model cannot be captured again")
        numbers = dict(zip(self.axes, sizes, strict=True))
        return self.capture.again([shape_at(self.shapes[name], numbers) for name in self.graph.inputs])

    def _alone(self, sizes: Sequence[int]) -> Seen:
        numbers = dict(zip(self.axes, sizes, strict=True))
        return see_one_size(self._capture(sizes), self.shapes, self.axes, numbers)

    def _look(self, graph: Graph, sizes: tuple[int, ...]) -> None:
        numbers = dict(zip(self.axes, sizes, strict=True))
        seen = (see if self.trusted else see_one_size)(graph, self.shapes, self.axes, numbers)
        self.seen.append(seen)
        self.captured[sizes] = graph
        if seen.is_way:
            self.left = self.left - seen.known

    def _tell_axes_apart(self) -> None:
        """Sizes with names of their own get letters of their own where they differ."""
        if not self.seen[0].is_way and len(self.graph.inputs) > 1 and len(set(self.start)) < len(self.start):
            apart = tuple(n + AROUND * place for place, n in enumerate(self.start))
            self._look(self._capture(apart), apart)
            self.start = apart if self.seen[-1].is_way else self.start

    def _cover(self) -> None:
        """Look for ways until they cover all sizes, or no more are found."""
        while self.left and len(self.seen) < self.most and time.process_time() < self.end:
            last, graph = next(reversed(self.captured.items()))
            sizes = other_sizes(graph, letters_of(graph, self.shapes) or {}, last, self.left)
            if sizes is None and self.seen[-1].is_way:
                sizes = self.left.nearest(self.start, 1)[0]
            if sizes is None or sizes in self.captured:
                return
            self._look(self._capture(sizes), sizes)

    def _try(self) -> str:
        """Try the sizes around the first that no way has settled; what was tried, in words."""
        window = [one for one in self._window() if one in self.left]
        done = 0
        for sizes in window:
            if sizes in self.left and sizes not in self.captured:
                if time.process_time() > self.end:
                    break
                self._look(self._capture(sizes), sizes)
            done += 1
        return self._words(done, len(window))

    def _window(self) -> Iterator[tuple[int, ...]]:
        """Each axis alone, then all together, from `AROUND` before the first size to as many after it."""
        places = range(len(self.axes))
        moved = [{place} for place in places] + [{*places}] * (len(places) > 1)
        for step, some in product(sorted(range(-AROUND, AROUND), key=abs), moved):
            sizes = tuple(n + step * (place in some) for place, n in enumerate(self.start))
            if min(sizes) >= 1:
                yield sizes

    def _words(self, done: int, count: int) -> str:
        ways = sum(one.is_way for one in self.seen)
        known = f"{ways} way{'s' if ways > 1 else ''} of the model" if ways else ""
        if not done:
            return known or "no size"
        n, *others = self.start
        where = f"{self.axes[0]} in {max(1, n - AROUND)}..{n + AROUND - 1}"
        if others:
            first = "x".join(map(str, self.start))
            where = f"{', '.join(self.axes)} up to {AROUND} around {first}, alone and together"
        part = "" if done == count else f"the {done} nearest sizes of "
        return f"{known + ' and ' if known else ''}{part}{where}"

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
        captured, self.captured, self.seen, self.trusted = self.captured, {}, [], False
        self.left = all_sizes(self.axes, 1)
        for sizes, graph in captured.items():
            self._look(graph, sizes)
        return False

    def _samples(self, way: Seen, count: int) -> list[tuple[int, ...]]:
        """Some sizes of a way that were not captured yet: of those it refuses, and of those it takes."""
        refused = [tuple(one.example[axis] for axis in self.axes) for one in way.reasons if one.kind == "runs"]
        runs = [sizes for box in way.runs.boxes for sizes in _some(box, self.start)]
        some = [*dict.fromkeys(refused)][: count // 2]
        both = (*some, *[*dict.fromkeys(runs)][: count - len(some)])
        return [sizes for sizes in both if 0 not in sizes and sizes not in self.captured]

    def _does(self, way: Seen, sizes: tuple[int, ...], is_first: bool) -> bool:
        """Whether the model does at these sizes what a way says, as far as there is time; at the first in any case."""
        late = time.process_time() > self.end and not is_first
        if sizes not in way.known or late:
            return True
        there = self._alone(sizes)
        return not there.known or (bool(there.runs), bool(there.exact)) == (sizes in way.runs, sizes in way.exact)


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
