"""A network that is verified: what is claimed of it, and the module that runs."""

from __future__ import annotations

import copy
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any

from convcalc.bridge.assembly.assemble import to_torch
from convcalc.bridge.capture.inputs import dtype_of
from convcalc.bridge.capture.isolation import unchanged
from convcalc.bridge.device import need_torch
from convcalc.bridge.verify.network.answers import Answers
from convcalc.bridge.verify.report import Comparison, Mismatch
from convcalc.errors import BadShape, ConvcalcError, Unknown, Unreadable, brief
from convcalc.layers.base import Shape, written
from convcalc.layers.matmul import Linear
from convcalc.network.graph import Graph
from convcalc.network.letters import sizes_asked
from convcalc.sizes.expr import Expr

if TYPE_CHECKING:
    from convcalc.analysis.cell import AxisWindow
    from convcalc.analysis.report.report import Report
    from convcalc.analysis.tiles import Tiles
    from convcalc.analysis.validity.legal import Legal


ABOVE = 24
"""By how much the size of an axis is above the smallest, where a network is run on small inputs."""


class Subject:
    """A network on a device: what is said of it, and modules that run as it does.

    `net` is `graph`, of which a module is made, or the module that it was captured from, which stays as it is. Where
    the input shapes `given` have letters, it runs at the sizes it was captured at, or at those of its own example.
    `line` writes the line that tries a case again.
    """

    def __init__(
        self,
        net: Any,
        graph: Graph,
        given: Mapping[str, Shape],
        answers: Answers,
        place: Any,
        line: Callable[[str], str],
        *,
        name: str = "",
        seed: int = 0,
        dtype: Any = None,
        train: bool = False,
    ) -> None:
        self.net, self.graph, self.given, self.answers = net, graph, given, answers
        self.place, self.line, self.seed, self.dtype, self.train = place, line, seed, dtype, train
        self.name = name or graph.name
        self.shapes = tuple(given.values())
        if not all(isinstance(size, int) for shape in self.shapes for size in shape):
            self.shapes = graph.example or ()
        if [len(shape) for shape in self.shapes] != [len(shape) for shape in given.values()]:
            raise BadShape(f"verifying takes sizes in numbers: {', '.join(map(written, given.values()))}")

    @cached_property
    def report(self) -> Report:
        """What `inspect` says of it."""
        return self.answers.inspect(self.graph, self.shapes)

    @cached_property
    def named(self) -> Mapping[str, Shape]:
        """The shapes of its inputs, with letters for the sizes that may be others."""
        return sizes_asked(self.given, () if self.graph.capture is None else self.graph.capture.letters)

    @cached_property
    def legal(self) -> Legal:
        """The sizes that it is said to take."""
        return self.answers.valid_sizes(self.graph, self.named)

    def macs_at(self, shapes: Sequence[Shape]) -> float:
        """Return about how much is multiplied for inputs of these shapes."""
        elements, here = (sum(map(math.prod, some)) for some in (shapes, self.shapes))
        return self.report.macs * elements / max(1, here) if isinstance(self.report.macs, int) else math.inf

    @property
    def budget(self) -> float:
        """How much may be multiplied for one kind of check, as a second or a few on this device."""
        return 1e10 if self.place.type == "cpu" else 4e12

    @cached_property
    def smaller(self) -> Subject:
        """The same network on the smallest inputs that run, where it is too large to be run often."""
        if self.report.error is not None or self.macs_at(self.shapes) <= self.budget / 20:
            return self
        try:
            least = [one.smallest or 1 for one in self.legal.runs.boxes[0]] if self.legal.runs else []
            sizes = [*self.legal.runs.nearest([size + ABOVE for size in least]), least][0]
        except ConvcalcError:
            return self
        shapes = self.shapes_at(dict(zip(self.legal.axes, sizes, strict=True))) if least else self.shapes
        if self.macs_at(shapes) >= self.macs_at(self.shapes):
            return self
        given = dict(zip(self.given, shapes, strict=True))
        again = {"seed": self.seed, "dtype": self.dtype, "train": self.train}
        return Subject(self.net, self.graph, given, self.answers, self.place, self.line, **again)

    def window(self, node: str, cell: Sequence[int]) -> tuple[AxisWindow, ...]:
        """Return what an output of a node is said to read."""
        return self.answers.find_window(self.graph, node, cell, self.shapes)

    def tiles(self, tile: int, image: Sequence[int]) -> Tiles:
        """Return a plan of tiles of at most so many rows."""
        return self.answers.find_tiles(self.graph, self.named, tile=tile, image=image)

    @cached_property
    def heard_names(self) -> list[str]:
        """What is heard of each row of the report: a node of a graph that shares weights runs another's module."""
        shared = {node.name: node.shares or node.name for node in self.graph} if self.net is self.graph else {}
        return [shared.get(row.name, row.name) for row in self.report.layers]

    def shapes_at(self, sizes: Mapping[str, int]) -> list[Shape]:
        """Return the input shapes where letters are these sizes."""
        return [
            tuple(size(**sizes) if isinstance(size, Expr) else int(size) for size in shape)
            for shape in (self.legal.inputs or self.named).values()
        ]

    def module(self, shapes: Sequence[Shape]) -> Any:
        """Return a module of one's own on the device; of a graph one for inputs of these shapes."""
        return self._made(shapes, self.place)

    def _made(self, shapes: Sequence[Shape], place: Any) -> Any:
        if self.net is self.graph:
            return to_torch(self.graph, list(shapes), device=str(place)).eval()
        module = copy.deepcopy(self.net).train(self.train)
        if self.dtype is not None and self.dtype.is_floating_point:
            module = module.to(self.dtype)
        return module.to(place)

    def for_any_size(self, place: Any) -> Any:
        """Return the module for inputs of any size; where a graph infers the features of a linear layer, torch does.

        What torch refuses is then told by torch alone. Raises `Unknown` where no size is known to run.
        """
        module = self._kept.get(place.type)
        if module is None:
            module = self._kept[place.type] = self._made(self._running, place)
        for node in self.graph if self.net is self.graph else ():
            if isinstance(node.layer, Linear) and node.layer.in_features is None:
                home, _, name = node.name.rpartition(".")
                lazy = need_torch().nn.LazyLinear(node.layer.out_features, bool(node.layer.bias), device=place)
                setattr(module.get_submodule(home), name, lazy)
        return module

    @cached_property
    def _kept(self) -> dict[str, Any]:
        """The module on each device."""
        return {}

    @cached_property
    def _running(self) -> Sequence[Shape]:
        """Input shapes that run: its own if it does, else the smallest."""
        if self.report.error is None or self.net is not self.graph:
            return self.shapes
        if not self.legal.runs:
            raise Unknown("no size is known to run")
        least = (one.smallest or 1 for one in self.legal.runs.boxes[0])
        return self.shapes_at(dict(zip(self.legal.axes, least, strict=True)))

    def inputs(self, shapes: Sequence[Shape], place: Any = None, kind: Any = None) -> list[Any]:
        """Return inputs of these shapes: positive numbers, or of whole numbers 0 and 1."""
        torch, place = need_torch(), self.place if place is None else place
        kind = kind or self.dtype or (torch.float32 if self.net is self.graph else dtype_of(self.net))
        if place.type == "meta":
            return [torch.empty(shape, dtype=kind, device=place) for shape in shapes]
        real = kind.is_floating_point or kind.is_complex
        drawn = [torch.rand(shape) + 0.5 if real else torch.randint(0, 2, shape) for shape in shapes]
        return [one.to(place, kind) for one in drawn]

    def run(self, module: Any, *inputs: Any) -> Any:
        """Return what a module gives; raises `Unknown` where it does not run."""
        torch = need_torch()
        try:
            return module(*inputs)
        except (torch.OutOfMemoryError, torch.AcceleratorError):
            raise
        except Exception as error:  # whatever a model raises
            raise Unknown(f"torch says {type(error).__name__}: {said(error)}") from error

    def mismatch(self, kind: str, case: str, message: str) -> Mismatch:
        """Return what differs in a case, with the line that tries it again."""
        return Mismatch(kind=kind, message=message, code=self.line(case))

    @contextmanager
    def apart(self, case: str) -> Iterator[None]:
        """Run a block whose random numbers follow from the case alone, and which changes and prints nothing.

        A device that fails says nothing about the network: that is raised as `Unreadable`.
        """
        torch = need_torch()
        with unchanged(), redirect_stdout(StringIO()):
            torch.manual_seed(zlib.crc32(f"{self.seed} {case}".encode()))
            try:
                yield
            except (torch.OutOfMemoryError, torch.AcceleratorError) as error:
                raise Unreadable(f"the device failed at {case}: {said(error)}") from error


def skipped(kind: str, why: object) -> Comparison:
    """Return the result of a case that cannot be compared.

    >>> skipped("tiles", "no plan").unchecked
    (('tiles', 'no plan'),)
    """
    return Comparison(checked=0, unchecked=((kind, str(why)),))


def said(error: BaseException) -> str:
    """Return the first line of what was raised.

    >>> said(ValueError("no")), said(KeyError())
    ('no', 'KeyError')
    """
    lines = str(error).splitlines()
    return brief(lines[0], 300).strip("'\"") if lines else type(error).__name__
