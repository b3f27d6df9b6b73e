"""Networks as values: named nodes over layers, wired by name and checked once.

::

    input ──> conv ──> relu ──> add ──> output       Node("add", Add(), ("relu", "input"))
      └─────────────────────────┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from convcalc.errors import BadArgument, BadShape, brief, nearest
from convcalc.layers.base import Shape, written
from convcalc.network.capture import Capture
from convcalc.network.input_size import read_shape, read_shapes
from convcalc.network.letters import with_letters
from convcalc.network.node import Node, is_inside
from convcalc.shown import Shown
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size

Sizes: TypeAlias = Sequence[Size | str]
"""A shape as a user gives it: a name such as "H" stands for any size, the same name for the same size."""

InputShapes: TypeAlias = Sizes | Sequence[Sizes] | Mapping[str, Sizes]
"""The shape of the only input; or of every input, in order or by name."""


@dataclass(frozen=True, repr=False)
class Graph(Shown):
    """A network: nodes in an order in which they can run, names of inputs and outputs.

    Checked once, here: names are unique, every input exists, every layer gets as many as it takes, nothing goes
    round in a circle. Nodes may be given in any order. `outputs` is the last node unless given. `example` has one
    input shape for each input, such as the one a published network is measured at; analyses use it where no
    shape is given. `labels` are what a user calls the outputs; `capture` says how a module was recorded. Raises
    `BadArgument`.

    >>> from convcalc.layers import Add, Conv
    >>> net = Graph([Node("conv", Conv(8, 3, padding=1)), Node("add", Add(), ("conv", "input"))])
    >>> net, net["add"].inputs
    (Graph(2 nodes: input -> add), ('conv', 'input'))
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...] = ("input",)
    outputs: tuple[str, ...] = ()
    name: str = ""
    example: tuple[Shape, ...] | None = None
    labels: tuple[str, ...] = ()
    capture: Capture | None = None

    def __init__(
        self,
        nodes: Sequence[Node],
        inputs: str | Sequence[str] = "input",
        outputs: str | Sequence[str] = (),
        name: str = "",
        example: Sequence[Shape] | None = None,
        labels: Sequence[str] = (),
        capture: Capture | None = None,
    ) -> None:
        inputs, outputs, labels = (_words(entry) for entry in (inputs, outputs, labels))
        if not isinstance(nodes, list | tuple) or not all(isinstance(node, Node) for node in nodes):
            raise BadArgument(f"a graph is made of nodes: got {brief(nodes)}")
        last = nodes[-1].name if nodes else inputs[0] if inputs else ""
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "outputs", outputs or (last,))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "example", None if example is None else tuple(map(read_shape, example)))
        object.__setattr__(self, "labels", tuple(labels) or self.outputs)
        object.__setattr__(self, "capture", capture)
        _check_names(nodes, inputs)
        object.__setattr__(self, "nodes", _in_order(nodes, inputs))
        _check_wiring(self)

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def __getitem__(self, name: str) -> Node:
        """Return the node of that name; raises `BadArgument` with the nearest where there is none."""
        if not isinstance(name, str):
            raise BadArgument(f"a node has a name: got {brief(name)}")
        if name not in self._by_name:
            raise BadArgument(f"no node {name!r}{_like(name, self._by_name)}")
        return self._by_name[name]

    def last_in(self, path: str | None) -> str:
        """Return the name of a node, or of the last in the block of that name; of the last output for None.

        >>> from convcalc.zoo import resnet18
        >>> resnet18().last_in("layer1"), resnet18().last_in(None)
        ('layer1.1.relu', 'fc')
        """
        inside = [node.name for node in self if path is not None and is_inside(node.name, path)]
        return self.outputs[-1] if path is None else inside[-1] if inside else self[path].name

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._by_name

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        nodes = "1 node" if len(self) == 1 else f"{len(self)} nodes"
        return f"Graph({name}{nodes}: {', '.join(self.inputs)} -> {', '.join(self.outputs)})"

    def at(self, shapes: Mapping[str, Shape]) -> Graph:
        """Return the graph with the formulas in its layers taken at these input shapes; itself where it has none.

        Raises `BadShape` where a size differs that has no letter, or a branch goes another way: record it there.

        >>> from convcalc.layers import View
        >>> H = Expr.symbol("H")
        >>> node = Node("view", View((1, 3 * H)))
        >>> graph = Graph([node], capture=Capture(letters=((1, 3, H),)))
        >>> graph.at({"input": (1, 3, 8)})["view"].layer
        View((1, 24))
        """
        if self.capture is None:
            return self
        values = _values(self, shapes)
        for branch in self.capture.path:
            branch.check(values)
        refused = self.capture.refused
        if refused is not None and not refused.layer.depends_on_sizes:
            refused = None
        if not (self._sized or refused) or all(str(value) == name for name, value in values.items()):
            return self
        try:
            nodes = [
                replace(node, layer=node.layer.at(values)) if node.name in self._sized else node for node in self.nodes
            ]
            if refused is not None:
                refused = replace(refused, layer=refused.layer.at(values))
        except ZeroDivisionError:
            at = ", ".join(f"{name}={value}" for name, value in values.items() if isinstance(value, int))
            raise BadShape(f"the model divides by a size that is 0 at {at}") from None
        bound = object.__new__(Graph)
        bound.__dict__.update({name: value for name, value in vars(self).items() if not name.startswith("_")})
        object.__setattr__(bound, "nodes", tuple(nodes))
        if refused is not None:
            object.__setattr__(bound, "capture", replace(self.capture, refused=refused))
        object.__setattr__(bound, "_whole", self.with_formulas)
        return bound

    @property
    def with_formulas(self) -> Graph:
        """The graph as it was captured, where this one is it `at` some sizes; itself elsewhere."""
        whole: Graph = vars(self).get("_whole", self)
        return whole

    def lettered(self, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """Return input shapes with letters in the place of numbers: those of the capture, else those of the axes."""
        if self.capture is None:
            return with_letters(shapes)
        return {
            name: tuple(
                letter if isinstance(size, int) else size for letter, size in zip(known, shapes[name], strict=True)
            )
            for name, known in zip(self.inputs, self.capture.letters, strict=True)
        }

    def holds(self, shapes: Mapping[str, Shape]) -> bool:
        """Whether `at` these shapes it is the same graph."""
        try:
            self.at(shapes)
        except BadShape:
            return False
        return True

    @cached_property
    def _sized(self) -> frozenset[str]:
        """The nodes with formulas among their hyper-parameters."""
        return frozenset(node.name for node in self.nodes if node.layer.depends_on_sizes)

    def shapes_of(self, input_size: InputShapes | None = None) -> dict[str, Shape]:
        """Return the shape of every input, by name, from what a user gives; the `example` where that is nothing.

        Raises `BadShape` where shapes are missing or too many, `BadArgument` for sizes that are none.

        >>> shapes = Graph([], inputs=["image"]).shapes_of((1, 3, "H", "H"))
        >>> [str(size) for size in shapes["image"]]
        ['1', '3', 'H', 'H']
        """
        if input_size is None:
            if self.example is None:
                raise BadShape(f"an input shape is needed, such as (1, 3, 224, 224), for {', '.join(self.inputs)}")
            input_size = self.example
        given = read_shapes(input_size)
        if not isinstance(given, dict):
            if len(given) != len(self.inputs):
                raise BadShape(
                    f"{len(self.inputs)} input shapes are needed ({', '.join(self.inputs)}): got {len(given)}"
                )
            given = dict(zip(self.inputs, given, strict=True))
        if given.keys() != set(self.inputs):
            raise BadShape(f"the inputs are {', '.join(self.inputs)}: got shapes for {', '.join(given)}")
        return {name: given[name] for name in self.inputs}


def _values(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, Size]:
    """What each letter of a capture is in these shapes; a formula of letters must be what it is there."""
    values: dict[str, Size] = {}
    letters = () if graph.capture is None else graph.capture.letters
    later: list[tuple[str, Expr, Size]] = []
    for name, shape in zip(graph.inputs, letters, strict=True):
        given = shapes[name]
        fits = len(given) == len(shape)
        for letter, size in zip(shape, given, strict=False):
            if not isinstance(letter, Expr):
                fits = fits and isinstance(size, int) and letter == size
            elif str(letter) in letter.symbols:
                fits = fits and (values.setdefault(str(letter), size) is size or values[str(letter)] == size)
            else:
                later.append((name, letter, size))
        if not fits:
            raise _elsewhere(name, shape, given)
    for name, letter, size in later:
        if letter.symbols <= values.keys() and letter(**{one: values[one] for one in letter.symbols}) != size:
            raise _elsewhere(name, letters[graph.inputs.index(name)], shapes[name])
    return values


def _elsewhere(name: str, letters: Shape, given: Shape) -> BadShape:
    return BadShape(f"{name} was captured as {written(letters)}: got {written(given)}; capture it at that shape")


def _words(names: str | Sequence[str]) -> tuple[str, ...]:
    found = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, list | tuple) else (names,)
    for name in found:
        if not isinstance(name, str):
            raise BadArgument(f"a graph names its inputs and outputs: got {brief(name)}")
    return found


