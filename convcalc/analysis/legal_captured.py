"""Which input sizes a captured model accepts: its ways, one after another, until they cover all sizes.

Each capture settles a region (`analysis.legal_way`); the model is captured again at a size that none has settled yet.
Where the regions cover every size, the answer is proved, and then checked: at some sizes the model is captured once
more, to see whether it does what was said. What is left after `CAPTURES` of them is tried, by really capturing the
model at each size of a window, and then the answer is not called proved.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from convcalc.analysis.legal_way import Seen, merged, see, see_one_size
from convcalc.analysis.verdict import Legal
from convcalc.boxes import Boxes
from convcalc.expr import Expr
from convcalc.graph import Graph
from convcalc.layers.base import Shape
from convcalc.sizeset import SizeSet, every

CAPTURES = 12
"""The most ways that are looked for."""

AROUND = 32
"""How far around the first size single sizes are tried where ways do not cover all."""

CHECKS = 8
"""At how many sizes an answer is checked, of those said to run and of those said not to."""

SECONDS = 10.0
"""When trying ends."""


def valid_sizes_of_captured(graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str]) -> Legal:
    """Return the sizes that a captured model accepts, where `shapes` are its input shapes with `axes` as symbols.

    Raises what the model raises whatever the sizes.
    """
    return _Search(graph, shapes, axes).legal()


class _Search:
    """Captures of one model, and what they have settled so far."""

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape], axes: Sequence[str]) -> None:
        self.graph, self.shapes, self.axes = graph, shapes, tuple(axes)
        self.end = time.monotonic() + SECONDS
        self.seen: list[Seen] = []
        self.captured: list[tuple[Graph, Mapping[str, int]]] = []
        self.points: set[tuple[int, ...]] = set()
        self.trusted = True
        self.left = self._all()
        self.start = self._example()

    def _example(self) -> dict[str, int]:
        """The sizes that the graph was captured at."""
        numbers = zip(self.graph.inputs, self.graph.example or (), strict=True)
        pairs = [pair for name, shape in numbers for pair in zip(self.shapes[name], shape, strict=True)]
        return {str(letter): int(size) for letter, size in pairs if isinstance(letter, Expr)}

    def _all(self) -> Boxes:
        """The sizes in question: an image of no rows is none."""
        return Boxes(self.axes, ((every(1),) * len(self.axes),))

    def legal(self) -> Legal:
        self._look(self.graph, self.start)
        self._tell_axes_apart()
        capture = self.graph.capture
        if capture is not None and capture.error is not None and capture.raised and not capture.path:
            raise capture.error
        covers = self._covers()
        if not self._as_said():
            self._trust_single_sizes_alone()
            covers = False
        tried = "" if covers else self._try()
        runs = self._united(*(one.runs for one in self.seen))
        errors = [one.error for one in self.seen if not one.is_way]
        if not runs and len(errors) == len(self.seen) and errors[0] is not None:
            raise errors[0]
        return Legal(
            axes=self.axes,
            runs=runs,
            exact=self._united(*(one.exact for one in self.seen)),
            proved=not self.left,
            window={axis: n + AROUND for axis, n in self.start.items()} if self.left else None,
            reasons=merged([reason for one in self.seen for reason in one.reasons]),
            ways=tuple(sorted((way for one in self.seen for way in one.ways), key=lambda way: way.only_at is None)),
            tried=tried,
        )

    def _united(self, *boxes: Boxes) -> Boxes:
        found = Boxes(self.axes, ())
        for one in boxes:
            found = found | one
        return found

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

    def _covers(self) -> bool:
        """Look for ways until they cover all sizes; whether they do."""
        while self.left and self.seen[-1].is_way and len(self.seen) < CAPTURES and time.monotonic() < self.end:
            (sizes, *_) = self.left.nearest(tuple(self.start[axis] for axis in self.axes), 1)
            if not self._at(dict(zip(self.axes, sizes, strict=True))):
                return False
        return not self.left

    def _try(self) -> str:
        """Try the sizes around the first that no way has settled; what was tried, in words."""
        sizes = [one for one in self._window() if tuple(one.values()) in self.left]
        done = 0
        for one in sizes:
            new = tuple(one.values()) in self.left and tuple(one.values()) not in self.points
            if new and (time.monotonic() > self.end or not self._at(one)):
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
            [tuple(sizes[str(size)] if isinstance(size, Expr) else size for size in shape) for shape in shapes]
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
        """Whether the model does what its ways say where it is captured once more.

        It may not where it catches what a layer refuses: that is a branch which no comparison tells of.
        """
        ways = [one for one in self.seen if one.is_way]
        refused = {
            tuple(one.example[axis] for axis in self.axes): None
            for way in ways
            for one in way.reasons
            if one.kind == "runs"
        }
        runs = {sizes: None for way in ways for box in way.runs.boxes for sizes in _some(box, self.start.values())}
        for sizes in [*list(refused)[:CHECKS], *list(runs)[:CHECKS]]:
            if sizes in self.points or 0 in sizes or time.monotonic() > self.end:
                continue
            numbers = dict(zip(self.axes, sizes, strict=True))
            graph = self._capture(numbers)
            if graph is not None and bool(see_one_size(graph, self.shapes, self.axes, numbers).runs) != (sizes in runs):
                return False
        return True

    def _trust_single_sizes_alone(self) -> None:
        captured, self.captured, self.seen, self.trusted = self.captured, [], [], False
        self.left = self._all()
        for graph, sizes in captured:
            self._look(graph, sizes)


def _some(box: Sequence[SizeSet], near: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """The smallest sizes of a box, and some around a size."""
    yield tuple(next(iter(one)) for one in box)
    found = [one.nearest(n + 1) for one, n in zip(box, near, strict=True)]
    yield tuple(next(n for n in reversed(pair) if n is not None) for pair in found)
