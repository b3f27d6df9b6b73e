"""Blocks: networks from parts, in torch's words. A part is a layer or a block.

::

    Sequential(a, b)     ──> a ──> b ──>            names "0", "1", or those given: Sequential(conv=a, act=b)

    Branches(a, b)       ──┬─> a ─┬─ concat ──>
                           └─> b ─┘

    Residual(a)          ──┬─> a ─┬─ add ──>        Residual(a, shortcut=b) has b on the lower way
                           └──────┘

    Skip(a)              ──┬─> a ──┬─ concat ──>    the lower way is cropped to what a gives, or a's padded
                           └─ crop ┘

    Wired(...)           any wiring, by name

Names are paths: "layer1.0.conv1". The body of `Residual` and `Skip` has no step of its own in the path when it is
a `Sequential`; its parts then stand beside the block's "add" or "concat".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

from convcalc.errors import BadArgument, brief
from convcalc.layers import Add, Concat, CropTo, Layer, PadTo, Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.render.words import spelled

Part: TypeAlias = Union[Layer, "Block"]
Wires: TypeAlias = tuple[tuple[Node, ...], str]
"""Nodes, and the name of the one that is the output."""


class Block(ABC):
    """Parts that become nodes of a graph, one after another.

    >>> from convcalc.layers import Conv, ReLU
    >>> isinstance(Sequential(Conv(8, 3), ReLU()), Block), isinstance(ReLU(), Block)
    (True, False)
    """

    def __init_subclass__(cls) -> None:
        """Keep the `repr` of a block from being a dataclass's."""
        super().__init_subclass__()
        cls.__repr__ = Block.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The block as one would write it, cut to a screen.

        >>> from convcalc.layers import Conv, ReLU
        >>> Sequential(Conv(6, 5, padding=2), ReLU()), Residual(Sequential(conv=Conv(8, 3, padding=1)), then=ReLU())
        (Sequential(Conv(6, 5, padding=2), ReLU()), Residual(Sequential(conv=Conv(8, 3, padding=1)), then=ReLU()))
        """
        given = dict(vars(self))
        parts = given.pop("parts", ())
        values = [part for place, (name, part) in enumerate(parts) if name == str(place)]
        named = {name: part for place, (name, part) in enumerate(parts) if name != str(place)}
        values += [given.pop("body")] if "body" in given else given.pop("steps", ())
        usual = {"shortcut": None, "then": None, "mode": "crop", "merge": Concat(), "inputs": ("input",)}
        named |= {name: value for name, value in given.items() if value != usual.get(name)}
        return spelled(type(self).__name__, values, named)

    @abstractmethod
    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """Return the nodes of this block at `path`, reading `sources`, and the name of its output."""


@dataclass(frozen=True, init=False)
class Sequential(Block):
    """Parts one after another; without parts, nothing at all.

    >>> from convcalc.layers import Conv, ReLU
    >>> [node.name for node in as_graph(Sequential(Conv(8, 3), ReLU()))]
    ['0', '1']
    >>> [node.name for node in as_graph(Sequential(conv=Conv(8, 3), act=ReLU()))]
    ['conv', 'act']
    """

    parts: tuple[tuple[str, Part], ...]

    def __init__(self, *parts: Part, **named: Part) -> None:
        object.__setattr__(self, "parts", _named("Sequential", parts, named))

    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """The parts, each reading the one before."""
        nodes: list[Node] = []
        for name, part in self.parts:
            more, output = wire(part, _join(path, name), sources)
            nodes += more
            sources = (output,)
        if len(sources) != 1:
            where = path or "Sequential"
            raise BadArgument(f"{where}: nothing unites its {len(sources)} inputs; begin with Concat or Add")
        return tuple(nodes), sources[0]


@dataclass(frozen=True, init=False)
class Branches(Block):
    """Parts side by side on the same input, united by `merge`: concatenated along the channels unless given.

    >>> from convcalc.layers import Conv, MaxPool
    >>> net = as_graph(Branches(Conv(8, 1), pool=MaxPool(3, stride=1, padding=1)))
    >>> [node.name for node in net], net["concat"].inputs
    (['0', 'pool', 'concat'], ('0', 'pool'))
    """

    parts: tuple[tuple[str, Part], ...]
    merge: Layer

    def __init__(self, *parts: Part, merge: Layer | None = None, **named: Part) -> None:
        object.__setattr__(self, "parts", _named("Branches", parts, named))
        object.__setattr__(self, "merge", Concat() if merge is None else merge)
        if not self.parts:
            raise BadArgument("Branches takes at least one part: 0 given")

    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """The branches, and the node that unites them."""
        wired = [wire(part, _join(path, name), sources) for name, part in self.parts]
        nodes = [node for some, _ in wired for node in some]
        return _united(nodes, self.merge, path, tuple(output for _, output in wired))


@dataclass(frozen=True)
class Residual(Block):
    """The sum of a body and its input, or of a body and a `shortcut`; `then` is a layer on the sum.

    >>> from convcalc.layers import Conv, ReLU
    >>> body = Sequential(conv1=Conv(64, 3, padding=1), relu1=ReLU(), conv2=Conv(64, 3, padding=1))
    >>> [node.name for node in as_graph(Residual(body, then=ReLU()))]
    ['conv1', 'relu1', 'conv2', 'add', 'relu']
    """

    body: Part
    shortcut: Part | None = None
    then: Layer | None = None

    def __post_init__(self) -> None:
        _named("Residual", [part for part in (self.body, self.shortcut, self.then) if part is not None], {})

    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """The body, the shortcut, the sum."""
        nodes, output = _inside(self.body, path, sources)
        aside, other = wire(self.shortcut or Sequential(), _join(path, "shortcut"), sources)
        united, output = _united([*nodes, *aside], Add(), path, (output, other))
        if self.then is None:
            return united, output
        last = Node(_join(path, self.then.op), self.then, output)
        return (*united, last), last.name


ALIGN = {"crop": CropTo(), "pad": PadTo(), "strict": None}


@dataclass(frozen=True)
class Skip(Block):
    """The input concatenated with what `body` makes of it, as on each level of a U-Net.

    `mode` says what is done where their sizes differ: "crop" cuts the centre out of the input (U-Net 2015),
    "pad" puts zeros around the body's output (common in PyTorch), "strict" refuses.

    >>> from convcalc.layers import Conv, ConvTranspose, MaxPool
    >>> level = Skip(Sequential(MaxPool(2), Conv(8, 3), ConvTranspose(4, 2, stride=2)))
    >>> [(node.name, node.inputs) for node in as_graph(level)][-2:]
    [('crop', ('input', '2')), ('concat', ('crop', '2'))]
    """

    body: Part
    mode: str = "crop"

    def __post_init__(self) -> None:
        _named("Skip", [self.body], {})
        if self.mode not in ALIGN:
            raise BadArgument(f"unknown mode {self.mode!r} of Skip: use one of {', '.join(ALIGN)}")

    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """The body, the crop or pad, the concatenation."""
        inner, output = _inside(self.body, path, sources)
        nodes = list(inner)
        _, around = wire(Sequential(), path, sources)
        align = ALIGN[self.mode]
        if align is not None:
            pair = (around, output) if self.mode == "crop" else (output, around)
            nodes.append(Node(_join(path, self.mode), align, pair))
            around, output = (nodes[-1].name, output) if self.mode == "crop" else (around, nodes[-1].name)
        return _united(nodes, Concat(), path, (around, output))


@dataclass(frozen=True, init=False)
class Wired(Block):
    """Parts by name, each with the names of what it reads; the last is the output.

    "input" is what the block is given, or, for several, the names given as `inputs`.

    >>> from convcalc.layers import Conv, Mul, Sigmoid
    >>> gated = Wired(("conv", Conv(8, 1), "input"), ("gate", Sigmoid(), "conv"), ("mul", Mul(), "conv", "gate"))
    >>> as_graph(gated)["mul"].inputs
    ('conv', 'gate')
    """

    steps: tuple[tuple[Any, ...], ...]
    inputs: tuple[str, ...]

    def __init__(self, *steps: tuple[Any, ...], inputs: str | Sequence[str] = "input") -> None:
        for step in steps:
            if not (isinstance(step, tuple) and len(step) > 2 and isinstance(step[0], str)):
                raise BadArgument(f"Wired takes (name, part, what it reads, ...): {step!r}")
            _named("Wired", [step[1]], {})
        if not steps:
            raise BadArgument("Wired takes at least one (name, part, what it reads, ...): 0 given")
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "inputs", (inputs,) if isinstance(inputs, str) else tuple(inputs))

    def wire(self, path: str, sources: tuple[str, ...]) -> Wires:
        """The parts, reading each other by name."""
        nodes, output, _ = self.wire_all(path, sources)
        return nodes, output

    def wire_all(self, path: str, sources: tuple[str, ...]) -> tuple[tuple[Node, ...], str, dict[str, str]]:
        """Return the nodes, the output, and the node that is the output of each part."""
        if len(sources) != len(self.inputs):
            raise BadArgument(f"{path or 'Wired'} takes {len(self.inputs)} inputs: got {len(sources)}")
        outputs = dict(zip(self.inputs, sources, strict=True))
        nodes: list[Node] = []
        for name, part, *reads in self.steps:
            for read in reads:
                if read not in outputs:
                    known = ", ".join(outputs)
                    raise BadArgument(f"{_join(path, name)!r} reads {read!r}, which does not stand before it: {known}")
            if name in outputs:
                raise BadArgument(f"names must be unique: {_join(path, name)!r} is given twice", rule="unique names")
            more, outputs[name] = wire(part, _join(path, name), tuple(outputs[read] for read in reads))
            nodes += more
        return tuple(nodes), outputs[self.steps[-1][0]], outputs


def as_graph(
    net: Graph | Part,
    *,
    inputs: str | Sequence[str] = (),
    outputs: str | Sequence[str] = (),
    name: str = "",
    example: Sequence[Shape] | None = None,
) -> Graph:
    """Return a layer or block as a checked graph; a graph is returned as it is.

    Inputs are those of `Wired`, or "input", unless given; `outputs` names nodes or, of `Wired`, parts. `name` and
    `example` are those of the graph. Raises `BadArgument` as `Graph`.

    >>> from convcalc.layers import Conv
    >>> as_graph(Conv(8, 3))
    Graph(1 node: input -> conv)
    """
    if isinstance(net, Graph):
        return net
    _named("as_graph", [net], {})
    names = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    names = names or (net.inputs if isinstance(net, Wired) else ("input",))
    wanted = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if isinstance(net, Wired):
        nodes, output, parts = net.wire_all("", names)
        wanted = tuple(parts.get(part, part) for part in wanted)
    else:
        nodes, output = wire(net, "", names)
    return Graph(nodes, names, wanted or (output,), name, example)


def wire(part: Part, path: str, sources: tuple[str, ...]) -> Wires:
    """Return the nodes of a part at `path`, reading `sources`, and the name of its output; a layer is one node.

    >>> from convcalc.layers import ReLU
    >>> wire(ReLU(), "act", ("conv",))[1]
    'act'
    """
    if isinstance(part, Block):
        return part.wire(path, sources)
    node = Node(path or part.op, part, sources)
    return (node,), node.name


def _inside(body: Part, path: str, sources: tuple[str, ...]) -> Wires:
    """A body without a step of its own in the path if it is a `Sequential`."""
    return wire(body, path if isinstance(body, Sequential) else _join(path, "body"), sources)


def _united(nodes: Sequence[Node], merge: Layer, path: str, outputs: tuple[str, ...]) -> Wires:
    node = Node(_join(path, merge.op), merge, outputs)
    return (*nodes, node), node.name


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _named(block: str, parts: Sequence[Any], named: dict[str, Any]) -> tuple[tuple[str, Part], ...]:
    """The parts with their names: their places for those without."""
    pairs = [*((str(place), part) for place, part in enumerate(parts)), *named.items()]
    for name, part in pairs:
        if not isinstance(part, Layer | Block):
            hint = f"; write {part.__name__}(...)" if isinstance(part, type) else ""
            raise BadArgument(f"{block} takes layers and blocks: {name} is {brief(part)}{hint}")
    return tuple(pairs)
