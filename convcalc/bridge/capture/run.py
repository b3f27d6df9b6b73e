"""One run of a module on meta, and the graph of what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

from convcalc.analysis.validity.ties import are_at, asked_of, solved, together
from convcalc.bridge.capture.arguments import blank, each_tensor
from convcalc.bridge.capture.blank import blank_input, dtype_of, given_at
from convcalc.bridge.capture.deciding import decided
from convcalc.bridge.capture.drawing import Drawing, kept, some_of, weighed
from convcalc.bridge.capture.isolation import unchanged
from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.capture.known import has_values
from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.naming import argument_names, labelled_outputs
from convcalc.bridge.capture.placing import place
from convcalc.bridge.capture.plainly import otherwise
from convcalc.bridge.capture.recorder import Recorder
from convcalc.bridge.capture.selfcheck import Again, check_again, is_unchecked, shape_at, takes
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Failed, Value
from convcalc.bridge.loops.alike import plan_of
from convcalc.bridge.loops.numbers import heard
from convcalc.errors import BadShape, ConvcalcError
from convcalc.layers import Shape
from convcalc.network.capture import Capture
from convcalc.network.graph import Graph
from convcalc.network.letters import tells_more, with_letters
from convcalc.sizes.expr import Expr

EXAMPLES = (224, 256, 64, 32, 128, 512, 160, 384, 572, 28, 8, 4, 2, 1, 1024, 16000)
"""The sizes that are tried for a letter, first to last."""


def captured_at(module: Any, settings: Mapping[str, Any], shapes: Sequence[Shape], *, whole: bool = True) -> Graph:
    """Capture at these shapes; where not `whole`, at once: nothing is checked at other sizes, no repair is tried."""
    settings = settings if whole else quick(settings)
    kind = settings["dtype"] or dtype_of(module)
    inputs = [blank_input(shape, kind) for shape in shapes]
    return run_module(module, inputs, {}, settings).checked()


def quick(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of a run that is only tried: nothing is checked at other sizes, no repair is tried."""
    return {**settings, "check": False, "repair": False}


def run_module(module: Any, args: Sequence[Any], kwargs: Mapping[str, Any], settings: Mapping[str, Any]) -> Run:
    """Run a module with sizes that remember their formula; with plain numbers where it does something else with these.

    `type(n) is int`, an `except TypeError`, C that takes nothing but an int: there sizes that remember are no ints.
    """

    def with_settings(asked: Mapping[str, Any]) -> Run:
        return Run(module, args, kwargs, {**settings, **asked})

    run: Run = decided(with_settings, settings["assumed"], settings["guess"], quick({}))
    known = run.settings
    if not run.journal.asked or known["plain"]:
        return run
    with redirect_stdout(StringIO()):  # what the model prints was printed once
        bare = Run(module, args, kwargs, {**quick(known), "plain": "plain numbers"})
    told = otherwise(run, bare)
    return Run(module, args, kwargs, {**known, "plain": told}) if told else run