def _check_names(nodes: Sequence[Node], inputs: tuple[str, ...]) -> None:
    if not inputs:
        raise BadArgument("a graph has at least one input: 0 given")
    names = [*inputs, *(name for node in nodes for name in node.outputs)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise BadArgument(f"names must be unique: {', '.join(map(repr, twice))} is given twice", rule="unique names")
    if "" in names:
        raise BadArgument("a node needs a name: ''")
    known = set(names)
    for node in nodes:
        for name in node.inputs:
            if name not in known:
                raise BadArgument(f"{node.name!r} reads {name!r}, which is no node or input{_like(name, known)}")


def _check_wiring(graph: Graph) -> None:
    known = {*graph.inputs, *(name for node in graph for name in node.outputs)}
    for name in graph.outputs:
        if name not in known:
            raise BadArgument(f"the output {name!r} is no node or input{_like(name, known)}")
    if graph.example is not None and len(graph.example) != len(graph.inputs):
        raise BadArgument(f"example needs a shape for each of {len(graph.inputs)} inputs: got {len(graph.example)}")
    before: dict[str, Node] = {}
    for node in graph:
        fewest, most = node.layer.takes
        count = len(node.inputs)
        if count < fewest or (most is not None and count > most):
            wanted = f"{fewest}" if most == fewest else f"{fewest} or more" if most is None else f"{fewest} to {most}"
            raise BadArgument(f"{node.name!r}: {node.layer.op} takes {wanted} inputs, and {count} are given")
        if node.shares is not None and (node.shares not in before or before[node.shares].shares is not None):
            whose = f"{node.name!r} shares weights with {node.shares!r}"
            raise BadArgument(f"{whose}, which is no earlier node with weights of its own")
        before[node.name] = node


def _in_order(nodes: Sequence[Node], inputs: tuple[str, ...]) -> tuple[Node, ...]:
    """The nodes so that each comes after what it reads, else as given."""
    ready, ordered, waiting = set(inputs), list[Node](), list(nodes)
    while waiting:
        later = []
        for node in waiting:
            if ready.issuperset(node.inputs):
                ready.update(node.outputs)
                ordered.append(node)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise BadArgument(f"nodes go round in a circle: {' -> '.join(_circle(waiting))}", rule="no cycle")
        waiting = later
    return tuple(ordered)


def _circle(waiting: Sequence[Node]) -> list[str]:
    """One circle among nodes that all wait for each other."""
    reads = {node.name: node.inputs for node in waiting}
    maker = {name: node.name for node in waiting for name in node.outputs}
    path = [waiting[0].name]
    while path[-1] not in path[:-1]:
        path.append(next(maker[name] for name in reads[path[-1]] if name in maker))
    return path[path.index(path[-1]) :][::-1]


def _like(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    return f"; did you mean {near!r}?" if near else ""
