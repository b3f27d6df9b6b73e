"""From a `torch.nn.Module` to a graph: the module is copied to meta and runs there, every call recorded.

Nothing is allocated, and the module is as it was before, also after an error. See docs/capture.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.analysis.validity.ties import asked_of, fitting
from convcalc.bridge.capture.run import EXAMPLES, captured, captured_at
from convcalc.bridge.capture.settings import Settings
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import taken_at
from convcalc.bridge.explain import explain
from convcalc.errors import BadArgument, BadShape, brief
from convcalc.layers import Shape
from convcalc.network.graph import Graph, InputShapes
from convcalc.network.input_size import read_shapes
from convcalc.sizes.expr import Expr

FEW = 28
"""The size for a letter where loops over pieces do the same in every round: more rounds show no more."""


def capture(
    module: Any,
    input_size: InputShapes | None = None,
    *,
    example_inputs: Any = None,
    dtype: Any = None,
    train: bool = False,
    check: bool = True,
    name: str = "",
    named: Sequence[Mapping[int, Expr]] = (),
    assume: Mapping[str, bool] | None = None,
) -> Graph:
    """Return the graph of a module as `convcalc.from_torch`; where it does not run, that up to there, with the error.

    `named` gives, for each input, letters of its first two axes, which are numbers elsewhere.

    >>> torch = need_torch()
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 10))
    >>> graph = capture(net, (1, 1, 8, 8))
    >>> [node.name for node in graph], graph.capture.error is not None
    (['0'], True)
    """
    torch = need_torch()
    if not isinstance(module, torch.nn.Module):
        hint = f"; write {module.__name__}(...)" if isinstance(module, type) else ""
        raise BadArgument(f"from_torch takes a torch.nn.Module: got {brief(module)}{hint}")
    if (input_size is None) == (example_inputs is None):
        raise BadShape(f"{type(module).__name__} needs input_size, such as (1, 3, 224, 224), or example_inputs")
    settings = Settings(
        name or type(module).__name__, explain, dtype, train, check, named=named, assume=dict(assume or {})
    )
    if example_inputs is not None:
        return captured(module, _examples(example_inputs), settings)
    assert input_size is not None  # noqa: S101 -- one of the two is given
    shapes = _shapes(input_size)
    if all(isinstance(size, int) for shape in shapes for size in shape):
        return captured_at(module, settings, shapes)
    return _found(module, settings, shapes)


def _found(module: Any, settings: Settings, shapes: Sequence[Shape]) -> Graph:
    """Capture at the first of `EXAMPLES` at which the module runs; otherwise at the first, with its error.

    A name on one of the first two axes, which are batch and channels elsewhere, is the letter of its size.
    """
    settings = replace(settings, named=settings.named or [given_letters(shape) for shape in shapes])
    shapes = [tuple(Expr.symbol(size) if isinstance(size, str) else size for size in shape) for shape in shapes]

    def numbers(example: int) -> list[Shape]:
        return [tuple(size if isinstance(size, int) else example for size in shape) for shape in shapes]

    def runs(there: Sequence[Shape], also: Callable[[Graph], bool] = lambda graph: True) -> bool:
        graph = captured_at(module, settings, there, whole=False)
        return graph.capture is not None and graph.capture.why is None and also(graph)

    def goes_round(graph: Graph) -> bool:
        return graph.capture is not None and graph.capture.any_number is not None

    def fit(example: int) -> list[Shape] | None:
        there = numbers(example)
        graph = captured_at(module, replace(settings, placed=shapes), there, whole=False)
        if graph.capture is None or graph.capture.why is None:
            return few if goes_round(graph) and runs(few := numbers(FEW), goes_round) else there
        sizes = {str(size): example for shape in shapes for size in shape if isinstance(size, Expr)}
        asked = asked_of(graph, dict(zip(graph.inputs, graph.capture.letters, strict=True)))
        values = fitting(asked, sizes, list(sizes)) if asked else None
        there = [] if values is None else [taken_at(shape, values) for shape in shapes]
        return there if there and runs(there) else None

    return captured_at(module, settings, next(filter(None, map(fit, EXAMPLES)), numbers(EXAMPLES[0])))


def given_letters(shape: Shape) -> dict[int, Expr]:
    """Return the letters that a user gave to axes which have none by themselves, or to all where they are others'.

    >>> given_letters((1, "T", 8)), given_letters((1, 3, "H", "W")), given_letters((1, "H", "W", 16))
    ({1: T}, {}, {1: H, 2: W})
    """
    named = {axis: size for axis, size in enumerate(shape[:2]) if isinstance(size, str | Expr)}
    if {str(size) for size in named.values()} & {"L", "D", "H", "W"}:  # which stand on other axes elsewhere
        named = {axis: size for axis, size in enumerate(shape) if isinstance(size, str | Expr)}
    return {axis: Expr.symbol(size) if isinstance(size, str) else size for axis, size in named.items()}


def _shapes(input_size: InputShapes) -> list[Shape]:
    shapes = read_shapes(input_size)
    if isinstance(shapes, dict):
        raise BadArgument("input_size of a module is a shape, or one for each input in order")
    for shape in shapes:
        for size in shape:
            if not isinstance(size, int | Expr):
                raise BadArgument(f"a size of a module's input is a number, or a name such as 'H': {brief(size)}")
    return shapes


def _examples(example_inputs: Any) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(example_inputs, Mapping):
        return [], dict(example_inputs)
    if isinstance(example_inputs, tuple | list):
        return list(example_inputs), {}
    return [example_inputs], {}
