"""One run of a module on meta, and the graph of what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from convcalc.analysis.validity.ties import asked_of, solved, together
from convcalc.bridge.capture.deciding import decided, otherwise
from convcalc.bridge.capture.drawing import Drawing, kept, labelled_outputs, some_of, weighed
from convcalc.bridge.capture.inputs import Given, blank_input, dtype_of, given_at, lettered, named, with_tensors
from convcalc.bridge.capture.isolation import silent, unchanged
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.capture.known import has_values
from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.placing import place
from convcalc.bridge.capture.recorder import Recorder
from convcalc.bridge.capture.selfcheck import Again, check_again, is_unchecked, takes
from convcalc.bridge.capture.settings import Settings
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed, Value
from convcalc.bridge.loops.alike import plan_of
from convcalc.bridge.loops.numbers import heard
from convcalc.errors import BadShape, ConvcalcError
from convcalc.layers import Shape
from convcalc.network.capture import Capture
from convcalc.network.graph import Graph
from convcalc.network.letters import tells_more
from convcalc.network.shapes import shape_at
from convcalc.sizes.expr import Expr

EXAMPLES = (224, 256, 64, 32, 128, 512, 160, 384, 572, 28, 8, 4, 2, 1, 1024, 16000)
"""The sizes that are tried for a letter, first to last."""


def captured(module: Any, given: Given, settings: Settings, *, whole: bool = True) -> Graph:
    """Capture with these arguments; where not `whole`, nothing is checked at other sizes, no repair is tried.

    Sizes are ints that remember their formula, and plain ones where the module does something else with those:
    `type(n) is int`, an `except TypeError`, C that takes nothing but an int.
    """
    run: Run = decided(partial(Run, module, given), settings if whole else settings.tried())
    if run.journal.asked and not run.settings.plain:
        with silent():
            told = otherwise(run, run.again(plain="plain numbers"))
        run = Run(module, given, replace(run.settings, plain=told)) if told else run
    return run.checked()


def captured_at(module: Any, settings: Settings, shapes: Sequence[Shape], *, whole: bool = True) -> Graph:
    """Capture with one input of each of these shapes."""
    kind = settings.dtype or dtype_of(module)
    return captured(module, ([blank_input(shape, kind) for shape in shapes], {}), settings, whole=whole)


class Run:
    """One run of a module on meta, and the graph of what it did."""

    def __init__(self, module: Any, given: Given, settings: Settings) -> None:
        self.original, self.given, self.settings, self.name = module, given, settings, settings.name
        self.output: Any = None
        self.raised: Exception | None = None
        self.measured: dict[str, Shape] = {}
        """The shape that torch gave for each output of the nodes, once the graph is drawn."""
        self.late: str | None = None
        """The first node after a size lost its formula."""
        with unchanged():
            copier = Copier()
            self.recorder = self._recorder(copier)
            twin = copier.module(module)
            if settings.dtype is not None and settings.dtype.is_floating_point:
                twin.to(settings.dtype)
            self.twin = self._changed(twin.train(settings.train))
            self.args, self.kwargs = self._receive(given)
            self.recorder.standing.know(self.twin)
            try:
                with self.recorder, nullcontext() if settings.plain else heard(self.recorder.ranges):
                    self.output = self.twin(*self.args, **self.kwargs)
            except Exception as error:
                self.raised = error
            finally:
                self.recorder.end()

    def _recorder(self, copier: Copier) -> Recorder:
        return Recorder(copier, self.settings)

    def _changed(self, twin: Any) -> Any:
        """The copy that runs: as the module is."""
        return twin

    def _receive(self, given: Given) -> Given:
        """Take the inputs, their sizes given letters; returns the arguments with the inputs on meta."""
        found = named(given, self.twin)
        empty_like = need_torch().empty_like
        self.inputs = {name: empty_like(value, device="meta", requires_grad=False) for name, value in found}
        shapes = {name: tuple(value.shape) for name, value in self.inputs.items()}
        letters = lettered(shapes, self.settings.placed, self.settings.named)
        self.letters = tuple(letters.values())
        self.journal.numbers |= {
            str(letter): size
            for name, shape in letters.items()
            for letter, size in zip(shape, shapes[name], strict=True)
            if isinstance(letter, Expr) and str(letter) in letter.symbols
        }
        self.calls: dict[str, Call] = {}
        for (name, blank), (_, example) in zip(self.inputs.items(), found, strict=True):
            call = self.calls[name] = self.journal.take(name, blank, letters[name])
            is_whole = not (example.is_floating_point() or example.is_complex())
            if is_whole and example.dim() <= 1 and has_values(example):  # such as lengths
                self.recorder.copied.small[id(blank)] = blank, example
                call.valued = True
        return with_tensors(given, list(self.inputs.values()))

    @property
    def journal(self) -> Journal:
        """What happened in it."""
        return self.recorder.journal

    @property
    def is_whole(self) -> bool:
        """Whether the module ran to its end, and returned something."""
        return self.raised is None and self.output is not None

    @cached_property
    def error(self) -> ConvcalcError | None:
        """Why it is not whole, in words."""
        if self.raised is not None:
            return self.settings.explain(self.raised, self, repair=self.settings.repair)
        said = f"{type(self.original).__name__}.forward returns nothing: it ends without a return"
        return None if self.is_whole else BadShape(said)

    @property
    def failed(self) -> Failed | None:
        """The call of torch that ended the run, if one did; an assertion written as a call is the model's own."""
        failed = self.journal.failed
        ended = failed is not None and failed.error is self.raised and failed.raw is not need_torch()._assert
        return failed if ended else None

    def again(self, shapes: Sequence[Shape] | None = None, **other: Any) -> Run:
        """Run the module once more, at other shapes or settings, to see what it does."""
        given = self.given if shapes is None else given_at(self.given, shapes)
        return Run(self.original, given, self.settings.tried(**other))

    # -- the check ----------------------------------------------------------------------------------------------

    def checked(self) -> Graph:
        """Return the graph, less what runs at other sizes contradict."""
        graph = self.graph()
        if not self.settings.check or self.raised is not None:
            return graph
        numbers, placed = self.journal.numbers, self.settings.placed
        asked = asked_of(graph, dict(zip(self.inputs, self.letters, strict=True)), numbers) if len(numbers) > 1 else []
        if numbers:
            times = 4 if self.journal.watch.lost else 2 if self.journal.asked else 1
            fit = asked if placed is not None else []
            graph = check_again(graph, numbers, self._again, times, self.late, fit, measured=self.measured)
        tied = len(self.inputs) > 1 and solved(asked, list(numbers))
        lost = graph.capture is not None and graph.capture.lost
        if placed is not None or lost or not (tied or not numbers or is_unchecked(graph)):
            return graph
        with silent():
            return self._placed() or graph

    def _placed(self) -> Graph | None:
        """The graph with letters where the module takes other sizes, if those of (N, C, ...) are not there."""
        if any(self.settings.named):
            return None
        shapes = {name: tuple(value.shape) for name, value in self.inputs.items()}
        if len(shapes) == 1 and len(self.letters[0]) > 3:  # an image has its channels first
            return None
        placed = place(shapes, lambda letters: self.again(placed=letters).graph(), self._runs)
        if placed is None or not tells_more(placed, self.letters):
            return None
        if self.settings.named and tells_more(self.letters, placed):  # the user's own letters stay
            return None
        graph = captured(self.original, self.given, replace(self.settings, placed=placed))
        return None if is_unchecked(graph) else graph

    def _again(self, values: Mapping[str, int]) -> Again:
        run = self.again([shape_at(shape, values) for shape in self.letters])
        by_torch = run.raised is None or run.journal.failed is not None
        return Again(run.graph(), None if by_torch else run.raised, run.measured)

    def _runs(self, shapes: Sequence[Shape]) -> bool:
        """Whether the module runs at other shapes, on a device too: meta takes more."""
        run = self.again(shapes)
        return run.raised is None and takes(run.graph(), dict(zip(self.inputs, shapes, strict=True)))

    # -- the graph ----------------------------------------------------------------------------------------------

    def graph(self) -> Graph:
        """Return what was recorded as a graph."""
        failed = self.failed
        self.journal.work_out(len(self.journal.calls))
        outputs = [] if self.raised is not None else labelled_outputs(self.output, "")
        values = [self.journal.value(tensor) for _, tensor in outputs]
        drawn = self.drawn([*values, *(failed.inputs if failed else ())])
        ends, nodes = [drawn.reference(value) for value in values], drawn.nodes()
        pairs = list(zip(nodes, drawn.calls, strict=True))
        self.measured = {
            name: shape for node, call in pairs for name, shape in zip(node.outputs, call.shapes, strict=True)
        }
        self.late = next((node.name for node, call in pairs if call.late), None)
        return Graph(
            nodes,
            tuple(self.inputs),
            ends,
            name=self.name,
            example=[tuple(value.shape) for value in self.inputs.values()],
            labels=[label or name for (label, _), name in zip(outputs, ends, strict=True)],
            capture=self._capture(drawn, values),
        )

    def drawn(self, ends: Sequence[Value]) -> Drawing:
        """Return the calls that a graph with these ends shows, under their names."""
        return Drawing(self.calls, kept(self.journal.calls, ends))

    def _capture(self, drawn: Drawing, values: Sequence[Value]) -> Capture:
        watch, journal, asking = self.journal.watch, self.journal, self.recorder.asking
        unused = {
            path: value
            for path, value in self.twin.named_parameters()
            if (journal.tensors.kind(value)[1] or path) not in journal.owners and self.raised is None
        }
        chance = [f"a random number was asked for {where}" for where in journal.chance]
        raised = watch.raised if self.raised is None else ()
        failed, caught = journal.failed, list[str]()
        if failed is not None and failed.error is not self.raised:  # a branch that no comparison tells of
            caught = [f"{failed.function} is refused, and caught, at {failed.source}"]
        lost = (*watch.lost, *raised, *caught, *chance, *journal.untold)
        module, given, settings = self.original, self.given, self.settings

        def again(shapes: Sequence[Shape], *, whole: bool = False) -> Graph:
            return captured(module, given_at(given, shapes), settings, whole=whole)

        return Capture(
            letters=self.letters,
            path=tuple(watch.path),
            joins=self.recorder.joins.found(drawn.names),
            again=again,
            lost=(*lost, *asking.guessed),
            unused=weighed(unused.items()),
            remarks=tuple(self._remarks(unused, chance, lost)),
            assumed=tuple(asking.assumptions),
            why=None if self.is_whole else lambda: self.error,
            refused=drawn.refused(self.failed),
            raised=self.raised is not None and self.failed is None,
            any_number=self._for_any_number(values),
        )

    def _remarks(self, unused: Mapping[str, Any], chance: Sequence[str], lost: Sequence[str]) -> Iterator[str]:
        """What is to be said of a run, beside its graph."""
        yield from self.recorder.asking.assumptions
        yield from self.journal.disagreements
        yield from together(dict(zip(self.inputs, self.letters, strict=True)))
        if self.raised is None and not labelled_outputs(self.output, ""):
            what = "None" if self.output is None else f"a {type(self.output).__name__}"
            yield f"forward returns no tensor but {what}: the last row stands for it"
        used = {path for call in self.journal.calls for path, _ in call.weights}
        strays = [path for path in self.recorder.standing.strays if path in used]
        if strays:
            yield f"read, but not among the module's parameters: {some_of(strays)}"
        if unused:
            count = sum(value.numel() for value in unused.values())
            yield f"{count:,} parameters are not read: {some_of(list(unused))}"
        if chance:
            yield f"{chance[0]}: what it decides is another at every run"
        if lost:
            more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
            yield f"not all that sizes do was heard, so what is said of others is observed: {lost[0]}{more}"

    def _for_any_number(self, values: Sequence[Value]) -> Graph | None:
        """The graph for any number of pieces, where that is known of each loop over pieces; it needs one more run."""
        plan = None if self.raised is not None else plan_of(self.recorder.heard, self.journal.calls, values)
        if plan is None or self.recorder.any_number is not None or self.settings.plain:
            return None
        again = self.again(plan=plan)
        held = again.recorder.any_number
        if again.raised is not None or held is None:
            return None
        return again.graph() if held.is_held([call.function for call in again.journal.calls]) else None
