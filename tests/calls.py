"""Functions of torch as modules, captured and compared with torch itself: what the tests of calls share."""

# ruff: noqa: E402 -- what captures needs torch, which is asked for first
from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.bridge.trace import capture
from convcalc.layers import Opaque
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.expr import Expr


class Of(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@dataclass(frozen=True)
class Arg:
    """An input: its shape, and for indices how many there are to choose from."""

    shape: tuple
    below: int | None = None
    kind: object = None

    def make(self, shape, device="cpu"):
        if device == "meta":
            return torch.empty(shape, dtype=self.kind or (torch.int64 if self.below else torch.float32), device="meta")
        if self.below is not None:
            return torch.randint(self.below, shape)
        return torch.rand(shape).to(self.kind or torch.float32)


def arg(*shape, below=None, kind=None):
    return Arg(shape, below, kind)


def flat(value):
    """The shapes of all tensors of an output, in order."""
    if isinstance(value, torch.Tensor):
        return [tuple(value.shape)]
    return [shape for entry in value for shape in flat(entry)]


def moved(shape, step):
    """A shape with other sizes on its spatial axes."""
    return (*shape[:2], *(size + step[place % len(step)] for place, size in enumerate(shape[2:])))


def captured(function, *args):
    """The graph of a function, all of it known; its shapes are those of torch on a CPU, and on meta, as none differ."""
    torch.manual_seed(0)
    graph = capture(Of(function), example_inputs=[one.make(one.shape, "meta") for one in args], check=False)
    assert graph.capture.error is None, graph.capture.error
    assert not any(isinstance(node.layer, Opaque) for node in graph), [node.layer for node in graph]
    assert graph.capture.remarks == ()
    assert graph.capture.lost == ()
    expected = flat(function(*(one.make(one.shape) for one in args)))
    assert outputs(graph, [one.shape for one in args]) == expected
    return graph


def outputs(graph, shapes):
    """The output shapes by the rules of a graph."""
    known = infer_shapes(graph, shapes)
    return [tuple(known[name]) for name in graph.outputs]


STEPS = ((2, 2), (1, 3), (-1, 2), (5, 4))
"""By how much spatial sizes change."""


def agrees(function, *args, steps=STEPS):
    """Capture once; the formulas give what torch gives at other sizes, wherever the graph holds there. How often."""
    graph = captured(function, *args)
    symbolic = inspect_graph(graph).layers[-1].symbolic if len(graph) else None
    tried = 0
    for step in steps:
        shapes = [moved(one.shape, step) for one in args]
        given = dict(zip(graph.inputs, shapes, strict=True))
        try:
            theirs = flat(function(*(one.make(shape) for one, shape in zip(args, shapes, strict=True))))
        except (RuntimeError, ValueError, IndexError, AssertionError):
            continue
        if not graph.holds(given):
            continue
        assert outputs(graph, shapes) == theirs
        values = {}
        for letters, shape in zip(graph.capture.letters, shapes, strict=True):
            values |= {str(name): size for name, size in zip(letters, shape, strict=True) if isinstance(name, Expr)}
        if symbolic is not None and graph.outputs == (graph.nodes[-1].name,):
            assert tuple(at(size, values) for size in symbolic) == theirs[0]
        tried += 1
    return tried


def at(size, values):
    """A formula at these sizes."""
    return size(**{name: values[name] for name in size.symbols}) if isinstance(size, Expr) else size