class Run:
    """One run of a module on meta, and the graph of what it did."""

    def __init__(
        self, module: Any, args: Sequence[Any], kwargs: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> None:
        self.original = module
        self.given = args, kwargs
        self.settings = settings
        self.name = settings["name"]
        self.inputs: dict[str, Any] = {}
        self.calls: dict[str, Call] = {}
        self.error: ConvcalcError | None = None
        self.output: Any = None
        self.raised: Exception | None = None
        self.late: str | None = None
        """The first node after a size lost its formula."""
        with unchanged():
            copier = Copier()
            self.recorder = Recorder(copier, settings["plain"], settings.get("plan"))
            twin = copier.module(module)
            if settings["dtype"] is not None and settings["dtype"].is_floating_point:
                twin.to(settings["dtype"])
            twin.train(settings["train"])
            self.twin = twin
            self.args, self.kwargs = self._receive(twin, args, kwargs)
            self.recorder.standing.know(twin)
            try:
                with self.recorder, nullcontext() if settings["plain"] else heard(self.recorder.ranges):
                    self.output = twin(*self.args, **self.kwargs)
            except Exception as error:
                self.raised = error
            finally:
                self.recorder.end()
        if self.raised is not None:
            self.error = self.settings["explain"](self.raised, self, repair=self.settings["repair"])
        elif self.output is None:
            self.error = BadShape(f"{type(module).__name__}.forward returns nothing: it ends without a return")

    @property
    def journal(self) -> Journal:
        """What happened in it."""
        return self.recorder.journal

    def _receive(self, twin: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The inputs on meta, named as forward names them, their sizes given letters."""
        self._taken = {path for path, _ in twin.named_modules()}
        names = self._input_names(len(args))
        placed = [blank(value, name, self.inputs) for name, value in zip(names, args, strict=True)]
        named = {name: blank(value, self._own(name), self.inputs) for name, value in kwargs.items()}
        examples = self._examples_with_values(names, args, kwargs)
        shapes = {name: tuple(value.shape) for name, value in self.inputs.items()}
        found = self.settings["placed"]
        fits = found is not None and are_at(found, tuple(shapes.values()))
        letters = dict(zip(shapes, found, strict=True)) if fits else with_letters(shapes)
        for name, first in zip(letters, self.settings["named"], strict=False):
            taken = set(map(str, first.values()))  # a letter of the user's is no other axis'
            letters[name] = tuple(
                first.get(axis, number if str(size) in taken else size)
                for axis, (size, number) in enumerate(zip(letters[name], shapes[name], strict=True))
            )
        self.letters = tuple(letters.values())
        asking = self.recorder.asking
        asking.assume, asking.assumed = self.settings["assume"], self.settings["assumed"]
        asking.guess = self.settings["guess"]
        self.journal.numbers |= {
            str(letter): size
            for name, shape in letters.items()
            for letter, size in zip(shape, shapes[name], strict=True)
            if isinstance(letter, Expr) and str(letter) in letter.symbols
        }
        for name, value in self.inputs.items():
            self.calls[name] = self.journal.take(name, value, letters[name])
            if name in examples:
                self.recorder.copied.small[id(value)] = value, examples[name]
                self.calls[name].valued = True
        return placed, named

    def _examples_with_values(
        self, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The inputs that keep the values of their example: whole numbers along one axis, such as lengths."""
        seen: dict[str, Any] = {}
        for name, value in [*zip(names, args, strict=True), *((self._own(key), one) for key, one in kwargs.items())]:
            each_tensor(value, name, seen)
        return {
            name: value
            for name, value in seen.items()
            if value.dim() <= 1 and has_values(value) and not (value.is_floating_point() or value.is_complex())
        }

    def _input_names(self, count: int) -> list[str]:
        return [self._own(name) for name in argument_names(self.twin, count)]

    def _own(self, name: str) -> str:
        """The name of an input, which no module has."""
        return f"{name}_input" if name in self._taken else name

    # -- the check ----------------------------------------------------------------------------------------------

    def checked(self) -> Graph:
        """Return the graph, less what runs at other sizes contradict."""
        graph = self.graph()
        if not self.settings["check"] or self.raised is not None:
            return graph
        numbers, placed = self.journal.numbers, self.settings["placed"]
        asked = asked_of(graph, dict(zip(self.inputs, self.letters, strict=True)), numbers) if len(numbers) > 1 else []
        if numbers:
            times = 4 if self.journal.watch.lost else 2 if self.journal.asked else 1
            fit, measured = asked if placed is not None else [], self.measured(graph)
            graph = check_again(graph, numbers, self._again, times, self.late, fit, measured=measured)
        tied = len(self.inputs) > 1 and solved(asked, list(numbers))
        lost = graph.capture is not None and graph.capture.lost
        if placed is not None or lost or not (tied or not numbers or is_unchecked(graph)):
            return graph
        return self._placed() or graph

    def _placed(self) -> Graph | None:
        """The graph with letters where the module takes other sizes, if those of (N, C, ...) are not there."""
        if any(self.settings["named"]):
            return None
        args, kwargs = self.given
        shapes = {name: tuple(value.shape) for name, value in self.inputs.items()}
        if len(shapes) == 1 and len(self.letters[0]) > 3:  # an image has its channels first
            return None

        def graph_of(letters: Sequence[Shape]) -> Graph:
            return Run(self.original, args, kwargs, {**quick(self.settings), "placed": letters}).graph()

        with redirect_stdout(StringIO()):  # what the model prints was printed once
            placed = place(shapes, graph_of, self._runs)
            if placed is None or not tells_more(placed, self.letters):
                return None
            if self.settings["named"] and tells_more(self.letters, placed):  # the user's own letters stay
                return None
            graph = run_module(self.original, args, kwargs, {**self.settings, "placed": placed}).checked()
        return None if is_unchecked(graph) else graph

    def _again(self, values: Mapping[str, int]) -> Again:
        run = self._at([shape_at(shape, values) for shape in self.letters])
        by_torch = run.raised is None or run.journal.failed is not None
        graph = run.graph()
        return Again(graph, None if by_torch else run.raised, run.measured(graph))

    def _runs(self, shapes: Sequence[Shape]) -> bool:
        """Whether the module runs at other shapes, on a device too: meta takes more."""
        run = self._at(shapes)
        return run.raised is None and takes(run.graph(), dict(zip(self.inputs, shapes, strict=True)))

    def _at(self, shapes: Sequence[Shape]) -> Run:
        """The module run at other shapes."""
        args, kwargs = given_at(self.given, self._originals(), shapes)
        return Run(self.original, args, kwargs, quick(self.settings))

    def _originals(self) -> list[tuple[Any, Any]]:
        """Each input as it was given, and on meta."""
        args, kwargs = self.given
        seen: dict[str, Any] = {}
        for name, value in [
            *zip(self._input_names(len(args)), args, strict=True),
            *((self._own(name), value) for name, value in kwargs.items()),
        ]:
            each_tensor(value, name, seen)
        return [(seen[name], blank) for name, blank in self.inputs.items()]

    # -- the graph ----------------------------------------------------------------------------------------------

    def graph(self) -> Graph:
        """Return what was recorded as a graph."""
        self.journal.work_out(len(self.journal.calls))
        outputs = [] if self.raised is not None else labelled_outputs(self.output, "")
        values = [(label, self.journal.value(tensor)) for label, tensor in outputs]
        failed = self._failed()
        drawn = self._drawn = self.drawn([*(value for _, value in values), *(failed.inputs if failed else ())])
        self.late = next((drawn.names[id(call)] for call in drawn.calls if call.late), None)
        ends = [(label, drawn.reference(value)) for label, value in values]
        return Graph(
            drawn.nodes(),
            tuple(self.inputs),
            [end for _, end in ends],
            name=self.name,
            example=[tuple(value.shape) for value in self.inputs.values()],
            labels=[label or name for label, name in ends],
            capture=self._capture(failed, drawn, [value for _, value in values]),
        )

    def drawn(self, ends: Sequence[Value]) -> Drawing:
        """Return the calls that a graph with these ends shows, under their names."""
        return Drawing(self.calls, kept(self.journal.calls, ends))

    def measured(self, graph: Graph) -> dict[str, Shape]:
        """Return the shape that torch gave for each output of the nodes of `graph`, which is that of this run."""
        given = {node.name: call for node, call in zip(graph, self._drawn.calls, strict=True)}
        return {
            name: shape for node in graph for name, shape in zip(node.outputs, given[node.name].shapes, strict=True)
        }

    def _failed(self) -> Failed | None:
        """The call of torch that ended the run, if one did; an assertion written as a call is the model's own."""
        failed = self.journal.failed
        ended = failed is not None and failed.error is self.raised and failed.raw is not need_torch()._assert
        return failed if ended else None

    def _caught(self) -> list[str]:
        """Where the model went on after a call that was refused: a branch that no comparison tells of."""
        failed = self.journal.failed
        if failed is None or failed.error is self.raised:
            return []
        return [f"{failed.function} is refused, and caught, at {failed.source}"]

    def _capture(self, failed: Failed | None, drawn: Drawing, values: Sequence[Value]) -> Capture:
        watch = self.journal.watch
        unused = {
            path: value
            for path, value in self.twin.named_parameters()
            if (self.journal.tensors.kind(value)[1] or path) not in self.journal.owners and self.raised is None
        }
        remarks = [*self.recorder.asking.assumptions, *self.journal.disagreements]
        remarks += together(dict(zip(self.inputs, self.letters, strict=True)))
        if self.raised is None and not labelled_outputs(self.output, ""):
            what = "None" if self.output is None else f"a {type(self.output).__name__}"
            remarks.append(f"forward returns no tensor but {what}: the last row stands for it")
        used = {path for call in self.journal.calls for path, _ in call.weights}
        strays = [path for path in self.recorder.standing.strays if path in used]
        if strays:
            remarks.append(f"read, but not among the module's parameters: {some_of(strays)}")
        if unused:
            count = sum(value.numel() for value in unused.values())
            remarks.append(f"{count:,} parameters are not read: {some_of(list(unused))}")
        chance = [f"a random number was asked for {where}" for where in self.journal.chance]
        if chance:
            remarks.append(f"{chance[0]}: what it decides is another at every run")
        lost = (*watch.lost, *(watch.raised if self.raised is None else ()), *self._caught(), *chance)
        lost = (*lost, *self.journal.untold)
        if lost:
            more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
            remarks.append(f"not all that sizes do was heard, so what is said of others is observed: {lost[0]}{more}")
        return Capture(
            letters=self.letters,
            path=tuple(watch.path),
            joins=self.recorder.joins.found(drawn.names),
            again=partial(_captured_again, self.original, self.given, self._originals(), self.settings),
            lost=(*lost, *self.recorder.asking.guessed),
            unused=weighed(unused.items()),
            remarks=tuple(remarks),
            assumed=tuple(self.recorder.asking.assumptions),
            error=self.error,
            refused=drawn.refused(failed),
            raised=self.raised is not None and failed is None,
            any_number=self._for_any_number(values),
        )

    def _for_any_number(self, values: Sequence[Value]) -> Graph | None:
        """The graph for any number of pieces, where that is known of each loop over pieces; it needs one more run."""
        plan = None if self.raised is not None else plan_of(self.recorder.heard, self.journal.calls, values)
        if plan is None or self.recorder.any_number is not None or self.settings["plain"]:
            return None
        args, kwargs = self.given
        again = Run(self.original, args, kwargs, {**quick(self.settings), "plan": plan})
        held = again.recorder.any_number
        if again.raised is not None or held is None:
            return None
        return again.graph() if held.is_held([call.function for call in again.journal.calls]) else None


def _captured_again(
    module: Any,
    given: tuple[Sequence[Any], Mapping[str, Any]],
    inputs: Sequence[tuple[Any, Any]],
    settings: Mapping[str, Any],
    shapes: Sequence[Shape],
    *,
    whole: bool = False,
) -> Graph:
    """Capture with the arguments of another run, the inputs at these shapes; at once where not `whole`."""
    args, kwargs = given_at(given, inputs, shapes)
    return run_module(module, args, kwargs, settings if whole else quick(settings)).checked()
